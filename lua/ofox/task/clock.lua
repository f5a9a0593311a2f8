--- The time of this Lua state, by which waits are measured: real time, or that of a
-- mock that replaces it.
-- Knows nothing of who waits, nor how time passes.
local core = require("ofox.base.native")("core")

local clock = {}

local virtual -- the mock that replaces the real clock

--- Seconds that are negligible: the remainder of a wait after rounding.
clock.LEAST = 1e-9

--- Replaces the clock by a mock's; nil restores real time. Returns the previous mock.
---@param mock table|nil
---@return table|nil previous
function clock.install(mock)
  local previous = virtual
  virtual = mock
  return previous
end

--- Returns the mock that replaces the real clock, or nil.
---@return table|nil
function clock.virtual()
  return virtual
end

--- Returns the seconds of a monotonic clock.
---@return number
function clock.now()
  return virtual and virtual:now() or core.now()
end

--- Returns the shorter of two times; nil is longer than any.
---@param a number|nil
---@param b number|nil
---@return number|nil
function clock.shorter(a, b)
  return a and b and math.min(a, b) or a or b
end

return clock
