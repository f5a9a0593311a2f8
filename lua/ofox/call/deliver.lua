local interrupt = require "ofox.task.interrupt"
local wait = require "ofox.task.wait"

--- Delivers a failure to the program: the only place where the option 'errors'
-- matters. Ctrl-C is always raised, and so is the cancelling of the running task.
---@param settings table
---@param err ofox.Error
---@return nil, ofox.Error
return function(settings, err)
  local raises = settings.errors == "raise" or settings.errors == "split" and err.retryable
  if raises or err.type == "cancelled_error" and wait.is_cancelled() or interrupt.is(err) then error(err, 0) end
  return nil, err
end
