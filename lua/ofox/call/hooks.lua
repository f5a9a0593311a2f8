--- Reports calls to the program: on_retry, on_wait, on_error and on_response, and a
-- log line for each. A hook's error propagates to the caller. Knows nothing of how
-- calls are made.
local log = require "ofox.base.log"
local reserve = require "ofox.base.reserve"
local response = require "ofox.answer.response"

local hooks = {}

-- 'fields' builds the fields if they are wanted.
local function write(run, level, message, fields, ...)
  local settings = run.template.settings
  if not run.template.talks or not log.enabled(settings, level) then return end
  fields = fields(...)
  fields.method = run.template.method
  fields.url = run.call:clean(run.template.shown_url)
  log.write(settings, level, message, fields)
end

local function attempt_fields(attempt, model)
  return { attempt = attempt, model = model }
end

--- An attempt is about to be sent.
---@param run ofox.Run
---@param attempt integer  its number, from 1
---@param model string|nil
function hooks.attempt(run, attempt, model)
  write(run, "debug", "attempt", attempt_fields, attempt, model)
end

local function failure_fields(err)
  return {
    type = err.type, code = err.code, status = err.status, reason = err.reason, attempts = err.attempts,
    request_id = err.request_id, message = err.message,
  }
end

local function retry_fields(err, delay, source)
  local fields = failure_fields(err)
  fields.delay, fields.source = delay, source
  return fields
end

--- An attempt has failed and a retry is planned.
---@param run ofox.Run
---@param err ofox.Error
---@param delay number  seconds until the next one
---@param attempt integer  the number of the one that failed, from 1
---@param source string  where the delay comes from
---@return number|false|nil answer  seconds to wait at least; false: do not retry
function hooks.retry(run, err, delay, attempt, source)
  write(run, "info", "retry", retry_fields, err, delay, source)
  local hook = run.template.settings.on_retry
  if not hook then return nil end
  return reserve.require "ofox.call.on_retry"(hook, err, delay, attempt, source)
end

--- The call waits for its next attempt.
---@param run ofox.Run
---@param left number  seconds
---@param err ofox.Error  of the last one
function hooks.wait(run, left, err)
  if left > 0 then run.template.settings.on_wait(left, err) end
end

--- The call has failed for good: the error is about to be delivered.
---@param run ofox.Run
---@param err ofox.Error
function hooks.failed(run, err)
  write(run, err.type == "cancelled_error" and "info" or "warn", "failed", failure_fields, err)
  if run.template.settings.on_error then run.template.settings.on_error(err) end
end

local function success_fields(meta)
  meta = meta()
  return { status = meta.status, attempts = meta.attempts, elapsed = meta.elapsed, request_id = meta.request_id }
end

--- The call has succeeded.
---@param run ofox.Run
---@param meta fun(): table  computes the call's meta
---@param answer table|fun(): table|nil  the decoded answer, or a function that decodes it
function hooks.succeeded(run, meta, answer)
  write(run, "debug", "answered", success_fields, meta)
  local on_response = run.template.settings.on_response
  if not on_response then return end
  meta = meta()
  if type(answer) == "function" then answer = answer() end
  meta.usage = response.usage(answer)
  on_response(meta)
end

return hooks
