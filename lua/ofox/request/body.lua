--- Request bodies: encodes the program's params.
-- Knows nothing of keys, of clients or of how a request is sent.
local describe = require "ofox.base.describe"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local body = {}

--- Reports which part of a value cannot be encoded.
---@param message any  of the encoder
---@param name string  what the program calls the value
---@return string problem  with the place in the value
function body.problem(message, name)
  message = tostring(message)
  -- the encoder names the place inside the value: "messages[2].content: …"
  local joint = message:find("^%[") and "" or message:find("^[%a_][%w_]*[.:%[]") and "." or ": "
  return name .. joint .. message
end

--- Checks the params of a resource as far as ofox must understand them.
---@param params any
---@param resource table
---@return string|nil problem
function body.check_params(params, resource)
  if type(params) ~= "table" then
    return "params: " .. describe.expected_type("a table", params)
  end
  if getmetatable(params) ~= nil then
    local file = reserve.require "ofox.request.file"
    if file.known(params) then return "params: " .. file.misplaced(resource.files and resource.files[1]) end
  end
  if rawget(params, 1) ~= nil then return "params: expected named fields, got a list" end
  if rawget(params, "stream") == true and not resource.dialect then
    return "params.stream: this call cannot be streamed (client:request streams any)"
  end
  return nil
end

--- Encodes the bodies of a call that may ask other models, before its first attempt:
-- one for each.
---@param params table  not changed
---@param others string[]  the models to fall back to
---@param hedge? string|false  the model that its hedges ask
---@return string[]|nil bodies
---@return string[]|string models  one per body, or none; or the problem
---@return boolean|nil hedged  the last of them is that of hedges
function body.of_models(params, others, hedge)
  local fallback = reserve.require "ofox.request.fallback"
  local models = fallback.models(params, others)
  local hedged = hedge and #models > 0
  if hedged then models[#models + 1] = hedge end
  local bodies = {}
  for k = 1, math.max(1, #models) do
    local rest = #models > 0 and fallback.rest(models, k, hedged) or others
    local bytes, message = json.encode_request(fallback.apply(params, models[k], rest))
    if not bytes then return nil, body.problem(message, "params") end
    bodies[k] = bytes
  end
  return bodies, models, hedged
end

return body
