local interrupt = require "ofox.task.interrupt"
local wait = require "ofox.task.wait"

--- How a failure reaches the program: the one place where the option 'errors'
-- counts. Ctrl-C is always raised, and in a cancelled task its being cancelled.
---@param settings table
---@param err ofox.Error
---@return nil, ofox.Error
return function(settings, err)
  local raises = settings.errors == "raise" or settings.errors == "split" and err.retryable
  if raises or err.type == "cancelled_error" and wait.is_cancelled() or interrupt.is(err) then error(err, 0) end
  return nil, err
end
