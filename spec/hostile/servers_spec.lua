-- Servers that mean harm: bytes that cost a reader far more than their sender,
-- events that are not what they should be, and a key that comes back in pieces.
local core = require "ofox.base.native" "core"
local merge = require "ofox.answer.collect"
local mock = require "ofox.mock"
local ofox = require "ofox"
local server = require "support.server"

local KEY = "sk-secret-1234567890"
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

-- Seconds of the processor, the least of three.
local function cost(fn)
  local least = math.huge
  for _ = 1, 3 do
    collectgarbage()
    local began = os.clock()
    fn()
    least = math.min(least, os.clock() - began)
  end
  return least
end

-- Four times as much costs four times as much, and not sixteen times.
local function assert_linear(fn, n)
  local small, large = cost(function() fn(n) end), cost(function() fn(4 * n) end)
  assert.is_true(large < 9 * small + 0.02, ("%.4f s, then %.4f s"):format(small, large))
end

describe("bytes that are cheap to send cost little to read:", function()
  local STREAM = { "HTTP/1.1 200", "content-type: text/event-stream", "" }

  -- A call that is being answered.
  local function streaming()
    local call = core.call(core.template({ expect = "object", dialect = "chat" }, {}), 0)
    call:begin(0)
    for _, line in ipairs(STREAM) do call:head(line, 0) end
    return call
  end

  it("line ends without lines", function()
    assert_linear(function(n)
      local parser = ofox.sse():feed(("\r"):rep(n)):finish()
      assert.is_nil(parser:next())
    end, 50000)
  end)

  it("blanks before anything, a byte at a time", function()
    assert_linear(function(n)
      local call = streaming()
      for _ = 1, n do call:body("\n", 0) end
    end, 10000)
  end)

  it("blanks where a sentinel may be", function()
    assert_linear(function(n)
      local call = streaming()
      call:body("data:" .. (" "):rep(n * 20) .. "\n", 0)
      for _ = 1, n do call:body("data:\n", 0) end
    end, 2000)
  end)

  local function events(list)
    local made = {}
    for i, json in ipairs(list) do made[i] = { json, 0, 0 } end
    return made
  end

  local decode = require "ofox.json".decode

  it("many tool calls in one event", function()
    assert_linear(function(n)
      local calls = {}
      for i = 1, n do calls[i] = ('{"index":%d,"function":{"name":"f"}}'):format(i) end
      local answer = merge.answer("chat", "", events {
        '{"choices":[{"index":0,"delta":{"tool_calls":[]}}]}',
        '{"choices":[{"index":0,"delta":{"tool_calls":[' .. table.concat(calls, ",") .. "]}}]}",
      }, decode)
      assert.equal(n, #answer.choices[1].message.tool_calls)
    end, 1000)
  end)

  it("many choices in one event", function()
    assert_linear(function(n)
      local choices = {}
      for i = 1, n do choices[i] = ('{"index":%d,"delta":{"content":"x"}}'):format(i - 1) end
      local json = '{"choices":[' .. table.concat(choices, ",") .. "]}"
      assert.equal(n, #merge.answer("chat", "", events { json }, decode).choices)
    end, 1000)
  end)

  for name, around in pairs {
    ["an answer"] = { "{", "}" }, ["an error"] = { '{"error":{', "}}" },
  } do
    it("members without number, of " .. name, function()
      assert_linear(function(n)
        local call = core.call(core.template({ expect = "chat" }, {}), 0)
        call:begin(0)
        for _, line in ipairs { "HTTP/1.1 200", "content-type: application/json", "" } do call:head(line, 0) end
        call:body(around[1] .. ('"e":1,'):rep(n) .. '"f":1' .. around[2], 0)
        call:finish("ANSWERED", false, 0, 0)
        call:failure(0)
      end, 25000)
    end)
  end

  it("an error behind many of them is one", function()
    local call = core.call(core.template({ expect = "chat" }, {}), 0)
    call:begin(0)
    for _, line in ipairs { "HTTP/1.1 200", "content-type: application/json", "" } do call:head(line, 0) end
    call:body('{"choices":[{}],' .. ('"e":1,'):rep(5000) .. '"error":{"message":"lost"}}', 0)
    call:finish("ANSWERED", false, 0, 0)
    assert.is_true(call:failed())
  end)

  it("many pieces of a string", function()
    assert_linear(function(n)
      local list = {}
      local json = '{"choices":[{"index":0,"delta":{"reasoning":"' .. ("r"):rep(90) .. '"}}]}'
      for i = 1, n do list[i] = json end
      local answer = merge.answer("chat", "", events(list), decode)
      assert.equal(90 * n, #answer.choices[1].message.reasoning)
    end, 1000)
  end)
end)

describe("trailers", function()
  local s
  setup(function() s = server.start() end)
  teardown(function() s:stop() end)

  it("have an end", function()
    local trailers = {}
    for i = 1, 400 do trailers[i] = ("x-t%d: %s\r\n"):format(i, ("y"):rep(1000)) end
    s:script { { raw = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
      .. "2\r\n{}\r\n0\r\n" .. table.concat(trailers) .. "\r\n" } }
    local client = ofox.new { base_url = s.url, api_key = KEY, errors = "return", max_retries = 0, proxy = false }
    local res, err = client:request { path = "/x" }
    assert.is_nil(res)
    assert.equal("too_large", err.code)
  end)
end)

describe("a stream of nonsense", function()
  local transport, client
  before_each(function()
    transport = mock.new()
    client = ofox.new { api_key = KEY, transport = transport, errors = "return", max_retries = 0 }
  end)

  local function chunk(delta) return '{"choices":[{"index":0,"delta":' .. delta .. "}]}" end

  -- Reads to the end: the last results.
  local function drain(stream, err)
    local value = stream
    while value ~= nil do value, err = stream:next() end
    return value, err
  end

  it("adds up to what makes sense in it", function()
    transport:reply { sse = { chunk '{"tool_calls":[1,{"index":0,"id":"a","function":{"name":"f"}},null,"x"]}' } }
    local res = client:stream(PARAMS):collect()
    assert.equal(1, #res:tool_calls())
    assert.equal("f", res:tool_calls()[1].name)
  end)

  for name, json in pairs {
    ["tool calls that are numbers"] = chunk '{"tool_calls":[1,2]}',
    ["tool calls where none belong"] = '{"tool_calls":5,"choices":[{"index":0,"delta":{"content":"a"},"x":1}]}',
    ["texts that are tables"] = chunk '{"content":{},"reasoning":{"a":1},"tool_calls":{"a":1}}',
    ["choices that are numbers"] = '{"choices":[1,{"index":{},"delta":5}],"usage":"x"}',
  } do
    it("ends in a structured error when it breaks off: " .. name, function()
      transport:reply { sse = { json }, fail = "reset" }
      local _, err = drain(client:stream(PARAMS))
      assert.equal("stream_error", err.type)
    end)
  end

  for name, list in pairs {
    ["items without an index"] = { '{"type":"response.output_item.added","item":{"type":"function_call"}}' },
    ["arguments of no call"] = { '{"type":"response.function_call_arguments.delta","output_index":{},"delta":{}}' },
    ["arguments that are null"] = {
      '{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","arguments":null}}',
      '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"x"}',
    },
  } do
    it("the same of a response: " .. name, function()
      list[#list + 1] = '{"type":"response.output_text.delta","delta":"x"}'
      transport:reply { sse = list, fail = "reset" }
      local _, err = drain(client:responses { model = "m", input = "x", stream = true })
      assert.equal("stream_error", err.type)
      assert.equal("x", err.partial.text)
    end)
  end

  it("shows no key that came in pieces [F3]", function()
    transport:reply { fail = "reset", sse = {
      chunk '{"reasoning_content":"sk-secret-12"}', chunk '{"reasoning_content":"34567890 is the key"}',
      chunk '{"content":"sk-sec"}', chunk '{"content":"ret-1234567890"}',
      chunk '{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"\\"sk-secr"}}]}',
      chunk '{"tool_calls":[{"index":0,"function":{"arguments":"et-1234567890\\""}}]}' } }
    local _, err = drain(client:stream(PARAMS))
    local partial = err.partial
    assert.equal("*** is the key", partial.reasoning)
    assert.equal("***", partial.text)
    assert.same({ { id = "a", name = "f", arguments = "***", arguments_json = '"***"' } }, partial.tool_calls)
  end)
end)
