--- The outcome of a call, for the program: an error, or a value and the call's meta.
-- Knows nothing of waiting or of hooks.
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"

local outcome = {}

--- Returns the id of one of the models to try.
---@param models string[]|string|nil
---@param index integer
---@return string|nil
function outcome.model(models, index)
  if type(models) == "table" then return models[index] end
  return type(models) == "string" and index == 1 and models or nil
end

-- Builds an error from the core's description of a failure.
local function error_of(run, raw)
  local models = run.models
  local _, model = run.call:progress()
  raw.model = outcome.model(models, model)
  for _, retry in ipairs(json.list(raw.retries)) do retry.model = outcome.model(models, retry.model) end
  raw.url = run.call:clean(run.template.shown_url)
  return reserve.require "ofox.errors".new(raw)
end

--- Returns the failure of the call, or of its latest attempt.
---@param run ofox.Run
---@return ofox.Error
function outcome.error(run)
  return error_of(run, run.call:failure(run.transport:wall()))
end

--- Returns why a call waits that no attempt of its own has told to.
---@param run ofox.Run
---@param code string
---@param message string
---@param left number  seconds until its turn, by what is known
---@return ofox.Error
function outcome.kept_back(run, code, message, left)
  return reserve.require "ofox.errors".new {
    type = "rate_limit_error", code = code, message = message, retry_after = left,
    retry_at = run.transport:wall() + left, retryable = true, attempts = 0, elapsed = 0, retries = {},
    ambiguous = false,
    model = outcome.model(run.models, 1), url = run.call:clean(run.template.shown_url),
  }
end

--- Returns the failure of the attempt before the call was ended from outside.
---@param run ofox.Run
---@return ofox.Error|nil  nil: there was none
function outcome.cause(run)
  local raw = run.call:cause()
  return raw and error_of(run, raw)
end

--- Returns what is known about a call apart from its value.
---@param run ofox.Run
---@return table meta  a new one
function outcome.meta(run)
  local transport = run.transport
  local meta = run.call:meta(transport:wall(), transport:now())
  meta.model_requested = outcome.model(run.models, 1)
  for _, retry in ipairs(json.list(meta.retries)) do retry.model = outcome.model(run.models, retry.model) end
  return meta
end

--- Returns the error of a success whose body turns out to be unusable.
---@param run ofox.Run
---@param type string
---@param code string
---@param message string
---@return ofox.Error
function outcome.unreadable(run, type, code, message)
  local raw = outcome.meta(run)
  run.call:spoil(type)
  raw.type, raw.code, raw.message = type, code, run.call:clean(message)
  raw.retryable, raw.ambiguous, raw.reason = false, true, "not_retryable"
  raw.model, raw.model_requested = raw.model_requested, nil
  return reserve.require "ofox.errors".new(raw)
end

-- Decodes a body of JSON; or returns nil and a message.
local function decoded(run)
  local call, decoder = run.call, run.template.settings.json
  if not decoder then return call:decoded() end
  local body = call:reply()
  if body == "" then return {} end
  local value, message = json.decode(body, decoder)
  call:used(value)
  return value, message
end

local function is_list(value)
  return value[1] ~= nil or json.marks[getmetatable(value)] == "array"
end

--- Returns the value of the response.
---@param run ofox.Run
---@return any value  nil if it is unusable
---@return string|nil code  set then
---@return string|nil message
function outcome.value(run)
  local expect = run.template.expect
  if expect == "contact" then return true end
  if expect == "raw" then return { value = run.call:reply() } end
  local value, message = decoded(run)
  if value == nil then return nil, "invalid_json", "the answer could not be decoded: " .. message end
  if type(value) ~= "table" then return { value = value } end
  if expect == "list" and is_list(value) then return { object = "list", data = value } end
  local problem = run.finish and run.finish(value)
  if problem then return nil, "encoding", problem end
  return value
end

return outcome
