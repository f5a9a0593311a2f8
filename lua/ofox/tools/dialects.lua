--- What tools look like in each protocol: how one is described to the model, and how
-- a turn of the model and the results of its calls become part of the conversation.
-- Knows nothing of how tools run.
require "ofox.base.uncompiled" ()
local chat = require "ofox.resources.chat"
local messages = require "ofox.resources.messages"
local responses = require "ofox.resources.responses"

--- A protocol. The functions return items of its conversation, or of its tools.
---@class ofox.ToolDialect
---@field resource table  what is requested
---@field list string  the name of the conversation in the params
---@field words string|nil  the role of a conversation that is given as a string
---@field described fun(name: string, fields: table): table  'fields' is a new table
---@field turn fun(answer: table): table[]
---@field results fun(answer: table, results: ofox.ToolResult[]): table[]

---@class ofox.ToolResult
---@field call table  of response.tool_calls
---@field text string
---@field failed boolean

local function field(value, key)
  if type(value) ~= "table" then return nil end
  return rawget(value, key)
end

local function message_of(answer)
  return field(field(field(answer, "choices"), 1), "message")
end

local function with_role(message)
  if message.role ~= nil then return message end
  local out = { role = "assistant" }
  for key, value in next, message do out[key] = value end
  return out
end

local dialects = {}

dialects.chat = {
  resource = chat,
  list = "messages",
  described = function(name, fields)
    fields.name = name
    return { type = "function", ["function"] = fields }
  end,
  turn = function(answer)
    local message = message_of(answer)
    return type(message) == "table" and { with_role(message) } or {}
  end,
  results = function(answer, results)
    local items = {}
    -- function_call, the predecessor of tool_calls, has no id
    local is_old = field(field(message_of(answer), "tool_calls"), 1) == nil
    for i, result in ipairs(results) do
      local call = result.call
      items[i] = is_old and { role = "function", name = call.name, content = result.text }
        or { role = "tool", tool_call_id = call.id, content = result.text }
    end
    return items
  end,
}

-- The calls of an answer whose results need another type: by id.
local function custom_calls(answer)
  local known, output = {}, field(answer, "output")
  for i = 1, type(output) == "table" and #output or 0 do
    local id = field(output[i], "call_id")
    if field(output[i], "type") == "custom_tool_call" and id ~= nil then known[id] = true end
  end
  return known
end

dialects.responses = {
  resource = responses,
  list = "input",
  words = "user",
  described = function(name, fields)
    fields.type, fields.name = "function", name
    return fields
  end,
  turn = function(answer)
    local items, output = {}, field(answer, "output")
    for i = 1, type(output) == "table" and #output or 0 do items[i] = output[i] end
    return items
  end,
  results = function(answer, results)
    local items, custom = {}, custom_calls(answer)
    for i, result in ipairs(results) do
      local id = result.call.id
      items[i] = { type = custom[id or false] and "custom_tool_call_output" or "function_call_output", call_id = id,
        output = result.text }
    end
    return items
  end,
}

dialects.messages = {
  resource = messages,
  list = "messages",
  described = function(name, fields)
    -- a tool without a schema takes no arguments, and has to say so
    fields.name, fields.input_schema = name, fields.parameters or { type = "object" }
    fields.parameters = nil
    return fields
  end,
  turn = function(answer)
    local content = field(answer, "content")
    if type(content) ~= "table" or content[1] == nil then return {} end -- a message without blocks is refused
    return { { role = "assistant", content = content } }
  end,
  results = function(_, results)
    local blocks = {}
    for i, result in ipairs(results) do
      blocks[i] = { type = "tool_result", tool_use_id = result.call.id, content = result.text,
        is_error = result.failed or nil }
    end
    return { { role = "user", content = blocks } }
  end,
}

return dialects
