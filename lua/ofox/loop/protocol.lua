--- How event loops drive ofox: one descriptor to poll for reading, the time
-- until there is something to do all the same, and a step that does it. The
-- names are those that cqueues, LuaSocket's select and luv programs know; what
-- they pass as self is ignored.
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

-- What is wrong, else the seconds and the number of events.
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

--- Serves what there is to do: calls, tasks, waits.
---@param max_wait? number|{max_wait?: number, max_events?: integer}  seconds to
--   wait for something; absent: until there is. In a table: 0 if absent; and how
--   many turns of tasks and events of streams are done at most, what is left
--   comes with the next step
---@return boolean  whether any of them are left
function protocol.step(max_wait, ...)
  local problem, seconds, max_events = check_step(max_wait)
  if select("#", ...) > 0 then problem = "expected one argument, seconds or {max_wait, max_events}" end
  if problem then error("ofox.step: " .. problem, 2) end
  local loop = scheduler.loop()
  if loop and loop.drives and loop.wait and seconds ~= 0 then
    error("ofox.step: ofox runs by itself here, and a step that waits would hold up the host: use ofox.sleep", 2)
  end
  if scheduler.current() then
    error("ofox.step: a task waits with ofox.sleep, task:wait or a call; others run meanwhile", 2)
  end
  return scheduler.step(seconds, nil, max_events)
end

--- A descriptor that is readable when step has something to do: of sockets,
-- timers and tasks together. The same one for as long as the process lives; nil
-- where the system has no such thing.
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

--- Seconds until step has something to do although the descriptor is silent.
---@return number|nil  nil: never
function protocol.timeout()
  return scheduler.timeout()
end

--- Has step something to do at once?
---@return boolean
function protocol.dirty()
  local left = scheduler.timeout()
  return left ~= nil and left <= 0
end

--- Has waits outside of tasks done by the program's own event loop, which then
-- goes on meanwhile. Only while no task is there.
---@param loop {wait: fun(seconds: number|nil)}|nil  'wait' returns when
--   ofox.pollfd() is readable or so many seconds have passed (nil: no limit);
--   or require "ofox.loop.uv"; nil gives ofox's own way back
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
