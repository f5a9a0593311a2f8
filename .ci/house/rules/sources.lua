--- The rockspecs are the only list of sources. They name each file of the
-- tree once, and what builds and checks does not name files again.
local floors = require "floors"

-- The modules that a rockspec lists: name -> path, or a table with sources.
local function modules_of(tree, path)
  local fields = {}
  local chunk = assert(load(tree:text(path), "@" .. path, "t", fields))
  chunk()
  return fields.build and fields.build.modules or {}
end

local function line_with(tree, path, text)
  for number, line in tree:lines(path) do
    if line:find(text, 1, true) then return number end
  end
  return 1
end

-- All units of C that 'unit' reaches by calls, itself too.
local function reached(house, unit)
  local seen, list = { [unit] = true }, { unit }
  for _, from in ipairs(list) do -- grows on the way
    for _, edge in ipairs(house.calls) do
      if edge.from == from and not seen[edge.to] then
        seen[edge.to] = true
        list[#list + 1] = edge.to
      end
    end
  end
  return seen
end

-- The sources that a module has to have: whole floors, and what is called.
local function sources_of(house, module)
  local wanted = {}
  for unit in pairs(reached(house, module.opens)) do
    if house.files["src/" .. unit .. ".c"] then wanted["src/" .. unit .. ".c"] = true end
  end
  for _, floor in ipairs(module.whole) do
    for _, path in ipairs(house.tree:list("^src/" .. floor .. "/.*%.c$")) do wanted[path] = true end
  end
  return wanted
end

local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", ""))
end

local function check_c_module(house, rockspec, name, module, tell)
  local row = floors.modules[name]
  if not row then return tell(rockspec, name, "has no row in .ci/house/floors.lua") end
  local wanted, listed = sources_of(house, row), {}
  for _, source in ipairs(module.sources) do
    if listed[source] then tell(rockspec, source, "stands twice in " .. name) end
    if not wanted[source] then tell(rockspec, source, "is not needed by " .. name) end
    listed[source] = true
  end
  for source in pairs(wanted) do
    if not listed[source] then tell(rockspec, name, "lacks " .. source) end
  end
end

local function check_rockspecs(house, tell)
  local listed = {}
  local rockspecs = house.tree:list("^[^/]+%.rockspec$")
  for _, rockspec in ipairs(rockspecs) do
    for name, module in pairs(modules_of(house.tree, rockspec)) do
      if type(module) == "table" then
        check_c_module(house, rockspec, name, module, tell)
        for _, source in ipairs(module.sources) do listed[source] = true end
      else
        listed[module] = true
        if not house.files[module] then tell(rockspec, module, "is not there") end
        if module_name(module) ~= name then tell(rockspec, module, "is called " .. name) end
      end
    end
  end
  for _, file in ipairs(house.files) do
    if not listed[file.path] and not file.path:find("%.h$") then
      tell(file.path, "", "is in no rockspec")
    end
  end
end

-- A path of one source; a glob has a * in it.
local function check_lists(house, tell)
  for _, path in ipairs(house.tree:list("^Makefile$", "^%.ci/", "^spec/c/")) do
    for number, line in house.tree:lines(path) do
      local source = line:match("src/[%w_/]+%.c%f[^%w]")
      if source then tell(path, number, "names " .. source .. ", which only the rockspec lists") end
    end
  end
end

return function(house)
  local breaches = {}
  local function tell(path, where, what)
    local line = type(where) == "number" and where or line_with(house.tree, path, where)
    local subject = type(where) == "string" and where ~= "" and where .. " " or ""
    breaches[#breaches + 1] = ("%s:%d: %s%s"):format(path, line, subject, what)
  end
  check_rockspecs(house, tell)
  check_lists(house, tell)
  table.sort(breaches)
  return breaches
end
