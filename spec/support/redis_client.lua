--- The client's half of the specs of ofox.redis: an engine that is stepped until
-- all results are there.
local native = require "ofox.base.native"

local core = native "core"
local redis = native "redis"

local client = { redis = redis }

local Client = {}
Client.__index = Client

local LIMIT = 60 -- seconds, on a machine that is busy with other things
local PATIENT = 30 -- timeout of scripts that are to be answered

--- Makes a connection. Options are those of redis.connect; the engine is one of its
-- own, and timeout a long one.
function client.new(options)
  local engine = options.engine or native("engine").new()
  local given = { engine = engine, timeout = PATIENT }
  for _, name in ipairs { "url", "timeout", "ca_file" } do given[name] = options[name] or given[name] end
  local connection, problem = redis.connect(given)
  assert(connection, problem)
  return setmetatable({ engine = engine, connection = connection, note = connection:note() }, Client)
end

--- Steps once, and delivers what is announced.
function Client:step(seconds)
  self.engine:step(seconds or 0.05)
  local note = self.engine:guest()
  while note do
    if note == self.note then self.connection:deliver() end
    note = self.engine:guest()
  end
end

--- Steps until that is true.
function Client:till(is_over)
  local limit = core.now() + LIMIT
  while not is_over() do
    assert(core.now() < limit, "this takes too long")
    self:step()
  end
end

--- Begins to run a script; returns a table that gets 'over', and value, problem
-- and code.
function Client:start(script, keys, args)
  local result = { calls = 0 }
  self.connection:eval(script, keys or {}, args or {}, function(value, problem, code)
    result.value, result.problem, result.code = value, problem, code
    result.calls, result.over = result.calls + 1, true
  end)
  return result
end

--- Runs a script: value, problem, code.
function Client:eval(script, keys, args)
  local result = self:start(script, keys, args)
  self:till(function() return result.over end)
  assert(result.calls == 1)
  return result.value, result.problem, result.code
end

--- Runs a script again and again until it has a value, which it returns; or until
-- is_enough(problem, code).
function Client:insist(script, is_enough)
  local value, problem, code
  self:till(function()
    value, problem, code = self:eval(script)
    return value ~= nil or is_enough ~= nil and is_enough(problem, code)
  end)
  return value, problem, code
end

return client
