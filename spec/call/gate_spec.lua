-- Calls of one account know of each other: what one of them is told to wait for
-- holds all, and a pace spaces them. All on virtual time.
local assert = require "luassert"
local limited = require "support.limited"
local mock = require "ofox.mock"
local ofox = require "ofox"

local OK = { status = 200, body = limited.OK }

local function params(model) return { model = model or "m", messages = { { role = "user", content = "hi" } } } end

local function client_of(transport, options)
  local given = { api_key = "sk-of-the-gate-0123456789", transport = transport, errors = "return" }
  for name, value in pairs(options or {}) do given[name] = value end
  return ofox.new(given)
end

-- A refusal that says when to come back.
local function refusal(seconds, more)
  local reply = { status = 429, body = limited.SLOW_DOWN, headers = { ["retry-after"] = tostring(seconds) } }
  for name, value in pairs(more or {}) do reply[name] = value end
  return reply
end

-- The account of a transport lasts as long as one of its clients does.
local keeper

-- Makes one call that is refused and does not retry.
local function hold(transport, seconds, more, options)
  transport:reply(refusal(seconds, more))
  keeper = client_of(transport, options)
  local _, err = keeper:chat(params(), { max_retries = 0 })
  assert.equal(429, err.status)
end

-- When the requests from the n-th on came, from 'began' on.
local function moments(transport, n, began)
  local list = {}
  for i = n, #transport.requests do list[#list + 1] = transport.requests[i].at - began end
  return list
end

-- Runs functions as tasks, side by side, and returns what each returned.
local function side_by_side(count, work)
  local tasks, results = {}, {}
  for i = 1, count do tasks[i] = ofox.go(function() return work(i) end) end
  for i = 1, count do results[i] = { tasks[i]:wait() } end
  return results
end

describe("hold:", function()
  local transport
  before_each(function() transport = mock.new() end)

  it("what one call is told holds all: one starts then, and twice as many in each further second", function()
    hold(transport, 10)
    local began = transport:now()
    transport:always(OK)
    local client = client_of(transport)
    for _, result in ipairs(side_by_side(7, function() return client:chat(params()) end)) do
      assert.is_truthy(result[2], tostring(result[3]))
    end
    local at = moments(transport, 2, began)
    for i, moment in ipairs { 10, 11, 11.5, 12, 12.25, 12.5, 12.75 } do
      assert.is_true(math.abs(at[i] - moment) < 0.01, ("%d: %.3f"):format(i, at[i]))
    end
  end)

  it("retries start like others: one, and twice as many in each further second", function()
    for _ = 1, 12 do transport:reply(refusal(20)) end
    transport:always(OK)
    local client = client_of(transport)
    for _, result in ipairs(side_by_side(12, function() return client:chat(params()) end)) do
      assert.is_truthy(result[2], tostring(result[3]))
    end
    local at = moments(transport, 13, 0)
    assert.equal(12, #at)
    assert.is_true(at[1] >= 20)
    assert.is_true(limited.most(at, 0.99) <= 8, limited.most(at, 0.99))
    assert.is_true(at[2] - at[1] > 0.99, at[2] - at[1])
    assert.is_true(at[4] - at[1] > 1.9, at[4] - at[1])
  end)

  it("is over once all have started", function()
    hold(transport, 10)
    transport:always(OK)
    local client = client_of(transport)
    assert.is_truthy(client:chat(params()))
    local began = transport:now()
    side_by_side(5, function() return client:chat(params()) end)
    assert.same({ 0, 0, 0, 0, 0 }, moments(transport, 3, began))
  end)

  it("each starts in the order of arrival, and a retry keeps its place", function()
    finally(transport:install())
    local order = {}
    transport:always(function(request)
      local name = request.body:match '"content":"(%d+)"'
      order[#order + 1] = name
      if #order <= 3 then return refusal(5) end
      return OK
    end)
    local client = client_of(transport)
    local function ask(i)
      return client:chat { model = "m", messages = { { role = "user", content = tostring(i) } } }
    end
    local first, late = {}, {}
    for i = 1, 3 do first[i] = ofox.go(ask, i) end
    ofox.go(function()
      ofox.sleep(1)
      for i = 4, 6 do late[i - 3] = ofox.go(ask, i) end
    end)
    for i = 1, 3 do assert.is_true((first[i]:wait())) end
    for i = 1, 3 do assert.is_true((late[i]:wait())) end
    -- the retries of 1 to 3 come at their own times; among those that wait the number counts
    local place = {}
    for i = 4, #order do place[order[i]] = i end
    assert.is_true(place["4"] < place["5"] and place["5"] < place["6"])
    assert.equal(9, #order)
  end)

  it("holds the model alone where the answer names no limit of the account", function()
    transport:reply { status = 503, headers = { ["retry-after"] = "20" },
      body = '{"error":{"message":"The model is down.","type":"service_unavailable"}}' }
    local client = client_of(transport, { max_retries = 0 })
    assert.equal(503, select(2, client:chat(params "a")).status)
    transport:always(OK)
    local began = transport:now()
    assert.is_truthy(client:chat(params "b"))
    assert.equal(began, transport:now())
    assert.is_truthy(client:chat(params "a"))
    assert.is_true(transport:now() >= began + 20)
  end)

  it("holds all models where the account's count is used up", function()
    transport:reply { status = 429, body = limited.SLOW_DOWN, headers = {
      ["x-ratelimit-remaining-requests"] = "0", ["x-ratelimit-reset-requests"] = "20s" } }
    local client = client_of(transport, { max_retries = 0 })
    assert.equal(429, select(2, client:chat(params "a")).status)
    transport:always(OK)
    local began = transport:now()
    assert.is_truthy(client:chat(params "b"))
    assert.is_true(transport:now() >= began + 20)
  end)

  it("is of the account: another key, another host, another client with the same", function()
    hold(transport, 20)
    transport:always(OK)
    local began = transport:now()
    assert.is_truthy(client_of(transport, { api_key = "sk-another-0123456789" }):chat(params()))
    assert.is_truthy(client_of(transport, { base_url = "https://another.example/v1" }):chat(params()))
    assert.equal(began, transport:now())
    assert.is_truthy(client_of(transport, { base_url = "https://api.ofox.ai/other" }):chat(params()))
    assert.is_true(transport:now() >= began + 20)
  end)

  it("another transport in the place of one that is gone has an account of its own", function()
    for _ = 1, 50 do
      local other = mock.new()
      other:reply(OK)
      assert.is_truthy(client_of(other):chat(params()))
      hold(other, 50)
      assert.is_true(other:now() < 1)
      collectgarbage()
    end
  end)

  it("= false waits for nothing, and tells nothing", function()
    hold(transport, 20)
    transport:always(OK)
    local began = transport:now()
    assert.is_truthy(client_of(transport, { hold = false }):chat(params()))
    assert.is_truthy(client_of(transport):chat(params(), { hold = false }))
    assert.equal(began, transport:now())
    local other = mock.new()
    hold(other, 20, nil, { hold = false })
    other:always(OK)
    began = other:now()
    assert.is_truthy(client_of(other):chat(params()))
    assert.equal(began, other:now())
  end)

  it("a call that cannot start before its deadline is told at once", function()
    hold(transport, 20)
    local began = transport:now()
    local _, err = client_of(transport):chat(params(), { deadline = 5 })
    assert.equal(began, transport:now())
    assert.same({ "rate_limit_error", "held", 0, "deadline", true, false },
      { err.type, err.code, err.attempts, err.reason, err.retryable, err.ambiguous })
    assert.is_true(math.abs(err.retry_after - 20) < 0.01, err.retry_after)
    assert.equal(1, #transport.requests)
  end)

  it("counts those before it for that", function()
    hold(transport, 20)
    transport:always(OK)
    local client = client_of(transport)
    local results = side_by_side(6, function() return client:chat(params(), { deadline = 21.7 }) end)
    local codes = {}
    for i, result in ipairs(results) do codes[i] = result[3] and result[3].code or "ok" end
    assert.same({ "ok", "ok", "ok", "held", "held", "held" }, codes)
  end)

  it("further away than max_server_delay refuses at once; one call in that time goes to see", function()
    hold(transport, 3600)
    local client = client_of(transport, { max_retries = 0 })
    local _, err = client:chat(params())
    assert.same({ "held", "delay_too_long", 0 }, { err.code, err.reason, err.attempts })
    assert.is_true(err.retry_after > 3500)
    transport:advance(61)
    transport:reply(OK)
    assert.is_truthy(client:chat(params()))
    transport:reply(OK)
    assert.is_truthy(client:chat(params())) -- the server has room again
  end)

  it("an absurd moment stops a client for no longer than that", function()
    for _, seconds in ipairs { "1e9", "99999999999", "3153600000" } do
      local absurd = mock.new()
      hold(absurd, seconds)
      absurd:always(OK)
      local client = client_of(absurd, { max_retries = 0 })
      local began, answered = absurd:now(), false
      for _ = 1, 70 do
        answered = answered or client:chat(params()) ~= nil
        absurd:advance(1)
      end
      assert.is_true(answered, seconds)
      assert.is_true(absurd:now() - began < 71)
    end
  end)

  it("cancel leaves the queue, and the next goes", function()
    finally(transport:install())
    hold(transport, 10)
    transport:always(OK)
    local client, token, began = client_of(transport), ofox.cancel_token(), transport:now()
    local first = ofox.go(function() return client:chat(params(), { cancel = token }) end)
    local second = ofox.go(function() return client:chat(params()) end)
    ofox.go(function()
      ofox.sleep(1)
      token:cancel()
    end)
    local _, none, err = first:wait()
    assert.is_nil(none)
    assert.same({ "cancelled_error", 0 }, { err.type, err.attempts })
    assert.equal(1, transport:now() - began)
    assert.is_truthy(select(2, second:wait()))
    assert.is_true(math.abs(transport:now() - began - 10) < 0.01)
    assert.equal(2, #transport.requests)
  end)

  it("a task that is cancelled leaves the queue, too", function()
    finally(transport:install())
    hold(transport, 10)
    transport:always(OK)
    local client = client_of(transport)
    local first = ofox.go(function() return client:chat(params()) end)
    local second = ofox.go(function() return client:chat(params()) end)
    ofox.sleep(1)
    first:cancel()
    assert.is_truthy(select(2, second:wait()))
    assert.equal(2, #transport.requests)
  end)

  it("that grows is told at once to those who cannot wait so long", function()
    hold(transport, 5)
    local client = client_of(transport, { max_retries = 0 })
    transport:reply(refusal(40)) -- the first to go at 5
    transport:always(OK)
    local ended = {}
    side_by_side(4, function(i)
      local _, err = client:chat(params(), { deadline = i == 3 and 30 or nil })
      err = err or {}
      ended[i] = { at = transport:now(), code = err.code, reason = err.reason, attempts = err.attempts }
    end)
    assert.same({ "held", "deadline", 0 }, { ended[3].code, ended[3].reason, ended[3].attempts })
    assert.is_true(ended[3].at < 6, ended[3].at) -- not at 30
    assert.is_nil(ended[2].code)
  end)

  it("is the account's if its tokens are spent, though requests remain", function()
    hold(transport, 10, { body = '{"error":{"message":"no"}}', headers = { ["retry-after"] = "10",
      ["x-ratelimit-remaining-requests"] = "5", ["x-ratelimit-remaining-tokens"] = "0" } })
    transport:always(OK)
    local began = transport:now()
    client_of(transport):chat(params "another")
    assert.equal(10, transport:now() - began)
  end)

  it("and a pace outlive any collection of garbage while there is the client", function()
    transport:reply(refusal(10))
    transport:always(OK)
    local function key() return "sk-0123456789" end
    local client = client_of(transport, { pace = { rpm = 6, burst = 1 }, api_key = key })
    client:chat(params(), { max_retries = 0 })
    for _ = 1, 5 do
      collectgarbage()
      collectgarbage()
      assert.is_truthy(client:chat(params(), { timeout = 30 }))
    end
    local at = moments(transport, 1, 0)
    assert.is_true(at[2] >= 10, at[2])
    for i = 3, 6 do assert.is_true(at[i] - at[i - 1] >= 10, at[i] - at[i - 1]) end
  end)

  it("of a model that is down: the fallback is asked at once", function()
    for _, seconds in ipairs { 30, 3600 } do
      local down = mock.new()
      down:always(function(request)
        if request.body:find('"a"', 1, true) then
          return { status = 503, headers = { ["retry-after"] = tostring(seconds) }, body = "{}" }
        end
        return OK
      end)
      local client = client_of(down, { fallback = { "b" } })
      local began = down:now()
      for _ = 1, 3 do assert.is_truthy(client:chat(params "a")) end
      assert.equal(began, down:now())
      assert.equal(4, #down.requests) -- "a" was asked once
    end
  end)

  it("a call that obeys neither passes those that wait for a pace", function()
    transport:always(OK)
    local slow = client_of(transport, { pace = { rpm = 1 } })
    local quick, began = client_of(transport), transport:now()
    local waiting = {}
    for i = 1, 3 do waiting[i] = ofox.go(function() return slow:chat(params()) end) end
    assert.is_truthy(ofox.go(function() return quick:chat(params()) end):wait())
    assert.equal(began, transport:now())
    for i = 1, 3 do assert.is_true((waiting[i]:wait())) end
  end)

  it("is not of those with another header of their own where there is no key", function()
    transport:reply(refusal(50))
    transport:always(OK)
    local function tenant(name)
      return client_of(transport, { api_key = false, headers = { authorization = "Bearer tenant-" .. name } })
    end
    local a, b = tenant "a", tenant "b"
    a:chat(params(), { max_retries = 0 })
    local began = transport:now()
    assert.is_truthy(b:chat(params()))
    assert.equal(began, transport:now())
    assert.is_truthy(a:chat(params()))
    assert.is_true(transport:now() >= began + 50)
  end)

  it("knows any number of models, one after the other", function()
    local client = client_of(transport, { max_retries = 0 })
    for i = 1, 70 do
      transport:reply { status = 503, headers = { ["retry-after"] = "5" }, body = "{}" }
      client:chat(params("m" .. i))
      transport:advance(100)
    end
    transport:reply { status = 503, headers = { ["retry-after"] = "5" }, body = "{}" }
    client:chat(params "last")
    assert.equal("held", select(2, client:chat(params "last", { deadline = 3 })).code)
  end)

  it("a call whose on_wait makes calls or takes its time stands in no one's way", function()
    finally(transport:install())
    hold(transport, 2)
    transport:always(OK)
    local other, nested = client_of(transport), nil
    local client = client_of(transport, { on_wait = function()
      if nested then return end
      nested = false
      nested = other:chat(params()) ~= nil
    end })
    assert.is_truthy(client:chat(params()))
    assert.is_true(nested)
  end)

  it("asks for a key again where the call has waited for long", function()
    hold(transport, 30)
    transport:always(OK)
    local asked = 0
    local function key()
      asked = asked + 1
      return "sk-short-lived-0123456789"
    end
    local client = client_of(transport, { api_key = key })
    transport:reply(refusal(30))
    client:chat(params(), { max_retries = 0 })
    assert.equal(1, asked)
    assert.is_truthy(client:chat(params()))
    assert.equal(3, asked) -- before the wait, and after it
  end)

  it("a waiting call tells on_wait how long, and why", function()
    hold(transport, 2)
    transport:always(OK)
    local seen = {}
    local client = client_of(transport, { on_wait = function(left, err) seen[#seen + 1] = { left, err } end })
    assert.is_truthy(client:chat(params()))
    assert.is_true(#seen >= 7, #seen)
    assert.is_true(math.abs(seen[1][1] - 2) < 0.01)
    assert.same({ "rate_limit_error", "held", 0 }, { seen[1][2].type, seen[1][2].code, seen[1][2].attempts })
    assert.is_true(seen[#seen][1] < seen[1][1])
  end)

  it("asks for a key once for each attempt, however often the call starts", function()
    transport:reply(refusal(3))
    local asked = 0
    local function key()
      asked = asked + 1
      return "sk-from-a-function-0123456789"
    end
    local client = client_of(transport, { api_key = key })
    client:chat(params(), { max_retries = 0 })
    transport:always(OK)
    local results = side_by_side(4, function() return client:chat(params()) end)
    for _, result in ipairs(results) do assert.is_truthy(result[2], tostring(result[3])) end
    assert.equal(5, asked)
  end)

  it("1,000 that wait are answered, none twice, in order", function()
    hold(transport, 5)
    transport:always(OK)
    local client, count, order = client_of(transport), 1000, {}
    local request = params()
    local tasks = {}
    for i = 1, count do
      tasks[i] = ofox.go(function()
        local res = client:chat(request)
        order[#order + 1] = res and i or -i
      end)
    end
    for i = 1, count do assert.is_true((tasks[i]:wait())) end
    for i = 1, count do assert.equal(i, order[i]) end
    assert.equal(count + 1, #transport.requests)
  end)
end)

describe("pace:", function()
  it("rpm: no minute sees more, a tenth may start together", function()
    local transport = mock.new()
    transport:always(OK)
    local client = client_of(transport, { pace = { rpm = 30 } })
    side_by_side(100, function() return client:chat(params()) end)
    local at = moments(transport, 1, 0)
    assert.equal(100, #at)
    assert.is_true(limited.most(at, 60) <= 30, limited.most(at, 60))
    assert.is_true(limited.most(at, 1) <= 4, limited.most(at, 1))
    assert.is_true(at[100] - at[1] < 200, at[100] - at[1]) -- 100 at 30 a minute
  end)

  it("of two clients of an account: the later one's limits, and what was started counts", function()
    local transport = mock.new()
    transport:always(OK)
    local one = client_of(transport, { pace = { rpm = 20, burst = 20 } })
    side_by_side(20, function() return one:chat(params()) end)
    local two = client_of(transport, { pace = { rpm = 30, burst = 30 } })
    side_by_side(20, function() return two:chat(params()) end)
    local at = moments(transport, 1, 0)
    assert.equal(at[1], at[30])
    assert.is_true(at[31] - at[1] >= 60)
  end)

  it("that answers announce: a call whose turn comes too late learns so with the first answer", function()
    local server, at = limited.server(20)
    local client = client_of(server, { pace = true, max_retries = 0 })
    local answered, told = 0, 0
    side_by_side(60, function()
      local began = server:now()
      local res, err = client:chat(params(), { deadline = 100 })
      if res then answered = answered + 1 return end
      assert.same({ "paced", "deadline", 0 }, { err.code, err.reason, err.attempts })
      if server:now() - began < 2 then told = told + 1 end
    end)
    assert.equal(40, answered) -- 20 at once, 20 after a minute
    assert.is_true(told >= 15, told) -- what is before a call in the queue is not always known exactly
    assert.is_true(limited.most(at, 60) <= 20)
  end)

  it("keeps a call back with an error that says so, and calls on_wait no more than four times a second", function()
    for _, in_task in ipairs { false, true } do
      local transport, seen = mock.new(), {}
      local uninstall = transport:install()
      finally(uninstall)
      transport:always(OK)
      local client = client_of(transport, { pace = { rpm = 6, burst = 1 } })
      local function ask()
        client:chat(params())
        local function on_wait(left, err) seen[#seen + 1] = { left, err.code, err.retry_after } end
        client:chat(params(), { on_wait = on_wait })
      end
      if in_task then ofox.run(ask) else ask() end
      assert.is_true(#seen >= 30 and #seen <= 42, #seen)
      for _, row in ipairs(seen) do assert.same({ "paced", row[1] }, { row[2], row[3] }) end
      uninstall()
    end
  end)

  it("says nothing of a moment that nobody knows", function()
    local transport = mock.new()
    transport:always { status = 200, body = limited.OK, delay = 50 }
    local client = client_of(transport, { pace = { concurrent = 1 } })
    local first = ofox.go(function() return client:chat(params()) end)
    local second = ofox.go(function() return select(2, client:chat(params(), { deadline = 3 })) end)
    local _, err = second:wait()
    assert.same({ "paced", "deadline" }, { err.code, err.reason })
    assert.is_nil(err.retry_after)
    first:wait()
  end)

  it("burst: so many start together", function()
    local transport = mock.new()
    transport:always(OK)
    local client = client_of(transport, { pace = { rpm = 60, burst = 10 } })
    side_by_side(30, function() return client:chat(params()) end)
    local at = moments(transport, 1, 0)
    assert.equal(at[1], at[10])
    assert.is_true(at[11] > at[10])
  end)

  it("concurrent: so many are on their way", function()
    local transport, on_way, most = mock.new(), 0, 0
    transport:always(function()
      on_way = on_way + 1
      most = math.max(most, on_way)
      return { status = 200, body = limited.OK, delay = 1 }
    end)
    local client = client_of(transport, { pace = { concurrent = 3 } })
    side_by_side(12, function()
      local res = client:chat(params())
      on_way = on_way - 1
      return res
    end)
    assert.equal(3, most)
    assert.equal(4, transport:now())
  end)

  it("concurrent: a cancelled call frees its place", function()
    local transport = mock.new()
    finally(transport:install())
    transport:reply { status = 200, body = limited.OK, delay = 1000 }
    transport:always(OK)
    local client = client_of(transport, { pace = { concurrent = 1 }, timeout = 2000 })
    local first = ofox.go(function() return client:chat(params()) end)
    local second = ofox.go(function() return client:chat(params()) end)
    ofox.sleep(1)
    first:cancel()
    assert.is_truthy(select(2, second:wait()))
    assert.equal(1, transport:now())
  end)

  describe("tpm:", function()
    -- 100 tokens a second, of which 600 may go together.
    local PACE = { pace = { tpm = 6000 }, max_retries = 0 }
    local BIG = { model = "m", messages = { { role = "user", content = ("x"):rep(4 * 600) } } }
    local CHAT = { prompt_tokens = 900, completion_tokens = 100, total_tokens = 1000 }
    local RESPONSES = { input_tokens = 900, output_tokens = 100, total_tokens = 1000 }

    local function answer(usage)
      return { status = 200, body = { choices = { { message = { content = "hi" }, finish_reason = "stop" } },
        usage = usage } }
    end

    local function chunk(text, finish)
      return { choices = { { index = 0, delta = { content = text }, finish_reason = finish } } }
    end

    -- When a call starts after another one, which 'ask' makes and 'reply' answers.
    local function start_after(reply, ask, options)
      local transport = mock.new()
      transport:reply(reply)
      transport:always(OK)
      local given = { json = options and options.json }
      for name, value in pairs(PACE) do given[name] = value end
      local client = client_of(transport, given)
      ask(client)
      assert.is_truthy(client:chat(params()))
      local guess = math.ceil(#transport.requests[2].body / 4)
      return transport.requests[2].at, 4 + guess / 100
    end

    local function assert_counted(reply, ask, options)
      local at, due = start_after(reply, ask, options)
      assert.is_true(math.abs(at - due) < 1e-5, ("%.3f, not %.3f"):format(at, due))
    end

    local function chat(client) return assert(client:chat(params())) end
    local function stream(client) return assert(client:stream(params())) end

    it("what the answer says it used counts, and not the guess", function()
      assert_counted(answer(CHAT), chat)
      assert_counted(answer(CHAT), chat, { json = require "ofox.json".decode })
      assert_counted({ status = 200, body = { output = ofox.array {}, usage = RESPONSES } },
        function(client) assert(client:responses { model = "m", input = "hi" }) end)
      assert.equal(0, (start_after(answer(), chat)))
      assert.equal(0, (start_after(answer { prompt_tokens = 1e10 }, chat)))
      assert.equal(0, (start_after(answer { prompt_tokens = 2 }, function(client) assert(client:chat(BIG)) end)))
      assert.is_true(start_after(answer(), function(client) assert(client:chat(BIG)) end) > 0.2)
    end)

    it("nor that of a stream, once it has ended", function()
      local sse = { chunk "a", chunk("b", "stop"), { choices = ofox.array {}, usage = CHAT }, "[DONE]" }
      assert_counted({ sse = sse }, function(client) assert(stream(client):collect()) end)
      assert_counted({ sse = sse }, function(client) for _ in stream(client):text() do end end)
      assert_counted(answer(CHAT), function(client) assert(stream(client):collect()) end)
      local completed = { type = "response.completed",
        response = { id = "r", status = "completed", output = ofox.array {}, usage = RESPONSES } }
      assert_counted({ sse = { { type = "response.output_text.delta", delta = "x" }, completed } },
        function(client) assert(client:responses({ model = "m", input = "hi", stream = true }):collect()) end)
    end)

    it("of a failure, and of a stream that breaks or is closed, the guess stands", function()
      local function fail(client) assert.is_nil((client:chat(params()))) end
      local broken = { chunk "a", { choices = ofox.array {}, usage = CHAT } }
      assert.equal(0, (start_after({ status = 500, body = { error = { message = "no" }, usage = CHAT } }, fail)))
      assert.equal(0, (start_after({ sse = broken, fail = "reset" },
        function(client) assert.is_nil((stream(client):collect())) end)))
      assert.equal(0, (start_after({ sse = { broken[1], broken[2], 1, "[DONE]" } },
        function(client) stream(client):close() end)))
      assert.is_true(start_after({ status = 500, body = { error = { message = "no" }, usage = { prompt_tokens = 2 } } },
        function(client) assert.is_nil((client:chat(BIG))) end) > 0.2)
    end)

    it("of a call's attempts the one that was answered is put right", function()
      local transport = mock.new()
      transport:reply { status = 500, body = "{}" }
      transport:reply(answer { prompt_tokens = 2 })
      transport:always(OK)
      local client = client_of(transport, { pace = PACE.pace, retry = { base = 1, jitter = "none" } })
      assert(client:chat(BIG))
      assert(client:chat(BIG))
      local guess, at = math.ceil(#transport.requests[1].body / 4), moments(transport, 1, 0)
      assert.is_true(math.abs(at[2] - guess / 100) < 1e-5, at[2])
      assert.is_true(math.abs(at[3] - at[2] - 2 / 100) < 1e-5, at[3] - at[2])
    end)

    it("a call that waits starts as soon as it is known that it may", function()
      local transport = mock.new()
      local reply = answer { prompt_tokens = 2 }
      reply.delay = 1
      transport:reply(reply)
      transport:always(OK)
      local client = client_of(transport, PACE)
      side_by_side(2, function() return client:chat(BIG) end)
      assert.same({ 0, 1 }, moments(transport, 1, 0))
    end)
  end)

  it("a retry counts", function()
    local transport = mock.new()
    transport:always(function() return { status = 500, body = "{}" } end)
    local client = client_of(transport, { pace = { rpm = 6, burst = 1 }, max_retries = 3,
      retry = { base = 0.1, factor = 1, max_delay = 0.1, jitter = "none" } })
    client:chat(params())
    local at = moments(transport, 1, 0)
    assert.equal(4, #at)
    for i = 2, 4 do assert.is_true(at[i] - at[i - 1] >= 10, at[i] - at[i - 1]) end
  end)

  it("refuses at once what cannot start before its deadline", function()
    local transport = mock.new()
    transport:always(OK)
    local client = client_of(transport, { pace = { rpm = 1 } })
    assert.is_truthy(client:chat(params()))
    local _, err = client:chat(params(), { deadline = 10 })
    assert.same({ "rate_limit_error", "paced", 0, "deadline" }, { err.type, err.code, err.attempts, err.reason })
    assert.is_true(err.retry_after > 50 and err.retry_after <= 61, err.retry_after)
    assert.equal(1, #transport.requests)
  end)
end)

describe("200 prompts, 100 in flight, against 20 requests a minute:", function()
  local function run(options)
    local transport, at = limited.server(20)
    local client, taken, failed = client_of(transport, options), 0, {}
    side_by_side(100, function()
      while taken < 200 do
        taken = taken + 1
        local res, err = client:chat(params())
        if not res then failed[#failed + 1] = tostring(err) end
      end
    end)
    return at, failed
  end

  it("pace = true answers all, sends no request too many, and no minute sees more than 20", function()
    local at, failed = run { pace = true }
    assert.same({}, failed)
    assert.is_true(#at <= 210, #at)
    assert.is_true(limited.most(at, 60) <= 20, limited.most(at, 60))
  end)

  it("the defaults answer all, with at most twice as many requests", function()
    local at, failed = run()
    assert.same({}, failed)
    assert.is_true(#at <= 400, #at)
  end)

  it("without both, many fail", function()
    local at, failed = run { hold = false }
    assert.is_true(#failed > 40, #failed)
    assert.is_true(#at > 500, #at)
  end)
end)
