-- What the events of a stream add up to, rule by rule: what providers are known
-- to send, and what nobody has sent yet.
local collected = require "support.collected"
local json = require "ofox.json"
local ofox = require "ofox"

local collect, said, message = collected.collect, collected.said, collected.message
local choice, call, STOP = collected.choice, collected.call, collected.STOP

describe("[S1] nothing is lost:", function()
  it("what stands beside choices, in whichever chunk", function()
    local first = { id = "x", model = "m", created = 17, system_fingerprint = "fp", citations = { "u1", "u2" },
      choices = { { index = 0, delta = { role = "assistant", content = "a", reasoning_content = "r" } } } }
    local second = { service_tier = "default", choices = { { index = 0, delta = {}, finish_reason = "stop" } } }
    local res = collect { first, second, { usage = { total_tokens = 3 } } }
    assert.same({ "x", "m", 17, "fp", { "u1", "u2" }, "default", 3, "a", "r" }, { res.id, res.model, res.created,
      res.system_fingerprint, res.citations, res.service_tier, res.usage.total_tokens, res:output_text(),
      res.choices[1].message.reasoning_content })
  end)

  it("usage from any chunk, member by member", function()
    local res = collect { { choices = {}, usage = { prompt_tokens = 5, details = { a = 1 } } },
      choice { content = "x" },
      { usage = { completion_tokens = 2, details = { b = 2 } } }, { usage = {} }, { usage = ofox.null }, STOP }
    assert.same({ prompt_tokens = 5, completion_tokens = 2, details = { a = 1, b = 2 } }, res.usage)
  end)

  it("what a choice says beside its delta", function()
    local function filter(results, logprobs)
      return { choices = { { index = 0, delta = {}, content_filter_results = results, logprobs = logprobs } } }
    end
    local res = collect { choice { content = "x" },
      filter({ hate = { filtered = false, severity = "safe" } }, { content = { { token = "x", logprob = -1 } } }),
      filter({ hate = { filtered = false, severity = "safe" }, violence = { filtered = true } },
        { content = { { token = "x", logprob = -1 } } }),
      filter(ofox.object {}, ofox.null), STOP }
    assert.same({ hate = { filtered = false, severity = "safe" }, violence = { filtered = true } },
      res.choices[1].content_filter_results)
    assert.same({ content = { { token = "x", logprob = -1 }, { token = "x", logprob = -1 } } }, res.choices[1].logprobs)
  end)

  it("lists that come whole each time, or grow, or come in parts", function()
    local res = collect { { choices = {}, citations = { "a" }, search_results = { { url = "a" } } },
      { choices = {}, citations = { "a", "b" }, search_results = { { url = "a" }, { url = "b" } } },
      { choices = {}, citations = { "c" }, search_results = {} }, choice { content = "x" }, STOP }
    assert.same({ "a", "b", "c" }, res.citations)
    assert.same({ { url = "a" }, { url = "b" } }, res.search_results)
  end)

  it("thought signatures, reasoning details, annotations", function()
    local function details(...) return choice { reasoning_details = { ... } } end
    local res = collect {
      details { type = "reasoning.text", text = "let ", format = "f1", index = 0 },
      details { type = "reasoning.text", text = "me", format = "f1", index = 0 },
      details { type = "reasoning.text", signature = "sig", format = "f1", index = 0 },
      details { type = "reasoning.encrypted", data = "zzz", id = "c1", format = "f1", index = 0 },
      choice { annotations = { { type = "url_citation", url_citation = { url = "u" } } } },
      choice { annotations = { { type = "url_citation", url_citation = { url = "v" } } } },
      choice { tool_calls = { { index = 0, id = "c1", extra_content = { google = { thought_signature = "ts" } },
        ["function"] = { name = "f", arguments = "{}" } } } },
      choice(ofox.object {}, "tool_calls") }
    local got = res.choices[1].message
    assert.same({ { type = "reasoning.text", text = "let me", format = "f1", index = 0, signature = "sig" },
      { type = "reasoning.encrypted", data = "zzz", id = "c1", format = "f1", index = 0 } }, got.reasoning_details)
    assert.same({ { type = "url_citation", url_citation = { url = "u" } },
      { type = "url_citation", url_citation = { url = "v" } } }, got.annotations)
    assert.equal("ts", got.tool_calls[1].extra_content.google.thought_signature)
  end)

  it("role and type where nobody said them", function()
    local res = collect { call(0, "a", "f", "{}"), STOP }
    local got = res.choices[1].message
    assert.same({ "assistant", "function" }, { got.role, got.tool_calls[1].type })
    assert.equal("tool", message { { role = "tool" }, { content = "x" } }.role)
  end)
end)

describe("[S2] what says nothing changes nothing:", function()
  it("Azure's filter chunks", function()
    local filters = { { prompt_index = 0, content_filter_results = { hate = { filtered = false } } } }
    local empty = { id = "", model = "", object = "", created = 0, choices = {}, prompt_filter_results = filters }
    local full = { id = "x", model = "m", object = "chat.completion.chunk", created = 5, choices = { { index = 0,
      delta = { role = "assistant", content = "", refusal = ofox.null } } } }
    local tail = { id = "", model = "", object = "", created = 0, choices = { { index = 0, finish_reason = ofox.null,
      content_filter_offsets = { start_offset = 1 }, content_filter_results = {} } } }
    local res = collect { empty, full, empty, choice { content = "Hel" }, tail, choice { role = "", content = "lo" },
      { id = "", choices = { { index = 0, delta = { content = ofox.null }, finish_reason = "stop" } } }, tail, empty }
    assert.same({ id = "x", model = "m", object = "chat.completion", created = 5, prompt_filter_results = filters,
      choices = { { index = 0, message = { role = "assistant", content = "Hello" }, finish_reason = "stop",
        content_filter_offsets = { start_offset = 1 }, content_filter_results = {} } } }, res)
  end)

  it("empty members of calls and of everything else", function()
    local res = collect { call(0, "a", "f", ""), call(0, "", "", '{"x":'), call(0, "", "", "1}"),
      choice { tool_calls = { { index = 0, id = "", type = "", ["function"] = {} } } }, choice { tool_calls = {} },
      { choices = {}, citations = { "u" } }, { choices = {}, citations = {} }, choice({}, "tool_calls"),
      choice({}, "") }
    assert.same({ { id = "a", name = "f", arguments = { x = 1 }, arguments_json = '{"x":1}' } }, res:tool_calls())
    assert.same({ { "u" }, "tool_calls" }, { res.citations, res.choices[1].finish_reason })
  end)

  it("a scalar where a table was", function()
    local res = collect { choice { content = "x", audio = { id = "a" } }, { usage = { total_tokens = 3 } },
      choice { audio = 5 }, { usage = 0 }, STOP }
    assert.same({ total_tokens = 3 }, res.usage)
    assert.same({ id = "a" }, res.choices[1].message.audio)
  end)
end)

describe("[S3] a message beside deltas", function()
  local function both(delta, whole, finish)
    return { choices = { { index = 1, delta = delta, message = whole, finish_reason = finish } } }
  end
  local CALLS = { { id = "a", type = "function", ["function"] = { name = "f", arguments = '{"a":1}' } },
    { id = "b", type = "function", ["function"] = { name = "f", arguments = '{"a":2}' } } }

  for name, sse in pairs {
    ["so far"] = { both({ content = "Hel" }, { role = "assistant", content = "Hel" }),
      both({ content = "lo" }, { role = "assistant", content = "Hello" }, "stop") },
    ["whole at the end"] = { both({ content = "Hel" }), both({ content = "lo" }),
      both({}, { role = "assistant", content = "Hello" }, "stop") },
    ["whole at the end, alone"] = { both({ content = "Hel" }), both({ content = "lo" }),
      both(nil, { role = "assistant", content = "Hello" }, "stop") },
    ["with the rest"] = { both({ content = "Hel" }), both(nil, { content = "Hello" }, "stop") },
    ["before them"] = { both(nil, { content = "" }), both({ content = "Hel" }), both({ content = "lo" }, nil, "stop") },
    ["alone, once"] = { both(nil, { role = "assistant", content = "Hello" }, "stop") },
    ["alone, so far"] = { both(nil, { content = "Hel" }), both(nil, { content = "Hello" }, "stop") },
    ["alone, in pieces"] = { both(nil, { content = "Hel" }), both(nil, { content = "lo" }, "stop") },
  } do
    it("says nothing twice: " .. name, function()
      local res = collect(sse)
      assert.same({ { index = 1, message = { role = "assistant", content = "Hello" }, finish_reason = "stop" } },
        res.choices)
    end)
  end

  it("adds what deltas have not said", function()
    local res = collect { both({ content = "x", tool_calls = { { index = 0, id = "a",
      ["function"] = { name = "f", arguments = '{"a":1}' } } } }),
      both({}, { content = "x", tool_calls = CALLS, refusal = "no", annotations = { { type = "u" } } }, "tool_calls") }
    assert.same({ role = "assistant", content = "x", tool_calls = CALLS, refusal = "no",
      annotations = { { type = "u" } } }, res.choices[1].message)
  end)

  it("has parts that are no text", function()
    local parts = { { type = "text", text = "x" }, { type = "image_url", image_url = { url = "u" } } }
    assert.same(parts, collect { both({ content = "x" }), both({}, { content = parts },
      "stop") }.choices[1].message.content)
  end)

  it("of choice 0, whose text the core has read, adds no text", function()
    local got = said("chat", { { '{"choices":[{"index":0,"delta":{"content":"Hel"},"message":{"content":"Hel"}}]}',
      "Hel" },
      { '{"choices":[{"index":0,"message":{"content":"Hello","refusal":"no"}}]}', "lo" } })
    assert.same({ role = "assistant", content = "Hello", refusal = "no" }, got.choices[1].message)
  end)
end)

describe("[S4] text is text however it comes:", function()
  local function text(value) return { type = "text", text = value } end
  local function thinking(...)
    local list = {}
    for i, value in ipairs { ... } do list[i] = text(value) end
    return { type = "thinking", thinking = list }
  end

  for name, row in pairs {
    ["strings"] = { { "Hel", "lo" }, "Hello" },
    ["numbers"] = { { "a", 1, 2.5, "b" }, "a12.5b" },
    ["lists"] = { { { text "Hel" }, { text "l", text "o" } }, "Hello" },
    ["lists of strings"] = { { { "Hel", "l" }, { "o" } }, "Hello" },
    ["one part"] = { { text "Hel", text "lo" }, "Hello" },
    ["all of them in turn"] = { { "H", { text "e" }, "l", text "l", { { type = "output_text", text = "" } }, { "o" } },
      "Hello" },
    ["empty ones"] = { { "", {}, { text "" } }, "" },
    ["parts without a type"] = { { { { text = "Hel" } }, { { text = "lo" } } }, "Hello" },
  } do
    it(name, function()
      local deltas = {}
      for i, content in ipairs(row[1]) do deltas[i] = { content = content } end
      assert.equal(row[2], message(deltas).content)
    end)
  end

  local MIXED = { { thinking "let " }, { thinking("me ", "see") }, "Hel", { text "lo" },
    { { type = "reference", reference_ids = { 1 } } }, { { type = "reference", reference_ids = { 2 } } }, " wor", "ld" }
  local SUM = { thinking "let me see", text "Hello", { type = "reference", reference_ids = { 1 } },
    { type = "reference", reference_ids = { 2 } }, text " world" }

  it("parts that are no text are kept in order beside it", function()
    local deltas = {}
    for i, content in ipairs(MIXED) do deltas[i] = { content = content } end
    local got = message(deltas)
    assert.same(SUM, got.content)
    local response = require "ofox.answer.response"
    assert.equal("Hello world", response.output_text { choices = { { message = got } } })
    assert.equal("let me see", response.reasoning { choices = { { message = got } } })
  end)

  it("those of choice 0, whose text the core has read", function()
    local list = {}
    local own = { "", "", "Hel", "lo", "", "", " wor", "ld" }
    for i, content in ipairs(MIXED) do list[i] = { json.encode(choice { content = content }), own[i] } end
    local got = said("chat", list)
    assert.same(SUM, got.choices[1].message.content)
    -- between texts of one event
    got = said("chat", { { json.encode(choice { content = { text "a世", thinking "x", text "b" } }), "a世b" } })
    assert.same({ text "a世", thinking "x", text "b" }, got.choices[1].message.content)
    -- the core has more to say than the parts, or less
    got = said("chat", { { json.encode(choice { content = { text "a", thinking "x" } }), "a世" }, { "{}", "c" } })
    assert.same({ text "a", thinking "x", text "世c" }, got.choices[1].message.content)
    got = said("chat", { { json.encode(choice { content = { text "aaa", thinking "x", text "b" } }), "世" } })
    assert.same({ text "世", thinking "x" }, got.choices[1].message.content)
  end)

  it("reasoning, too, and refusals", function()
    local got = message { { reasoning_content = "a" }, { reasoning_content = { text "b" } }, { reasoning_content = 1 },
      { refusal = "n" }, { refusal = { text "o" } } }
    assert.same({ "ab1", "no" }, { got.reasoning_content, got.refusal })
  end)

  it("other members: strings and lists and numbers in turn", function()
    local got = message { { transcript = "a" }, { transcript = 1 }, { transcript = { text "b" } }, { transcript = "c" },
      { mood = 1 }, { mood = "x" } }
    assert.same({ { text "a1bc" }, "1x" }, { got.transcript, got.mood })
  end)

  it("a thought that was signed is complete", function()
    local function block(thought, signature)
      return { thinking_blocks = { { type = "thinking", thinking = thought, signature = signature } } }
    end
    assert.same({ { type = "thinking", thinking = "ab", signature = "S1" },
      { type = "thinking", thinking = "c", signature = "S2" } },
      message { block("a", ""), block "b", block("", "S1"), block("c", ""), block("", "S2") }.thinking_blocks)
  end)
end)

describe("adding up takes a time that grows with the events, not with their square:", function()
  -- Seconds of the processor, the least of three.
  local function cost(dialect, list)
    local least = math.huge
    for _ = 1, 3 do
      collectgarbage()
      local began = os.clock()
      said(dialect, list)
      least = math.min(least, os.clock() - began)
    end
    return least
  end

  local function assert_linear(dialect, event, n)
    local lists = { {}, {} }
    for i = 1, 4 * n do
      local item = event(i)
      if i <= n then lists[1][i] = item end
      lists[2][i] = item
    end
    local small, large = cost(dialect, lists[1]), cost(dialect, lists[2])
    assert.is_true(large < 9 * small + 0.05, ("%.4f s, then %.4f s"):format(small, large))
  end

  local function delta(inner) return { '{"choices":[{"index":1,"delta":' .. inner .. "}]}" } end
  local function calls(inner) return delta('{"tool_calls":[{' .. inner .. "}]}") end

  for name, event in pairs {
    ["pieces of a name"] = function() return calls '"index":0,"function":{"name":"abcdefghijklmnopqrst"}' end,
    ["pieces of a signature"] = function(i) return delta(('{"signature":"%d%s"}'):format(i, ("s"):rep(50))) end,
    ["a name in each fragment, and pieces that open"] = function(i)
      local piece = i == 1 and '{\\"a\\":\\"' or "{b}"
      return calls('"index":0,"function":{"name":"f","arguments":"' .. piece .. '"}')
    end,
    ["ids under one index"] = function(i)
      return calls(('"index":0,"id":"%d","function":{"name":"f","arguments":"{}"}'):format(i)) end,
    ["calls without an index"] = function(i)
      return calls(('"id":"%d","function":{"name":"f","arguments":"{}"}'):format(i)) end,
    ["contents in turn"] = function(i)
      return delta(i % 2 == 1 and '{"content":"a"}' or '{"content":[{"type":"text","text":"b"},{"type":"image"}]}') end,
    ["messages in pieces"] = function(i)
      return { ('{"choices":[{"index":1,"message":{"content":"%d %s"}}]}'):format(i, ("x"):rep(30)) } end,
    ["lists beside choices"] = function(i) return { ('{"citations":["%d"],"choices":[]}'):format(i) } end,
    ["texts of choice 0"] = function() return { '{"choices":[{"index":0,"delta":{"content":"aaaa"}}]}', "aaaa" } end,
  } do
    it(name, function() assert_linear("chat", event, 400) end)
  end

  for name, event in pairs {
    ["items"] = function(i)
      return { ('{"type":"response.output_item.added","output_index":%d,"item":{"id":"%d"}}'):format(i, i) } end,
    ["deltas, each said to be done"] = function(i)
      return { i % 2 == 1 and '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"aaaaaaaa"}'
        or '{"type":"response.function_call_arguments.done","output_index":0,"arguments":"a"}' } end,
    ["parts with wild indexes"] = function(i)
      return { ('{"type":"response.reasoning_text.delta","output_index":0,"content_index":%d,"delta":"a"}'):format(-i) }
    end,
  } do
    it(name .. " of a response", function() assert_linear("responses", event, 400) end)
  end
end)
