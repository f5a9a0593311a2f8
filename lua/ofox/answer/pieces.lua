--- Strings that arrive in pieces: they are joined once, at the end. Joining at each
-- piece would take quadratic time.
require "ofox.base.uncompiled" ()
local json = require "ofox.json"

local pieces = {}

---@class ofox.Merging  the state of an accumulation
---@field pieces table  table -> key -> pieces of that string
---@field places table  list -> positions of its elements, see elements.lua
---@field flows table  table -> key -> content in order, see rules.lua
---@field known table  list -> which elements it has, see rules.lua
---@field rough boolean  strings may contain halves of characters
---@field repeats? boolean  a string may be sent again, longer

---@return ofox.Merging
function pieces.begin()
  return { pieces = {}, places = {}, flows = {}, known = {}, rough = false }
end

--- Decodes an event whose strings may be pieces.
---@param state ofox.Merging
---@param text string
---@param decode fun(json: string): any, boolean|nil  the value, and whether it may contain halves
---@return table|nil value
function pieces.decode(state, text, decode)
  local value, rough = decode(text)
  if type(value) ~= "table" then return nil end
  state.rough = state.rough or rough == true
  return value
end

-- How many characters a piece completes: one that it ends in the middle of is a
-- character of the piece after it.
local function characters(piece)
  local _, n = piece:gsub("[^\128-\191]", "")
  if piece:find("^[\128-\191]") then n = n + 1 end
  local lead, rest = piece:match("([\192-\255])([\128-\191]*)$")
  if not lead then return n end
  local byte = lead:byte()
  local length = byte >= 0xF0 and 3 or byte >= 0xE0 and 2 or 1
  local is_half = byte == 0xED and rest:find("^[\160-\175]") -- of a pair
  return (#rest < length or is_half) and n - 1 or n
end

--- Returns what a piece of a text has become in the text that begins with it, and the
-- rest of that.
---@param piece string  as it was sent: perhaps with halves of characters
---@param text string  valid
---@return string, string
function pieces.take(piece, text)
  if #piece == #text then return text, "" end
  local at = 1
  for _ = 1, characters(piece) do at = text:match("^[^\128-\191][\128-\191]*()", at) or #text + 1 end
  return text:sub(1, at - 1), text:sub(at)
end

local function list_of(state, whole, key)
  local lists = state.pieces[whole]
  return lists and lists[key]
end

--- Appends a piece to a string. Until strings are joined, the member holds the
-- first piece.
---@param state ofox.Merging
---@param whole table
---@param key any
---@param text string
function pieces.add(state, whole, key, text)
  local lists = state.pieces[whole]
  if not lists then
    lists = {}
    state.pieces[whole] = lists
  end
  local list = lists[key]
  if not list then
    local old = whole[key]
    list = { n = 0 }
    if type(old) == "string" and old ~= "" then
      list[1], list.n = old, #old
    end
    lists[key] = list
    if not list[1] then whole[key] = text end
  end
  list[#list + 1] = text
  list.n = list.n + #text
end

--- Sets a member, and discards its pieces.
function pieces.set(state, whole, key, value)
  local lists = state.pieces[whole]
  if lists then lists[key] = nil end
  whole[key] = value
end

--- Returns the length of a string up to now in bytes, 0 if the value is not one.
---@return integer
function pieces.length(state, whole, key)
  local list = list_of(state, whole, key)
  if list then return list.n end
  local text = whole[key]
  return type(text) == "string" and #text or 0
end

--- Returns a string up to now. Joins all pieces: check the length first.
---@return string
function pieces.so_far(state, whole, key)
  local list = list_of(state, whole, key)
  if not list then
    local text = whole[key]
    return type(text) == "string" and text or ""
  end
  if list[2] then
    local scanned = list.scanned == #list and 1 or 0
    local text = table.concat(list)
    for i = #list, 2, -1 do list[i] = nil end
    list[1], list.scanned = text, scanned
    if scanned == 0 then list.scan = nil end
  end
  return list[1] or ""
end

--- Is a string equal to the pieces received up to now?
---@return boolean
function pieces.is(state, whole, key, text)
  return pieces.length(state, whole, key) == #text and pieces.so_far(state, whole, key) == text
end

-- Scans a piece of JSON: the nesting depth, and whether the outermost container has
-- ended.
local function scan_piece(scan, text)
  local at = 1
  if scan.escaped then at, scan.escaped = 2, false end
  while true do
    local found = text:find(scan.quoted and '["\\]' or '["{}%[%]]', at)
    if not found then return end
    local c = text:sub(found, found)
    at = found + 1
    if c == "\\" then
      scan.escaped = at > #text
      at = at + 1
    elseif c == '"' then
      scan.quoted = not scan.quoted
    elseif c == "{" or c == "[" then
      scan.depth = scan.depth + 1
    else
      scan.depth = scan.depth - 1
      scan.ended = scan.ended or scan.depth == 0
    end
  end
end

--- Is a string of JSON a complete object or list?
---@return boolean
function pieces.has_ended(state, whole, key)
  local text = whole[key]
  if type(text) == "table" then return next(text) ~= nil end
  if type(text) ~= "string" then return false end
  local list = list_of(state, whole, key)
  if not list then
    local scan = { depth = 0 }
    scan_piece(scan, text)
    return scan.ended == true
  end
  list.scan = list.scan or { depth = 0 }
  for i = (list.scanned or 0) + 1, #list do scan_piece(list.scan, list[i]) end
  list.scanned = #list
  return list.scan.ended == true
end

-- Copies a table with every string in it joined, keys included.
local function clean(value)
  local renamed
  for key, member in pairs(value) do
    if type(member) == "string" then
      value[key] = json.join(member)
    elseif type(member) == "table" then
      clean(member)
    end
    if type(key) == "string" and json.join(key) ~= key then
      renamed = renamed or {}
      renamed[key] = json.join(key)
    end
  end
  for key, name in pairs(renamed or {}) do
    value[name], value[key] = value[key], nil
  end
end

--- Joins all strings. Halves of characters that met are characters then; others
-- become U+FFFD.
---@param state ofox.Merging
---@param answer table  that contains them
---@return table answer
function pieces.join(state, answer)
  for whole, lists in pairs(state.pieces) do
    for key, list in pairs(lists) do whole[key] = table.concat(list) end
  end
  state.pieces = {}
  if state.rough then clean(answer) end
  return answer
end

return pieces
