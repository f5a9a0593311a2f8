--- How a failure reaches the program: the one place where the option 'errors'
-- counts.
---@param settings table
---@param err ofox.Error
---@return nil, ofox.Error
return function(settings, err)
  if settings.errors == "raise" or (settings.errors == "split" and err.retryable) then error(err, 0) end
  return nil, err
end
