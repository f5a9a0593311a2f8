-- Whether to try again and how long to wait: pure, no clock, no sleep.
local core = require("ofox.base.native")("core")
local retry = require "ofox.retry"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local NAN, HUGE = 0 / 0, math.huge

local function failed(fields)
  local err = { type = "rate_limit_error", retryable = true, status = 429, message = "slow down" }
  for key, value in pairs(fields or {}) do err[key] = value end
  return err
end

local function near(expected, actual)
  assert(math.abs(expected - actual) < 1e-9, ("expected %s, got %s"):format(expected, actual))
end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("ofox.retry.delay", function()
  local NONE = { base = 3, factor = 2, max_delay = 10, jitter = "none" }
  local FULL = { base = 4, max_delay = 8, jitter = "full" }
  local SMALL = { base = 0.25 }
  local rows = {
    -- policy, attempt, u, seconds
    { nil, 0, 0, 1 }, { "ofox", 0, 0, 1 }, { "ofox", 0, 1, 2 }, { {}, 0, 0.25, 1.25 },
    { "ofox", 1, 0.5, 2.5 }, { "ofox", 2, 0.75, 4.75 }, { "ofox", 3, 0, 8 }, { "ofox", 4, 0.5, 16.5 },
    { "ofox", 5, 0.999, 32.999 }, { "ofox", 6, 0, 60 }, { "ofox", 6, 0.5, 60 }, { "ofox", 1100, 0.5, 60 },
    { "ofox", 1e10, 1, 60 },
    { "openai", 0, 0, 0.5 }, { "openai", 0, 1, 0.375 }, { "openai", 2, 0.5, 1.75 },
    { "openai", 9, 0, 8 }, { "openai", 9, 1, 6 },
    { "aws", 0, 0, 0 }, { "aws", 0, 1, 1 }, { "aws", 3, 0.5, 4 }, { "aws", 60, 0.5, 10 }, { "aws", 1100, 1, 20 },
    { NONE, 0, 0.5, 3 }, { NONE, 1, 1, 6 }, { NONE, 2, 0, 10 }, { NONE, 1100, 0.5, 10 },
    { FULL, 0, 0.5, 2 }, { FULL, 1, 0.5, 4 }, { FULL, 7, 0.25, 2 },
    { SMALL, 0, 1, 0.5 }, { SMALL, 1, 1, 0.75 },                   -- jitter no larger than the base
    { { base = 5, max_delay = 5.5 }, 0, 1, 5.5 },                  -- nor the sum than the cap
    { { factor = 1, jitter = "none" }, 2147483647, 0, 1 },
    { { base = 1e-300, factor = 1e300, max_delay = 7, jitter = "none" }, 2147483647, 0, 7 },
  }
  for i, row in ipairs(rows) do
    it(("[B5] [B11] own backoff, row %d"):format(i), function()
      local seconds, source = retry.delay(row[1], row[2], { u = row[3] })
      near(row[4], seconds)
      assert.equal("backoff", source)
    end)
  end

  it("[B11] waits 2^n + U(0,1) of the policy ofox, drawn when nobody brings u", function()
    for n = 0, 5 do
      local least, most = HUGE, 0
      for _ = 1, 200 do
        local seconds = retry.delay("ofox", n)
        least, most = math.min(least, seconds), math.max(most, seconds)
      end
      assert.is_true(least >= 2 ^ n and most < 2 ^ n + 1)
      assert.is_true(least < 2 ^ n + 0.2 and most > 2 ^ n + 0.8)
    end
  end)

  it("[B11] five attempts wait at least 1, 2, 4, 8 seconds, whatever failed", function()
    local failures = {
      failed(),
      failed { type = "internal_error", status = 500 },
      failed { type = "service_unavailable", status = 503 },
      { type = "connection_error", code = "refused", retryable = true },
    }
    for _, err in ipairs(failures) do
      for attempt = 0, 3 do
        for _, u in ipairs { 0, 0.5, 0.999 } do
          local plan = retry.plan(nil, err, { attempt = attempt, max_retries = 4, u = u })
          assert.is_true(plan.retry)
          near(2 ^ attempt + u, plan.delay)
          assert.equal("backoff", plan.source)
        end
      end
      assert.is_false(retry.plan(nil, err, { attempt = 4, max_retries = 4 }).retry)
    end
  end)

  it("[A1] takes the server's word as a floor, jitter only upward", function()
    for _, row in ipairs {
      { 20, 0, 20 }, { 20, 0.5, 20.5 }, { 20, 1, 21 }, { 1, 1, 1.25 }, { 0.1, 1, 0.125 }, { 4, 1, 5 }, { 3, 1, 3.75 },
    } do
      for _, policy in ipairs { "ofox", "openai", "aws" } do
        local seconds, source = retry.delay(policy, 5, { hint = row[1], u = row[2] })
        near(row[3], seconds)
        assert.equal("server", source)
      end
    end
  end)

  it("[A2] comes at once when told 0, but not twice in a row", function()
    local seconds, source = retry.delay("ofox", 2, { hint = 0, u = 0.9 })
    assert.same({ 0, "server" }, { seconds, source })
    seconds, source = retry.delay("ofox", 2, { hint = 0, u = 0.5, zero_before = true })
    assert.same({ 4.5, "backoff" }, { seconds, source })
    seconds, source = retry.delay("ofox", 2, { hint = 2, u = 0, zero_before = true })
    assert.same({ 2, "server" }, { seconds, source })
  end)

  it("[A13] lets jitter shrink to fit the deadline", function()
    near(8.5, (retry.delay("ofox", 3, { u = 0.5, deadline = 20, elapsed = 11 })))
    near(8.25, (retry.delay("ofox", 3, { u = 0.5, deadline = 20, elapsed = 11.5 })))
    near(20.1, (retry.delay("ofox", 0, { u = 0.5, hint = 20, deadline = 20.2 })))
    near(1, (retry.delay("aws", 10, { u = 0.5, deadline = 2 })))
    near(7, (retry.delay("openai", 10, { u = 0.5, deadline = 8.5 })))
    near(6.5, (retry.delay("openai", 10, { u = 0.5, deadline = 7 })))
  end)
end)

describe("ofox.retry.plan", function()
  local function plan(fields, state, policy)
    state = state or {}
    if state.u == nil then state.u = 0 end
    return retry.plan(policy, failed(fields), state)
  end

  local rows = {
    -- name, fields of the error, state, policy, what is planned
    { "[B1] retryable", {}, {}, nil, { retry = true, delay = 1, source = "backoff" } },
    { "[B1] not retryable", { retryable = false, status = 400 }, {}, nil,
      { retry = false, delay = 1, source = "backoff", reason = "not_retryable" } },
    { "[B1] [A14] a hint on a 400 causes no retry", { retryable = false, status = 400, retry_after = 5 }, {}, nil,
      { retry = false, delay = 5, source = "server", reason = "not_retryable" } },
    { "[B2] x-should-retry: false", { headers = { ["x-should-retry"] = "false" }, status = 500 }, {}, nil,
      { retry = false, delay = 1, source = "backoff", reason = "server" } },
    { "[B2] x-should-retry: true on a 400",
      { headers = { ["x-should-retry"] = "true" }, retryable = false, status = 400 }, {}, nil,
      { retry = true, delay = 1, source = "backoff" } },
    { "[B2] another x-should-retry is ignored",
      { headers = { ["x-should-retry"] = "yes" }, retryable = false, status = 400 }, {}, nil,
      { retry = false, delay = 1, source = "backoff", reason = "not_retryable" } },
    { "[B2] another x-should-retry is ignored on a 500", { headers = { ["x-should-retry"] = "0" }, status = 500 }, {},
      nil, { retry = true, delay = 1, source = "backoff" } },
    { "[B4] max_retries = 0", {}, { max_retries = 0 }, nil,
      { retry = false, delay = 1, source = "backoff", reason = "max_retries" } },
    { "the third retry of three", {}, { attempt = 2 }, nil, { retry = true, delay = 4, source = "backoff" } },
    { "no fourth retry", {}, { attempt = 3 }, nil,
      { retry = false, delay = 8, source = "backoff", reason = "max_retries" } },
    { "[A2] told 0", { retry_after = 0 }, {}, nil, { retry = true, delay = 0, source = "server" } },
    { "[A2] told 0 again", { retry_after = 0 }, { attempt = 1, zero_before = true }, nil,
      { retry = true, delay = 2, source = "backoff" } },
    { "[A2] a retry on 0 is counted", { retry_after = 0 }, { attempt = 3 }, nil,
      { retry = false, delay = 0, source = "server", reason = "max_retries" } },
    { "[A12] 60 is honoured", { retry_after = 60 }, { u = 1 }, nil, { retry = true, delay = 61, source = "server" } },
    { "[A12] 61 is not", { retry_after = 61 }, {}, nil,
      { retry = false, delay = 61, source = "server", reason = "delay_too_long" } },
    { "[A12] 277403 s", { retry_after = 277403 }, {}, nil,
      { retry = false, delay = 277403, source = "server", reason = "delay_too_long" } },
    { "[A12] for ever", { retry_after = HUGE }, {}, nil,
      { retry = false, delay = HUGE, source = "server", reason = "delay_too_long" } },
    { "[A12] a larger max_server_delay", { retry_after = 277403 }, {}, { max_server_delay = HUGE },
      { retry = true, delay = 277403, source = "server" } },
    { "[A12] max_server_delay = 0", { retry_after = 0.001 }, {}, { max_server_delay = 0 },
      { retry = false, delay = 0.001, source = "server", reason = "delay_too_long" } },
    { "[A13] longer than the deadline leaves", { retry_after = 20 }, { elapsed = 5, deadline = 20 }, nil,
      { retry = false, delay = 20, source = "server", reason = "deadline" } },
    { "[A13] as long as the deadline leaves", { retry_after = 15 }, { elapsed = 5, deadline = 20 }, nil,
      { retry = false, delay = 15, source = "server", reason = "deadline" } },
    { "[A13] just shorter", { retry_after = 14 }, { elapsed = 5, deadline = 20, u = 1 }, nil,
      { retry = true, delay = 15, source = "server" } },
    { "[A13] own backoff longer than the deadline leaves", {}, { attempt = 2, elapsed = 1, deadline = 5 }, nil,
      { retry = false, delay = 4, source = "backoff", reason = "deadline" } },
    { "[A13] told 0 after the deadline", { retry_after = 0 }, { elapsed = 5, deadline = 5 }, nil,
      { retry = false, delay = 0, source = "server", reason = "deadline" } },
    { "[A13] full jitter fits any rest", {}, { attempt = 2, u = 0.5, deadline = 1 }, "aws",
      { retry = true, delay = 0.5, source = "backoff" } },
    { "[A13] full jitter, nothing left", {}, { elapsed = 3, deadline = 2 }, "aws",
      { retry = false, delay = 1, source = "backoff", reason = "deadline" } },
    { "[A13] a quarter off is not enough", {}, { attempt = 9, max_retries = 99, deadline = 6 }, "openai",
      { retry = false, delay = 8, source = "backoff", reason = "deadline" } },
    { "server before max_retries", { headers = { ["x-should-retry"] = "false" } }, { attempt = 3 }, nil,
      { retry = false, delay = 8, source = "backoff", reason = "server" } },
    { "not_retryable before max_retries", { retryable = false }, { attempt = 3 }, nil,
      { retry = false, delay = 8, source = "backoff", reason = "not_retryable" } },
    { "max_retries before delay_too_long", { retry_after = 100 }, { attempt = 3, deadline = 1 }, nil,
      { retry = false, delay = 100, source = "server", reason = "max_retries" } },
    { "delay_too_long before deadline", { retry_after = 100 }, { deadline = 1 }, nil,
      { retry = false, delay = 100, source = "server", reason = "delay_too_long" } },
    { "a listed status", { retryable = false, status = 418 }, {}, { statuses = { 425, 418 } },
      { retry = true, delay = 1, source = "backoff" } },
    { "a status that is not listed", { retryable = false, status = 419 }, {}, { statuses = { 425, 418 } },
      { retry = false, delay = 1, source = "backoff", reason = "not_retryable" } },
    { "a list adds to the table", { status = 500 }, {}, { statuses = { 418 } },
      { retry = true, delay = 1, source = "backoff" } },
    { "a hint of the caller's own", {}, { hint = 7 }, nil, { retry = true, delay = 7, source = "server" } },
    { "which goes before that of the error", { retry_after = 9 }, { hint = 7 }, nil,
      { retry = true, delay = 7, source = "server" } },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert.same(row[5], plan(row[2], row[3], row[4]))
    end)
  end

  it("[A3] ignores a retry_after that is no time", function()
    for _, junk in ipairs { -10, -HUGE, NAN, "20", true, {} } do
      assert.same({ retry = true, delay = 1, source = "backoff" }, plan { retry_after = junk })
    end
  end)

  it("[A14] honours a hint on every retryable status", function()
    for _, status in ipairs { 429, 500, 502, 503, 524, 529 } do
      assert.same({ retry = true, delay = 6, source = "server" }, plan { status = status, retry_after = 6 })
    end
  end)

  it("takes any value for an error, and calls nothing of it", function()
    local hostile = setmetatable({}, {
      __index = function() error "asked" end,
      __tostring = function() error "asked" end,
    })
    for _, value in ipairs { "timeout", "x.lua:429: bad", true, {}, print, hostile,
      { retryable = "yes" }, { retryable = 1 }, coroutine.create(function() end), { status = 429 },
      { status = NAN, headers = 7, retry_after = {} } } do
      assert.equal("not_retryable", retry.plan("ofox", value).reason)
    end
  end)

  it("tells the caller that there is no error, or a status in its place", function()
    for _, row in ipairs {
      { nil, "nil" }, { 429, "429" }, { "429", '"429"' }, { NAN, "NaN" },
    } do
      local line = debug.getinfo(1, "l").currentline + 1
      local message = message_of(function() retry.plan("ofox", row[1], {}) end)
      assert.truthy(message:find(("retry_spec.lua:%d: ofox.retry.plan: err: expected an error, got %s"):format(
        line, row[2]), 1, true), message)
      message = message_of(function() retry.plan({ statuses = { 429 } }, row[1]) end)
      assert.truthy(message:find("err: expected an error, got " .. row[2], 1, true), message)
    end
    assert.truthy(message_of(function() retry.plan("ofox") end):find("err: expected an error, got nil", 1, true))
    assert.truthy(message_of(function() retry.plan() end):find("err: expected an error, got nil", 1, true))
  end)

  it("says what a misspelt field of a policy may have meant", function()
    for _, name in ipairs { "plan", "delay" } do
      local line = debug.getinfo(1, "l").currentline + 1
      local message = message_of(function() retry[name]({ bse = 1 }, name == "delay" and 0 or failed {}) end)
      local text = ("retry_spec.lua:%d: ofox.retry.%s: retry.bse: unknown field; did you mean base?"):format(line, name)
      assert.truthy(message:find(text, 1, true), message)
    end
  end)
end)

describe("misuse of a policy", function()
  local rows = {
    { { base = 0 }, "retry.base: expected a number > 0, got 0" },
    { { base = -1 }, "retry.base: expected a number > 0, got -1" },
    { { base = NAN }, "retry.base: expected a number > 0, got NaN" },
    { { base = HUGE }, "retry.base: expected a number > 0, got infinity" },
    { { base = "1" }, 'retry.base: expected a number > 0, got "1"' },
    { { base = 61.5 }, "retry.base: expected a number <= retry.max_delay, which is 60, got 61.5" },
    { { factor = 0.5 }, "retry.factor: expected a number >= 1, got 0.5" },
    { { factor = NAN }, "retry.factor: expected a number >= 1, got NaN" },
    { { factor = false }, "retry.factor: expected a number >= 1, got false" },
    { { max_delay = 0.5 }, "retry.max_delay: expected a number >= retry.base, got 0.5" },
    { { base = 5, max_delay = 4 }, "retry.max_delay: expected a number >= retry.base, got 4" },
    { { max_delay = HUGE }, "retry.max_delay: expected a number >= retry.base, got infinity" },
    { { max_server_delay = -1 }, "retry.max_server_delay: expected a number >= 0, got -1" },
    { { max_server_delay = NAN }, "retry.max_server_delay: expected a number >= 0, got NaN" },
    { { jitter = "half" }, 'retry.jitter: expected "additive", "full" or "none", got "half"' },
    { { jitter = "\27[0m" }, 'retry.jitter: expected "additive", "full" or "none", got a string of 4 bytes' },
    { { jitter = ("x"):rep(41) }, 'retry.jitter: expected "additive", "full" or "none", got a string of 41 bytes' },
    { { jitter = 1 }, 'retry.jitter: expected "additive", "full" or "none", got 1' },
    { { statuses = 429 }, "retry.statuses: expected a list of at most 32 HTTP statuses, got 429" },
    { { statuses = { [429] = true } }, "retry.statuses: expected a list of at most 32 HTTP statuses, got a table" },
    { { statuses = { 429, x = 1 } }, "retry.statuses: expected a list of at most 32 HTTP statuses, got a table" },
    { { statuses = { 429, 99 } }, "retry.statuses[2]: expected an integer from 100 to 999, got 99" },
    { { statuses = { 1000 } }, "retry.statuses[1]: expected an integer from 100 to 999, got 1000" },
    { { statuses = { 429.5 } }, "retry.statuses[1]: expected an integer from 100 to 999, got 429.5" },
    { { statuses = { "429" } }, 'retry.statuses[1]: expected an integer from 100 to 999, got "429"' },
    { { seed = 0.5 }, "retry.seed: expected an integer, got 0.5" },
    { { seed = HUGE }, "retry.seed: expected an integer, got infinity" },
    { { seed = "1" }, 'retry.seed: expected an integer, got "1"' },
    { { tries = 3 }, "retry.tries: unknown field" },
    { { "ofox" }, "retry: unknown field of type number" },
    { "gentle", 'retry: expected "ofox", "openai", "aws" or a table, got "gentle"' },
    { "", 'retry: expected "ofox", "openai", "aws" or a table, got ""' },
    { 3, 'retry: expected "ofox", "openai", "aws" or a table, got 3' },
    { false, 'retry: expected "ofox", "openai", "aws" or a table, got false' },
    { print, 'retry: expected "ofox", "openai", "aws" or a table, got a function' },
  }
  for i, row in ipairs(rows) do
    it(("is told, row %d: %s"):format(i, row[2]), function()
      assert.equal(row[2], message_of(core.retry_delay, row[1], 0))
      assert.equal(row[2], message_of(core.retry_plan, row[1], nil))
      local line = debug.getinfo(1, "l").currentline + 1
      local message = message_of(function() retry.delay(row[1], 0) end)
      assert.truthy(message:find("retry_spec.lua:" .. line .. ": ofox.retry.delay: " .. row[2], 1, true), message)
      message = message_of(function() retry.plan(row[1], nil) end)
      assert.truthy(message:find("retry_spec.lua:%d+: ofox.retry.plan: "), message)
      assert.truthy(message:find(row[2], 1, true), message)
    end)
  end

  it("allows the edges", function()
    local most = {}
    for i = 1, 32 do most[i] = 100 + i end
    for _, policy in ipairs {
      { base = 1e-3 }, { factor = 1 }, { base = 2, max_delay = 2 }, { max_server_delay = 0 },
      { statuses = {} }, { statuses = { 100, 999 } }, { statuses = most }, { seed = 0 }, { seed = -2 ^ 53 },
      { seed = 42, jitter = "none" },
    } do
      assert.is_number((retry.delay(policy, 0)))
    end
    assert.is_true(retry.plan({ statuses = most }, { status = 132 }).retry)
    most[33] = 200
    assert.is_false((pcall(retry.delay, { statuses = most }, 0)))
  end)

  it("reads the table's own fields only, and calls nothing of it", function()
    local guarded = setmetatable({ base = 2 }, { __index = function() error "asked" end })
    assert.equal(2, (retry.delay(guarded, 0, { u = 0 })))
  end)
end)

describe("misuse of attempt and state", function()
  local rows = {
    { { nil, nil }, "attempt: expected an integer >= 0, got nil" },
    { { nil, -1 }, "attempt: expected an integer >= 0, got -1" },
    { { nil, 1.5 }, "attempt: expected an integer >= 0, got 1.5" },
    { { nil, NAN }, "attempt: expected an integer >= 0, got NaN" },
    { { nil, HUGE }, "attempt: expected an integer >= 0, got infinity" },
    { { nil, "0" }, 'attempt: expected an integer >= 0, got "0"' },
    { { nil, 0, 5 }, "state: expected a table, got 5" },
    { { nil, 0, { u = -0.5 } }, "state.u: expected a number from 0 to 1, got -0.5" },
    { { nil, 0, { u = 1.5 } }, "state.u: expected a number from 0 to 1, got 1.5" },
    { { nil, 0, { u = NAN } }, "state.u: expected a number from 0 to 1, got NaN" },
    { { nil, 0, { hint = -1 } }, "state.hint: expected a number >= 0, got -1" },
    { { nil, 0, { hint = "5" } }, 'state.hint: expected a number >= 0, got "5"' },
    { { nil, 0, { elapsed = HUGE } }, "state.elapsed: expected a number >= 0, got infinity" },
    { { nil, 0, { deadline = NAN } }, "state.deadline: expected a number >= 0, got NaN" },
    { { nil, 0, { attempt = 1 } }, "state.attempt: unknown field" },
  }
  for i, row in ipairs(rows) do
    it(("is told, row %d: %s"):format(i, row[2]), function()
      assert.equal(row[2], message_of(core.retry_delay, unpack(row[1], 1, 3)))
      local line = debug.getinfo(1, "l").currentline + 1
      local message = message_of(function() retry.delay(unpack(row[1], 1, 3)) end)
      assert.truthy(message:find("retry_spec.lua:" .. line .. ": ofox.retry.delay: " .. row[2], 1, true), message)
    end)
  end

  it("[B4] takes a whole number >= 0 for max_retries and attempt", function()
    for _, field in ipairs { "max_retries", "attempt" } do
      for _, value in ipairs { -1, NAN, 1.5, "2", false } do
        local message = message_of(retry.plan, nil, nil, { [field] = value })
        assert.truthy(message:find("state." .. field .. ": expected an integer >= 0, got ", 1, true), message)
      end
    end
  end)
end)

describe("ofox.retry draws", function()
  it("[B5] 10,000 full-jitter delays of a seed are uniform", function()
    for _, seed in ipairs { 1, 20, -7, 2 ^ 53 } do
      local sum, tenths = 0, {}
      for _, u in ipairs(core.retry_random(seed, 10000)) do
        assert.is_true(u >= 0 and u < 1)
        local seconds = retry.delay("aws", 1100, { u = u })
        sum = sum + seconds
        local tenth = math.floor(seconds / 2)
        tenths[tenth] = (tenths[tenth] or 0) + 1
      end
      assert.is_true(math.abs(sum / 10000 - 10) < 0.5)
      for tenth = 0, 9 do assert.is_true(math.abs(tenths[tenth] - 1000) < 150) end
    end
  end)

  it("[B5] the delays drawn without a seed are uniform too, and differ", function()
    local sum, seen = 0, {}
    for _ = 1, 10000 do
      local seconds = retry.delay("aws", 30)
      sum, seen[seconds] = sum + seconds, true
    end
    local different = 0
    for _ in pairs(seen) do different = different + 1 end
    assert.is_true(math.abs(sum / 10000 - 10) < 0.5)
    assert.is_true(different > 9990)
  end)

  it("[B5] the same seed gives the same draws on every Lua", function()
    local draws = core.retry_random(1234567, 3)
    -- splitmix64's published outputs for this seed, over 2^64
    near(0.350079542021408, draws[1])
    near(0.173644096670913, draws[2])
    near(0.532207304062419, draws[3])
    assert.same(draws, core.retry_random(1234567, 3))
    assert.not_same(draws, core.retry_random(1234568, 3))
  end)

  it("any part of a seed's draws can be had alone", function()
    local draws = core.retry_random(-5, 20)
    for k = 0, 19 do assert.same({ draws[k + 1] }, core.retry_random(-5, 1, k)) end
    assert.same({}, core.retry_random(-5, 0))
  end)
end)

describe("ofox.retry.call", function()
  local Error = {}
  local time, kept

  local function fault(fields)
    return setmetatable(failed(fields), Error)
  end

  before_each(function()
    kept = {}
    for _, name in ipairs { "ofox.errors", "ofox.task.clock", "ofox.task.wait" } do
      kept[name] = package.loaded[name] or false
    end
    time = { now = 1000, slept = {} }
    package.loaded["ofox.errors"] = { is = function(value) return getmetatable(value) == Error end }
    package.loaded["ofox.task.clock"] = { now = function() return time.now end }
    package.loaded["ofox.task.wait"] = {
      sleep = function(seconds)
        time.slept[#time.slept + 1] = seconds
        time.now = time.now + seconds
      end,
    }
  end)

  after_each(function()
    for name, module in pairs(kept) do package.loaded[name] = module or nil end
  end)

  local PLAIN = { jitter = "none" }

  -- Fails 'n' times with 'how', then gives 1, nil, 3, nil.
  local function flaky(n, how)
    local calls = { n = 0 }
    return function(...)
      calls.n, calls.args = calls.n + 1, select("#", ...)
      if calls.n <= n then return how(calls.n) end
      return 1, nil, 3, nil
    end, calls
  end

  it("hands on every result of a success", function()
    local fn, calls = flaky(0)
    local function count(...) return select("#", ...), ... end
    assert.same({ 4, 1, nil, 3, nil }, { count(retry.call(fn)) })
    assert.same({ n = 1, args = 0 }, calls)
    assert.same({ 0 }, { count(retry.call(function() end)) })
    assert.same({ 1, nil }, { count(retry.call(function() return nil end)) })
    assert.same({ 2, false, "x" }, { count(retry.call(function() return false, "x" end)) })
    assert.same({}, time.slept)
  end)

  it("[B11] waits out errors that are raised and errors that are returned", function()
    for _, how in ipairs {
      function() error(fault(), 0) end,
      function() return nil, fault() end,
    } do
      time.slept = {}
      local fn, calls = flaky(3, how)
      assert.same({ 1, nil, 3 }, { retry.call(fn, PLAIN) })
      assert.equal(4, calls.n)
      assert.same({ 1, 2, 4 }, time.slept)
    end
  end)

  it("gives up after max_retries with the last error, as it came", function()
    local errs = { fault(), fault(), fault() }
    local fn, calls = flaky(9, function(i) error(errs[i], 0) end)
    local ok, err = pcall(retry.call, fn, { max_retries = 2, jitter = "none" })
    assert.is_false(ok)
    assert.equal(errs[3], err)
    assert.equal(3, calls.n)
    assert.same({ 1, 2 }, time.slept)
    fn = flaky(9, function(i) return nil, errs[i], "more" end)
    local result, again, more = retry.call(fn, { max_retries = 0 })
    assert.is_nil(result)
    assert.equal(errs[1], again)
    assert.equal("more", more)
  end)

  it("hands on what is no retryable error, at once and unchanged", function()
    for _, value in ipairs { "text", 42, true, { status = 429 }, { retryable = "yes" }, { retryable = 1 },
      { retryable = false, retry_after = 1 }, print,
      fault { retryable = false, status = 400 } } do
      local fn, calls = flaky(9, function() error(value, 0) end)
      local ok, err = pcall(retry.call, fn)
      assert.is_false(ok)
      assert.equal(value, err)
      assert.equal(1, calls.n)
      assert.equal(value, (select(2, retry.call(function() return nil, value end))))
    end
    local ok, err = pcall(retry.call, function() error() end)
    assert.is_false(ok)
    assert.is_nil(err)
    assert.same({}, time.slept)
  end)

  it("[P11] believes any error table that says it is retryable, whosever it is", function()
    local Class = { retryable = true }
    Class.__index = Class
    local Child = setmetatable({}, Class)
    Child.__index = Child
    for _, err in ipairs {
      { retryable = true }, { retryable = true, message = "x" }, setmetatable({ status = 7 }, Child),
      setmetatable({ retryable = true }, { __index = function() error "asked" end, __tostring = error }),
    } do
      for _, how in ipairs { function() error(err, 0) end, function() return nil, err end } do
        time.slept = {}
        local seen
        local fn = flaky(2, how)
        assert.same({ 1, nil, 3 }, { retry.call(fn, { jitter = "none", on_retry = function(it) seen = it end }) })
        assert.same({ 1, 2 }, time.slept)
        assert.is_true(rawequal(seen, err))
        assert.is_true(retry.plan("ofox", err).retry)
      end
    end
    time.slept = {}
    retry.call(flaky(2, function(i) error({ retryable = true, retry_after = i * 7 }) end), PLAIN)
    assert.same({ 7, 14 }, { math.floor(time.slept[1]), math.floor(time.slept[2]) })
    local last = { retryable = true }
    local _, err = pcall(retry.call, function() error(last) end, { max_retries = 1, jitter = "none" })
    assert.is_true(err == last)
    time.slept = {}
    assert.equal(1, (retry.call(flaky(1, function() return nil, { status = 425 } end), { statuses = { 425 } })))
    assert.equal(1, #time.slept)
  end)

  it("[A1] [A2] [A12] follows the server's word", function()
    local hints = { 0, 0, 5, 61 }
    local fn, calls = flaky(9, function(i) return nil, fault { retry_after = hints[i] } end)
    local _, err = retry.call(fn, { jitter = "none", max_retries = 9, seed = 3 })
    assert.equal(61, err.retry_after)
    assert.equal(4, calls.n)
    local u = core.retry_random(3, 1, 2)[1]
    assert.same({ 0, 2 }, { time.slept[1], time.slept[2] })
    near(5 + u, time.slept[3])
    assert.equal(3, #time.slept)
  end)

  it("[A13] never sleeps past the deadline", function()
    local fn, calls = flaky(99, function()
      time.now = time.now + 0.5
      return nil, fault()
    end)
    retry.call(fn, { jitter = "none", max_retries = 50, deadline = 8.5 })
    assert.same({ 1, 2 }, time.slept) -- then 4.5 are gone, and a wait of 4 would end at the deadline
    assert.equal(3, calls.n)
  end)

  it("[A13] counts the sleep of another clock", function()
    local slept = {}
    local fn = flaky(99, function() return nil, fault() end)
    retry.call(fn, { jitter = "none", max_retries = 50, deadline = 10,
      sleep = function(seconds) slept[#slept + 1] = seconds end })
    assert.same({ 1, 2, 4 }, slept)
    assert.same({}, time.slept)
  end)

  it("[B5] the same seed gives the same delays", function()
    local function delays(seed)
      time.slept = {}
      retry.call(flaky(3, function() return nil, fault() end), { seed = seed })
      return time.slept
    end
    local first = delays(7)
    assert.equal(3, #first)
    assert.same(first, delays(7))
    assert.not_same(first, delays(8))
    for n, seconds in ipairs(first) do assert.is_true(seconds >= 2 ^ (n - 1) and seconds < 2 ^ (n - 1) + 1) end
    assert.not_equal(first[1] - 1, first[2] - 2)
  end)

  it("[B9] on_retry sees each retry and may stop or lengthen it", function()
    local err = fault { retry_after = 3 }
    local seen = {}
    local fn, calls = flaky(9, function(i) return nil, i == 2 and err or fault() end)
    local _, last = retry.call(fn, { jitter = "none", max_server_delay = 3, seed = 1, max_retries = 9,
      on_retry = function(e, delay, attempt, source)
        seen[#seen + 1] = { delay, attempt, source, e == err }
        if attempt == 1 then return 0.5 end       -- shorter: no effect
        if attempt == 2 then return nil end
        if attempt == 3 then return 100 end
        if attempt == 4 then return true end      -- no effect
        if attempt == 5 then return false end
      end })
    assert.equal("slow down", last.message)
    assert.equal(5, calls.n)
    local third = 3 + 0.75 * core.retry_random(1, 1, 1)[1]
    assert.same({ 1, 1, "backoff", false }, seen[1])
    assert.same({ third, 2, "server", true }, seen[2])
    assert.same({ 4, 3, "backoff", false }, seen[3])
    assert.same({ 16, 5, "backoff", false }, seen[5])
    assert.same({ 1, third, 100, 8 }, time.slept)
  end)

  it("[A13] [B9] on_retry may not lengthen past the deadline", function()
    local fn, calls = flaky(9, function() return nil, fault() end)
    retry.call(fn, { deadline = 10, on_retry = function() return 10 end })
    assert.equal(1, calls.n)
    assert.same({}, time.slept)
  end)

  it("[B9] an error of a hook propagates", function()
    local boom = {}
    local fn = flaky(9, function() return nil, fault() end)
    local ok, err = pcall(retry.call, fn, { on_retry = function() error(boom) end })
    assert.is_false(ok)
    assert.equal(boom, err)
    ok, err = pcall(retry.call, fn, { sleep = function() error(boom) end })
    assert.is_false(ok)
    assert.equal(boom, err)
  end)

  it("[B6] a policy that changes on the way changes nothing", function()
    local policy = { jitter = "none", max_retries = 2, statuses = { 418 } }
    local fn, calls = flaky(9, function()
      policy.jitter, policy.max_retries, policy.statuses[1], policy.base = 5, -1, nil, "x"
      return nil, fault { retryable = false, status = 418 }
    end)
    retry.call(fn, policy)
    assert.equal(3, calls.n)
    assert.same({ 1, 2 }, time.slept)
  end)

  it("takes what can be called for a function, and names of policies", function()
    local callable = setmetatable({}, { __call = function() return "called" end })
    assert.equal("called", retry.call(callable, "aws"))
  end)

  it("[B4] tells misuse at the caller's line, before fn runs", function()
    local rows = {
      { nil, nil, "fn: expected a function, got nil" },
      { {}, nil, "fn: expected a function, got a table" },
      { print, { max_retries = -1 }, "retry.max_retries: expected an integer >= 0, got -1" },
      { print, { max_retries = NAN }, "retry.max_retries: expected an integer >= 0, got NaN" },
      { print, { max_retries = 1.5 }, "retry.max_retries: expected an integer >= 0, got 1.5" },
      { print, { max_retries = "2" }, 'retry.max_retries: expected an integer >= 0, got "2"' },
      { print, { deadline = 0 }, "retry.deadline: expected a number > 0, got 0" },
      { print, { on_retry = 1 }, "retry.on_retry: expected a function, got 1" },
      { print, { sleep = "x" }, 'retry.sleep: expected a function, got "x"' },
      { print, { statuses = { [429] = true } },
        "retry.statuses: expected a list of at most 32 HTTP statuses, got a table" },
      { print, { factor = 0 }, "retry.factor: expected a number >= 1, got 0" },
      { print, { tries = 1 }, "retry.tries: unknown field" },
      { print, { max_retry = 1 }, "retry.max_retry: unknown field; did you mean max_retries?" },
      { print, { bse = 1 }, "retry.bse: unknown field; did you mean base?" },
      { print, false, 'retry: expected "ofox", "openai", "aws" or a table, got false' },
      { print, "x", 'retry: expected "ofox", "openai", "aws" or a table, got "x"' },
    }
    for _, row in ipairs(rows) do
      local ran = false
      local fn = row[1]
      if fn == print then fn = function() ran = true end end
      local line = debug.getinfo(1, "l").currentline + 1
      local message = message_of(function() retry.call(fn, row[2]) end)
      assert.truthy(message:find("retry_spec.lua:" .. line .. ": ofox.retry.call: " .. row[3], 1, true), message)
      assert.is_false(ran)
    end
  end)
end)
