-- What had come when a stream of nonsense broke can always be written down.
local chance = require "support.chance"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"

local ROUNDS, random, pick = chance.ROUNDS, chance.random, chance.pick

describe("[R2] a stream that breaks", function()
  local NUMBERS = { "0", "-1", "1e400", "-1e400", "1.5", "123456789012345678901234567890", "5e-324" }
  local STRINGS = { '""', '"x"', '"\\ud83d"', '"\\u0000"', '"\255"', '"stop"', '"{}"', '"{\\"a\\":1e400}"',
    '"[[[1e999]]]"', '"null"', '"\237\160\189"', '"' .. ("["):rep(150) .. '"',
    '"' .. ("["):rep(900) .. ("]"):rep(900) .. '"', '"{\\"\\ud83d\\":\\"\\ude00\\"}"' }
  local NAMES = { "index", "id", "type", "function", "name", "arguments", "content", "role", "tool_calls", "x",
    "text", "usage", "finish_reason", "reasoning", "reasoning_content", "\\ud83d", "custom", "input", "function_call",
    "summary", "output", "item", "part", "annotations", "signature" }

  local function tree(depth)
    local kind = depth > 4 and random(3) or random(7)
    if kind == 1 then return pick(NUMBERS) end
    if kind == 2 then return pick(STRINGS) end
    if kind == 3 then return pick { "null", "true", "false", "{}", "[]" } end
    local out = {}
    for i = 1, random(4) do
      out[i] = kind > 5 and tree(depth + 1) or ('"%s":%s'):format(pick(NAMES), tree(depth + 1))
    end
    if kind > 5 then return "[" .. table.concat(out, ",") .. "]" end
    return "{" .. table.concat(out, ",") .. "}"
  end

  local function chat()
    return ('{"id":%s,"usage":%s,"choices":[{"index":%s,"finish_reason":%s,"logprobs":%s,"message":%s,"delta":'
      .. '{"content":%s,"reasoning_content":%s,"reasoning":%s,"tool_calls":%s,"function_call":%s,"x":%s}}]}'):format(
      tree(1), tree(1), pick { "0", "0", "0", tree(4) }, pick { "null", tree(3) }, tree(3), pick { "null", tree(3) },
      pick { '"a"', tree(3) }, tree(3), tree(3),
      pick { tree(2), ('[{"index":%s,"id":%s,"function":{"name":%s,"arguments":%s}}]'):format(tree(4), tree(4), tree(4),
        pick(STRINGS)) }, tree(3), tree(3))
  end

  local KINDS = { "output_item.added", "output_item.done", "content_part.added", "output_text.delta",
    "output_text.done", "refusal.delta", "function_call_arguments.delta", "function_call_arguments.done",
    "reasoning_text.delta", "reasoning_summary_text.delta", "reasoning_summary_part.added",
    "output_text.annotation.added", "created",
    "x.delta" }
  local function response()
    return ('{"type":"response.%s","output_index":%s,"content_index":%s,"summary_index":%s,"item_id":%s,"delta":%s,'
      .. '"item":%s,"part":%s,"annotation":%s,"arguments":%s,"text":%s,"response":%s}'):format(pick(KINDS),
      pick { "0", "1", tree(4) }, pick { "0", tree(4) }, pick { "0", tree(4) }, pick { '"a"', tree(4) },
      pick { '"a"', pick(STRINGS), tree(3) },
      pick { '{"type":"function_call","arguments":' .. pick(STRINGS) .. "}", tree(2) },
      tree(2), tree(2), pick(STRINGS), tree(3), pick { "null", '{"output":' .. tree(1) .. "}", tree(1) })
  end

  -- The failure of reading on to the end. A stream that has come to its end
  -- none the less adds up to something, whose methods do not raise.
  local function broken(dialect, sse, opts)
    local transport = mock.new()
    local all = { api_key = "sk-secret-1234567890", transport = transport, errors = "return", max_retries = 0 }
    for name, value in pairs(opts or {}) do all[name] = value end
    local client = ofox.new(all)
    transport:reply { sse = sse, fail = "reset" }
    local stream, err
    if dialect == "chat" then
      stream, err = client:stream { model = "m", messages = {} }
    else
      stream, err = client:responses { model = "m", input = "x", stream = true }
    end
    if not stream then return err end
    while err == nil do
      local chunk
      chunk, err = stream:next()
      if chunk == nil and err == nil then
        local res = stream:collect()
        for _, name in ipairs { "output_text", "output_json", "tool_calls", "finish_reason" } do res[name](res) end
        require "ofox.answer.response".usage(res)
        return nil
      end
    end
    return err
  end

  local function check(err, what)
    if err == nil then return end
    assert.is_true(ofox.errors.is(err), what)
    local partial = err.partial
    if partial then
      assert.is_true(partial.finish_reason == nil or type(partial.finish_reason) == "string", what)
      assert.is_true(partial.usage == nil or type(partial.usage) == "table", what)
      assert.is_true(partial.reasoning == nil or type(partial.reasoning) == "string", what)
      assert.is_string(partial.text)
      for _, call in ipairs(partial.tool_calls) do
        assert.is_true(call.arguments_json == nil or type(call.arguments_json) == "string", what)
      end
    end
    local bytes, message = json.encode(err)
    assert.is_string(bytes, tostring(message) .. ": " .. what)
    assert.is_table(json.decode(bytes))
  end

  for dialect, event in pairs { chat = chat, responses = response } do
    it("can be written down: " .. dialect, function()
      for round = 1, ROUNDS do
        chance.seed(round * 7727)
        local sse = { '{"choices":[{"index":0,"delta":{"content":"x"}}]}' }
        if dialect == "responses" then sse[1] = '{"type":"response.output_text.delta","delta":"x"}' end
        for i = 1, random(6) do sse[i + 1] = event() end
        check(broken(dialect, sse), "round " .. round .. " " .. table.concat(sse, "\n"))
      end
    end)
  end

  it("can be written down where numbers are none", function()
    for _, event in ipairs {
      '{"choices":[{"index":0,"finish_reason":1e400,"delta":{"content":"x"}}],"usage":{"a":1e400,"b":[1e400,2]}}',
      '{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":1e400}',
      '{"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{"index":0,"id":1e400,"function":{"name":"f",'
        .. '"arguments":"{\\"a\\":[1e400]}"}}]}}]}',
      '{"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{"index":0,"function":{"name":"f",'
        .. '"arguments":{"a":1e400}}}]}}]}',
    } do check(broken("chat", { event }), event) end
    local err = broken("chat", { '{"choices":[{"index":0,"finish_reason":"","delta":{"content":"x"}}],'
      .. '"usage":{"a":1e400,"b":[1e400,2],"total_tokens":3}}' })
    assert.same({ b = { ofox.null, 2 }, total_tokens = 3 }, err.partial.usage)
    assert.is_nil(err.partial.finish_reason)
  end)

  it("can be written down whatever the program's decoder gives", function()
    local odd = { 1, 2, x = 3, [2.5] = 4, [true] = 5, f = print, bad = "\255", nan = 0 / 0 }
    odd.loop = odd
    local function decoder(text)
      local value = json.decode(text)
      if type(value) == "table" and value.choices then
        value.usage = { x = odd, y = odd, f = print, strange = setmetatable({}, { __index = { 1 } }) }
        value.choices[1].delta.tool_calls = { { id = odd, ["function"] = { name = "f", arguments = odd } } }
      end
      return value
    end
    local err = broken("chat", { '{"choices":[{"index":0,"delta":{"content":"x","y":1}}]}' }, { json = decoder })
    check(err, "odd")
    assert.same({ 1, 2 }, err.partial.usage.x)
  end)

  it("can be written down where headers have wild numbers", function()
    local transport = mock.new()
    local client = ofox.new { api_key = "sk-test", transport = transport, errors = "return", max_retries = 0 }
    for _, number in ipairs { "1e400", ("9"):rep(400), "-1e400", "nan", "inf" } do
      local headers = { ["retry-after"] = number, ["retry-after-ms"] = number }
      for _, what in ipairs { "limit", "remaining", "reset" } do
        headers["x-ratelimit-" .. what .. "-requests"], headers["x-ratelimit-" .. what .. "-tokens"] = number, number
      end
      transport:reply { status = 429, headers = headers,
        body = '{"error":{"message":"x","code":1e400,"param":1e400,"retry_after":' .. ("9"):rep(400) .. "}}" }
      local _, err = client:stream { model = "m", messages = {} }
      assert.is_table(err)
      check(err, number)
      transport:reply { headers = headers, sse = { '{"choices":[{"delta":{"content":"x"}}]}' }, fail = "reset" }
      local stream = client:stream { model = "m", messages = {} }
      while stream:next() do end
      check(select(2, stream:next()), number)
    end
  end)
end)
