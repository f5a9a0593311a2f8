--- Runs one call from its request to its outcome: serves the states of the C
-- call (src/call/call.h) with what only Lua has, which is keys, hooks and waiting.
-- Whether and when there is a further attempt is not decided here.
local describe = require "ofox.base.describe"
local core = require("ofox.base.native")("core")
local check = require "ofox.request.checks"
local errors = require "ofox.errors"
local interrupt = require "ofox.task.interrupt"
local json = require "ofox.json"
local log = require "ofox.base.log"
local place = require "ofox.base.where"
local plaintext = require "ofox.request.plaintext"
local response = require "ofox.answer.response"
local route = require "ofox.request.template"
local engine = require "ofox.task.engine"
local wait = require "ofox.task.wait"

local exchange = {}

local WAIT_STEP = 0.25 -- seconds between two calls of on_wait

-- A server may echo a secret as the name of a header: in lower case.
local function keep_secret(call, secret)
  call:secret(secret)
  call:secret(secret:lower())
end

local function new_call(transport, request, settings)
  local models = #request.models
  local call = core.call(settings, transport:now(), models > 0 and models or 1, request.expect, request.dialect)
  for _, secret in ipairs(request.route.secrets) do keep_secret(call, secret) end
  return call
end

-- The key of one attempt: a string, false for none, nil if it is missing.
local function key_of(settings)
  local key = settings.api_key
  if type(key) == "function" then
    key = key()
    if key ~= nil and key ~= false then
      local problem
      problem, key = check.key(key)
      if problem then error("ofox: api_key: " .. problem, 0) end
    end
  end
  return key
end

-- One call in the making.
local Run = {}
Run.__index = Run

function Run:error()
  local transport, call = self.transport, self.call
  local raw = call:failure(transport:wall())
  local models = self.request.models
  local _, model = call:progress()
  raw.model = models[model]
  for _, retry in ipairs(json.array(raw.retries)) do retry.model = models[retry.model] end
  raw.url = call:clean(self.request.route.shown_url)
  return errors.new(raw)
end

-- 'fields' makes the fields if anybody wants to hear of it.
function Run:log(level, message, fields, ...)
  local settings = self.settings
  if not log.enabled(settings, level) then return end
  fields = fields(...)
  fields.method = self.request.method
  fields.url = self.call:clean(self.request.route.shown_url)
  log.write(settings, level, message, fields)
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

local function attempt_fields(attempt, model)
  return { attempt = attempt, model = model }
end

local function success_fields(meta)
  meta = meta()
  return { status = meta.status, attempts = meta.attempts, elapsed = meta.elapsed, request_id = meta.request_id }
end

-- Ends the interest in the cancel token.
function Run:release()
  if self.forget then self.forget() end
  self.forget = nil
end

-- The program's line that made the call, as far as the stack still has it.
function Run:place()
  local where = place.of_caller()
  return where and self.call:clean(where)
end

-- The header line of a model's idempotency key; its bytes are its own.
function Run:idempotency_line(model)
  local key = self.request.idempotency_key
  if key == false or self.request.route.idempotent then return nil end
  if key then return "Idempotency-Key: " .. key end
  local lines = self.idempotency_lines or {}
  self.idempotency_lines = lines
  lines[model] = lines[model] or "Idempotency-Key: ofox-" .. core.uuid()
  return lines[model]
end

-- What the transport sends in this attempt.
function Run:attempt(key, model)
  local bodies = self.request.bodies
  return setmetatable({
    authorization = key and "Authorization: Bearer " .. key or nil,
    idempotency = self:idempotency_line(model),
    body = bodies and (bodies[model] or bodies[1]),
  }, self.request.route.attempt)
end

-- The headers of this attempt whose values functions give: what they are told
-- is a table of their own.
function Run:add_headers(attempt, number, model)
  local lines = {}
  for i, line in ipairs(attempt.lines) do lines[i] = line end
  for _, header in ipairs(attempt.later) do
    local name, fn = header[1], header[2]
    local problem, value = check.given_header(fn {
      attempt = number, method = attempt.method, url = attempt.url, body = attempt.body,
      model = self.request.models[model],
    })
    if problem then error(("ofox: headers.%s: what the function gave: %s"):format(name, problem), 0) end
    if value then
      lines[#lines + 1] = route.line(name, value)
      for _, secret in ipairs(route.header_secrets(name, value)) do keep_secret(self.call, secret) end
    end
  end
  attempt.lines = lines
end

function Run:start()
  local call, settings = self.call, self.settings
  if not wait.may_go_on(self.transport, call) then return end
  local key = false
  if not settings.own_auth and self.request.expect ~= "contact" then
    key = key_of(settings)
    if call:state() ~= "ready" then return end
    if key == nil then
      call:abort("MISSING_KEY", self.transport:now())
      return
    end
  end
  if key then keep_secret(call, key) end
  local to = self.request.route
  if to.exposed and (key or to.exposes_own) then plaintext.warn(settings, to.exposed) end
  local attempts, model = call:progress()
  self:log("debug", "attempt", attempt_fields, attempts + 1, self.request.models[model])
  local attempt = self:attempt(key, model)
  if attempt.later then self:add_headers(attempt, attempts + 1, model) end
  if call:state() ~= "ready" then return end
  self.transport:start(call, attempt)
end

-- What the program says to a planned attempt: false, a number or nil.
local function on_retry(settings, ...)
  local answer = settings.on_retry(...)
  if answer == nil or answer == true then return nil end
  if answer == false or answer == math.huge then return false end
  if type(answer) == "number" and answer >= 0 then return answer end
  error("on_retry: expected nil, false or a number of seconds, got " .. describe.value(answer), 0)
end

-- An attempt has failed and another is planned: the program may object.
function Run:announce(delay, attempt, source)
  local call, settings = self.call, self.settings
  self.failure = self:error()
  self:log("info", "retry", retry_fields, self.failure, delay, source)
  if not settings.on_retry then return end
  local answer = on_retry(settings, self.failure, delay, attempt, source)
  if answer == false then
    call:veto()
  elseif answer then
    call:postpone(answer)
  end
end

function Run:wait()
  local call, settings = self.call, self.settings
  if call:state() == "flight" or not settings.on_wait then
    wait.call(self.transport, call)
    return
  end
  local left = call:due() - self.transport:now()
  if left > 0 then settings.on_wait(left, self.failure) end
  if call:state() == "wait" then wait.call(self.transport, call, WAIT_STEP) end
end

function Run:serve()
  local call = self.call
  while true do
    local delay, attempt, source = call:announce()
    if delay then self:announce(delay, attempt, source) end
    local state = call:state()
    if state == "done" or state == "events" then return end
    if state == "ready" then
      self:start()
    else
      self:wait()
    end
  end
end

-- The call has failed for good: the error is about to reach the program.
function Run:fail(err)
  err.where = err.where or self.where or self:place()
  self:log(err.type == "cancelled_error" and "info" or "warn", "failed", failure_fields, err)
  if self.settings.on_error then self.settings.on_error(err) end
  return nil, err
end

-- Gives what ofox.meta gives, which is made when it is first asked for. Of
-- all that belongs to the call no more is kept than that takes.
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

function Run:meta()
  return meta_of(self.call, self.request.models, self.transport:wall(), self.transport:now())
end

--- The call has succeeded.
---@param meta fun(): table  makes what is known of it
---@param answer table|fun(): table|nil  decoded, or what decodes it
function Run:succeed(meta, answer)
  self:log("debug", "answered", success_fields, meta)
  local on_response = self.settings.on_response
  if not on_response then return end
  meta = meta()
  if type(answer) == "function" then answer = answer() end
  meta.usage = response.usage(answer)
  on_response(meta)
end

-- A success that turns out to be none when its body is read.
function Run:unreadable(raw, type, code, message)
  raw.type, raw.code, raw.message = type, code, self.call:clean(message)
  raw.retryable, raw.ambiguous, raw.reason = false, true, "not_retryable"
  raw.model, raw.model_requested = raw.model_requested, nil
  local err = errors.new(raw)
  self:fail(err)
  return err
end

-- The value of the answer, or nil with a code and what is wrong.
function Run:decode()
  local expect = self.request.expect
  local body = self.call:reply()
  if expect == "contact" then return true end
  if expect == "raw" then return { value = body } end
  if body == "" then return {} end
  local value, message = json.decode(body, self.settings.json)
  if value == nil then return nil, "invalid_json", "the answer could not be decoded: " .. message end
  if type(value) ~= "table" then value = { value = value } end
  if expect == "list" and body:find("^[%s\239\187\191]*%[") then value = { object = "list", data = value } end
  local finish = self.request.finish
  local problem = finish and finish(value)
  if problem then return nil, "encoding", problem end
  return value
end

-- The failure that the call has ended with.
function Run:blame()
  local err = self:error()
  if err.type == "cancelled_error" then err.cause = self.failure end
  return err
end

-- Until there is an event to read, or the stream has ended without any.
function Run:open()
  self:serve()
  if self.call:state() == "events" or not self.call:failed() then
    self.where = self:place() -- while the one who reads may be another
    return self
  end
  self:release()
  return self:fail(self:blame())
end

function Run:complete()
  self:serve()
  self:release()
  if self.call:failed() then return self:fail(self:blame()) end
  local meta = self:meta()
  local value, code, message = self:decode()
  if value == nil then return nil, self:unreadable(meta(), "response_error", code, message) end
  self:succeed(meta, value)
  return value, meta
end

-- A run that has sent nothing yet.
local function new_run(request, settings)
  wait.check()
  local transport = settings.transport or engine.get()
  wait.remember(settings)
  request.route = route.of(request, settings)
  local call = new_call(transport, request, settings)
  local run = setmetatable({ transport = transport, call = call, request = request, settings = settings }, Run)
  if settings.cancel then
    -- a token may live longer than a stream that nobody reads
    run.listener = function() transport:cancel(call) end
    run.forget = settings.cancel:on_cancel_if_held(run.listener)
  end
  return run
end

-- What an error that befell no call yet is told of this one.
local OF_CALL = {
  "status", "headers", "ratelimit", "request_id", "attempts", "elapsed", "retries", "ambiguous", "model", "url",
  "cause",
}

--- What was raised while the call was served: if it is Ctrl-C, that is how the
-- call has ended.
---@param err any
function Run:interrupted(err)
  if not interrupt.is(err) or err.attempts or not self.call:failed() then return end
  local blamed = self:blame()
  for _, name in ipairs(OF_CALL) do err[name] = blamed[name] end
  self:fail(err)
end

-- A hook's error or Ctrl-C: nothing goes on behind its back.
function Run:abandon(err)
  self:release()
  self.transport:cancel(self.call)
  self:interrupted(err)
end

--- Makes the call and waits for its end.
---@param request table  method, url, headers (list of {name, value}), bodies
--   (one per model, or nil), shared (a table for what several requests have in
--   common, or nil), models (list of ids), expect (see src/call/verdict.h),
--   idempotency_key (string, false or nil), finish (reads on in the decoded
--   value; returns what is wrong with it, or nil)
---@param settings table  all options of the call
---@return table|nil value
---@return function|table meta_or_error  gives what ofox.meta gives; the error
function exchange.perform(request, settings)
  local run = new_run(request, settings)
  return wait.protect(run.complete, run.abandon, run)
end

--- Makes the call and waits for its first event that says something.
---@param request table  as for perform, and dialect ("chat", "responses", "any")
---@param settings table
---@return table|nil run  what ofox.stream reads from
---@return table|nil err
function exchange.open(request, settings)
  local run = new_run(request, settings)
  return wait.protect(run.open, run.abandon, run)
end

--- Opens a connection ahead of the first call: any answer will do. No key is
-- sent.
---@param settings table
---@param url string
---@return boolean|nil ok
---@return function|table meta_or_error
function exchange.connect(settings, url)
  return exchange.perform({
    method = "HEAD", url = url, headers = {}, models = {}, expect = "contact",
  }, settings)
end

return exchange
