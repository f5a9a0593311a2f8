--- The time of this Lua state, by which waits are measured: real, or that of a
-- mock which stands in for it.
-- Knows nothing of who waits, nor how time is made to pass.
local core = require("ofox.base.native")("core")

local clock = {}

local virtual -- the mock that stands in for the real clock

--- Seconds that are no time: what is left of a wait when numbers are rounded.
clock.LEAST = 1e-9

--- Lets a mock stand in for time; nil gives real time back. Returns what stood
-- in before.
---@param mock table|nil
---@return table|nil previous
function clock.install(mock)
  local previous = virtual
  virtual = mock
  return previous
end

--- The mock that stands in for the real clock, or nil.
---@return table|nil
function clock.virtual()
  return virtual
end

--- Seconds of a clock that never jumps.
---@return number
function clock.now()
  return virtual and virtual:now() or core.now()
end

--- The shorter of two times; nil is longer than any.
---@param a number|nil
---@param b number|nil
---@return number|nil
function clock.shorter(a, b)
  return a and b and math.min(a, b) or a or b
end

return clock
