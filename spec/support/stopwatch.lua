--- How long something takes, beside any load of the machine: the time in which a
-- process was ready and had no core is known to Linux, and can be left out.
local socket = require "socket"
local proc = require "support.proc"

local stopwatch = {}
local gettime = socket.gettime -- a program may get another

-- Seconds that a process has waited for a core so far; nil where that is not
-- known, or no longer.
local function waited(pid)
  local text = proc.read("/proc/" .. pid .. "/schedstat") or ""
  local nanoseconds = tonumber(text:match("^%d+ (%d+)"))
  return nanoseconds and nanoseconds / 1e9
end

--- Starts one.
---@param pid integer|nil  another process that takes part
---@return fun(): number, number  seconds so far; and seconds without those in
--   which one of the processes was ready and had no core, as far as that was
--   known when the other one was last there
function stopwatch.start(pid)
  local before, last = {}, {}
  for _, process in ipairs { "self", pid } do before[process] = waited(process) or 0 end
  local began = gettime()
  return function()
    local seconds = gettime() - began
    local own = seconds
    for process, first in pairs(before) do
      last[process] = waited(process) or last[process] or first
      own = own - (last[process] - first)
    end
    return seconds, own
  end
end

--- A clock that stands still while this process is ready and has no core.
---@return number seconds
function stopwatch.now()
  return gettime() - (waited "self" or 0)
end

return stopwatch
