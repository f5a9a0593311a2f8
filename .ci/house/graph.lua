--- Who knows whom. An edge is {from, to, file, line}: 'from' and 'to' are
-- units, 'file' and 'line' say where it stands. The unit of C is a source with
-- its header ("wire/sse"), that of Lua a file ("task/wait").
local c_file = require "c_file"
local floors = require "floors"
local lua_file = require "lua_file"

local graph = {}

local function unit_of(path)
  return path:match("^src/(.+)%.[ch]$") or path:match("^lua/ofox/(.+)%.lua$")
end

-- "ofox.task.wait" -> "lua/ofox/task/wait.lua"
local function path_of(module)
  if module == "ofox" then return "lua/ofox/init.lua" end
  return (module:gsub("%.", "/"):gsub("^", "lua/") .. ".lua")
end

local function add(edges, from, to, line)
  if unit_of(from) == unit_of(to) then return end
  edges[#edges + 1] = { from = unit_of(from), to = unit_of(to), file = from, line = line }
end

local function read_files(tree)
  local files, exists = {}, {}
  for _, path in ipairs(tree.paths) do exists[path] = true end
  local function is_module(name) return exists[path_of(name)] or false end
  for _, path in ipairs(tree.paths) do
    local half, floor = floors.of(path)
    if half then
      local text = tree:text(path)
      local file = half == "c" and c_file.read(text) or lua_file.read(text, is_module, floors.loader)
      file.path, file.half, file.floor, file.unit = path, half, floor, unit_of(path)
      files[#files + 1] = file
      files[path] = file
    end
  end
  return files
end

-- Name of a function or an object -> the file of C that defines it for others.
local function definitions(files)
  local at = {}
  for _, file in ipairs(files) do
    for name, how in pairs(file.defines or {}) do
      if not how.is_static or file.path:find("%.h$") then at[name] = file.path end
    end
  end
  return at
end

local function link_c(house, file, defined_in)
  for _, include in ipairs(file.includes) do
    local to = "src/" .. include.name
    if include.is_ours and house.files[to] then add(house.includes, file.path, to, include.line) end
  end
  for _, use in ipairs(file.uses) do
    local to = not file.defines[use.text] and defined_in[use.text]
    if to then add(house.calls, file.path, to, use.line) end
  end
end

local function link_lua(house, file)
  for _, asked in ipairs(file.requires) do
    local to = path_of(asked.name)
    if house.files[to] then add(house.requires, file.path, to, asked.line) end
  end
end

--- Reads the house that stands in a tree.
---@return table  {tree, files, includes, calls, requires}: files as a list and by path, the others lists of edges
function graph.read(tree)
  local house = { tree = tree, files = read_files(tree), includes = {}, calls = {}, requires = {} }
  local defined_in = definitions(house.files)
  for _, file in ipairs(house.files) do
    if file.half == "c" then
      link_c(house, file, defined_in)
    elseif not floors.outside[file.floor] then
      link_lua(house, file)
    end
  end
  return house
end

--- The three kinds of edges, and how a sentence calls each.
graph.KINDS = {
  { name = "includes", half = "c", verb = "includes" },
  { name = "calls", half = "c", verb = "calls" },
  { name = "requires", half = "lua", verb = "requires" },
}

--- The floor or room of a unit.
function graph.floor(unit)
  return unit:match("^[^/]+")
end

return graph
