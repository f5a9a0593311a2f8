--- What the events of a stream add up to: the answer that the same call would
-- have had without one. Knows nothing of how events come.
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

local add

-- The element that continues another has its index, if it has one.
local function add_list(list, more)
  for i = 1, #more do
    local item = more[i]
    local index = is_table(item) and item.index
    local place
    for k = 1, index and #list or 0 do
      if is_table(list[k]) and list[k].index == index then place = k end
    end
    if place then
      add(list[place], item)
    else
      list[#list + 1] = item
    end
  end
end

-- Adds what a delta says to what was said before.
function add(whole, delta)
  for key, value in pairs(delta) do
    local old = whole[key]
    if old == nil or type(old) ~= type(value) or NAMES[key] and value ~= "" then
      whole[key] = value
    elseif type(value) == "string" and not NAMES[key] then
      whole[key] = old .. value
    elseif is_table(value) and value[1] ~= nil then
      add_list(old, value)
    elseif is_table(value) then
      add(old, value)
    elseif not NAMES[key] then
      whole[key] = value
    end
  end
end

local function by_index(a, b)
  return (tonumber(a.index) or 0) < (tonumber(b.index) or 0)
end

-- The choice of that index, made if it is new.
local function choice_of(choices, index)
  for i = 1, #choices do
    if choices[i].index == index then return choices[i] end
  end
  local choice = { index = index, message = {} }
  choices[#choices + 1] = choice
  return choice
end

-- Adds a chunk's choice; where a whole answer came it has a message instead.
local function add_choice(choices, choice, position)
  local whole = choice_of(choices, choice.index or position - 1)
  for key, value in pairs(choice) do
    if key == "delta" or key == "message" then
      if is_table(value) then add(whole.message, value) end
    elseif key == "logprobs" and is_table(value) and is_table(whole.logprobs) then
      add(whole.logprobs, value)
    elseif key ~= "index" then
      whole[key] = value
    end
  end
end

local function add_text(choices, text)
  if text ~= "" then add(choice_of(choices, 0).message, { content = text }) end
end

-- A tool call is found by its index while it is streamed; a whole one has none.
local function finish(answer)
  table.sort(answer.choices, by_index)
  for _, choice in ipairs(answer.choices) do
    local calls = choice.message.tool_calls
    if is_table(calls) then
      table.sort(calls, by_index)
      for _, call in ipairs(calls) do call.index = nil end
    end
  end
  return answer
end

-- The chat completion that the events amount to.
local function chat(text, events, decode)
  local answer = { choices = json.array() }
  local choices, at = answer.choices, 1
  for _, event in ipairs(events) do
    local chunk = decode(event[1])
    add_text(choices, text:sub(at, event[2]))
    at = event[3] + 1
    for key, value in pairs(is_table(chunk) and chunk or {}) do
      if key == "choices" and is_table(value) then
        for i = 1, #value do
          if is_table(value[i]) then add_choice(choices, value[i], i) end
        end
      elseif key ~= "choices" then
        answer[key] = value
      end
    end
  end
  add_text(choices, text:sub(at))
  if answer.object == "chat.completion.chunk" then answer.object = "chat.completion" end
  answer.obfuscation = nil -- padding of single events
  return finish(answer)
end

local FINAL = { ["response.completed"] = true, ["response.incomplete"] = true, ["response.failed"] = true }

-- The response that the last event carries; of one that broke off, what its
-- events have said.
local function responses(text, events, decode)
  local answer, output, items = {}, json.array(), {}
  for _, event in ipairs(events) do
    local said = decode(event[1])
    local kind = is_table(said) and said.type
    if is_table(said) and said.object == "response" then return said end
    if FINAL[kind] and is_table(said.response) then return said.response end
    if is_table(said) and is_table(said.response) then answer = said.response end
    local item = is_table(said) and items[said.output_index]
    if kind == "response.output_item.added" and is_table(said.item) then
      items[said.output_index] = said.item
      if said.item.type ~= "message" then output[#output + 1] = said.item end
    elseif kind == "response.output_item.done" and item and is_table(said.item) then
      for key, value in pairs(said.item) do item[key] = value end
    elseif kind == "response.function_call_arguments.delta" and item then
      item.arguments = (item.arguments or "") .. tostring(said.delta)
    elseif kind == "response.reasoning_summary_text.delta" or kind == "response.reasoning_text.delta" then
      answer.reasoning_text = (answer.reasoning_text or "") .. tostring(said.delta)
    end
  end
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

--- What had come when a stream broke: err.partial.
---@param dialect "chat"|"responses"|"any"
---@param chunks integer  how many events had come
---@param text string
---@param events table[]
---@param decode fun(json: string): any
---@return ofox.Partial
function merge.partial(dialect, chunks, text, events, decode)
  local partial = { text = text, tool_calls = json.array(), chunks = chunks }
  if not DIALECTS[dialect] then return partial end
  local answer = merge.answer(dialect, "", events, decode)
  local first = is_table(answer.choices) and answer.choices[1]
  response.wrap(answer, function() return {} end)
  for i, call in ipairs(answer:tool_calls()) do partial.tool_calls[i] = call end
  partial.reasoning = reasoning_of(answer)
  partial.finish_reason = is_table(first) and first.finish_reason or nil
  partial.usage = answer.usage
  return partial
end

return merge
