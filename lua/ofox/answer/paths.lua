--- Values that arrive one by one, each with its path into a table: "$.a.b[0]['c d']".
-- Strings arrive in pieces. Knows nothing of what the table is.
require "ofox.base.uncompiled" ()
local json = require "ofox.json"
local pieces = require "ofox.answer.pieces"

local paths = {}

local DEPTH = 100 -- of a path that is followed: what is read goes through tables, too

local QUOTES = { ["'"] = "'", ['"'] = '\\"' }

-- The text between the quotes of a key: like JSON, where both quotes may be escaped.
local function unquote(text)
  local escaped = text:gsub("\\?(.)", QUOTES)
  return json.decode('"' .. escaped .. '"') or text
end

-- The quoted key at a position, and the position behind its bracket.
local function quoted_key(path, at)
  local quote, from = path:match("^%[([\"'])()", at)
  local to = from
  while to and to <= #path do
    local c = path:sub(to, to)
    if c == quote then
      if path:sub(to + 1, to + 1) ~= "]" then return nil end
      return unquote(path:sub(from, to - 1)), to + 2
    end
    to = to + (c == "\\" and 2 or 1)
  end
  return nil
end

local function next_key(path, at)
  local index, behind = path:match("^%[(%d+)%]()", at)
  if index then return tonumber(index), behind end
  local name
  name, behind = path:match("^%.?([^%.%[]+)()", at)
  if name then return name, behind end
  return quoted_key(path, at)
end

--- Returns the keys of a path: names, and positions in lists counted from 0. nil if it
-- has none, too many, or cannot be read.
---@param path string
---@return (string|number)[]|nil
function paths.keys(path)
  local keys, at = {}, path:sub(1, 1) == "$" and 2 or 1
  while at <= #path do
    local key
    key, at = next_key(path, at)
    if key == nil or #keys == DEPTH then return nil end
    keys[#keys + 1] = key
  end
  return keys[1] ~= nil and keys or nil
end

-- The key of a table that a key of a path is; nil: it has no such one. A list has no
-- holes.
local function key_in(container, key)
  local is_list = container[1] ~= nil
  if type(key) == "string" then return not is_list and key or nil end
  if not is_list and next(container) ~= nil then return nil end
  return math.min(key, #container) + 1
end

-- Returns the table that a path leads to the member of, and its key; creates what is
-- missing on the way.
local function find(state, root, path)
  local keys = paths.keys(path)
  if not keys or type(keys[1]) ~= "string" then return nil end
  local container, key = root, nil
  for i = 1, #keys do
    key = key_in(container, keys[i])
    if key == nil then return nil end
    if i < #keys then
      if type(container[key]) ~= "table" then
        pieces.set(state, container, key, type(keys[i + 1]) == "number" and json.array() or {})
      end
      container = container[key]
    end
  end
  return container, key
end

--- Puts a value at its path. A string continues the one that is there. What leads
-- nowhere changes nothing.
---@param state ofox.Merging
---@param root table
---@param known table  path -> where it leads; of this root
---@param path any
---@param value any  nil: nothing, json.null: null
function paths.put(state, root, known, path, value)
  if type(path) ~= "string" or value == nil then return end
  local place = known[path]
  if not place then
    local container, key = find(state, root, path)
    if not container then return end
    place = { container, key }
    known[path] = place
  end
  local container, key = place[1], place[2]
  if type(value) == "string" and type(container[key]) == "string" then
    pieces.add(state, container, key, value)
  elseif value ~= json.null or type(key) == "number" then
    pieces.set(state, container, key, value)
  end
end

return paths
