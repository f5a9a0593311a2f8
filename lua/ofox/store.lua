--- Stores, by which processes share limits and holds of an account: the option store.
-- Knows nothing of what is shared.
local store = {}

local function check(name, made, problem)
  if not made then error("ofox.store." .. name .. ": " .. problem, 3) end
end

--- A server of Redis, for any number of machines.
---@param options ofox.RedisOptions
---@return ofox.Store
function store.redis(options)
  local made, problem = require "ofox.store.redis"(options)
  check("redis", made, problem)
  return made
end

--- A dictionary of nginx, for the workers of one nginx.
---@param dict table  ngx.shared.NAME
---@param prefix? string  of its keys
---@return ofox.Store
function store.ngx(dict, prefix)
  local made, problem = require "ofox.store.ngx"(dict, prefix)
  check("ngx", made, problem)
  return made
end

return store
