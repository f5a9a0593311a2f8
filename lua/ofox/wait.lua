--- How this Lua state waits: by its host's loop, or in a test by a virtual
-- clock that has been installed.
local core = require("ofox.native")("core")
local loop = require "ofox.loop.plain"

local wait = {}

local virtual -- a mock whose clock stands in for the real one

--- Lets 'clock' (methods now() and advance(seconds)) stand in for time; nil
-- gives real time back. Returns what stood in before.
---@param clock table|nil
---@return table|nil previous
function wait.install(clock)
  local previous = virtual
  virtual = clock
  return previous
end

--- Seconds of a clock that never jumps.
---@return number
function wait.now()
  return virtual and virtual:now() or core.now()
end

--- Waits without keeping the engine's other calls from going on.
---@param seconds number  nothing happens if it is not above 0
function wait.sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds == math.huge then
    error(("ofox.sleep: expected a finite number of seconds, got %s"):format(tostring(seconds)), 2)
  end
  if seconds <= 0 then return end
  if virtual then
    virtual:advance(seconds)
  else
    loop.sleep(seconds)
  end
end

--- Waits until the state of the call changes, at most 'max' seconds.
---@param transport table
---@param call userdata
---@param max? number
function wait.call(transport, call, max)
  loop.wait(transport, call, max)
end

return wait
