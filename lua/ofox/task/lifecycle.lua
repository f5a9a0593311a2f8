--- The life of a task, from its start to its end: its record, which is all that
-- is left when the program has dropped its handle.
-- Does not know whose turn it is, nor the handle.
require "ofox.base.uncompiled" ()
local errors = require "ofox.errors"
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
  pcall(unhandled.report, record.settings, "a function given to task:on_done failed", err, found.where, found.traceback)
end

local function close_owned(record)
  local owned = record.owned
  for closer in pairs(owned) do
    local ok, message = pcall(closer)
    owned[closer] = nil
    if not ok then unhandled.report(record.settings, "what a task had opened could not be closed", message) end
  end
end

local NOTHING = {}

-- A task is counted from here on, or not at all, where memory ends.
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

-- Lets all know who count on the end of a task. Where memory ends on the way,
-- the next time does what is left.
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

-- First what others count on, which takes no memory; then what may fail.
local function finish(record, status, results)
  leave(record)
  record.status, record.results = status, results
  record.thread, record.start = nil, false
  tell(record)
end

-- Ends a task that has not come to its end.
local function put_down(record, status, results)
  local thread = record.thread
  if close_thread then pcall(close_thread, thread) end
  finish(record, status, results)
end

-- What a task ends with when there is no memory to go on, or for what it ended
-- with.
local NO_MEMORY = pack(false, "not enough memory")

-- What the turn of a task gives that goes no further.
local PUT_DOWN = pack(true, wait.PUT_DOWN)

-- What the turn of a task gives that ends with a wait.
local YIELDED = pack(true)

-- What a turn has given, from what coroutine.resume does.
local function turn_of(thread, ...)
  if status_of(thread) == "dead" then return pack(...) end
  local _, first = ...
  return first == wait.PUT_DOWN and PUT_DOWN or YIELDED
end

-- Has a task run on, unless its last turn was not done with. Returns what that
-- has given.
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

-- It has come to its end by itself. 'thread': where its stack still is.
local function conclude(record, results, thread)
  if results[1] then return finish(record, "done", results) end
  local cancelled = record.cancelled and errors.is(results[2], "cancelled_error")
  if not cancelled then unhandled.note(record, results[2], thread) end
  finish(record, cancelled and "cancelled" or "failed", results)
end

local function begin(record)
  enter(record)
  return run_on(record)
end

-- Does what follows from what the turn of a task has given.
local function settle(record)
  local results, thread = record.turn, record.thread
  if record.status ~= "running" then
    tell(record)
  elseif not record.is_alive then
    return -- its start has failed
  elseif results ~= YIELDED and status_of(thread) == "dead" then
    conclude(record, results, thread)
  elseif results == PUT_DOWN then
    put_down(record, "cancelled", pack(false, wait.cancelled_error()))
  elseif results == NO_MEMORY and not record.waiting then
    put_down(record, "failed", NO_MEMORY)
  elseif not record.waiting then
    scheduler.enqueue(record) -- a yield of the program's own lets others run
  end
  scheduler.changed()
  record.turn = false
end

-- Raises nothing for want of memory once the task has begun: its next turn does
-- what is left. Then returns the message.
local function end_turn(record, ok, results)
  if not ok and not (record.is_alive and memory.is_short(tostring(results))) then error(results, 0) end
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

-- In a step, at whose end others hear of what has changed.
local function go_on(record)
  local ok, results = resume_as(record, run_on)
  if ok and results == YIELDED and record.waiting then
    record.turn = false
    return
  end
  local message = end_turn(record, ok, results)
  if message then error(message, 0) end -- to who waits
end

-- In a thread of the host's own, from the task's beginning to its end.
local function run_thread(record, fn, ...)
  local results = pack(xpcall(fn, unhandled.catcher(record), ...))
  if record.status ~= "running" then return end -- it was given up for lost
  conclude(record, results)
end

-- The host has ended the thread of a task: nothing of it runs any more.
local function abandon_thread(record)
  if record.status ~= "running" then return end
  record.listeners, record.observer, record.asked = NOTHING, nil, true
  finish(record, "cancelled", pack(false, wait.cancelled_error()))
end

-- Ends the running task where its thread is the host's own. Does not return.
local function leave_thread(record)
  put_down(record, "cancelled", pack(false, wait.cancelled_error()))
  scheduler.loop().leave(record)
end

-- Not all that can be called can be the function of a thread.
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

-- Begins a task in another way than by a turn here.
local function have_begin(record, how, ...)
  local ok, message = pcall(how, ...)
  if ok then return end
  leave(record)
  error(message, 0)
end

--- Starts a task. Where this raises an error, there is none.
---@param group table|nil  of the run that it belongs to
---@param observer fun(record: table)|nil  called when it has ended
---@param later boolean  it begins at its turn, not here
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

--- Cancels a task. Its wait, if it is in one, is over at once; if it has not
-- begun, it never does.
---@param record table
---@return boolean  whether it made a difference
function lifecycle.cancel(record)
  if record.cancelled or record.status ~= "running" then return false end
  record.cancelled = true
  wait.interrupt(record)
  return true
end

--- Cancels each of them, also when memory ends. None runs on before its turn, so
-- that the table stays as it is.
---@param records table<table, any>
function lifecycle.cancel_all(records)
  for record in pairs(records) do pcall(lifecycle.cancel, record) end
end

return lifecycle
