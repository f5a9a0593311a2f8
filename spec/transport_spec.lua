-- What the engine makes of connections and answers, good and bad: public API,
-- real sockets, a server that plays exactly what each row says.
local socket = require "socket"
local cjson = require "cjson"
local ofox = require "ofox"
local server = require "support.server"

local KEY = "sk-of-transport-0123456789"
local PARAMS = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }
local FAST = { base = 0.01, factor = 1, max_delay = 0.01, jitter = "none" }
local OK = server.completion("hello")

local s

local function client(opts)
  local all = { api_key = KEY, base_url = s.url, errors = "return", retry = FAST, timeout = 5, proxy = false }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all)
end

local function ask(steps, opts)
  s:script(steps)
  return client(opts):chat(PARAMS)
end

-- One attempt that must fail.
local function fail(step, opts)
  local all = { max_retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  local res, err = ask({ step }, all)
  assert.is_nil(res, "a success where none may be")
  return err
end

local function summary(err)
  return { err.type, err.code or "-", err.status or "-", err.ambiguous }
end

-- The fields of all earlier attempts, one after the other.
local function each_retry(list, field)
  local values = {}
  for i, retry in ipairs(list) do values[i] = retry[field] or "-" end
  return values
end

local function bytes(hex)
  return (hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function framed(body, headers)
  return ("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s"):format(headers or "", #body, body)
end

local function timed(fn)
  local began = socket.gettime()
  local res, err = fn()
  return socket.gettime() - began, err or res
end

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
    assert.matches("transport_spec%.lua:" .. line .. ": ofox%.new", message)
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

describe("an answer cut short", function()
  local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

  for _, row in ipairs {
    { "inside the status line", "HTTP/1.1 2", "empty_reply protocol truncated", "-" },
    { "inside the headers", "HTTP/1.1 200 OK\r\nContent-Len", "truncated", "-" },
    { "after the headers' last line", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "truncated", "-" },
    { "before the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "truncated", 200 },
    { "inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" .. OK, "truncated", 200 },
    { "one byte early", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", "truncated", 200 },
    { "before the first chunk", CHUNKED, "truncated", 200 },
    { "inside a chunk", CHUNKED .. "10\r\n{}", "truncated", 200 },
    { "without the last chunk", CHUNKED .. "2\r\n{}\r\n", "truncated", 200 },
    { "inside the last chunk", CHUNKED .. "2\r\n{}\r\n0\r\n", "truncated", 200 },
    { "inside the trailers", CHUNKED .. "2\r\n{}\r\n0\r\nX-Trailer: 1\r\n", "truncated", 200 },
    { "by a chunk size that is none", CHUNKED .. "zz\r\n{}\r\n0\r\n\r\n", "protocol", 200 },
    { "by a negative chunk size", CHUNKED .. "-2\r\n{}\r\n0\r\n\r\n", "protocol", 200 },
    { "by an endless chunk size", CHUNKED .. ("f"):rep(40) .. "\r\n{}\r\n0\r\n\r\n", "protocol", 200 },
  } do
    it("[C6] " .. row[1] .. ": an error that is retried, never a short success", function()
      local err = fail { raw = row[2], close = true }
      assert.equal("connection_error", err.type)
      assert.is_truthy(row[3]:find(err.code, 1, true), err.code)
      assert.same({ true, true, "max_retries" }, { err.ambiguous, err.retryable, err.reason })
      if row[4] then assert.equal(row[4], err.status or "-") end
      assert.is_truthy(#err.message > 0)
    end)
  end

  for _, value in ipairs { "-1", "abc", "0x10", "1, 2" } do
    it("[C6] by a Content-Length of " .. value .. ": an error", function()
      local err = fail { raw = "HTTP/1.1 200 OK\r\nContent-Length: " .. value .. "\r\n\r\n" .. OK, close = true }
      assert.is_true(err.type == "connection_error" or err.type == "response_error", err.type)
    end)
  end

  it("[C6] at every byte, with a length: an error that is retried", function()
    local whole = framed('{"choices":[]}', "X-Request-Id: req_1\r\n")
    for n = 0, #whole - 1 do
      local err = fail { raw = whole, cut = n }
      assert.equal("connection_error", err.type, n .. " bytes")
      assert.is_true(err.retryable and err.ambiguous, n .. " bytes")
    end
    assert(ask { { raw = whole } })
  end)

  it("[C6] at every byte, in chunks: an error that is retried", function()
    local whole = CHUNKED .. '4\r\n{"ch\r\na\r\noices":[]}\r\n0\r\n\r\n'
    for n = 0, #whole - 2 do -- libcurl does not wait for the very last LF
      local err = fail { raw = whole, cut = n }
      assert.equal("connection_error", err.type, n .. " bytes")
      assert.is_true(err.retryable and err.ambiguous, n .. " bytes")
    end
    assert(ask { { raw = whole } })
  end)

  it("[C6] at every byte, ended by the connection alone: an error", function()
    local head = "HTTP/1.1 200 OK\r\nX-Request-Id: req_1\r\n\r\n"
    local whole = head .. '{"choices":[]}'
    for n = 0, #whole - 1 do
      local err = fail { raw = whole, cut = n }
      assert.equal(n == #head and "response_error" or "connection_error", err.type, n .. " bytes")
      assert.is_true(err.ambiguous, n .. " bytes")
    end
    assert(ask { { raw = whole, close = true } })
  end)

  it("[C6] RST after half of the body: an error that is retried", function()
    local err = fail { raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", close = "rst" }
    assert.equal("connection_error", err.type)
    assert.is_truthy(("reset truncated"):find(err.code, 1, true))
    assert.same({ true, true }, { err.ambiguous, err.retryable })
  end)

  it("half a JSON: the server's fault where it was framed, else a cut", function()
    local half = OK:sub(1, 60)
    local err = fail { raw = framed(half) }
    assert.same({ "response_error", "invalid_json", 200, true }, summary(err))
    assert.same({ false, "not_retryable", half }, { err.retryable, err.reason, err.body })
    err = fail { chunks = { half }, headers = { "Content-Type: application/json" } }
    assert.same({ "response_error", "invalid_json", 200, true }, summary(err))
    err = fail { framing = "close", body = half }
    assert.same({ "connection_error", "truncated", 200, true }, summary(err))
    assert.same({ true, "max_retries" }, { err.retryable, err.reason })
  end)

  it("a Content-Length below the body's: half a JSON, and the rest answers nobody", function()
    s:script { { raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" .. OK }, { body = server.completion("second") } }
    local c = client { max_retries = 0 }
    local _, err = c:chat(PARAMS)
    assert.same({ "response_error", "invalid_json", 200, true }, summary(err))
    local res = assert(c:chat(PARAMS))
    assert.same({ "second", 1 }, { res:output_text(), res:meta().attempts })
    assert.equal(2, s:connections())
  end)
end)

describe("an answer that is no HTTP", function()
  for name, raw in pairs {
    ["SSH"] = "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
    ["HTTP/0.9"] = OK,
    ["a TLS alert"] = "\21\3\1\0\2\2\40",
    ["HTTP/2 frames"] = "\0\0\18\4\0\0\0\0\0\0\3\0\0\0\128\0\4\0\1\0\0\0\5\0\255\255\255",
    ["HTTP/1.2"] = "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ["a status of one digit"] = "HTTP/1.1 2 OK\r\nContent-Length: 2\r\n\r\n{}",
    ["a status of four digits"] = "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    ["blank lines first"] = "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
  } do
    it(name .. " is a protocol error, retried", function()
      local err = fail { raw = raw, close = true }
      assert.same({ "connection_error", "protocol" }, { err.type, err.code })
      assert.same({ true, true }, { err.retryable, err.ambiguous })
    end)
  end

  it("[C14] a switch of protocols that nobody asked for is an error", function()
    local err = fail { raw = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", close = true }
    assert.equal("connection_error", err.type)
    assert.is_true(err.retryable)
  end)

  it("[C14] informational answers alone are no answer", function()
    local err = fail { raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n", close = true }
    assert.equal("connection_error", err.type)
    assert.is_nil(err.status)
    assert.is_true(err.retryable)
  end)
end)

describe("a success that is none", function()
  local BIG = "<!DOCTYPE html><html><title>Login</title>" .. ("<p>x</p>"):rep(20000) .. "</html>"

  for _, row in ipairs {
    { "an empty body", "empty", "" },
    { "blanks", "empty", " \r\n\t" },
    { "an HTML page", "html", "<html><head><title>Login</title></head></html>" },
    { "a large HTML page", "html", BIG },
    { "broken JSON", "invalid_json", '{"choices":[}' },
    { "JSON and more", "invalid_json", "{} trailing" },
    { "a scalar", "invalid_json", '"hello"' },
    { "a list", "invalid_json", "[]" },
    { "null", "invalid_json", "null" },
    { "plain text", "invalid_json", "Service is fine" },
  } do
    it("[C7] " .. row[1] .. ": ResponseError " .. row[2], function()
      s:script { { body = row[3] } }
      local ok, res, err = pcall(function() return client({ errors = "split" }):chat(PARAMS) end)
      assert.is_true(ok, "it is permanent and returned")
      assert.is_nil(res)
      assert.same({ "response_error", row[2], 200 }, { err.type, err.code, err.status })
      assert.same({ false, 1, "not_retryable" }, { err.retryable, err.attempts, err.reason })
      assert.is_true(ofox.errors.is(err, ofox.errors.ResponseError))
      assert.is_true(#(err.body or "") <= 65536)
      assert.equal(row[3]:sub(1, 65536), err.body or "")
      assert.is_true(#err.message > 0 and #err.message <= 1024)
    end)
  end

  it("[C7] 204 is empty", function()
    local err = fail { raw = "HTTP/1.1 204 No Content\r\n\r\n" }
    assert.same({ "response_error", "empty", 204 }, { err.type, err.code, err.status })
  end)

  it("[C7] a BOM and blanks around the object do no harm", function()
    local res = assert(ask { { body = "\239\187\191\r\n " .. OK .. "\n" } })
    assert.equal("hello", res:output_text())
  end)

  it("[C8] an error of 429 under 200 is a RateLimitError, retried", function()
    local body = '{"error":{"code":429,"message":"slow down","metadata":{"x":1}}}'
    local res = assert(ask { { body = body }, { body = OK } })
    assert.equal(2, res:meta().attempts)
    assert.same({ "rate_limit_error" }, each_retry(res:meta().retries, "type"))
    local err = fail { body = body }
    assert.same({ "rate_limit_error", "429", 200 }, { err.type, err.code, err.status })
    assert.equal("slow down", err.message)
  end)

  it("[C8] an error under 200 without a known word is an InternalError", function()
    local err = fail { body = '{"error":{"message":"something"}}' }
    assert.same({ "internal_error", "-", 200, false }, summary(err))
  end)

  it("[C8] finish_reason error is an UpstreamError, raised", function()
    s:script { { body = (OK:gsub('"stop"', '"error"')) } }
    local ok, err = pcall(function() return client({ errors = "split", max_retries = 0 }):chat(PARAMS) end)
    assert.is_false(ok)
    assert.same({ "upstream_error", 200 }, { err.type, err.status })
  end)
end)

describe("an error page", function()
  local TEXT = '{"error":{"message":"upstream is down","code":"bad_gateway"}}'
  -- of TEXT; node: zlib.gzipSync(TEXT, {level: 9}), deflateSync, brotliCompressSync
  local GZIP = bytes "1f8b0800000000000203ab564a2d2aca2f52b2aa56ca4d2d2e4e4c4f55b2522a2d282e294a4dcc55c82c56"
    .. bytes "48c92fcf53d2514ace4f01c92425a6c4a72796a49627562ad5d60200bffc79c23d000000"
  local DEFLATE = bytes "78daab564a2d2aca2f52b2aa56ca4d2d2e4e4c4f55b2522a2d282e294a4dcc55c82c5648c92fcf53d2514a"
    .. bytes "ce4f01c92425a6c4a72796a49627562ad5d6020098811586"
  local BROTLI = bytes "1b3c00c09c07760cb1c64420ccd74317568b847ded4d31b8bad461e96b11b2bb3cb00107ec816efb36d51c0d"
    .. bytes "493627c695c3dd110fa85883dc5a547b"

  for _, row in ipairs {
    { "a CDN's page", "<!DOCTYPE html>\n<html lang=en><head><title>api.example | 502: Bad gateway</title></head>"
      .. "<body><h1>Bad gateway</h1></body></html>", "api.example | 502: Bad gateway" },
    { "a page with no title", "<html><body><center><h1>502 Bad Gateway</h1></center></body></html>",
      "502 Bad Gateway" },
    { "error as string", '{"error":"x"}', "x" },
    { "message", '{"message":"it broke"}', "it broke" },
    { "detail as list", '{"detail":[{"loc":["body"],"msg":"field required"}]}', "field required" },
    { "detail as string", '{"detail":"no detail"}', "no detail" },
    { "title", '{"type":"about:blank","title":"Bad Gateway"}', "Bad Gateway" },
    { "errors", '{"errors":[{"message":"first"},{"message":"second"}]}', "first" },
    { "a list", '["first","second"]', "first" },
    { "a JSON string", '"just words"', "just words" },
    { "message as object", '{"error":{"message":{"text":"deep"}}}' },
    { "an empty list", "[]" },
    { "an empty object", "{}" },
    { "null", "null" },
    { "error null", '{"error":null}' },
    { "a number", "17" },
    { "nothing", "", "HTTP 502 (no body)" },
    { "blanks", " \n ", "HTTP 502 (no body)" },
    { "plain text", "upstream connect error", "upstream connect error" },
    { "broken JSON", '{"error":{"message":"half' },
    { "gzip", GZIP, "upstream is down", "gzip" },
    { "deflate", DEFLATE, "upstream is down", "deflate" },
    { "brotli", BROTLI, "upstream is down", "br" },
  } do
    it("[C9] 502 with " .. row[1] .. ": UpstreamError with a message", function()
      local headers = row[4] and { "Content-Encoding: " .. row[4] } or nil
      local err = fail { status = 502, body = row[2], headers = headers }
      assert.same({ "upstream_error", 502 }, { err.type, err.status })
      assert.is_true(err.retryable)
      assert.is_true(#err.message > 0)
      if row[3] then assert.equal(row[3], err.message) end
      if row[4] then assert.same({ "bad_gateway", TEXT }, { err.code, err.body }) end
    end)
  end

  for _, row in ipairs {
    { "a number", "402101", "402101" }, { "a float", "1.5", "1.5" }, { "true", "true" }, { "null", "null" },
    { "an object", '{"a":1}' }, { "a list", "[1]" }, { "a string", '"no_such"', "no_such" }, { "empty", '""' },
  } do
    it("[C10] a code that is " .. row[1] .. ": a string or nothing", function()
      local err = fail { status = 400, body = '{"error":{"message":"bad","code":' .. row[2] .. "}}" }
      assert.same({ "invalid_request_error", "bad" }, { err.type, err.message })
      assert.equal(row[3], err.code)
    end)
  end

  for name, text in pairs {
    ["1 MB"] = ("0123456789"):rep(100000), ["1 MB of 3-byte characters"] = ("\228\189\160"):rep(330000),
    ["invalid UTF-8"] = "caf\233 \255\254 \237\160\128 \192\128 ok", ["a NUL"] = "before\\u0000after",
    ["escapes"] = '\\"\\\\\\/\\b\\n\\ud83d\\ude00\\ud800', ["raw control characters"] = "a\27[31mred\7",
  } do
    it("[C10] [F4] a message of " .. name .. " stays JSON-serialisable and bounded", function()
      local err = fail { status = 400, body = '{"error":{"message":"' .. text .. '"}}',
        headers = { "X-Odd: caf\233", "X-Request-Id: req_\255" } }
      assert.equal("invalid_request_error", err.type)
      assert.is_true(#err.message > 0 and #err.message <= 1024)
      assert.is_true(#err.body <= 65536)
      local copy = cjson.decode(cjson.encode(err))
      assert.same({ err.type, err.message, err.body }, { copy.type, copy.message, copy.body })
      assert.is_nil(cjson.encode(err):find("[\128-\255][^\128-\191]*\255"))
      assert.is_nil(tostring(err):find("%c"))
    end)
  end

  it("[C10] a NUL in the raw body does no harm", function()
    local err = fail { status = 500, body = "a\0b" }
    assert.equal("internal_error", err.type)
    assert.is_true(#err.message > 0)
    cjson.encode(err)
  end)

  it("decides by its status even when cut, in each framing", function()
    for _, step in ipairs {
      { raw = "HTTP/1.1 503 X\r\nContent-Length: 100\r\n\r\nabc", close = true },
      { raw = "HTTP/1.1 503 X\r\nContent-Length: 100\r\n\r\nabc", close = "rst" },
      { raw = "HTTP/1.1 503 X\r\nContent-Length: 100\r\n\r\n", close = true },
      { raw = "HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", close = true },
      { raw = "HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", close = true },
      { raw = "HTTP/1.1 503 X\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc" },
      { raw = "HTTP/1.1 503 X\r\nContent-Encoding: gzip\r\n\r\n" .. GZIP:sub(1, 40), close = true },
      { raw = "HTTP/1.1 503 X\r\nContent-Encoding: unheard-of\r\nContent-Length: 3\r\n\r\nabc" },
    } do
      local err = fail(step)
      assert.same({ "service_unavailable", 503, "max_retries" }, { err.type, err.status, err.reason }, step.raw)
      assert.is_true(#err.message > 0)
    end
  end)

  it("that stalls is waited for as long as the timeout, if that is short", function()
    for _, raw in ipairs { "HTTP/1.1 429 X\r\nContent-Length: 100\r\n\r\nabc", "HTTP/1.1 429 X\r\n\r\n" } do
      local seconds, err = timed(function() return nil, fail({ raw = raw, stall = true }, { timeout = 0.2 }) end)
      assert.same({ "rate_limit_error", 429 }, { err.type, err.status })
      assert.is_true(seconds >= 0.19 and seconds < 0.35, seconds)
    end
  end)

  it("that stalls is waited for 2 s at most", function()
    local seconds, err = timed(function()
      return nil, fail({ raw = "HTTP/1.1 401 X\r\nContent-Length: 100\r\n\r\n{", stall = true }, { timeout = 60 })
    end)
    assert.same({ "authentication_error", 401 }, { err.type, err.status })
    assert.is_true(seconds >= 1.95 and seconds < 2.2, seconds)
  end)

  for _, status in ipairs { 600, 999 } do
    it("with status " .. status .. " is one of 5xx: retried", function()
      local res = assert(ask { { status = status, body = "odd" }, { body = OK } })
      assert.equal(2, res:meta().attempts)
      local err = fail { status = status, body = "odd" }
      assert.same({ "internal_error", status, "odd" }, { err.type, err.status, err.message })
    end)
  end

  it("that was read whole keeps its connection over the attempts", function()
    local page = ("<p>x</p>"):rep(30000)
    for _, step in ipairs {
      { status = 503, body = TEXT },
      { status = 500, body = "" },
      { status = 502, body = page },
      { status = 503, chunks = { TEXT:sub(1, 9), TEXT:sub(10) } },
      { status = 502, body = GZIP, headers = { "Content-Encoding: gzip" } },
      { status = 429, body = TEXT, headers = { "Retry-After: 0" } },
    } do
      s:reset()
      local res = assert(ask { step, step, { body = OK } })
      assert.equal(3, res:meta().attempts)
      assert.same({ 1, 3 }, { s:connections(), #s:log() })
    end
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

describe("a coded answer", function()
  -- of '{"choices":[{"message":{"content":"hello"}}]}'; node: zlib.gzipSync(…, {level: 9})
  local GZIP = bytes "1f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49"
    .. bytes "cd2b51b252ca48cdc9c957aaad8dad05008275e9e02d000000"

  local function coded(body, coding)
    return { body = body, headers = { "Content-Encoding: " .. (coding or "gzip") } }
  end

  it("is decoded, and asked for", function()
    local res = assert(ask { coded(GZIP) })
    assert.equal("hello", res:output_text())
    assert.matches("gzip", s:log()[1].headers["accept-encoding"])
    assert.equal("hello", assert(ask { coded(OK, "identity") }):output_text())
  end)

  it("cut short is never half a success", function()
    for n = 0, #GZIP - 1 do
      local res, err = ask({ coded(GZIP:sub(1, n)) }, { max_retries = 0 })
      if res then
        -- all of the text is there before the end of the block, the checksum and the length are
        assert.is_true(n > #GZIP - 12, n .. " bytes")
        assert.equal("hello", res:output_text())
      else
        assert.equal("response_error", err.type, n .. " bytes")
        assert.is_truthy(("encoding invalid_json empty"):find(err.code, 1, true))
        assert.is_true(err.ambiguous, n .. " bytes")
      end
    end
  end)

  for name, body in pairs {
    ["no gzip"] = "this is no gzip at all",
    ["JSON as it is"] = OK,
    ["gzip that is broken inside"] = GZIP:sub(1, 20) .. "\255\255\255\255" .. GZIP:sub(25),
    ["a wrong checksum"] = GZIP:sub(1, -9) .. "\0\0\0\0" .. GZIP:sub(-4),
  } do
    it("that is " .. name .. ": ResponseError encoding", function()
      local err = fail(coded(body))
      assert.same({ "response_error", "encoding", 200, true }, summary(err))
      assert.is_false(err.retryable)
    end)
  end

  it("in a coding nobody knows: ResponseError encoding", function()
    local err = fail(coded(OK, "unheard-of"))
    assert.same({ "response_error", "encoding", 200, true }, summary(err))
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
