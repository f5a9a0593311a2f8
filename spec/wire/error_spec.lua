-- What an answer means that is a failure: all pure, no sockets.
local cjson = require "cjson"
local core = require("ofox.base.native")("core")
local errors = require "ofox.errors"
local json = require "ofox.json"

local parse = errors.parse

local CLASSES = { -- as design says: name, type, retryable
  { "InvalidRequestError", "invalid_request_error", false },
  { "AuthenticationError", "authentication_error", false },
  { "BillingError", "billing_error", false },
  { "PermissionError", "permission_error", false },
  { "NotFoundError", "not_found_error", false },
  { "ConflictError", "conflict_error", true },
  { "RateLimitError", "rate_limit_error", true },
  { "InternalError", "internal_error", true },
  { "UpstreamError", "upstream_error", true },
  { "ServiceUnavailableError", "service_unavailable", true },
  { "TimeoutError", "timeout_error", true },
  { "ConnectionError", "connection_error", true },
  { "StreamError", "stream_error", true },
  { "TLSError", "tls_error", false },
  { "ResponseError", "response_error", false },
  { "CancelledError", "cancelled_error", false },
}

local function shown(text)
  if #text > 60 then text = text:sub(1, 60) .. "…" end
  return (text:gsub("[%z\1-\31\127-\255]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

-- Valid for every JSON writer: ofox's own refuses bad UTF-8 and says where.
local function encode_both(err)
  assert(json.encode(err))
  return cjson.decode(cjson.encode(err))
end

describe("the classes", function()
  it("[B1] are those of the contract, in order", function()
    assert.are.equal(#CLASSES, #core.classes)
    for i, row in ipairs(CLASSES) do
      assert.are.same({ name = row[1], type = row[2], retryable = row[3] }, core.classes[i])
      assert.are.equal(row[2], errors[row[1]].type)
      assert.are.equal(row[1], errors[row[1]].name)
    end
  end)

  it("have outcomes with the closed lists of codes", function()
    local codes = {}
    for _, row in ipairs(core.outcomes) do
      assert.is_truthy(row.message:find("%S"))
      assert.are.equal(row.name, row.name:lower())
      codes[row.type] = (codes[row.type] or "") .. row.code .. " "
    end
    assert.are.same({
      rate_limit_error = "held paced ",
      service_unavailable = "circuit_open ",
      invalid_request_error = "file_unreadable file_changed ",
      connection_error = "dns refused reset empty_reply truncated protocol send no_descriptors ",
      timeout_error = "connect_timeout timeout idle_timeout deadline ",
      stream_error = "truncated reset invalid_json too_large ",
      tls_error = "certificate handshake ",
      response_error = "empty html invalid_json encoding too_large redirect not_event_stream ",
      authentication_error = "proxy_authentication_required missing_api_key ",
      permission_error = "proxy_refused ",
      cancelled_error = "cancelled interrupted ",
    }, codes)
    assert.are.equal("dns", core.outcomes[1].name)
  end)
end)

describe("an outcome of a transfer", function()
  for _, row in ipairs(core.outcomes) do
    it("speaks for itself: " .. row.name, function()
      local call = core.call(core.template({ expect = "object" }, {}), 0)
      call:abort(row.name:upper(), 0)
      local err = call:failure(0)
      assert.are.equal(row.type, err.type)
      assert.are.equal(row.code, err.code)
      assert.are.equal(row.message, err.message)
      assert.is_nil(err.status)
      local retryable
      for _, class in ipairs(core.classes) do
        if class.type == row.type then retryable = class.retryable end
      end
      assert.are.equal(retryable and row.name ~= "stream_too_large", err.retryable)
    end)
  end
end)

describe("an error status", function()
  local BY_STATUS = {
    [401] = "authentication_error", [402] = "billing_error", [403] = "permission_error",
    [404] = "not_found_error", [407] = "authentication_error", [408] = "timeout_error",
    [409] = "conflict_error", [429] = "rate_limit_error", [502] = "upstream_error",
    [503] = "service_unavailable", [504] = "timeout_error", [520] = "upstream_error",
    [521] = "upstream_error", [522] = "upstream_error", [523] = "upstream_error",
    [524] = "upstream_error", [529] = "service_unavailable",
  }
  local NEVER = { [501] = true, [505] = true, [511] = true }
  local RETRYABLE = {}
  for _, row in ipairs(CLASSES) do RETRYABLE[row[2]] = row[3] end

  it("[B1] from 400 to 999 decides class and retryable", function()
    for status = 400, 999 do
      local err = parse(status, nil, "")
      local expected = BY_STATUS[status] or (status < 500 and "invalid_request_error" or "internal_error")
      assert.are.equal(expected, err.type, "type of " .. status)
      assert.are.equal(RETRYABLE[expected] and not NEVER[status], err.retryable, "retryable of " .. status)
      assert.are.equal(status, err.status)
    end
  end)

  it("[B1] decides before type and code of the body", function()
    local body = '{"error":{"type":"rate_limit_error","code":"server_error","message":"m"}}'
    local err = parse(400, nil, body)
    assert.are.equal("invalid_request_error", err.type)
    assert.are.equal("rate_limit_error", err.server_type)
    assert.are.equal("server_error", err.code)
    assert.is_false(err.retryable)
    assert.are.equal("internal_error", parse(500, nil, '{"error":{"code":429,"message":"m"}}').type)
  end)

  it("[C15] 407 has the code of proxies whatever the body says", function()
    for _, body in ipairs { "", "<html><title>No</title></html>", '{"error":{"code":"x","message":"m"}}' } do
      local err = parse(407, nil, body)
      assert.are.equal("authentication_error", err.type)
      assert.are.equal("proxy_authentication_required", err.code)
      assert.is_false(err.retryable)
    end
  end)

  for _, word in ipairs { "insufficient_quota", "insufficient_credits", "billing_hard_limit_reached", "quota_exceeded",
    "insufficient_balance", "InsufficientQuota", "payment_required", "billing_error" } do
    it("[B3] 429 with " .. word .. " is a spent quota", function()
      for _, body in ipairs {
        '{"error":{"code":"' .. word .. '","message":"m"}}',
        '{"error":{"type":"' .. word .. '","code":null,"message":"m"}}',
        '{"code":"' .. word .. '","message":"m"}',
      } do
        local err = parse(429, nil, body)
        assert.are.equal("billing_error", err.type)
        assert.is_false(err.retryable)
      end
    end)
  end

  it("[B3] a spent quota is not retried under any status, and a rate limit stays one", function()
    local err = parse(503, nil, '{"error":{"code":"insufficient_quota","message":"m"}}')
    assert.are.equal("service_unavailable", err.type)
    assert.is_false(err.retryable)
    for _, word in ipairs { "rate_limit_exceeded", "rate_limited", "requests", "tokens", "quota", "x" } do
      err = parse(429, nil, '{"error":{"type":"' .. word .. '","code":"' .. word .. '"}}')
      assert.are.equal("rate_limit_error", err.type)
      assert.is_true(err.retryable)
    end
  end)

  it("[B2] x-should-retry has the last word", function()
    local err = parse(500, { ["X-Should-Retry"] = "false" }, "")
    assert.is_false(err.retryable)
    assert.are.equal("server", err.reason)
    err = parse(400, { ["x-should-retry"] = "true" }, "")
    assert.is_true(err.retryable)
    assert.is_nil(err.reason)
    assert.is_true(parse(500, { ["x-should-retry"] = "maybe" }, "").retryable)
    assert.is_false(parse(400, { ["x-should-retry"] = "1" }, "").retryable)
  end)

  it("408, 504, 524 and a 502 without a JSON error are ambiguous", function()
    local JSON_ERROR = '{"error":{"message":"m"}}'
    for status = 400, 600 do
      local always = status == 408 or status == 504 or status == 524
      assert.are.equal(always or status == 502, parse(status, nil, "<html><title>t</title>").ambiguous, status)
      assert.are.equal(always or status == 502, parse(status, nil, "").ambiguous, status)
      assert.are.equal(always, parse(status, nil, JSON_ERROR).ambiguous, status)
    end
  end)
end)

describe("an envelope", function()
  local LONG = ("x"):rep(1023)
  local rows = { -- body, message, other fields
    -- as documented, and as it comes
    { '{"error":{"code":"invalid_api_key","message":"m","type":"authentication_error"}}', "m",
      { code = "invalid_api_key", server_type = "authentication_error" } },
    { '{"error":{"code":"rate_limit_exceeded","message":"m"}}', "m", { code = "rate_limit_exceeded" } },
    { '{"error":{"message":"unknown provider type: x [ofox.ai]","type":"invalid_request_error","code":400}}',
      "unknown provider type: x [ofox.ai]", { code = "400", server_type = "invalid_request_error" } },
    { '{"error":{"message":"m","code":null,"param":"quality"}}', "m", { param = "quality" } },
    { '{"error":{"message":"Unsupported Gemini API endpoint."}}', "Unsupported Gemini API endpoint." },
    { '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_9"}',
      "Overloaded", { server_type = "overloaded_error", request_id = "req_9" } },
    { '[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]', "m",
      { code = "429", server_type = "RESOURCE_EXHAUSTED" } },
    { '{"error":{"code":400,"message":"m","status":"FAILED_PRECONDITION"}}', "m",
      { code = "400", server_type = "FAILED_PRECONDITION" } },
    { '{"error":{"message":"m","type":"t","status":"UNAVAILABLE"}}', "m", { server_type = "t" } },
    -- any other status is no type
    { '{"error":{"message":"m","status":"failed"}}', "m" },
    { '{"error":{"message":"m","status":"503"}}', "m" },
    { '{"error":{"message":"m","status":""}}', "m" },
    { '{"error":{"message":"m","status":503}}', "m" },
    { '{"message":"m","status":"FAILED"}', "m" },
    -- strings and flat objects
    { '{"error":"x"}', "x" },
    { '{"error":"x","code":"c","param":"p","type":"t"}', "x", { code = "c", param = "p", server_type = "t" } },
    { '{"message":"m"}', "m" },
    { '{"message":"m","code":"InvalidApiKey","request_id":"r"}', "m", { code = "InvalidApiKey", request_id = "r" } },
    { '{"object":"error","message":"m","type":"BadRequestError","param":null,"code":400}', "m",
      { code = "400", server_type = "BadRequestError" } },
    { '{"error":"","message":"m"}', "m" },
    { '{"error":null,"message":"m"}', "m" },
    { '{"error":{"message":" "},"message":"m"}', "m" },
    { '{"error":true,"message":"m"}', "m" },
    { '{"error":["a","b"]}', "a" },
    -- detail, title, lists
    { '{"detail":"d"}', "d" },
    { '{"detail":[{"loc":["body","model"],"msg":"field required","type":"value_error.missing"}]}', "field required" },
    { '{"detail":[],"title":"t"}', "t" },
    { '{"type":"about:blank","title":"Bad Gateway","status":502}', "Bad Gateway", { server_type = "about:blank" } },
    { '{"title":"t","detail":"d"}', "d" },
    { '[{"message":"m"},{"message":"n"}]', "m" },
    { '["m"]', "m" },
    { '{"errors":[{"message":"m"}]}', "m" },
    { '{"errors":["m"]}', "m" },
    { '"text"', "text" },
    { '{"error":{"message":{"text":"x"}},"message":"m"}', "m" },
    { '{"error":{"error":{"message":"deep"}}}', "deep" },
    -- JSON that says nothing to people
    { '{"error":{"message":{"text":"x"}}}', '{"error":{"message":{"text":"x"}}}' },
    { '{"error":{"code":"c"}}', '{"error":{"code":"c"}}', { code = "c" } },
    { "[]", "HTTP 599 (no message)" },
    { "{}", "HTTP 599 (no message)" },
    { "null", "HTTP 599 (no message)" },
    { "12", "HTTP 599 (no message)" },
    { "true", "HTTP 599 (no message)" },
    -- nothing
    { "", "HTTP 599 (no body)" },
    { " \r\n\t ", "HTTP 599 (no body)" },
    { "\239\187\191", "HTTP 599 (no body)" },
    -- HTML
    { "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>x</h1>", "502 Bad Gateway" },
    { "<!DOCTYPE HTML>\n<TITLE class='a'>\n  Bad \n gateway &amp; &#39;more&#x27; &lt;b&gt; &bogus; &</TITLE>",
      "Bad gateway & 'more' <b> &bogus; &" },
    { "<!doctype html><title></title><h1 id=a><b>Web server</b><br/>is\n<!-- - -->down</h1>", "Web server is down" },
    { "\239\187\191 <HTML><h1>Cut in the mid", "Cut in the mid" },
    { "<html><title>网关错误</title>", "网关错误" },
    { '<?xml version="1.0"?>\n<!-- a --><!DOCTYPE html PUBLIC "x"><title>t</title>', "t" },
    { "<html><body>nothing <i>but</i> text</body></html>", "nothing but text" },
    { "<html><head><style>h1 { }</style></head><body><!-- a --></body></html>", "HTTP 599 (an HTML page)" },
    { "<html", "HTTP 599 (an HTML page)" },
    -- plain text
    { "upstream connect error", "upstream connect error" },
    { " spaces \n", "spaces" },
    { "[ERROR] it failed", "[ERROR] it failed" },
    { "{oops", "{oops" },
    { "500 Internal Server Error", "500 Internal Server Error" },
    { "null pointer", "null pointer" },
    { '"quoted" text', '"quoted" text' },
    { "{} and words", "{} and words" },
    { "<html5>no page", "<html5>no page" },
    { "\31\139\8\0\0\0\0\0", "HTTP 599 (a binary body)" },
    -- escapes, other encodings, cut texts
    { '{"error":{"message":"\\u4f60\\u597d \\ud83d\\ude00 \\"q\\""}}', '你好 😀 "q"' },
    { '{"error":{"message":"\\ud800!"}}', "\239\191\189!" },
    { '\239\187\191{"error":{"message":"m"}}', "m" },
    { '{"error":{"message":"caf\233"}}', "caf\239\191\189" },
    { "caf\233", "caf\239\191\189" },
    { '{"error":{"code":"c","message":"cut in the mid', "cut in the mid", { code = "c" } },
    { '{"error":{"message":"m","code":"c', "m", { code = "c" } },
    { '{"message":"' .. LONG .. 'é"}', LONG },
    { '{"message":"' .. LONG .. 'ab"}', LONG .. "a" },
    { LONG .. "é", LONG },
    { '{"message":"' .. ("\\u0041"):rep(5000) .. '"}', ("A"):rep(1024) },
    -- code and param of any type
    { '{"error":{"message":"m","code":4e2,"param":7}}', "m", { code = "400", param = "7" } },
    { '{"error":{"message":"m","code":-3.0,"param":1.50}}', "m", { code = "-3", param = "1.50" } },
    { '{"error":{"message":"m","code":1e300}}', "m", { code = "1e300" } },
    { '{"error":{"message":"m","code":true,"param":{"a":1},"type":["t"]}}', "m" },
    { '{"error":{"message":"m","code":false,"param":[],"type":12}}', "m" },
    { '{"error":{"message":"m","code":"","param":" ","type":""}}', "m" },
    { '{"error":{"message":"m","code":"' .. ("c"):rep(300) .. '"}}', "m", { code = ("c"):rep(256) } },
    { '{"error":{"message":"m","request_id":"inner"},"request_id":"outer"}', "m", { request_id = "inner" } },
  }

  for _, row in ipairs(rows) do
    it("[C9] [C10] " .. shown(row[1]), function()
      local err = parse(599, nil, row[1])
      assert.are.equal("internal_error", err.type)
      assert.are.equal(row[2], err.message)
      local fields = row[3] or {}
      for _, name in ipairs { "code", "param", "server_type", "request_id" } do
        assert.are.equal(fields[name], err[name], name)
      end
      encode_both(err)
    end)
  end

  it("[C9] names its class where the server's type is our own", function()
    local err = parse(500, nil, '{"error":{"type":"internal_error","message":"m"}}')
    assert.is_nil(err.server_type)
  end)

  it("[C10] a megabyte of message, bad UTF-8 and NUL stay bounded and encodable", function()
    for _, text in ipairs {
      ("长"):rep(350000), ("\255"):rep(1000000), ("\0"):rep(1000), ("{"):rep(200000), ("["):rep(200000),
      ('{"error":'):rep(50000), ('{"detail":['):rep(50000), ("<"):rep(100000), ("&"):rep(100000),
    } do
      for _, body in ipairs { text, '{"error":{"message":"' .. text .. '"}}', "<html><title>" .. text } do
        local err = parse(502, nil, body)
        assert.is_true(#err.message > 0 and #err.message <= 1024)
        assert.is_true(#err.body <= 64 * 1024)
        encode_both(err)
      end
    end
    local err = parse(500, nil, '{"error":{"message":"a\\u0000b"}}')
    assert.are.equal("a\0b", err.message)
    assert.are.equal("ofox: internal_error 500: a\\x00b", tostring(err))
  end)
end)

describe("an answer below 400", function()
  local function check(body, type, code, status)
    local err = parse(status or 200, nil, body)
    assert.is_truthy(err, "no error")
    assert.are.equal(type, err.type)
    assert.are.equal(code, err.code)
    assert.are.equal(status or 200, err.status)
    return err
  end

  it("is nil where nothing failed", function()
    for _, body in ipairs { "{}", "[]", "1", "null", '"text"', '{"error":null}', '{"error":""}', '{"error":false}',
      '{"id":"job_1","status":"failed","error":"said so"}', '{"choices":[{"finish_reason":"stop"}]}',
      '{"choices":{"finish_reason":"error"}}', '{"choices":null}', '{"type":"response","error":null}' } do
      assert.is_nil(parse(200, nil, body), body)
    end
    assert.is_nil(parse(204, nil, ""))
    assert.is_nil(parse(205))
  end)

  it("[C7] with an empty, HTML or broken body is a ResponseError with its status", function()
    for _, row in ipairs {
      { "", "empty", true }, { " \n", "empty", true }, { "\239\187\191", "empty", true },
      { "<html><title>OfoxAI</title>", "html", false }, { "<!DOCTYPE html><html>", "html", false },
      { '{"a":', "invalid_json", true }, { "oops", "invalid_json", true }, { "{}{}", "invalid_json", true },
    } do
      local err = check(row[1], "response_error", row[2])
      assert.is_false(err.retryable)
      assert.are.equal(row[3], err.ambiguous, row[1])
      assert.is_truthy(err.message:find("%S"))
      assert.are.equal(row[1] ~= "" and row[1] or nil, err.body)
    end
    assert.are.equal("OfoxAI", check("<html><title>OfoxAI</title>", "response_error", "html").message)
    assert.is_nil(check('{"secret":"in the', "response_error", "invalid_json").message:find("secret"))
  end)

  it("[C7] keeps at most 64 KiB of the body, cut between characters", function()
    local err = parse(200, nil, "{" .. ("长"):rep(60000))
    assert.are.equal(64 * 1024 - (64 * 1024 - 1) % 3, #err.body)
    err = parse(200, nil, ("\255"):rep(100000))
    assert.are.equal(64 * 1024 - 64 * 1024 % 3, #err.body)
    encode_both(err)
  end)

  it("[C11] a redirect is a ResponseError", function()
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      local err = check("<html><title>302 Found</title>", "response_error", "redirect", status)
      assert.are.equal("the server redirects", err.message)
      assert.is_false(err.retryable)
      assert.is_false(err.ambiguous)
    end
  end)

  local by_code = {
    { "400", "invalid_request_error" }, { "401", "authentication_error" }, { "402", "billing_error" },
    { "404", "not_found_error" }, { "408", "timeout_error" }, { "429", "rate_limit_error" },
    { "500", "internal_error" }, { "502", "upstream_error" }, { "529", "service_unavailable" },
    { '"429"', "rate_limit_error", "429" }, { '"503"', "service_unavailable", "503" },
    { "429.0", "rate_limit_error", "429" }, { "399", "internal_error" }, { "600", "internal_error" },
    { "200", "internal_error" }, { "-429", "internal_error" }, { "429.5", "internal_error", "429.5" },
    { '"4e2"', "internal_error", "4e2" }, { '"0x1ad"', "internal_error", "0x1ad" },
  }
  for _, row in ipairs(by_code) do
    it("[C8] with the code " .. row[1] .. " is a " .. row[2], function()
      local code = row[3] or row[1]
      check('{"error":{"code":' .. row[1] .. ',"message":"m"}}', row[2], code)
      check('{"error":{"code":' .. row[1] .. ',"message":"m","type":"stream_error"}}',
        tonumber(code) and tonumber(code) >= 400 and tonumber(code) < 600 and tonumber(code) % 1 == 0
          and not code:find("[ex]") and row[2] or "stream_error", code)
    end)
  end

  local by_word = {
    server_error = "internal_error", api_error = "internal_error", InternalServerError = "internal_error",
    internal_server_error = "internal_error", overloaded = "service_unavailable",
    overloaded_error = "service_unavailable", insufficient_quota = "billing_error", requests = "rate_limit_error",
    tokens = "rate_limit_error", timeout = "timeout_error", model_not_found = "not_found_error",
    invalid_api_key = "authentication_error", rate_limit_exceeded = "rate_limit_error",
    rate_limited = "rate_limit_error", RateLimitError = "rate_limit_error", BadRequestError = "invalid_request_error",
    RESOURCE_EXHAUSTED = "rate_limit_error", UNAVAILABLE = "service_unavailable", DEADLINE_EXCEEDED = "timeout_error",
    ["Rate Limit Exceeded"] = "rate_limit_error", ["invalid-request-error"] = "invalid_request_error",
    route_error = "upstream_error", upstream_auth_failed = "authentication_error", unheard_of = "internal_error",
    rate_limit_exceededx = "internal_error", rate = "internal_error", _ = "internal_error",
  }
  for _, row in ipairs(CLASSES) do by_word[row[2]] = row[2] end
  for word, type in pairs(by_word) do
    it("[C8] with the word " .. word .. " is a " .. type, function()
      check('{"error":{"type":"' .. word .. '","message":"m"}}', type)
      check('{"error":{"type":"whatever","code":"' .. word .. '","message":"m"}}', type, word)
      check('{"error":{"code":"' .. word .. '","message":"m"},"id":"x","choices":[]}', type, word)
      check('{"object":"error","code":"' .. word .. '","message":"m"}', type, word)
      check('{"type":"error","code":"' .. word .. '","message":"m"}', type, word)
      check('[{"error":{"code":"' .. word .. '"}}]', type, word)
    end)
  end

  it("[C8] goes by type before code, and a spent quota is no rate limit", function()
    check('{"error":{"type":"api_error","code":"rate_limit_exceeded"}}', "internal_error", "rate_limit_exceeded")
    local err = check('{"error":{"type":"rate_limit_error","code":"insufficient_quota"}}', "billing_error",
      "insufficient_quota")
    assert.is_false(err.retryable)
    assert.is_false(check('{"error":{"code":501}}', "internal_error", "501").retryable)
    assert.is_true(check('{"error":{"code":504}}', "timeout_error", "504").ambiguous)
    assert.is_false(check('{"error":{"code":502}}', "upstream_error", "502").ambiguous)
  end)

  it("[C8] has a message in any case", function()
    assert.are.equal("m", check('{"error":"m"}', "internal_error").message)
    assert.are.equal("HTTP 200 (an error without a message)",
      check('{"error":{"code":700}}', "internal_error", "700").message)
    assert.are.equal("HTTP 200 (an error without a message)", check('{"type":"error"}', "internal_error").message)
    assert.is_nil(check('{"type":"error"}', "internal_error").server_type)
  end)

  it("[C8] with a finish_reason error is an UpstreamError, or what that choice names", function()
    local err = check('{"id":"x","choices":[{"finish_reason":"stop"},'
      .. '{"message":{"content":"secret"},"finish_reason":"error"}]}', "upstream_error")
    assert.is_true(err.retryable)
    assert.is_nil(err.message:find("secret"))
    err = check('{"choices":[{"finish_reason":"error","error":{"code":429,"message":"slow"}}]}',
      "rate_limit_error", "429")
    assert.are.equal("slow", err.message)
    err = check('{"error":{"message":"outer"},"choices":[{"finish_reason":"error"}]}', "upstream_error")
    assert.are.equal("outer", err.message)
  end)
end)

describe("any body", function()
  local SEEDS = {
    '{"error":{"code":"rate_limit_exceeded","message":"Please try again in 1m3.5s \\u4f60","type":"requests"}}',
    '[{"error":{"code":429,"message":"x","details":[{"retryDelay":"52s"}]}}]',
    '{"detail":[{"loc":["body"],"msg":"field required"}],"request_id":"r"}',
    '<?xml version="1.0"?><!DOCTYPE html><html><head><title>a &#38; b</title></head><h1>c</h1></html>',
    '\239\187\191{"type":"error","error":{"type":"overloaded_error","message":"长\\ud83d"},"retry_after":3}',
    '{"choices":[{"finish_reason":"error","error":{"message":"m","code":null}}]}',
    "upstream connect error; retry after 20 seconds",
    '{"base_resp":{"status_code":1008,"status_msg":"spent"},"choices":null,"success":false}',
    '{"error":{"message":"{\\"error\\":{\\"message\\":\\"m\\"}}","metadata":{"headers":{"Retry-After":"3","X":[1]}}}}',
    '"{\\"code\\":503,\\"detail\\":[{\\"msg\\":\\"a\\"}]}"',
    "<!-- a --><center>b<script>c</script><h1 d>e &amp; f</h1>",
  }
  local STATUSES = { 200, 302, 400, 407, 429, 502, 504, 999 }
  local BITS = { '"', "{", "}", "[", "]", "\\", ",", ":", "<", ">", "&", "\0", "\255", "\226\128", "error", "null",
    "1e999" }

  -- the same draws on every Lua
  local state = 42
  local function draw(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end

  local function mutate(text)
    for _ = 1, draw(4) do
      local at, kind = draw(#text + 1), draw(4)
      if kind == 1 then
        text = text:sub(1, at - 1) .. BITS[draw(#BITS)] .. text:sub(at)
      elseif kind == 2 then
        text = text:sub(1, at - 1) .. text:sub(at + draw(5))
      elseif kind == 3 then
        text = text:sub(1, at - 1) .. string.char(draw(256) - 1) .. text:sub(at + 1)
      else
        text = text:sub(1, at - 1)
      end
    end
    return text
  end

  local function check(status, body)
    local err = core.parse_error(status, nil, body)
    if not err then return end
    local where = status .. " " .. shown(body)
    assert(type(err.message) == "string" and err.message:find("%S") and #err.message <= 1024, where)
    assert(json.encode(err), where)
    assert(cjson.encode(err), where)
    assert(not tostring(errors.new(err)):find("[%z\1-\31\127]"), where)
    local after = err.retry_after
    assert(after == nil or (after >= 0 and after <= 1e9), where)
  end

  it("[C9] [C10] cut at each byte gives a whole error", function()
    for _, seed in ipairs(SEEDS) do
      for n = 0, #seed do
        for _, status in ipairs(STATUSES) do check(status, seed:sub(1, n)) end
      end
    end
  end)

  it("[C9] [C10] mutated or random gives a whole error", function()
    for _ = 1, 4000 do check(STATUSES[draw(#STATUSES)], mutate(SEEDS[draw(#SEEDS)])) end
    for _ = 1, 500 do
      local bytes = {}
      for i = 1, draw(80) do bytes[i] = string.char(draw(256) - 1) end
      check(STATUSES[draw(#STATUSES)], table.concat(bytes))
    end
  end)
end)
