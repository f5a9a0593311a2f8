-- Successes that are errors, errors that are none, and what error bodies say:
-- the reader of errors alone, a client with a scripted transport, and one
-- with a real server where it matters how often it is asked.
local ofox = require "ofox"
local calls = require "support.calls"
local mocks = require "ofox.mock"
local server = require "support.server"

local parse = ofox.parse_error

local function client_of(replies, opts)
  local mock = mocks.new()
  for _, reply in ipairs(replies) do mock:reply(reply) end
  return ofox.new(calls.with({ api_key = "k", base_url = "http://h/v1", errors = "return", max_retries = 0,
    transport = mock }, opts)), mock
end

local METHODS = {
  chat = function(client) return client:chat(calls.PARAMS) end,
  responses = function(client) return client:responses { model = "m", input = "hi" } end,
  embeddings = function(client) return client:embeddings { model = "m", input = "hi" } end,
  images = function(client) return client:images { model = "m", prompt = "hi" } end,
  models = function(client) return client:models() end,
  model = function(client) return client:model "m" end,
  request = function(client) return client:request { path = "/x" } end,
}
local RESOURCES = { "chat", "responses", "embeddings", "images", "models", "model" }

local GOOD = {
  chat = '"choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]',
  responses = '"output":[{"type":"message","content":[{"type":"output_text","text":"hello"}]}]',
  embeddings = '"data":[{"embedding":[1,2]}]',
  images = '"data":[{"url":"http://x"}]',
  models = '"data":[{"id":"m"}]',
  model = '"id":"m"',
  request = '"a":1',
}

-- What becomes of one answer: the value or nil, the error, and the requests.
local function answer(method, body, reply)
  local client, mock = client_of { calls.with({ status = 200, body = body }, reply) }
  local value, err = METHODS[method](client)
  return value, err, #mock.requests
end

local function fails(method, body, reply)
  local value, err = answer(method, body, reply)
  assert.is_nil(value, method .. " took it for a success: " .. body)
  return err
end

local function shown(text) return #text > 90 and text:sub(1, 90) .. "…" or text end

describe("an answer with what was due", function()
  local FAULT = '{"message":"it broke","code":"server_error"}'

  it("is an error where one stands beside it, however that is spelt", function()
    for _, name in ipairs { "error", "Error", "err", " error ", "_error", "error_", "\\u0065rror", "e\\u0072ror" } do
      for _, method in ipairs(RESOURCES) do
        local err = fails(method, ('{%s,"%s":%s}'):format(GOOD[method], name, FAULT))
        assert.equal("it broke", err.message, name)
        assert.equal("it broke", fails(method, ('{"%s":%s,%s}'):format(name, FAULT, GOOD[method])).message, name)
      end
    end
    for _, choice in ipairs { '"error":%s', '"message":{"error":%s}', '"delta":{"err\\u006fr":%s}' } do
      choice = choice:format(FAULT)
      assert.equal("it broke", fails("chat", ('{"choices":[{"index":0},{%s}]}'):format(choice)).message)
    end
    assert.equal("internal_error", fails("chat", ('{"object":"Error",%s}'):format(GOOD.chat)).type)
  end)

  it("is none where something else is called so", function()
    for _, more in ipairs { '"x":{"error":{"message":"m"}}', '"error":null', '"error":{}', '"model":"error"',
      '"x":["error","\\u0065rror"]', '"errors_seen":1', '"\\u0065":"error"' } do
      for _, method in ipairs(RESOURCES) do
        assert.is_table((answer(method, ('{%s,%s}'):format(more, GOOD[method]))), method .. more)
      end
    end
  end)
end)

describe("an answer without what was due", function()
  local rows = { -- body, type, code, message
    { '{"code":500,"msg":"it broke","success":false}', "internal_error", "500", "it broke" },
    { '{"code":"500","msg":"it broke","success":false,"data":null}', "internal_error", "500", "it broke" },
    { '{"code":429,"message":"slow down"}', "rate_limit_error", "429", "slow down" },
    { '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}', "billing_error", "1008",
      "insufficient balance" },
    { '{"id":"x","choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}', "rate_limit_error",
      "1002", "rate limit", "model" },
    { '{"base_resp":{"status_code":1004,"status_msg":"login fail"}}', "authentication_error", "1004", "login fail" },
    { '{"base_resp":{"status_code":2013,"status_msg":"invalid params"}}', "invalid_request_error", "2013",
      "invalid params" },
    { '{"base_resp":{"status_code":9999,"status_msg":"odd"}}', "internal_error", "9999", "odd" },
    { '{"detail":"Not Found"}', "internal_error", nil, "Not Found" },
    { '{"detail":[{"loc":["body","model"],"msg":"field required"}]}', "internal_error", nil, "field required" },
    { '{"errors":[{"message":"no such zone","code":"server_error"}]}', "internal_error", "server_error",
      "no such zone" },
    { '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}', "internal_error",
      "10000", "Authentication error" },
    { '{"message":"bad key","code":"InvalidApiKey","request_id":"r"}', "authentication_error", "InvalidApiKey",
      "bad key" },
    { '{"status":"error","message":"it broke"}', "internal_error", nil, "it broke" },
    { '{"status":503,"title":"Busy","type":"about:blank"}', "service_unavailable", nil, "Busy" },
    { '{"status":"fail","data":{"x":1}}', "internal_error", nil, nil, "embeddings images models" },
    { '{"error_code":110,"error_msg":"Access token invalid"}', "authentication_error", "110", "Access token invalid" },
    { '{"error_code":18,"error_msg":"Open api qps request limit reached"}', "rate_limit_error", "18",
      "Open api qps request limit reached" },
    { '{"success":false}', "internal_error" },
    { '{"ok":false,"description":"no"}', "internal_error", nil, "no" },
    { '{"timestamp":"2025-01-01T00:00:00Z","status":502,"error":"Bad Gateway","path":"/v1"}', "upstream_error", nil,
      "Bad Gateway" },
    { '{"statusCode":401,"message":"Access denied"}', "authentication_error", nil, "Access denied" },
    { '{"message":"Forbidden"}', "internal_error", nil, "Forbidden" },
    { '{"Code":"Throttling","Message":"slow"}', "rate_limit_error", "Throttling", "slow" },
    { '{"id":"r1","object":"x","error":"upstream died"}', "internal_error", nil, "upstream died", "model" },
    { '{"error":true,"message":"it broke"}', "internal_error", nil, "it broke" },
    { '{"error":["one","two"]}', "internal_error", nil, "one" },
    { '{"result":{"error":{"message":"deep","code":429}}}', "rate_limit_error", "429", "deep" },
    { '{"response":{"success":false,"msg":"deep"},"x":1}', "internal_error", nil, "deep" },
    { '{"fault":{"faultstring":"quota violated"}}', "internal_error", nil, "quota violated" },
    { '{"code":1001,"msg":"parameter wrong","data":{}}', "internal_error", "1001", "parameter wrong" },
    { '\239\187\191 {"success":"false","msg":"no"}', "internal_error", nil, "no" },
    { '{"\\u0063ode":500,"m\\u0073g":"no"}', "internal_error", "500", "no" },
  }
  for _, row in ipairs(rows) do
    it("[X4] " .. shown(row[1]) .. " is the error that it names", function()
      for _, method in ipairs(RESOURCES) do
        if not (row[5] or ""):find(method, 1, true) then
          local err = fails(method, row[1])
          assert.same({ row[2], row[3] or "-", 200 }, { err.type, err.code or "-", err.status }, method)
          if row[4] then assert.equal(row[4], err.message) end
          assert.is_truthy(err.message:find("%S"))
        end
      end
    end)
  end

  it("[X4] is a success where nothing says that it is an error", function()
    for _, body in ipairs { "{}", '{"id":"x","object":"chat.completion"}', '{"choices":[]}',
      '{"object":"list","data":[]}',
      '{"code":0,"msg":"ok"}', '{"code":200,"message":"done","success":true}', '{"code":"0","msg":"success"}',
      '{"base_resp":{"status_code":0,"status_msg":"success"}}', '{"success":true,"message":"queued"}',
      '{"task_id":"t","message":"submitted"}', '{"id":"t","message":"queued"}', '{"status":"queued"}',
      '{"status":"ok","message":"hello"}', '{"errors":[],"messages":[],"success":true}', '{"detail":null}',
      '{"output":[],"status":"incomplete","error":null}', '{"message":{"role":"assistant","content":"x"},"done":true}',
      '{"error":null,"code":null,"message":""}', '{"code":1,"message":"success"}' } do
      for _, method in ipairs(RESOURCES) do
        local value, err = answer(method, body)
        assert.is_truthy(value, method .. ": " .. body .. " is " .. tostring(err))
      end
    end
  end)

  it("[X4] what was due makes it a success, whatever stands beside it", function()
    for _, beside in ipairs { '"code":0,"msg":"ok"', '"code":200,"success":true', '"code":500,"msg":"x"',
      '"base_resp":{"status_code":0,"status_msg":""}', '"detail":"x"', '"message":"x"', '"status":"error"',
      '"base_resp":{"status_code":1027,"status_msg":"sensitive"}' } do
      for _, method in ipairs(RESOURCES) do
        for _, body in ipairs { "{" .. beside .. "," .. GOOD[method] .. "}",
          "{" .. GOOD[method] .. "," .. beside .. "}" } do
          local value, err = answer(method, body)
          assert.is_truthy(value, method .. ": " .. body .. " is " .. tostring(err))
        end
      end
    end
  end)

  it("[X4] a list that starts with an error is that error, for every method", function()
    for method in pairs(METHODS) do
      local err = fails(method, '[{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}]')
      assert.same({ "rate_limit_error", "slow" }, { err.type, err.message }, method)
    end
  end)

  for _, row in ipairs {
    { '{"success":false,"msg":"no"}', "internal_error" }, { '{"id":1,"success":false,"msg":"no"}', "internal_error" },
    { '{"base_resp":{"status_code":1008,"status_msg":"spent"}}', "billing_error" },
    { '{"code":404,"message":"no such path"}', "not_found_error" }, { '{"detail":"Not Found"}', "internal_error" },
    { '{"errors":[{"message":"m"}],"data":null}', "internal_error" },
    { '{"error":true,"message":"m"}', "internal_error" }, { '{"error":"m"}', "internal_error" },
    { '{"status":"error","message":"m"}', "internal_error" },
    { '{"error":{"message":"m"},"id":"x"}', "internal_error" },
    { '{"success":false}' }, { '{"success":false,"tries":3}' }, { '{"id":"1","status":"failed","error":"said so"}' },
    { '{"code":404,"message":"m","rows":[1]}' }, { '{"message":"pong"}' }, { '{"code":1001,"message":"m"}' },
    { '{"status":"failed","job":"x","message":"m"}' }, { '{"errors":[{"message":"m"}],"data":{"x":1}}' },
    { '{"detail":"m","name":"x"}' }, { '{"title":"a book","detail":"m","pages":3}' }, { '{"code":500}' },
    { '[{"message":"m"}]' }, { '[{"error":"m","id":"x"}]' },
  } do
    local verdict = row[2] and " can be nothing else" or " may be what was asked for"
    it("[X4] of client:request " .. shown(row[1]) .. verdict,
      function()
        local value, err = answer("request", row[1])
        assert.equal(row[2], err and err.type)
        assert.equal(row[2] == nil, value ~= nil)
        local read = parse(200, nil, row[1])
        assert.equal(row[2], read and read.type)
      end)
  end
end)

describe("an error that says nothing", function()
  local HOLLOW = { "{}", "null", '""', "[]", "false", "0", '" "', '{"message":"","code":"","type":null}', '{"code":0}',
    '{"message":"","details":[],"metadata":{}}', '[{}]', '{"error":{"message":null}}',
    '{"message":" \\n","param":false}',
    '"null"', '{"code":0,"message":"success"}' }

  for _, hollow in ipairs(HOLLOW) do
    it("[X5] " .. hollow .. " leaves a good answer a success", function()
      for method in pairs(METHODS) do
        for _, body in ipairs { '{"error":' .. hollow .. "," .. GOOD[method] .. "}",
          "{" .. GOOD[method] .. ',"error":' .. hollow .. "}" } do
          local value, err, asked = answer(method, body)
          assert.is_truthy(value, method .. ": " .. body .. " is " .. tostring(err))
          assert.equal(1, asked)
        end
      end
      assert.is_nil(parse(200, nil, '{"error":' .. hollow .. ',"choices":[]}'))
      local choice = '{"choices":[{"message":{"content":"hi"},"error":' .. hollow .. ',"finish_reason":"stop"}]}'
      assert.is_nil(parse(200, nil, choice))
    end)
  end

  it("[X5] what says anything is an error beside a good answer", function()
    for _, said in ipairs { '{"message":"m"}', '{"code":429}', '"m"', '["m"]', "true", '{"message":"","code":"x"}',
      '{"a":{"b":{"c":"x"}}}' } do
      for _, method in ipairs(RESOURCES) do
        local err = fails(method, '{"error":' .. said .. "," .. GOOD[method] .. "}")
        assert.is_true(err.retryable, said)
      end
    end
  end)
end)

describe("an error in a choice", function()
  local function choices(...) return '{"id":"x","choices":[' .. table.concat({ ... }, ",") .. "]}" end
  local FINE = '{"index":0,"message":{"content":"a secret"},"finish_reason":"stop"}'

  for _, finish in ipairs { "null", '"stop"', '""', '"length"' } do
    it("[X3] with finish_reason " .. finish .. " is one", function()
      local bad = '{"index":1,"message":{"content":"a secret"},"finish_reason":' .. finish .. ',"error":%s}'
      for _, row in ipairs {
        { '{"code":429,"message":"slow"}', "rate_limit_error", "slow", "429" },
        { '{"message":"slow","type":"overloaded_error"}', "service_unavailable", "slow" },
        { '{"message":"odd"}', "internal_error", "odd" }, { '"just text"', "internal_error", "just text" },
        { '["a"]', "internal_error", "a" },
      } do
        for _, body in ipairs { choices(bad:format(row[1])), choices(FINE, bad:format(row[1])),
          choices(FINE, FINE, bad:format(row[1]), FINE) } do
          local err = fails("chat", body)
          assert.same({ row[2], row[3], row[4] or "-" }, { err.type, err.message, err.code or "-" })
          assert.equal(row[2], fails("request", body).type)
        end
      end
    end)
  end

  it("[X3] also inside its message, and never with the model's words for a message", function()
    local err = fails("chat", choices '{"message":{"content":"a secret","error":{"message":"m"}}}')
    assert.equal("m", err.message)
    err = fails("chat", choices(FINE, '{"finish_reason":"error","message":{"content":"a secret"}}'))
    assert.same({ "upstream_error", "HTTP 200 (an error without a message)" }, { err.type, err.message })
    err = fails("chat", choices '{"finish_reason":"error","error":{"code":400},"message":{"content":"a secret"}}')
    assert.same({ "invalid_request_error", "400" }, { err.type, err.code })
    assert.is_nil(err.message:find("secret"))
  end)
end)

describe("JSON of another kind", function()
  it("[X6] a bare list of models is a list of models", function()
    for _, body in ipairs { '[{"id":"a"},{"id":"b"}]', ' \r\n[{"id":"a"},{"id":"b"}]\n',
      '\239\187\191[{"id":"a"},{"id":"b"}]' } do
      local res = assert(answer("models", body))
      assert.same({ "list", "a", "b", 2 }, { res.object, res.data[1].id, res.data[2].id, #res.data })
      assert.equal(200, res:meta().status)
    end
    local res = assert(answer("models", "[]"))
    assert.same({ "list", 0, "[]" }, { res.object, #res.data, ofox.json and ofox.json.encode(res.data) or "[]" })
    res = assert(answer("models", '{"object":"list","data":[{"id":"[a]"}]}'))
    assert.equal("[a]", res.data[1].id)
  end)

  for _, row in ipairs { { "[]", "a list" }, { '[{"id":"a"}]', "a list" }, { '"hello"', "a string" },
    { "17", "a number" }, { "null", "null" }, { "true", "a boolean" } } do
    it("[X6] " .. row[1] .. ": the message is true", function()
      for _, method in ipairs(RESOURCES) do
        if not (method == "models" and row[2] == "a list") then
          local err = fails(method, row[1])
          assert.same({ "response_error", "the answer is " .. row[2] .. ", expected an object", false, true },
            { err.type, err.message, err.retryable, err.ambiguous }, method)
          assert.is_nil(err:hint():find("not valid JSON"))
        end
      end
    end)
  end
end)

describe("a page", function()
  local HTML = { ["content-type"] = "text/html; charset=utf-8" }
  for _, row in ipairs {
    { "<h1>Forbidden</h1>", "Forbidden" }, { "<center>Bad <b>luck</b></center>", "Bad luck" },
    { "\239\187\191 \r\n<h1>Not\n here</h1><p>more", "Not here" }, { "<h2>Blocked</h2> <p>x", "Blocked" },
    { "<!-- <title>no</title> --><p>Sign in</p>", "Sign in" }, { "<odd>Text</odd>", "Text", true },
    { "<script>var a = '<h1>no</h1>'</script><h1>Yes</h1>", "Yes" }, { "<title> </title><h1>Yes</h1>", "Yes" },
    { "<div class=x>a &lt; b</div>", "a < b" }, { "<HTML><BODY><H1>Loud</H1>", "Loud" },
    { "<h1>Cut in the mid", "Cut in the mid" }, { "<!---->", nil, true }, { "<", "<", true }, { "<br/>", nil },
    { "<title>网关</title>", "网关" },
  } do
    it("[X7] " .. shown(row[1]), function()
      local err = fails("chat", row[1], { headers = HTML })
      assert.same({ "response_error", "html", row[2] or "the answer is an HTML page" },
        { err.type, err.code, err.message })
      assert.is_false(err.retryable)
      err = parse(200, HTML, row[1])
      assert.equal("html", err.code)
      err = parse(403, HTML, row[1])
      assert.same({ "permission_error", row[2] or "HTTP 403 (an HTML page)" }, { err.type, err.message })
      if not row[3] then
        assert.equal("html", parse(200, nil, row[1]).code)
        assert.equal(row[2] or "HTTP 403 (an HTML page)", parse(403, nil, row[1]).message)
      end
    end)
  end

  it("[X7] JSON and plain text under text/html are none", function()
    assert.is_truthy(answer("chat", "{" .. GOOD.chat .. "}", { headers = HTML }))
    assert.equal("invalid_json", fails("chat", "Forbidden", { headers = HTML }).code)
    assert.equal("Forbidden", parse(403, HTML, "Forbidden").message)
    assert.equal("m", parse(403, HTML, '{"message":"m"}').message)
    assert.equal("<html5>no page", parse(403, nil, "<html5>no page").message)
  end)

  it("[X7] XML that is none says its message", function()
    local xml = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
    assert.equal("Access Denied", parse(403, { ["content-type"] = "application/xml" }, xml).message)
    assert.equal("<a><b>x</b></a>", parse(403, nil, "<a><b>x</b></a>").message)
  end)
end)

describe("the words of an error", function()
  for _, row in ipairs {
    { '{"code":400,"details":"bad"}', "bad" }, { '{"reason":"because"}', "because" }, { '{"msg":"m"}', "m" },
    { '{"error_msg":"m"}', "m" }, { '{"errorMessage":"m","errorType":"T"}', "m" }, { '{"status_msg":"m"}', "m" },
    { '{"error":"invalid_grant","error_description":"expired"}', "invalid_grant" }, { '{"statusText":"m"}', "m" },
    { '{"error":{"description":"m"}}', "m" }, { '{"error":{"type":"t","reason":"m"}}', "m" },
    { '{"message":"","details":"m"}', "m" }, { '{"errors":[{"code":1},{"message":"m"}]}', "m" },
    { '"{\\"error\\":{\\"message\\":\\"m\\",\\"code\\":\\"c\\"}}"', "m", "c" },
    { '{"error":"{\\"message\\":\\"m\\",\\"code\\":\\"c\\"}"}', "m", "c" },
    { '{"error":{"message":"{\\"error\\":{\\"message\\":\\"real\\"}}","code":"c"}}', "real", "c" },
    { '{"message":"[{\\"error\\":{\\"message\\":\\"real\\"}}]"}', "real" },
    { '{"message":"{not JSON}"}', "{not JSON}" }, { '{"message":"{\\"a\\":1}"}', '{"a":1}' },
    { '{"message":"{\\"message\\":\\"{\\\\\\"message\\\\\\":\\\\\\"deep\\\\\\"}\\"}"}', "deep" },
    { '{"title":"t","msg":"m"}', "t" }, { '{"detail":{"error":{"message":"m","code":"c"}}}', "m", "c" },
  } do
    it("[X2] " .. row[1], function()
      local err = parse(500, nil, row[1])
      assert.equal(row[2], err.message)
      if row[3] then assert.equal(row[3], err.code) end
    end)
  end

  local function stream_error(data)
    local client = client_of { { status = 200, headers = { ["content-type"] = "text/event-stream" },
      body = "event: error\ndata: " .. data .. "\n\n" } }
    local stream, err = client:stream(calls.PARAMS)
    assert.is_nil(stream)
    return err
  end
  for _, row in ipairs {
    { '{"code":400,"details":"bad model"}', "invalid_request_error", "bad model" },
    { '"the words"', "stream_error", "the words" }, { '{"code":"rate_limit_exceeded","reason":"slow"}',
      "rate_limit_error", "slow" },
    { '"{\\"error\\":{\\"message\\":\\"m\\",\\"code\\":429}}"', "rate_limit_error", "m" },
    { '{"info":"words somewhere"}', "stream_error", '{"info":"words somewhere"}' },
    { '{"status":503,"statusText":"Busy"}', "service_unavailable", "Busy" },
    { '{"type":"error"}', "stream_error", "HTTP 200 (an error without a message)" },
  } do
    it("[X2] of an error event " .. row[1], function()
      local err = stream_error(row[1])
      assert.same({ row[2], row[3] }, { err.type, err.message })
    end)
  end

  it("[X2] a code decides where the type is invalid_request_error", function()
    for code, type in pairs { rate_limit_exceeded = "rate_limit_error", model_not_found = "not_found_error",
      invalid_api_key = "authentication_error", insufficient_quota = "billing_error",
      context_length_exceeded = "invalid_request_error", odd = "invalid_request_error" } do
      local body = '{"error":{"type":"invalid_request_error","code":"' .. code .. '","message":"m"}}'
      assert.equal(type, parse(200, nil, body).type)
      assert.equal("invalid_request_error", parse(400, nil, body).type)
      assert.equal(type, stream_error(body).type)
    end
    assert.equal("internal_error", parse(200, nil, '{"error":{"type":"api_error","code":"rate_limit_exceeded"}}').type)
  end)

  it("[P6] a code that is the status is said once", function()
    assert.equal("ofox: authentication_error 401: no",
      tostring(parse(401, nil, '{"error":{"code":401,"message":"no"}}')))
    assert.equal("ofox: authentication_error 401 402: no",
      tostring(parse(401, nil, '{"error":{"code":402,"message":"no"}}')))
    assert.equal("401", parse(401, nil, '{"error":{"code":401,"message":"no"}}').code)
  end)
end)

describe("a real server", function()
  local s
  setup(function() s = server.start() end)
  teardown(function() s:stop() end)
  after_each(function() s:reset() end)
  local _, ask = calls.against(function() return s end, "sk-of-faults-0123456789")
  local OK = server.completion("hello")

  it("[X5] is not asked again for a good answer with an empty error", function()
    for _, hollow in ipairs { "{}", '{"message":"","code":"","type":null}' } do
      s:reset()
      local res = assert(ask({ { body = (OK:gsub("^{", '{"error":' .. hollow .. ",")) } }, { max_retries = 3 }))
      assert.same({ "hello", 1 }, { res:output_text(), res:meta().attempts })
      assert.equal(1, #s:log())
    end
  end)

  it("[X4] is asked again where the error in another shape may pass, and not where it may not", function()
    local res = assert(ask({ { body = '{"code":500,"msg":"it broke","success":false}' }, { body = OK } }))
    assert.same({ 2, "internal_error" }, { res:meta().attempts, res:meta().retries[1].type })
    s:reset()
    local _, err = ask({ { body = '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}' } })
    assert.same({ "billing_error", "1008", false, 1 }, { err.type, err.code, err.retryable, err.attempts })
    assert.equal(1, #s:log())
  end)

  it("[X3] is asked again after an error in a choice", function()
    local bad = OK:gsub('"finish_reason":"stop"', '%0,"error":{"code":502,"message":"provider failed"}')
    assert.are_not.equal(OK, bad)
    local res = assert(ask { { body = bad }, { body = OK } })
    assert.same({ 2, "upstream_error", "502" },
      { res:meta().attempts, res:meta().retries[1].type, res:meta().retries[1].code })
  end)

  it("[X7] whose page has no <html> is asked once", function()
    local _, err = ask({ { body = "<h1>Forbidden</h1>", headers = { "Content-Type: text/html" } } })
    assert.same({ "response_error", "html", "Forbidden", 1 }, { err.type, err.code, err.message, err.attempts })
    assert.equal(1, #s:log())
    s:reset()
    _, err = ask({ { status = 403, body = "<tt>Keep out</tt>", headers = { "Content-Type: text/html" } } })
    assert.same({ "permission_error", "Keep out" }, { err.type, err.message })
  end)

  it("[X6] gives a bare list of models", function()
    s:script { { body = '[{"id":"a/b","object":"model"}]' } }
    local client = calls.client({ api_key = "sk-of-faults-0123456789", base_url = s.url })
    assert.equal("a/b", assert(client:models()).data[1].id)
  end)

  it("[A15] is left alone as long as a server further up asks", function()
    local limited = '{"error":{"message":"m","code":429,"metadata":{"headers":{"retry-after-ms":"30"}}}}'
    local waits = {}
    local res = assert(ask({ { status = 429, body = limited }, { body = OK } },
      { on_retry = function(_, delay, _, source) waits[#waits + 1] = { delay >= 0.03, source } end }))
    assert.same({ 2, { { true, "body" } } }, { res:meta().attempts, waits })
  end)
end)

describe("[R6] an answer that is not JSON", function()
  for _, row in ipairs {
    { '{"choices":[],"n":1.}', "unexpected byte at 21, a number without digits behind its point" },
    { '{"n":-.5}', "unexpected byte at 7, a number without digits before its point" },
    { ' \n{"n":.5}', "unexpected byte at 8, a number without digits before its point" },
    { '{"choices":[]}\0{"more":1}', "unexpected byte at 15, a NUL" },
    { '{"a":"b\0c"}', "unexpected byte at 8, a NUL" },
    { '{"n":01}', "unexpected byte at 7, a number with a leading zero" },
    { '{"n":+1}', "unexpected byte at 6, a number with a plus sign" },
    { "{'n':1}", "unexpected byte at 2, a single quote" },
    { '{"n":[1,]}', "unexpected byte at 9, a comma too many" },
    { '{"n":NaN}', "unexpected byte at 6" },
    { '{"n":1}{"n":2}', "unexpected byte at 8" },
  } do
    it("says where and, if it can, what is wrong: " .. ("%q"):format(row[1]), function()
      for _, name in ipairs { "chat", "request" } do
        local _, err = METHODS[name](client_of { { body = row[1] } })
        assert.same({ "response_error", "invalid_json" }, { err.type, err.code })
        assert.equal("the answer is not valid JSON: " .. row[2], err.message)
      end
    end)
  end
end)

describe("[X1] a body that is called an event stream and begins like JSON", function()
  local function stream_of(body)
    local reply = { body = body, headers = { ["content-type"] = "text/event-stream" } }
    local client = client_of { reply }
    local stream, err = client:stream(calls.PARAMS)
    if not stream then return nil, err end
    return stream:collect()
  end
  local EVENTS = 'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

  it("is the error that its first lines say it is, whatever follows", function()
    for _, tail in ipairs { "", "\ndata: [DONE]\n\n", "\n\n" .. EVENTS, "\n: bye\n" } do
      for _, head in ipairs {
        '{"error":{"message":"boom","code":429}}', '{\n "error": {"message":"boom",\n "code":429}}',
      } do
        local _, err = stream_of(head .. tail)
        assert.same({ "rate_limit_error", "boom" }, { err and err.type, err and err.message })
      end
    end
  end)

  it("is the stream that follows a line which is none", function()
    local res = stream_of('{"status":"starting"}\n\n' .. EVENTS)
    assert.equal("hi", res:output_text())
  end)

  it("is no event stream if no event comes", function()
    local chunk = '{"choices":[{"index":0,"delta":{"content":"hi"}}]}\n'
    for _, body in ipairs { chunk .. chunk, '{"a":1}', "[1]\n[2]\n" } do
      local _, err = stream_of(body)
      assert.same({ "response_error", "not_event_stream" }, { err.type, err.code })
    end
  end)
end)
