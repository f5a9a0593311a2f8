--- Nothing is longer than a reader can hold.
local c_file = require "c_file"
local lua_file = require "lua_file"

local FILE, HEADER, FUNCTION = 500, 100, 50

local function no_module() return false end

-- The functions of a file that may be no part of the house itself.
local function functions_of(house, path)
  if house.files[path] then return house.files[path].functions end
  local read = path:find("%.[ch]$") and c_file.read or lua_file.read
  return read(house.tree:text(path), no_module).functions
end

return function(house)
  local breaches = {}
  local function complain(path, line, what, count, limit)
    breaches[#breaches + 1] = ("%s:%d: %s has %d lines, more than %d"):format(path, line, what, count, limit)
  end
  local paths = house.tree:list("^src/.*%.[ch]$", "^lua/.*%.lua$", "^examples/.*%.lua$", "^%.ci/house/")
  for _, path in ipairs(paths) do
    local count = house.tree:count(path)
    local limit = path:find("%.h$") and HEADER or FILE
    if count > limit then complain(path, limit + 1, "the file", count, limit) end
    for _, func in ipairs(functions_of(house, path)) do
      local length = func.last - func.line + 1
      if length > FUNCTION then complain(path, func.line, func.name, length, FUNCTION) end
    end
  end
  return breaches
end
