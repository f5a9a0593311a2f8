-- What the events of a stream add up to, rule by rule: what providers are known
-- to send, and what nobody has sent yet.
local json = require "ofox.json"
local merge = require "ofox.answer.collect"
local mock = require "ofox.mock"
local ofox = require "ofox"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local function setup(opts)
  local transport = mock.new()
  local all = { api_key = "sk-secret-1234567890", transport = transport, errors = "return", max_retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

-- Collects events, each a table or its JSON.
local function collect(sse, opts)
  local client, transport = setup(opts)
  transport:reply { sse = sse }
  return assert(assert(client:stream(PARAMS)):collect())
end

local function respond(sse)
  local client, transport = setup()
  transport:reply { sse = sse }
  return assert(assert(client:responses { model = "m", input = "hi", stream = true }):collect())
end

-- Adds up events as the core hands them over: each {json, its text [, name]}.
local function said(dialect, list)
  local text, events = "", {}
  for i, event in ipairs(list) do
    local from = #text
    text = text .. (event[2] or "")
    events[i] = { event[1], from, #text, event[3] }
  end
  return merge.answer(dialect, text, events, json.decode_piece)
end

local function choice(delta, finish, index)
  return { choices = { { index = index or 0, delta = delta, finish_reason = finish } } }
end

local function call(index, id, name, arguments)
  return choice { tool_calls = { { index = index, id = id, ["function"] = { name = name, arguments = arguments } } } }
end

local STOP = choice(ofox.object {}, "stop")

-- The message that deltas of choice 1 (the second) come to.
local function message(deltas)
  local sse = {}
  for i, delta in ipairs(deltas) do
    sse[i] = type(delta) == "string" and '{"choices":[{"index":1,"delta":' .. delta .. "}]}" or choice(delta, nil, 1)
  end
  sse[#sse + 1] = choice(ofox.object {}, "stop", 1)
  local res = collect(sse)
  return res.choices[1].message
end

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

describe("[S5] elements are the same if index, id and type do not differ:", function()
  local function calls(sse)
    sse[#sse + 1] = choice(ofox.object {}, "tool_calls")
    local list = {}
    for i, one in ipairs(collect(sse):tool_calls()) do
      list[i] = ("%s %s %s"):format(tostring(one.id), tostring(one.name), tostring(one.arguments_json))
    end
    return list
  end
  local AB = { 'a f {"x":1}', 'b g {"y":2}' }

  for name, sse in pairs {
    ["ids differ under one index"] = { call(0, "a", "f", '{"x":1}'), call(0, "b", "g", '{"y":2}') },
    ["ids differ, in fragments"] = { call(0, "a", "f", '{"x"'), call(0, "a", nil, ":1}"), call(0, "b", "g", '{"y"'),
      call(0, nil, nil, ":2}") },
    ["ids differ, fragments in turn"] = { call(0, "a", "f", '{"x"'), call(0, "b", "g", '{"y"'), call(0, "a", "f",
      ":1}"),
      call(0, "b", "g", ":2}") },
    ["an index each"] = { call(0, "a", "f", '{"x"'), call(1, "b", "g", '{"y"'), call(0, "", "", ":1}"),
      call(1, nil, nil, ":2}") },
    ["indexes as strings"] = { call("0", "a", "f", '{"x"'), call("1", "b", "g", '{"y"'), call(0, nil, nil, ":1}"),
      call("1", nil, nil, ":2}") },
    ["the later index first"] = { call(1, "b", "g", '{"y":2}'), call(0, "a", "f", '{"x":1}') },
    ["an id that comes later"] = { call(0, nil, "f", ""), call(0, "a", nil, '{"x":1}'), call(1, "", "g", '{"y"'),
      call(1, "b", nil, ":2}") },
    ["all that is known in each fragment"] = { call(0, "a", "f", ""), call(0, "a", "f", '{"x"'), call(0, "a", "f",
      ":1}"),
      call(1, "b", "g", ""), call(1, "b", "g", '{"y"'), call(1, "b", "g", ":2}") },
    ["two in one delta"] = { choice { tool_calls = {
      { index = 0, id = "a", ["function"] = { name = "f", arguments = '{"x":1}' } },
      { index = 1, id = "b", ["function"] = { name = "g", arguments = '{"y":2}' } } } } },
    ["one whole, then again"] = { call(0, "a", "f", '{"x":1}'), call(0, "a", "f", '{"x":1}'),
      call(0, "b", "g", '{"y":2}') },
    ["types differ"] = { choice { tool_calls = { { index = 0, type = "custom", id = "a",
      custom = { name = "f", input = '{"x":1}' } } } }, call(1, "b", "g", '{"y":2}') },
  } do
    it(name, function() assert.same(AB, calls(sse)) end)
  end

  it("another type is another entry", function()
    assert.same({ 'nil f {"x":1}', "nil g in" }, calls { choice { tool_calls = {
      { index = 0, type = "function", ["function"] = { name = "f", arguments = '{"x":1}' } } } },
      choice { tool_calls = { { index = 0, type = "custom", custom = { name = "g", input = "i" } } } },
      choice { tool_calls = { { index = 0, type = "custom", custom = { input = "n" } } } } })
  end)

  it("no id at all: arguments that have ended do not begin once more", function()
    assert.same({ ' f {"x":1}', ' f {"x":2}', ' g {"y":"{"}' }, calls { call(0, "", "f", '{"x":1}'),
      call(0, "", "f", '{"x":2}'), call(0, "", "g", '{"y":'), call(0, "", "g", '"{"'), call(0, "", "g", "}") })
  end)

  it("objects as arguments", function()
    local res = collect { call(0, "a", "f", { city = "Bern" }), call(0, "a", "f", { city = "Bern" }),
      call(1, "b", "g", ofox.object {}), call(1, "b", "g", '{"y"'), call(1, "b", "g", ":2}"), STOP }
    assert.same({ { city = "Bern" }, { y = 2 } }, { res:tool_calls()[1].arguments, res:tool_calls()[2].arguments })
  end)

  it("many under one index stay in their order", function()
    local sse, expected = {}, {}
    for i = 1, 30 do
      sse[i] = call(0, "id" .. i, "f", "{}")
      expected[i] = ("id%d f {}"):format(i)
    end
    assert.same(expected, calls(sse))
  end)
end)

describe("[S6] tool calls without an index:", function()
  local function calls(sse)
    sse[#sse + 1] = choice(ofox.object {}, "tool_calls")
    local list = {}
    for i, one in ipairs(collect(sse):tool_calls()) do
      list[i] = ("%s %s %s"):format(tostring(one.id), tostring(one.name), tostring(one.arguments_json))
    end
    return list
  end

  for name, row in pairs {
    ["arguments alone go on"] = { { call(nil, "a", "f", ""), call(nil, nil, nil, '{"x"'), call(nil, nil, nil, ":1}") },
      { 'a f {"x":1}' } },
    ["empty ids and names say nothing"] = { { call(nil, "a", "f", ""), call(nil, "", "", '{"x"'), call(nil, "", "",
      ":1}") },
      { 'a f {"x":1}' } },
    ["the index null"] = { { call(ofox.null, "a", "f", ""), call(ofox.null, ofox.null, ofox.null, '{"x":1}') },
      { 'a f {"x":1}' } },
    ["the same id"] = { { call(nil, "a", "f", ""), call(nil, "a", nil, '{"x"'), call(nil, "a", "f", ":1}") },
      { 'a f {"x":1}' } },
    ["the same name, no id"] = { { call(nil, nil, "f", '{"x"'), call(nil, nil, "f", ":1}") }, { 'nil f {"x":1}' } },
    ["another id"] = { { call(nil, "a", "f", '{"x":1}'), call(nil, "b", "f", '{"x"'), call(nil, nil, nil, ":2}") },
      { 'a f {"x":1}', 'b f {"x":2}' } },
    ["another name, no id"] = { { call(nil, nil, "f", '{"x":1}'), call(nil, nil, "g", ""), call(nil, nil, nil, "{}") },
      { 'nil f {"x":1}', "nil g {}" } },
    ["the same name once more"] = { { call(nil, nil, "f", '{"x":1}'), call(nil, nil, "f", '{"x":2}') },
      { 'nil f {"x":1}', 'nil f {"x":2}' } },
    ["an id that comes later"] = { { call(nil, nil, "f", ""), call(nil, "a", nil, '{"x":1}') }, { 'a f {"x":1}' } },
    ["an id before all else"] = { { choice { tool_calls = { { id = "a", type = "function" } } },
      call(nil, nil, "f", '{"x":1}') }, { 'a f {"x":1}' } },
    ["an index that is left out later"] = { { call(0, "a", "f", ""), call(nil, "a", nil, '{"x"'), call(nil, nil, nil,
      ":1}") },
      { 'a f {"x":1}' } },
    ["an index that comes later"] = { { call(nil, "a", "f", ""), call(0, "a", nil, '{"x"'), call(0, nil, nil, ":1}") },
      { 'a f {"x":1}' } },
    ["two in one delta"] = { { choice { tool_calls = { { ["function"] = { name = "f", arguments = '{"x":1}' } },
      { ["function"] = { name = "f", arguments = '{"x":1}' } } } } }, { 'nil f {"x":1}', 'nil f {"x":1}' } },
    ["two in one delta with ids"] = { { choice { tool_calls = {
      { id = "a", ["function"] = { name = "f", arguments = "" } }, { id = "b", ["function"] = { name = "f",
        arguments = "" } } } },
      call(nil, "a", nil, "{}"), call(nil, "b", nil, "[]") }, { "a f {}", "b f []" } },
    ["one and its rest in one delta"] = { { choice { tool_calls = { { id = "a", ["function"] = { name = "f",
      arguments = "{" } },
      { ["function"] = { arguments = "}" } } } } }, { "a f {}" } },
  } do
    it(name, function() assert.same(row[2], calls(row[1])) end)
  end

  it("the call that tools have replaced", function()
    local res = collect { choice { role = "assistant", ["function_call"] = { name = "get_", arguments = "" } },
      choice { ["function_call"] = { name = "weather", arguments = '{"x"' } },
      choice { ["function_call"] = { name = "get_weather", arguments = ":1}" } },
      choice({}, "function_call") }
    assert.same({ { name = "get_weather", arguments = { x = 1 }, arguments_json = '{"x":1}' } }, res:tool_calls())
    assert.equal("tool_calls", res:finish_reason())
  end)
end)

describe("names come whole or in pieces:", function()
  for name, pieces in pairs {
    ["whole"] = { "get_weather" }, ["in pieces"] = { "get", "_", "weather" }, ["again"] = { "get_weather",
      "get_weather" },
    ["in pieces, then again"] = { "get_", "weather", "get_weather" }, ["so far"] = { "get_", "get_wea", "get_weather" },
    ["with nothing between"] = { "", "get_weather", "", "" },
  } do
    it(name, function()
      local sse = {}
      for i, piece in ipairs(pieces) do sse[i] = call(0, i == 1 and "a" or nil, piece, i == #pieces and "{}" or "") end
      sse[#sse + 1] = STOP
      assert.equal("get_weather", collect(sse):tool_calls()[1].name)
    end)
  end
end)

describe("[S7] arguments", function()
  for text, expected in pairs { [""] = {}, [" "] = {}, ["\n\t "] = {}, ["{}"] = {}, ['{"a":1}'] = { a = 1 } } do
    it(("%q are what they mean"):format(text), function()
      local one = collect { call(0, "a", "f", text), STOP }:tool_calls()[1]
      assert.same(expected, one.arguments)
      assert.equal(text, one.arguments_json)
    end)
  end

  it("that are no JSON are nil, absent ones are none", function()
    local res = collect { call(0, "a", "f", "{x"), call(1, "b", "g"), STOP }
    assert.is_nil(res:tool_calls()[1].arguments)
    assert.equal("{x", res:tool_calls()[1].arguments_json)
    assert.same({ id = "b", name = "g", arguments = {} }, res:tool_calls()[2])
  end)
end)

describe("[S8] halves that fall into two pieces are put together:", function()
  local HALF = "\239\191\189"
  local function twice(name, first, second)
    return message { ('{"%s":"a%s"}'):format(name, first), ('{"%s":"%sb"}'):format(name, second) }[name]
  end

  for _, name in ipairs { "content", "reasoning_content", "reasoning", "refusal", "whatever" } do
    it("in " .. name, function()
      assert.equal("a😀b", twice(name, "\\ud83d", "\\ude00"))
      assert.equal("a😀b", twice(name, "\\uD83D", "\\uDE00"))
      assert.equal("a世b", twice(name, "\228\184", "\150"))
      assert.equal("a世b", twice(name, "\228", "\184\150"))
      assert.equal("a" .. HALF .. "b", twice(name, "\\ud83d", ""))
      assert.equal("a" .. HALF .. "b", twice(name, "", "\\ude00"))
      assert.equal("a" .. HALF .. HALF .. "b", twice(name, "\\ude00", "\\ud83d"))
      assert.equal("a" .. HALF .. "😀b", twice(name, "\\ud83d\\ud83d", "\\ude00"))
      assert.equal("a" .. HALF .. "b", twice(name, "\228\184", ""))
    end)
  end

  it("in arguments, and in lists of parts", function()
    local res = collect { '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":'
      .. '{"name":"f","arguments":"{\\"x\\":\\"\\ud83d"}}]}}]}',
      '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\ude00\\"}"}}]}}]}', STOP }
    assert.same({ x = "😀" }, res:tool_calls()[1].arguments)
    local got = message { '{"content":[{"type":"text","text":"\\ud83d"}]}', '{"content":"\\ude00"}',
      '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"\\ud83d"}]}]}',
      '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"\\ude00"}]}]}' }
    assert.same({ { type = "text", text = "😀" }, { type = "thinking", thinking = { { type = "text",
      text = "😀" } } } },
      got.content)
  end)

  it("and nothing invalid is left anywhere, in names either", function()
    local res = collect { '{"choices":[],"x":"\255","\\ud83d":{"y":["\\ude00\128"]}}', choice { content = "x" }, STOP }
    assert.equal(HALF, res.x)
    assert.same({ y = { HALF .. HALF } }, res[HALF])
    assert(json.encode(res))
  end)

  it("whatever the program's decoder is", function()
    local sse = { '{"choices":[{"index":1,"delta":{"content":"\\ud83d"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"\\ude00"},"finish_reason":"stop"}]}' }
    local res = collect(sse, { json = require "cjson".decode })
    assert.equal("😀", res.choices[1].message.content)
    -- one that wants valid text has it
    local function strict(text)
      if json.join(text) ~= text then error("invalid UTF-8", 0) end
      return json.decode(text)
    end
    res = collect(sse, { json = strict })
    assert.equal(HALF .. HALF, res.choices[1].message.content)
  end)

  it("in the texts of a response", function()
    local got = said("responses", {
      { '{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","arguments":""}}' },
      { '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"\\ud83d"}' },
      { '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"\\ude00"}' } })
    assert.equal("😀", got.output[1].arguments)
  end)
end)

describe("[S9] a response whose last event carries less than was streamed:", function()
  local function event(name, fields)
    fields.type = "response." .. name
    return fields
  end
  local function streamed(final)
    return {
      event("created", { response = { id = "r", object = "response", status = "in_progress", model = "m",
        instructions = "be kind", output = {} } }),
      event("output_item.added", { output_index = 0, item = { id = "rs", type = "reasoning", summary = {} } }),
      event("reasoning_summary_part.added", { item_id = "rs", output_index = 0, summary_index = 0,
        part = { type = "summary_text", text = "" } }),
      event("reasoning_summary_text.delta", { item_id = "rs", output_index = 0, summary_index = 0, delta = "h" }),
      event("reasoning_summary_text.delta", { item_id = "rs", output_index = 0, summary_index = 0, delta = "m" }),
      event("output_item.added", { output_index = 1, item = { id = "m", type = "message", role = "assistant",
        status = "in_progress", content = {} } }),
      event("content_part.added", { item_id = "m", output_index = 1, content_index = 0,
        part = { type = "output_text", text = "", annotations = {} } }),
      event("output_text.delta", { item_id = "m", output_index = 1, content_index = 0, delta = "Hel" }),
      event("output_text.delta", { item_id = "m", output_index = 1, content_index = 0, delta = "lo" }),
      event("output_text.annotation.added", { item_id = "m", output_index = 1, content_index = 0, annotation_index = 0,
        annotation = { type = "url_citation", url = "u" } }),
      event("content_part.added", { item_id = "m", output_index = 1, content_index = 1,
        part = { type = "refusal", refusal = "" } }),
      event("refusal.delta", { item_id = "m", output_index = 1, content_index = 1, delta = "n" }),
      event("refusal.delta", { item_id = "m", output_index = 1, content_index = 1, delta = "o" }),
      event("output_item.added", { output_index = 2, item = { id = "fc", type = "function_call", call_id = "c1",
        name = "f", arguments = "" } }),
      event("function_call_arguments.delta", { item_id = "fc", output_index = 2, delta = '{"x"' }),
      event("output_item.added", { output_index = 3, item = { id = "ct", type = "custom_tool_call", call_id = "c2",
        name = "g", input = "" } }),
      event("function_call_arguments.delta", { item_id = "fc", output_index = 2, delta = ":1}" }),
      event("custom_tool_call_input.delta", { item_id = "ct", output_index = 3, delta = "ab" }),
      event("completed", { response = final }),
    }
  end
  local WHOLE = {
    { id = "rs", type = "reasoning", summary = { { type = "summary_text", text = "hm" } } },
    { id = "m", type = "message", role = "assistant", status = "in_progress", content = {
      { type = "output_text", text = "Hello", annotations = { { type = "url_citation", url = "u" } } },
      { type = "refusal", refusal = "no" } } },
    { id = "fc", type = "function_call", call_id = "c1", name = "f", arguments = '{"x":1}' },
    { id = "ct", type = "custom_tool_call", call_id = "c2", name = "g", input = "ab" },
  }
  local function copy(value)
    if type(value) ~= "table" then return value end
    local made = {}
    for key, member in pairs(value) do made[key] = copy(member) end
    return made
  end
  local function final(output)
    return { id = "r", object = "response", status = "completed", model = "m", output = output,
      usage = { input_tokens = 3, output_tokens = 4, total_tokens = 7 } }
  end

  local bare, other_ids = copy(WHOLE), copy(WHOLE)
  bare[1].summary, bare[2].content, bare[3].arguments, bare[4].input = {}, {}, "", nil
  for _, item in ipairs(other_ids) do item.id = item.id .. "2" end
  for name, output in pairs { ["no output"] = {}, ["all of it"] = WHOLE, ["items without what they say"] = bare,
    ["only some items"] = { { id = "fc", type = "function_call", call_id = "c1", name = "f", arguments = "" } },
    ["items with other ids"] = other_ids, ["null"] = ofox.null } do
    it(name, function()
      local res = respond(streamed(final(output)))
      for _, item in ipairs(res.output) do item.id = item.id:gsub("2$", "") end
      assert.same(WHOLE, res.output)
      assert.same({ "completed", "Hello", "be kind", 7 },
        { res.status, res:output_text(), res.instructions, res.usage.total_tokens })
      assert.same({ { x = 1 }, "ab" }, { res:tool_calls()[1].arguments, res:tool_calls()[2].arguments_json })
      assert.equal("hm", require "ofox.answer.response".reasoning(res))
    end)
  end

  it("more than was streamed counts, too", function()
    local more = copy(WHOLE)
    more[2].content[1].text, more[2].status, more[5] = "Hello!", "completed", { id = "x", type = "web_search_call" }
    assert.same(more, respond(streamed(final(more))).output)
  end)

  it("nothing but text was announced", function()
    local res = respond { event("output_text.delta", { item_id = "m", output_index = 0, content_index = 0,
      delta = "Hel" }),
      event("output_text.delta", { item_id = "m", output_index = 0, content_index = 0, delta = "lo" }),
      event("output_text.done", { item_id = "m", output_index = 0, content_index = 0, text = "Hello" }),
      event("output_item.done", { output_index = 0, item = { id = "m", type = "message", role = "assistant",
        content = { { type = "output_text", text = "Hello" } } } }), event("completed",
          { response = { status = "completed" } }) }
    assert.same({ { id = "m", type = "message", role = "assistant", content = { { type = "output_text",
      text = "Hello" } } } },
      res.output)
  end)

  it("what was only said when it was done", function()
    local res = respond { event("output_item.added", { output_index = 0, item = { id = "f", type = "function_call" } }),
      event("function_call_arguments.done", { output_index = 0, item_id = "f", arguments = "{}", name = "f" }),
      event("output_text.done", { output_index = 1, content_index = 0, text = "Hi" }),
      event("completed", { response = { status = "completed", output = {} } }) }
    assert.equal("{}", res.output[1].arguments)
    assert.equal("Hi", res.output[2].content[1].text)
  end)

  it("[S10] the name of an event stands in for its type", function()
    local got = said("responses", {
      { '{"item":{"type":"function_call","name":"f"},"output_index":0}', nil, "response.output_item.added" },
      { '{"output_index":0,"delta":"{"}', nil, "response.function_call_arguments.delta" },
      { '{"output_index":1,"content_index":0,"delta":"r"}', nil, "response.reasoning_text.delta" },
      { '{"output_index":0,"delta":"}"}', nil, "response.function_call_arguments.delta" },
      { '{"response":{"status":"completed"}}', nil, "response.completed" } })
    assert.same({ { type = "function_call", name = "f", arguments = "{}" },
      { type = "reasoning", content = { { type = "reasoning_text", text = "r" } } } }, got.output)
  end)

  it("parts with wild indexes are few", function()
    local got = said("responses", {
      { '{"type":"response.reasoning_text.delta","output_index":1e300,"content_index":7,"delta":"a"}' },
      { '{"type":"response.reasoning_text.delta","output_index":1e300,"content_index":7,"delta":"b"}' },
      { '{"type":"response.refusal.delta","output_index":{},"content_index":-1,"delta":"n"}' },
      { '{"type":"response.refusal.delta","output_index":"x","content_index":-1,"delta":"o"}' } })
    assert.same({ { type = "reasoning", content = { { type = "reasoning_text", text = "ab" } } },
      { type = "message", role = "assistant", content = { { type = "refusal", refusal = "no" } } } }, got.output)
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
