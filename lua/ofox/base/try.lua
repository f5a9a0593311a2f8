--- pcall for operations that may fail for reasons of their own. Lack of memory is
-- not one of them: it propagates to the caller that catches everything.
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
