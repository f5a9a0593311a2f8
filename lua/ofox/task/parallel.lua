--- Concurrent functions: all of a list, one function over the items of a list, or as
-- many as needed until one succeeds. Each call is a task; they start in order, when
-- there is room, so that no more of them exist than run.
-- Knows nothing of how tasks run.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local lifecycle = require "ofox.task.lifecycle"
local scheduler = require "ofox.task.scheduler"
local wait = require "ofox.task.wait"

local unpack = require "ofox.base.lua".unpack

local parallel = {}

-- The tasks of one such call. It is the group that the caller waits for.
local Crew = {}
Crew.__index = Crew

-- 'job' returns the function for an index and its arguments; 'ended' is called with the
-- crew, an index and the results, as task:wait returns them, until the crew stops.
local function crew_of(size, options, job, ended)
  local outer = scheduler.current()
  return setmetatable({
    size = size, limit = options.limit or size, job = job, ended = ended, on_result = options.on_result,
    group = outer and outer.group, began = 0, count = 0, members = {}, results = {}, arrived = {}, news = false,
    stopped = false, launching = false, failed = false,
  }, Crew)
end

-- No more start, and the running ones are cancelled; even if memory runs out.
function Crew:stop()
  self.stopped = true
  for i = 1, self.began do
    if self.members[i] then pcall(lifecycle.cancel, self.members[i]) end
  end
end

-- Only the first error is raised.
function Crew:fail(err)
  if not self.failed then self.failed, self.err = true, err end
  self:stop()
end

-- One has ended: another may start now.
function Crew:take(i, results)
  if not self.stopped then
    if self.on_result then
      self.arrived[#self.arrived + 1] = { i = i, results = results }
      self.news = true
    end
    self:ended(i, results)
  end
  if not self.launching then self:launch() end
end

-- If that fails, for lack of memory, its crew must not wait for it. The remaining work
-- is done when it is called again.
local function observer_of(crew, i)
  local has_left = false
  return function(record)
    if not has_left then has_left, crew.count = true, crew.count - 1 end
    record.asked = true
    if crew.members[i] ~= nil then
      local ok, message = pcall(crew.take, crew, i, record.results)
      if not ok then crew:fail(message) end
      crew.members[i] = nil
    end
    if crew.waiter and (crew.count == 0 or crew.news) then scheduler.wake(crew.waiter) end
  end
end

-- A replacement for one that has ended starts at its turn: others run between tasks that
-- never wait.
local function start(crew, i, observer)
  return lifecycle.start(crew.group, observer, i > crew.limit, crew.job(i))
end

local function begin_next(crew)
  local i = crew.began + 1
  local observer = observer_of(crew, i)
  crew.members[i] = false -- from here on, recording the task needs no memory
  crew.began, crew.count = i, crew.count + 1
  local ok, record = pcall(start, crew, i, observer)
  if not ok then
    crew.count = crew.count - 1
    error(record, 0)
  end
  if record.status ~= "running" then return end
  crew.members[i] = record
  if crew.stopped then lifecycle.cancel(record) end -- meanwhile
end

-- Starts as many as allowed.
function Crew:launch()
  self.launching = true
  while self.began < self.size and not self.stopped and self.count < self.limit do
    local ok, message = pcall(begin_next, self)
    if not ok then self:fail(message) end
  end
  self.launching = false
end

-- Reports results to the program. Its callback may wait; more results may arrive
-- meanwhile. Its error takes precedence over a task's: it would be lost otherwise.
function Crew:tell()
  while self.news do
    local list = self.arrived
    self.arrived, self.news = {}, false
    for _, one in ipairs(list) do
      local ok, err = pcall(self.on_result, one.i, unpack(one.results, 1, one.results.n))
      if not ok then
        self.failed, self.err, self.news, self.on_result = true, err, false, nil
        return self:stop()
      end
    end
  end
end

local function attend(crew)
  crew:launch()
  repeat
    wait.for_group(crew)
    crew:tell()
  until crew.count == 0 and not crew.news
end

local function abandon(crew)
  crew:stop()
  scheduler.flush()
end

-- Runs all to their end, or raises the error that has stopped them. If the wait is
-- aborted, all of them end; in a task that has been cancelled none starts.
function Crew:finish()
  wait.for_group(self)
  local release = wait.own(function() abandon(self) end)
  wait.protect(attend, abandon, self)
  release()
  if self.failed then error(self.err, 0) end
end

-- Did a function fail, either by raising or by returning nil and an error? Returns the
-- error, too.
local function failure(results)
  if not results[1] then return true, results[2] end
  if results[2] == nil and results[3] ~= nil then return true, results[3] end
  return false
end

-- Checks of the arguments

local function got(value)
  return value == nil and "nil" or "a " .. type(value)
end

local function check_functions(list)
  if type(list) ~= "table" then return "list: expected a list of functions, got " .. got(list) end
  for i = 1, #list do
    if not lifecycle.is_callable(list[i]) then
      return ("list[%d]: expected a function, got %s"):format(i, describe.value(list[i]))
    end
  end
  return nil
end

local OPTIONS = {
  limit = { "an integer from 1 on", function(value)
    return type(value) == "number" and value >= 1 and value % 1 == 0
  end },
  stop_on_error = { "true or false", function(value) return type(value) == "boolean" end },
  on_result = { "a function", lifecycle.is_callable },
}

-- 'names': the options allowed here.
local function check_options(options, names)
  if options == nil then return nil end
  if type(options) ~= "table" then return "options: expected a table, got " .. describe.value(options) end
  for name in pairs(options) do
    if not (OPTIONS[name] and names:find(name, 1, true)) then return "options: unknown option " .. tostring(name) end
  end
  for name in names:gmatch("%S+") do
    local value, expected, holds = options[name], OPTIONS[name][1], OPTIONS[name][2]
    if value ~= nil and not holds(value) then
      return ("options.%s: expected %s, got %s"):format(name, expected, describe.value(value))
    end
  end
  return nil
end

-- Runs the jobs of a list to their end. 'into' gets the results as they come.
local function collect(size, options, job, into)
  wait.check()
  options = options or {}
  local crew = crew_of(size, options, job, function(self, i, results)
    self.results[i] = results
    if not options.stop_on_error then return end
    local failed, err = failure(results)
    if failed then self:fail(err) end
  end)
  crew.results = into or crew.results
  for i = 1, size do crew.results[i] = false end -- so that it is a list from the start
  crew.on_cancel = function() crew:stop() end -- the token does not keep it
  local forget = options.cancel and options.cancel:on_cancel_if_held(crew.on_cancel)
  crew:finish()
  if forget then forget() end
  return crew.results
end

--- For other parts of ofox: like map, with a job for each number up to 'size'.
---@param results table  gets each result when it arrives; false: there is none
---@param size integer
---@param options {limit?: integer, stop_on_error?: boolean, on_result?: function, cancel?: ofox.CancelToken}
--   as for map; a token that is cancelled ends it early, without an error
---@param job fun(i: integer): function, ...  returns what runs, and its arguments
function parallel.into(results, size, options, job)
  collect(size, options, job, results)
end

local OF_ALL = "limit stop_on_error"

--- Runs functions concurrently and waits for all of them.
---@param list (fun(): ...)[]
---@param options? {limit?: integer, stop_on_error?: boolean}  'limit': how many run
--   at a time; 'stop_on_error': the first failure (raised, or returned as
--   nil, err) cancels the rest and is raised
---@return table[] results  in order: {ok, ..., n = count}, as task:wait() returns them
function parallel.all(list, options)
  local problem = check_functions(list) or check_options(options, OF_ALL)
  if problem then error("ofox.all: " .. problem, 2) end
  local results = collect(#list, options, function(i) return list[i] end)
  return results
end

local OF_MAP = "limit stop_on_error on_result"

--- Calls a function with each item of a list, concurrently, and waits for all calls.
-- Items are read when their turn comes.
---@generic T
---@param list T[]  items may be false; the list ends where # says
---@param fn fun(item: T, i: integer): ...
---@param options? {limit?: integer, stop_on_error?: boolean, on_result?: fun(i: integer, ok: boolean, ...: any)}
--   as for ofox.all; 'on_result' is called with each result when it arrives, one
--   after the other, in the caller of ofox.map; it may wait while the others
--   continue; what it raises cancels the rest and is raised
---@return table[] results  in order of the list: {ok, ..., n = count}, as task:wait() returns them
function parallel.map(list, fn, options)
  local problem = type(list) ~= "table" and "list: expected a list, got " .. got(list)
    or not lifecycle.is_callable(fn) and "fn: expected a function, got " .. got(fn) or check_options(options, OF_MAP)
  if problem then error("ofox.map: " .. problem, 2) end
  local results = collect(#list, options, function(i) return fn, list[i], i end)
  return results
end

local OF_ANY = "limit"

--- Runs functions concurrently until one succeeds: it neither raises nor returns nil
-- and an error. The others are cancelled, and have ended when this returns.
---@param list (fun(): ...)[]  at least one
---@param options? {limit?: integer}  how many run at a time; the next starts when one has failed
---@return any ...  the results of the first to succeed; if none does, the last failure is raised
function parallel.any(list, options)
  local problem = check_functions(list) or check_options(options, OF_ANY)
    or #list == 0 and "list: expected at least one function, got an empty list"
  if problem then error("ofox.any: " .. problem, 2) end
  wait.check()
  local failed, last, won
  local crew = crew_of(#list, options or {}, function(i) return list[i] end, function(self, _, results)
    failed, last = failure(results)
    if failed then return end
    won = results
    self:stop()
  end)
  crew:finish()
  if not won then error(last, 0) end
  return unpack(won, 2, won.n)
end

return parallel
