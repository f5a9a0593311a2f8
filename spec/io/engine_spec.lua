-- What the engine does with connections, requests and time: public API, real
-- sockets, a server that plays exactly what each row says.
local socket = require "socket"
local cjson = require "cjson"
local ofox = require "ofox"
local calls = require "support.calls"
local proc = require "support.proc"
local server = require "support.server"

local KEY = "sk-of-transport-0123456789"
local PARAMS = calls.PARAMS
local OK = server.completion("hello")

local s
local client, ask, fail = calls.against(function() return s end, KEY)
local summary, each_retry, timed, framed = calls.summary, calls.each_retry, calls.timed, server.framed

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("connecting", function()
  it("[C1] says dns for a name that is not found, after all attempts", function()
    -- a label of 64 characters can be in no DNS: no network is asked
    local base = "http://" .. ("x"):rep(64) .. ".invalid/v1"
    local res, err = client({ base_url = base, max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.same({ "connection_error", "dns", "-", false }, summary(err))
    assert.same({ true, "max_retries", 3 }, { err.retryable, err.reason, err.attempts })
    assert.same({ "dns", "dns" }, each_retry(err.retries, "code"))
    assert.is_true(ofox.errors.is(err, ofox.errors.ConnectionError))
  end)

  it("[C1] says refused where nobody listens, after all attempts", function()
    local res, err = client({ base_url = server.refused_url(), max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
    assert.same({ true, "max_retries", 3 }, { err.retryable, err.reason, err.attempts })
    assert.same({ "refused", "refused" }, each_retry(err.retries, "code"))
  end)

  it("[C1] succeeds when the server is there again", function()
    s:listen(false)
    s:script { { body = OK } }
    local res, err = client({ on_retry = function() s:listen(true) end }):chat(PARAMS)
    s:listen(true)
    assert.is_nil(err)
    assert.equal("hello", res:output_text())
    assert.equal(2, res:meta().attempts)
  end)

  local function misuses()
    local here = s.url
    return {
      { "a scheme that is not HTTP", { base_url = "ftp://127.0.0.1/v1" } },
      { "a file", { base_url = "file:///etc/passwd" } },
      { "no scheme", { base_url = "127.0.0.1/v1" } },
      { "no host", { base_url = "http:///v1" } },
      { "a port out of range", { base_url = "http://127.0.0.1:99999/v1" } },
      { "a line end in the URL", { base_url = here .. "\r\nX-Injected: 1" } },
      { "a blank in the URL", { base_url = here .. " x" } },
      { "a NUL in the URL", { base_url = here .. "\0" } },
      { "CR LF in a header", { headers = { ["X-A"] = "a\r\nX-Injected: 1" } } },
      { "LF in a header", { headers = { ["X-A"] = "a\nX-Injected: 1" } } },
      { "CR in a header", { headers = { ["X-A"] = "a\rX-Injected: 1" } } },
      { "a NUL in a header", { headers = { ["X-A"] = "a\0b" } } },
      { "CR LF in a header's name", { headers = { ["X-A\r\nX-Injected"] = "1" } } },
      { "a colon in a header's name", { headers = { ["X-A: 1"] = "1" } } },
      { "a header without a name", { headers = { [""] = "1" } } },
      { "CR LF in the key", { api_key = KEY .. "\r\nX-Injected: 1" } },
      { "a blank in the key", { api_key = KEY .. " x" } },
      { "CR LF in the idempotency key", { idempotency_key = "a\r\nX-Injected: 1" }, "call" },
    }
  end

  it("[C3] never takes place for what cannot be sent, and the key is not shown", function()
    for _, row in ipairs(misuses()) do
      local name, opts, only = row[1], row[2], row[3]
      local function attempt()
        if only == "call" then return client():chat(PARAMS, opts) end
        return client(opts):chat(PARAMS)
      end
      local ok, message = pcall(attempt)
      assert.is_false(ok, name)
      assert.equal("string", type(message), name)
      assert.matches("ofox%.new: %.?[%a_]+%.?[^%c]*$", (message:gsub("client:chat: opts", "ofox.new: opts")), name)
      assert.is_nil(message:find(KEY, 1, true), name)
      assert.is_nil(message:find("0123456789", 1, true), name)
      assert.is_nil(message:find("X-Injected: 1", 1, true), name)
    end
    for _, path in ipairs { "/x\r\nX-Injected: 1", "/x\ny", "/x y HTTP/1.1", "x\0" } do
      local ok, message = pcall(client().request, client(), { path = path })
      assert.is_false(ok, path)
      assert.equal("string", type(message))
    end
    local ok = pcall(client().request, client(), { path = "/x", method = "GET /y HTTP/1.1\r\nX: y" })
    assert.is_false(ok)
    assert.same({ 0, 0 }, { s:connections(), #s:log() })
  end)

  it("[C3] a misuse is blamed on the line that did it", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() ofox.new { base_url = "ftp://127.0.0.1/v1" } end)
    assert.matches("engine_spec%.lua:" .. line .. ": ofox%.new", message)
  end)
end)

describe("a connection that broke", function()
  for name, step in pairs {
    ["FIN"] = { raw = "", close = true },
    ["RST"] = { raw = "", close = "rst" },
    ["FIN at the first byte of the request"] = { on = "arrival", raw = "", close = "hard" },
  } do
    for method, call in pairs {
      POST = function(c) return c:chat(PARAMS) end,
      GET = function(c) return c:models() end,
    } do
      it(("[C4] when reused (%s, %s): one attempt at once, each of them counted"):format(method, name), function()
        s:script { { body = OK }, step, { body = OK } }
        local told = {}
        local c = client { retry = "ofox", on_retry = function(_, delay, attempt, source)
          told[#told + 1] = { delay, attempt, source }
        end }
        assert(call(c))
        local seconds, res = timed(function() return call(c) end)
        local meta = ofox.meta(res)
        assert.equal(2, meta.attempts)
        assert.equal(3, #s:log())
        assert.equal(2, s:connections())
        assert.same({ { 0, 1, "immediate" } }, told)
        assert.same({ "connection_error" }, each_retry(meta.retries, "type"))
        assert.same({ 0 }, each_retry(meta.retries, "delay"))
        assert.same({ "immediate" }, each_retry(meta.retries, "delay_source"))
        assert.is_true(seconds < 0.5, "it waited")
      end)

      it(("[C4] when reused (%s, %s), with max_retries = 0: not one request more"):format(method, name), function()
        s:script { { body = OK }, step, { body = OK } }
        local c = client { max_retries = 0 }
        assert(call(c))
        local res, err = call(c)
        assert.is_nil(res)
        assert.equal("connection_error", err.type)
        assert.same({ "max_retries", 1 }, { err.reason, err.attempts })
        assert.is_true(err.ambiguous)
        -- nothing of what libcurl then tried by itself
        assert.is_nil(err.message:find("callback", 1, true) or err.message:find("onnect to", 1, true), err.message)
        assert.equal(2, #s:log())
        assert.equal(1, s:connections())
      end)
    end
  end

  it("[C4] is replaced at once only the first time in a call", function()
    s:script { { body = OK }, { raw = "", close = true }, { status = 503, body = "{}" }, { raw = "", close = true },
      { body = OK } }
    local c = client()
    assert(c:chat(PARAMS))
    local meta = assert(c:chat(PARAMS)):meta()
    assert.equal(4, meta.attempts)
    assert.equal(5, #s:log())
    assert.same({ "immediate", "backoff", "backoff" }, each_retry(meta.retries, "delay_source"))
    assert.same({ 0, 0.01, 0.01 }, each_retry(meta.retries, "delay"))
    assert.same({ "-", 503, "-" }, each_retry(meta.retries, "status"))
  end)

  it("[C4] has its attempt at once again in the next call", function()
    s:script { { body = OK }, { raw = "", close = true }, { body = OK }, { raw = "", close = true }, { body = OK } }
    local c = client()
    assert(c:chat(PARAMS))
    for _ = 1, 2 do
      local meta = assert(c:chat(PARAMS)):meta()
      assert.same({ "immediate" }, each_retry(meta.retries, "delay_source"))
    end
    assert.equal(5, #s:log())
  end)

  it("[C4] and breaks anew for each attempt: the server counts exactly the attempts", function()
    s:script { { body = OK }, { raw = "", close = true }, repeat_last = true }
    local c = client { max_retries = 4 }
    assert(c:chat(PARAMS))
    local _, err = c:chat(PARAMS)
    assert.equal(5, err.attempts)
    assert.equal(6, #s:log())
    assert.same({ "immediate", "backoff", "backoff", "backoff" }, each_retry(err.retries, "delay_source"))
  end)

  it("[C5] before a byte of the answer, fresh: empty_reply, maybe paid for", function()
    local _, err = ask({ { raw = "", close = true }, repeat_last = true }, { max_retries = 1 })
    assert.same({ "connection_error", "empty_reply", "-", true }, summary(err))
    assert.same({ true, 2, "max_retries" }, { err.retryable, err.attempts, err.reason })
    assert.same({ "backoff" }, each_retry(err.retries, "delay_source"))
    assert.equal(2, #s:log())
  end)

  it("[C5] RST after the whole upload: reset, maybe paid for", function()
    local err = fail { raw = "", close = "rst" }
    assert.same({ "connection_error", "reset", "-", true }, summary(err))
    assert.is_true(err.retryable)
    assert.is_true(s:log()[1].complete)
  end)

  it("[C5] RST in the middle of a large upload: a connection error, retried", function()
    s:script { { on = "arrival", raw = "", close = "rst" }, { body = OK } }
    local res = assert(client():chat { model = "m", messages = {}, blob = ("x"):rep(4000000) })
    assert.equal(2, res:meta().attempts)
    assert.same({ "connection_error" }, each_retry(res:meta().retries, "type"))
    assert.equal(4000000, #cjson.decode(s:log()[2].body).blob)
  end)
end)

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
    local seconds, err = timed(function()
      return client({ base_url = hole.url, connect_timeout = 0.2, max_retries = 0 }):chat(PARAMS)
    end)
    hole.stop()
    assert.same({ "timeout_error", "connect_timeout", "-", false }, summary(err))
    assert.same({ true, "max_retries" }, { err.retryable, err.reason })
    assert.is_true(seconds >= 0.19 and seconds < 0.35, seconds)
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
      local seconds, err = timed(function() return nil, fail(step, { timeout = 0.2 }) end)
      assert.same({ "timeout_error", "timeout", true }, { err.type, err.code, err.ambiguous })
      assert.same({ true, "max_retries" }, { err.retryable, err.reason })
      assert.is_true(seconds >= 0.19 and seconds < 0.35, seconds)
    end)
  end

  it("[C12] deadline: the call as a whole, no further attempt", function()
    local seconds, err = timed(function() return ask({ { stall = true }, repeat_last = true }, { deadline = 0.2 }) end)
    assert.same({ "timeout_error", "deadline", "-", true }, summary(err))
    assert.same({ "deadline", 1 }, { err.reason, err.attempts })
    assert.is_true(seconds >= 0.19 and seconds < 0.35, seconds)
  end)

  it("[C12] deadline: while connecting", function()
    local hole = server.black_hole()
    local seconds, err = timed(function() return client({ base_url = hole.url, deadline = 0.2 }):chat(PARAMS) end)
    hole.stop()
    assert.same({ "timeout_error", "deadline", "-", false }, summary(err))
    assert.equal("deadline", err.reason)
    assert.is_true(seconds < 0.35, seconds)
  end)

  it("[C12] a black hole, timeout 1, retries 2, deadline 1.5: back by 1.6 s", function()
    local seconds, err = timed(function()
      return ask({ { stall = true }, repeat_last = true }, { timeout = 1, max_retries = 2, deadline = 1.5 })
    end)
    assert.same({ "timeout_error", "deadline", 2 }, { err.type, err.code, err.attempts })
    assert.same({ "timeout" }, each_retry(err.retries, "code"))
    assert.equal("deadline", err.reason)
    assert.is_true(seconds >= 1.45 and seconds <= 1.6, seconds)
  end)

  it("[C12] a wait that the deadline leaves no room for is not begun", function()
    local seconds, err = timed(function()
      return ask({ { stall = true }, repeat_last = true },
        { timeout = 0.2, max_retries = 2, deadline = 0.5, retry = "ofox" })
    end)
    assert.same({ "timeout_error", "timeout", "deadline", 1 }, { err.type, err.code, err.reason, err.attempts })
    assert.is_true(err.retry_after >= 1)
    assert.is_true(seconds < 0.35, seconds)
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

describe("bytes on an idle connection", function()
  for name, stray in pairs {
    ["a whole answer"] = framed(server.completion("stray")),
    ["a 408"] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    ["a 408 that closes"] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
    ["one byte"] = "H",
    ["an informational answer"] = "HTTP/1.1 100 Continue\r\n\r\n",
  } do
    it("[C17] " .. name .. " answers nobody", function()
      local told = 0
      s:script { { body = OK, stray = stray }, { body = server.completion("second") } }
      local c = client { on_retry = function() told = told + 1 end }
      assert.equal("hello", assert(c:chat(PARAMS)):output_text())
      assert.is_true(s:wait { strays = 1 })
      local res = assert(c:chat(PARAMS))
      assert.same({ "second", 1, 0 }, { res:output_text(), res:meta().attempts, told })
      assert.same({ 2, 2 }, { s:connections(), #s:log() })
    end)
  end

  it("[C17] also after an error, in the same call", function()
    local res = assert(ask({ { status = 503, body = "{}", stray = framed(server.completion("stray")) },
      { body = server.completion("second") } }, { on_retry = function() s:wait { strays = 1 } end }))
    assert.same({ "second", 2 }, { res:output_text(), res:meta().attempts })
    assert.equal(2, s:connections())
  end)

  it("[C17] a second answer in the packet of the first answers nobody", function()
    s:script { { raw = framed(OK) .. framed(server.completion("smuggled")) }, { body = server.completion("second") } }
    local c = client()
    assert.equal("hello", assert(c:chat(PARAMS)):output_text())
    assert.equal("second", assert(c:chat(PARAMS)):output_text())
    assert.same({ 2, 2 }, { s:connections(), #s:log() })
  end)

  it("[C17] a 408 with Connection: close on a reused connection: again at once, on a fresh one", function()
    local gone = { status = 408, headers = { "Connection: close" }, body = "", close = true }
    s:script { { body = OK }, gone, { body = server.completion("second") } }
    local c = client()
    assert(c:chat(PARAMS))
    local res = assert(c:chat(PARAMS))
    assert.same({ "second", 2 }, { res:output_text(), res:meta().attempts })
    assert.same({ "immediate" }, each_retry(res:meta().retries, "delay_source"))
    assert.same({ 408 }, each_retry(res:meta().retries, "status"))
    assert.same({ 2, 3 }, { s:connections(), #s:log() })
    s:reset()
    s:script { { body = OK }, gone }
    c = client { max_retries = 0 }
    assert(c:chat(PARAMS))
    local _, err = c:chat(PARAMS)
    assert.same({ "timeout_error", 408, 1 }, { err.type, err.status, err.attempts })
  end)

  it("[C17] any other 408 waits like every error", function()
    local res = assert(ask { { status = 408, headers = { "Connection: close" }, body = "", close = true },
      { status = 408, body = "" }, { status = 408, body = "" }, { body = OK } })
    assert.same({ "backoff", "backoff", "backoff" }, each_retry(res:meta().retries, "delay_source"))
    assert.equal(4, #s:log())
  end)
end)

describe("a request", function()
  local BIG = { model = "m", messages = {}, blob = ("0123456789abcdef"):rep(131072), seed = 1234567890123 }

  it("[C18] is byte-identical over attempts, and Expect is never sent", function()
    s:script { { status = 503, body = "{}" }, { raw = "", close = true }, { status = 500, body = "" }, { body = OK } }
    local seconds, res = timed(function() return client():chat(BIG) end)
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
    assert.is_true(seconds < 1, "something delayed it")
  end)

  it("[C18] that is large is not held back for a server that never says 100", function()
    s:script { { body = OK } }
    local seconds = timed(function() return assert(client():chat(BIG)) end)
    assert.is_true(seconds < 0.5, seconds)
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

describe("a proxy that is asked for a tunnel", function()
  local function through(scheme, step, opts)
    local all = { base_url = "https://gateway.test/v1", max_retries = 1, connect_timeout = 0.3,
      proxy = ("%s://%s:%d"):format(scheme, s.host, s.port) }
    for name, value in pairs(opts or {}) do all[name] = value end
    local res, err = ask({ step, repeat_last = true }, all)
    assert.is_nil(res)
    for _, entry in ipairs(s:log()) do
      assert.is_nil((entry.raw_headers or ""):find(KEY, 1, true), "the key went to the proxy")
    end
    return err
  end

  for _, row in ipairs {
    -- answer to CONNECT, type, code, attempts
    { { status = 407, headers = { "Proxy-Authenticate: Basic realm=x" }, body = "<html>no</html>" },
      "authentication_error", "proxy_authentication_required", 1 },
    { { raw = "HTTP/1.1 407 No\r\nContent-Length: 100\r\n\r\nhalf", close = true },
      "authentication_error", "proxy_authentication_required", 1 },
    { { status = 503, body = "busy" }, "connection_error", "refused", 2 },
    { { status = 401, body = "no" }, "authentication_error", "proxy_authentication_required", 1 },
    { { status = 403, body = "no" }, "permission_error", "proxy_refused", 1 },
    { { status = 502, body = "no" }, "connection_error", "refused", 2 },
    { { status = 504, body = "no" }, "connection_error", "refused", 2 },
    { { raw = "", close = true }, "connection_error", nil, 2 },
    { { raw = "", close = "rst" }, "connection_error", nil, 2 },
    { { raw = "SSH-2.0-OpenSSH_9.2\r\n", close = true }, "connection_error", nil, 2 },
    { { raw = "HTTP/1.1 200 OK\r\n\r\n", close = true }, "connection_error", nil, 2 },
    { { stall = true }, "timeout_error", "connect_timeout", 2 },
    { { raw = "HTTP/1.1 200 OK\r\n\r\n", stall = true }, "timeout_error", "connect_timeout", 2 },
  } do
    local step = row[1]
    local said = step.status or step.raw and step.raw:match("^%C+") or "nothing"
    local ends = step.stall and "is silent" or step.close and "leaves" .. (step.close == "rst" and " by RST" or "")
    it(("[C15] and says %s%s: %s"):format(said, ends and " and " .. ends or "", row[3] or row[2]), function()
      local err = through("http", step)
      assert.same({ row[2], row[4], false }, { err.type, err.attempts, err.ambiguous })
      if row[3] then assert.equal(row[3], err.code) end
      local request = s:log()[1]
      assert.same({ "CONNECT", "gateway.test:443" }, { request.method, request.path })
      assert.equal(row[4], #s:log())
    end)
  end

  for name, row in pairs {
    ["SOCKS5 that refuses"] = { "socks5h", "\5\0" .. "\5\5\0\1\0\0\0\0\0\0" },
    ["SOCKS4 that refuses"] = { "socks4a", "\0\91\0\0\0\0\0\0" },
  } do
    it("[C15] and is a " .. name .. ": refused", function()
      local err = through(row[1], { on = "arrival", raw = row[2], close = true },
        { base_url = "http://gateway.test/v1" })
      assert.same({ "connection_error", "refused", "-", false }, summary(err))
      assert.equal(2, err.attempts)
    end)
  end
end)

describe("TLS to a port that speaks none", function()
  for _, row in ipairs {
    { "an HTTP error", { raw = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", close = true },
      "tls_error", "handshake", 1 },
    { "a TLS alert", { raw = "\21\3\1\0\2\2\40", close = true }, "tls_error", "handshake", 1 },
    { "FIN", { raw = "", close = true }, "connection_error", nil, 2 },
    { "RST", { raw = "", close = "rst" }, "connection_error", nil, 2 },
    { "silence", { stall = true }, "timeout_error", "connect_timeout", 2 },
  } do
    it(("%s: %s, and no key was sent"):format(row[1], row[3]), function()
      row[2].on = "arrival"
      local _, err = ask({ row[2], repeat_last = true },
        { base_url = (s.url:gsub("^http:", "https:")), max_retries = 1, connect_timeout = 0.2 })
      assert.same({ row[3], row[5], false }, { err.type, err.attempts, err.ambiguous })
      if row[4] then assert.equal(row[4], err.code) end
      assert.equal(row[5], s:connections())
    end)
  end
end)

describe("a unix socket", function()
  local directory, other

  setup(function()
    directory = proc.directory()
    other = server.start { unix = directory.path .. "/socket" }
  end)
  teardown(function()
    other:stop()
    directory:remove()
  end)
  after_each(function() other:reset() end)

  local function unix_client(opts)
    local all = { base_url = "http://gateway.test/v1", unix_socket = other.unix }
    for name, value in pairs(opts or {}) do all[name] = value end
    return client(all)
  end

  it("[C15] serves call after call over one connection", function()
    other:script { { body = OK }, repeat_last = true }
    for _ = 1, 3 do assert(unix_client():chat(PARAMS)) end
    assert.same({ 1, 3 }, { other:connections(), #other:log() })
    assert.equal("gateway.test", other:log()[1].headers.host)
  end)

  it("[C17] a stray answer answers nobody", function()
    other:script { { body = OK, stray = framed(server.completion("stray")) }, { body = server.completion("second") } }
    local c = unix_client()
    assert(c:chat(PARAMS))
    assert.is_true(other:wait { strays = 1 })
    local res = assert(c:chat(PARAMS))
    assert.same({ "second", 1, 2 }, { res:output_text(), res:meta().attempts, other:connections() })
  end)

  it("[C4] that breaks when reused: one attempt at once, each of them counted", function()
    other:script { { body = OK }, { raw = "", close = true }, { body = OK } }
    local c = unix_client()
    assert(c:chat(PARAMS))
    local meta = assert(c:chat(PARAMS)):meta()
    assert.same({ "immediate" }, each_retry(meta.retries, "delay_source"))
    assert.same({ 2, 3, 2 }, { meta.attempts, #other:log(), other:connections() })
  end)

  it("[C1] that is not there: refused", function()
    local _, err = unix_client({ unix_socket = directory.path .. "/none", max_retries = 1 }):chat(PARAMS)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
    assert.equal(2, err.attempts)
  end)
end)

describe("client:connect", function()
  it("opens the connection that the first call uses, and sends no key", function()
    s:script { { raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n" }, { body = OK } }
    local c = client()
    assert.is_true(c:connect())
    assert(c:chat(PARAMS))
    assert.same({ 1, 2 }, { s:connections(), #s:log() })
    assert.is_nil(s:log()[1].headers.authorization)
  end)

  it("fails like any call", function()
    local ok, err = client({ base_url = server.refused_url(), max_retries = 0 }):connect()
    assert.is_nil(ok)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
  end)
end)
