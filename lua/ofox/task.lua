--- Tasks: functions that run side by side, each written as straight calls.
-- Who runs when is the scheduler's affair.
local check = require "ofox.check"
local errors = require "ofox.errors"
local failures = require "ofox.failures"
local scheduler = require "ofox.scheduler"
local wait = require "ofox.wait"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local close_thread = coroutine.close -- luacheck: ignore 143 (Lua 5.4)

local task = {}

---@class ofox.Task
local Task = {}
Task.__index = Task
Task.__name = "ofox.task"

-- The key of a handle's only field that counts: a function that gives the
-- record of its task. A record never refers to the handle, so that it shows
-- when nobody has it any more.
local RECORD = {}

local function pack(...)
  return { n = select("#", ...), ... }
end

local function record_of(self, who)
  local get = type(self) == "table" and rawget(self, RECORD)
  if not get then error(("%s: expected a task before the dot; call it with a colon, %s(…)"):format(who, who), 3) end
  return get()
end

local function check_function(who, fn)
  local meta = type(fn) ~= "function" and getmetatable(fn)
  if type(fn) == "function" or type(meta) == "table" and meta.__call ~= nil then return end
  error(("%s: fn: expected a function, got %s"):format(who, fn == nil and "nil" or "a " .. type(fn)), 3)
end

-- Tables have no __gc before Lua 5.2.
local newproxy = rawget(_G, "newproxy")

local function handle_of(record)
  local handle = { [RECORD] = function() return record end }
  if newproxy and _VERSION == "Lua 5.1" then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() failures.dropped(record) end
    handle[Task] = proxy
  end
  return setmetatable(handle, Task)
end

if not (newproxy and _VERSION == "Lua 5.1") then
  function Task:__gc() failures.dropped(rawget(self, RECORD)()) end
end

-- The end

local function call_back(record, fn)
  local found, results = {}, record.results
  local ok, err = xpcall(function() fn(unpack(results, 1, results.n)) end, failures.catcher(found))
  if ok then return end
  failures.report(record.settings, "a function given to task:on_done failed", err, found.where, found.traceback)
end

local function close_owned(record, owned)
  for closer in pairs(owned) do
    local ok, message = pcall(closer)
    if not ok then failures.report(record.settings, "what a task had opened could not be closed", message) end
  end
end

local NOTHING = {}

-- First what others count on, which takes no memory; then what may fail.
local function finish(record, status, results)
  local owned, waiters, listeners, group = record.owned, record.waiters, record.listeners, record.group
  record.status, record.results = status, results
  record.thread, record.start = nil, nil
  record.owned, record.waiters, record.listeners = NOTHING, NOTHING, NOTHING
  scheduler.count(-1)
  if group then
    group.count = group.count - 1
    group.members[record] = nil
    if group.count == 0 and group.waiter then scheduler.wake(group.waiter) end
  end
  for waiter in pairs(waiters) do scheduler.wake(waiter) end
  close_owned(record, owned)
  if record.observer then record.observer(record) end
  for _, fn in ipairs(listeners) do call_back(record, fn) end
  local loop = scheduler.loop()
  if status == "failed" and not record.asked and loop and loop.failed then loop.failed(record) end
  if record.dropped then failures.tell(record) end
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

local function run_on(record)
  local args = record.start
  record.start = nil
  if args then return pack(coroutine.resume(record.thread, unpack(args, 1, args.n))) end
  return pack(coroutine.resume(record.thread))
end

-- It has come to its end by itself. 'thread': where its stack still is.
local function conclude(record, results, thread)
  if results[1] then return finish(record, "done", results) end
  local cancelled = record.cancelled and errors.is(results[2], "cancelled_error")
  if not cancelled then failures.note(record, results[2], thread) end
  finish(record, cancelled and "cancelled" or "failed", results)
end

local function go_on(record)
  local thread = record.thread
  if not thread then return end -- it has been ended meanwhile
  local ok, results = scheduler.resume(record, run_on)
  if not ok and not tostring(results):find("not enough memory", 1, true) then error(results, 0) end
  if not ok then results = NO_MEMORY end
  if coroutine.status(thread) == "dead" then
    conclude(record, results, thread)
  elseif results[2] == wait.PUT_DOWN then
    put_down(record, "cancelled", pack(false, wait.cancelled_error()))
  elseif not ok and not record.waiting then
    put_down(record, "failed", NO_MEMORY)
  elseif not record.waiting then
    scheduler.enqueue(record) -- a yield of the program's own lets others run
  end
end

-- In a thread of the host's own, from the task's beginning to its end.
local function run_thread(record, fn, ...)
  local results = pack(xpcall(fn, failures.catcher(record), ...))
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

-- Starts a task; of a group if it belongs to a run. 'observer' is called with
-- its record when it ends.
local function start(group, observer, fn, ...)
  failures.tell_dropped()
  local loop = scheduler.loop()
  local is_hosted = loop ~= nil and loop.spawn ~= nil
  if is_hosted then wait.check() end
  local record = {
    status = "running", thread = not is_hosted and coroutine.create(fn) or nil, start = pack(...), go_on = go_on,
    group = group, observer = observer, waiters = {}, listeners = {}, owned = {}, cancelled = false, waiting = false,
    heard = false, next_ready = false, is_ready = false, is_served = false, round = 0,
  }
  if group then
    group.members[record] = true
    group.count = group.count + 1
  end
  scheduler.count(1)
  if is_hosted then
    record.abandon, record.leave = abandon_thread, leave_thread
    loop.spawn(record, run_thread, fn, ...)
  elseif scheduler.is_deep() then
    scheduler.enqueue(record)
  else
    go_on(record)
  end
  return record
end

-- Cancels a task. Its wait, if it is in one, is over at once.
local function cancel(record)
  if record.cancelled or record.status ~= "running" then return false end
  record.cancelled = true
  wait.interrupt(record)
  return true
end

-- Each of them, also when memory ends. None runs on before its turn, so that
-- the table stays as it is.
local function cancel_all(records)
  for record in pairs(records) do pcall(cancel, record) end
end

-- The public part

--- Starts a function as a task, at once: it runs until it first waits.
---@param fn fun(...: any): ...
---@param ... any  given to fn
---@return ofox.Task
function task.go(fn, ...)
  check_function("ofox.go", fn)
  local outer = scheduler.current()
  return handle_of(start(outer and outer.group, nil, fn, ...))
end

--- Waits for the task's end, at most 'seconds'. Nothing is raised but the
-- cancelling of the task that waits.
---@param seconds? number  no limit if absent
---@return boolean|nil ok  true: its results follow; false: its error follows; nil: the time is over
---@return any ...
function Task:wait(seconds)
  local record = record_of(self, "task:wait")
  if seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    error("task:wait: seconds: expected a number >= 0, got " .. check.describe(seconds), 2)
  end
  if record == scheduler.current() then error("task:wait: a task cannot wait for itself", 2) end
  wait.for_task(record, seconds)
  if record.status == "running" then return nil end
  record.asked = true
  return unpack(record.results, 1, record.results.n)
end

--- Cancels the task: the wait it is in, or its next one, raises a
-- CancelledError there, and its call is broken off.
---@return boolean  whether it made a difference
function Task:cancel()
  return cancel(record_of(self, "task:cancel"))
end

---@return "running"|"done"|"failed"|"cancelled"
function Task:status()
  return record_of(self, "task:status").status
end

--- Has a function called once when the task has ended; at once if it has.
---@param fn fun(ok: boolean, ...: any)  what wait() gives
---@return ofox.Task self
function Task:on_done(fn)
  local record = record_of(self, "task:on_done")
  check_function("task:on_done", fn)
  record.asked = true
  if record.status == "running" then
    record.listeners[#record.listeners + 1] = fn
  else
    call_back(record, fn)
  end
  return self
end

--- The same as cancel().
Task.close = Task.cancel

--- Has it ended, or been cancelled?
---@return boolean
function Task:is_closing()
  local record = record_of(self, "task:is_closing")
  return record.cancelled or record.status ~= "running"
end

function Task:__tostring()
  return "ofox.task: " .. record_of(self, "task").status
end

local function abandon(group)
  cancel_all(group.members)
  scheduler.flush()
end

-- Waits for the end of all tasks of a group; if that is broken off, so are they.
local function wait_for_group(group)
  wait.protect(wait.for_group, abandon, group)
end

local function deliver(record)
  record.asked = true
  local results = record.results
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

--- Runs a function as a task, and returns what it returns, or raises what it
-- raises, when it and all tasks that were started in it have ended.
---@param fn fun(...: any): ...
---@param ... any  given to fn
---@return any ...
function task.run(fn, ...)
  check_function("ofox.run", fn)
  wait.check()
  local group = { count = 0, members = {} }
  local record = start(group, nil, fn, ...)
  wait_for_group(group)
  return deliver(record)
end

local function check_all(list, options)
  if type(list) ~= "table" then return "list: expected a list of functions, got a " .. type(list) end
  for i = 1, #list do
    if type(list[i]) ~= "function" then
      return ("list[%d]: expected a function, got %s"):format(i, check.describe(list[i]))
    end
  end
  if options == nil then return nil end
  if type(options) ~= "table" then return "options: expected a table, got " .. check.describe(options) end
  for name in pairs(options) do
    if name ~= "limit" and name ~= "stop_on_error" then return "options: unknown option " .. tostring(name) end
  end
  local limit = options.limit
  if limit ~= nil and not (type(limit) == "number" and limit >= 1 and limit % 1 == 0) then
    return "options.limit: expected an integer from 1 on, got " .. check.describe(limit)
  end
  if options.stop_on_error ~= nil and type(options.stop_on_error) ~= "boolean" then
    return "options.stop_on_error: expected true or false, got " .. check.describe(options.stop_on_error)
  end
  return nil
end

-- The error of a function's results, if it failed in either way.
local function failure(results)
  if not results[1] then return results[2] end
  if results[2] == nil and errors.is(results[3]) then return results[3] end
  return nil
end

--- Runs functions side by side and waits for all of them.
---@param list (fun(): ...)[]
---@param options? {limit?: integer, stop_on_error?: boolean}  'limit': so many
--   at a time; 'stop_on_error': the first failure (raised, or returned as
--   nil, err) cancels the rest and is raised
---@return table[] results  in order: {ok, ..., n = count}, as task:wait() gives them
function task.all(list, options)
  local problem = check_all(list, options)
  if problem then error("ofox.all: " .. problem, 2) end
  wait.check()
  options = options or {}
  local count, results, began, launching = #list, {}, 0, false
  local failed, first_error = false, nil
  local limit, outer = options.limit or #list, scheduler.current()
  local running = { count = 0, members = {} }
  for i = 1, count do results[i] = false end

  local function fail(err)
    if failed then return end
    failed, first_error = true, err
    cancel_all(running.members)
  end

  local launch

  -- One has ended: another may run now.
  local function ended(i, record)
    running.members[record] = nil
    results[i] = record.results
    record.asked = true
    local err = options.stop_on_error and failure(record.results)
    if err then fail(err) end
    if not launching then launch() end
  end

  -- Should that fail, for want of memory, nobody must wait for it.
  local function observer_of(i)
    return function(record)
      running.count = running.count - 1
      local ok, message = pcall(ended, i, record)
      if not ok then fail(message) end
      if running.count == 0 and running.waiter then scheduler.wake(running.waiter) end
    end
  end

  -- Starts as many as may run.
  function launch()
    launching = true
    while began < count and not failed and running.count < limit do
      began = began + 1
      local observer = observer_of(began)
      running.count = running.count + 1
      local ok, record = pcall(start, outer and outer.group, observer, list[began])
      if not ok then
        running.count = running.count - 1
        fail(record)
      elseif record.status == "running" then
        running.members[record] = true
        if failed then cancel(record) end -- meanwhile
      end
    end
    launching = false
  end

  launch()
  wait_for_group(running)
  if failed then error(first_error, 0) end
  return results
end

return task
