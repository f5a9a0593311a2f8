--- Answers: the decoded JSON as it came, plain to pairs, with methods by
-- metatable. A field of the answer wins over a method of the same name.
-- Knows nothing of how an answer came.
local try = require "ofox.try"

local response = {}

-- What belongs to an answer beside its fields stands in a metatable of its
-- own, under these keys: there it may refer to the answer (a hook that the
-- program gave may do so) and is collected with it, which a weak table could
-- not promise on Lua 5.1 and LuaJIT.
local META, DECODER = {}, {}

-- The same for those that cannot have such a metatable.
local metas = setmetatable({}, { __mode = "k" })

---@class ofox.Response
local Response = {}

-- Fields of what a server sent may be of any type.
local function field(value, key)
  if type(value) ~= "table" then return nil end
  return rawget(value, key)
end

local function length(value)
  return type(value) == "table" and #value or 0
end

-- Text of a content: a string, or the parts of a list that are text.
local function text_of(content)
  if type(content) == "string" then return content end
  local parts = {}
  for i = 1, length(content) do
    local part = content[i]
    local text = type(part) == "string" and part or field(part, "text")
    if type(text) == "string" then parts[#parts + 1] = text end
  end
  return table.concat(parts)
end

local function message_of(answer)
  return field(field(field(answer, "choices"), 1), "message")
end

--- The text of the answer: of the first choice of a chat, or of all output
-- texts of the Responses protocol. "" where there is none.
---@return string
function Response:output_text()
  local message = message_of(self)
  if message ~= nil then return text_of(field(message, "content")) end
  local output, parts = field(self, "output"), {}
  for i = 1, length(output) do
    local content = field(output[i], "content")
    for j = 1, length(content) do
      local part = content[j]
      local text = field(part, "text")
      if field(part, "type") == "output_text" and type(text) == "string" then
        parts[#parts + 1] = text
      end
    end
  end
  return table.concat(parts)
end

response.output_text = Response.output_text

local function decode(answer, text)
  local own = getmetatable(answer)
  return require "ofox.json".decode(text, own and own[DECODER])
end

local function tool_call(answer, id, name, arguments)
  local call = { id = id, name = name }
  if type(arguments) == "string" then
    local value = decode(answer, arguments)
    if value ~= require "ofox.json".null then call.arguments = value end
    call.arguments_json = arguments
  elseif type(arguments) == "table" then
    call.arguments = arguments
    call.arguments_json = require "ofox.json".encode(arguments)
  end
  return call
end

local function string_or_nil(value)
  return type(value) == "string" and value or nil
end

--- The tools that the model wants called, in order; {} where there are none.
-- 'arguments' is decoded, and nil if it is no JSON; 'id' is what the tool's
-- result must name.
---@return {id: string?, name: string?, arguments: any, arguments_json: string?}[]
function Response:tool_calls()
  local calls = {}
  local list = field(message_of(self), "tool_calls")
  for i = 1, length(list) do
    local item = list[i]
    local what = field(item, "function") or field(item, "custom")
    if type(what) == "table" then
      calls[#calls + 1] = tool_call(self, string_or_nil(field(item, "id")), string_or_nil(what.name),
        what.arguments or what.input)
    end
  end
  local output = field(self, "output")
  for i = 1, length(output) do
    local item = output[i]
    if field(item, "type") == "function_call" then
      local id = string_or_nil(item.call_id) or string_or_nil(item.id)
      calls[#calls + 1] = tool_call(self, id, string_or_nil(item.name), item.arguments)
    end
  end
  return calls
end

response.tool_calls = Response.tool_calls

--- Decodes the text of the answer.
---@return any value  nil if the text is no JSON
---@return string|nil message
function Response:output_json()
  local text = Response.output_text(self)
  if not text:find("%S") then return nil, "the answer has no text" end
  local value, message = decode(self, text)
  if value == nil then return nil, "the text of the answer is not JSON: " .. message end
  return value
end

--- What is known about the call beside its answer: status, headers,
-- request_id, attempts, elapsed (seconds), ratelimit, retries,
-- model_requested.
---@return table|nil
function Response:meta()
  return response.meta(self)
end

--- The same for any answer, also one with a field of that name; nil for
-- other values.
---@param answer any
---@return table|nil
function response.meta(answer)
  local own = getmetatable(answer)
  local meta = type(own) == "table" and rawget(own, META) or type(answer) == "table" and metas[answer]
  return meta and meta() or nil
end

--- Makes a decoded value an answer. An empty list stays what it is: it has
-- its meta, but no methods.
---@param value any  what is no table becomes {value = …}
---@param meta fun(): table  of the call; made when it is asked for
---@param decoder? fun(text: string): any  the program's own
---@return ofox.Response
function response.wrap(value, meta, decoder)
  if type(value) ~= "table" then value = { value = value } end
  local own = getmetatable(value)
  local ours = { __index = Response, __name = "ofox.response", [META] = meta, [DECODER] = decoder }
  if own == nil then return setmetatable(value, ours) end
  -- the mark of an empty list says what it is; a locked metatable stays
  if require "ofox.native" "core".json_marks[own] or not try(setmetatable, value, ours) then
    metas[value] = meta
  end
  return value
end

return response
