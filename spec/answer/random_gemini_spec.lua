-- Random answers of Gemini's protocol, cut into random events: what they add up to is
-- the answer.
local chance = require "support.chance"
local json = require "ofox.json"
local ofox = require "ofox"
local random_json = require "support.random_json"
local random_stream = require "support.random_stream"
local response = require "ofox.answer.response"

local ROUNDS, random, percent, pick = chance.ROUNDS, chance.random, chance.percent, chance.pick
local cut, text_of = random_json.cut, random_json.text_of

-- Answers

local function value()
  return pick { text_of(9), random(1000), 1.5, false, true }
end

local function arguments()
  return pick { { [text_of(4)] = value(), n = value() }, { list = { text_of(5), { a = value(), b = text_of(9) } } },
    { deep = { er = { value(), { { x = value() } } } }, ["odd key.]'\""] = value() }, ofox.object {} }
end

local PARTS = {
  text = function() return { text = text_of(20) } end,
  thought = function() return { text = text_of(20), thought = true } end,
  call = function(i)
    local id = percent(50) and "fc" .. i or nil
    return { functionCall = { name = pick { "f", "get_x" }, args = arguments(), id = id } }
  end,
  image = function() return { inlineData = { mimeType = "image/png", data = "AA==" } } end,
  code = function() return { executableCode = { language = "PYTHON", code = text_of(20) } } end,
  outcome = function() return { codeExecutionResult = { outcome = "OUTCOME_OK", output = text_of(9) } } end,
  file = function() return { fileData = { fileUri = "gs://x", mimeType = "a/b" }, videoMetadata = { fps = 2 } } end,
  unknown = function() return { hologram = { shape = text_of(9), text = "no" }, error = { message = "no" } } end,
}
local KINDS = { "text", "text", "text", "thought", "call", "call", "image", "code", "outcome", "file", "unknown" }

-- Would the text of a part go on in the next?
local function joins(last, part)
  return last ~= nil and last.text ~= nil and part.text ~= nil and last.thought == part.thought
    and last.thoughtSignature == nil
end

local function parts()
  local list = {}
  for i = 1, random(7) - 1 do
    local part = PARTS[pick(KINDS)](i)
    if percent(25) and not part.error then part.thoughtSignature = "c2ln" .. random(1000) end
    if not joins(list[#list], part) then list[#list + 1] = part end
  end
  return list
end

local function answer()
  local whole = { candidates = {}, modelVersion = "g-" .. random(9), responseId = "r" .. random(99),
    usageMetadata = { promptTokenCount = random(1000), candidatesTokenCount = random(1000),
      totalTokenCount = random(1000) } }
  if percent(30) then whole.usageMetadata.thoughtsTokenCount = random(99) end
  if percent(30) then
    whole.usageMetadata.promptTokensDetails = { { modality = "TEXT", tokenCount = random(9) }, { modality = "IMAGE" } }
  end
  if percent(10) then whole.promptFeedback = { safetyRatings = { { category = "c" } } } end
  for i = 1, percent(70) and 1 or random(3) do
    local candidate = { index = i - 1, content = { role = "model", parts = json.array(parts()) },
      finishReason = pick { "STOP", "STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL" } }
    if percent(30) then candidate.safetyRatings = { { category = "c", probability = "LOW" }, { category = "d" } } end
    if percent(20) then
      candidate.citationMetadata = { citations = { { uri = "u" }, { uri = "v", startIndex = 3 } } }
    end
    if percent(20) then
      candidate.groundingMetadata = { webSearchQueries = { "q" }, groundingChunks = { { web = { uri = "u" } } },
        groundingSupports = { { segment = { endIndex = 4 }, groundingChunkIndices = { 0 } } } }
    end
    if percent(20) then candidate.avgLogprobs = -0.5 end
    if percent(20) then candidate.logprobsResult = { chosenCandidates = { { token = "a" }, { token = "a" } } } end
    if percent(10) then candidate.finishMessage = text_of(9) end
    whole.candidates[i] = candidate
  end
  return whole
end

-- Events

local function quoted(key)
  return "[" .. pick { "'%s'", '"%s"' }:format((key:gsub("[\\'\"]", "\\%0"))) .. "]"
end

-- The scalars of arguments as a server streams them, each under its path.
local function add_leaves(list, of, path)
  if type(of) ~= "table" then
    if type(of) == "string" then
      local texts = cut(of)
      for i, piece in ipairs(texts) do
        list[#list + 1] = { jsonPath = path, stringValue = piece, willContinue = i < #texts or nil }
      end
      if percent(20) then
        list[#list].willContinue = true
        list[#list + 1] = { jsonPath = path, stringValue = percent(50) and "" or nil }
      end
    else
      list[#list + 1] = { jsonPath = path, [type(of) == "number" and "numberValue" or "boolValue"] = of }
    end
  elseif of[1] ~= nil then
    for i, member in ipairs(of) do add_leaves(list, member, ("%s[%d]"):format(path, i - 1)) end
  else
    for key, member in pairs(of) do
      local plain = key:find "^[%a_][%w_]*$" and percent(70)
      add_leaves(list, member, path .. (plain and "." .. key or quoted(key)))
    end
  end
end

-- The pieces of a call that is streamed.
local function pieces_of_call(part)
  local call, leaves, list = part.functionCall, {}, {}
  add_leaves(leaves, call.args, "$")
  local function add(fields)
    fields.id = (not list[1] or percent(30)) and call.id or nil
    fields.willContinue = true
    list[#list + 1] = { functionCall = fields }
  end
  add { name = call.name }
  while leaves[1] do
    local some = {}
    for i = 1, random(3) do
      some[i] = leaves[1]
      table.remove(leaves, 1)
    end
    add { partialArgs = some }
  end
  if percent(50) or not list[2] then
    add {}
  end
  list[#list].functionCall.willContinue = percent(20) and false or nil
  list[percent(50) and 1 or #list].thoughtSignature = part.thoughtSignature
  return list
end

local function pieces_of(part)
  if part.functionCall and percent(50) then return pieces_of_call(part) end
  if not part.text then return { part } end
  local list = {}
  for _, piece in ipairs(cut(part.text)) do list[#list + 1] = { text = piece, thought = part.thought } end
  if part.thoughtSignature then
    if percent(50) then list[#list + 1] = { text = "", thought = part.thought } end
    list[#list].thoughtSignature = part.thoughtSignature
  end
  return list
end

-- Members of a candidate beside its parts, some said more than once.
local function beside(candidate, item, last)
  for _, name in ipairs { "safetyRatings", "groundingMetadata", "avgLogprobs", "finishMessage" } do
    if last or percent(20) then item[name] = candidate[name] end
  end
end

-- What a candidate says, one element for each event.
local function says_of(candidate)
  local all, list = {}, {}
  for _, part in ipairs(candidate.content.parts) do
    for _, piece in ipairs(pieces_of(part)) do all[#all + 1] = piece end
  end
  while all[1] do
    local some = {}
    for i = 1, percent(70) and 1 or random(4) do
      some[i] = all[1]
      table.remove(all, 1)
    end
    if percent(5) then table.insert(some, 1, pick { { text = "" }, { text = "", thought = true }, ofox.null }) end
    list[#list + 1] = { content = { parts = some, role = percent(80) and "model" or nil } }
    beside(candidate, list[#list])
  end
  if #list == 0 or percent(50) then
    list[#list + 1] = pick { {}, { content = { parts = {} } }, { content = { role = "model" } },
      { content = ofox.null }, { content = { parts = { { text = "" } } } }, { content = { parts = ofox.null } } }
  end
  for name, key in pairs { citationMetadata = "citations", logprobsResult = "chosenCandidates" } do
    local at = 1
    for _, element in ipairs(candidate[name] and candidate[name][key] or {}) do
      at = at + random(#list - at + 1) - 1
      local item = list[at]
      item[name] = item[name] or { [key] = {} }
      table.insert(item[name][key], element)
    end
  end
  local last = list[#list]
  beside(candidate, last, true)
  if percent(30) then
    last = {}
    list[#list + 1] = last
  end
  last.finishReason = candidate.finishReason
  if percent(20) then list[1].finishReason = pick { ofox.null, "FINISH_REASON_UNSPECIFIED" } end
  if not list[2] then list[1].finishReason = candidate.finishReason end
  return list
end

local function counted(whole, last)
  if last or percent(10) then return whole.usageMetadata end
  return { promptTokenCount = whole.usageMetadata.promptTokenCount, candidatesTokenCount = random(99),
    totalTokenCount = random(99) }
end

-- All events of an answer: candidates in turn, some in one event.
local function events_of(whole)
  local events, queues, counts = {}, {}, pick { "all", "last", "apart" }
  for i, candidate in ipairs(whole.candidates) do
    queues[i] = { index = candidate.index, at = 1, said = says_of(candidate) }
  end
  local function add(candidates, last)
    local event = { candidates = candidates and json.array(candidates),
      modelVersion = (last or percent(80)) and whole.modelVersion or nil,
      responseId = (last or percent(80)) and whole.responseId or nil,
      promptFeedback = (not events[1] or percent(10)) and whole.promptFeedback or nil }
    if counts == "all" or last then event.usageMetadata = counted(whole, last) end
    events[#events + 1] = event
  end
  while queues[1] do
    local candidates = {}
    for _ = 1, percent(80) and 1 or random(3) do
      local at = queues[1] and random(#queues)
      local queue = at and queues[at]
      if queue and not candidates[queue] then
        candidates[queue] = true
        local item = queue.said[queue.at]
        item.index = (queue.index ~= #candidates or percent(70)) and queue.index or nil
        candidates[#candidates + 1] = item
        queue.at = queue.at + 1
        if not queue.said[queue.at] then table.remove(queues, at) end
      end
    end
    local list = {}
    for i, item in ipairs(candidates) do list[i] = item end
    add(list, not queues[1] and counts ~= "apart")
  end
  if counts == "apart" then add(percent(50) and {} or nil, true) end
  return events
end

local function dressed(events)
  local out = {}
  for _, event in ipairs(events) do
    if percent(3) then out[#out + 1] = { name = "ping", data = pick { "{}", "hello" } } end
    if percent(3) then out[#out + 1] = { data = pick { "{}", '{"news":{"x":1}}', "null", "[]" } } end
    if percent(5) then event.usage = ofox.null end
    out[#out + 1] = { data = event, name = percent(5) and "message" or nil }
  end
  if percent(20) then out[#out + 1] = { data = "[DONE]" } end
  return out
end

-- The text of candidate 0 in the order in which it is said.
local function spoken(whole)
  local texts = {}
  for _, part in ipairs(whole.candidates[1].content.parts) do
    texts[#texts + 1] = not part.thought and part.text or nil
  end
  return table.concat(texts)
end

local JSON = { "HTTP/1.1 200", "content-type: application/json", "" }

describe("what random events of an answer of Gemini's add up to", function()
  it("is the answer", function()
    for round = 1, ROUNDS do
      chance.seed(round * 7919)
      local whole = answer()
      local events, listed = events_of(whole), percent(20)
      local got = random_stream.read("gemini",
        listed and random_stream.list(events) or random_stream.body(dressed(events)), listed and JSON or nil)
      assert.is_nil(got.failure, "round " .. round)
      got.answer.news = nil
      assert.equal(json.encode(whole), json.encode(got.answer), "round " .. round)
      local text = spoken(whole)
      assert.same({ text, text }, { got.text, got.texts }, "round " .. round)
      local plain = json.decode(json.encode(whole))
      for _, what in ipairs { "output_text", "tool_calls", "finish_reason", "usage" } do
        assert.same(response[what](plain), response[what](got.answer), what)
      end
    end
  end)
end)
