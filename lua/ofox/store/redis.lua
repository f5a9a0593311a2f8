--- A store on a server of Redis, which runs the ledger by its own clock. Asks go out
-- and answers come in with the steps of the engine: nothing waits for the network.
-- Knows nothing of when it is asked.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local engine = require "ofox.task.engine"
local guests = require "ofox.task.guests"
local ledger = require "ofox.store.ledger"
local native = require "ofox.base.native"
local shared = require "ofox.store.shared"
local try = require "ofox.base.try"

local SCRIPT = "local ledger = (function()\n" .. ledger.TEXT .. [[
end)()
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local state, reply, expiry = ledger(redis.call("GET", KEYS[1]) or nil, now, ARGV[1])
if state then redis.call("SET", KEYS[1], state, "PX", ("%.0f"):format(expiry)) end
return reply
]]

local LATE = 0.05 -- seconds by which a timeout may be noticed later

-- A moment that a store gives is good for two seconds: an answer has to come sooner.
local LONGEST = 1

local FIELDS = { "url", "prefix", "timeout", "ca_file" }

local function problem_of(options)
  if type(options) ~= "table" then return describe.expected_type("a table with url", options) end
  for name in pairs(options) do
    local is_known = false
    for _, field in ipairs(FIELDS) do is_known = is_known or field == name end
    if not is_known then return (describe.unknown(name, FIELDS, "field"):gsub("^%.", "")) end
  end
  for _, name in ipairs { "url", "prefix", "ca_file" } do
    local value = options[name]
    if type(value) ~= "string" and (value ~= nil or name == "url") then
      return name .. ": " .. describe.expected_type("a string", value)
    end
  end
  local timeout = options.timeout
  if timeout ~= nil and not (type(timeout) == "number" and timeout > 0 and timeout <= LONGEST) then
    return "timeout: " .. describe.expected("a number of seconds above 0, at most 1", timeout)
  end
  return nil
end

-- A transport with a time of its own does not step the engine.
local function step_till(made, is_over, timeout)
  local till = core.now() + timeout + LATE
  while not is_over() and core.now() < till do
    made:step(till - core.now())
    guests.serve(made)
  end
end

--- Creates a store.
---@param options ofox.RedisOptions
---@return ofox.Store|nil
---@return string|nil problem
return function(options)
  local problem = problem_of(options)
  if problem then return nil, problem end
  local ok, redis = try(native, "redis")
  if not ok then return nil, redis end
  local given = { url = options.url, timeout = options.timeout or 0.1, ca_file = options.ca_file }
  local connection, host
  local asked, since = 0, 0 -- how many asks are on their way; when the first of them went

  -- A child process has connections of its own.
  local function connect()
    host, asked = engine.get(), 0
    given.engine = host
    connection, problem = redis.connect(given)
    given.engine = nil
    if connection then guests.join(connection) end
    return connection
  end

  if not connect() then return nil, problem end
  local backend = { prefix = options.prefix or "ofox:", timeout = given.timeout }
  local name = tostring(connection)

  function backend.name() return name end

  -- The program may have been away: then answers are there that were not taken.
  function backend.catch_up()
    if asked > 0 and core.now() >= since + given.timeout and host == engine.made() then
      host:step(0)
      guests.serve(host)
    end
  end

  function backend.ask(key, text, done, transport)
    local is_over = false
    if (not connection or host ~= engine.made()) and not connect() then return done(nil, problem) end
    if asked == 0 then since = core.now() end
    asked = asked + 1
    connection:eval(SCRIPT, { key }, { text }, function(reply, why)
      is_over, asked = true, asked - 1
      done(reply or nil, why)
    end)
    if not transport.is_ours then step_till(host, function() return is_over end, given.timeout) end
  end

  return shared.new(backend)
end
