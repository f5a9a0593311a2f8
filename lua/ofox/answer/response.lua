--- Answers: the decoded JSON as received, plain to pairs, with methods by
-- metatable. A field of the answer takes precedence over a method of the same
-- name, except 'usage', which is both. No method raises, whatever a server sent.
-- Knows nothing of how an answer arrived.
local marks = require "ofox.base.native" "core".json_marks
local reading = require "ofox.answer.accessors"
local try = require "ofox.base.try"

local response = {}

-- What belongs to an answer besides its fields is stored in a metatable of its own,
-- under these keys: there it may refer to the answer (the program's hook may do so)
-- and is collected with it, which a weak table could not guarantee on Lua 5.1 and
-- LuaJIT.
local META, DECODER = {}, {}

-- The same for values that cannot have such a metatable.
local metas = setmetatable({}, { __mode = "k" })

---@class ofox.Response
local Response = {}

--- Returns the text of the answer: of the first choice of a chat, or of all output
-- texts of the Responses protocol. "" where there is none.
---@return string
function Response:output_text()
  return reading.text(self)
end

response.output_text = Response.output_text

--- Returns the model's reasoning, where the answer has it; else "".
---@param answer table
---@return string
response.reasoning = reading.reasoning

--- Returns why the answer ended: "stop", "length", "tool_calls" or
-- "content_filter", whatever the protocol calls it; else the server's own word. nil
-- where the answer does not say.
---@return string|nil
function Response:finish_reason()
  return reading.finish_reason(self)
end

--- Same as above for any answer, even one with a field of that name.
---@param answer any
---@return string|nil
response.finish_reason = Response.finish_reason

---@class ofox.Tokens
---@field input? number  including cached ones
---@field output? number  including reasoning
---@field total? number
---@field cached? number  of the input
---@field reasoning? number  of the output

--- Returns the tokens that the answer used, whatever the protocol calls them. nil
-- where it does not say. The field is still accessible: res.usage is what the
-- server sent, and can be called.
---@return ofox.Tokens|nil
function Response:usage()
  return reading.usage(self)
end

--- Same as above for any answer.
---@param answer any
---@return ofox.Tokens|nil
response.usage = Response.usage

local function decode(answer, text)
  local own = getmetatable(answer)
  return require "ofox.json".decode(text, own and own[DECODER])
end

local function string_or_nil(value)
  return type(value) == "string" and value or nil
end

local function tool_call(answer, found)
  local call, arguments = { id = string_or_nil(found.id), name = string_or_nil(found.name) }, found.arguments
  if type(arguments) == "string" then
    call.arguments_json = arguments
    if arguments:find("%S") then
      local value = decode(answer, arguments)
      if value ~= require "ofox.json".null then call.arguments = value end
    else
      call.arguments = {}
    end
  elseif type(arguments) == "table" then
    call.arguments = arguments
    call.arguments_json = require "ofox.json".encode(arguments)
  elseif call.name then
    call.arguments = {}
  end
  return call
end

--- Returns the tool calls that the model requests, in order; {} where there are
-- none. 'arguments' is decoded, {} where its text is blank, and nil if it is not
-- JSON; 'id' is what the tool's result must refer to.
---@return {id: string?, name: string?, arguments: any, arguments_json: string?}[]
function Response:tool_calls()
  local calls = reading.calls(self)
  for i = 1, #calls do calls[i] = tool_call(self, calls[i]) end
  return calls
end

response.tool_calls = Response.tool_calls

--- Decodes the text of the answer.
---@return any value  nil if the text is not JSON
---@return string|nil message
function Response:output_json()
  local text = Response.output_text(self)
  if not text:find("%S") then return nil, "the answer has no text" end
  local value, message = decode(self, text)
  if value == nil then return nil, "the text of the answer is not JSON: " .. message end
  return value
end

--- Returns what is known about the call apart from its answer: status, headers,
-- request_id, attempts, elapsed (seconds), ratelimit, retries, model_requested.
---@return table|nil
function Response:meta()
  return response.meta(self)
end

--- Same as above for any answer, even one with a field of that name; nil for other
-- values.
---@param answer any
---@return table|nil
function response.meta(answer)
  local own = getmetatable(answer)
  local meta = type(own) == "table" and rawget(own, META) or type(answer) == "table" and metas[answer]
  return meta and meta() or nil
end

-- The usage of an answer: what the server sent, callable as the method that it
-- hides.
local Usage = {}
function Usage.__call(own) return reading.tokens(own) end
local UsageList = { __call = Usage.__call }

local function make_callable(value)
  local usage = rawget(value, "usage")
  if usage == nil then return end
  if type(usage) ~= "table" then
    -- invalid in a model's answer; elsewhere it may have any meaning
    if not reading.dialect_of(value) then return end
    usage = { value = usage }
    rawset(value, "usage", usage)
  end
  local own = getmetatable(usage)
  if own == nil or marks[own] == "object" then
    setmetatable(usage, Usage)
  elseif marks[own] then
    marks[UsageList] = marks[own]
    setmetatable(usage, UsageList)
  end
end

local LINE = 120 -- bytes

-- The text of the answer, truncated to one line.
local function to_string(answer)
  local text = Response.output_text(answer):match("^%s*(.-)%s*$")
  local line = text:match("^[^\r\n]*")
  if #line > LINE then line = line:sub(1, LINE):gsub("[\192-\255][\128-\191]*$", "") end
  if line == "" then return "ofox.response without text" end
  return line == text and line or line .. " …"
end

--- Turns a decoded value into an answer. An empty list keeps its metatable: it has
-- its meta, but no methods.
---@param value any  a value that is not a table becomes {value = …}
---@param meta fun(): table  of the call; computed on first use
---@param decoder? fun(text: string): any  the program's own
---@return ofox.Response
function response.wrap(value, meta, decoder)
  if type(value) ~= "table" then value = { value = value } end
  make_callable(value)
  local own = getmetatable(value)
  local ours = {
    __index = Response, __tostring = to_string, __name = "ofox.response", [META] = meta, [DECODER] = decoder,
  }
  if own == nil then return setmetatable(value, ours) end
  -- the metatable marks an empty list as a list; a locked metatable is kept
  if marks[own] or not try(setmetatable, value, ours) then
    metas[value] = meta
  end
  return value
end

return response
