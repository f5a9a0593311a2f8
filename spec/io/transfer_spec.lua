-- What the engine does with a request, its answer and time: public API, real
-- sockets, a server that plays exactly what each row says.
-- test: waits: for limits of time
local socket = require "socket"
local cjson = require "cjson"
local calls = require "support.calls"
local server = require "support.server"

local KEY = "sk-of-transport-0123456789"
local PARAMS = calls.PARAMS
local OK = server.completion("hello")

local s
local client, ask, fail = calls.against(function() return s end, KEY)
local summary, each_retry, timed = calls.summary, calls.each_retry, calls.timed

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("a redirect", function()
  local other

  setup(function() other = server.start() end)
  teardown(function() other:stop() end)
  after_each(function() other:reset() end)

  for _, status in ipairs { 300, 301, 302, 303, 307, 308 } do
    it("[C11] " .. status .. " is not followed, and named", function()
      other:script { { body = OK }, repeat_last = true }
      local target = other.url .. "/chat/completions"
      local _, err = ask { { status = status, headers = { "Location: " .. target }, body = "moved" } }
      assert.same({ "response_error", "redirect", status, false }, summary(err))
      assert.same({ false, "not_retryable", 1 }, { err.retryable, err.reason, err.attempts })
      assert.is_truthy(err.message:find(target, 1, true), err.message)
      assert.same({ 1, 0, 0 }, { #s:log(), other:connections(), #other:log() })
    end)
  end

  it("[C11] is not followed on the same origin, by GET or without a target either", function()
    local here = { status = 307, headers = { "Location: /v2/models" }, body = "" }
    s:script { here, here, { status = 304 }, { status = 302, headers = { "Location: \27[31m" } } }
    local c = client()
    local _, err = c:models()
    assert.same({ "redirect", 1 }, { err.code, err.attempts })
    assert.is_truthy(err.message:find("/v2/models", 1, true))
    _, err = c:chat(PARAMS)
    assert.equal("redirect", err.code)
    _, err = c:chat(PARAMS)
    assert.same({ "response_error", 304 }, { err.type, err.status })
    _, err = c:chat(PARAMS)
    assert.equal("redirect", err.code)
    assert.is_nil(tostring(err):find("%c"))
    assert.equal(4, #s:log())
  end)

  it("[C11] other headers that name places lead nowhere", function()
    other:script { { body = OK }, repeat_last = true }
    local where = other.host .. ":" .. other.port
    local headers = { 'Alt-Svc: http/1.1="' .. where .. '"', "Refresh: 0; url=http://" .. where,
      "Location: http://" .. where, "Content-Location: http://" .. where }
    s:script { { headers = headers, body = OK }, { status = 201, headers = headers, body = OK },
      { status = 503, headers = headers, body = "{}" }, { body = OK } }
    local c = client()
    for _ = 1, 3 do assert(c:chat(PARAMS)) end
    assert.same({ 4, 0 }, { #s:log(), other:connections() })
  end)
end)

describe("time", function()
  it("[C12] connect_timeout: nothing was sent", function()
    local hole = server.black_hole()
    local seconds, err, own = timed(function()
      return client({ base_url = hole.url, connect_timeout = 0.2, max_retries = 0 }):chat(PARAMS)
    end)
    hole.stop()
    assert.same({ "timeout_error", "connect_timeout", "-", false }, summary(err))
    assert.same({ true, "max_retries" }, { err.retryable, err.reason })
    assert.is_true(seconds >= 0.19 and own < 0.35, seconds)
  end)

  for name, step in pairs {
    ["no answer"] = { stall = true },
    ["half a head"] = { raw = "HTTP/1.1 200 OK\r\nX-A:", stall = true },
    ["half a body"] = { raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", stall = true },
    ["an endless drip"] = { headers = { "Content-Length: 1000" }, framing = "none", drip = 0.02,
      body = (" "):rep(1000) },
    ["endless 1xx"] = { raw = { { bytes = "HTTP/1.1 103 Early Hints\r\n\r\n", times = 200, pause = 0.02 } } },
  } do
    it("[C12] timeout: the attempt as a whole, " .. name, function()
      local seconds, err, own = timed(function() return nil, fail(step, { timeout = 0.2 }) end)
      assert.same({ "timeout_error", "timeout", true }, { err.type, err.code, err.ambiguous })
      assert.same({ true, "max_retries" }, { err.retryable, err.reason })
      assert.is_true(seconds >= 0.19 and own < 0.35, seconds)
    end)
  end

  it("[C12] deadline: the call as a whole, no further attempt", function()
    local seconds, err, own = timed(function()
      return ask({ { stall = true }, repeat_last = true }, { deadline = 0.2 })
    end)
    assert.same({ "timeout_error", "deadline", "-", true }, summary(err))
    assert.same({ "deadline", 1 }, { err.reason, err.attempts })
    assert.is_true(seconds >= 0.19 and own < 0.35, seconds)
  end)

  it("[C12] deadline: while connecting", function()
    local hole = server.black_hole()
    local _, err, own = timed(function() return client({ base_url = hole.url, deadline = 0.2 }):chat(PARAMS) end)
    hole.stop()
    assert.same({ "timeout_error", "deadline", "-", false }, summary(err))
    assert.equal("deadline", err.reason)
    assert.is_true(own < 0.35, own)
  end)

  it("[C12] a black hole, timeout 1, retries 2, deadline 1.5: back by 1.6 s", function()
    local seconds, err, own = timed(function()
      return ask({ { stall = true }, repeat_last = true }, { timeout = 1, max_retries = 2, deadline = 1.5 })
    end)
    assert.same({ "timeout_error", "deadline", 2 }, { err.type, err.code, err.attempts })
    assert.same({ "timeout" }, each_retry(err.retries, "code"))
    assert.equal("deadline", err.reason)
    assert.is_true(seconds >= 1.45 and own <= 1.6, seconds)
  end)

  it("[C12] a wait that the deadline leaves no room for is not begun", function()
    local _, err, own = timed(function()
      return ask({ { stall = true }, repeat_last = true },
        { timeout = 0.2, max_retries = 2, deadline = 0.5, retry = "ofox" })
    end)
    assert.same({ "timeout_error", "timeout", "deadline", 1 }, { err.type, err.code, err.reason, err.attempts })
    assert.is_true(err.retry_after >= 1)
    assert.is_true(own < 0.35, own)
  end)
end)

describe("HTTP/1.x", function()
  for name, raw in pairs {
    ["a reason is missing"] = "HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n%s",
    ["lines end with LF alone"] = "HTTP/1.1 200 OK\nContent-Length: %d\n\n%s",
    ["a header is folded"] = "HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nContent-Length: %d\r\n\r\n%s",
    ["a header has no value"] = "HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: %d\r\n\r\n%s",
    ["a length is repeated"] = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-B: 1\r\n\r\n%s",
    ["100 comes first"] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
    ["102 and 103 come first"] = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
      .. "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
    ["it is 1.0, with a length"] = "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s",
    ["it is 1.0 that keeps alive"] = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s",
  } do
    it("[C14] the answer is read although " .. name, function()
      local res = assert(ask { { raw = raw:format(#OK, OK) } })
      assert.same({ "hello", 200, 1 }, { res:output_text(), res:meta().status, res:meta().attempts })
      assert.is_nil(res:meta().headers.link)
    end)
  end

  it("[C14] 1.0 without a length ends with the connection", function()
    local res = assert(ask { { version = "1.0", framing = "close", body = OK } })
    assert.equal("hello", res:output_text())
  end)

  it("[C14] a 1xx with odd headers says nothing about the answer", function()
    local res = assert(ask { { interim = {
      "HTTP/1.1 103 Early Hints\r\nX-Request-Id: early\r\nRetry-After: 100\r\nContent-Length: 5\r\n\r\n",
    }, body = OK, headers = { "X-Request-Id: final" } } })
    assert.same({ "hello", "final" }, { res:output_text(), res:meta().request_id })
    assert.is_nil(res:meta().headers["retry-after"])
  end)

  it("[C14] Connection: close is obeyed and costs no attempt", function()
    s:script { { body = OK, headers = { "Connection: close" }, close = true }, repeat_last = true }
    local c = client()
    for _ = 1, 3 do assert.equal(1, assert(c:chat(PARAMS)):meta().attempts) end
    assert.same({ 3, 3 }, { s:connections(), #s:log() })
  end)

  it("[C14] 1.0 without keep-alive opens a connection for each call", function()
    s:script { { version = "1.0", body = OK, close = true }, repeat_last = true }
    local c = client()
    for _ = 1, 3 do assert.equal(1, assert(c:chat(PARAMS)):meta().attempts) end
    assert.same({ 3, 3 }, { s:connections(), #s:log() })
  end)

  it("[C14] calls in a row, of any client, share a connection", function()
    s:script { { body = OK }, repeat_last = true }
    for _ = 1, 3 do
      assert(client():chat(PARAMS))
      assert(client():models())
    end
    assert.same({ 1, 6 }, { s:connections(), #s:log() })
  end)

  it("[C14] a connection that was closed while idle costs no attempt", function()
    s:script { { body = OK, close = true }, repeat_last = true }
    local c = client()
    for _ = 1, 3 do
      assert.equal(1, assert(c:chat(PARAMS)):meta().attempts)
      assert.is_true(s:wait { open = 1 } or s:wait { open = 0 })
      socket.select(nil, nil, 0.02)
    end
    assert.same({ 3, 3 }, { s:connections(), #s:log() })
  end)

  it("[C14] keep-alive races: every call succeeds, and no request is unaccounted for", function()
    s:script { { body = OK, close = true }, repeat_last = true }
    local c = client()
    local attempts = 0
    for _ = 1, 100 do attempts = attempts + assert(c:chat(PARAMS)):meta().attempts end
    -- a request that met the end of the connection was not read by anybody
    assert.is_true(#s:log() == 100 and attempts >= 100 and attempts <= 200)
    s:reset()
    s:script { { body = OK, close = "hard" }, repeat_last = true }
    attempts = 0
    for _ = 1, 100 do attempts = attempts + assert(c:chat(PARAMS)):meta().attempts end
    assert.is_true(#s:log() >= 100 and attempts >= #s:log())
  end)

  it("[C14] trailers change nothing", function()
    local res = assert(ask { { status = 503, body = "{}" }, {
      raw = ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\nX-Request-Id: head\r\n\r\n"
        .. "%x\r\n%s\r\n0\r\nX-Check: 1\r\nX-Request-Id: trailer\r\n\r\n"):format(#OK, OK),
    }, { body = OK } })
    assert.same({ "hello", 200, 2 }, { res:output_text(), res:meta().status, res:meta().attempts })
    assert.equal("head", res:meta().request_id)
    assert.same({ 1, 2 }, { s:connections(), #s:log() })
  end)

  it("chunk extensions and single bytes are read", function()
    local parts = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" }
    for c in OK:gmatch "." do parts[#parts + 1] = "001;name=value\r\n" .. c .. "\r\n" end
    local res = assert(ask { { raw = table.concat(parts) .. "0\r\n\r\n" } })
    assert.equal("hello", res:output_text())
    res = assert(ask { { body = OK, drip = 0.0001, drip_size = 3 } })
    assert.equal("hello", res:output_text())
  end)
end)

describe("a request", function()
  local BIG = { model = "m", messages = {}, blob = ("0123456789abcdef"):rep(131072), seed = 1234567890123 }

  it("[C18] is byte-identical over attempts, and Expect is never sent", function()
    s:script { { status = 503, body = "{}" }, { raw = "", close = true }, { status = 500, body = "" }, { body = OK } }
    local _, res, own = timed(function() return client():chat(BIG) end)
    assert.equal(4, res:meta().attempts)
    local log = s:log()
    assert.equal(4, #log)
    for _, entry in ipairs(log) do
      assert.is_true(entry.complete)
      assert.is_true(entry.body == log[1].body, "the bodies differ")
      assert.equal(tostring(#entry.body), entry.headers["content-length"])
      assert.is_nil(entry.headers.expect)
      assert.is_nil(entry.headers["transfer-encoding"])
      assert.equal(log[1].headers["idempotency-key"], entry.headers["idempotency-key"])
    end
    assert.is_true(#log[1].body > 2 * 1024 * 1024)
    assert.same({ 1234567890123, BIG.blob }, { cjson.decode(log[1].body).seed, cjson.decode(log[1].body).blob })
    assert.is_true(own < 1, "something delayed it")
  end)

  it("[C18] that is large is not held back for a server that never says 100", function()
    s:script { { body = OK } }
    local _, _, own = timed(function() return assert(client():chat(BIG)) end)
    assert.is_true(own < 0.5, own)
  end)

  for name, close in pairs { ["reads on"] = false, ["closes"] = true } do
    it("[C18] refused early with 413 by a server that " .. name .. ": 413", function()
      s:script { { status = 413, on = "headers", body = '{"error":{"message":"too big"}}', close = close } }
      local _, err = client():chat { model = "m", messages = {}, blob = ("x"):rep(20 * 1024 * 1024) }
      assert.same({ "invalid_request_error", 413, "too big" }, { err.type, err.status, err.message })
      assert.same({ 1, 1, false }, { err.attempts, #s:log(), err.retryable })
    end)
  end

  it("[C18] after an early answer does not leave its rest to the next one", function()
    s:script { { status = 413, on = "headers", body = "{}" }, { body = server.completion("second") } }
    local c = client()
    c:chat { model = "m", messages = {}, blob = ("x"):rep(8 * 1024 * 1024) }
    local res = assert(c:chat(PARAMS))
    assert.equal("second", res:output_text())
    local log = s:log()
    assert.same({ 2, "POST" }, { #log, log[2].method })
    assert.equal("openai/gpt-4o", cjson.decode(log[2].body).model)
  end)

  it("[C14] says what it should, once each", function()
    assert(ask { { body = OK } })
    local head = s:log()[1].raw_headers:lower()
    for _, name in ipairs { "host", "content-type", "content-length", "authorization", "accept", "accept-encoding",
      "user-agent", "idempotency-key" } do
      local _, n = head:gsub("\r\n" .. name:gsub("%-", "%%-") .. ": ", "")
      assert.equal(1, n, name)
    end
    assert.equal("HTTP/1.1", s:log()[1].version)
    assert.is_nil(head:find("\r\nexpect", 1, true))
  end)

  it("takes a header away that is false, and sends one that is empty", function()
    assert(ask({ { body = OK } }, { headers = { ["User-Agent"] = false, ["X-Empty"] = "" } }))
    local headers = s:log()[1].headers
    assert.is_nil(headers["user-agent"])
    assert.equal("", headers["x-empty"])
  end)
end)
