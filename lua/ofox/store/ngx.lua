--- A store in a shared dictionary of nginx, for its workers: the ledger runs here,
-- under a lock.
-- Knows nothing of when it is asked.
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local ledger = require "ofox.store.ledger"
local shared = require "ofox.store.shared"
local try = require "ofox.base.try"

-- Seconds for which another worker may have the lock before it counts as gone, and for
-- which one waits: it needs much less than a millisecond, unless it is held up.
local LOCKED, PATIENCE = 1, 0.05

local PAUSE = 0.0002 -- seconds between two attempts to get it

local METHODS = { "get", "add", "safe_set", "delete" }

local function is_dict(dict)
  if type(dict) ~= "table" and type(dict) ~= "userdata" then return false end
  local ok, able = try(function()
    for _, name in ipairs(METHODS) do
      if type(dict[name]) ~= "function" then return false end
    end
    return true
  end)
  return ok and able
end

-- True, or what prevents it.
local function lock(dict, key)
  local till
  while true do
    local ok, problem = dict:add(key, true, LOCKED)
    if ok then return true end
    if problem ~= "exists" then return problem or "it takes no lock" end
    local now = core.now()
    till = till or now + PATIENCE
    if now >= till then return "another worker holds its lock" end
    core.pause(PAUSE)
  end
end

local function update(dict, run, key, text)
  local state = dict:get(key)
  local fresh, reply, expiry =
    run(type(state) == "string" and state or nil, math.floor(core.wall() * 1000), text)
  if fresh then
    local ok, problem = dict:safe_set(key, fresh, expiry / 1000)
    if not ok then return nil, problem end
  end
  return reply
end

--- Creates a store.
---@param dict any  ngx.shared.NAME
---@param prefix any  of its keys; nil: "ofox:"
---@return ofox.Store|nil
---@return string|nil problem
return function(dict, prefix)
  if not is_dict(dict) then return nil, describe.expected("a dictionary, ngx.shared.NAME", dict) end
  if prefix ~= nil and type(prefix) ~= "string" then
    return nil, describe.expected_type("a string as prefix", prefix)
  end
  local run = ledger.load()
  local backend = { prefix = prefix or "ofox:", timeout = PATIENCE }

  function backend.name() return "ngx.shared" end

  function backend.ask(key, text, done)
    local lock_key = key .. ":lock"
    local locked = lock(dict, lock_key)
    if locked ~= true then return done(nil, locked) end
    local ok, reply, problem = pcall(update, dict, run, key, text)
    dict:delete(lock_key)
    if not ok then return done(nil, tostring(reply)) end
    return done(reply, problem)
  end

  return shared.new(backend)
end
