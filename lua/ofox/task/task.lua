--- Tasks as programs see them: functions that run concurrently, each written as
-- sequential code. ofox.task.lifecycle implements their life.
local describe = require "ofox.base.describe"
local unhandled = require "ofox.task.unhandled"
local interrupt = require "ofox.task.interrupt"
local lifecycle = require "ofox.task.lifecycle"
local lua = require "ofox.base.lua"
local scheduler = require "ofox.task.scheduler"
local parallel = require "ofox.task.parallel"
local wait = require "ofox.task.wait"

local unpack = lua.unpack

local task = { all = parallel.all, map = parallel.map, any = parallel.any }

---@class ofox.Task
local Task = {}
Task.__index = Task
Task.__name = "ofox.task"

-- The key of a handle's main field: a function that returns the record of its task. A
-- record never refers to the handle, so that it is noticed when the program drops the
-- handle.
local RECORD = {}

local function record_of(self, who)
  local get = type(self) == "table" and rawget(self, RECORD)
  if not get then error(("%s: expected a task before the dot; call it with a colon, %s(…)"):format(who, who), 3) end
  return get()
end

local function check_function(who, fn)
  if lifecycle.is_callable(fn) then return end
  error(("%s: fn: expected a function, got %s"):format(who, fn == nil and "nil" or "a " .. type(fn)), 3)
end

-- Creates an object with a __gc, where tables have none.
local newproxy = not lua.TABLES_HAVE_GC and rawget(_G, "newproxy")

-- 'get' returns nil if the task could not be started.
local function drop(get)
  local record = get()
  if record then unhandled.dropped(record) end
end

local function handle_of(get)
  local handle = { [RECORD] = get }
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() drop(get) end
    handle[Task] = proxy
  end
  return setmetatable(handle, Task)
end

if not newproxy then
  function Task:__gc() drop(rawget(self, RECORD)) end
end

--- Starts a function as a task, immediately: it runs until it first waits.
---@param fn fun(...: any): ...
---@param ... any  given to fn
---@return ofox.Task
function task.go(fn, ...)
  check_function("ofox.go", fn)
  local outer = scheduler.current()
  local record
  local handle = handle_of(function() return record end) -- first: if memory is short, no task is left without a handle
  record = lifecycle.start(outer and outer.group, nil, false, fn, ...)
  return handle
end

--- Waits for the task's end, at most 'seconds'. Raises nothing except when the waiting
-- task is cancelled.
---@param seconds? number  no limit if absent
---@return boolean|nil ok  true: its results follow; false: its error follows; nil: timed out
---@return any ...
function Task:wait(seconds)
  local record = record_of(self, "task:wait")
  if seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    error("task:wait: seconds: expected a number >= 0, got " .. describe.value(seconds), 2)
  end
  if record == scheduler.current() then error("task:wait: a task cannot wait for itself", 2) end
  wait.for_task(record, seconds)
  if record.status == "running" then return nil end
  record.asked = true
  return unpack(record.results, 1, record.results.n)
end

--- Cancels the task: its current wait, or its next one, raises a CancelledError, and its
-- call is aborted.
---@return boolean  whether it made a difference
function Task:cancel()
  return lifecycle.cancel(record_of(self, "task:cancel"))
end

---@return "running"|"done"|"failed"|"cancelled"
function Task:status()
  return record_of(self, "task:status").status
end

--- Calls a function once when the task has ended; immediately if it already has.
---@param fn fun(ok: boolean, ...: any)  the results of wait()
---@return ofox.Task self
function Task:on_done(fn)
  local record = record_of(self, "task:on_done")
  check_function("task:on_done", fn)
  record.asked = true
  if record.status == "running" then
    record.listeners = record.listeners or {}
    record.listeners[#record.listeners + 1] = fn
  else
    lifecycle.call_back(record, fn)
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
  lifecycle.cancel_all(group.members)
  scheduler.flush()
end

-- Waits for the end of all tasks of a group; if the wait is aborted, cancels them.
local function wait_for_group(group)
  wait.protect(wait.for_group, abandon, group)
end

local function deliver(record)
  record.asked = true
  local results = record.results
  if not results[1] then interrupt.raise(results[2]) end
  return unpack(results, 2, results.n)
end

--- Runs a function as a task. When it and all tasks started in it have ended, returns
-- what it returned, or raises what it raised.
---@param fn fun(...: any): ...
---@param ... any  given to fn
---@return any ...
function task.run(fn, ...)
  check_function("ofox.run", fn)
  wait.check()
  local group = { count = 0, members = {} }
  local record = lifecycle.start(group, nil, false, fn, ...)
  wait_for_group(group)
  return deliver(record)
end

return task
