--- The rules by which events are accumulated, one set for every dialect. A dialect
-- knows where members are in its events; how they are combined is decided here.
--
-- add:  members of a delta. Strings are pieces, except names and enum words;
--       list elements are matched as elements.lua says.
-- put:  members outside of deltas. A later value replaces an earlier one; lists
--       grow.
-- flow: a content, which may be text and parts in any order.
--
-- In all of them an empty value changes nothing.
require "ofox.base.uncompiled" ()
local elements = require "ofox.answer.elements"
local fields = require "ofox.answer.fields"
local json = require "ofox.json"
local pieces = require "ofox.answer.pieces"

local rules = {}

-- Members that identify or classify: a later value replaces an earlier one.
local WORDS = { id = true, type = true, role = true, object = true, format = true, status = true, model = true }

-- Members sent whole or in pieces: a piece is appended, a repetition is not.
local NAMES = { name = true, signature = true }

-- JSON in pieces, or an object that was sent already decoded.
local ARGUMENTS = { arguments = true, input = true }

--- Members of a message that are text, whether sent whole or in pieces.
rules.FLOWS = { content = true, reasoning_content = true, reasoning = true, refusal = true }

local function is_table(value)
  return type(value) == "table"
end

local function is_list(value)
  return is_table(value) and value[1] ~= nil
end

local function is_word(key)
  return WORDS[key] or type(key) == "string" and key:find("_id$") ~= nil
end

local function is_name(key)
  return NAMES[key] or type(key) == "string" and key:find("[sS]ignature$") ~= nil
end

--- Is the value non-empty?
---@param value any
---@return boolean
local function says(value)
  if type(value) == "string" then return value ~= "" end
  if is_table(value) then return next(value) ~= nil end
  return type(value) == "number" or type(value) == "boolean"
end
rules.says = says

local function add_name(state, whole, key, text)
  local n = pieces.length(state, whole, key)
  if n > 0 and #text >= n and text:sub(1, n) == pieces.so_far(state, whole, key) then
    pieces.set(state, whole, key, text) -- repeated, perhaps with more appended
  else
    pieces.add(state, whole, key, text)
  end
end

local function add_arguments(state, whole, key, value)
  local old = whole[key]
  if not says(old) then
    pieces.set(state, whole, key, value)
  elseif is_table(old) then
    if is_table(value) then rules.put(state, old, value) end
  elseif not is_table(value) then
    local n = pieces.length(state, whole, key)
    local again = #value == n and value:find("^%s*{") and pieces.has_ended(state, whole, key)
      and pieces.is(state, whole, key, value)
    if not again then pieces.add(state, whole, key, value) end
  end
end

local function add_string(state, whole, key, value)
  local old = whole[key]
  if is_word(key) or not says(old) then
    pieces.set(state, whole, key, value)
  elseif ARGUMENTS[key] and not state.repeats then
    add_arguments(state, whole, key, value)
  elseif type(old) == "string" then
    local add = (state.repeats or is_name(key)) and add_name or pieces.add
    add(state, whole, key, value)
  elseif type(old) ~= "table" then
    pieces.set(state, whole, key, (json.encode(old) or "") .. value)
  elseif is_list(old) then
    rules.add_list(state, old, { { type = "text", text = value } })
  end
end

-- Adds elements to a list, and returns it.
function rules.add_list(state, list, more)
  local places = elements.places(state, list)
  for i = 1, #more do
    local item = more[i]
    local at = is_table(item) and elements.find(state, list, places, item)
    if at then
      rules.add(state, list[at], item)
    else
      at = #list + 1
      list[at], places.made[at] = item, places.round
    end
    elements.note(places, list, at)
  end
  return list
end

-- The old value as a list, so that elements can be added.
local function as_list(state, whole, key)
  local old = whole[key]
  if is_list(old) then return old end
  local text = type(old) == "number" and json.encode(old) or pieces.so_far(state, whole, key)
  if text ~= "" then old = { type = "text", text = text } end
  return says(old) and { old } or {}
end

local function add_table(state, whole, key, value)
  local old = whole[key]
  if ARGUMENTS[key] and not is_list(value) then
    add_arguments(state, whole, key, value)
  elseif is_list(value) or is_list(old) or says(old) and not is_table(old) then
    local list = as_list(state, whole, key)
    pieces.set(state, whole, key, rules.add_list(state, list, is_list(value) and value or { value }))
  elseif is_table(old) then
    rules.add(state, old, value)
  else
    pieces.set(state, whole, key, value)
  end
end

--- Adds one member of a delta.
---@param state ofox.Merging
---@param whole table
---@param key any
---@param value any
function rules.add_member(state, whole, key, value)
  local old = whole[key]
  if not says(value) then
    if old == nil and (value == "" or is_table(value)) then whole[key] = value end
  elseif is_table(value) then
    add_table(state, whole, key, value)
  elseif type(value) == "string" then
    add_string(state, whole, key, value)
  elseif type(value) == "number" and type(old) == "string" and not is_word(key) then
    add_string(state, whole, key, json.encode(value) or "")
  elseif not is_table(old) then
    pieces.set(state, whole, key, value)
  end
end

--- Adds a delta to what has been accumulated.
---@param state ofox.Merging
---@param whole table
---@param delta table
function rules.add(state, whole, delta)
  for key, value in pairs(delta) do rules.add_member(state, whole, key, value) end
end

-- The key that identifies an element of a list outside of deltas.
local function mark_of(item)
  if not is_table(item) then return type(item) .. tostring(item) end
  local id = item.id or item.index or item.prompt_index
  if type(id) == "string" or type(id) == "number" then return "id " .. tostring(id) end
  return json.encode(item) or tostring(item)
end

-- Accumulates a list that is sent repeatedly, as a whole or in parts.
local function put_list(state, list, more)
  local known = state.known[list]
  if not known then
    known = {}
    state.known[list] = known
    for i = 1, #list do known[mark_of(list[i])] = i end
  end
  for i = 1, #more do
    local mark = mark_of(more[i])
    local at = known[mark]
    if not at then
      list[#list + 1] = more[i]
      known[mark] = #list
    elseif is_table(list[at]) and is_table(more[i]) then
      rules.put(state, list[at], more[i])
    end
  end
end

--- Replaces a member with a value from outside of deltas.
---@param state ofox.Merging
---@param whole table
---@param key any
---@param value any
---@param latest? boolean  lists do not grow: the latest counts
function rules.put_member(state, whole, key, value, latest)
  local old = whole[key]
  if not says(value) or key == "created" and value == 0 then
    if old == nil and (value == "" or value == 0 or is_table(value)) then whole[key] = value end
  elseif not says(old) then
    pieces.set(state, whole, key, value)
  elseif is_table(old) and is_table(value) then
    if not is_list(old) and not is_list(value) then
      rules.put(state, old, value, latest)
    elseif is_list(old) and is_list(value) and not latest then
      put_list(state, old, value)
    else
      whole[key] = value
    end
  elseif not is_table(old) then
    pieces.set(state, whole, key, value)
  end
end

---@param state ofox.Merging
---@param whole table
---@param more table
---@param latest? boolean
function rules.put(state, whole, more, latest)
  for key, value in pairs(more) do rules.put_member(state, whole, key, value, latest) end
end

-- Contents

-- A content as a list of parts.
local function parts_of(value)
  if is_list(value) then return value end
  return says(value) and { value } or {}
end

-- A part as an element of a content.
local function as_element(part, text)
  if not text then return part end
  if not is_table(part) then return { type = "text", text = text } end
  part.type, part.text = says(part.type) and part.type or "text", text
  return part
end

local function is_bare(part)
  for key in pairs(part) do
    if key ~= "type" and key ~= "text" and key ~= "index" then return false end
  end
  return fields.text_of_part(part) ~= nil
end

--- Accumulates a content.
---@param state ofox.Merging
---@param whole table  the message
---@param key any
---@param value any  the value of the member; nil if it has none
---@param text? string  its text, if already determined by the caller
function rules.flow(state, whole, key, value, text)
  local flows = state.flows[whole] or {}
  state.flows[whole] = flows
  local flow = flows[key]
  if not flow then
    if not (text and text ~= "" or value == "" or says(value) or is_table(value)) then return end
    flow = {}
    flows[key] = flow
  end
  local parts = {}
  for _, part in ipairs(parts_of(value)) do
    local own = fields.text_of_part(part)
    if own and text then
      own, text = pieces.take(own, text)
    end
    local element = as_element(part, own)
    if own ~= "" or not is_bare(element) then parts[#parts + 1] = element end
  end
  if text and text ~= "" then parts[#parts + 1] = { type = "text", text = text } end
  rules.add_list(state, flow, parts)
end

--- Reduces a content of parts: to a string, or, if some parts are not text, to the
-- list.
---@param parts table
---@return string|table
function rules.content(parts)
  local texts = {}
  for i, part in ipairs(parts) do
    if is_table(part) and not is_bare(part) then return parts end
    texts[i] = fields.text_of_part(part)
    if not texts[i] then return parts end
  end
  return table.concat(texts)
end

-- Sorts a list by index, and the lists nested in it.
local function sort(state)
  for list in pairs(state.places) do elements.sort(list) end
end

--- Finishes accumulating: joins all strings, sorts all lists, puts all contents in
-- place.
---@param state ofox.Merging
---@param answer table
---@return table answer
function rules.finish(state, answer)
  sort(state)
  for whole, flows in pairs(state.flows) do
    for key, flow in pairs(flows) do whole[key] = flow end
  end
  pieces.join(state, answer)
  for whole, flows in pairs(state.flows) do
    for key, flow in pairs(flows) do whole[key] = rules.content(flow) end
  end
  return answer
end

-- Messages outside of deltas

local fill

local function fill_list(list, said)
  local by_id = {}
  for _, item in ipairs(list) do
    if is_table(item) and item.id ~= nil then by_id[item.id] = item end
  end
  for i, item in ipairs(said) do
    local id = is_table(item) and item.id
    local old = id and by_id[id] or list[i]
    if old == nil or id and is_table(old) and says(old.id) and old.id ~= id then
      list[#list + 1] = item
    elseif is_table(old) and is_table(item) then
      fill(old, item)
    end
  end
end

--- Adds to a table what another one has beyond it: the full value, or a later
-- snapshot. Both are complete: their strings are joined.
---@param whole table
---@param said table
function fill(whole, said)
  for key, value in pairs(said) do
    local old = whole[key]
    if not says(old) then
      if says(value) or old == nil then whole[key] = value end
    elseif is_list(old) and is_list(value) then
      fill_list(old, value)
    elseif is_table(old) and is_table(value) and not is_list(old) and not is_list(value) then
      fill(old, value)
    elseif type(old) == "string" and type(value) == "string" and value:sub(1, #old) == old then
      whole[key] = value
    end
  end
end
rules.fill = fill

return rules
