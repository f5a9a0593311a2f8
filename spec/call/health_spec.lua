-- The options budget and breaker: whether an attempt is worth sending.
local accounts = require "spec.support.limited"
local mock = require "ofox.mock"
local ofox = require "ofox"

local OK = { status = 200, headers = { ["content-type"] = "application/json" }, body = accounts.OK }
local FAILED = { status = 500, headers = OK.headers, body = '{"error":{"message":"no"}}' }
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local function client_of(transport, options)
  local all = { api_key = "sk-test", base_url = "http://h.example/v1", insecure_http = true, transport = transport,
    errors = "return" }
  for name, value in pairs(options) do all[name] = value end
  return ofox.new(all)
end

local EVENT = { choices = { { index = 0, delta = { content = "a" } } } }
local STOP = { choices = { { index = 0, delta = ofox.object {}, finish_reason = "stop" } } }

local function streamed(...)
  local sse = {}
  for i, text in ipairs { ... } do sse[i] = { choices = { { index = 0, delta = { content = text } } } } end
  sse[#sse + 1] = STOP
  sse[#sse + 1] = "[DONE]"
  return { sse = sse }
end

-- The model that a request asks.
local function asked(request)
  return request.body:match '"model":"(.-)"'
end

local function params(model)
  return { model = model, messages = PARAMS.messages }
end

describe("budget", function()
  local transport

  before_each(function() transport = mock.new() end)

  local function spend(client, n)
    local last
    for _ = 1, n do last = select(2, client:chat(PARAMS)) end
    return last
  end

  it("is off unless it is given", function()
    transport:always(FAILED)
    spend(client_of(transport, { max_retries = 3 }), 200)
    assert.equal(800, #transport.requests)
  end)

  it("pays for a hundred retries, then errors arrive at once", function()
    transport:always(FAILED)
    local client = client_of(transport, { budget = true, max_retries = 3 })
    local err = spend(client, 200)
    assert.equal(300, #transport.requests)
    assert.same({ 500, "budget", 1, "internal_error" }, { err.status, err.reason, err.attempts, err.type })
    local before = transport:now()
    client:chat(PARAMS)
    assert.equal(before, transport:now())
  end)

  it("costs twice as much after a timeout", function()
    transport:always { status = 504 }
    spend(client_of(transport, { budget = true, max_retries = 3 }), 100)
    assert.equal(150, #transport.requests)
  end)

  it("gets the price of a retry back that succeeds, and a token for a success", function()
    transport:always(FAILED)
    local client = client_of(transport, { budget = true, max_retries = 1 })
    spend(client, 100)
    assert.equal("budget", spend(client, 1).reason)
    transport:always(OK)
    spend(client, 5)
    transport:reply(FAILED)
    transport:reply(OK)
    assert.is_truthy(client:chat(PARAMS)) -- paid with 5, which come back
    transport:reply(FAILED)
    transport:reply(OK)
    assert.is_truthy(client:chat(PARAMS))
    transport:always(FAILED)
    assert.same({ "max_retries", "budget" }, { spend(client, 1).reason, spend(client, 1).reason })
  end)

  it("is the account's, not the client's or the call's", function()
    transport:always(FAILED)
    local one, two = client_of(transport, { budget = true, max_retries = 1 }),
      client_of(transport, { budget = true, max_retries = 1 })
    spend(one, 60)
    spend(two, 60)
    assert.equal(220, #transport.requests)
    local other = client_of(transport, { budget = true, max_retries = 1, api_key = "sk-other" })
    assert.equal(2, spend(other, 1).attempts)
  end)

  it("is not spent for a retry that on_retry refuses", function()
    transport:always(FAILED)
    local client = client_of(transport, { budget = true, max_retries = 1 })
    for _ = 1, 300 do client:chat(PARAMS, { on_retry = function() return false end }) end
    assert.equal("max_retries", spend(client, 1).reason)
  end)

  it("is not spent for a retry that is cancelled before it is sent", function()
    transport:always(FAILED)
    local client = client_of(transport, { budget = true, max_retries = 1 })
    for _ = 1, 150 do
      local token = ofox.cancel_token()
      local _, err = client:chat(PARAMS, { cancel = token, on_retry = function() token:cancel() end })
      assert.equal("cancelled_error", err.type)
    end
    assert.equal("max_retries", spend(client, 1).reason)
  end)

  it("pays for streams, too", function()
    transport:always(FAILED)
    local client = client_of(transport, { budget = true, max_retries = 1 })
    for _ = 1, 120 do client:stream(PARAMS) end
    assert.equal(220, #transport.requests)
  end)

  it("is given back by a stream that ends well", function()
    local client = client_of(transport, { budget = true, max_retries = 1 })
    for _ = 1, 150 do
      transport:reply(FAILED)
      transport:reply(streamed("a", "b"))
      local stream = assert(client:stream(PARAMS))
      assert.equal("ab", stream:collect():output_text())
    end
    assert.equal(300, #transport.requests)
  end)
end)

describe("a hedge", function()
  it("pays from the budget, and is not made if that is empty", function()
    local transport = mock.new()
    transport:always { status = 200, delay = 5, headers = OK.headers, body = OK.body }
    local client = client_of(transport, { budget = true, max_retries = 1, hedge = 1 })
    client:chat(PARAMS)
    assert.equal(2, #transport.requests)
    assert.equal(496, client:stats().limits.budget) -- the first one won: a retry's price less, a success more
    transport:always(FAILED)
    for _ = 1, 120 do client:chat(PARAMS, { hedge = false }) end
    transport:always { status = 200, delay = 5, headers = OK.headers, body = OK.body }
    local sent = #transport.requests
    client:chat(PARAMS)
    assert.equal(sent + 1, #transport.requests)
  end)

  it("obeys the breaker", function()
    local transport = mock.new()
    local client = client_of(transport, { breaker = { min_calls = 2 }, max_retries = 1,
      hedge = { after = 1, model = "h" } })
    transport:always(FAILED)
    client:chat(params "h", { max_retries = 0 })
    client:chat(params "h", { max_retries = 0 })
    transport:always { status = 200, delay = 5, headers = OK.headers, body = OK.body }
    local sent = #transport.requests
    assert.is_truthy(client:chat(params "m"))
    assert.equal(sent + 1, #transport.requests)
  end)
end)

describe("client:stats().limits", function()
  it("says what hold, pace, budget and breakers say", function()
    local transport = mock.new()
    local client = client_of(transport, { max_retries = 0, hold = true })
    assert.same({ waiting = 0, models = {} }, client:stats().limits)
    transport:reply { status = 429, headers = { ["retry-after"] = "20" }, body = accounts.SLOW_DOWN }
    client:chat(PARAMS)
    transport:advance(5)
    assert.same({ waiting = 0, hold = 15, models = {} }, client:stats().limits)
    transport:reply { status = 429, headers = { ["retry-after"] = "20" } }
    local own = client_of(transport, { max_retries = 0, api_key = "sk-2", budget = true, breaker = { min_calls = 1 },
      pace = { rpm = 60, burst = 1, concurrent = 5 } })
    own:chat(params "one")
    transport:reply(FAILED)
    own:chat(params "two")
    transport:reply(OK)
    own:chat(params "three")
    local limits = own:stats().limits
    assert.is_true(limits.pace.wait > 0 and limits.pace.wait <= 1)
    assert.equal(60, limits.pace.rpm)
    assert.equal(0, limits.pace.in_flight)
    assert.equal(500, limits.budget)
    assert.is_true(limits.models.one.hold > 17)
    assert.same({ "closed", "open", "closed" },
      { limits.models.one.breaker, limits.models.two.breaker, limits.models.three.breaker })
    assert.is_true(limits.models.two.retry_after > 0)
    local text = ofox.prometheus(own)
    assert.matches('\nofox_model_hold_seconds{model="one"} 1', text)
    for _, line in ipairs { "ofox_budget_tokens 500", 'ofox_breaker_open{model="two"} 1', "ofox_hold_seconds 0",
      'ofox_breaker_open{model="one"} 0' } do
      assert.is_truthy(text:find("\n" .. line .. "\n", 1, true), text)
    end
  end)

  it("counts calls that wait", function()
    local transport = mock.new()
    transport:reply { status = 429, headers = { ["retry-after"] = "20" }, body = accounts.SLOW_DOWN }
    transport:always(OK)
    local client, seen = client_of(transport, { max_retries = 0 }), nil
    client:chat(PARAMS)
    ofox.map({ 1, 2, 3 }, function(i)
      return client:chat(PARAMS, i == 3 and { on_wait = function() seen = seen or client:stats().limits end } or nil)
    end)
    assert.same({ 2, true }, { seen.waiting, seen.hold <= 20 }) -- who asks is not in the queue meanwhile
    assert.same({ waiting = 0, models = {} }, client:stats().limits)
  end)
end)

describe("breaker", function()
  local transport

  before_each(function() transport = mock.new() end)

  local function fail(client, n, model)
    local last
    for _ = 1, n do last = select(2, client:chat(params(model or "m"))) end
    return last
  end

  it("opens when half of at least 20 have failed, and says so without a request", function()
    transport:always(FAILED)
    local client = client_of(transport, { breaker = true, max_retries = 0 })
    assert.equal("internal_error", fail(client, 20).type)
    local err = fail(client, 1)
    assert.equal(20, #transport.requests)
    assert.same({ "service_unavailable", "circuit_open", "circuit_open", 0, 15, true },
      { err.type, err.code, err.reason, err.attempts, err.retry_after, err.retryable })
    assert.same({}, err.retries)
    assert.is_truthy(ofox.errors.is(err, ofox.errors.ServiceUnavailableError))
    assert.matches("breaker", err:hint())
  end)

  it("stays closed below its ratio, and below its number of calls", function()
    local client = client_of(transport, { breaker = { ratio = 0.5, min_calls = 10 }, max_retries = 0 })
    for _ = 1, 50 do
      transport:reply(OK)
      transport:reply(OK)
      transport:reply(FAILED)
      client:chat(PARAMS) client:chat(PARAMS) client:chat(PARAMS)
    end
    assert.equal(150, #transport.requests)
  end)

  it("lets a probe through once it has been open, and closes if that succeeds", function()
    transport:always(FAILED)
    local client = client_of(transport, { breaker = { min_calls = 4, open = 10 }, max_retries = 0 })
    fail(client, 4)
    transport:advance(9.9)
    assert.equal("circuit_open", fail(client, 1).code)
    transport:advance(0.1)
    assert.equal("internal_error", fail(client, 1).type) -- the probe, which fails
    assert.equal("circuit_open", fail(client, 1).code)
    transport:advance(10)
    transport:always(OK)
    assert.is_truthy(client:chat(PARAMS))
    transport:always(FAILED)
    assert.equal("internal_error", fail(client, 3).type) -- closed: 4 must fail
    assert.equal(9, #transport.requests)
  end)

  it("lets one probe through at a time", function()
    transport:always(FAILED)
    local client = client_of(transport, { breaker = { min_calls = 2, open = 5 }, max_retries = 0 })
    fail(client, 2)
    transport:advance(5)
    transport:always { status = 200, delay = 1, headers = OK.headers, body = OK.body }
    local codes = {}
    ofox.map({ 1, 2, 3 }, function(i)
      local res, err = client:chat(PARAMS)
      codes[i] = res and "ok" or err.code
    end)
    assert.same({ "ok", "circuit_open", "circuit_open" }, codes)
  end)

  it("is each model's own", function()
    transport:always(function(request) return asked(request) == "m" and FAILED or OK end)
    local client = client_of(transport, { breaker = { min_calls = 3 }, max_retries = 0 })
    fail(client, 3)
    assert.equal("circuit_open", fail(client, 1).code)
    assert.is_truthy(client:chat(params "other"))
  end)

  it("is the account's", function()
    transport:always(FAILED)
    local one, two = client_of(transport, { breaker = { min_calls = 3 }, max_retries = 0 }),
      client_of(transport, { breaker = { min_calls = 3 }, max_retries = 0 })
    fail(one, 3)
    assert.equal("circuit_open", fail(two, 1).code)
    local without = client_of(transport, { max_retries = 0 })
    assert.equal("internal_error", fail(without, 1).type)
  end)

  it("makes fallback skip models that are open", function()
    transport:always(function(request) return asked(request) == "down" and FAILED or OK end)
    local client = client_of(transport, { breaker = { min_calls = 3 }, max_retries = 0 })
    fail(client, 3, "down")
    local res = assert(client:chat(params "down", { fallback = { "down", "up" } }))
    assert.same({ 1, 4 }, { ofox.meta(res).attempts, #transport.requests })
    assert.equal("up", asked(transport.requests[4]))
    local _, err = client:chat(params "down", { fallback = { "down" } })
    assert.same({ "circuit_open", 0 }, { err.code, err.attempts })
  end)

  it("ends a call at once whose retry it would refuse, with the error in hand", function()
    transport:always(FAILED)
    local client = client_of(transport, { breaker = { min_calls = 3, open = 60 }, max_retries = 5 })
    local err = fail(client, 1)
    assert.same({ 3, 500, "circuit_open" }, { err.attempts, err.status, err.reason })
    assert.is_true(math.abs(err.retry_after - 60) < 1e-6, err.retry_after)
  end)

  it("does not count 429, 4xx and cancelled calls", function()
    local client = client_of(transport, { breaker = { min_calls = 3 }, max_retries = 0, hold = false })
    for _, status in ipairs { 429, 400, 401, 404, 408, 409, 422, 429 } do
      transport:reply { status = status }
      client:chat(PARAMS)
    end
    for _ = 1, 5 do
      local token = ofox.cancel_token()
      transport:reply(function()
        ofox.go(function() token:cancel() end)
        return { status = 200, delay = 60, headers = OK.headers, body = OK.body }
      end)
      local _, err
      ofox.run(function() _, err = client:chat(PARAMS, { cancel = token }) end)
      assert.equal("cancelled_error", err.type)
    end
    transport:always(FAILED)
    assert.equal("internal_error", fail(client, 3).type)
    assert.equal("circuit_open", fail(client, 1).code)
  end)

  it("counts connections, timeouts, streams and answers that are none", function()
    for _, reply in ipairs {
      { fail = "reset" }, { status = 200, delay = 100, body = accounts.OK },
      { status = 200, body = "<html>" }, { status = 503 },
    } do
      local own = mock.new()
      own:always(reply)
      local client = client_of(own, { breaker = { min_calls = 3 }, max_retries = 0, timeout = 5, hold = false })
      fail(client, 3)
      assert.equal("circuit_open", fail(client, 1).code)
    end
  end)

  it("counts a stream that breaks, and one that ends well", function()
    local client = client_of(transport, { breaker = { min_calls = 3, ratio = 0.6 }, max_retries = 0 })
    transport:always { sse = { EVENT }, fail = "reset" }
    for _ = 1, 2 do
      local stream = assert(client:stream(PARAMS))
      pcall(stream.collect, stream)
    end
    transport:reply(streamed "a")
    assert(client:stream(PARAMS)):collect()
    assert.equal("circuit_open", select(2, client:stream(PARAMS)).code)
  end)

  it("works with holds and a budget", function()
    transport:always { status = 503, headers = { ["retry-after"] = "5" } }
    local client = client_of(transport, { breaker = { min_calls = 2 }, budget = true, max_retries = 1 })
    local err = fail(client, 1)
    assert.same({ 2, "max_retries" }, { err.attempts, err.reason })
    assert.equal("circuit_open", fail(client, 1).code)
  end)
end)
