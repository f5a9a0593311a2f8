--- Gemini's protocol: where members are in answers, of which each event is one with
-- the next parts of its candidates.
require "ofox.base.uncompiled" ()
local fields = require "ofox.answer.fields"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local gemini = {}

local field, length = fields.get, fields.length

local function is_table(value)
  return type(value) == "table"
end

-- Answers

---@param answer table
---@return boolean
function gemini.owns(answer)
  return is_table(field(answer, "candidates")) or is_table(field(answer, "promptFeedback"))
end

local function parts_of(candidate)
  local parts = field(field(candidate, "content"), "parts")
  return is_table(parts) and parts or {}
end

local function candidate_one(answer)
  return field(field(answer, "candidates"), 1)
end

local function is_thought(part)
  return field(part, "thought") == true
end

local function texts_of(answer, thoughts)
  local texts = {}
  for _, part in ipairs(parts_of(candidate_one(answer))) do
    if is_thought(part) == thoughts then texts[#texts + 1] = fields.as_text(field(part, "text")) end
  end
  return table.concat(texts)
end

---@param answer table
---@return string
function gemini.text(answer)
  return texts_of(answer, false)
end

---@param answer table
---@return string
function gemini.reasoning(answer)
  return texts_of(answer, true)
end

-- The arguments of a call of which more was to come are no JSON.
local function arguments_of(call)
  local arguments = field(call, "args")
  if field(call, "willContinue") ~= true then return arguments end
  return ((json.encode(arguments) or ""):gsub("}$", ""))
end

---@param answer table
---@return table[]
function gemini.calls(answer)
  local calls = {}
  for _, part in ipairs(parts_of(candidate_one(answer))) do
    local call = field(part, "functionCall")
    if is_table(call) then
      calls[#calls + 1] = { id = field(call, "id"), name = field(call, "name"), arguments = arguments_of(call) }
    end
  end
  return calls
end

--- A prompt that was refused has no candidates.
---@param answer table
---@return string|nil
function gemini.reason(answer)
  local word = fields.string_or_nil(field(candidate_one(answer), "finishReason"))
  if word then return word ~= "FINISH_REASON_UNSPECIFIED" and word or nil end
  word = fields.string_or_nil(field(field(answer, "promptFeedback"), "blockReason"))
  return word and "content_filter"
end

-- Events

-- Loaded with the first events that are put together.
local elements, paths, pieces, rules
local function prepare()
  elements = elements or reserve.require "ofox.answer.elements"
  paths = paths or reserve.require "ofox.answer.paths"
  pieces = pieces or reserve.require "ofox.answer.pieces"
  rules = rules or reserve.require "ofox.answer.accumulate"
end

local function begin()
  return {
    state = pieces.begin(), candidates = json.array(), places = {},
    calls = {}, -- candidate -> its calls, see call_of
    known = {}, -- arguments of a call -> their paths
  }
end

-- Returns the candidate with that index; creates it if new.
local function candidate_of(self, index)
  local candidate = self.places[index]
  if not candidate then
    candidate = { index = index, content = { parts = json.array() } }
    self.places[index] = candidate
    self.candidates[#self.candidates + 1] = candidate
  end
  return candidate
end

-- Calls, whose arguments may arrive in parts of their own

-- Returns the part with the call that another continues: the one of its id, or, where it
-- has neither id nor name, the latest. One that is to be continued may repeat its name.
local function call_of(calls, call)
  local id, name = fields.string_or_nil(call.id), fields.string_or_nil(call.name)
  local known, latest = id and calls.by_id[id], calls.latest
  if known then return (not name or field(known.functionCall, "willContinue") == true) and known or nil end
  if not latest or id and fields.string_or_nil(latest.functionCall.id) then return nil end
  if not name then return latest end
  return call.partialArgs and latest.functionCall.willContinue == true and latest.functionCall.name == name
    and latest or nil
end

-- The value of a piece of arguments: nil if it has none.
local function value_of(piece)
  for _, name in ipairs { "stringValue", "numberValue", "boolValue" } do
    if piece[name] ~= nil then return piece[name] end
  end
  return piece.nullValue ~= nil and json.null or nil
end

-- Adds the pieces of a call's arguments. Such a call has some, though they are none.
local function add_arguments(self, call, list)
  if not is_table(call.args) then call.args = json.object() end
  local args = call.args
  self.known[args] = self.known[args] or {}
  for i = 1, length(list) do
    local piece = list[i]
    if is_table(piece) then paths.put(self.state, args, self.known[args], piece.jsonPath, value_of(piece)) end
  end
end

-- Adds a call that goes on to the part where it began.
local function continue_call(self, old, part)
  for key, value in pairs(part) do
    if key ~= "functionCall" then rules.add_member(self.state, old, key, value) end
  end
  local call = old.functionCall
  for key, value in pairs(part.functionCall) do
    if key ~= "partialArgs" then rules.put_member(self.state, call, key, value, true) end
  end
  call.willContinue = part.functionCall.willContinue
end

local function add_call(self, candidate, part)
  local calls = self.calls[candidate] or { by_id = {} }
  self.calls[candidate] = calls
  local call, old = part.functionCall, call_of(calls, part.functionCall)
  local more = call.partialArgs
  if old then
    continue_call(self, old, part)
    call, part = old.functionCall, old
  elseif rules.says(call) then
    -- calls without an id come one after the other
    local last = calls.latest and calls.latest.functionCall
    if last and not fields.string_or_nil(last.id) then last.willContinue = nil end
    candidate.content.parts[#candidate.content.parts + 1] = part
    call.partialArgs = nil
  else
    return
  end
  if more ~= nil or call.willContinue then add_arguments(self, call, more) end
  call.willContinue = call.willContinue == true or nil
  calls.latest = part
  local id = fields.string_or_nil(call.id)
  if id then calls.by_id[id] = part end
end

-- A call that was to go on has ended with its answer, unless that was cut.
local function finish_calls(self)
  for candidate, calls in pairs(self.calls) do
    if candidate.finishReason == "STOP" then
      for _, part in pairs(calls.by_id) do part.functionCall.willContinue = nil end
      if calls.latest then calls.latest.functionCall.willContinue = nil end
    end
  end
end

-- Parts

-- Does a part continue the one before it? Text goes on, until it is signed.
local function continues(old, part)
  return old ~= nil and type(old.text) == "string" and type(part.text) == "string"
    and is_thought(old) == is_thought(part) and not rules.says(old.thoughtSignature)
end

-- Does a part say anything?
local function says_something(part)
  for key, value in pairs(part) do
    if key ~= "thought" and rules.says(value) then return true end
  end
  return false
end

local function add_part(self, candidate, part)
  if is_table(part.functionCall) then return add_call(self, candidate, part) end
  local parts = candidate.content.parts
  local last = parts[#parts]
  if not says_something(part) then return end
  if not continues(last, part) then
    parts[#parts + 1] = part
    return
  end
  for key, value in pairs(part) do
    if key == "text" then
      if value ~= "" then pieces.add(self.state, last, "text", value) end
    else
      rules.add_member(self.state, last, key, value)
    end
  end
end

-- Text that came in events which differ from another one in nothing else.
local function say(self, text)
  if text ~= "" then add_part(self, candidate_of(self, 0), { text = text }) end
end

-- Adds parts; 'own' is the text that the core found in them, nil if it found none in
-- this candidate.
local function add_parts(self, candidate, parts, own)
  local last
  for i = 1, #parts do
    local part = parts[i]
    if is_table(part) and type(part.text) == "string" and not is_thought(part) and own then last = i end
  end
  for i = 1, #parts do
    local part = parts[i]
    if is_table(part) then
      if last and type(part.text) == "string" and not is_thought(part) then
        if i == last then part.text = own else part.text, own = pieces.take(part.text, own) end
      end
      add_part(self, candidate, part)
    end
  end
end

local function add_candidate(self, item, position, own)
  local index = type(item.index) == "number" and item.index or position - 1
  local candidate = candidate_of(self, index)
  for key, value in pairs(item) do
    if key == "logprobsResult" and is_table(value) then -- of these parts
      rules.add_member(self.state, candidate, key, value)
    elseif key ~= "content" and key ~= "index" then
      rules.put_member(self.state, candidate, key, value, key ~= "citationMetadata")
    end
  end
  local content = item.content
  if not is_table(content) then return end
  for key, value in pairs(content) do
    if key ~= "parts" then rules.put_member(self.state, candidate.content, key, value) end
  end
  if is_table(content.parts) then add_parts(self, candidate, content.parts, index == 0 and own or nil) end
end

local function add_event(self, answer, said, own)
  for key, value in pairs(said) do
    if key ~= "candidates" then rules.put_member(self.state, answer, key, value, true) end
  end
  local list = said.candidates
  for i = 1, length(list) do
    if is_table(list[i]) then add_candidate(self, list[i], i, own) end
  end
end

local function finish(self, answer)
  if not self.candidates[1] then return rules.finish(self.state, answer) end
  answer.candidates = self.candidates
  finish_calls(self)
  elements.sort(self.candidates)
  for _, candidate in ipairs(self.candidates) do
    if not rules.says(candidate.content.role) then candidate.content.role = "model" end
  end
  return rules.finish(self.state, answer)
end

--- Returns the answer that the events amount to.
---@param text string  of candidate 0, as extracted by the core
---@param events table[]  {json, from, to}: those with more than text
---@param decode fun(json: string): any, boolean|nil
---@return table
function gemini.answer(text, events, decode)
  prepare()
  local self, answer, at = begin(), {}, 1
  for _, event in ipairs(events) do
    local said = pieces.decode(self.state, event[1], decode) or {}
    say(self, text:sub(at, event[2]))
    add_event(self, answer, said, text:sub(event[2] + 1, event[3]))
    at = event[3] + 1
  end
  say(self, text:sub(at))
  return finish(self, answer)
end

--- A complete answer is a chunk as it is.
---@param answer table
---@return table chunk
function gemini.chunk(answer)
  return answer
end

return gemini
