-- An attempt that does not begin to answer gets a second beside it: what the
-- program sees of both, on virtual time.
local assert = require "luassert"
local mock = require "ofox.mock"
local ofox = require "ofox"

local KEY = "sk-of-the-hedge-0123456789"

local function params(model, more)
  local made = { model = model or "m", messages = { { role = "user", content = "hi" } } }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function client_of(transport, options)
  local given = { api_key = KEY, transport = transport, errors = "return", hedge = 2, retry = { jitter = "none" } }
  for name, value in pairs(options or {}) do given[name] = value end
  return ofox.new(given)
end

-- An answer that says who gave it.
local function answer(text, delay)
  return { delay = delay, body = { id = text, choices = { { message = { role = "assistant", content = text } } } } }
end

local function failure(status, delay, more)
  local reply = { status = status, delay = delay, body = { error = { message = "no" } } }
  for name, value in pairs(more or {}) do reply[name] = value end
  return reply
end

local function chunk(text) return { choices = { { delta = { content = text } } } } end

local function moments(transport)
  local list = {}
  for i, request in ipairs(transport.requests) do list[i] = request.at end
  return list
end

-- {type, code or status, delay, delay_source, elapsed} of all earlier attempts.
local function history(list)
  local rows = {}
  for i, retry in ipairs(list) do
    rows[i] = { retry.type, retry.code or retry.status, retry.delay, retry.delay_source, retry.elapsed }
  end
  return rows
end

local CANCELLED = function(elapsed) return { "cancelled_error", "cancelled", 0, "hedge", elapsed } end

-- What the counters say: calls, attempts, succeeded, failed, in flight and waiting.
local function counts(client)
  local s = client:stats()
  return { s.calls, s.attempts, s.succeeded, s.failed, s.in_flight + s.waiting }
end

-- No attempt goes on: the mock has nothing to do any more.
local function assert_quiet(transport)
  transport:step(0) -- it forgets calls that have ended
  assert.is_nil(transport:timeout())
end

-- How a program may wait: in place, in a task, and in a task that cannot yield.
local HOSTS = {
  ["outside of tasks"] = function(fn) return fn() end,
  ["in a task"] = function(fn) return ofox.run(fn) end,
  ["in a coroutine inside a task"] = function(fn)
    return ofox.run(function()
      local ok, value, err = coroutine.resume(coroutine.create(fn))
      if not ok then error(value, 0) end
      return value, err
    end)
  end,
}

for host, run in pairs(HOSTS) do
  describe("hedge, " .. host .. ":", function()
    local transport
    before_each(function() transport = mock.new() end)

    -- One call; its result or error, its meta or the error, and the client.
    local function ask(replies, options, opts, asked)
      for _, reply in ipairs(replies) do transport:reply(reply) end
      local client = client_of(transport, options)
      local res, err = run(function() return client:chat(asked or params(), opts) end)
      assert_quiet(transport)
      assert.equal(0, transport:unused())
      return res, res and ofox.meta(res) or err, client
    end

    it("the second answers first, and the first is cancelled", function()
      local res, meta, client = ask { answer("slow", 9), answer("fast", 1) }
      assert.equal("fast", res.id)
      assert.same({ 0, 2 }, moments(transport))
      assert.equal(3, meta.elapsed)
      assert.equal(3, meta.first_byte)
      assert.equal(2, meta.attempts)
      assert.same({ CANCELLED(3) }, history(meta.retries))
      assert.same({ 1, 2, 1, 0, 0 }, counts(client))
      assert.equal(1, client:stats().attempt_errors.cancelled_error)
      assert.equal(3, client:stats().latency.max)
      assert.same({ calls = 1, failed = 0 }, { calls = client:stats().models.m.calls,
        failed = client:stats().models.m.failed })
    end)

    it("the first answers first, and the second is cancelled", function()
      local res, meta, client = ask { answer("slow", 3), answer("late", 9) }
      assert.equal("slow", res.id)
      assert.same({ 0, 2 }, moments(transport))
      assert.equal(3, meta.elapsed)
      assert.equal(2, meta.attempts)
      assert.same({ CANCELLED(1) }, history(meta.retries))
      assert.same({ 1, 2, 1, 0, 0 }, counts(client))
    end)

    it("both answer in the same moment: one call has succeeded, once", function()
      local res, meta, client = ask { answer("slow", 3), answer("late", 1) }
      assert.is_truthy(res)
      assert.equal(2, meta.attempts)
      assert.equal(1, #meta.retries)
      assert.same({ 1, 2, 1, 0, 0 }, counts(client))
    end)

    it("an answer in time is alone", function()
      local res, meta, client = ask { answer("soon", 1.9) }
      assert.equal("soon", res.id)
      assert.equal(1, meta.attempts)
      assert.same({}, meta.retries)
      assert.same({ 1, 1, 1, 0, 0 }, counts(client))
    end)

    it("the first fails, and the second goes on alone", function()
      local res, meta, client = ask { failure(500, 3), answer("fast", 5) }
      assert.equal("fast", res.id)
      assert.same({ 0, 2 }, moments(transport))
      assert.equal(7, meta.elapsed)
      assert.equal(2, meta.attempts)
      assert.same({ { "internal_error", 500, 0, "hedge", 3 } }, history(meta.retries))
      assert.same({ 1, 2, 1, 0, 0 }, counts(client))
      assert.same({ internal_error = 1 }, client:stats().attempt_errors)
    end)

    it("the second fails, even for good, and the first goes on alone", function()
      for _, status in ipairs { 503, 400 } do
        transport:reset()
        local res, meta, client = ask { answer("slow", 9), failure(status, 1) }
        assert.equal("slow", res.id)
        assert.equal(9, meta.elapsed)
        assert.equal(2, meta.attempts)
        assert.equal(status, meta.retries[1].status)
        assert.equal("hedge", meta.retries[1].delay_source)
        assert.same({ 1, 2, 1, 0, 0 }, counts(client))
      end
    end)

    it("both fail, and a retry follows as after any second attempt", function()
      local told = {}
      local res, meta, client = ask({ failure(500, 3), failure(502, 5), answer("third", 1) }, {
        on_retry = function(err, delay, attempt) told[#told + 1] = { err.status, delay, attempt, err.attempts } end,
      })
      assert.equal("third", res.id)
      assert.same({ 0, 2, 9 }, moments(transport)) -- the second attempt's wait is two seconds
      assert.same({ { 502, 2, 2, 2 } }, told)
      assert.equal(3, meta.attempts)
      assert.same({ { "internal_error", 500, 0, "hedge", 3 }, { "upstream_error", 502, 2, "backoff", 5 } },
        history(meta.retries))
      assert.same({ 1, 3, 1, 0, 0 }, counts(client))
    end)

    it("both fail, in either order and in the same moment: nothing is lost, and the retry is hedged, too", function()
      for _, second in ipairs { 0.5, 1, 4 } do
        transport:reset()
        local res, meta, client = ask { failure(500, 3), failure(503, second), answer("slow", 9), answer("fast", 1) }
        assert.equal("fast", res.id)
        assert.equal(4, meta.attempts)
        local statuses = { meta.retries[1].status, meta.retries[2].status }
        table.sort(statuses)
        assert.same({ 500, 503 }, statuses)
        assert.equal("hedge", meta.retries[1].delay_source)
        assert.equal("backoff", meta.retries[2].delay_source)
        assert.same({ 1, 4, 1, 0, 0 }, counts(client))
        assert.equal(transport.requests[3].at + 2, transport.requests[4].at)
      end
    end)

    it("both fail for good: that is the outcome, with both in it", function()
      local res, err, client = ask { failure(400, 3), failure(401, 4) }
      assert.is_nil(res)
      assert.equal(401, err.status)
      assert.equal(2, err.attempts)
      assert.same({ { "invalid_request_error", 400, 0, "hedge", 3 } }, history(err.retries))
      assert.same({ 1, 2, 0, 1, 0 }, counts(client))
    end)

    it("counts against max_retries", function()
      local res, err = ask({ failure(500, 3), failure(502, 2) }, { max_retries = 1 })
      assert.is_nil(res)
      assert.equal(502, err.status)
      assert.equal("max_retries", err.reason)
      assert.equal(2, err.attempts)
      transport:reset()
      res = ask({ answer("slow", 9) }, { max_retries = 0 })
      assert.equal(1, ofox.meta(res).attempts)
      transport:reset()
      -- the attempt after the retry would be one too many
      res = ask({ failure(500, 1), failure(500, 3), failure(500, 1), answer("slow", 9) }, { max_retries = 3 })
      assert.equal("slow", res.id)
      assert.equal(4, ofox.meta(res).attempts)
    end)

    it("the deadline is that of the call", function()
      local res, err, client = ask({ answer("slow", 9), answer("slower", 9) }, { deadline = 5 })
      assert.is_nil(res)
      assert.equal("deadline", err.code)
      assert.equal(5, err.elapsed)
      assert.equal(2, err.attempts)
      assert.same({ 1, 2, 0, 1, 0 }, counts(client))
      transport:reset()
      res, err = ask({ answer("slow", 9) }, { deadline = 1.5 })
      assert.is_nil(res)
      assert.equal(1, err.attempts)
    end)

    it("each attempt has its own timeout", function()
      local res, meta = ask({ answer("slow", 9), answer("fast", 3.5) }, { timeout = 4 })
      assert.equal("fast", res.id)
      assert.equal(5.5, meta.elapsed)
      assert.same({ { "timeout_error", "timeout", 0, "hedge", 4 } }, history(meta.retries))
    end)

    it("asks another model", function()
      local res, meta, client = ask({ answer("slow", 9), answer("fast", 1) }, { hedge = { after = 2, model = "n" } })
      assert.equal("fast", res.id)
      assert.truthy(transport.requests[1].body:find('"model":"m"', 1, true))
      assert.truthy(transport.requests[2].body:find('"model":"n"', 1, true))
      assert.equal("m", meta.model_requested)
      assert.equal("m", meta.retries[1].model)
      local models = client:stats().models
      assert.same({ 1, 1, 1, 0 }, { models.m.calls, models.m.failed, models.n.calls, models.n.failed })
      assert.not_equal(transport.requests[1].headers["idempotency-key"],
        transport.requests[2].headers["idempotency-key"])
    end)

    it("a retry asks the call's own model again", function()
      local options = { hedge = { after = 2, model = "n" } }
      for second, order in pairs { [0.5] = { "n", "m" }, [4] = { "m", "n" } } do
        transport:reset()
        local res, meta = ask({ failure(500, 3), failure(500, second), answer("third", 1) }, options)
        assert.equal("third", res.id)
        assert.truthy(transport.requests[3].body:find('"model":"m"', 1, true))
        assert.equal(3, meta.attempts)
        assert.same(order, { meta.retries[1].model, meta.retries[2].model })
      end
    end)

    it("a fallback goes on to its models, never to that of the hedge", function()
      local options = { hedge = { after = 2, model = "h" }, fallback = { "b" }, max_retries = 5 }
      local replies = { failure(502, 3), failure(502, 2), failure(502, 1), failure(502, 1), answer("at last", 1) }
      local res, meta = ask(replies, options)
      assert.equal("at last", res.id)
      local models = {}
      for i, request in ipairs(transport.requests) do models[i] = request.body:match '"model":"(%a)"' end
      assert.same({ "m", "h", "b", "b", "b" }, models)
      assert.same({ 0, 2, 6, 11, 20 }, moments(transport))
      assert.equal(5, meta.attempts)
    end)

    it("is given to one call, or taken from it", function()
      local res = ask({ answer("slow", 9) }, nil, { hedge = false })
      assert.equal(1, ofox.meta(res).attempts)
      transport:reset()
      res = ask({ answer("slow", 9), answer("fast", 1) }, { hedge = false }, { hedge = 3 })
      assert.equal("fast", res.id)
      assert.equal(transport.requests[1].at + 3, transport.requests[2].at)
    end)

    it("sends the same bytes and the same idempotency key", function()
      ask { answer("slow", 9), answer("fast", 1) }
      local one, two = transport.requests[1], transport.requests[2]
      assert.equal(one.body, two.body)
      assert.same(one.headers, two.headers)
    end)

    it("asks the program for its key and headers, as before any attempt", function()
      local asked = {}
      local res = ask({ answer("slow", 9), answer("fast", 1) }, {
        api_key = function() return KEY .. #asked end,
        headers = { ["x-n"] = function(attempt)
          asked[#asked + 1] = attempt.attempt
          return attempt.attempt
        end },
      })
      assert.equal("fast", res.id)
      assert.same({ 1, 2 }, asked)
      assert.equal("2", transport.requests[2].headers["x-n"])
      assert.equal("Bearer " .. KEY .. "1", transport.requests[2].headers.authorization)
    end)

    it("knows all keys of the call, and shows none", function()
      local n = 0
      local bad = { body = { error = { message = "bad " .. KEY .. "1" } } }
      local _, err = ask({ failure(400, 3), failure(401, 4, bad) }, {
        api_key = function()
          n = n + 1
          return KEY .. n
        end,
      })
      assert.equal(401, err.status)
      assert.equal("bad ***", err.message)
    end)

    it("is not made if the answer comes while the program is asked", function()
      local res = ask({ answer("slow", 9) }, { headers = { ["x-n"] = function(attempt)
        if attempt.attempt == 2 then transport:advance(20) end
        return "1"
      end } })
      assert.equal("slow", res.id)
      assert.equal(1, ofox.meta(res).attempts)
    end)

    it("the random numbers of a call go on", function()
      local options = { hedge = false, retry = { seed = 7 } }
      local _, plain = ask({ failure(500, 1), failure(500, 1), failure(500, 1), answer("ok", 1) }, options)
      transport:reset()
      options.hedge = 2
      local _, hedged = ask({ failure(500, 1), failure(500, 3), failure(500, 3), answer("ok", 1) }, options)
      assert.equal(4, hedged.attempts)
      -- after the third attempt it is 4 seconds and a number, which is the second
      assert.is_true(math.abs(hedged.retries[3].delay - 4 - (plain.retries[2].delay - 2)) < 1e-9)
    end)

    it("a stream is answered by its first content", function()
      transport:reply { sse = { 1, { choices = { { delta = { role = "assistant" } } } }, 9, chunk "slow" } }
      transport:reply { sse = { 1, chunk "fa", 5, chunk "st" } }
      local client = client_of(transport)
      local text, meta = run(function()
        local stream = assert(client:stream(params()))
        assert.equal(3, transport:now())
        return stream:collect():output_text(), stream:meta()
      end)
      assert.equal("fast", text)
      assert.equal(2, meta.attempts)
      assert.same({ CANCELLED(3) }, history(meta.retries))
      assert.same({ 1, 2, 1, 0, 0 }, counts(client))
      assert_quiet(transport)
    end)

    it("a stream that has begun gets no hedge, however it goes on", function()
      transport:reply { sse = { 1, chunk "a", 9, chunk "b" } }
      local client = client_of(transport)
      local text = run(function() return client:stream(params()):collect():output_text() end)
      assert.equal("ab", text)
      assert.equal(1, #transport.requests)
      assert.same({ 1, 1, 1, 0, 0 }, counts(client))
    end)

    it("a cancelled call leaves neither behind", function()
      local token = ofox.cancel_token()
      transport:reply(answer("slow", 9)):reply(function()
        token:cancel()
        return answer("slow", 9)
      end)
      local client = client_of(transport)
      local res, err = run(function() return client:chat(params(), { cancel = token }) end)
      assert.is_nil(res)
      assert.equal("cancelled", err.code)
      assert_quiet(transport)
      assert.equal(0, counts(client)[5])
    end)

    it("what a hook raises leaves neither behind", function()
      local client = client_of(transport, { headers = { ["x-n"] = function(attempt)
        if attempt.attempt == 2 then error("of the program", 0) end
        return "1"
      end } })
      transport:reply(answer("slow", 9))
      local ok, err = pcall(run, function() return client:chat(params()) end)
      assert.is_false(ok)
      assert.equal("of the program", tostring(err):match "of the program")
      assert_quiet(transport)
      -- nor does what the transport raises
      ok, err = pcall(run, function() return client_of(transport):chat(params()) end)
      assert.is_false(ok)
      assert.truthy(tostring(err):find("no reply is queued", 1, true))
      assert_quiet(transport)
    end)
  end)
end

describe("hedge and its account:", function()
  local transport
  before_each(function() transport = mock.new() end)

  it("a hedge that would be held is not made, and takes no place", function()
    transport:reply(answer("slow", 9))
    transport:reply(failure(429, 0.5, { headers = { ["retry-after"] = "5" } }))
    transport:reply(answer("second", 0.1))
    local client = client_of(transport)
    local first = ofox.go(function() return client:chat(params()) end)
    local second = ofox.go(function() return client:chat(params(), { hedge = false }) end)
    local _, res = first:wait()
    assert.equal("slow", res.id)
    assert.equal(1, ofox.meta(res).attempts)
    _, res = second:wait()
    assert.equal("second", res.id)
    assert.is_true(transport.requests[3].at >= 5.5 and #transport.requests == 3)
    assert.same({ 2, 3, 2, 0, 0 }, counts(client))
    assert.equal(1, client:stats().waits.count)
  end)

  it("a hedge that the pace leaves no room for is not made", function()
    transport:always(answer("slow", 9))
    local client = client_of(transport, { pace = { rpm = 2, burst = 2 } })
    local tasks = {}
    for i = 1, 2 do tasks[i] = ofox.go(function() return client:chat(params()) end) end
    for i = 1, 2 do assert.is_truthy(select(2, tasks[i]:wait())) end
    assert.same({ 0, 0 }, moments(transport))
  end)

  it("a hedge that would wait is in nobody's way later", function()
    finally(transport:install())
    collectgarbage "stop"
    finally(function() collectgarbage "restart" end)
    transport:reply(answer("slow", 9)):reply(answer("next", 1))
    local client = client_of(transport, { pace = { concurrent = 1 } })
    local first = ofox.go(function() return client:chat(params()) end)
    ofox.sleep(5)
    assert.equal("next", client:chat(params()).id)
    assert.equal("slow", select(2, first:wait()).id)
    assert.same({ 0, 9 }, moments(transport))
  end)

  it("a call keeps its place, whichever of both attempts it goes on with", function()
    finally(transport:install())
    local tries = {}
    transport:always(function(request)
      local name = request.body:match '"content":"(%a)"'
      tries[name] = (tries[name] or 0) + 1
      if name == "b" then return failure(429, 2.4, { headers = { ["retry-after"] = "20" } }) end
      if name == "a" and tries.a < 3 then return failure(500, tries.a == 1 and 3 or 1.5) end
      if name == "c" and tries.c < 2 then return failure(500, 1.6) end
      return answer(name, 0.1)
    end)
    local client = client_of(transport)
    local function call(name, opts)
      return ofox.go(function()
        return client:chat(params(nil, { messages = { { role = "user", content = name } } }), opts)
      end)
    end
    call("b", { hedge = false, max_retries = 0 })
    local a = call "a"
    ofox.sleep(0.1)
    local c = call("c", { hedge = false })
    assert.equal(3, ofox.meta(select(2, a:wait())).attempts)
    assert.equal(2, ofox.meta(select(2, c:wait())).attempts)
    local order = {}
    for i = 5, 6 do order[i - 4] = transport.requests[i].body:match '"content":"(%a)"' end
    assert.same({ "a", "c" }, order)
    assert.is_true(transport.requests[5].at >= 22.4)
  end)

  it("a hedge counts in the pace, and the one that is cancelled is in flight no more", function()
    transport:reply(answer("slow", 9)):reply(answer("fast", 1)):reply(answer("next", 1)):reply(answer("late", 1))
    local client = client_of(transport, { pace = { concurrent = 2 } })
    assert.equal("fast", client:chat(params()).id)
    local tasks = {}
    for i = 1, 2 do tasks[i] = ofox.go(function() return client:chat(params()) end) end
    for i = 1, 2 do assert.is_truthy(select(2, tasks[i]:wait())) end
    assert.same({ 0, 2, 3, 3 }, moments(transport))
    transport:always(answer("slow", 9))
    for i = 1, 2 do tasks[i] = ofox.go(function() return client:chat(params()) end) end
    for i = 1, 2 do assert.is_truthy(select(2, tasks[i]:wait())) end
    assert.equal(6, #transport.requests) -- two fill it: no hedge
  end)

  it("a service that is down for the hedge's model alone leaves the call alone", function()
    transport:reply(failure(503, 0.1, { headers = { ["retry-after"] = "50" } }))
    local client = client_of(transport, { hedge = { after = 2, model = "n" } })
    client:chat(params "n", { max_retries = 0 })
    transport:reply(answer("slow", 9))
    assert.equal("slow", client:chat(params()).id)
    assert.equal(2, #transport.requests)
  end)
end)

describe("hedge:", function()
  local transport
  before_each(function() transport = mock.new() end)

  it("a cancelled task leaves neither behind", function()
    finally(transport:install())
    for _, inside in ipairs { false, true } do
      local client = client_of(transport)
      transport:reset():always(answer("slow", 9))
      local function work() return client:chat(params()) end
      local task = ofox.go(function()
        ofox.sleep(1)
        if inside then return coroutine.wrap(work)() end
        return work()
      end)
      ofox.go(function()
        ofox.sleep(4)
        task:cancel()
      end)
      local ok, err = task:wait()
      assert.is_false(ok)
      assert.equal("cancelled", err.code)
      assert.equal(2, #transport.requests)
      assert_quiet(transport)
      assert.same({ 1, 2, 0, 1, 0 }, counts(client))
    end
  end)

  it("a token ends the call when the second is alone", function()
    finally(transport:install())
    local token, client = ofox.cancel_token(), client_of(transport)
    transport:reply(failure(500, 3)):reply(answer("slow", 50))
    ofox.go(function()
      ofox.sleep(5)
      token:cancel()
    end)
    local res, err = client:chat(params(), { cancel = token })
    assert.is_nil(res)
    assert.equal("cancelled", err.code)
    assert.equal(5, err.elapsed)
    assert_quiet(transport)
  end)

  it("nothing is received for a task that was cancelled", function()
    finally(transport:install())
    local client = client_of(transport)
    transport:always(answer("slow", 9))
    local task = ofox.go(function() return client:chat(params()) end)
    ofox.sleep(5)
    task:cancel()
    transport:advance(20)
    task:wait()
    assert.equal(0, client:stats().bytes.received)
  end)

  it("the end of one of a pair is that of both, and garbage has no twin", function()
    local core = require "ofox.base.native" "core"
    local template = core.template({ method = "POST", url = "http://127.0.0.1:9/", hedge = 1 }, { max_retries = 2 })
    local function pair()
      local call = core.call(template, 0, "{}")
      assert.is_true(call:begin(0))
      assert.equal(1, call:due())
      call:tick(0.9)
      assert.equal("flight", call:state())
      call:tick(1)
      assert.equal("hedge", call:state())
      local twin = call:twin(1)
      assert.equal("flight", call:state())
      assert.is_nil(call:due())
      assert.is_true(twin:prepare() and call:pair(twin) and twin:begin(1))
      assert.is_false(call:pair(twin))
      assert.is_nil((call:twin(1)))
      return call, twin
    end
    for _, second in ipairs { false, true } do
      local one, other = pair()
      if second then one, other = other, one end
      one:abort("CANCELLED", 2)
      assert.equal("done", other:state())
      local failure_of = one:failure(0)
      assert.same({ 2, "cancelled", "cancelled" }, { failure_of.attempts, failure_of.code, failure_of.retries[1].code })
      one, other = pair()
      if second then one, other = other, one end
      debug.getmetatable(one).__gc(one)
      other:head("HTTP/1.1 200 OK", 3)
      other:head("", 3)
      other:body("{}", 3)
      other:finish(nil, true, 3, 3)
      assert.equal("done", other:state())
      assert.is_false(other:failed())
    end
  end)

  it("many at once, some with a twin, are each its own", function()
    local client = client_of(transport)
    transport:always(function(request)
      local n = tonumber(request.body:match '"content":"(%d+)"')
      return answer(tostring(n), n % 3 == 0 and request.at < 2 and 50 or 1)
    end)
    local list = {}
    for i = 1, 60 do list[i] = i end
    local results = ofox.map(list, function(n)
      return client:chat(params(nil, { messages = { { role = "user", content = tostring(n) } } }))
    end)
    for i, result in ipairs(results) do assert.equal(tostring(i), result[2].id) end
    assert.same({ 60, 80, 60, 0, 0 }, counts(client))
    assert_quiet(transport)
  end)

  it("embeddings and requests of a program's own are asked of the same model", function()
    local client = client_of(transport, { hedge = { after = 2, model = "n" } })
    transport:reply { delay = 9, body = { data = {} } }:reply { delay = 1, body = { data = {}, id = "fast" } }
    assert.equal("fast", client:embeddings { model = "m", input = "x" }.id)
    transport:reply { delay = 9, body = {} }:reply { delay = 1, body = { id = "fast" } }
    assert.equal("fast", client:request({ path = "/x", body = { model = "m" } }).id)
    for i = 1, 3, 2 do assert.equal(transport.requests[i].body, transport.requests[i + 1].body) end
    transport:reply { delay = 9, body = { data = {} } }:reply { delay = 1, body = { data = {} } }
    assert.is_truthy(client:models())
    transport:reply { delay = 9 }
    assert.is_true(client:connect())
    assert.equal(7, #transport.requests)
  end)

  it("misuse is told at the caller's line", function()
    local ok, message = pcall(function() ofox.new { hedge = -1 } end)
    assert.is_false(ok)
    assert.truthy(message:find("hedge_spec.lua:%d+: ofox.new: hedge: expected a finite number"), message)
    ok, message = pcall(function() client_of(transport):chat(params(), { hedge = { after = 1, mode = 2 } }) end)
    assert.is_false(ok)
    assert.truthy(message:find("hedge_spec.lua:%d+: client:chat: opts.hedge.mode: unknown field; did you mean model%?"),
      message)
  end)
end)
