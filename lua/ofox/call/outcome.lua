--- What a call has ended with, for the program: an error, or a value and what is
-- known of the call beside it. Knows nothing of waiting or of hooks.
local errors = require "ofox.errors"
local json = require "ofox.json"

local outcome = {}

--- The failure that a call has ended with, or that its latest attempt had.
---@param run ofox.Run
---@return ofox.Error
function outcome.error(run)
  local call, models = run.call, run.request.models
  local raw = call:failure(run.transport:wall())
  local _, model = call:progress()
  raw.model = models[model]
  for _, retry in ipairs(json.array(raw.retries)) do retry.model = models[retry.model] end
  raw.url = call:clean(run.request.template.shown_url)
  return errors.new(raw)
end

-- Of all that belongs to the call no more is kept than the making takes.
local function meta_of(call, models, wall, now)
  local meta
  return function()
    if meta then return meta end
    meta = call:meta(wall, now)
    meta.model_requested = models[1]
    for _, retry in ipairs(json.array(meta.retries)) do retry.model = models[retry.model] end
    call = nil
    return meta
  end
end

--- Gives what ofox.meta gives, which is made when it is first asked for.
---@param run ofox.Run
---@return fun(): table
function outcome.meta(run)
  return meta_of(run.call, run.request.models, run.transport:wall(), run.transport:now())
end

--- The error of a success that turns out to be none when its body is read.
---@param run ofox.Run
---@param raw table  what outcome.meta has made; becomes the error
---@param type string
---@param code string
---@param message string
---@return ofox.Error
function outcome.unreadable(run, raw, type, code, message)
  raw.type, raw.code, raw.message = type, code, run.call:clean(message)
  raw.retryable, raw.ambiguous, raw.reason = false, true, "not_retryable"
  raw.model, raw.model_requested = raw.model_requested, nil
  return errors.new(raw)
end

--- The value of the response.
---@param run ofox.Run
---@return any value  nil if it cannot be read
---@return string|nil code  then this
---@return string|nil message
function outcome.value(run)
  local expect = run.request.expect
  local body = run.call:reply()
  if expect == "contact" then return true end
  if expect == "raw" then return { value = body } end
  if body == "" then return {} end
  local value, message = json.decode(body, run.settings.json)
  if value == nil then return nil, "invalid_json", "the answer could not be decoded: " .. message end
  if type(value) ~= "table" then value = { value = value } end
  if expect == "list" and body:find("^[%s\239\187\191]*%[") then value = { object = "list", data = value } end
  local finish = run.request.finish
  local problem = finish and finish(value)
  if problem then return nil, "encoding", problem end
  return value
end

return outcome
