--- How event loops drive ofox: one descriptor to poll for reading, a timeout after
-- which to step even so, and a step. The names are those that cqueues, LuaSocket's
-- select and luv programs know; a self that they pass is ignored.
-- Knows no loop, and no host.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local engine = require "ofox.task.engine"
local scheduler = require "ofox.task.scheduler"

local protocol = {}

local function check_wait(seconds)
  if seconds == nil or type(seconds) == "number" and seconds >= 0 then return nil end
  return "max_wait: expected a number of seconds >= 0, got " .. describe.value(seconds)
end

-- Returns what is wrong, else the seconds and the number of events.
local function check_step(options)
  if type(options) ~= "table" then return check_wait(options), options end
  local max_wait, max_events = options.max_wait, options.max_events
  for name in pairs(options) do
    if name ~= "max_wait" and name ~= "max_events" then return "unknown option " .. tostring(name) end
  end
  if max_events ~= nil and not (type(max_events) == "number" and max_events >= 1 and max_events % 1 == 0) then
    return "max_events: expected an integer from 1 on, got " .. describe.value(max_events)
  end
  return check_wait(max_wait), max_wait or 0, max_events
end

--- Serves what is due: calls, tasks, waits.
---@param max_wait? number|{max_wait?: number, max_events?: integer}  seconds to
--   wait for an event; absent: no limit. In a table: 0 if absent; and the largest
--   number of task turns and stream events to process; the rest is done in
--   the next step
---@return boolean  whether any are left
function protocol.step(max_wait, ...)
  local problem, seconds, max_events = check_step(max_wait)
  if select("#", ...) > 0 then problem = "expected one argument, seconds or {max_wait, max_events}" end
  if problem then error("ofox.step: " .. problem, 2) end
  local loop = scheduler.loop()
  if loop and loop.drives and loop.wait and seconds ~= 0 then
    error("ofox.step: ofox runs by itself here, and a step that waits would block the host: use ofox.sleep", 2)
  end
  if scheduler.current() then
    error("ofox.step: a task waits with ofox.sleep, task:wait or a call; others run meanwhile", 2)
  end
  return scheduler.step(seconds, nil, max_events)
end

--- Returns a descriptor that is readable when step has something to do: for sockets,
-- timers and tasks. It stays the same for the life of the process; nil where the
-- system has no such thing.
---@return integer|nil
function protocol.pollfd()
  local fd = engine.get():pollfd()
  scheduler.sync()
  return fd
end

protocol.getfd = protocol.pollfd

--- What to poll the descriptor for.
---@return "r"
function protocol.events()
  return "r"
end

--- Returns the seconds until step has something to do even if the descriptor is not readable.
---@return number|nil  nil: never
function protocol.timeout()
  return scheduler.timeout()
end

--- Does step have something to do now?
---@return boolean
function protocol.dirty()
  local left = scheduler.timeout()
  return left ~= nil and left <= 0
end

--- Makes waits outside of tasks run the program's own event loop, which continues
-- meanwhile. Only allowed while there are no tasks.
---@param loop {wait: fun(seconds: number|nil)}|nil  'wait' returns when
--   ofox.pollfd() is readable or so many seconds have passed (nil: no limit);
--   or require "ofox.loop.uv"; nil restores ofox's own waiting
function protocol.use_loop(loop)
  if loop ~= nil and (type(loop) ~= "table" or type(loop.wait) ~= "function" and not loop.drives) then
    local got = type(loop) == "table" and "one without" or describe.value(loop)
    error("ofox.use_loop: loop: expected a table with a function 'wait', got " .. got, 2)
  end
  if scheduler.has_tasks() or next(scheduler.standing()) then
    error("ofox.use_loop: there are tasks already; call it before the first", 2)
  end
  scheduler.use_loop(loop)
end

return protocol
