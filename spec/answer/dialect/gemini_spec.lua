-- What the events of Gemini's protocol add up to.
local collected = require "support.collected"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"
local response = require "ofox.answer.response"

local PARAMS = { model = "google/g", contents = { { parts = { { text = "hi" } } } }, stream = true }

local function open(sse)
  local transport = mock.new():reply { sse = sse }
  local client = ofox.new { api_key = "sk-secret-1234567890", transport = transport, errors = "return",
    max_retries = 0 }
  return assert(client:generate_content(PARAMS)), client
end

local function event(parts, rest, index)
  local candidate = { content = { parts = parts, role = "model" }, index = index }
  for key, value in pairs(rest or {}) do candidate[key] = value end
  return { candidates = { candidate }, modelVersion = "g-1", responseId = "r",
    usageMetadata = { promptTokenCount = 4, candidatesTokenCount = 9, totalTokenCount = 15, thoughtsTokenCount = 2 } }
end

describe("an answer of Gemini's in events", function()
  it("has thoughts, text, calls with signatures, its reason and usage", function()
    local res = assert(open {
      event { { text = "I ", thought = true } }, event { { text = "think", thought = true }, { text = "Hel" } },
      event { { text = "lo" }, { text = " there" } }, event { { text = "", thoughtSignature = "c2ln" } },
      event { { functionCall = { name = "f", args = { a = 1 } }, thoughtSignature = "c2ln" },
        { functionCall = { name = "g", id = "2" } } },
      event({ { inlineData = { mimeType = "image/png", data = "AA==" } } }, { finishReason = "STOP",
        safetyRatings = { { category = "c", probability = "LOW" } } }),
    }:collect())
    assert.same({
      { text = "I think", thought = true }, { text = "Hello there", thoughtSignature = "c2ln" },
      { functionCall = { name = "f", args = { a = 1 } }, thoughtSignature = "c2ln" },
      { functionCall = { name = "g", id = "2" } }, { inlineData = { mimeType = "image/png", data = "AA==" } },
    }, res.candidates[1].content.parts)
    assert.same({ "model", "STOP", 0, "g-1", "r" }, { res.candidates[1].content.role, res.candidates[1].finishReason,
      res.candidates[1].index, res.modelVersion, res.responseId })
    assert.same({ { category = "c", probability = "LOW" } }, res.candidates[1].safetyRatings)
    assert.same({ "Hello there", "I think", "tool_calls" }, { res:output_text(), response.reasoning(res),
      res:finish_reason() })
    assert.same({ input = 4, output = 11, reasoning = 2, total = 15 }, res:usage())
    assert.same({ { "f", { a = 1 } }, { "g", {} } }, { { res:tool_calls()[1].name, res:tool_calls()[1].arguments },
      { res:tool_calls()[2].name, res:tool_calls()[2].arguments } })
  end)

  it("begins a new part of text behind a signature", function()
    local got = collected.said("gemini", { { json.encode(event { { text = "a", thoughtSignature = "x" } }), "a" },
      { json.encode(event { { text = "b" } }), "b" } })
    assert.same({ { text = "a", thoughtSignature = "x" }, { text = "b" } }, got.candidates[1].content.parts)
  end)

  it("has several candidates", function()
    local stream = open { event({ { text = "a" } }, nil, 0), event({ { text = "x" } }, nil, 1),
      event({ { text = "b" } }, { finishReason = "STOP" }, 0),
      event({ { text = "y" } }, { finishReason = "MAX_TOKENS" }, 1) }
    local res = assert(stream:collect())
    assert.same({ "ab", "xy", "MAX_TOKENS" }, { res:output_text(), res.candidates[2].content.parts[1].text,
      res.candidates[2].finishReason })
  end)

  it("may be refused, before it or in it", function()
    local res = assert(open { { promptFeedback = { blockReason = "OTHER" } } }:collect())
    assert.same({ "content_filter", "", "OTHER" }, { res:finish_reason(), res:output_text(),
      res.promptFeedback.blockReason })
    res = assert(open { event { { text = "a" } }, { candidates = { { finishReason = "SAFETY" } } } }:collect())
    assert.same({ "content_filter", "a" }, { res:finish_reason(), res:output_text() })
  end)

  it("is truncated without a reason, whatever follows", function()
    for _, last in ipairs { "[DONE]", json.encode { usageMetadata = { promptTokenCount = 1 } } } do
      local _, err = open { event { { text = "a" } }, last }:collect()
      assert.same({ "stream_error", "truncated", "a" }, { err.type, err.code, err.partial.text })
      assert.is_table(err.partial.usage)
    end
  end)

  it("says what was counted last, though events differ in text and counts alone", function()
    local function counted(text, n)
      return { candidates = { { content = { parts = { { text = text } } } } }, usageMetadata = {
        promptTokenCount = 4, candidatesTokenCount = n, totalTokenCount = 4 + n } }
    end
    for _, last in ipairs { "none", "unlike", "error" } do
      local sse = { counted("a", 1), counted("b", 9), counted("c", 10), counted("d", 11) }
      sse[5] = ({ unlike = { candidates = { { content = { parts = { { executableCode = { code = "x" } } } } } } },
        error = { error = { code = 500, message = "no" } } })[last]
      local stream, client = open(sse)
      local _, err = stream:collect()
      assert.same({ "abcd", { promptTokenCount = 4, candidatesTokenCount = 11, totalTokenCount = 15 } },
        { err.partial.text, err.partial.usage })
      assert.same({ 4, 11 }, { client:stats().tokens.input, client:stats().tokens.output })
    end
    local sse = { counted("a", 1), counted("b", 2), counted("c", 3), { candidates = { { finishReason = "STOP" } } } }
    local stream, client = open(sse)
    local res = assert(stream:collect())
    assert.same({ { { text = "abc" } }, 3, 4 }, { res.candidates[1].content.parts, res:usage().output,
      client:stats().tokens.input })
    local counts = {}
    for chunk in open(sse):chunks() do
      counts[#counts + 1] = chunk.usageMetadata and chunk.usageMetadata.totalTokenCount
    end
    assert.same({ 5, 6, 7 }, counts)
  end)

  it("joins halves of characters, in one event or several", function()
    local function raw(inner) return '{"candidates":[{"content":{"parts":[' .. inner .. "]}}]}" end
    local res = assert(open { raw '{"text":"\\ud83d"}', raw '{"text":"\\ude00"}',
      raw '{"text":"\\ud83d"},{"text":"\\ude00!"}',
      event({}, { finishReason = "STOP" }) }:collect())
    assert.same({ "😀😀!", { { text = "😀😀!" } } }, { res:output_text(), res.candidates[1].content.parts })
  end)
end)

describe("a call of Gemini's that is streamed", function()
  local function call(fields, rest) return event({ { functionCall = fields } }, rest) end
  local function piece(path, value, more) return { jsonPath = path, stringValue = value, willContinue = more } end
  local STOP = event({}, { finishReason = "STOP" })

  it("is one part with its arguments", function()
    local res = assert(open { call { name = "f", willContinue = true },
      call { partialArgs = { piece("$.city", "Pa", true) }, willContinue = true },
      call { willContinue = true, partialArgs = { piece("$.city", "ris"),
        { jsonPath = "$.n[0]", numberValue = 1.5 } } },
      call { willContinue = true, partialArgs = { { jsonPath = "$.n[1]", nullValue = "NULL_VALUE" },
        { jsonPath = "$.on", boolValue = false } } }, call(ofox.object {}), event { { text = "so" } },
      call { name = "g", willContinue = true }, call(ofox.object {}), STOP }:collect())
    assert.same({ { functionCall = { name = "f", args = { city = "Paris", n = { 1.5, json.null }, on = false } } },
      { text = "so" }, { functionCall = { name = "g", args = {} } } }, res.candidates[1].content.parts)
    assert.equal("{}", json.encode(res.candidates[1].content.parts[3].functionCall.args))
    local calls = res:tool_calls()
    assert.same({ 2, "f", "Paris", "g", {}, "tool_calls", "so" }, { #calls, calls[1].name, calls[1].arguments.city,
      calls[2].name, calls[2].arguments, res:finish_reason(), res:output_text() })
  end)

  it("is told from others by its id, or by its turn", function()
    local res = assert(open { call { name = "f", id = "1", willContinue = true },
      call { name = "f", id = "2", willContinue = true },
      call { id = "1", partialArgs = { piece("$.a", "x", true) }, willContinue = true },
      call { id = "2", name = "f", partialArgs = { piece("$.a", "y") } },
      call { id = "1", partialArgs = { piece("$.a", "z") } },
      call { name = "g", args = { b = 1 } }, call { name = "g", args = { b = 2 } },
      call { name = "h", willContinue = true }, call { name = "h", partialArgs = { piece("$.c", "w") } },
      call { name = "i", willContinue = true }, call { name = "i", willContinue = true }, call(ofox.object {}), STOP,
    }:collect())
    local calls = {}
    for i, one in ipairs(res:tool_calls()) do calls[i] = one.name .. (one.id or "") .. one.arguments_json end
    assert.same({ 'f1{"a":"xz"}', 'f2{"a":"y"}', 'g{"b":1}', 'g{"b":2}', 'h{"c":"w"}', "i{}", "i{}" }, calls)
  end)

  it("has the arguments of a part without a name, and its signature", function()
    local res = assert(open { call { name = "f", args = ofox.object {} }, call { args = { a = 1 } },
      event { { functionCall = { args = { b = { 2 } } }, thoughtSignature = "c2ln" } }, STOP }:collect())
    assert.same({ { functionCall = { name = "f", args = { a = 1, b = { 2 } } }, thoughtSignature = "c2ln" } },
      res.candidates[1].content.parts)
    res = assert(open { call(ofox.object {}), call { args = { a = 1 } }, STOP }:collect())
    assert.same({ { functionCall = { args = { a = 1 } } } }, res.candidates[1].content.parts)
  end)

  it("is whole once its answer has stopped, and else no JSON", function()
    local begun = { call { name = "f", id = "1", willContinue = true },
      call { partialArgs = { piece("$.a", "x", true) }, willContinue = true } }
    for reason, arguments in pairs { STOP = '{"a":"x"}', MAX_TOKENS = '{"a":"x"' } do
      local res = assert(open { begun[1], begun[2], event({}, { finishReason = reason }) }:collect())
      assert.equal(arguments, res:tool_calls()[1].arguments_json)
      assert.equal(reason == "STOP" and "x" or nil, (res:tool_calls()[1].arguments or {}).a)
    end
    local _, err = open(begun):collect()
    assert.same({ code = "truncated", calls = { { id = "1", name = "f", arguments_json = '{"a":"x"' } } },
      { code = err.code, calls = err.partial.tool_calls })
    _, err = open { begun[1] }:collect()
    assert.equal("{", err.partial.tool_calls[1].arguments_json)
  end)

  it("joins halves of characters", function()
    local function raw(inner)
      return '{"candidates":[{"content":{"parts":[{"functionCall":{' .. inner .. ',"willContinue":true}}]}}]}'
    end
    local res = assert(open { raw '"name":"f"', raw '"partialArgs":[{"jsonPath":"$.a","stringValue":"\\ud83d"}]',
      raw '"partialArgs":[{"jsonPath":"$.a","stringValue":"\\ude00"}]', STOP }:collect())
    assert.equal("😀", res:tool_calls()[1].arguments.a)
  end)

  it("survives pieces of any kind", function()
    for _, pieces in ipairs { 1, "x",
      { 1, {}, { jsonPath = 1 }, { jsonPath = "$" }, { stringValue = "a" } },
      { { jsonPath = "$.a", stringValue = {} } }, { { jsonPath = "$.a.b", stringValue = "x" } } } do
      assert(open { call { name = "f", willContinue = true, partialArgs = pieces },
        call { args = 7, partialArgs = pieces },
        call { name = 3, id = {}, args = "x", partialArgs = pieces, willContinue = "yes" }, STOP }:collect())
    end
  end)
end)

describe("a part of Gemini's", function()
  local function parts(list)
    local sse = {}
    for i, one in ipairs(list) do sse[i] = event(one) end
    sse[#sse + 1] = event({ { text = "" } }, { finishReason = "STOP" })
    return assert(open(sse):collect()).candidates[1].content.parts
  end

  it("that says nothing is none", function()
    assert.same({ { functionCall = { name = "f" } } }, parts { { { functionCall = { name = "f" } } },
      { { text = "" } }, { { text = "", thought = true }, {}, json.null } })
    assert.same({ { text = "ab" } },
      parts { { { text = "a" } }, { { text = "", thought = true } }, { { text = "b" } } })
  end)

  it("with a signature alone is one, behind what is no text", function()
    assert.same({ { functionCall = { name = "f" } }, { text = "", thoughtSignature = "s" }, { text = "a" } },
      parts { { { functionCall = { name = "f" } } }, { { text = "", thoughtSignature = "s" } }, { { text = "a" } } })
  end)

  it("has its own share of the text where characters were cut", function()
    local function raw(inner) return '{"candidates":[{"content":{"parts":[' .. inner .. "]}}]}" end
    local res = assert(open { raw '{"text":"a\\ud83d"}',
      raw '{"text":"\\ude00b","thoughtSignature":"s"},{"text":"c"}', raw '{"text":"\\ud83d"}',
      raw '{"text":"\\ude00"},{"text":"t","thought":true},{"text":"\195"}', raw '{"text":"\169"}',
      event({}, { finishReason = "STOP" }) }:collect())
    assert.same({ { text = "a😀b", thoughtSignature = "s" }, { text = "c😀" }, { text = "t", thought = true },
      { text = "é" } }, res.candidates[1].content.parts)
  end)
end)

describe("what stands beside the parts of Gemini's", function()
  it("is said in pieces, or again", function()
    local token = { token = "a", logProbability = -1 }
    local odds = { chosenCandidates = { token }, topCandidates = { { candidates = { token } } } }
    local res = assert(open {
      event({ { text = "a" } }, { logprobsResult = odds, citationMetadata = { citationSources = { { uri = "u" } } },
        groundingMetadata = ofox.object {} }),
      event({ { text = "b" } }, { logprobsResult = odds,
        citationMetadata = { citationSources = { { uri = "v" } } }, groundingMetadata = { webSearchQueries = { "q" } },
        finishReason = "STOP", avgLogprobs = -0.25 }),
      { usageMetadata = { promptTokenCount = 4, totalTokenCount = 99 } },
    }:collect())
    local candidate = res.candidates[1]
    assert.same({ { token, token }, 2, { { uri = "u" }, { uri = "v" } }, { webSearchQueries = { "q" } }, -0.25, 99 },
      { candidate.logprobsResult.chosenCandidates, #candidate.logprobsResult.topCandidates,
        candidate.citationMetadata.citationSources, candidate.groundingMetadata, candidate.avgLogprobs,
        res:usage().total })
  end)
end)

describe("an answer of Gemini's sent whole in answer to a stream request", function()
  it("is one chunk", function()
    local body = event({ { text = "Hi" } }, { finishReason = "STOP" })
    local transport = mock.new():always { body = body }
    local client = ofox.new { api_key = "sk-secret-1234567890", transport = transport }
    assert.same(body, client:generate_content(PARAMS):next())
    assert.equal("Hi", client:generate_content(PARAMS):read())
    assert.equal("Hi", client:generate_content(PARAMS):collect():output_text())
    assert.equal(12, client:stats().tokens.input)
  end)
end)
