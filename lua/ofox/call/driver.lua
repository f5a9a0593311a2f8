--- Drives one call from its request to its outcome: serves the states of the C
-- call (src/call/call.h) with what only Lua has, which is keys, hooks and waiting.
-- Whether and when there is a further attempt is not decided here.
local api_key = require "ofox.request.api_key"
local attempts = require "ofox.request.attempt"
local core = require "ofox.base.native" "core"
local engine = require "ofox.task.engine"
local hooks = require "ofox.call.hooks"
local interrupt = require "ofox.task.interrupt"
local outcome = require "ofox.call.outcome"
local plaintext = require "ofox.request.plaintext"
local template = require "ofox.request.template"
local wait = require "ofox.task.wait"
local where = require "ofox.base.where"

local driver = {}

local WAIT_STEP = 0.25 -- seconds between two calls of on_wait

-- A server may echo a secret as the name of a header: in lower case.
local function keep_secret(call, secret)
  call:secret(secret)
  call:secret(secret:lower())
end

local function new_call(transport, request, settings)
  local models = #request.models
  local call = core.call(settings, transport:now(), models > 0 and models or 1, request.expect, request.dialect)
  for _, secret in ipairs(request.template.secrets) do keep_secret(call, secret) end
  return call
end

--- One call on its way.
---@class ofox.Run
---@field transport table
---@field call userdata
---@field request table
---@field settings table
---@field failure ofox.Error|nil  of the latest attempt
---@field line string|nil  the program's that made the call, with its secrets
local Run = {}
Run.__index = Run

-- Ends the interest in the cancel token.
function Run:release()
  if self.forget then self.forget() end
  self.forget = nil
end

-- The program's line that made the call, as far as the stack still has it.
function Run:place()
  local line = self.line or where.of_caller()
  return line and self.call:clean(line)
end

-- The key of this attempt, or false for none; nil: the call has ended.
function Run:key()
  local call, settings = self.call, self.settings
  if settings.own_auth or self.request.expect == "contact" then return false end
  local key = api_key(settings)
  if call:state() ~= "ready" then return nil end
  if key == nil then call:abort("MISSING_KEY", self.transport:now()) end
  return key
end

function Run:start()
  local call, request = self.call, self.request
  if not wait.may_go_on(self.transport, call) then return end
  local key = self:key()
  if key == nil then return end
  if key then keep_secret(call, key) end
  local to = request.template
  if to.exposed and (key or to.exposes_own) then plaintext.warn(self.settings, to.exposed) end
  local number, model = call:progress()
  hooks.attempt(self, number + 1, request.models[model])
  local attempt = attempts.new(request, self.idempotency_lines, key, model)
  if attempt.later then
    attempts.ask_headers(attempt, number + 1, request.models[model],
      function(secret) keep_secret(call, secret) end)
  end
  if call:state() ~= "ready" then return end
  self.transport:start(call, attempt)
end

-- An attempt has failed and another is planned: the program may object.
function Run:announce(delay, attempt, source)
  self.failure = outcome.error(self)
  local answer = hooks.retry(self, self.failure, delay, attempt, source)
  if answer == false then
    self.call:veto()
  elseif answer then
    self.call:postpone(answer)
  end
end

function Run:wait()
  local call, transport = self.call, self.transport
  if call:state() == "flight" or not self.settings.on_wait then
    wait.call(transport, call)
    return
  end
  hooks.wait(self, call:due() - transport:now(), self.failure)
  if call:state() == "wait" then wait.call(transport, call, WAIT_STEP) end
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
  err.where = err.where or self:place()
  hooks.failed(self, err)
  return nil, err
end

--- Gives what ofox.meta gives.
---@return fun(): table
function Run:meta()
  return outcome.meta(self)
end

--- The call has succeeded.
---@param meta fun(): table  makes what is known of it
---@param answer table|fun(): table|nil  decoded, or what decodes it
function Run:succeed(meta, answer)
  hooks.succeeded(self, meta, answer)
end

-- A success that turns out to be none when its body is read.
function Run:unreadable(raw, type, code, message)
  local err = outcome.unreadable(self, raw, type, code, message)
  self:fail(err)
  return err
end

-- The failure that the call has ended with.
function Run:final_error()
  local err = outcome.error(self)
  if err.type == "cancelled_error" then err.cause = self.failure end
  return err
end

-- Until there is an event to read, or the stream has ended without any.
function Run:open()
  self:serve()
  if self.call:state() == "events" or not self.call:failed() then
    self.line = where.of_caller() -- the one who reads may be another
    return self
  end
  self:release()
  return self:fail(self:final_error())
end

function Run:complete()
  self:serve()
  self:release()
  if self.call:failed() then return self:fail(self:final_error()) end
  local meta = self:meta()
  local value, code, message = outcome.value(self)
  if value == nil then return nil, self:unreadable(meta(), "response_error", code, message) end
  self:succeed(meta, value)
  return value, meta
end

-- A run that has sent nothing yet.
local function new_run(request, settings)
  wait.check()
  local transport = settings.transport or engine.get()
  wait.remember(settings)
  request.template = template.of(request, settings)
  local call = new_call(transport, request, settings)
  local run = setmetatable({
    transport = transport, call = call, request = request, settings = settings, idempotency_lines = {},
  }, Run)
  if settings.cancel then
    -- a token may live longer than a stream that is not read
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
  local final = self:final_error()
  for _, name in ipairs(OF_CALL) do err[name] = final[name] end
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
function driver.perform(request, settings)
  local run = new_run(request, settings)
  return wait.protect(run.complete, run.abandon, run)
end

--- Makes the call and waits for its first event that says something.
---@param request table  as for perform, and dialect ("chat", "responses", "any")
---@param settings table
---@return table|nil run  what ofox.stream reads from
---@return table|nil err
function driver.open(request, settings)
  local run = new_run(request, settings)
  return wait.protect(run.open, run.abandon, run)
end

--- Opens a connection ahead of the first call: any answer will do. No key is
-- sent.
---@param settings table
---@param url string
---@return boolean|nil ok
---@return function|table meta_or_error
function driver.connect(settings, url)
  return driver.perform({
    method = "HEAD", url = url, headers = {}, models = {}, expect = "contact",
  }, settings)
end

return driver
