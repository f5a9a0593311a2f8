--- Drives one call from its request to its outcome: serves the states of the C
-- call (src/call/call.h) with what only Lua has, which is keys, hooks and waiting.
-- Whether and when there is a further attempt is not decided here.
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

--- One call on its way. Called, it gives what ofox.meta gives.
---@class ofox.Run
---@field template ofox.Template
---@field call userdata
---@field models string[]|string|nil  ids of those that may be asked, or of the one
---@field transport table|userdata|nil  once it has begun
---@field finish fun(value: table): string|nil|nil  reads on in the decoded answer; gives what is wrong with it
---@field failure ofox.Error|nil  of the latest attempt, if the program has a say in it
---@field line string|nil  the program's that made the call, with its secrets
local Run = {}
Run.__index = Run

--- What ofox.meta gives: of a call that has ended it is made once, when it is
-- first asked for.
---@return table
function Run:__call()
  if self.known then return self.known end
  local meta = outcome.meta(self)
  if self.call:state() == "done" then self.known = meta end
  return meta
end

--- A call that has sent nothing yet.
---@param template ofox.Template
---@param params table|string|nil  its body: what is to be encoded, or bytes
---@param bodies? string[]  instead, one for each model
---@param models? string[]|string
---@return ofox.Run|nil
---@return string|nil problem  the encoder's, if the body cannot be written
function driver.new(template, params, bodies, models)
  local transport = template.settings.transport
  local call, problem = new_call(template.core, transport and transport:now(), params, bodies)
  if not call then return nil, problem end
  return setmetatable({ template = template, call = call, models = models, transport = transport }, Run)
end

--- The id of one of the models that may be asked.
---@param index integer
---@return string|nil
function Run:model(index)
  return outcome.model(self.models, index)
end

-- Ends the interest in the cancel token.
function Run:release()
  if self.forget then self.forget() end
  self.forget = nil
end

-- The program's line that made the call, as far as the stack still has it.
function Run:place()
  local line = self.line or reserve.require "ofox.base.where".of_caller()
  return line and self.call:clean(line)
end

-- The program has its say before an attempt. False: it is not made.
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

function Run:start()
  local call, transport = self.call, self.transport
  if not wait.may_go_on(transport, call) then return end
  if self.template.asks and not self:ask() then return end
  if not call:prepare() then return end
  if self.template.settings.transport then
    transport:start(call, call:attempt())
  else
    transport:start(call)
  end
end

-- An attempt has failed and another is planned: the program may object.
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
  hooks.wait(self, call:due() - transport:now(), self.failure)
  if call:state() == "wait" then wait.call(transport, call, WAIT_STEP) end
end

function Run:serve()
  local call, hears = self.call, self.template.hears
  while true do
    if hears then
      local delay, number, source = call:announce()
      if delay then self:announce(delay, number, source) end
    end
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

--- The call has succeeded.
---@param meta fun(): table  makes what is known of it
---@param answer table|fun(): table|nil  decoded, or what decodes it
function Run:succeed(meta, answer)
  hooks.succeeded(self, meta, answer)
end

-- A success that turns out to be none when its body is read.
function Run:unreadable(type, code, message, partial)
  local err = outcome.unreadable(self, type, code, message)
  err.partial = partial
  self:fail(err)
  return err
end

-- The failure that the call has ended with.
function Run:final_error()
  local err = outcome.error(self)
  if err.type == "cancelled_error" then err.cause = self.failure or outcome.cause(self) end
  return err
end

-- Until there is an event to read, or the stream has ended without any.
function Run:open()
  self:serve()
  if self.call:state() == "events" or not self.call:failed() then
    self.line = reserve.require "ofox.base.where".of_caller() -- the one who reads may be another
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

-- From here on the call has a transport, and may be cancelled.
local function begin(run)
  local settings, call = run.template.settings, run.call
  wait.check()
  local transport = run.transport or engine.get()
  run.transport = transport
  wait.remember(settings)
  if settings.cancel then
    -- a token may live longer than a stream that is not read
    run.listener = function() transport:cancel(call) end
    run.forget = settings.cancel:on_cancel_if_held(run.listener)
  end
end

--- Makes the call and waits for its end.
---@param run ofox.Run
---@return table|boolean|nil value
---@return ofox.Run|ofox.Error meta_or_error  gives what ofox.meta gives; the error
function driver.perform(run)
  begin(run)
  return wait.protect(run.complete, run.abandon, run)
end

--- Makes the call and waits for its first event that says something.
---@param run ofox.Run  of a template with a dialect
---@return ofox.Run|nil run  what ofox.stream reads from
---@return ofox.Error|nil err
function driver.open(run)
  begin(run)
  return wait.protect(run.open, run.abandon, run)
end

return driver
