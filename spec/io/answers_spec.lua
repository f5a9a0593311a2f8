-- What is made of answers, good and bad: public API, real sockets, a server
-- that plays exactly what each row says.
-- test: waits: for limits of time
local cjson = require "cjson"
local ofox = require "ofox"
local calls = require "support.calls"
local server = require "support.server"
local wire = require "support.wire"

local KEY = "sk-of-answers-0123456789"
local PARAMS = calls.PARAMS
local OK = server.completion("hello")

local s
local client, ask, fail = calls.against(function() return s end, KEY)
local summary, each_retry, timed, framed = calls.summary, calls.each_retry, calls.timed, server.framed
local bytes = wire.unhex

-- No byte is outside a well-formed character.
local function assert_utf8(text)
  for _, form in ipairs {
    "[\194-\223][\128-\191]", "\224[\160-\191][\128-\191]", "[\225-\236\238\239][\128-\191][\128-\191]",
    "\237[\128-\159][\128-\191]", "\240[\144-\191][\128-\191][\128-\191]",
    "[\241-\243][\128-\191][\128-\191][\128-\191]", "\244[\128-\143][\128-\191][\128-\191]",
  } do text = text:gsub(form, "") end
  assert.is_nil(text:find("[\128-\255]"), "invalid UTF-8")
end

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

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
      local _, err = ask({ { status = 500, body = '{"error":{"message":"' .. text .. '"}}',
        headers = { "X-Odd: caf\233", "X-Request-Id: req_\255" } }, repeat_last = true }, { max_retries = 1 })
      assert.equal("internal_error", err.type)
      assert.is_true(#err.message > 0 and #err.message <= 1024)
      assert.is_true(#err.body <= 65536)
      local copy = cjson.decode(cjson.encode(err))
      assert.same({ err.type, err.message, err.body }, { copy.type, copy.message, copy.body })
      assert_utf8(cjson.encode(err))
      assert.equal("req_\239\191\189", err.request_id)
      assert.equal(err.request_id, err.retries[1].request_id)
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
      local seconds, err, own = timed(function() return nil, fail({ raw = raw, stall = true }, { timeout = 0.2 }) end)
      assert.same({ "rate_limit_error", 429 }, { err.type, err.status })
      assert.is_true(seconds >= 0.19 and own < 0.35, seconds)
    end
  end)

  it("that stalls is waited for 2 s at most", function()
    local seconds, err, own = timed(function()
      return nil, fail({ raw = "HTTP/1.1 401 X\r\nContent-Length: 100\r\n\r\n{", stall = true }, { timeout = 60 })
    end)
    assert.same({ "authentication_error", 401 }, { err.type, err.status })
    assert.is_true(seconds >= 1.95 and own < 2.2, seconds)
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
