--- pcall for what may fail for reasons of its own. Want of memory is none of
-- them: it goes on to the caller that catches everything.
local memory = require "ofox.base.memory"

local function result(ok, ...)
  if not ok and memory.is_short((...)) then error((...), 0) end
  return ok, ...
end

---@param fn function
---@param ... any  its arguments
---@return boolean ok
---@return any ...  results, or the error
return function(fn, ...)
  return result(pcall(fn, ...))
end
