--- Explains why a C module of ofox cannot be loaded, in one sentence with the fix.
local lua = require "ofox.base.lua"

local function other_builds(clone, name)
  local found = {}
  for _, abi in ipairs { "5.1", "jit", "5.2", "5.3", "5.4" } do
    local file = io.open(clone .. "build/" .. abi .. "/ofox/" .. name .. ".so", "rb")
    if file then
      file:close()
      found[#found + 1] = abi
    end
  end
  return table.concat(found, ", ")
end

---@param name string  "core", "engine" or "redis"
---@param message any  what the loader said
---@param clone string|nil  the clone that it must be in, with the slash
---@param is_there boolean  its file was found
---@return string
return function(name, message, clone, is_there)
  message = tostring(message)
  local make = "make LUA=" .. lua.ABI .. (name == "redis" and " REDIS=1" or "")
  if message:find("undefined symbol: _?luaL?_") or message:find("was built for", 1, true)
    or message:find("multiple Lua VMs", 1, true) or message:find("version mismatch", 1, true) then
    return ("ofox.%s was built for another Lua, and this is %s; rebuild it with: %s")
      :format(name, lua.NAME, make)
  end
  local others = clone and other_builds(clone, name) or ""
  if others ~= "" and not is_there then
    return ("ofox.%s is built for %s only, and this is %s; build it with: %s")
      :format(name, others, lua.NAME, make)
  end
  if message:find("^module '[^']*' not found") then
    return ("ofox.%s is not built for this Lua (%s); build it with: %s")
      :format(name, lua.NAME, make)
  end
  return message
end
