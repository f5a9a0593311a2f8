--- Reads answers of any protocol: text, tool calls, finish reason, tokens. Fields
-- sent by a server may be of any type, and nothing here raises. Knows nothing of
-- how an answer arrived, or of its methods.
require "ofox.base.uncompiled" ()
local json = require "ofox.json"

local reading = {}

local function field(value, key)
  if type(value) ~= "table" then return nil end
  return rawget(value, key)
end

local function length(value)
  return type(value) == "table" and #value or 0
end

local function string_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function number_or_nil(value)
  if type(value) ~= "number" or value ~= value or value == math.huge or value < 0 then return nil end
  return value
end

-- Texts

local function as_text(value)
  if type(value) == "number" then return json.encode(value) end
  return type(value) == "string" and value or nil
end

local TEXT_TYPES = { text = true, output_text = true, [""] = true }

--- Returns the text of a content part: a string, a number, or a table with it in
-- 'text'. nil for any other part.
---@param part any
---@return string|nil
function reading.text_of_part(part)
  if type(part) ~= "table" then return as_text(part) end
  local kind = field(part, "type")
  if kind ~= nil and not TEXT_TYPES[kind] then return nil end
  return as_text(field(part, "text"))
end

-- Text of a content: a single part, or the text parts of a list.
local function text_of(content, read)
  read = read or reading.text_of_part
  local texts = {}
  if length(content) == 0 then return read(content) or "" end
  for i = 1, #content do texts[#texts + 1] = read(content[i]) end
  return table.concat(texts)
end

local function choice_of(answer)
  return field(field(answer, "choices"), 1)
end

local function message_of(answer)
  return field(choice_of(answer), "message")
end

local function output_text_of_part(part)
  return field(part, "type") == "output_text" and as_text(field(part, "text")) or nil
end

-- The texts of the items of an output that have the given type, or any type.
local function texts_of_output(answer, kind, list, read)
  local output, texts = field(answer, "output"), {}
  for i = 1, length(output) do
    if kind == nil or field(output[i], "type") == kind then
      texts[#texts + 1] = text_of(field(output[i], list), read)
    end
  end
  return table.concat(texts)
end

--- Returns the text of an answer; "" where there is none.
---@param answer any
---@return string
function reading.text(answer)
  local message = message_of(answer)
  if message ~= nil then return text_of(field(message, "content")) end
  local output, text = field(answer, "output"), field(answer, "text")
  if output == nil and type(text) == "string" then return text end -- a transcript
  return texts_of_output(answer, nil, "content", output_text_of_part)
end

-- A reasoning part has its text in a member, or in a list of parts.
local function thought_of_part(part)
  local kind = field(part, "type")
  if kind == "thinking" then return text_of(field(part, "thinking")) end
  if kind == "reasoning" or kind == "reasoning_text" or kind == "summary_text" then
    return as_text(field(part, "text"))
  end
  return nil
end

local function any_text(part)
  return as_text(field(part, "text"))
end

--- Returns the model's reasoning; "" where the answer has none.
---@param answer any
---@return string
function reading.reasoning(answer)
  local message = message_of(answer)
  for _, name in ipairs { "reasoning_content", "reasoning" } do
    local text = text_of(field(message, name), function(part) return reading.text_of_part(part) or any_text(part) end)
    if text ~= "" then return text end
  end
  if message ~= nil then
    local content = field(message, "content")
    return type(content) == "table" and text_of(content, thought_of_part) or ""
  end
  local text = texts_of_output(answer, "reasoning", "content", any_text)
  return text ~= "" and text or texts_of_output(answer, "reasoning", "summary", any_text)
end

-- Calls

local function chat_calls(message, calls)
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
end

local CALLS = { function_call = "arguments", custom_tool_call = "input" }

--- Returns the tool calls of an answer, with their members as the server sent them.
---@param answer any
---@return {id: any, name: any, arguments: any}[]
function reading.calls(answer)
  local calls, output = {}, field(answer, "output")
  chat_calls(message_of(answer), calls)
  for i = 1, length(output) do
    local item = output[i]
    local member = CALLS[field(item, "type") or false]
    if member then
      calls[#calls + 1] = { id = string_or_nil(field(item, "call_id")) or field(item, "id"),
        name = field(item, "name"), arguments = field(item, member) }
    end
  end
  return calls
end

-- Finish reason

local REASONS = {}
for reason, words in pairs {
  stop = "stop eos eos_token end_turn stop_sequence stop_token completed complete end",
  length = "length max_tokens max_output_tokens max_length model_length token_limit model_context_window_exceeded",
  tool_calls = "tool_calls tool_call function_call function_calls tool_use",
  content_filter = "content_filter content_filtered safety refusal recitation blocklist prohibited_content spii "
    .. "image_safety sensitive guardrail_intervened",
} do
  for word in words:gmatch("%S+") do REASONS[word] = reason end
end

-- The server's own word for it.
local function reason_of(answer)
  local status = string_or_nil(field(answer, "status"))
  if type(field(answer, "output")) == "table" and status then
    if status == "in_progress" or status == "queued" then return nil end
    return status == "incomplete" and string_or_nil(field(field(answer, "incomplete_details"), "reason")) or status
  end
  return string_or_nil(field(choice_of(answer), "finish_reason")) or string_or_nil(field(answer, "stop_reason"))
    or string_or_nil(field(field(field(answer, "candidates"), 1), "finishReason"))
end

--- Returns why an answer ended: one word for all protocols; else the server's
-- own, or nil.
---@param answer any
---@return string|nil
function reading.finish_reason(answer)
  local word = reason_of(answer)
  local reason = word and REASONS[word:lower()]
  -- some protocols and servers say "stop" and still want a call
  if reason == "stop" and reading.calls(answer)[1] then return "tool_calls" end
  return reason or word
end

-- Tokens

-- The first of these members that is a count; "a.b" is member b of a.
local function count(usage, ...)
  for i = 1, select("#", ...) do
    local value = usage
    for name in select(i, ...):gmatch("[^.]+") do value = field(value, name) end
    if number_or_nil(value) then return value end
  end
  return nil
end

local function sum(a, b)
  if a and b then return a + b end
  return a or b
end

-- Anthropic counts cached tokens separately from input, Gemini counts thoughts
-- separately from output.
local function beside(usage)
  local cache
  if field(usage, "prompt_tokens") == nil and field(usage, "input_tokens_details") == nil then
    cache = sum(count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens"))
  end
  return sum(cache, count(usage, "toolUsePromptTokenCount")), count(usage, "thoughtsTokenCount")
end

--- Reads a usage object of any protocol; nil if it has no counts.
---@param usage any
---@return ofox.Tokens|nil
function reading.tokens(usage)
  local more_input, more_output = beside(usage)
  local tokens = {
    input = sum(count(usage, "prompt_tokens", "input_tokens", "promptTokenCount"), more_input),
    output = sum(count(usage, "completion_tokens", "output_tokens", "candidatesTokenCount"), more_output),
    total = count(usage, "total_tokens", "totalTokenCount"),
    cached = count(usage, "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
      "cache_read_input_tokens", "cachedContentTokenCount", "prompt_cache_hit_tokens"),
    reasoning = count(usage, "completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens",
      "thoughtsTokenCount"),
  }
  if not tokens.total and tokens.input and tokens.output then tokens.total = tokens.input + tokens.output end
  return next(tokens) ~= nil and tokens or nil
end

--- Returns the tokens that the answer used; nil where it does not say.
---@param answer any
---@return ofox.Tokens|nil
function reading.usage(answer)
  local usage = field(answer, "usage")
  if usage == nil then usage = field(answer, "usageMetadata") end
  return reading.tokens(usage)
end

return reading
