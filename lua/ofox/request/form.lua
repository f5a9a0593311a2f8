--- Params that contain files, as the parts of a form.
-- Knows nothing of how a form is sent.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local file = require "ofox.request.file"
local json = require "ofox.json"

local form = {}

local DEPTH = 20

-- 'seen': tables without a file, which may contain each other.
local function has_file(value, seen)
  if type(value) ~= "table" or seen[value] then return false end
  if file.known(value) then return true end
  seen[value] = true
  for _, item in next, value do
    if has_file(item, seen) then return true end
  end
  return false
end

--- Is there a file in these params, at any depth?
---@param value any
---@return boolean
function form.has_file(value)
  return has_file(value, {})
end

local function is_null(value)
  return value == json.null or type(value) ~= "table" and json.marks[value] == "null"
end

-- Sorted: the same params are the same bytes.
local function names_of(object, place)
  local names = {}
  for name in next, object do
    if type(name) ~= "string" then return nil, place .. ": expected named fields, or a list" end
    if name == "" or name:find("[%z\1-\31\127]") then return nil, place .. ": a name that no form can have" end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local add

local function add_list(parts, name, place, list, depth)
  for i = 1, #list do
    local problem = add(parts, name .. "[]", ("%s[%d]"):format(place, i), list[i], depth)
    if problem then return problem end
  end
  return nil
end

local function add_object(parts, name, place, object, depth)
  local names, problem = names_of(object, place)
  if not names then return problem end
  for _, key in ipairs(names) do
    problem = add(parts, name and ("%s[%s]"):format(name, key) or key, place .. "." .. key, rawget(object, key), depth)
    if problem then return problem end
  end
  return nil
end

-- Adds a value under its name in the form; 'place' is its name in params.
function add(parts, name, place, value, depth)
  local known = file.known(value)
  if known then
    parts.files[#parts.files + 1] = { name = name, file = known, place = place:match("^%a+%.(.+)") }
  elseif is_null(value) then
    return nil
  elseif type(value) == "table" then
    if depth > DEPTH then return place .. ": nested too deeply" end
    local is_list = rawget(value, 1) ~= nil
    return (is_list and add_list or add_object)(parts, name, place, value, depth + 1)
  elseif type(value) == "string" then
    parts.fields[#parts.fields + 1] = { name = name, value = value }
  elseif type(value) == "number" or type(value) == "boolean" then
    local text, message = core.encode(value)
    if not text then return place .. ": " .. message end
    parts.fields[#parts.fields + 1] = { name = name, value = text }
  else
    return place .. ": " .. describe.expected_type("what a form can hold", value)
  end
  return nil
end

local function no_file(place, value)
  local is_empty = type(value) == "table" and next(value) == nil
  return place .. ": " .. (is_empty and "expected a file, ofox.file(path), got an empty list"
    or describe.expected_type("a file, ofox.file(path)", value))
end

-- What is wrong with a file, or a list of them.
local function problem_of_files(place, value)
  local is_list = type(value) == "table" and rawget(value, 1) ~= nil
  for i = 1, is_list and #value or 0 do
    local item = rawget(value, i)
    if not is_null(item) and not form.has_file(item) then return no_file(("%s[%d]"):format(place, i), item) end
  end
  return not form.has_file(value) and no_file(place, value) or nil
end

--- Checks that files are where they are meant.
---@param params table
---@param names? string[]  of params that are files, or lists of files; the first one is required
---@return string|nil problem
function form.check(params, names)
  for i, name in ipairs(names or {}) do
    local value = rawget(params, name)
    if is_null(value) then value = nil end
    local problem = (value ~= nil or i == 1) and problem_of_files("params." .. name, value)
    if problem then return problem end
  end
  return nil
end

--- Takes params apart. A list is written name[], what is in a table name[field].
---@param params table  not changed
---@param called? string  what the program calls them
---@return {fields: table[], files: table[]}|nil parts
---@return string|nil problem  with its place in the params
function form.parts(params, called)
  local parts = { fields = {}, files = {} }
  local problem = add_object(parts, nil, called or "params", params, 1)
  if problem then return nil, problem end
  return parts
end

--- Gives a new call its form: fields first, then files.
---@param call userdata
---@param parts {fields: table[], files: table[]}
function form.fill(call, parts)
  call:form()
  for _, field in ipairs(parts.fields) do call:part(field.name, field.value) end
  for _, part in ipairs(parts.files) do
    local known = part.file
    if known.path then
      call:file(part.name, known.path, known.name, known.type, part.place)
    else
      call:part(part.name, known.bytes, known.name, known.type)
    end
  end
end

return form
