--- Real calls through the public API, and what specs ask of them.
local assert = require "luassert"
local ofox = require "ofox"
local stopwatch = require "support.stopwatch"

local calls = {}

--- The params of a call where nothing depends on them.
calls.PARAMS = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }

--- The option retry: every wait is 10 ms.
calls.FAST = { base = 0.01, factor = 1, max_delay = 0.01, jitter = "none" }

--- A new table of the defaults and, over them, what is given.
---@param defaults table
---@param given table|nil
---@return table
function calls.with(defaults, given)
  local all = {}
  for name, value in pairs(defaults) do all[name] = value end
  for name, value in pairs(given or {}) do all[name] = value end
  return all
end

local COMMON = { errors = "return", retry = calls.FAST, timeout = 5, proxy = false, insecure_http = true }

--- A client that returns its errors, waits little for a retry and 5 s for an
-- answer, and asks the environment for no proxy.
---@param defaults table  a spec's own options, over these
---@param opts table|nil  a test's, over both
---@return table client
function calls.client(defaults, opts)
  return ofox.new(calls.with(calls.with(COMMON, defaults), opts))
end

--- What specs with one scripted server do over and over.
---@param server_of fun(): table  the server, once it runs
---@param key string
---@return fun(opts: table|nil): table client  as calls.client
---@return fun(steps: table, opts: table|nil): any, any ask  one call against a script
---@return fun(step: table, opts: table|nil): table fail  the error of one attempt that must fail
function calls.against(server_of, key)
  local function client(opts)
    return calls.client({ api_key = key, base_url = server_of().url }, opts)
  end

  local function ask(steps, opts)
    server_of():script(steps)
    return client(opts):chat(calls.PARAMS)
  end

  local function fail(step, opts)
    local res, err = ask({ step }, calls.with({ max_retries = 0 }, opts))
    assert.is_nil(res, "a success where none may be")
    return err
  end

  return client, ask, fail
end

--- What was started in a test and has to be stopped after it.
---@return fun(one: table): table keep  gives back what it was given, which has stop()
---@return fun() stop_kept  for after_each
function calls.keeper()
  local kept = {}

  local function keep(one)
    kept[#kept + 1] = one
    return one
  end

  local function stop_kept()
    for _, one in ipairs(kept) do one:stop() end
    kept = {}
  end

  return keep, stop_kept
end

---@param err table
---@return table  {type, code, status, ambiguous}, "-" for a code or status that is not there
function calls.summary(err)
  return { err.type, err.code or "-", err.status or "-", err.ambiguous }
end

--- A field of all earlier attempts, in their order, "-" where it is not there.
---@param list table[]  retries
---@param field string
---@return table
function calls.each_retry(list, field)
  local values = {}
  for i, retry in ipairs(list) do values[i] = retry[field] or "-" end
  return values
end

---@param fn fun(): any, any
---@return number seconds  that fn took
---@return any  its second result, else its first
---@return number seconds  without those in which this process had no core
function calls.timed(fn)
  local took = stopwatch.start()
  local res, err = fn()
  local seconds, own = took()
  return seconds, err or res, own
end

return calls
