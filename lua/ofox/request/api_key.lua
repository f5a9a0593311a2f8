--- The API key of one attempt, from the program's function.
local checks = require "ofox.request.checks"

--- Raises if the function returned an invalid key.
---@param fn fun(): any
---@return string|false|nil key  false: none is sent; nil: it is missing
return function(fn)
  local key = fn()
  if key ~= nil and key ~= false then
    local problem
    problem, key = checks.key(key)
    if problem then error("ofox: api_key: " .. problem, 0) end
  end
  return key
end
