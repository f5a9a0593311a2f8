-- Requests of one plan: what the handle of the one before has kept must never
-- be seen in the next. The engine below the client, real sockets.
local native = require "ofox.base.native"
local server = require "support.server"

local core = native "core"
local OK = server.completion("hello")

local s, engine
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function() engine = native "engine".new() end)
after_each(function() s:reset() end)

local LINES = { "Content-Type: application/json", "X-Shared: yes" }

-- 'plan' 0: a new one each time.
local function start(request, settings)
  settings = settings or {}
  settings.max_retries, settings.timeout = settings.max_retries or 0, settings.timeout or 5
  local template = core.template({
    method = request.method or "POST", url = request.url or s.url .. "/chat/completions", proxy = request.proxy,
    lines = request.lines or LINES, idempotent = true, plan = request.plan, dialect = settings.dialect,
  }, settings)
  local call = core.call(template, engine:now(), request.body)
  if request.authorization then call:line(request.authorization) end
  if request.idempotency then call:line(request.idempotency) end
  assert(call:prepare())
  engine:start(call)
  return call
end

local function finish(call)
  while call:state() ~= "done" do
    if call:state() == "events" then call:event() else engine:step(1) end
  end
  return call:reply(), call:failed()
end

local function ask(request, settings)
  local body, failed = finish(start(request, settings))
  return failed and "failed" or body
end

-- What the server saw: request line and headers, and then the body.
local function seen()
  local list = {}
  for i, entry in ipairs(s:log()) do list[i] = entry.raw_headers .. (entry.body or "") end
  return list
end

describe("requests of one plan", function()
  local requests = {
    { body = "{}", authorization = "Authorization: Bearer one", idempotency = "Idempotency-Key: 1" },
    { body = ('{"a":"%s"}'):format(("x"):rep(5000)), authorization = "Authorization: Bearer two" },
    { body = "", idempotency = "Idempotency-Key: 3" },
    { body = "{}" },
    { body = "{}", authorization = "Accept-Encoding: identity" },
    { body = "{}", authorization = "Authorization: Bearer " .. ("six"):rep(500), idempotency = "Accept: text/plain" },
    { body = "[]", idempotency = "Content-Type: text/plain" },
  }

  local function with(request, more)
    local copy = {}
    for key, value in pairs(request) do copy[key] = value end
    for key, value in pairs(more) do copy[key] = value end
    return copy
  end

  for name, lines in pairs {
    ["with the usual lines"] = { "Content-Type: application/json", "X-Shared: yes" },
    ["that share all that libcurl would add"] = {
      "Accept: application/json", "Content-Type: a/b", "Accept-Encoding: gzip", "Expect: nothing" },
    ["that share no line"] = {},
  } do
    it(name .. " send the bytes that others send", function()
      s:script { { body = OK }, repeat_last = true }
      for _, plan in ipairs { 0, 1 } do
        for _, request in ipairs(requests) do
          assert.equal(OK, ask(with(request, { plan = plan, lines = lines })))
        end
      end
      local list = seen()
      assert.equal(2 * #requests, #list)
      for _, bytes in ipairs(#lines < 4 and list or {}) do -- theirs and that of one request
        assert.equal(1, select(2, bytes:gsub("Accept%-Encoding:", "")))
      end
      for i = 1, #requests do assert.equal(list[i], list[i + #requests]) end
      assert.equal(1, s:connections())
    end)
  end

  it("have their lines in order, and no line that was not asked for", function()
    s:script { { body = OK }, repeat_last = true }
    for _ = 1, 2 do
      ask { plan = 1, body = "{}", authorization = "Authorization: Bearer k", idempotency = "Idempotency-Key: i" }
    end
    for _, bytes in ipairs(seen()) do
      assert.equal(("POST /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n"
        .. "X-Shared: yes\r\nAuthorization: Bearer k\r\nIdempotency-Key: i\r\n"
        .. "Accept-Encoding: gzip, deflate, br\r\nContent-Length: 2\r\n\r\n{}"):format(s.host, s.port), bytes)
    end
  end)

  it("of other methods send no body, and none of a body's lines", function()
    local answer, bare = { body = OK }, { raw = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
    s:script { answer, bare, answer, answer, answer, answer, bare, answer, answer, answer }
    for _ = 1, 2 do
      for plan, method in ipairs { "GET", "HEAD", "DELETE", "POST" } do
        local body = ask { plan = plan, method = method, lines = {} }
        assert.equal(method == "HEAD" and "failed" or OK, body, method)
      end
      ask { plan = 4, method = "POST", lines = {}, body = "{}" } -- against the rule
    end
    local list = seen()
    for i, method in ipairs { "GET", "HEAD", "DELETE", "POST", "POST" } do
      assert.equal(list[i], list[i + 5])
      local expected = ("%s /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\n"
        .. "Accept-Encoding: gzip, deflate, br\r\n%s\r\n%s"):format(method, s.host, s.port,
        i == 5 and "Content-Length: 2\r\n" or "", i == 5 and "{}" or "")
      assert.equal(expected, list[i])
    end
  end)

  for name, step in pairs {
    ["that broke"] = { raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", close = "rst" },
    ["that ran out of time"] = { stall = true },
    ["that was refused for its key"] = { status = 401, body = "{}" },
    ["that a proxy refused"] = { status = 407, body = "{}", headers = { "Proxy-Authenticate: Basic" } },
    ["that was too long"] = { body = ("x"):rep(5000) },
    ["whose connection closes"] = { body = OK, close = true, headers = { "Connection: close" } },
    ["that leads elsewhere"] = { status = 302, body = "{}", headers = { "Location: /elsewhere" } },
  } do
    it("go on after one " .. name, function()
      s:script { { body = OK }, step, { body = OK }, { body = OK } }
      local request = { plan = 5, body = '{"n":1}', authorization = "Authorization: Bearer k" }
      assert.equal(OK, ask(request))
      ask(request, { timeout = 0.05, max_body = 1000 })
      assert.equal(OK, ask(request))
      assert.equal(OK, ask(request))
      local list = seen()
      assert.equal(4, #list)
      for i = 2, 4 do assert.equal(list[1], list[i]) end
    end)
  end

  it("go on after one that was cancelled, one that was read to its end, and one that a stray byte spoiled", function()
    local events = { chunks = server.events { "a" }, headers = { ["Content-Type"] = "text/event-stream" } }
    s:script { { stall = true }, { body = OK, stray = "x" }, { body = OK }, events, events, { body = OK } }
    local request = { plan = 6, body = "{}" }
    local call = start(request)
    for _ = 1, 3 do engine:step(0.01) end
    engine:cancel(call)
    assert.equal(OK, ask(request))
    assert.is_true(s:wait { strays = 1 })
    assert.equal(OK, ask(request))
    for _ = 1, 2 do finish(start(request, { dialect = "chat" })) end
    assert.equal(OK, ask(request))
    local list = seen()
    assert.equal(6, #list)
    for i = 2, #list do assert.equal(list[1], list[i]) end
  end)

  it("what libcurl cannot do is said each time", function()
    for _ = 1, 3 do
      local call = start { plan = 7, body = "{}", proxy = "socks9://127.0.0.1:1" }
      local _, failed = finish(call)
      assert.is_true(failed)
    end
    s:script { { body = OK } }
    assert.equal(OK, ask { plan = 8, body = "{}" })
  end)

  it("many plans, and many calls at once, never take each other's place", function()
    s:script { { body = OK }, repeat_last = true }
    local expected, calls = {}, {}
    for round = 1, 3 do
      for plan = round == 3 and 41 or 1, round == 3 and 80 or 40 do
        for nth = 1, plan % 4 do
          local body = ("[%d,%d,%d]"):format(round, plan, nth)
          calls[#calls + 1] = start { plan = plan, body = body, lines = { "X-Plan: " .. plan },
            url = s.url .. "/" .. plan, authorization = "X-Own: " .. body }
          expected[body] = plan
        end
      end
      for _, call in ipairs(calls) do assert.equal(OK, (finish(call))) end
      calls = {}
    end
    local n = 0
    for _, entry in ipairs(s:log()) do
      local plan = expected[entry.body]
      assert.equal("/v1/" .. plan, entry.path)
      assert.equal(tostring(plan), entry.headers["x-plan"])
      assert.equal(entry.body, entry.headers["x-own"])
      expected[entry.body] = nil
      n = n + 1
    end
    assert.equal(180, n)
    assert.is_nil(next(expected))
  end)
end)
