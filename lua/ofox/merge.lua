--- What the events of a stream add up to: the answer that the same call would
-- have had without one. Knows nothing of how events come.
require "ofox.uncompiled" ()
local json = require "ofox.json"
local response = require "ofox.response"

local merge = {}

-- Members that say what something is: a later one takes the place of an
-- earlier one. All other strings are pieces.
local NAMES = { id = true, type = true, role = true, name = true, object = true, call_id = true, format = true,
  signature = true }

local function is_table(value)
  return type(value) == "table"
end

-- What is known while events are added up: where the elements of a list are, by
-- index, and the pieces of strings, which are put together at the end. Without
-- them many small events would take a time that grows with their square.
local function begin()
  return { places = {}, pieces = {} }
end

-- Where in a list the element of that index is.
local function places_of(state, list)
  local places = state.places[list]
  if places then return places end
  places = {}
  for i = 1, #list do
    local index = is_table(list[i]) and list[i].index
    if index then places[index] = i end
  end
  state.places[list] = places
  return places
end

local function add_piece(state, whole, key, value)
  local pieces = state.pieces[whole] or {}
  state.pieces[whole] = pieces
  local list = pieces[key] or { whole[key] }
  pieces[key] = list
  list[#list + 1] = value
end

-- Another value takes the place of a member.
local function replace(state, whole, key, value)
  whole[key] = value
  if state.pieces[whole] then state.pieces[whole][key] = nil end
end

local function join(state)
  for whole, pieces in pairs(state.pieces) do
    for key, list in pairs(pieces) do whole[key] = table.concat(list) end
  end
end

local add

-- The element that continues another has its index, if it has one.
local function add_list(state, list, more)
  local places = places_of(state, list)
  for i = 1, #more do
    local item = more[i]
    local index = is_table(item) and item.index
    local place = index and places[index]
    if place then
      add(state, list[place], item)
    else
      list[#list + 1] = item
      if index then places[index] = #list end
    end
  end
end

-- Adds what a delta says to what was said before.
function add(state, whole, delta)
  for key, value in pairs(delta) do
    local old = whole[key]
    if old == nil or type(old) ~= type(value) or NAMES[key] and value ~= "" then
      replace(state, whole, key, value)
    elseif type(value) == "string" and not NAMES[key] then
      add_piece(state, whole, key, value)
    elseif is_table(value) and value[1] ~= nil then
      add_list(state, old, value)
    elseif is_table(value) then
      add(state, old, value)
    elseif not NAMES[key] then
      whole[key] = value
    end
  end
end

local function by_index(a, b)
  return (tonumber(a.index) or 0) < (tonumber(b.index) or 0)
end

-- The choice of that index, made if it is new.
local function choice_of(state, choices, index)
  local places = places_of(state, choices)
  local place = places[index]
  if place then return choices[place] end
  local choice = { index = index, message = {} }
  choices[#choices + 1] = choice
  places[index] = #choices
  return choice
end

-- Adds a chunk's choice; where a whole answer came it has a message instead.
local function add_choice(state, choices, choice, position)
  local whole = choice_of(state, choices, choice.index or position - 1)
  for key, value in pairs(choice) do
    if key == "delta" or key == "message" then
      if is_table(value) then add(state, whole.message, value) end
    elseif key == "logprobs" and is_table(value) and is_table(whole.logprobs) then
      add(state, whole.logprobs, value)
    elseif key ~= "index" then
      whole[key] = value
    end
  end
end

local function add_text(state, choices, text)
  if text ~= "" then add(state, choice_of(state, choices, 0).message, { content = text }) end
end

-- A tool call is found by its index while it is streamed; a whole one has none.
-- What is no table is none.
local function whole_calls(calls)
  local whole = json.array()
  for i = 1, #calls do
    if is_table(calls[i]) then whole[#whole + 1] = calls[i] end
  end
  table.sort(whole, by_index)
  for _, call in ipairs(whole) do call.index = nil end
  return whole
end

local function finish(state, answer)
  join(state)
  table.sort(answer.choices, by_index)
  for _, choice in ipairs(answer.choices) do
    local message = choice.message
    if is_table(message.tool_calls) then message.tool_calls = whole_calls(message.tool_calls) end
  end
  return answer
end

-- The chat completion that the events amount to.
local function chat(text, events, decode)
  local answer, state = { choices = json.array() }, begin()
  local choices, at = answer.choices, 1
  for _, event in ipairs(events) do
    local chunk = decode(event[1])
    add_text(state, choices, text:sub(at, event[2]))
    at = event[3] + 1
    for key, value in pairs(is_table(chunk) and chunk or {}) do
      if key == "choices" and is_table(value) then
        for i = 1, #value do
          if is_table(value[i]) then add_choice(state, choices, value[i], i) end
        end
      elseif key ~= "choices" then
        answer[key] = value
      end
    end
  end
  add_text(state, choices, text:sub(at))
  if answer.object == "chat.completion.chunk" then answer.object = "chat.completion" end
  answer.obfuscation = nil -- padding of single events
  return finish(state, answer)
end

local FINAL = { ["response.completed"] = true, ["response.incomplete"] = true, ["response.failed"] = true }

-- Adds an event of a response that has not come to its end.
local function add_said(state, output, said)
  local kind, index = said.type, said.output_index
  local item = index ~= nil and state.items[index]
  if kind == "response.output_item.added" and is_table(said.item) then
    if index ~= nil then state.items[index] = said.item end
    if said.item.type ~= "message" then output[#output + 1] = said.item end
  elseif kind == "response.output_item.done" and item and is_table(said.item) then
    for key, value in pairs(said.item) do replace(state, item, key, value) end
  elseif type(said.delta) ~= "string" then
    return
  elseif kind == "response.function_call_arguments.delta" and item then
    add(state, item, { arguments = said.delta })
  elseif kind == "response.reasoning_summary_text.delta" or kind == "response.reasoning_text.delta" then
    state.reasoning[#state.reasoning + 1] = said.delta
  end
end

-- The response that the last event carries; of one that broke off, what its
-- events have said.
local function responses(text, events, decode)
  local answer, output, state = {}, json.array(), begin()
  state.items, state.reasoning = {}, {}
  for _, event in ipairs(events) do
    local said = decode(event[1])
    if is_table(said) then
      if said.object == "response" then return said end
      if FINAL[said.type] and is_table(said.response) then return said.response end
      if is_table(said.response) then answer = said.response end
      add_said(state, output, said)
    end
  end
  join(state)
  if state.reasoning[1] then answer.reasoning_text = table.concat(state.reasoning) end
  if text ~= "" then
    table.insert(output, 1, { type = "message", role = "assistant", content = {{ type = "output_text", text = text }} })
  end
  answer.output = output
  return answer
end

local DIALECTS = { chat = chat, responses = responses }

--- The answer as it would have come without a stream.
---@param dialect "chat"|"responses"
---@param text string  of the answer so far
---@param events table[]  {json, from, to}, as call:said() gives them
---@param decode fun(json: string): any
---@return table
function merge.answer(dialect, text, events, decode)
  return DIALECTS[dialect](text, events, decode)
end

local function reasoning_of(answer)
  local message = is_table(answer.choices) and is_table(answer.choices[1]) and answer.choices[1].message
  local text = is_table(message) and (message.reasoning_content or message.reasoning) or answer.reasoning_text
  return type(text) == "string" and text or nil
end

---@class ofox.Partial
---@field text string
---@field tool_calls table[]  as response:tool_calls() gives them
---@field reasoning? string
---@field finish_reason? string
---@field usage? table
---@field chunks integer  how many events had come

--- What had come when a stream broke: err.partial. A secret may have come in
-- pieces, so that it shows in the whole only: that is what is cleaned.
---@param dialect "chat"|"responses"|"any"
---@param chunks integer  how many events had come
---@param text string
---@param events table[]
---@param decode fun(json: string): any
---@param clean fun(text: string): string  without secrets
---@return ofox.Partial
function merge.partial(dialect, chunks, text, events, decode, clean)
  local partial = { text = clean(text), tool_calls = json.array(), chunks = chunks }
  if not DIALECTS[dialect] then return partial end
  local function cleaned(value)
    if type(value) == "string" then return clean(value) end
    if not is_table(value) then return value end
    local copy = setmetatable({}, getmetatable(value))
    for key, member in pairs(value) do copy[cleaned(key)] = cleaned(member) end
    return copy
  end
  local answer = merge.answer(dialect, "", events, decode)
  local first = is_table(answer.choices) and answer.choices[1]
  for i, call in ipairs(response.tool_calls(answer)) do
    local json_text = call.arguments_json and clean(call.arguments_json)
    partial.tool_calls[i] = { id = cleaned(call.id), name = cleaned(call.name), arguments_json = json_text,
      arguments = json_text and decode(json_text) or nil }
  end
  partial.reasoning = cleaned(reasoning_of(answer))
  partial.finish_reason = cleaned(is_table(first) and first.finish_reason or nil)
  partial.usage = cleaned(answer.usage)
  return partial
end

return merge
