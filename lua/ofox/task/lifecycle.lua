--- The life of a task, from its start to its end: its record, which is all that remains
-- when the program has dropped its handle.
-- Does not know whose turn it is, nor the handle.
require "ofox.base.uncompiled" ()
local errors = require "ofox.errors"
local interrupt = require "ofox.task.interrupt"
local unhandled = require "ofox.task.unhandled"
local lua = require "ofox.base.lua"
local memory = require "ofox.base.memory"
local scheduler = require "ofox.task.scheduler"
local wait = require "ofox.task.wait"

local unpack = lua.unpack
local resume_as = scheduler.resume
local resume, status_of = coroutine.resume, coroutine.status
local close_thread = coroutine.close -- luacheck: ignore 143 (Lua 5.4)

local lifecycle = {}

local function pack(...)
  return { n = select("#", ...), ... }
end

--- Can the value be called?
---@param value any
---@return boolean
function lifecycle.is_callable(value)
  local meta = type(value) ~= "function" and getmetatable(value)
  return type(value) == "function" or type(meta) == "table" and meta.__call ~= nil
end

-- The end

--- Calls a function with the results of a task that has ended.
---@param record table
---@param fn function
function lifecycle.call_back(record, fn)
  local found, results, begun = {}, record.results, false
  local function call(...)
    begun = true
    fn(...)
  end
  local ok, err = xpcall(function() call(unpack(results, 1, results.n)) end, unhandled.catcher(found))
  if ok then return end
  if not begun then error(err, 0) end
  pcall(unhandled.report, record.settings, "a task:on_done callback failed", err, found.where, found.traceback)
end

local function close_owned(record)
  local owned = record.owned
  for closer in pairs(owned) do
    local ok, message = pcall(closer)
    owned[closer] = nil
    if not ok then unhandled.report(record.settings, "a resource of a task could not be closed", message) end
  end
end

local NOTHING = {}

-- A task is counted from here on, or not at all if memory is short.
local function enter(record)
  local group = record.group
  if group then group.members[record] = true end
  scheduler.count(1)
  record.is_alive = true
  if group then group.count = group.count + 1 end
end

local function leave(record)
  if not record.is_alive then return end
  local group = record.group
  scheduler.count(-1)
  record.is_alive = false
  if group then
    group.count = group.count - 1
    group.members[record] = nil
  end
end

-- Notifies everything that depends on the end of a task. If memory runs out, the next
-- call does the rest.
local function tell(record)
  local group, listeners, loop = record.group, record.listeners, scheduler.loop()
  if group and group.count == 0 and group.waiter then scheduler.wake(group.waiter) end
  if record.waiters then
    for waiter in pairs(record.waiters) do scheduler.wake(waiter) end
    record.waiters = NOTHING
  end
  close_owned(record)
  if record.observer then record.observer(record) end
  record.observer = nil
  while listeners and listeners[1] do
    lifecycle.call_back(record, listeners[1])
    table.remove(listeners, 1)
  end
  if record.status == "failed" and not record.asked and loop and loop.failed then loop.failed(record) end
  if record.dropped then unhandled.tell(record) end
end

-- First the steps that need no memory and that others depend on; then those that may fail.
local function finish(record, status, results)
  leave(record)
  record.status, record.results = status, results
  record.thread, record.start = nil, false
  tell(record)
end

-- Ends a task that has not ended by itself.
local function put_down(record, status, results)
  local thread = record.thread
  if close_thread then pcall(close_thread, thread) end
  finish(record, status, results)
end

-- The result of a task if there is no memory to continue it, or for its own result.
local NO_MEMORY = pack(false, "not enough memory")

-- The result of a task's turn that goes no further.
local PUT_DOWN = pack(true, wait.PUT_DOWN)

-- The result of a task's turn that ends with a wait.
local YIELDED = pack(true)

-- Packs the result of a turn, as coroutine.resume returns it.
local function turn_of(thread, ...)
  if status_of(thread) == "dead" then return pack(...) end
  local _, first = ...
  return first == wait.PUT_DOWN and PUT_DOWN or YIELDED
end

-- Resumes a task, unless its last turn was not fully processed. Returns the result of
-- that turn.
local function run_on(record)
  if record.turn then return record.turn end
  if not record.is_alive then return NOTHING end
  local args = record.start
  if args and record.cancelled then return PUT_DOWN end
  local thread = record.thread
  if not args then return turn_of(thread, resume(thread)) end
  record.start = false
  return turn_of(thread, resume(thread, unpack(args, 1, args.n)))
end

-- The task has ended by itself. 'thread': the thread that still has its stack.
local function conclude(record, results, thread)
  if results[1] then return finish(record, "done", results) end
  results[2] = interrupt.caught(results[2])
  local cancelled = record.cancelled and errors.is(results[2], "cancelled_error")
  if not cancelled then unhandled.note(record, results[2], thread) end
  finish(record, cancelled and "cancelled" or "failed", results)
end

local function begin(record)
  enter(record)
  return run_on(record)
end

-- Processes the result of a task's turn.
local function settle(record)
  local results, thread = record.turn, record.thread
  if record.status ~= "running" then
    tell(record)
  elseif not record.is_alive then
    return -- it could not be started
  elseif results ~= YIELDED and status_of(thread) == "dead" then
    conclude(record, results, thread)
  elseif results == PUT_DOWN then
    put_down(record, "cancelled", pack(false, wait.cancelled_error()))
  elseif results == NO_MEMORY and not record.waiting then
    put_down(record, "failed", NO_MEMORY)
  elseif not record.waiting then
    scheduler.enqueue(record) -- the program itself has yielded: others run
  end
  scheduler.changed()
  record.turn = false
end

-- Raises nothing for lack of memory once the task has begun: its next turn does the
-- rest. In that case it returns the message.
local function end_turn(record, ok, results)
  if not ok and not (record.is_alive and memory.is_short(tostring(results))) then
    error(interrupt.caught(results), 0)
  end
  record.turn = ok and results or NO_MEMORY
  local settled, message = pcall(settle, record)
  if settled then return nil end
  pcall(scheduler.enqueue, record)
  if not memory.is_short(message) then error(message, 0) end
  return message
end

local function take_turn(record, run)
  return end_turn(record, resume_as(record, run))
end

-- Runs in a step, at whose end others are notified of changes.
local function go_on(record)
  local ok, results = resume_as(record, run_on)
  if ok and results == YIELDED and record.waiting then
    record.turn = false
    return
  end
  local message = end_turn(record, ok, results)
  if message then error(message, 0) end -- to the waiter
end

-- Runs in a thread of the host, from the task's beginning to its end.
local function run_thread(record, fn, ...)
  local results = pack(xpcall(fn, unhandled.catcher(record), ...))
  if record.status ~= "running" then return end -- it was considered lost
  conclude(record, results)
end

-- The host has ended the thread of a task: nothing of it runs any more.
local function abandon_thread(record)
  if record.status ~= "running" then return end
  record.listeners, record.observer, record.asked = NOTHING, nil, true
  finish(record, "cancelled", pack(false, wait.cancelled_error()))
end

-- Ends the running task if its thread belongs to the host. Does not return.
local function leave_thread(record)
  put_down(record, "cancelled", pack(false, wait.cancelled_error()))
  scheduler.loop().leave(record)
end

-- Not every callable value can be the function of a thread.
local function thread_of(fn)
  if type(fn) == "function" and not (lua.THREADS_RUN_LUA_ONLY and debug.getinfo(fn, "S").what == "C") then
    return coroutine.create(fn)
  end
  return coroutine.create(function(...) return fn(...) end)
end

local function begin_later(record)
  enter(record)
  scheduler.enqueue(record)
end

-- Starts a task other than by a turn here.
local function have_begin(record, how, ...)
  local ok, message = pcall(how, ...)
  if ok then return end
  leave(record)
  error(message, 0)
end

--- Starts a task. If this raises an error, no task exists.
---@param group table|nil  of the ofox.run that it belongs to
---@param observer fun(record: table)|nil  called when it has ended
---@param later boolean  it starts at its turn, not here
---@param fn function
---@param ... any  given to fn
---@return table record
function lifecycle.start(group, observer, later, fn, ...)
  unhandled.tell_dropped()
  local loop = scheduler.loop()
  local is_hosted = loop ~= nil and loop.spawn ~= nil
  if is_hosted then wait.check() end
  local record = {
    status = "running", thread = not is_hosted and thread_of(fn) or nil, start = pack(...), go_on = go_on,
    group = group, observer = observer, waiters = false, listeners = false, owned = {}, cancelled = false,
    waiting = false, heard = false, next_ready = false, is_ready = false, held = false, round = 0, is_alive = false,
    turn = false, note = false, call = false, transport = false, standing_call = false, standing_transport = false,
  }
  if is_hosted then
    record.abandon, record.leave = abandon_thread, leave_thread
    enter(record)
    have_begin(record, loop.spawn, record, run_thread, fn, ...)
  elseif later or scheduler.is_deep() then
    have_begin(record, begin_later, record)
  else
    take_turn(record, begin)
  end
  return record
end

--- Cancels a task. If it is waiting, the wait ends immediately; if it has not started,
-- it never does.
---@param record table
---@return boolean  whether it made a difference
function lifecycle.cancel(record)
  if record.cancelled or record.status ~= "running" then return false end
  record.cancelled = true
  wait.interrupt(record)
  return true
end

--- Cancels each of them, even if memory runs out. None resumes before its turn, so the
-- table does not change meanwhile.
---@param records table<table, any>
function lifecycle.cancel_all(records)
  for record in pairs(records) do pcall(lifecycle.cancel, record) end
end

return lifecycle
