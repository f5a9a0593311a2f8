-- What the engine does with connections that it has kept: public API, real
-- sockets, a server that plays exactly what each row says.
local cjson = require "cjson"
local ofox = require "ofox"
local calls = require "support.calls"
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
        local _, res, own = timed(function() return call(c) end)
        local meta = ofox.meta(res)
        assert.equal(2, meta.attempts)
        assert.equal(3, #s:log())
        assert.equal(2, s:connections())
        assert.same({ { 0, 1, "immediate" } }, told)
        assert.same({ "connection_error" }, each_retry(meta.retries, "type"))
        assert.same({ 0 }, each_retry(meta.retries, "delay"))
        assert.same({ "immediate" }, each_retry(meta.retries, "delay_source"))
        assert.is_true(own < 0.5, "it waited")
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
