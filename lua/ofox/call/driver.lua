--- Drives one call from its request to its outcome: serves the states of the C call
-- (src/call/call.h) with what only Lua has: keys, hooks and waiting. Whether and
-- when to retry is not decided here.
local core = require "ofox.base.native" "core"
local engine = require "ofox.task.engine"
local hooks = require "ofox.call.hooks"
local interrupt = require "ofox.task.interrupt"
local outcome = require "ofox.call.outcome"
local reserve = require "ofox.base.reserve"
local wait = require "ofox.task.wait"

local driver = {}

local new_call = core.call

local WAIT_STEP = 0.25 -- seconds between two calls of on_wait
local FRESH = 5 -- seconds for which a key and headers of the program are good, though the call waits

--- One call in progress. Calling it returns what ofox.meta returns.
---@class ofox.Run
---@field template ofox.Template
---@field call userdata
---@field twin userdata|nil  the other attempt that is on its way, see ofox.call.hedge
---@field models string[]|string|nil  ids of the models to try, or of the only one; last, perhaps, that of hedges
---@field transport table|userdata|nil  once the call has begun
---@field recorder ofox.Recorder|nil  keeps what the transport does
---@field finish fun(value: table): string|nil|nil  post-processes the decoded answer; returns what is wrong with it
---@field failure ofox.Error|nil  of the latest attempt, if a hook of the program sees it
---@field asked integer|nil  how many attempts there were when the program was asked last
---@field asked_at number|nil  when that was
---@field line string|nil  the program's line that made the call, not yet redacted
local Run = {}
Run.__index = Run

--- Returns what ofox.meta returns; for a call that has ended it is computed once, on
-- first use.
---@return table
function Run:__call()
  if self.known then return self.known end
  local meta = outcome.meta(self)
  if self.call:state() == "done" then self.known = meta end
  return meta
end

--- Creates a call that has sent nothing yet.
---@param template ofox.Template
---@param params table|string|nil  its body: a table to encode, or bytes
---@param bodies? string[]  instead, one for each model
---@param models? string[]|string
---@param hedged? boolean  the last of the models is that of hedges
---@return ofox.Run|nil
---@return string|nil problem  the encoder's, if the body cannot be written
function driver.new(template, params, bodies, models, hedged)
  local transport = template.settings.transport
  local call, problem = new_call(template.core, transport and transport:now(), params, bodies, models, hedged)
  if not call then return nil, problem end
  return setmetatable({ template = template, call = call, models = models, transport = transport }, Run)
end

--- Returns the id of one of the models to try.
---@param index integer
---@return string|nil
function Run:model(index)
  return outcome.model(self.models, index)
end

-- Unsubscribes from the cancel token; a recorder hears of the end.
function Run:release()
  local forget = self.forget
  self.forget = nil
  if forget then forget() end
end

-- The program's line that made the call, if it is still on the stack.
function Run:place()
  local line = self.line or reserve.require "ofox.base.where".of_caller()
  return line and self.call:clean(line)
end

-- Runs what the program does before an attempt. False: the attempt is not made.
function Run:ask()
  local template, call, attempt = self.template, self.call, reserve.require "ofox.request.attempt"
  local keyed = attempt.key(template, call)
  if call:state() ~= "ready" then return false end
  if keyed == nil then
    call:abort("MISSING_KEY", self.transport:now())
    return false
  end
  attempt.warn(template, keyed)
  local attempts, model = call:progress()
  hooks.attempt(self, attempts + 1, self:model(model))
  if template.later then attempt.ask_headers(template, call, attempts + 1, self:model(model)) end
  return true
end

-- Adds to an attempt the form that it sends. False: the call has ended, since a file
-- is not as it was.
local function write_form(call, attempt, now)
  local parts = call:parts(now)
  if not parts then return false end
  local body, content_type = reserve.require "ofox.request.multipart"(parts)
  attempt.parts, attempt.body = parts, body
  table.insert(attempt.lines, "Content-Type: " .. content_type)
  return true
end

--- Has the transport send an attempt that is prepared.
---@param call userdata  the run's, or its twin
function Run:send(call)
  local own = self.template.settings.transport
  if not own then return self.transport:start(call) end
  local attempt = call:attempt()
  if not call:sends_form() or write_form(call, attempt, self.transport:now()) then
    own:start(call, attempt)
  end
end

function Run:start()
  local call, transport, template = self.call, self.transport, self.template
  if not wait.may_go_on(transport, call) then return end
  if template.asks then
    -- once, though a call that is held back starts again and again
    local attempts, now = call:progress(), transport:now()
    if self.asked ~= attempts or now - self.asked_at > FRESH then
      if not self:ask() then return end
      self.asked, self.asked_at = attempts, now
    end
  end
  if not call:prepare() then return end
  if template.store then template.store:sync(self, true) end
  self:send(call)
end

-- An attempt has failed and a retry is planned: the program may veto it.
function Run:announce(delay, number, source)
  self.failure = outcome.error(self)
  local answer = hooks.retry(self, self.failure, delay, number, source)
  if answer == false then
    self.call:veto()
  elseif answer then
    self.call:postpone(answer)
  end
end

function Run:wait()
  local call, transport = self.call, self.transport
  if not self.template.settings.on_wait or call:state() == "flight" then
    wait.call(transport, call)
    return
  end
  local now = transport:now()
  local left = (call:expects(now) or now) - now
  local code, message = call:aside(now) -- the hook may take its time, and make calls
  hooks.wait(self, left, self.failure or code and outcome.kept_back(self, code, message, left))
  if code then call:rejoin(transport:now()) end
  if call:state() == "wait" then wait.call(transport, call, WAIT_STEP) end
end

function Run:serve()
  local call, hears, paired = self.call, self.template.hears, false
  while true do
    if paired then
      reserve.require "ofox.call.hedge".judge(self)
      call, paired = self.call, self.twin ~= nil
    end
    if hears then
      local delay, number, source = call:announce()
      if delay then self:announce(delay, number, source) end
    end
    local state = call:state()
    if state == "done" or state == "events" then return end
    if state == "ready" then
      self:start()
    elseif state == "hedge" then
      reserve.require "ofox.call.hedge".start(self)
      paired = self.twin ~= nil
    else
      self:wait()
      local store = self.template.store
      if store then store:sync(self, false) end
    end
  end
end

-- The call has failed for good: the error is about to be delivered.
function Run:fail(err)
  err.where = err.where or self:place()
  hooks.failed(self, err)
  return nil, err
end

--- The call has succeeded.
---@param meta fun(): table  computes the call's meta
---@param answer table|fun(): table|nil  the decoded answer, or a function that decodes it
function Run:succeed(meta, answer)
  hooks.succeeded(self, meta, answer)
end

-- A success whose body turns out to be unusable.
function Run:unreadable(type, code, message, partial)
  local err = outcome.unreadable(self, type, code, message)
  err.partial = partial
  self:fail(err)
  return err
end

-- Returns the failure with which the call has ended.
function Run:final_error()
  local err = outcome.error(self)
  if err.type == "cancelled_error" then
    err.cause = self.failure or outcome.cause(self)
  elseif err.type == "invalid_request_error" then -- a file has changed after an attempt
    err.cause = outcome.cause(self)
  end
  return err
end

-- Waits until there is an event to read, or the stream has ended without any.
function Run:open()
  self:serve()
  if self.call:state() == "events" or not self.call:failed() then
    self.line = reserve.require "ofox.base.where".of_caller() -- the stream may be read elsewhere
    return self
  end
  self:release()
  return self:fail(self:final_error())
end

function Run:complete()
  self:serve()
  if self.forget then self:release() end
  if self.call:failed() then return self:fail(self:final_error()) end
  local value, code, message = outcome.value(self)
  if value == nil then return nil, self:unreadable("response_error", code, message) end
  hooks.succeeded(self, self, value)
  return value, self
end

-- Adds what is known about this call to an error that has no call yet.
local OF_CALL = {
  "status", "headers", "ratelimit", "request_id", "attempts", "elapsed", "retries", "ambiguous", "model", "url",
  "cause",
}

--- Handles what was raised while the call was served: Ctrl-C becomes the call's
-- outcome.
---@param err any
function Run:interrupted(err)
  if not interrupt.is(err) or err.attempts or not self.call:failed() then return end
  local final = self:final_error()
  for _, name in ipairs(OF_CALL) do err[name] = final[name] end
  self:fail(err)
end

-- A hook raised an error, or Ctrl-C: the call must not continue in the background.
function Run:abandon(err)
  self.transport:cancel(self.call) -- and its twin
  if self.twin then self.transport:cancel(self.twin) end
  self:release()
  self:interrupted(err)
end

-- From here on the call has a transport, and can be cancelled.
local function begin(run)
  local settings = run.template.settings
  wait.check()
  local transport, recorder = run.transport or engine.get(), nil
  if settings.transport and transport.carrier then
    recorder, transport = transport, transport:carrier()
  end
  run.transport = transport
  wait.remember(settings)
  if settings.cancel then
    -- a token may outlive a stream that is not read
    run.listener = function() transport:cancel(run.call) end
    run.forget = settings.cancel:on_cancel_if_held(run.listener)
  end
  if recorder then
    local forget = run.forget
    run.recorder = recorder
    run.forget = function()
      if forget then forget() end
      recorder:ended(run.call)
      if run.twin then recorder:ended(run.twin) end
    end
  end
end

--- Makes the call and waits until it ends.
---@param run ofox.Run
---@return table|boolean|nil value
---@return ofox.Run|ofox.Error meta_or_error  the run, which returns what ofox.meta returns; or the error
function driver.perform(run)
  begin(run)
  return wait.protect(run.complete, run.abandon, run)
end

--- Makes the call and waits for its first event with content.
---@param run ofox.Run  of a template with a dialect
---@return ofox.Run|nil run  what ofox.stream reads from
---@return ofox.Error|nil err
function driver.open(run)
  begin(run)
  return wait.protect(run.open, run.abandon, run)
end

return driver
