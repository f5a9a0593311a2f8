--- The hook on_retry, of a client's calls and of ofox.retry.call: the only place
-- that calls it and checks its result.
local describe = require "ofox.base.describe"

--- Asks the program about a planned attempt. Raises if the result is invalid.
---@param hook function
---@param err any  of the failed attempt
---@param delay number  seconds until the next one
---@param attempt integer  the number of the one that failed, from 1
---@param source string  where the delay comes from
---@return number|false|nil answer  seconds to wait at least; false: do not retry
return function(hook, err, delay, attempt, source)
  local answer = hook(err, delay, attempt, source)
  if answer == nil or answer == true then return nil end
  if answer == false or answer == math.huge then return false end
  if type(answer) == "number" and answer >= 0 then return answer end
  error("on_retry: expected nil, false or a number of seconds, got " .. describe.value(answer), 0)
end
