--- Whether a request has the parameters that it must have, of the documented
-- types. An empty array looks like an empty object here: neither is enough
-- where something must be said.
local null = require("cjson").null

local function is_list(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

local function is_messages(value)
  if type(value) ~= "table" or value[1] == nil then return false end
  for _, message in ipairs(value) do
    if type(message) ~= "table" then return false end
  end
  return true
end

local KINDS = {
  ["a string"] = function(value) return type(value) == "string" end,
  ["a number"] = function(value) return type(value) == "number" end,
  ["a boolean"] = function(value) return type(value) == "boolean" end,
  ["a file"] = function(value) return type(value) == "table" and value.filename ~= nil end,
  ["an object"] = function(value) return type(value) == "table" and value[1] == nil end,
  ["an array"] = is_list,
  ["an array of messages"] = is_messages,
  ["a string or an array"] = function(value)
    return type(value) == "string" or type(value) == "table" and value[1] ~= nil
  end,
}

local PARAMS = {
  { "model", "a string" },
  { "messages", "an array of messages" },
  { "contents", "an array of messages" },
  { "input", "a string or an array" },
  { "prompt", "a string" },
  { "file", "a file" },
  { "image", "a file" },
  { "max_tokens", "a number" },
  { "max_output_tokens", "a number" },
  { "temperature", "a number" },
  { "top_p", "a number" },
  { "frequency_penalty", "a number" },
  { "presence_penalty", "a number" },
  { "n", "a number" },
  { "dimensions", "a number" },
  { "stream", "a boolean" },
  { "tools", "an array" },
  { "response_format", "an object" },
  { "provider", "an object" },
}

--- What is wrong with a request; null counts as absent.
---@param params any  the decoded body
---@param required string  what must be there beside the model
---@return table|nil problem  message and param
return function(params, required)
  if type(params) ~= "table" then return { message = "The body is no JSON object." } end
  for _, row in ipairs(PARAMS) do
    local name, kind = row[1], row[2]
    local value = params[name]
    if value == nil or value == null then
      if name == "model" or name == required then
        return { message = ("Missing required parameter: '%s'."):format(name), param = name }
      end
    elseif not KINDS[kind](value) then
      return { message = ("Invalid type for '%s': expected %s."):format(name, kind), param = name }
    end
  end
end
