--- Requests whose model, and whether events are wanted, stand in the path and not in the
-- body.
local copy = require "ofox.base.copy"
local describe = require "ofox.base.describe"
local url = require "ofox.request.url"

local in_path = {}

local MAX = 64 -- of models whose resources are kept
local made, count = {}, 0

-- A copy, not a table that inherits: most of what is read of it is not there.
local function make(resource, model, verb, streams)
  return copy({ path = resource.path .. model .. verb, streams = streams }, resource)
end

-- The resources of a model, whole and streamed; nil and the problem.
local function both(resource, id)
  -- Google's own names of models begin with the folder that the path has
  local model, problem = url.escape_id(type(id) == "string" and id:gsub("^models/", "") or id)
  if not model then return nil, problem end
  if count == MAX then made, count = {}, 0 end
  local of = {
    [false] = make(resource, model, resource.verb, false),
    [true] = make(resource, model, resource.stream_verb, true),
  }
  made[resource] = made[resource] or {}
  made[resource][id], count = of, count + 1
  return of
end

--- Returns the resource of one model, the same each time.
---@param resource table  'path' up to the model, 'verb' and 'stream_verb' behind it
---@param params table
---@return table|nil resource
---@return string|nil problem
function in_path.resource(resource, params)
  local id, stream = rawget(params, "model"), rawget(params, "stream")
  if id == nil then return nil, "params.model: expected a model id, got nil (it stands in the path)" end
  local of, problem = made[resource] and made[resource][id], nil
  if not of then of, problem = both(resource, id) end
  if not of then return nil, "params.model: " .. problem end
  if stream ~= nil and type(stream) ~= "boolean" then
    return nil, "params.stream: expected true or false, got " .. describe.value(stream)
  end
  return of[stream == true]
end

return in_path
