--- Bodies of requests: from the program's params to bytes.
-- Knows nothing of keys, of clients or of how a request is sent.
local copy = require "ofox.base.copy"
local describe = require "ofox.base.describe"
local fallback = require "ofox.request.fallback"
local json = require "ofox.json"
local mark_empty_lists = require "ofox.request.empty_lists"

local body = {}

--- Encodes a value.
---@param value any
---@param name string  what the program calls it
---@return string|nil bytes
---@return string|nil problem  with the place in the value
function body.encode(value, name)
  local bytes, message = json.encode(value)
  if bytes then return bytes end
  message = tostring(message)
  -- the encoder names the place inside the value: "messages[2].content: …"
  local joint = message:find("^%[") and "" or message:find("^[%a_][%w_]*[.:%[]") and "." or ": "
  return nil, name .. joint .. message
end

--- Checks the params of a resource as far as ofox has to understand them.
---@param params any
---@param resource table
---@return string|nil problem
function body.check_params(params, resource)
  if type(params) ~= "table" then
    return "params: " .. describe.expected_type("a table", params)
  end
  if rawget(params, 1) ~= nil then return "params: expected named fields, got a list" end
  if rawget(params, "stream") == true and not resource.dialect then
    return "params.stream: only chat and responses can be streamed (for others: client:request)"
  end
  return nil
end

--- Encodes the bodies of a call, all before its first attempt: one for each
-- model that may be asked. What 'params' holds is never changed or doubted.
---@param params table
---@param resource table  'add': fields added where they are absent; 'lists':
--   names of fields that are lists
---@param others? string[]  nil where the resource has none
---@return string[]|nil bodies
---@return string[]|string models  one per body, or none; or the problem
function body.of_params(params, resource, others)
  if resource.add then params = copy(params, resource.add) end
  if resource.lists then params = mark_empty_lists(params, resource.lists) end
  local models = fallback.models(params, others)
  local bodies = {}
  for k = 1, math.max(1, #models) do
    local own = params
    if others and #others > 0 then
      local rest = #models > 0 and fallback.rest(models, k) or others
      own = fallback.apply(params, models[k], rest)
    end
    local bytes, problem = body.encode(own, "params")
    if not bytes then return nil, problem end
    bodies[k] = bytes
  end
  return bodies, models
end

return body
