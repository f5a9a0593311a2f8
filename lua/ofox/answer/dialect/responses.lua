--- The Responses protocol: where members are in answers and in its events. The last event carries
-- the response; where that has less than what was streamed, or never arrived, the
-- streamed values count.
require "ofox.base.uncompiled" ()
local fields = require "ofox.answer.fields"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local responses = { typed = true }

local field, length = fields.get, fields.length

-- Answers

---@param answer table
---@return boolean
function responses.owns(answer)
  return type(field(answer, "output")) == "table"
end

local function output_text_of_part(part)
  return field(part, "type") == "output_text" and fields.as_text(field(part, "text")) or nil
end

-- The texts of the items of an output that have the given type, or any type.
local function texts_of_output(answer, kind, list, read)
  local output, texts = field(answer, "output"), {}
  for i = 1, length(output) do
    if kind == nil or field(output[i], "type") == kind then
      texts[#texts + 1] = fields.text_of(field(output[i], list), read)
    end
  end
  return table.concat(texts)
end

---@param answer table
---@return string
function responses.text(answer)
  return texts_of_output(answer, nil, "content", output_text_of_part)
end

---@param answer table
---@return string
function responses.reasoning(answer)
  local text = texts_of_output(answer, "reasoning", "content", fields.any_text)
  return text ~= "" and text or texts_of_output(answer, "reasoning", "summary", fields.any_text)
end

local CALLS = { function_call = "arguments", custom_tool_call = "input" }

---@param answer table
---@return table[]
function responses.calls(answer)
  local calls, output = {}, field(answer, "output")
  for i = 1, length(output) do
    local item = output[i]
    local member = CALLS[field(item, "type") or false]
    if member then
      calls[#calls + 1] = { id = fields.string_or_nil(field(item, "call_id")) or field(item, "id"),
        name = field(item, "name"), arguments = field(item, member) }
    end
  end
  return calls
end

---@param answer table
---@return string|nil
function responses.reason(answer)
  local status = fields.string_or_nil(field(answer, "status"))
  if status == "in_progress" or status == "queued" then return nil end
  local why = status == "incomplete" and field(field(answer, "incomplete_details"), "reason")
  return fields.string_or_nil(why) or status
end

-- Events

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

-- The targets of the events response.X.delta and response.X.done: a member of an
-- item ('item' is the type of an unannounced one), or of a part in one of its
-- lists, which the event selects by an index.
local CONTENT = { list = "content", index = "content_index", item = "message" }
local function of(where, part, member)
  return { list = where.list, index = where.index, item = where.item, part = part, member = member }
end
local ABOUT = {
  output_text = of(CONTENT, "output_text", "text"),
  refusal = of(CONTENT, "refusal", "refusal"),
  reasoning_text = of({ list = "content", index = "content_index", item = "reasoning" }, "reasoning_text", "text"),
  reasoning_summary_text = of({ list = "summary", index = "summary_index", item = "reasoning" }, "summary_text",
    "text"),
  function_call_arguments = { item = "function_call", member = "arguments" },
  mcp_call_arguments = { item = "mcp_call", member = "arguments" },
  custom_tool_call_input = { item = "custom_tool_call", member = "input" },
  code_interpreter_call_code = { item = "code_interpreter_call", member = "code" },
}

local PARTS = {
  content_part = { list = "content", index = "content_index", item = "message" },
  reasoning_summary_part = { list = "summary", index = "summary_index", item = "reasoning" },
}

local function is_table(value)
  return type(value) == "table"
end

-- Types that are streamed in pieces.
local STREAMED = { text = true, refusal = true, arguments = true, input = true, code = true }

local settle

local function settle_list(state, list, more)
  for i = 1, #more do
    local old, new = list[i], more[i]
    if is_table(old) and is_table(new) and old.type == new.type then
      settle(state, old, new)
    else
      list[i] = new
    end
  end
end

-- A complete value replaces the streamed one, unless it is shorter.
function settle(state, old, new)
  for key, value in pairs(new) do
    local was = old[key]
    if not says(value) then
      if was == nil and (value == "" or is_table(value)) then old[key] = value end
    elseif not says(was) then
      pieces.set(state, old, key, value)
    elseif is_table(was) and is_table(value) then
      local add = was[1] ~= nil and value[1] ~= nil and settle_list or settle
      add(state, was, value)
    elseif not is_table(was) and not is_table(value) then
      local less = STREAMED[key] and type(value) == "string" and #value < pieces.length(state, old, key)
      if not less then pieces.set(state, old, key, value) end
    end
  end
end

-- One answer being built.
local function begin()
  return {
    state = pieces.begin(), answer = {},
    items = {}, index_of = {}, -- in order of arrival; item -> output_index
    slots = {}, -- list of parts -> index -> part
    by_index = {}, by_id = {},
    loose = {}, -- by type: an item whose index and id are unknown yet
    part = nil, -- the part that text is appended to
  }
end

local function number(value)
  return tonumber(type(value) == "string" and value or type(value) == "number" and value or nil)
end

local function note(self, item, index)
  if index and not self.index_of[item] then self.index_of[item] = index end
  if index then self.by_index[index] = item end
  if says(item.id) then self.by_id[item.id] = item end
end

local function add_item(self, item, index)
  self.items[#self.items + 1] = item
  note(self, item, index)
  return item
end

-- Returns the item with that index and id, if any. For a complete item, one with
-- the same index is an earlier snapshot, whatever its id.
local function find_item(self, index, id, whole)
  if not says(id) then id = nil end
  local item = id ~= nil and self.by_id[id]
  if item and (whole or index == nil or self.index_of[item] == nil or self.index_of[item] == index) then return item end
  item = index and self.by_index[index]
  if not item then return nil end
  if whole then return (whole.type == nil or item.type == nil or whole.type == item.type) and item or nil end
  return (id == nil or not says(item.id) or item.id == id) and item or nil
end

-- Returns the item of that type that was created before its index or id was known.
local function take_loose(self, type_, index, id)
  local item = self.loose[type_ or "message"]
  if not item or index == nil and not says(id) then return item end
  self.loose[type_ or "message"] = nil
  if says(id) and not says(item.id) then item.id = id end
  note(self, item, index)
  return item
end

-- Returns the item that an event refers to; creates it if it was not announced.
local function item_of(self, said, type_)
  local index, id = number(said.output_index), said.item_id
  local item = find_item(self, index, id) or take_loose(self, type_, index, id)
  if item then return item end
  local loose = index == nil and not says(id)
  local last = self.items[#self.items]
  if loose and last and last.type == type_ then return last end
  item = { type = type_, role = type_ == "message" and "assistant" or nil, id = says(id) and id or nil }
  if loose then self.loose[type_] = item end
  return add_item(self, item, index)
end

-- Returns the part at that index in a list of an item; creates it if new.
local function part_of(self, item, about, said)
  if not is_table(item[about.list]) then item[about.list] = {} end
  local list, at = item[about.list], number(said[about.index])
  local slots = self.slots[list] or {}
  self.slots[list] = slots
  local part = slots[at or "last"] or at and list[at + 1]
  if not is_table(part) then
    part = { type = about.part, [about.member or "type"] = about.member and "" or about.part }
    list[#list + 1] = part
  end
  slots[at or "last"], slots.last = part, part
  return part
end

-- Where an event's delta is appended, or its complete value stored.
local function target(self, about, said)
  local item = item_of(self, said, about.item)
  if not about.list then return item end
  local part = part_of(self, item, about, said)
  if about.part == "output_text" then self.part = part end
  return part
end

local function add_text(self, text)
  if text == "" then return end
  local part = self.part or target(self, ABOUT.output_text, {})
  rules.add_member(self.state, part, "text", text)
end

local function add_part(self, about, said)
  if not is_table(said.part) then return end
  local item = item_of(self, said, said.part.type == "reasoning_text" and "reasoning" or about.item)
  local part = part_of(self, item, { list = about.list, index = about.index, part = said.part.type }, said)
  settle(self.state, part, said.part)
  if part.type == "output_text" then self.part = part end
end

local function add_announced(self, said)
  if not is_table(said.item) then return end
  local index = number(said.output_index)
  local done = said.type:find("done$") ~= nil
  local item = find_item(self, index, said.item.id, done and said.item or nil)
    or take_loose(self, said.item.type, index, said.item.id)
  if item then
    settle(self.state, item, said.item)
    note(self, item, index)
  else
    item = add_item(self, said.item, index)
  end
  if item.type == "message" and not done then self.part = nil end
end

local function add_annotation(self, said)
  if not is_table(said.annotation) then return end
  local part = target(self, ABOUT.output_text, said)
  if not is_table(part.annotations) then part.annotations = {} end
  local at = number(said.annotation_index)
  local known = at and at >= 0 and at < #part.annotations
  if not known then part.annotations[#part.annotations + 1] = said.annotation end
end

-- The output of a response as the event has it.
local function add_output(self, output)
  for i = 1, #output do
    local item = output[i]
    if is_table(item) then
      local old = find_item(self, i - 1, item.id, item) or take_loose(self, item.type, i - 1, item.id)
      if old then
        settle(self.state, old, item)
        note(self, old, i - 1)
      else
        add_item(self, item, i - 1)
      end
    end
  end
end

-- Adds an event; 'own' is the text that the core found in it, nil if it found
-- none in any event.
local function add_event(self, said, own)
  local kind = type(said.type) == "string" and said.type or ""
  local subject, what = kind:match("^response%.(.+)%.(%a+)$")
  local about = ABOUT[subject]
  if is_table(said.response) then
    local output = said.response.output
    said.response.output = nil
    rules.put(self.state, self.answer, said.response, true)
    if is_table(output) then add_output(self, output) end
  elseif subject == "output_item" then
    add_announced(self, said)
  elseif PARTS[subject] then
    add_part(self, PARTS[subject], said)
  elseif subject == "output_text.annotation" then
    add_annotation(self, said)
  elseif about and what == "delta" then
    local part = target(self, about, said)
    local text = subject == "output_text" and own or said.delta
    if type(text) == "string" then rules.add_member(self.state, part, about.member, text) end
    if is_table(said.logprobs) then rules.add_member(self.state, part, "logprobs", said.logprobs) end
  elseif about and what == "done" and type(said[about.member]) == "string" then
    settle(self.state, target(self, about, said), { [about.member] = said[about.member] })
  end
end

local function finish(self)
  local answer, keys = self.answer, {}
  local last = -1
  for i, item in ipairs(self.items) do
    last = self.index_of[item] or last
    keys[i] = { index = last, item = item }
  end
  answer.output = json.array()
  for i, key in ipairs(elements.sort(keys)) do answer.output[i] = key.item end
  return rules.finish(self.state, answer)
end

--- Returns the response that the events amount to.
---@param text string  of all its output texts, as extracted by the core
---@param events table[]  {json, from, to, name}: those with more than text
---@param decode fun(json: string): any, boolean|nil
---@return table
function responses.answer(text, events, decode)
  prepare()
  local self, at = begin(), 1
  for _, event in ipairs(events) do
    local said = pieces.decode(self.state, event[1], decode) or {}
    if said.object == "response" or not says(said.type or event[4]) and is_table(said.output) then
      return pieces.join(self.state, said)
    end
    if not says(said.type) then said.type = event[4] end
    add_text(self, text:sub(at, event[2]))
    add_event(self, said, text ~= "" and text:sub(event[2] + 1, event[3]) or nil)
    at = event[3] + 1
  end
  add_text(self, text:sub(at))
  return finish(self)
end

local ENDS = { incomplete = true, failed = true }

--- Converts a complete response into the event that ends its stream.
---@param answer table
---@return table event
function responses.chunk(answer)
  return { type = "response." .. (ENDS[answer.status] and answer.status or "completed"), response = answer }
end

return responses
