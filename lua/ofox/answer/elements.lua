--- Decides which list element a later one continues. Elements are the same if
-- neither their 'index' nor what identifies them ('id', 'type') differs. Without
-- an index, an element with the same id continues that one, and an element with
-- nothing but further pieces continues the last one. Knows nothing of how elements
-- are combined.
require "ofox.base.uncompiled" ()
local pieces = require "ofox.answer.pieces"

local elements = {}

--- Part types that are text, and the member that holds it.
elements.TEXTS = {
  text = "text", output_text = "text", summary_text = "text", reasoning_text = "text", thinking = "thinking",
  reasoning = "text", refusal = "refusal", ["reasoning.text"] = "text", ["reasoning.summary"] = "summary",
}

local function is_table(value)
  return type(value) == "table"
end

local function says(text)
  return type(text) == "string" and text ~= "" or type(text) == "number"
end

--- Returns an index as a number, even if it was sent as a string; or nil.
---@param item any
---@return any
function elements.index(item)
  local index = is_table(item) and item.index
  if type(index) == "string" then return tonumber(index) or index ~= "" and index or nil end
  return type(index) == "number" and index or nil
end

local function id_of(item)
  local id = item.id
  return says(id) and id or nil
end

-- The type of an element; a text without a type is "text".
local function type_of(item)
  if says(item.type) then return item.type end
  return item.text ~= nil and "text" or nil
end

-- The table in a tool call that has name and arguments; or nil.
local function call_of(item)
  local what = item["function"] or item.custom
  if is_table(what) then return what, what.arguments == nil and "input" or "arguments" end
  if item.arguments ~= nil then return item, "arguments" end
  return nil
end

local function has_name(call)
  return type(call.name) == "string" and call.name ~= ""
end

local function opens(arguments)
  return is_table(arguments) and next(arguments) ~= nil
    or type(arguments) == "string" and arguments:find("^%s*{") ~= nil
end

-- Is it a separate call? Arguments that are complete do not start again.
local function starts_new_call(state, old, item)
  local was, key = call_of(old)
  local is, its_key = call_of(item)
  if not (was and is and has_name(is)) then return false end
  return opens(is[its_key]) and pieces.has_ended(state, was, key)
end

local function same_type(old, item)
  local was, is = type_of(old), type_of(item)
  return was == nil or is == nil or was == is
end

-- May an element continue the one with its index?
local function fits(state, old, item)
  local was, is = id_of(old), id_of(item)
  if not is_table(old) or not same_type(old, item) then return false end
  if was and is then return was == is end
  return not starts_new_call(state, old, item)
end

-- Does an element without index and id continue the last one? If both are in the
-- same delta, a name starts another call, even if the name is the same.
local function continues(state, old, item, is_new)
  if not is_table(old) or not same_type(old, item) then return false end
  local is, key = call_of(item)
  local was = call_of(old)
  if is then
    if not has_name(is) then return was == nil or is[key] ~= nil end
    if is_new then return false end
    if not was then return true end
    return pieces.is(state, was, "name", is.name) and not starts_new_call(state, old, item)
  end
  local member = elements.TEXTS[type_of(item)]
  if not member or type_of(old) ~= type_of(item) then return false end
  -- a signed element is complete
  return not (says(old.signature) and says(item[member]))
end

---@class ofox.Places  positions of the elements of a list
---@field last integer|nil  the most recent one
---@field round integer  counts the deltas added to the list
---@field made table<integer, integer>  the round in which an element was created
---@field by_index table
---@field by_id table
---@field by_both table  index -> id -> position

--- Records an element.
---@param places ofox.Places
---@param list table
---@param at integer
function elements.note(places, list, at)
  local item = list[at]
  if not is_table(item) then return end
  local index, id = elements.index(item), id_of(item)
  places.last = at
  if index ~= nil then places.by_index[index] = at end
  if id == nil then return end
  places.by_id[id] = at
  if index == nil then return end
  local ids = places.by_both[index] or {}
  places.by_both[index] = ids
  ids[id] = at
end

--- Returns the positions of a list, before more is added to it.
---@param state ofox.Merging
---@param list table
---@return ofox.Places
function elements.places(state, list)
  local places = state.places[list]
  if not places then
    places = { round = 0, made = {}, by_index = {}, by_id = {}, by_both = {} }
    state.places[list] = places
    for i = 1, #list do elements.note(places, list, i) end
  end
  places.round = places.round + 1
  return places
end

local function find_by_index(state, list, places, item, index, id)
  local ids = id ~= nil and places.by_both[index]
  local at = ids and ids[id]
  if at and same_type(list[at], item) then return at end
  at = places.by_index[index]
  if at and fits(state, list[at], item) then return at end
  at = id ~= nil and places.by_id[id]
  if at and elements.index(list[at]) == nil and same_type(list[at], item) then return at end
  return nil
end

--- Returns the position of the element that 'item' continues, or nil.
---@param state ofox.Merging
---@param list table
---@param places ofox.Places
---@param item table
---@return integer|nil
function elements.find(state, list, places, item)
  local index, id, last = elements.index(item), id_of(item), places.last
  if index ~= nil then return find_by_index(state, list, places, item, index, id) end
  local is_new = places.made[last] == places.round
  if id == nil then return last and continues(state, list[last], item, is_new) and last or nil end
  local at = places.by_id[id]
  if at then return same_type(list[at], item) and at or nil end
  -- an id that arrives late
  if last and id_of(list[last]) == nil and continues(state, list[last], item, is_new) then return last end
  return nil
end

--- Sorts a list by index; elements with the same index keep their order, and one
-- without an index stays after its predecessor.
---@param list table
---@return table list
function elements.sort(list)
  local keys, order, last, sorted = {}, {}, -math.huge, true
  for i = 1, #list do
    local index = elements.index(list[i])
    local key = type(index) == "number" and index or last
    sorted = sorted and key >= last
    order[i], keys[i], last = i, key, key
  end
  if sorted then return list end
  table.sort(order, function(a, b)
    if keys[a] ~= keys[b] then return keys[a] < keys[b] end
    return a < b
  end)
  local copy = {}
  for i = 1, #list do copy[i] = list[order[i]] end
  for i = 1, #list do list[i] = copy[i] end
  return list
end

return elements
