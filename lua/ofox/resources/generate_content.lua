--- Gemini's protocol: the model and whether events are wanted stand in the path, not
-- in the body.
local describe = require "ofox.base.describe"
local url = require "ofox.request.url"

local generate_content = {
  name = "generate_content",
  method = "POST",
  base = "gemini_url",
  expect = "gemini",
  dialect = "gemini",
  key = "x-goog-api-key: ",
  leaves = { "model", "stream" },
}

local MAX = 64 -- of models whose resources are kept
local made, count = {}, 0

local function make(model, streams)
  local verb = streams and ":streamGenerateContent?alt=sse" or ":generateContent"
  return setmetatable({ path = "/v1beta/models/" .. model .. verb, streams = streams }, { __index = generate_content })
end

--- Returns the resource of one model, the same each time.
---@param params table
---@return table|nil resource
---@return string|nil problem
return function(params)
  local model, problem = rawget(params, "model"), nil
  if model == nil then return nil, "params.model: expected a model id, got nil (it stands in the path)" end
  model, problem = url.escape_id(model)
  if problem then return nil, "params.model: " .. problem end
  local stream = rawget(params, "stream")
  if stream ~= nil and type(stream) ~= "boolean" then
    return nil, "params.stream: expected true or false, got " .. describe.value(stream)
  end
  local of = made[model]
  if not of then
    if count == MAX then made, count = {}, 0 end
    of = { [false] = make(model, false), [true] = make(model, true) }
    made[model], count = of, count + 1
  end
  return of[stream == true]
end
