--- Chat completions: where members are in answers and in their chunks.
require "ofox.base.uncompiled" ()
local fields = require "ofox.answer.fields"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local chat = {}

local field, length, text_of = fields.get, fields.length, fields.text_of

-- Answers

---@param answer table
---@return boolean
function chat.owns(answer)
  return type(field(answer, "choices")) == "table"
end

local function choice_one(answer)
  return field(field(answer, "choices"), 1)
end

local function message_of(answer)
  return field(choice_one(answer), "message")
end

---@param answer table
---@return string
function chat.text(answer)
  return text_of(field(message_of(answer), "content"))
end

-- A reasoning part has its text in a member, or in a list of parts.
local function thought_of_part(part)
  local kind = field(part, "type")
  if kind == "thinking" then return text_of(field(part, "thinking")) end
  if kind == "reasoning" or kind == "reasoning_text" or kind == "summary_text" then return fields.any_text(part) end
  return nil
end

---@param answer table
---@return string
function chat.reasoning(answer)
  local message = message_of(answer)
  for _, name in ipairs { "reasoning_content", "reasoning" } do
    local text = text_of(field(message, name), function(part)
      return fields.text_of_part(part) or fields.any_text(part)
    end)
    if text ~= "" then return text end
  end
  local content = field(message, "content")
  return type(content) == "table" and text_of(content, thought_of_part) or ""
end

---@param answer table
---@return table[]
function chat.calls(answer)
  local message, calls = message_of(answer), {}
  local list = field(message, "tool_calls")
  for i = 1, length(list) do
    local what = field(list[i], "function") or field(list[i], "custom")
    if type(what) == "table" then
      local arguments = field(what, "arguments")
      if arguments == nil then arguments = field(what, "input") end
      calls[#calls + 1] = { id = field(list[i], "id"), name = field(what, "name"), arguments = arguments }
    end
  end
  local what = field(message, "function_call") -- deprecated in favour of tool_calls
  if not calls[1] and type(what) == "table" and next(what) ~= nil then
    calls[1] = { name = field(what, "name"), arguments = field(what, "arguments") }
  end
  return calls
end

---@param answer table
---@return string|nil
function chat.reason(answer)
  return fields.string_or_nil(field(choice_one(answer), "finish_reason"))
end

-- Chunks

-- What puts events together is loaded with the first of them: answers that are read
-- need none of it.
local elements, pieces, rules
local function prepare()
  elements = elements or reserve.require "ofox.answer.elements"
  pieces = pieces or reserve.require "ofox.answer.pieces"
  rules = rules or reserve.require "ofox.answer.accumulate"
end

local function says(value)
  return rules.says(value)
end

local function is_table(value)
  return type(value) == "table"
end

local function members(value)
  return is_table(value) and value or {}
end

-- One answer being built. 'text' is what the core extracted as the text of choice
-- 0. If it extracted none, the JSON is used: the answer was sent whole.
local function begin(text)
  local repeats = pieces.begin()
  repeats.repeats = true
  return {
    spoken = text ~= "", state = pieces.begin(),
    messages = {}, repeats = repeats, -- by choice: what is in messages, not in deltas
    choices = json.array(), places = {},
  }
end

-- Returns the choice with that index; creates it if new.
local function choice_of(self, index)
  local choice = self.places[index]
  if not choice then
    choice = { index = index, message = {} }
    self.places[index] = choice
    self.choices[#self.choices + 1] = choice
  end
  return choice
end

local function say(self, text)
  if text ~= "" then rules.flow(self.state, choice_of(self, 0).message, "content", nil, text) end
end

-- Adds a delta; 'text' is the text of its content, if already determined.
local function add_delta(self, message, delta, text)
  for key, value in pairs(delta) do
    if rules.FLOWS[key] then
      rules.flow(self.state, message, key, value, key == "content" and text or nil)
    else
      rules.add_member(self.state, message, key, value)
    end
  end
  if text and text ~= "" and delta.content == nil then rules.flow(self.state, message, "content", nil, text) end
end

local function add_message(self, choice, message)
  self.messages[choice] = self.messages[choice] or {}
  rules.add(self.repeats, self.messages[choice], message)
end

-- Adds a choice of a chunk; 'own' is the text that the core found there.
local function add_choice(self, item, position, own)
  local index = type(item.index) == "number" and item.index or position - 1
  local choice = choice_of(self, index)
  local text = index == 0 and self.spoken and own or nil
  for key, value in pairs(item) do
    if key == "message" and is_table(value) then
      add_message(self, choice, value)
    elseif key == "logprobs" and is_table(value) then
      choice.logprobs = members(choice.logprobs)
      rules.add(self.state, choice.logprobs, value)
    elseif key == "text" then -- of legacy completions
      rules.add_member(self.state, choice, key, value)
    elseif key ~= "index" and key ~= "delta" and key ~= "message" then
      rules.put_member(self.state, choice, key, value)
    end
  end
  add_delta(self, choice.message, members(item.delta), text)
  return text ~= nil
end

local function add_chunk(self, answer, chunk, own)
  for key, value in pairs(chunk) do
    if key ~= "choices" then rules.put_member(self.state, answer, key, value, key == "usage") end
  end
  local choices = members(chunk.choices)
  for i = 1, #choices do
    if is_table(choices[i]) and add_choice(self, choices[i], i, own) then own = "" end
  end
  say(self, own)
end

-- Adds a content of parts to a known content: the parts that are not text.
local function fill_content(message, parts)
  local texts, others = {}, {}
  for _, part in ipairs(parts) do
    local text = fields.text_of_part(part)
    texts[#texts + 1] = text
    if not text then others[#others + 1] = part end
  end
  if not others[1] or is_table(message.content) then return end
  if table.concat(texts) == message.content then
    message.content = parts
  else
    table.insert(others, 1, { type = "text", text = message.content })
    message.content = others
  end
end

-- Adds what a message has beyond the deltas. The text of choice 0 is known.
local function fill(self, choice, said)
  local message, content = choice.message, said.content
  if is_table(content) and type(message.content) == "string" and message.content ~= "" then
    fill_content(message, content)
    content = nil
  end
  if self.spoken and choice.index == 0 then content = nil end
  said.content = content
  rules.fill(message, said)
end

-- Streamed tool calls are matched by index; complete ones have none. Values that
-- are not tables are dropped.
local function whole_calls(calls)
  local whole = json.array()
  for i = 1, #calls do
    local call = calls[i]
    if is_table(call) then
      call.index = nil
      if not says(call.type) then call.type = is_table(call.custom) and "custom" or "function" end
      whole[#whole + 1] = call
    end
  end
  return whole
end

local function finish(self, answer)
  rules.finish(self.state, answer)
  local messages = {}
  for _, message in pairs(self.messages) do messages[#messages + 1] = message end
  self.repeats.rough = self.state.rough
  rules.finish(self.repeats, messages)
  for choice, message in pairs(self.messages) do fill(self, choice, message) end
  elements.sort(answer.choices)
  for _, choice in ipairs(answer.choices) do
    local message = choice.message
    if not says(message.role) then message.role = "assistant" end
    if is_table(message.tool_calls) then message.tool_calls = whole_calls(message.tool_calls) end
  end
  if answer.object == "chat.completion.chunk" or answer.object == "" then answer.object = "chat.completion" end
  answer.obfuscation = nil -- padding of individual events
  return answer
end

-- Was the answer sent whole?
local function is_whole(chunk)
  local choices, found = members(chunk.choices), false
  for i = 1, #choices do
    local choice = members(choices[i])
    if choice.delta ~= nil then return false end
    found = found or is_table(choice.message)
  end
  return found
end

--- Returns the chat completion that the events amount to.
---@param text string  of choice 0, as extracted by the core
---@param events table[]  {json, from, to}: those with more than text
---@param decode fun(json: string): any, boolean|nil
---@return table
function chat.answer(text, events, decode)
  prepare()
  local self, at = begin(text), 1
  local answer = { choices = self.choices }
  for _, event in ipairs(events) do
    local chunk = pieces.decode(self.state, event[1], decode) or {}
    local alone = not events[2] and event[2] == 0 and event[3] == #text
    if alone and is_whole(chunk) then return pieces.join(self.state, chunk) end
    say(self, text:sub(at, event[2]))
    add_chunk(self, answer, chunk, text:sub(event[2] + 1, event[3]))
    at = event[3] + 1
  end
  say(self, text:sub(at))
  return finish(self, answer)
end

--- Converts a complete answer into the shape of a chunk.
---@param answer table
---@return table chunk
function chat.chunk(answer)
  prepare()
  local chunk, choices = {}, members(answer.choices)
  for key, value in pairs(answer) do chunk[key] = value end
  chunk.object, chunk.choices = "chat.completion.chunk", json.array()
  for i = 1, #choices do
    local choice, delta = {}, {}
    for key, value in pairs(members(choices[i])) do choice[key] = value end
    for key, value in pairs(members(choice.message or choice.delta)) do delta[key] = value end
    if is_table(delta.content) then delta.content = rules.content(delta.content) end
    if is_table(delta.tool_calls) then
      local calls = json.array()
      for j, call in ipairs(delta.tool_calls) do
        calls[j] = call
        if is_table(call) then
          calls[j] = { index = j - 1 }
          for key, value in pairs(call) do calls[j][key] = value end
        end
      end
      delta.tool_calls = calls
    end
    choice.index, choice.message, choice.delta = choice.index or i - 1, nil, delta
    chunk.choices[i] = choice
  end
  return chunk
end

return chat
