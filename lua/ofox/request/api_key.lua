--- The API key of one attempt: the option, or what its function gives.
local checks = require "ofox.request.checks"

--- Raises where a function gave what is no key.
---@param settings table  'api_key'
---@return string|false|nil key  false: none is sent; nil: it is missing
return function(settings)
  local key = settings.api_key
  if type(key) == "function" then
    key = key()
    if key ~= nil and key ~= false then
      local problem
      problem, key = checks.key(key)
      if problem then error("ofox: api_key: " .. problem, 0) end
    end
  end
  return key
end
