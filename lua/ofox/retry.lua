--- The timing of retries for any Lua function: whether to retry is `retry.plan`, how
-- long to wait is `retry.delay`, doing it is `retry.call`. All times are seconds. The
-- decisions are those of the client itself, made by the same C code; misuse raises at
-- the caller's line.
require "ofox.base.uncompiled" ()
local ask_on_retry = require "ofox.call.on_retry"
local core = require("ofox.base.native")("core")
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

local unpack = require "ofox.base.lua".unpack

---@class ofox.RetryPolicy  absent fields default to the policy "ofox"
---@field base? number              first backoff delay, > 0; default 1
---@field factor? number            growth per attempt, >= 1; default 2
---@field max_delay? number         cap of the backoff delay, >= base; default 60
---@field jitter? "additive"|"full"|"none"
---@field max_server_delay? number  the longest delay accepted from the server; default 60
---@field statuses? integer[]       HTTP statuses retried in addition to the usual ones
---@field seed? integer             makes the jitter reproducible

---@class ofox.RetryState
---@field u? number             the random part, 0 to 1; drawn if absent
---@field hint? number          the delay that the server asked for
---@field elapsed? number       since the call began; default 0
---@field deadline? number      for the call as a whole, waits included
---@field zero_before? boolean  the server asked for no delay the last time, too

---@class ofox.RetryPlanState: ofox.RetryState
---@field attempt? integer      the one that failed, from 0; default 0
---@field max_retries? integer  attempts after the first; default 3

---@class ofox.RetryPlan
---@field retry boolean
---@field delay number    where `retry` is false: the delay for a retry by the caller
---@field source "server"|"backoff"  where the delay comes from
---@field reason? "server"|"not_retryable"|"max_retries"|"delay_too_long"|"deadline"

---@class ofox.RetryCall: ofox.RetryPolicy
---@field max_retries? integer  attempts after the first; default 3
---@field deadline? number      for all attempts and waits together
---@field on_retry? fun(err: table, delay: number, attempt: integer, source: string): boolean|number|nil
---  attempt from 1; false stops, a number lengthens the delay
---@field sleep? fun(seconds: number)  default `ofox.sleep`

local retry = {}

local EXTRA -- fields that a policy for `retry.call` may have in addition

-- For functions that the public ones call directly: level 3 is their caller.
local function checked(name, ok, ...)
  if ok then return ... end
  local check = reserve.require "ofox.request.table_checks"
  local names = {}
  for _, field in ipairs(name == "call" and EXTRA or {}) do names[#names + 1] = field.name end
  for _, field in ipairs(check.POLICY) do names[#names + 1] = field end
  error("ofox.retry." .. name .. ": " .. check.policy_problem(tostring((...)), names), 3)
end

--- Returns the seconds to wait after `attempt` (from 0) has failed, and their source.
---@param policy "ofox"|"openai"|"aws"|ofox.RetryPolicy|nil
---@param attempt integer
---@param state? ofox.RetryState
---@return number seconds
---@return "server"|"backoff" source
function retry.delay(policy, attempt, state)
  local seconds, source = checked("delay", try(core.retry_delay, policy, attempt, state))
  return seconds, source
end

-- Reads a field of a table or of the tables that it inherits from; runs no code.
local function inherited(value, name)
  for _ = 1, 8 do
    if type(value) ~= "table" then return nil end
    local field = rawget(value, name)
    if field ~= nil then return field end
    local meta = debug.getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index")
  end
  return nil
end

-- Copies the relevant fields of an error of any library to where the core reads them.
local function facts_of(err)
  if type(err) ~= "table" or rawget(err, "retryable") ~= nil then return err end
  return { retryable = inherited(err, "retryable"), status = inherited(err, "status"),
    retry_after = inherited(err, "retry_after"), headers = inherited(err, "headers") }
end

--- Decides whether to retry after `err`, and when. A table, whatever library it comes
-- from, is retried if its `retryable` is true or `policy.statuses` contains its
-- `status`; nothing else that was raised is. nil and a number are not errors.
---@param policy "ofox"|"openai"|"aws"|ofox.RetryPolicy|nil
---@param err ofox.Error|any
---@param state? ofox.RetryPlanState
---@return ofox.RetryPlan
function retry.plan(policy, err, state)
  local plan = checked("plan", try(core.retry_plan, policy, facts_of(err), state))
  if err == nil or tonumber(err) then
    local got = require "ofox.base.describe".value(err)
    error(("ofox.retry.plan: err: expected an error, got %s (ofox.parse_error makes one of a status)"):format(got), 2)
  end
  return plan
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value < math.huge and value % 1 == 0
end

local function is_duration(value)
  return type(value) == "number" and value > 0
end

local function is_function(value)
  local meta = type(value) ~= "function" and getmetatable(value)
  return type(value) == "function" or type(meta) == "table" and meta.__call ~= nil
end

EXTRA = {
  { name = "max_retries", holds = is_count, expected = "an integer >= 0" },
  { name = "deadline", holds = is_duration, expected = "a number > 0" },
  { name = "on_retry", holds = is_function, expected = "a function" },
  { name = "sleep", holds = is_function, expected = "a function" },
}

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, field in pairs(value) do out[key] = field end
  return out
end

-- Returns the policy without the extra fields, and those; then what is wrong, if
-- anything. Copies, because the caller's tables may change between attempts.
local function split(policy)
  local bare, extra = copy(policy), {}
  if type(bare) ~= "table" then return bare, extra end
  for _, field in ipairs(EXTRA) do
    local value = bare[field.name]
    if value ~= nil and not field.holds(value) then
      local got = require "ofox.base.describe".value(value)
      return nil, nil, ("retry.%s: expected %s, got %s"):format(field.name, field.expected, got)
    end
    bare[field.name], extra[field.name] = nil, value
  end
  bare.statuses = copy(bare.statuses)
  return bare, extra
end

local function pack(...)
  return { n = select("#", ...), ... }
end

-- Returns the error in the results of a pcall, or nil.
local function failure(results)
  if not results[1] then return results[2] end
  if results[2] == nil then return results[3] end
  return nil
end

-- Passes on the outcome of the last attempt: its results, or its error unchanged.
local function conclude(results)
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

-- Reads a clock only if there is a deadline. A sleep function on another clock counts
-- as well.
local function stopwatch(deadline)
  local slept = 0
  local now = deadline and require("ofox.task.clock").now or function() return 0 end
  local began = now()
  return {
    limit = deadline or math.huge,
    elapsed = function() return math.max(now() - began, slept) end,
    slept = function(seconds) slept = slept + seconds end,
  }
end

--- Calls `fn` until it succeeds or a retry makes no sense, and returns what it
-- returned or raises what it raised last. An attempt has failed if it raised a table,
-- or returned nil and a table: an error of ofox or of any other library, as
-- `retry.plan` accepts them. Everything else is passed on immediately. A client call
-- inside `fn` has retries of its own: give it `max_retries = 0`. In a task on PUC Lua
-- 5.1 `fn` must not wait.
---@generic T
---@param fn fun(): T, ...
---@param policy? "ofox"|"openai"|"aws"|ofox.RetryCall
---@return T, ...
function retry.call(fn, policy)
  if not is_function(fn) then
    error("ofox.retry.call: fn: expected a function, got " .. require "ofox.base.describe".value(fn), 2)
  end
  local bare, extra, problem = split(policy)
  if problem then error("ofox.retry.call: " .. problem, 2) end
  checked("call", try(core.retry_delay, bare, 0))

  local timer = stopwatch(extra.deadline)
  local seed = type(bare) == "table" and bare.seed or nil
  local state = { attempt = 0, max_retries = extra.max_retries, deadline = extra.deadline }
  local last_hint
  while true do
    local results = pack(pcall(fn))
    local err = failure(results)
    if type(err) ~= "table" then return conclude(results) end

    local facts = facts_of(err)
    state.elapsed = timer.elapsed()
    state.zero_before = last_hint == 0
    state.u = seed and core.retry_random(seed, 1, state.attempt)[1]
    last_hint = rawget(facts, "retry_after")
    local plan = core.retry_plan(bare, facts, state)
    if not plan.retry then return conclude(results) end

    local delay = plan.delay
    state.attempt = state.attempt + 1
    if extra.on_retry then
      local answer = ask_on_retry(extra.on_retry, err, delay, state.attempt, plan.source)
      if answer == false then return conclude(results) end
      delay = math.max(delay, answer or 0)
      if timer.elapsed() + delay >= timer.limit then return conclude(results) end
    end
    local sleep = extra.sleep or require("ofox.task.wait").sleep
    sleep(delay)
    timer.slept(delay)
  end
end

return retry
