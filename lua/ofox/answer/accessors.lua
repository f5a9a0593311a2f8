--- Reads answers of any protocol: text, tool calls, finish reason, tokens. Where
-- they are is known to the file of its dialect. Fields sent by a server may be of any
-- type, and nothing here raises. Knows nothing of how an answer arrived, or of its
-- methods.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local fields = require "ofox.answer.fields"
local reserve = require "ofox.base.reserve"

local reading = {}

local field = fields.get

local function number_or_nil(value)
  if type(value) ~= "number" or value ~= value or value == math.huge or value < 0 then return nil end
  return value
end

local loaded = {} -- by name; each is loaded when it is needed

--- Returns the dialect of that name.
---@param name string
---@return ofox.Dialect|nil  nil: it has no rules
function reading.dialect(name)
  local dialect = loaded[name]
  if not dialect and name ~= "any" then
    dialect = reserve.one_of("answer.dialect", name)
    loaded[name] = dialect
  end
  return dialect
end

--- Returns the dialect that an answer is in.
---@param answer any
---@return ofox.Dialect|nil
function reading.dialect_of(answer)
  if type(answer) ~= "table" then return nil end
  for _, name in ipairs(core.dialects) do
    local dialect = loaded[name] or reading.dialect(name)
    if dialect.owns(answer) then return dialect end
  end
  return nil
end

--- What each lua/ofox/answer/dialect/*.lua returns.
---@class ofox.Dialect
---@field owns fun(answer: table): boolean  is an answer in this dialect?
---@field text fun(answer: table): string  "" where there is none
---@field reasoning fun(answer: table): string  "" where there is none
---@field calls fun(answer: table): {id: any, name: any, arguments: any}[]  as the server sent them
---@field reason fun(answer: table): string|nil  the server's word for why it ended
---@field answer fun(text: string, events: table[], decode: function): table  what events amount to
---@field chunk fun(answer: table): table  a whole answer in the shape of a chunk
---@field typed? boolean  the name of an event stands for a type that it lacks

--- Returns the text of an answer; "" where there is none.
---@param answer any
---@return string
function reading.text(answer)
  local dialect = reading.dialect_of(answer)
  if dialect then return dialect.text(answer) end
  local text = field(answer, "text")
  return type(text) == "string" and text or "" -- a transcript
end

--- Returns the model's reasoning; "" where the answer has none.
---@param answer any
---@return string
function reading.reasoning(answer)
  local dialect = reading.dialect_of(answer)
  return dialect and dialect.reasoning(answer) or ""
end

--- Returns the tool calls of an answer, with their members as the server sent them.
---@param answer any
---@return {id: any, name: any, arguments: any}[]
function reading.calls(answer)
  local dialect = reading.dialect_of(answer)
  return dialect and dialect.calls(answer) or {}
end

-- Finish reason

local REASONS = {}
for reason, words in pairs {
  stop = "stop eos eos_token end_turn stop_sequence stop_token completed complete end",
  length = "length max_tokens max_output_tokens max_length model_length token_limit model_context_window_exceeded",
  tool_calls = "tool_calls tool_call function_call function_calls tool_use",
  content_filter = "content_filter content_filtered safety refusal recitation blocklist prohibited_content spii "
    .. "image_safety image_prohibited_content image_recitation sensitive guardrail_intervened",
} do
  for word in words:gmatch("%S+") do REASONS[word] = reason end
end

--- Returns the server's own word for why an answer ended, or nil.
---@param answer any
---@return string|nil
function reading.reason(answer)
  local dialect = reading.dialect_of(answer)
  return dialect and dialect.reason(answer) or nil
end

--- Returns why an answer ended: one word for all protocols; else the server's
-- own, or nil.
---@param answer any
---@return string|nil
function reading.finish_reason(answer)
  local word = reading.reason(answer)
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

--- Returns what an answer says about the tokens that it used, as the server sent it.
---@param answer any
---@return any
function reading.raw_usage(answer)
  for _, name in ipairs(core.usages) do
    local usage = field(answer, name)
    if usage ~= nil then return usage end
  end
  return nil
end

--- Returns the tokens that the answer used; nil where it does not say.
---@param answer any
---@return ofox.Tokens|nil
function reading.usage(answer)
  return reading.tokens(reading.raw_usage(answer))
end

return reading
