--- The annotations of Lua files, in LuaCATS: classes, their fields and methods,
-- and aliases.
local assert = require "luassert"
local proc = require "support.proc"

local annotations = {}

--- An empty model: classes (name -> {parents, fields, own = names in order,
-- count}), aliases (name -> list of alternatives), and what stands in it twice.
---@return table
function annotations.new()
  return { classes = {}, aliases = {}, twice = {} }
end

--- Reads the annotations of a file into a model. A field has type, optional and
-- doc; a method that the code declares has neither.
---@param path string
---@param model table
---@return table model
function annotations.read(path, model)
  local class, alias, owner
  local comment = {}

  local function begin(name, parents)
    assert(parents == "" or parents:find("^: "), path .. ": " .. name)
    class = model.classes[name] or { parents = {}, fields = {}, own = {}, count = 0 }
    class.count = class.count + 1
    model.classes[name] = class
    for parent in parents:gmatch("[%w_.]+") do class.parents[#class.parents + 1] = parent end
  end

  local function add(name, optional, rest)
    local type, doc = rest:match("^(.-)%s%s+(.*)$")
    local above = table.concat(comment, " ")
    local field = { type = type or rest, optional = optional == "?", doc = above ~= "" and above or doc }
    if class.fields[name] then model.twice[#model.twice + 1] = path .. ": " .. name end
    class.fields[name] = field
    class.own[#class.own + 1] = name
  end

  local function annotation(line)
    local name, rest = line:match("^%-%-%-@class ([%w_.]+)(.*)$")
    if name then return begin(name, (rest:gsub("  .*", ""))) end
    local optional
    name, optional, rest = line:match("^%-%-%-@field ([%w_]+)(%??) +(.+)$")
    if name then return add(name, optional, rest) end
    name, rest = line:match("^%-%-%-@alias ([%w_.]+) ?(.*)$")
    if name then
      if model.aliases[name] then model.twice[#model.twice + 1] = name end
      alias = {}
      model.aliases[name] = alias
      for word in rest:gmatch('[^|]+') do alias[#alias + 1] = word end
    end
  end

  for line in proc.read(path):gmatch("([^\n]*)\n") do
    local text = line:match("^%-%-%- (.*)$")
    local variable, method = line:match("^function ([%w_]+)[:.]([%w_]+)%(")
    if not variable then variable, method = line:match("^([%w_]+)%.([%w_]+) = ") end
    if line:find("^%-%-%-@") then
      annotation(line)
      comment = {}
    elseif line:find("^%-%-%-|") and alias then
      alias[#alias + 1] = line:match("^%-%-%-| (%S+)")
    elseif text then
      comment[#comment + 1] = text
    elseif line:find("^%-%-") then
      comment = {}
    else
      local bound = line:match("^local ([%w_]+) = {}")
      if bound and class then owner = { name = bound, class = class } end
      if owner and variable == owner.name and not owner.class.fields[method] then owner.class.fields[method] = {} end
      comment, class = {}, nil
    end
  end
  return model
end

--- The fields of a class and its parents, of all models; the nearest one counts.
---@param models table[]
---@param name string  of the class
---@return table<string, table>
function annotations.fields_of(models, name, found)
  found = found or {}
  local declared = false
  for _, model in ipairs(models) do
    local class = model.classes[name]
    declared = declared or class ~= nil
    for field, what in pairs(class and class.fields or {}) do found[field] = found[field] or what end
  end
  assert.is_true(declared, name .. " is no class")
  for _, model in ipairs(models) do
    local class = model.classes[name]
    for _, parent in ipairs(class and class.parents or {}) do annotations.fields_of(models, parent, found) end
  end
  return found
end

return annotations
