-- The mock's own contract: what it says of replies that cannot be meant, and
-- what a test may ask of it. What calls make of replies is in call_spec and
-- stream_spec.
local ofox = require "ofox"
local mock = require "ofox.mock"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }
local OK = { choices = { { message = { role = "assistant", content = "hi" }, finish_reason = "stop" } } }
local EVENT = { choices = { { index = 0, delta = { content = "a" } } } }
local NAN = 0 / 0

local function setup(opts)
  local transport = mock.new()
  local all = { api_key = "sk-of-secret-0123456789", transport = transport, retry = { jitter = "none" } }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

-- The message of what fn raises, which must be a text at a line of this file.
local function misuse(fn)
  local ok, message = pcall(fn)
  assert.is_false(ok, "no misuse")
  assert.is_string(message)
  local rest = message:match("^[^\n]*mock_spec%.lua:%d+: (.*)$")
  assert.is_truthy(rest, message)
  return rest
end

local LIST = 'expected names and values, as in { ["x-name"] = "value" }, got a list'
local REFUSED = {
  { nil, "expected a table or a function, got nil" },
  { "x", 'expected a table or a function, got "x"' },
  { { bdy = "x" }, "bdy: unknown field; did you mean body?" },
  { { nonsense = 1 }, "nonsense: unknown field" },
  { { "x" }, "expected named fields, got a list" },
  { { status = 99 }, "status: expected an integer from 200 to 999, got 99" },
  { { status = "200" }, 'status: expected an integer from 200 to 999, got "200"' },
  { { headers = "x" }, "headers: expected a table of names and values, got a string" },
  { { headers = { "x" } }, "headers: " .. LIST },
  { { headers = { [true] = "x" } }, "headers: " .. LIST },
  { { headers = { ["a b"] = "x" } }, "headers: a name is no HTTP header name" },
  { { headers = { ["X-A"] = {} } }, "headers.x-a: expected a string or a number, got a table" },
  { { headers = { ["X-A"] = "a\r\nb" } }, "headers.x-a: contains a line break or another control character" },
  { { body = 5 }, "body: expected a string or a table, got 5" },
  { { body = { f = print } }, "body: f: " },
  { { body = "x", sse = {} }, "sse: there is a body already" },
  { { delay = -1 }, "delay: expected a number of seconds >= 0, got -1" },
  { { delay = NAN }, "delay: expected a number of seconds >= 0, got NaN" },
  { { delay = "1" }, 'delay: expected a number of seconds >= 0, got "1"' },
  -- streams
  { { sse = "x" }, 'sse: expected a list of events, got "x"' },
  { { sse = false }, "sse: expected a list of events, got false" },
  { { sse = EVENT }, "sse: expected a list of events, got a table with other keys" },
  { { sse = { true } }, "sse[1]: expected a table, a string or seconds, got true" },
  { { sse = { EVENT, print } }, "sse[2]: expected a table, a string or seconds, got a function" },
  { { sse = { { f = print } } }, "sse[1]: f: " },
  { { sse = { -1 } }, "sse[1]: expected a pause of seconds >= 0, got -1" },
  { { sse = { EVENT, NAN } }, "sse[2]: expected a pause of seconds >= 0, got NaN" },
  { { sse = { "data: {}" } }, "sse[1]: give the text after data:, without names of fields" },
  { { sse = { "data:{}" } }, "sse[1]: give the text after data:, without names of fields" },
  { { sse = { EVENT, "event: ping\ndata: {}" } }, "sse[2]: give the text after data:, without names of fields" },
  { { sse = { "id: 5" } }, "sse[1]: give the text after data:, without names of fields" },
  { { sse = { "retry: 5" } }, "sse[1]: give the text after data:, without names of fields" },
  { { sse = { ": ping" } }, "sse[1]: give the text after data:, without names of fields" },
  -- failures
  { { fail = "rest" }, 'fail: unknown code "rest"; did you mean reset?' },
  { { fail = true }, "fail: unknown code true" },
  { { fail = {} }, "fail: unknown code a table" },
  { { fail = "deadline" }, "fail: the deadline is an option of the client: set it, and give a longer delay here" },
  { { fail = "idle_timeout" }, 'fail: "idle_timeout" is the silence of a stream: it goes with sse' },
  { { fail = "idle_timeout", body = "x" }, 'fail: "idle_timeout" is the silence of a stream: it goes with sse' },
  { { fail = "timeout", sse = { EVENT } },
    'fail: "timeout" passes before a stream begins; the silence of one is "idle_timeout"' },
  { { fail = "reset", status = 400 }, "fail: status 400 is a failure already" },
  { { fail = "timeout", status = 503, body = "x" }, "fail: status 503 is a failure already" },
  { { fail = "refused", body = "x" }, 'fail: "refused" comes before any answer: leave out status, body and sse' },
  { { fail = "send", sse = {} }, 'fail: "send" comes before any answer: leave out status, body and sse' },
  { { fail = "connect_timeout", status = 200 },
    'fail: "connect_timeout" comes before any answer: leave out status, body and sse' },
}

describe("a reply of the mock", function()
  for i = 1, #REFUSED do
    local reply, problem = REFUSED[i][1], REFUSED[i][2]
    it("is refused at the caller's line: " .. problem, function()
      local transport = mock.new()
      local message = misuse(function() transport:reply(reply) end)
      assert.equal("mock:reply: " .. problem, message:sub(1, #("mock:reply: " .. problem)))
      assert.equal(0, transport:unused())
    end)
  end

  it("takes pauses of any length, and the text after data:", function()
    local client, transport = setup()
    transport:reply { sse = { 0, EVENT, 5, '{"choices":[]}', 2.5, "[DONE]" } }
    local stream, count = client:stream(PARAMS), 0
    for _ in stream:chunks() do count = count + 1 end
    assert.equal(2, count)
  end)

  for what, case in pairs {
    ["of chat completions"] = { { { n = 1 } }, 'data: {"n":1}\n\ndata: [DONE]\n\n' },
    ["without an event"] = { {}, "data: [DONE]\n\n" },
    ["of messages"] = { { { type = "message_stop" }, { type = "two\nlines" } },
      'event: message_stop\ndata: {"type":"message_stop"}\n\ndata: {"type":"two\\nlines"}\n\n' },
    ["of Gemini's"] = { { '{"candidates":[]}' }, 'data: {"candidates":[]}\n\n' },
  } do
    it("is the stream of a server " .. what, function()
      local client, transport = setup()
      transport:reply { sse = case[1] }
      assert.equal(case[2], client:request({ path = "/x", raw = true }).value)
    end)
  end

  it("fails with the code that it names, or is refused", function()
    local core = require "ofox.base.native" "core"
    for _, more in ipairs { {}, { body = OK }, { sse = { EVENT } } } do
      for _, outcome in ipairs(core.outcomes) do
        local client, transport = setup { max_retries = 0 }
        local reply = { fail = outcome.code }
        for name, value in pairs(more) do reply[name] = value end
        if pcall(transport.reply, transport, reply) then
          local _, err = pcall(function()
            local answer, err = client[more.sse and "stream" or "chat"](client, PARAMS)
            if not answer then error(err, 0) end
            answer, err = answer:collect()
            if not answer then error(err, 0) end
          end)
          assert.equal(outcome.code, err.code)
        end
      end
    end
  end)
end)

describe("a function as a reply", function()
  it("answers by the request, once", function()
    local client, transport = setup()
    local seen
    transport:reply(function(request)
      seen = request
      return { status = 503 }
    end):reply(function(request)
      return { body = { choices = { { message = { content = request.path } } } } }
    end)
    assert.equal("/v1/chat/completions", client:chat(PARAMS):output_text())
    assert.is_true(seen == transport.requests[1])
    assert.equal("POST", seen.method)
    assert.equal(0, transport:unused())
  end)

  it("tells calls apart that run side by side", function()
    local client, transport = setup()
    local function answer(request)
      local n = tonumber(request.body:match("question (%d)"))
      return { delay = 1 / n, body = { choices = { { message = { content = "answer " .. n } } } } }
    end
    local list = {}
    for i = 1, 5 do
      transport:reply(answer)
      list[i] = function()
        return client:chat({ model = "m", messages = { { role = "user", content = "question " .. i } } }):output_text()
      end
    end
    for i, result in ipairs(ofox.all(list)) do assert.equal("answer " .. i, result[2]) end
  end)

  it("that gives no reply fails the call, and says which", function()
    for _, row in ipairs {
      { nil, "expected a table, got nil" }, { "x", 'expected a table, got "x"' },
      { print, "expected a table, got a function" }, { { fail = "deadline" }, "fail: the deadline is an option" },
      { { bdy = 1 }, "bdy: unknown field; did you mean body" },
    } do
      local client, transport = setup { errors = "return" }
      transport:reply(function() return row[1] end):reply { body = OK }
      local ok, message = pcall(client.chat, client, PARAMS)
      assert.is_false(ok)
      local text = "ofox.mock: the function returned an invalid reply for request 1, "
        .. "POST /v1/chat/completions: " .. row[2]
      assert.equal(text, tostring(message):sub(1, #text))
      assert.equal("hi", client:chat(PARAMS):output_text())
    end
  end)

  it("that raises ends the call with that error, unchanged", function()
    for _, raised in ipairs { "no such test", { "a table" } } do
      local client, transport = setup { errors = "return" }
      transport:reply(function() error(raised, 0) end):reply(function() error(raised, 0) end):reply { body = OK }
      local ok, message = pcall(client.chat, client, PARAMS)
      assert.is_false(ok)
      assert.is_true(raised == message)
      local results = ofox.all { function() return client:chat(PARAMS) end }
      assert.is_false(results[1][1])
      assert.is_true(raised == results[1][2])
      assert.equal("hi", client:chat(PARAMS):output_text())
    end
  end)
end)

describe("[P11] a standing reply", function()
  it("answers when no reply is queued, as often as it takes", function()
    local client, transport = setup()
    assert.is_true(transport:always { body = OK } == transport)
    transport:reply { status = 503 }
    for _ = 1, 3 do assert.equal("hi", client:chat(PARAMS):output_text()) end
    assert.equal(4, #transport.requests)
    assert.equal(0, transport:unused())
    transport:always { sse = { EVENT, 2, EVENT } }
    for _ = 1, 2 do assert.equal("aa", client:stream(PARAMS):collect():output_text()) end
  end)

  it("may be a function, of each request", function()
    local client, transport = setup()
    transport:always(function(request) return { body = { choices = { { message = { content = request.body } } } } } end)
    for _, model in ipairs { "a", "b" } do
      local text = client:chat({ model = model, messages = PARAMS.messages }):output_text()
      assert.matches('"model":"' .. model .. '"', text)
    end
    transport:always(function() error("wrong", 0) end)
    assert.same({ false, "wrong" }, { pcall(client.chat, client, PARAMS) })
    transport:always(function() end)
    assert.matches("an invalid reply for request 4, POST /v1/chat/completions: expected a table, got nil",
      select(2, pcall(client.chat, client, PARAMS)))
  end)

  it("is taken away by reset, and by the next", function()
    local client, transport = setup { max_retries = 0, errors = "return" }
    transport:always { body = OK }:always { status = 500 }
    assert.equal(500, select(2, client:chat(PARAMS)).status)
    transport:reset()
    assert.matches("no reply is queued", select(2, pcall(client.chat, client, PARAMS)))
  end)

  it("serves many calls side by side", function()
    local client, transport = setup()
    transport:always(function() return { delay = #transport.requests % 3, body = OK } end)
    local list = {}
    for i = 1, 50 do list[i] = i end
    for _, result in ipairs(ofox.map(list, function() return client:chat(PARAMS):output_text() end, { limit = 8 })) do
      assert.same({ true, "hi", n = 2 }, result)
    end
    assert.equal(50, #transport.requests)
  end)

  it("is refused at the caller's line as a reply is", function()
    local transport = mock.new()
    for i = 1, #REFUSED do
      local message = misuse(function() transport:always(REFUSED[i][1]) end)
      local problem = "mock:always: " .. REFUSED[i][2]
      assert.equal(problem, message:sub(1, #problem))
    end
  end)
end)

describe("the mock", function()
  it("says how many replies are left", function()
    local client, transport = setup()
    assert.equal(0, transport:unused())
    transport:reply { status = 503 }:reply { body = OK }:reply(function() return { body = OK } end)
    assert.equal(3, transport:unused())
    client:chat(PARAMS)
    assert.equal(1, transport:unused())
  end)

  it("forgets replies and requests, but not the time", function()
    local client, transport = setup()
    transport:reply { delay = 3, body = OK }:reply { status = 500 }
    client:chat(PARAMS)
    local before = transport.requests
    assert.is_true(transport:reset() == transport)
    assert.equal(0, transport:unused())
    assert.same({}, transport.requests)
    assert.equal(1, #before)
    assert.equal(3, transport:now())
    transport:reply { body = OK }
    assert.equal("hi", client:chat(PARAMS):output_text())
    assert.equal(1, #transport.requests)
  end)

  it("lets calls go on that were begun before it forgot", function()
    local client, transport = setup()
    transport:reply { delay = 3, body = OK }
    local task = ofox.go(function() return client:chat(PARAMS):output_text() end)
    transport:reset()
    assert.same({ true, "hi" }, { task:wait() })
  end)

  it("wants a colon", function()
    for _, name in ipairs { "reply", "always", "now", "wall", "install", "step", "advance", "unused", "reset" } do
      local text = ("mock:%s: expected a mock before the dot; call it with a colon, mock:%s(…)"):format(name, name)
      local transport = mock.new()
      assert.equal(text, misuse(function() transport[name]() end))
      assert.equal(text, misuse(function() transport[name]({}) end))
      assert.equal(text, misuse(function() transport[name](5) end))
    end
  end)

  it("is made without arguments", function()
    assert.equal("ofox.mock.new: expected no argument, got 1", misuse(function() mock.new(1) end))
    assert.equal("ofox.mock.new: expected no argument, got a table", misuse(function() mock:new() end))
  end)
end)

describe("[P11] an error without retries", function()
  it("is encoded with an empty list, as the data of a success is", function()
    local json = require "ofox.json"
    local client, transport = setup { max_retries = 0, errors = "return" }
    transport:reply { status = 400 }:reply { fail = "reset" }:reply { body = "{" }:reply { body = OK }
    for _ = 1, 3 do
      local _, err = client:chat(PARAMS)
      assert.matches('"retries":%[%]', json.encode(err))
    end
    local res = client:chat(PARAMS)
    assert.matches('"retries":%[%]', json.encode(res:meta()))
    transport:reply { sse = { EVENT }, fail = "reset" }
    local stream = client:stream(PARAMS)
    assert.matches('"retries":%[%]', json.encode(select(2, stream:collect())))
  end)

  it("has the mark that lua-cjson knows, where it has one", function()
    local run = require("support.child").run { code = [[
      local cjson = require "cjson"
      cjson.array_mt = cjson.array_mt or {}
      local transport = require "ofox.mock".new():reply { status = 400 }
      local key = "sk-of-secret-0123456789"
      local client = require "ofox".new { api_key = key, transport = transport, errors = "return" }
      local _, err = client:chat { model = "m", messages = {} }
      io.write(tostring(#err.retries == 0 and getmetatable(err.retries) == cjson.array_mt))
    ]] }
    assert.same({ "true", "" }, { run.output, run.errors })
  end)
end)
