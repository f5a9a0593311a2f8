--- How this Lua state waits. A task that can yield does so, and others run; anywhere
-- else it waits in place. A cancelled task is notified at its next wait, once; if it
-- waits again after that, it is terminated.
-- Knows nothing of how tasks start and end.
local awaited = require "ofox.task.awaited"
local block = require "ofox.task.block"
local clock = require "ofox.task.clock"
local interrupt = require "ofox.task.interrupt"
local lua = require "ofox.base.lua"
local scheduler = require "ofox.task.scheduler"

local wait = {}

--- What a cancelled task that will not end yields to the scheduler.
wait.PUT_DOWN = {}

local current, may_yield, yield_for = scheduler.current, scheduler.may_yield, scheduler.yield_for

wait.budget = scheduler.budget
wait.is_spent = scheduler.is_spent

--- Returns the error of something cancelled outside of a call.
---@return ofox.Error
function wait.cancelled_error()
  return interrupt.outcome "cancelled"
end

--- Was the running task cancelled?
---@return boolean
function wait.is_cancelled()
  local task = scheduler.current()
  return task ~= nil and task.cancelled
end

--- Remembers the options of the running task's latest call, whose logger gets its
-- failure.
---@param settings table
function wait.remember(settings)
  local task = scheduler.current()
  if task then task.settings = settings end
end

-- Returns why waiting is not possible here, in hosts that restrict it.
local function refusal()
  local loop = scheduler.loop()
  if loop and loop.refusal and (loop.spawn or not scheduler.current()) then return loop.refusal() end
  return nil
end

--- Raises an error where waiting is not possible.
function wait.check()
  local why = refusal()
  if why then error("ofox: " .. why, 0) end
end

-- A cancelled task that was notified may not wait again.
local function refuse(task)
  if not (task and task.cancelled and task.heard) then return end
  if scheduler.may_yield() then coroutine.yield(wait.PUT_DOWN) end
  if task.leave and not refusal() then task:leave() end
  error(wait.cancelled_error(), 0)
end

local function hear(task)
  if not (task and task.cancelled) then return end
  task.heard = true
  error(wait.cancelled_error(), 0)
end

--- Ends the wait of a task that has just been cancelled.
---@param task table
function wait.interrupt(task)
  local call, transport = task.call or task.standing_call, task.transport or task.standing_transport
  local ok, message = true, nil
  if call then ok, message = pcall(transport.cancel, transport, call) end
  scheduler.wake(task)
  if not ok then error(message, 0) end
end

-- Waits for a condition; 'yield' waits in a task.
local function for_condition(is_over, seconds, enter, leave)
  local task = scheduler.current()
  refuse(task)
  if task and task.cancelled then hear(task) end
  if is_over() then return end
  wait.check()
  if not (task and scheduler.may_yield()) then
    block.stand(function() return is_over() or task ~= nil and task.cancelled end, nil, seconds, enter, leave)
  else
    local till = seconds and clock.now() + seconds
    repeat
      enter(task)
      scheduler.yield(till and math.max(0, till - clock.now()))
      leave(task)
    until is_over() or task.cancelled or till and clock.now() >= till
  end
  hear(task)
end

--- Waits for the end of a task, at most 'seconds'.
---@param other table  its record
---@param seconds? number
function wait.for_task(other, seconds)
  for_condition(function() return other.status ~= "running" end, seconds,
    function(task)
      other.waiters = other.waiters or {}
      other.waiters[task] = true
    end, function(task) other.waiters[task] = nil end)
end

--- Waits until a group has no members, or has something to report.
---@param group {count: integer, news: boolean|nil, waiter: table|nil}
function wait.for_group(group)
  for_condition(function() return group.count == 0 or group.news == true end, nil,
    function(task) group.waiter = task end, function() group.waiter = nil end)
end

local function never() return false end
local function nothing() end

--- Waits. In a task, others run meanwhile, even with no time to wait; everywhere the
-- engine's calls continue.
---@param seconds number  negative counts as 0
function wait.sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds == math.huge then
    error("ofox.sleep: expected a finite number of seconds, got " .. require "ofox.base.describe".value(seconds), 2)
  end
  if not scheduler.is_idle() then
    for_condition(never, math.max(0, seconds), nothing, nothing)
  elseif seconds <= 0 then
    return
  elseif clock.virtual() then
    clock.virtual():advance(seconds)
  else
    wait.protect(block.sleep, nothing, seconds)
  end
end

--- May the running task continue a call? If the task was cancelled, so is the call.
---@param transport table
---@param call userdata
---@return boolean
function wait.may_go_on(transport, call)
  local task = scheduler.current()
  if not (task and task.cancelled) then return true end
  transport:cancel(call)
  refuse(task)
  task.heard = true
  return false
end

--- Waits until the state of a call changes, at most 'max' seconds. Without 'max' it may
-- return earlier: the caller checks again.
---@param transport table
---@param call userdata
---@param max? number
function wait.call(transport, call, max)
  local task = current()
  if task and task.cancelled and not wait.may_go_on(transport, call) then return end
  if not task and scheduler.is_idle() then
    block.for_call(transport, call, max)
  elseif may_yield() then
    yield_for(transport, call, max)
  else
    local state = call:state()
    if task then task.standing_call, task.standing_transport = call, transport end
    block.stand(function() return call:state() ~= state end, transport, max,
      function(stander) awaited.watch(transport, call, stander) end, awaited.unwatch)
    if task then task.standing_call, task.standing_transport = false, false end
  end
  if task and task.cancelled then
    transport:cancel(call) -- its news may have preceded the cancellation
    task.heard = call:failed()
  end
end

--- Resumes the running task in the next step. If it is cancelled before, so is the call,
-- whose failure reports it.
---@param transport table
---@param call userdata
function wait.pause(transport, call)
  local task = scheduler.current()
  task.standing_call, task.standing_transport = call, transport
  coroutine.yield()
  task.standing_call, task.standing_transport = false, false
  if task.cancelled then task.heard = call:failed() end
end

--- Closes something when the running task ends, for whatever reason, unless it is
-- released before.
---@param closer fun()
---@return fun() release
function wait.own(closer)
  local task = scheduler.current()
  if not task then return nothing end
  local owned = task.owned
  owned[closer] = true
  return function() owned[closer] = nil end
end

local PCALL_HOLDS = lua.PCALL_HOLDS

--- Calls fn with the arguments after undo; if it raises, calls undo and raises again.
---@param fn fun(...: any): any, any
---@param undo fun(first: any, err: any)  'err': what was raised; nil at the end of a task
---@param ... any  undo gets the first of them
---@return any, any
function wait.protect(fn, undo, ...)
  if PCALL_HOLDS and block.is_by_loop() then
    return fn(...) -- what it leaves behind on an error is garbage-collected
  elseif PCALL_HOLDS and scheduler.may_yield() then
    -- nothing between here and the end of the task catches an error
    local first = ...
    local release = wait.own(function() undo(first) end)
    local value, more = fn(...)
    release()
    return value, more
  end
  local ok, value, more = pcall(fn, ...)
  if not ok then
    value = interrupt.caught(value)
    undo((...), value)
    interrupt.raise(value)
  end
  return value, more
end

return wait
