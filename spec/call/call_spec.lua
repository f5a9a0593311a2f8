-- The whole call on virtual time: the retry loop of the C core, driven by the
-- mock through the public API.
local ofox = require "ofox"
local mock = require "ofox.mock"

local OK = { status = 200, body = { choices = { { message = { content = "hi" }, finish_reason = "stop" } } } }
local PARAMS = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }
local KEY = "sk-of-secret-0123456789"

-- A client whose own backoff is exactly 1, 2, 4, … seconds.
local function setup(opts)
  local transport = mock.new()
  local all = { api_key = KEY, transport = transport, retry = { jitter = "none" }, errors = "return" }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

local function queue(transport, ...)
  for _, reply in ipairs { ... } do
    transport:reply(type(reply) == "number" and { status = reply, body = { error = { message = "no" } } } or reply)
  end
end

local function times(transport)
  local list = {}
  for i, request in ipairs(transport.requests) do list[i] = request.at end
  return list
end

local function near(expected, actual)
  assert.is_true(math.abs(expected - actual) < 1e-6, ("expected %s, got %s"):format(expected, actual))
end

describe("a call", function()
  it("returns the decoded answer with its meta", function()
    local client, transport = setup()
    queue(transport, { status = 200, headers = { ["X-Request-Id"] = "req_9" }, delay = 0.5, body = OK.body })
    local res = assert(client:chat(PARAMS))
    assert.equal("hi", res:output_text())
    local meta = ofox.meta(res)
    assert.equal(200, meta.status)
    assert.equal("req_9", meta.request_id)
    assert.equal(1, meta.attempts)
    assert.equal("openai/gpt-4o", meta.model_requested)
    near(0.5, meta.elapsed)
    assert.same({}, meta.retries)
  end)

  it("[B1] retries what may succeed later, and nothing else", function()
    local retried = { 408, 409, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 599, 999 }
    for _, status in ipairs(retried) do
      local client, transport = setup { max_retries = 2 }
      queue(transport, status, status, OK)
      assert.is_truthy(client:chat(PARAMS), status)
      assert.equal(3, #transport.requests, status)
    end
    for _, status in ipairs { 400, 401, 402, 403, 404, 405, 413, 415, 422, 451, 501, 505, 511, 301, 304 } do
      local client, transport = setup()
      queue(transport, status, OK)
      local res, err = client:chat(PARAMS)
      assert.is_nil(res)
      assert.equal(status, err.status)
      assert.equal("not_retryable", err.reason)
      assert.equal(1, #transport.requests, status)
    end
  end)

  it("[B2] lets x-should-retry have the last word", function()
    local client, transport = setup()
    queue(transport, { status = 500, headers = { ["x-should-retry"] = "false" } }, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("server", err.reason)
    assert.equal(1, #transport.requests)
    assert.is_false(err.retryable)

    client, transport = setup()
    queue(transport, { status = 400, headers = { ["x-should-retry"] = "true" } }, OK)
    assert.is_truthy(client:chat(PARAMS))
    assert.equal(2, #transport.requests)

    client, transport = setup()
    queue(transport, { status = 400, headers = { ["x-should-retry"] = "yes" } }, OK)
    assert.is_nil((client:chat(PARAMS)))
    assert.equal(1, #transport.requests)
  end)

  it("[B3] does not retry a 429 that means the money is gone", function()
    for _, code in ipairs { "insufficient_quota", "insufficient_credits", "billing_hard_limit_reached" } do
      local client, transport = setup()
      queue(transport, { status = 429, body = { error = { code = code, message = "no" } } }, OK)
      local _, err = client:chat(PARAMS)
      assert.is_true(ofox.errors.is(err, ofox.errors.BillingError))
      assert.equal(1, #transport.requests)
    end
  end)

  it("[B4] makes one request with max_retries = 0", function()
    local client, transport = setup { max_retries = 0 }
    queue(transport, 503, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("max_retries", err.reason)
    assert.equal(1, #transport.requests)
  end)

  it("[B11] backs off 2^n plus a random second", function()
    local client, transport = setup { retry = "ofox", max_retries = 4 }
    queue(transport, 429, 500, { fail = "reset" }, 503, OK)
    assert.is_truthy(client:chat(PARAMS))
    local at = times(transport)
    for n = 0, 3 do
      local waited = at[n + 2] - at[n + 1]
      assert.is_true(waited >= 2 ^ n and waited < 2 ^ n + 1, waited)
    end
  end)

  it("[B5] repeats its delays with the same seed", function()
    local seen = {}
    for i = 1, 2 do
      local client, transport = setup { retry = { jitter = "full", seed = 7 } }
      queue(transport, 500, 500, 500, OK)
      client:chat(PARAMS)
      seen[i] = times(transport)
    end
    assert.same(seen[1], seen[2])
    local client, transport = setup { retry = { jitter = "full", seed = 8 } }
    queue(transport, 500, 500, 500, OK)
    client:chat(PARAMS)
    assert.are_not.same(seen[1], times(transport))
  end)

  it("[A1] takes the server's word as a floor, jitter upward only", function()
    for seed = 1, 20 do
      local client, transport = setup { retry = { seed = seed } }
      queue(transport, { status = 429, headers = { ["Retry-After"] = "20" } }, OK)
      assert.is_truthy(client:chat(PARAMS))
      local waited = times(transport)[2]
      assert.is_true(waited >= 20 and waited <= 21, waited)
    end
  end)

  it("[A2] tries at once when told 0, but backs off at the second 0", function()
    local client, transport = setup()
    local zero = { status = 429, headers = { ["Retry-After"] = "0" } }
    queue(transport, zero, zero, zero, OK)
    local res = assert(client:chat(PARAMS))
    local at = times(transport)
    near(0, at[2])
    near(2, at[3] - at[2])
    local retries = ofox.meta(res).retries
    assert.equal("retry-after", retries[1].delay_source)
    assert.equal("backoff", retries[2].delay_source)
  end)

  it("[A12] gives up at once when told to wait longer than it may", function()
    local client, transport = setup()
    queue(transport, { status = 429, headers = { ["Retry-After"] = "60" } }, OK)
    assert.is_truthy(client:chat(PARAMS))
    for _, seconds in ipairs { 61, 277403 } do
      client, transport = setup()
      queue(transport, { status = 429, headers = { ["Retry-After"] = tostring(seconds) } }, OK)
      local _, err = client:chat(PARAMS)
      assert.equal("delay_too_long", err.reason)
      assert.equal(seconds, err.retry_after)
      near(transport:wall() + seconds, err.retry_at)
      near(0, transport:now())
      assert.equal(1, #transport.requests)
    end
  end)

  it("[A13] neither oversleeps its deadline nor calls early", function()
    local client, transport = setup { deadline = 5 }
    queue(transport, { status = 503, headers = { ["Retry-After"] = "6" } }, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("deadline", err.reason)
    assert.equal(6, err.retry_after)
    near(0, transport:now())

    client, transport = setup { deadline = 2.5 }
    queue(transport, 500, 500, OK)
    _, err = client:chat(PARAMS)
    assert.equal("deadline", err.reason)
    assert.equal(2, #transport.requests)
    near(1, transport:now())
  end)

  it("[A14] honours the server's word on every retried status, and on 400 retries nothing", function()
    for _, status in ipairs { 429, 500, 502, 503, 524, 529 } do
      local client, transport = setup()
      queue(transport, { status = status, headers = { ["retry-after"] = "7" } }, OK)
      assert.is_truthy(client:chat(PARAMS))
      assert.is_true(times(transport)[2] >= 7, status)
    end
    local client, transport = setup()
    queue(transport, { status = 400, headers = { ["retry-after"] = "7" } }, OK)
    client:chat(PARAMS)
    assert.equal(1, #transport.requests)
  end)

  it("[A11] [A15] ranks header, reset and body", function()
    local body = { error = { message = "Please retry after 3s" } }
    local rows = {
      { { ["retry-after"] = "4", ["x-ratelimit-reset-requests"] = "9s" }, 4, "retry-after" },
      { { ["x-ratelimit-reset-requests"] = "9s" }, 9, "x-ratelimit-reset-requests" },
      { {}, 3, "body" },
      { { ["retry-after"] = "junk" }, 3, "body" },
    }
    for _, row in ipairs(rows) do
      local client, transport = setup()
      queue(transport, { status = 429, headers = row[1], body = body }, OK)
      local res = assert(client:chat(PARAMS))
      local retry = ofox.meta(res).retries[1]
      assert.equal(row[3], retry.delay_source)
      assert.is_true(retry.delay >= row[2] and retry.delay <= row[2] + 1)
    end
  end)

  it("[A16] keeps the error when its headers are junk", function()
    local client, transport = setup { max_retries = 0 }
    queue(transport, {
      status = 429, headers = { ["retry-after"] = "Wed, 99 Zun", ["x-ratelimit-reset-requests"] = "12x" },
      body = { error = { message = "slow down", code = "rate_limit_exceeded" } },
    })
    local _, err = client:chat(PARAMS)
    assert.equal("slow down", err.message)
    assert.equal("rate_limit_exceeded", err.code)
  end)

  it("[B6] sends identical bytes although the caller changes its table", function()
    local params = { model = "m", messages = { { role = "user", content = "one" } } }
    local client, transport = setup { on_retry = function() params.messages[1].content = "two" end }
    queue(transport, 500, OK)
    assert.is_truthy(client:chat(params))
    assert.equal(transport.requests[1].body, transport.requests[2].body)
    assert.is_truthy(transport.requests[2].body:find("one", 1, true))
  end)

  it("[B7] sends one idempotency key per call, the caller's if given", function()
    local client, transport = setup()
    queue(transport, 500, OK, OK)
    client:chat(PARAMS)
    client:chat(PARAMS)
    local keys = {}
    for i, request in ipairs(transport.requests) do keys[i] = request.headers["idempotency-key"] end
    assert.is_string(keys[1])
    assert.equal(keys[1], keys[2])
    assert.are_not.equal(keys[1], keys[3])
    queue(transport, OK, OK, OK)
    client:chat(PARAMS, { idempotency_key = "mine" })
    assert.equal("mine", transport.requests[4].headers["idempotency-key"])
    client:chat(PARAMS, { idempotency_key = false })
    assert.is_nil(transport.requests[5].headers["idempotency-key"])
    client:request { path = "/x" }
    assert.is_nil(transport.requests[6].headers["idempotency-key"])
  end)

  it("[B8] asks for the key once per attempt, and refuses one it cannot send", function()
    local asked = 0
    local client, transport = setup {
      api_key = function()
        asked = asked + 1
        return "sk-number-" .. asked .. "-xxxxxxxx"
      end,
    }
    queue(transport, 500, OK)
    client:chat(PARAMS)
    assert.equal("Bearer sk-number-1-xxxxxxxx", transport.requests[1].headers.authorization)
    assert.equal("Bearer sk-number-2-xxxxxxxx", transport.requests[2].headers.authorization)

    local mine = {}
    client = setup { api_key = function() error(mine) end }
    local ok, err = pcall(client.chat, client, PARAMS)
    assert.is_false(ok)
    assert.equal(mine, err)

    client, transport = setup { api_key = function() return "sk-secret-secret\nX: y" end }
    ok, err = pcall(client.chat, client, PARAMS)
    assert.is_false(ok)
    assert.is_nil(tostring(err):find("secret", 1, true))
    assert.equal(0, #transport.requests)
  end)

  it("says missing_api_key without a request", function()
    local client, transport = setup { api_key = function() return nil end }
    local res, err = client:chat(PARAMS)
    assert.is_nil(res)
    assert.equal("missing_api_key", err.code)
    assert.equal("authentication_error", err.type)
    assert.equal(0, err.attempts)
    assert.equal("not_retryable", err.reason)
    assert.equal(0, #transport.requests)
    client, transport = setup { api_key = false }
    queue(transport, OK)
    assert.is_truthy(client:chat(PARAMS))
    assert.is_nil(transport.requests[1].headers.authorization)
  end)

  it("[B9] lets hooks stop, lengthen, count down and fail", function()
    local seen
    local client, transport = setup {
      on_retry = function(...)
        seen = { ... }
        return false
      end,
    }
    queue(transport, 503, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("hook", err.reason)
    assert.equal(1, #transport.requests)
    assert.same({}, err.retries)
    assert.equal(503, seen[1].status)
    assert.same({ 1, 1, "backoff" }, { seen[2], seen[3], seen[4] })

    client, transport = setup { on_retry = function() return 30 end }
    queue(transport, 503, OK)
    local res = assert(client:chat(PARAMS))
    near(30, times(transport)[2])
    assert.equal("hook", ofox.meta(res).retries[1].delay_source)

    client, transport = setup { on_retry = function() return 0.1 end }
    queue(transport, 503, OK)
    client:chat(PARAMS)
    near(1, times(transport)[2])

    local left = {}
    client, transport = setup { on_wait = function(seconds) left[#left + 1] = seconds end }
    queue(transport, 503, OK)
    client:chat(PARAMS)
    assert.same({ 1, 0.75, 0.5, 0.25 }, left)

    for _, hook in ipairs { "on_retry", "on_wait", "on_error", "on_response" } do
      local boom = {}
      client, transport = setup { [hook] = function() error(boom) end, max_retries = 1 }
      if hook == "on_error" then queue(transport, 503, 503) else queue(transport, 503, OK) end
      local ok, got = pcall(client.chat, client, PARAMS)
      assert.is_false(ok, hook)
      assert.equal(boom, got)
    end
  end)

  it("[B9] takes no nonsense from on_retry, and for ever as a no", function()
    for _, answer in ipairs { "2", {}, -1, 0 / 0 } do
      local client, transport = setup { on_retry = function() return answer end }
      queue(transport, 503, OK)
      local ok, message = pcall(client.chat, client, PARAMS)
      assert.is_false(ok)
      assert.matches("^on_retry: expected nil, false or a number of seconds, got ", message)
    end
    local client, transport = setup { on_retry = function() return math.huge end }
    queue(transport, 503, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("hook", err.reason)
  end)

  it("says when to come back only where that may help", function()
    for _, status in ipairs { 400, 401, 404, 501 } do
      local client, transport = setup()
      queue(transport, { status = status, headers = { ["retry-after"] = "59" } })
      local _, err = client:chat(PARAMS)
      assert.is_nil(err.retry_after)
      assert.is_nil(err.retry_at)
      assert.is_nil(ofox.parse_error(status, { ["retry-after"] = "59" }).retry_after)
    end
  end)

  it("writes lists that are empty as lists", function()
    local client, transport = setup()
    queue(transport, OK)
    local params = { model = "m", messages = {}, tools = {}, metadata = {} }
    client:chat(params)
    local body = transport.requests[1].body
    assert.is_truthy(body:find('"messages":[]', 1, true))
    assert.is_truthy(body:find('"tools":[]', 1, true))
    assert.is_truthy(body:find('"metadata":{}', 1, true))
    assert.is_nil(getmetatable(params.messages))
  end)

  it("asks HEAD of a path, and stays below base_url", function()
    local client, transport = setup()
    queue(transport, { status = 200, body = "" })
    assert.same({ value = "" }, { value = client:request({ method = "HEAD", path = "/models" }).value })
    for _, path in ipairs { "/../x", "/a/./b", "/%2e%2E/x", "..", "/a/.." } do
      local ok, message = pcall(client.request, client, { path = path })
      assert.is_false(ok)
      assert.matches("params.path: contains . or .. as a segment", message, 1, true)
    end
    assert.equal(1, #transport.requests)
  end)

  it("does not lengthen a wait beyond the deadline", function()
    local client, transport = setup { deadline = 10, on_retry = function() return 11 end }
    queue(transport, 503, OK)
    local _, err = client:chat(PARAMS)
    assert.equal("deadline", err.reason)
    assert.equal(11, err.retry_after)
    near(0, transport:now())
    assert.equal(1, #transport.requests)
  end)

  it("[C12] tells its limits apart", function()
    local client, transport = setup { timeout = 5, max_retries = 1 }
    queue(transport, { fail = "timeout" }, { fail = "timeout" })
    local _, err = client:chat(PARAMS)
    assert.equal("timeout", err.code)
    assert.equal("timeout_error", err.type)
    assert.is_true(err.ambiguous)
    near(5 + 1 + 5, transport:now())

    client, transport = setup { connect_timeout = 3, max_retries = 0 }
    queue(transport, { fail = "connect_timeout" })
    _, err = client:chat(PARAMS)
    assert.equal("connect_timeout", err.code)
    near(3, transport:now())

    client, transport = setup { timeout = 1, max_retries = 2, deadline = 1.5 }
    queue(transport, { fail = "timeout" }, { fail = "timeout" })
    _, err = client:chat(PARAMS)
    assert.equal("timeout_error", err.type)
    assert.equal("deadline", err.reason)
    assert.is_true(transport:now() <= 1.6)

    client, transport = setup { timeout = 10, deadline = 4 }
    queue(transport, { fail = "timeout" })
    _, err = client:chat(PARAMS)
    assert.equal("deadline", err.code)
    assert.equal("deadline", err.reason)
    near(4, transport:now())
  end)

  it("[C8] reads errors inside a 200", function()
    local client, transport = setup()
    queue(transport, { body = { error = { code = 429, message = "slow" } } }, OK)
    assert.is_truthy(client:chat(PARAMS))
    assert.equal(2, #transport.requests)
    client, transport = setup { max_retries = 0 }
    queue(transport, { body = { choices = { { finish_reason = "error", message = { content = "x" } } } } })
    local _, err = client:chat(PARAMS)
    assert.equal("upstream_error", err.type)
    assert.equal(200, err.status)
  end)

  it("[F5] keeps a history and a reason", function()
    local client, transport = setup { max_retries = 2 }
    queue(transport,
      { status = 429, headers = { ["retry-after"] = "2", ["x-request-id"] = "a" }, delay = 0.5,
        body = { error = { code = "rate_limit_exceeded", message = "x" } } },
      { fail = "reset" }, { status = 503, headers = { ["x-request-id"] = "c" } })
    local _, err = client:chat(PARAMS)
    assert.equal("max_retries", err.reason)
    assert.equal(3, err.attempts)
    assert.equal("c", err.request_id)
    assert.equal(4, err.retry_after)
    assert.equal(2, #err.retries)
    local first, second = err.retries[1], err.retries[2]
    assert.equal("rate_limit_error", first.type)
    assert.equal("rate_limit_exceeded", first.code)
    assert.equal(429, first.status)
    assert.equal("a", first.request_id)
    assert.equal("retry-after", first.delay_source)
    assert.equal("openai/gpt-4o", first.model)
    near(0.5, first.elapsed)
    assert.equal("connection_error", second.type)
    assert.equal("reset", second.code)
    assert.is_nil(second.status)
    assert.equal("backoff", second.delay_source)
    near(2, second.delay)
  end)

  it("splits, returns or raises", function()
    local client, transport = setup { errors = "split", max_retries = 0 }
    queue(transport, 401, 503)
    local res, err = client:chat(PARAMS)
    assert.is_nil(res)
    assert.equal("authentication_error", err.type)
    local ok, raised = pcall(client.chat, client, PARAMS)
    assert.is_false(ok)
    assert.is_true(ofox.errors.is(raised, "service_unavailable"))
    queue(transport, 401)
    ok, raised = pcall(client.chat, client, PARAMS, { errors = "raise" })
    assert.is_false(ok)
    assert.is_true(ofox.errors.is(raised, ofox.errors.AuthenticationError))
  end)

  it("[E2] is cancelled before its start, in a wait and by a hook", function()
    local token = ofox.cancel_token()
    local client, transport = setup { on_wait = function() token:cancel() end }
    queue(transport, 503, OK)
    local _, err = client:chat(PARAMS, { cancel = token })
    assert.equal("cancelled_error", err.type)
    assert.equal("cancelled", err.reason)
    assert.equal("service_unavailable", err.cause.type)
    assert.equal(1, #transport.requests)
    _, err = client:chat(PARAMS, { cancel = token })
    assert.equal("cancelled", err.reason)
    assert.equal(0, err.attempts)
    assert.equal(1, #transport.requests)
  end)
end)

describe("fallback", function()
  local FALLBACK = { "anthropic/claude-sonnet-4.5", "google/gemini-3-flash-preview" }

  it("moves on without a wait, and stays with the last model", function()
    local client, transport = setup { fallback = FALLBACK, max_retries = 3 }
    queue(transport, 502, 503, 502, OK)
    local res = assert(client:chat(PARAMS))
    assert.same({ 0, 0, 0 }, { times(transport)[1], times(transport)[2], times(transport)[3] })
    near(4, times(transport)[4])
    local json = require "ofox.json"
    local sent = {}
    for i, request in ipairs(transport.requests) do sent[i] = json.decode(request.body) end
    assert.equal("openai/gpt-4o", sent[1].model)
    assert.same(FALLBACK, { sent[1].provider.fallback[1], sent[1].provider.fallback[2] })
    assert.equal(FALLBACK[1], sent[2].model)
    assert.equal(FALLBACK[2], sent[2].provider.fallback[1])
    assert.equal(FALLBACK[2], sent[3].model)
    assert.is_nil(sent[3].provider)
    assert.equal(transport.requests[3].body, transport.requests[4].body)
    local function key(i) return transport.requests[i].headers["idempotency-key"] end
    assert.equal(key(3), key(4))
    assert.are_not.equal(key(1), key(2))
    local meta = ofox.meta(res)
    assert.equal("openai/gpt-4o", meta.model_requested)
    assert.equal("openai/gpt-4o", meta.retries[1].model)
    assert.equal(FALLBACK[2], meta.retries[3].model)
  end)

  it("stays with the model when the failure is not the model's", function()
    local client, transport = setup { fallback = FALLBACK }
    queue(transport, 429, { fail = "refused" }, 500, OK)
    assert.is_truthy(client:chat(PARAMS))
    for _, request in ipairs(transport.requests) do
      assert.equal(transport.requests[1].body, request.body)
    end
  end)

  it("names the model of every attempt in the error", function()
    local client, transport = setup { fallback = { FALLBACK[1] }, max_retries = 1 }
    queue(transport, 502, 504)
    local _, err = client:chat(PARAMS)
    assert.equal(FALLBACK[1], err.model)
    assert.equal("openai/gpt-4o", err.retries[1].model)
  end)
end)

describe("secrets", function()
  local function dump(value, seen)
    seen = seen or {}
    if type(value) ~= "table" then return tostring(value) end
    if seen[value] then return "" end
    seen[value] = true
    local parts = { tostring(value) }
    for k, v in pairs(value) do parts[#parts + 1] = dump(k, seen) .. "=" .. dump(v, seen) end
    return table.concat(parts, "\n")
  end

  it("[F3] are in nothing that the program can see of an error", function()
    local logged = {}
    local echoes = {
      KEY, (KEY:gsub("%-", "%%2D")), require("ofox.base.native")("core").parts.base64_encode("x:" .. KEY),
      (KEY:gsub("s", "\\u0073")),
    }
    for _, echo in ipairs(echoes) do
      local client, transport = setup {
        max_retries = 1, on_retry = function(err) logged[#logged + 1] = dump(err) end,
        on_error = function(err) logged[#logged + 1] = dump(err) end,
        logger = function(level, message, fields) logged[#logged + 1] = level .. message .. dump(fields) end,
      }
      local reply = {
        status = 500, headers = { ["x-echo"] = echo, location = "/" .. echo },
        body = ('{"error":{"message":"bad key %s","code":"%s"}}'):format(echo, echo),
      }
      queue(transport, reply, reply)
      local _, err = client:chat(PARAMS)
      logged[#logged + 1] = dump(err) .. require("ofox.json").encode(err)
      local text = table.concat(logged, "\n")
      assert.is_nil(text:find(echo, 1, true), echo)
      assert.is_nil(text:find(KEY, 1, true))
      assert.is_truthy(err.message:find("bad key", 1, true))
    end
  end)

  it("[F3] are the caller's own, too: in queries, cookies, Basic, proxies and names of headers", function()
    local rows = {
      { { query = { api_key = "AIzaSECRETSECRET1234" } }, "AIzaSECRETSECRET1234" },
      { { headers = { authorization = "Basic YWxpY2U6aHVudGVyMmh1bnRlcjI=" } }, "hunter2hunter2" },
      { { headers = { cookie = "sid=abcdefghijkl; lang=en" } }, "abcdefghijkl" },
      { { headers = { ["x-password"] = "correct-horse" } }, "correct-horse" },
      { {}, KEY },
    }
    for _, row in ipairs(rows) do
      local client, transport = setup(row[1])
      queue(transport, {
        status = 400, headers = { [row[2]] = "1", location = row[2] },
        body = { error = { message = "you said " .. row[2] } },
      })
      local _, err = client:chat(PARAMS)
      assert.equal("you said ***", err.message)
      assert.is_nil(dump(err):lower():find(row[2]:lower(), 1, true), row[2])
    end
  end)
end)
