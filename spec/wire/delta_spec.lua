-- What the events of a stream mean, event by event. Each row also with blanks
-- between all tokens, and cut at every byte: then it is no JSON.
local core = require "ofox.base.native" "core"
local read = core.parts.delta

-- Data with blanks wherever JSON allows them.
local function spaced(data)
  local out, quoted, at = {}, false, 1
  while at <= #data do
    local c = data:sub(at, at)
    if quoted and c == "\\" then
      c = data:sub(at, at + 1)
    elseif c == '"' then
      quoted = not quoted
      c = quoted and ' \n"' or '"\t '
    elseif not quoted and c:find "[%[%]{}:,]" then
      c = " " .. c .. "\r\n"
    end
    out[#out + 1] = c
    at = at + (#c == 2 and c:sub(1, 1) == "\\" and 2 or 1)
  end
  return table.concat(out)
end

local function check(name, dialect, type, data, expected)
  it(name, function()
    for _, text in ipairs { data, spaced(data), "\239\187\191" .. data } do
      local got = read(dialect, type, text)
      for field, value in pairs(expected) do
        if value == "absent" then value = nil end
        assert.same(value, got[field], field .. " of " .. text)
      end
    end
    if expected.kind == "end" or expected.kind == "broken" or data == "" then return end
    -- these names need no JSON
    local kind = type == "ping" and "skip" or type == "error" and "error" or "broken"
    for i = 1, #data - 1 do
      if data:sub(1, i):find "%S" then assert.equal(kind, read(dialect, type, data:sub(1, i)).kind) end
    end
    assert.equal(kind, read(dialect, type, data .. "x").kind)
    assert.equal(kind, read(dialect, type, data .. "\0").kind)
  end)
end

local function choice(inner) return '{"id":"x","choices":[{' .. inner .. '}],"usage":null}' end

describe("an event of a chat", function()
  local PLAIN = { kind = "chunk", content = true, plain = true, last = false, begun = { 0 }, finished = {} }
  local function with(fields)
    local all = {}
    for key, value in pairs(PLAIN) do all[key] = value end
    for key, value in pairs(fields) do all[key] = value end
    return all
  end
  local rows = {
    { "of text", choice '"index":0,"delta":{"content":"a"},"finish_reason":null', with { text = '"a"' } },
    { "of text, members in another order", choice '"finish_reason":null,"delta":{"content":"a"},"index":0',
      with { text = '"a"' } },
    { "of text, spelt in escapes", '{"\\u0063hoices":[{"ind\\u0065x":0,"d\\u0065lta":{"c\\u006fntent":"a\\n"}}]}',
      with { text = '"a\\n"' } },
    { "of text and nothings", choice('"index":0,"delta":{"role":"assistant","content":"a","refusal":null,'
      .. '"tool_calls":[],"audio":{}},"logprobs":null'), with { text = '"a"' } },
    { "of text without an index", choice '"delta":{"content":"a"}', with { text = '"a"' } },
    { "[D7] of text and something else", choice '"index":0,"delta":{"content":"a","reasoning_content":"b"}',
      with { text = '"a"', plain = false } },
    { "[D7] of text and log probabilities", choice '"index":0,"delta":{"content":"a"},"logprobs":{"content":[1]}',
      with { text = '"a"', plain = false } },
    { "[D7] of text and usage", '{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"total_tokens":1}}',
      with { text = '"a"', plain = false } },
    { "[D6] of a role", choice '"index":0,"delta":{"role":"assistant","content":""}',
      with { content = false, plain = false, text = "absent" } },
    { "[D6] of a role and null", choice '"index":0,"delta":{"role":"assistant","content":null}',
      with { content = false, plain = false, text = "absent" } },
    { "[D7] of reasoning", choice '"index":0,"delta":{"reasoning_content":"hm"}',
      with { plain = false, text = "absent" } },
    { "[D7] of a tool call", choice '"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}',
      with { plain = false, text = "absent" } },
    { "[D7] of parts", choice '"index":0,"delta":{"content":[{"type":"text","text":"a"}]}',
      with { plain = false, text = "absent", words = "a" } },
    { "[D7] of nothing", choice '"index":0,"delta":{}', with { content = false, plain = false, text = "absent" } },
    { "[D7] of another choice", choice '"index":3,"delta":{"content":"a"}',
      with { plain = false, text = "absent", begun = { 3 } } },
    { "[D7] of several choices", '{"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":"stop"},'
      .. '{"index":0,"delta":{"content":"a"}}]}',
      with { plain = false, text = '"a"', begun = { 0, 1 }, finished = { 1 } } },
    { "[D4] of the end of a choice", choice '"index":0,"delta":{},"finish_reason":"stop"',
      with { plain = false, text = "absent", finished = { 0 } } },
    { "[D7] of usage", '{"choices":[],"usage":{"total_tokens":1}}',
      with { content = false, plain = false, text = "absent", begun = {} } },
    { "of legacy text", choice '"index":0,"text":"a"', with { plain = false, text = "absent" } },
    { "of a whole message", choice '"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"',
      with { plain = false, text = "absent", words = "a", finished = { 0 } } },
    { "of an index beyond all", choice '"index":1e300,"delta":{"content":"a"}', { kind = "chunk", content = true } },
    { "of an index below all", choice '"index":-5,"delta":{"content":"a"}', { kind = "chunk", content = true } },
    { "without choices", '{"id":"x"}', with { content = false, plain = false, text = "absent", begun = {} } },
    { "with choices that are none", '{"choices":{"a":[{"delta":{"content":"a"}}]}}',
      with { content = false, plain = false, text = "absent", begun = {} } },
    { "with odd choices", '{"choices":[1,null,"x",[],{"delta":7}]}', { kind = "chunk", content = false } },
  }
  for _, row in ipairs(rows) do check(row[1], "chat", "", row[2], row[3]) end

  local failed = choice '"index":0,"delta":{},"finish_reason":"error","error":{"message":"x"}'
  it("[D5] of a choice that failed", function()
    local got = read("chat", "", failed)
    assert.same({ "error", "upstream_error" }, { got.kind, got.fallback })
    assert.equal('{"message":"x"}', got.part)
    local two = '{"choices":[{"finish_reason":"error","a":1},{"index":1,"finish_reason":"error"}]}'
    assert.equal("", read("chat", "", two).part) -- it does not say what went wrong
    local top = '{"choices":[{"finish_reason":"error"}],"error":{"message":"x"}}'
    assert.same({ top, "upstream_error" }, { read("chat", "", top).part, read("chat", "", top).fallback })
  end)
end)

describe("an event of a response", function()
  local function event(type, rest) return '{"type":"' .. type .. '"' .. (rest or "") .. "}" end
  local rows = {
    { "of text", event("response.output_text.delta", ',"item_id":"m","delta":"a"'),
      { kind = "chunk", content = true, plain = true, last = false, text = '"a"' } },
    { "of empty text", event("response.output_text.delta", ',"delta":""'),
      { kind = "chunk", content = true, plain = false, text = "absent" } },
    { "[D6] of its creation", event("response.created", ',"response":{"id":"r"}'),
      { kind = "chunk", content = false } },
    { "[D6] of an item", event("response.output_item.added", ',"item":{}'), { kind = "chunk", content = false } },
    { "[D7] of arguments", event("response.function_call_arguments.delta", ',"delta":"{"'),
      { kind = "chunk", content = true, plain = false, text = "absent" } },
    { "[D4] of its completion", event("response.completed", ',"response":{"id":"r"}'),
      { kind = "chunk", content = true, last = true, finished = { 0 } } },
    { "[D4] of its end before that", event("response.incomplete", ',"response":{"id":"r"}'),
      { kind = "chunk", last = true } },
    { "of a kind not known", event "response.something.new", { kind = "chunk", content = true } },
    { "that is a ping", event "ping", { kind = "skip" } },
  }
  for _, row in ipairs(rows) do check(row[1], "responses", "", row[2], row[3]) end

  it("may have its type beside its data", function()
    assert.equal('"a"', read("responses", "response.output_text.delta", '{"delta":"a"}').text)
  end)

  it("[D5] of its failure gives what the response says", function()
    local inner = '{"id":"r","error":{"code":"server_error","message":"x"}}'
    local got = read("responses", "", event("response.failed", ',"response":' .. inner))
    assert.same({ "error", inner }, { got.kind, got.part })
  end)
end)

describe("an event of a message", function()
  local function event(type, rest) return '{"type":"' .. type .. '"' .. (rest or "") .. "}" end
  local function delta(inner) return event("content_block_delta", ',"index":1,"delta":{' .. inner .. "}") end
  local function block(inner) return event("content_block_start", ',"index":0,"content_block":{' .. inner .. "}") end
  local CHUNK = { kind = "chunk", content = true, plain = false, last = false, text = "absent", begun = { 0 },
    finished = {} }
  local function with(fields)
    local all = {}
    for key, value in pairs(CHUNK) do all[key] = value end
    for key, value in pairs(fields) do all[key] = value end
    return all
  end
  local OPENING = with { content = false }
  local rows = {
    { "of text", delta '"type":"text_delta","text":"a"', with { text = '"a"', plain = true } },
    { "of text, spelt in escapes", '{"typ\\u0065":"content_block_delta","d\\u0065lta":{"t\\u0065xt":"a\\n"}}',
      with { text = '"a\\n"', plain = true } },
    { "of text, members in another order",
      '{"delta":{"text":"a","type":"text_delta"},"index":0,"type":"content_block_delta"}',
      with { text = '"a"', plain = true } },
    { "of empty text", delta '"type":"text_delta","text":""', CHUNK },
    { "of text and something else", delta '"type":"text_delta","text":"a","citations":[1]', with { text = '"a"' } },
    { "of text beside something", event("content_block_delta", ',"delta":{"text":"a"},"note":"x"'),
      with { text = '"a"' } },
    { "of a delta not known that has a text", delta '"type":"new_delta","text":"a"', CHUNK },
    { "of thinking", delta '"type":"thinking_delta","thinking":"hm"', CHUNK },
    { "of a signature", delta '"type":"signature_delta","signature":"c2ln"', CHUNK },
    { "of input", delta '"type":"input_json_delta","partial_json":"{\\"a"', CHUNK },
    { "of its start", event("message_start", ',"message":{"id":"m","content":[],"usage":{"input_tokens":1}}'),
      OPENING },
    { "of its start with a content", event("message_start", ',"message":{"content":[{"type":"text","text":"a"},'
      .. '{"type":"thinking","text":"no"},{"type":"text","text":"b"}]}'), with { words = "ab" } },
    { "of a block that opens", block '"type":"text","text":""', OPENING },
    { "of a tool that opens", block '"type":"tool_use","id":"t","name":"f","input":{}', OPENING },
    { "of a block that has a text", block '"type":"text","text":"a"', with { text = '"a"' } },
    { "of a block that is whole", block '"type":"redacted_thinking","data":"x"', CHUNK },
    { "of the end of a block", event("content_block_stop", ',"index":0'), OPENING },
    { "of its reason", event("message_delta", ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}'),
      CHUNK },
    { "of its end", event "message_stop", with { last = true, finished = { 0 } } },
    { "of a kind not known", event "something_new", CHUNK },
    { "that is a ping", event "ping", { kind = "skip" } },
    { "of an overload", event("error", ',"error":{"type":"overloaded_error","message":"Overloaded"}'),
      { kind = "error", fallback = "stream_error" } },
    { "of an error without a type", '{"error":{"type":"rate_limit_error","message":"x"}}', { kind = "error" } },
  }
  for _, row in ipairs(rows) do check(row[1], "messages", "", row[2], row[3]) end

  it("may have its type beside its data", function()
    assert.equal('"a"', read("messages", "content_block_delta", '{"delta":{"type":"text_delta","text":"a"}}').text)
    assert.is_true(read("messages", "message_stop", "{}").last)
  end)
end)

describe("an event of Gemini's", function()
  local function candidate(inner, rest)
    return '{"candidates":[{' .. inner .. '}]' .. (rest or "") .. ',"modelVersion":"m","responseId":"r"}'
  end
  local function parts(inner, rest)
    return candidate('"content":{"parts":[' .. inner .. '],"role":"model"},"index":0' .. (rest or ""))
  end
  local CHUNK = { kind = "chunk", content = true, plain = false, last = false, text = "absent", begun = { 0 },
    finished = {} }
  local function with(fields)
    local all = {}
    for key, value in pairs(CHUNK) do all[key] = value end
    for key, value in pairs(fields) do all[key] = value end
    return all
  end
  local rows = {
    { "of text", parts '{"text":"a"}', with { text = '"a"', plain = true } },
    { "of text, spelt in escapes", '{"candidat\\u0065s":[{"cont\\u0065nt":{"p\\u0061rts":[{"t\\u0065xt":"a\\n"}]}}]}',
      with { text = '"a\\n"', plain = true } },
    { "of text and usage", candidate('"content":{"parts":[{"text":"a"}]}', ',"usageMetadata":{"promptTokenCount":1}'),
      with { text = '"a"', plain = true } },
    { "of several texts", parts '{"text":"a"},{"text":"b"}', with { words = "ab" } },
    { "of a thought", parts '{"text":"hm","thought":true}', CHUNK },
    { "of a thought and text", parts '{"text":"hm","thought":true},{"text":"a"}', with { text = '"a"' } },
    { "of signed text", parts '{"text":"a","thoughtSignature":"c2ln"}', with { text = '"a"' } },
    { "of a call", parts '{"functionCall":{"name":"f","args":{"a":1}}}', CHUNK },
    { "of nothing", parts '{"text":""}', with { content = false } },
    { "of another candidate", candidate '"content":{"parts":[{"text":"a"}]},"index":2', with { begun = { 2 } } },
    { "of its end", parts('{"text":"a"}', ',"finishReason":"STOP"'), with { text = '"a"', finished = { 0 } } },
    { "of an end without parts", candidate '"finishReason":"SAFETY","safetyRatings":[{"blocked":true}]',
      with { finished = { 0 } } },
    { "of a reason that is none", parts('{"text":"a"}', ',"finishReason":"FINISH_REASON_UNSPECIFIED"'),
      with { text = '"a"' } },
    { "of a refused prompt", '{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":1}}',
      with { finished = { 0 } } },
    { "of a prompt that is fine", '{"promptFeedback":{"safetyRatings":[{"probability":"LOW"}]}}',
      with { content = false, begun = {} } },
    { "of usage", '{"usageMetadata":{"promptTokenCount":1}}', with { content = false, begun = {} } },
    { "of an error", '{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}', { kind = "error" } },
    { "with odd candidates", '{"candidates":[1,null,"x",[],{"content":7}]}', { kind = "chunk", content = false } },
  }
  for _, row in ipairs(rows) do check(row[1], "gemini", "", row[2], row[3]) end
end)

describe("an event of any dialect", function()
  local ALL = { "any" }
  for i, name in ipairs(core.dialects) do ALL[i + 1] = name end
  for _, dialect in ipairs(ALL) do
    check("[D8] no JSON, " .. dialect, dialect, "", "[DONE]xyz", { kind = "broken" })
    check("[D8] broken JSON, " .. dialect, dialect, "", '{"a":}', { kind = "broken" })
    check("no object, " .. dialect, dialect, "", "[1,2]", { kind = "skip" })
    check("a text, " .. dialect, dialect, "", '"hello"', { kind = "skip" })
    check("a ping, " .. dialect, dialect, "ping", '{"a":1}', { kind = "skip" })
    check("[D5] an error object, " .. dialect, dialect, "", '{"id":"x","error":{"message":"no"}}',
      { kind = "error", fallback = "stream_error" })
    check("[D5] an error text, " .. dialect, dialect, "", '{"error":"no"}', { kind = "error" })
    check("an error text with an id, " .. dialect, dialect, "", '{"error":"no","id":"x"}',
      { kind = dialect == "any" and "chunk" or "error" })
    check("[D5] a flat error, " .. dialect, dialect, "", '{"type":"error","message":"no"}', { kind = "error" })
    check("[D5] a flat error by object, " .. dialect, dialect, "", '{"object":"error","message":"no"}',
      { kind = "error" })
    check("[D5] a list of errors, " .. dialect, dialect, "", '[{"error":{"message":"no"}}]', { kind = "error" })
    check("[D5] event: error, " .. dialect, dialect, "error", '{"message":"no"}', { kind = "error" })
    it("nothing, " .. dialect, function()
      for _, data in ipairs { "", " ", "\n\n" } do assert.equal("skip", read(dialect, "", data).kind) end
    end)
    it("[D3] the sentinel, " .. dialect, function()
      for _, data in ipairs { "[DONE]", " [DONE]", "[DONE] \n" } do
        assert.equal("end", read(dialect, "", data).kind)
      end
      for _, data in ipairs { "[DONE", "DONE", "[ DONE ]", "[DONE]]", "[done]" } do
        assert.equal("broken", read(dialect, "", data).kind)
      end
    end)
  end

  check("an error text with an id, any", "any", "", '{"error":"no","id":"x"}', { kind = "chunk" })

  it("is a chunk of content where nothing is known", function()
    local got = read("any", "x", '{"choices":[{"delta":{"content":"a"}}]}')
    assert.same({ "chunk", true, false, nil }, { got.kind, got.content, got.plain, got.text })
  end)

  it("may be nested as deep as JSON may be here, and no deeper", function()
    for depth, kind in pairs { [990] = "chunk", [1001] = "broken" } do
      local data = '{"a":' .. ("["):rep(depth - 1) .. ("]"):rep(depth - 1) .. "}"
      assert.equal(kind, read("any", "", data).kind)
    end
  end)
end)
