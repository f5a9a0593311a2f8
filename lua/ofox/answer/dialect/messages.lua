--- Anthropic's Messages protocol: where members are in answers and in its events. A
-- message is a list of blocks; events open, fill and close them.
require "ofox.base.uncompiled" ()
local fields = require "ofox.answer.fields"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local messages = { typed = true }

local field, length = fields.get, fields.length

local function is_table(value)
  return type(value) == "table"
end

-- Answers

---@param answer table
---@return boolean
function messages.owns(answer)
  return is_table(field(answer, "content"))
    and (field(answer, "type") == "message" or field(answer, "stop_reason") ~= nil or field(answer, "role") ~= nil)
end

-- The member of all blocks of a type.
local function texts_of(answer, kind, member)
  local content, texts = field(answer, "content"), {}
  for i = 1, length(content) do
    if field(content[i], "type") == kind then texts[#texts + 1] = fields.as_text(field(content[i], member)) end
  end
  return table.concat(texts)
end

---@param answer table
---@return string
function messages.text(answer)
  return texts_of(answer, "text", "text")
end

---@param answer table
---@return string
function messages.reasoning(answer)
  return texts_of(answer, "thinking", "thinking")
end

---@param answer table
---@return table[]
function messages.calls(answer)
  local content, calls = field(answer, "content"), {}
  for i = 1, length(content) do
    local block = content[i]
    if field(block, "type") == "tool_use" then
      calls[#calls + 1] = { id = field(block, "id"), name = field(block, "name"), arguments = field(block, "input") }
    end
  end
  return calls
end

---@param answer table
---@return string|nil
function messages.reason(answer)
  return fields.string_or_nil(field(answer, "stop_reason"))
end

-- Events

-- Loaded with the first events that are put together.
local elements, pieces, rules
local function prepare()
  elements = elements or reserve.require "ofox.answer.elements"
  pieces = pieces or reserve.require "ofox.answer.pieces"
  rules = rules or reserve.require "ofox.answer.accumulate"
end

-- One answer being built.
local function begin()
  return {
    state = pieces.begin(), answer = {},
    blocks = {}, by_index = {}, -- in order of arrival; the latest with that index
    index_of = {}, -- block -> index
    inputs = {}, -- block -> {json = its input in pieces}
    spoken = nil, -- the index of the block whose text came last
  }
end

local function index_in(said)
  return elements.index(said)
end

local function add_block(self, index, block)
  self.blocks[#self.blocks + 1] = block
  if index ~= nil then self.by_index[index], self.index_of[block] = block, index end
  return block
end

-- Returns the block that an event is about; creates one that was not announced.
local function block_of(self, said, kind)
  local index = index_in(said)
  local block
  if index ~= nil then block = self.by_index[index] else block = self.blocks[#self.blocks] end
  return block or add_block(self, index, { type = kind })
end

local function add_text(self, block, text)
  if text ~= "" then rules.add_member(self.state, block, "text", text) end
end

-- Text that came in events which differ from another one in nothing else.
local function say(self, text)
  if text == "" then return end
  add_text(self, block_of(self, { index = self.spoken }, "text"), text)
end

local KINDS = {
  text_delta = "text", thinking_delta = "thinking", signature_delta = "thinking", input_json_delta = "tool_use",
  citations_delta = "text",
}

local function add_input(self, block, piece)
  if type(piece) ~= "string" then return end
  self.inputs[block] = self.inputs[block] or {}
  rules.add_member(self.state, self.inputs[block], "json", piece)
end

-- Adds a delta; 'own' is the text that the core found in it.
local function add_delta(self, said, own)
  local delta = said.delta
  if not is_table(delta) then return end
  local kind = delta.type or "text_delta"
  local block = block_of(self, said, KINDS[kind])
  if kind == "text_delta" then
    self.spoken = index_in(said)
    add_text(self, block, own)
    delta.text = nil
  elseif kind == "input_json_delta" then
    add_input(self, block, delta.partial_json)
    delta.partial_json = nil
  elseif kind == "citations_delta" and is_table(delta.citation) then
    if not is_table(block.citations) then block.citations = {} end
    block.citations[#block.citations + 1] = delta.citation
    delta.citation = nil
  end
  delta.type, delta.estimated_tokens = nil, nil -- of what was said, no part of it
  rules.add(self.state, block, delta)
end

-- Adds a block that begins, with what it has by then.
local function add_start(self, said, own)
  local block = said.content_block
  if not is_table(block) then return end
  if block.type == "text" then block.text = "" end
  add_block(self, index_in(said), block)
  if own ~= "" then add_text(self, block, own) end
  -- another model goes on
  local model = block.type == "fallback" and fields.string_or_nil(field(block.to, "model"))
  if model then self.answer.model = model end
end

local function add_message(self, message)
  local content = message.content
  message.content = nil
  rules.put(self.state, self.answer, message, true)
  for i = 1, length(content) do
    if is_table(content[i]) then add_block(self, i - 1, content[i]) end
  end
end

local OF_EVENT = { type = true, index = true, delta = true, content_block = true, message = true }

-- What stands beside a delta of the message: its usage.
local function add_rest(self, said)
  for key, value in pairs(said) do
    if not OF_EVENT[key] then rules.put_member(self.state, self.answer, key, value, true) end
  end
end

local function add_event(self, said, own)
  local kind = said.type
  if kind == "message_start" and is_table(said.message) then
    add_message(self, said.message)
  elseif kind == "content_block_start" then
    add_start(self, said, own)
  elseif kind == "content_block_delta" then
    add_delta(self, said, own)
  elseif kind == "message_delta" then
    if is_table(said.delta) then rules.put(self.state, self.answer, said.delta, true) end
    add_rest(self, said)
  elseif kind == "message_stop" then
    add_rest(self, said)
  end
end

local CALLS = { tool_use = true, server_tool_use = true, mcp_tool_use = true }

-- Decodes the inputs that came in pieces: text that is no JSON stays as it is. A call
-- of which none was said has an empty one.
local function finish_inputs(self, decode)
  local state = self.state
  for block, input in pairs(self.inputs) do
    local text = pieces.so_far(state, input, "json")
    if text:find("%S") then
      local value = decode(text)
      if type(value) == "table" then pieces.set(state, block, "input", value) else block.input = text end
    end
  end
  for _, block in ipairs(self.blocks) do
    if CALLS[block.type] and not rules.says(block.input) then block.input = json.object() end
  end
end

local function finish(self, decode)
  local answer, keys, last = self.answer, {}, -1
  finish_inputs(self, decode)
  for i, block in ipairs(self.blocks) do
    local index = self.index_of[block]
    last = type(index) == "number" and index or last
    keys[i] = { index = last, block = block }
  end
  answer.content = json.array()
  for i, key in ipairs(elements.sort(keys)) do answer.content[i] = key.block end
  if not rules.says(answer.type) then answer.type = "message" end
  if not rules.says(answer.role) then answer.role = "assistant" end
  return rules.finish(self.state, answer)
end

--- Returns the message that the events amount to.
---@param text string  of its text blocks, as extracted by the core
---@param events table[]  {json, from, to, name}: those with more than text
---@param decode fun(json: string): any, boolean|nil
---@return table
function messages.answer(text, events, decode)
  prepare()
  local self, at = begin(), 1
  for _, event in ipairs(events) do
    local said = pieces.decode(self.state, event[1], decode) or {}
    said.type = fields.string_or_nil(said.type) or event[4]
    if messages.owns(said) then return pieces.join(self.state, said) end
    say(self, text:sub(at, event[2]))
    add_event(self, said, text:sub(event[2] + 1, event[3]))
    at = event[3] + 1
  end
  say(self, text:sub(at))
  return finish(self, decode)
end

--- Converts a complete message into a chunk: one of its text, with the message beside
-- it.
---@param answer table
---@return table chunk
function messages.chunk(answer)
  local text = messages.text(answer)
  if text == "" then return { type = "message_start", message = answer } end
  return { type = "content_block_delta", index = 0, delta = { type = "text_delta", text = text }, message = answer }
end

return messages
