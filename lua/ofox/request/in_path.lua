--- Requests whose model, and whether events are wanted, stand in the path and not in the
-- body.
local describe = require "ofox.base.describe"
local url = require "ofox.request.url"

local in_path = {}

local MAX = 64 -- of models whose resources are kept
local made, count = {}, 0

local function make(resource, model, verb, streams)
  local path = resource.path .. model .. verb
  return setmetatable({ path = path, streams = streams }, { __index = resource })
end

--- Returns the resource of one model, the same each time.
---@param resource table  'path' up to the model, 'verb' and 'stream_verb' behind it
---@param params table
---@return table|nil resource
---@return string|nil problem
function in_path.resource(resource, params)
  local id, stream = rawget(params, "model"), rawget(params, "stream")
  if id == nil then return nil, "params.model: expected a model id, got nil (it stands in the path)" end
  local model, problem = url.escape_id(id)
  if not model then return nil, "params.model: " .. problem end
  if stream ~= nil and type(stream) ~= "boolean" then
    return nil, "params.stream: expected true or false, got " .. describe.value(stream)
  end
  local key = resource.path .. model
  local of = made[key]
  if not of then
    if count == MAX then made, count = {}, 0 end
    of = {
      [false] = make(resource, model, resource.verb, false),
      [true] = make(resource, model, resource.stream_verb, true),
    }
    made[key], count = of, count + 1
  end
  return of[stream == true]
end

return in_path
