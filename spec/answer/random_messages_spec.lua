-- Random messages of Anthropic's protocol, cut into random events: what they add up
-- to is the message.
local chance = require "support.chance"
local json = require "ofox.json"
local ofox = require "ofox"
local random_json = require "support.random_json"
local random_stream = require "support.random_stream"
local response = require "ofox.answer.response"

local ROUNDS, random, percent, pick = chance.ROUNDS, chance.random, chance.percent, chance.pick
local RAW, cut, text_of = random_json.RAW, random_json.cut, random_json.text_of

-- Messages

local function input()
  if percent(25) then return ofox.object {} end
  return pick { { [text_of(4)] = text_of(20), n = random(1000) },
    { list = { text_of(5), { a = text_of(5) } }, b = false }, { query = text_of(30) },
    { deep = { { {} } }, large = 2 ^ 40 } }
end

-- A block of each kind.
local BLOCKS = {
  text = function() return { type = "text", text = percent(5) and "" or text_of(30) } end,
  cited = function()
    local block = { type = "text", text = text_of(30), citations = {} }
    for i = 1, random(3) do
      block.citations[i] = { type = "char_location", cited_text = text_of(5), document_index = 0 }
    end
    return block
  end,
  thinking = function() return { type = "thinking", thinking = text_of(30), signature = "sig" .. random(1000000) } end,
  redacted = function() return { type = "redacted_thinking", data = "ZGF0" .. random(1000) } end,
  tool_use = function(i)
    return { type = "tool_use", id = "toolu_" .. i, name = pick { "f", "get_x" }, input = input() }
  end,
  server = function(i)
    return { type = pick { "server_tool_use", "mcp_tool_use" }, id = "srv_" .. i, name = "web_search", input = input() }
  end,
  result = function(i)
    return { type = "web_search_tool_result", tool_use_id = "srv_" .. i, content = pick {
      { { type = "web_search_result", url = "u", title = text_of(9), encrypted_content = "RQ==" }, { type = "x" } },
      { type = "web_search_tool_result_error", error_code = "max_uses_exceeded" } } }
  end,
  code = function(i)
    return { type = "code_execution_tool_result", tool_use_id = "srv_" .. i, content = {
      type = "code_execution_result", stdout = text_of(9), stderr = "", return_code = 0, content = json.array() } }
  end,
  unknown = function()
    return { type = "hologram", shape = text_of(9), error = { type = "overloaded_error" }, n = { 1, 2 } }
  end,
}
local KINDS = { "text", "text", "cited", "thinking", "redacted", "tool_use", "tool_use", "server", "result", "code",
  "unknown" }

local function message()
  local whole = { id = "msg_" .. random(1000000), type = "message", role = "assistant", model = "m" .. random(9),
    content = json.array(), stop_reason = pick { "end_turn", "max_tokens", "tool_use", "refusal", "pause_turn" },
    usage = { input_tokens = random(1000), output_tokens = random(1000) } }
  if percent(50) then whole.usage.cache_read_input_tokens = random(99) - 1 end
  if percent(30) then whole.usage.server_tool_use = { web_search_requests = random(3) } end
  if percent(20) then whole.stop_reason, whole.stop_sequence = "stop_sequence", text_of(5) end
  if percent(20) then whole.container = { id = "c", expires_at = "2026-01-01" } end
  if percent(20) then
    whole.context_management = { applied_edits = { { type = "clear_tool_uses", cleared_input_tokens = 5 } } }
  end
  for i = 1, random(6) - 1 do whole.content[i] = BLOCKS[pick(KINDS)](i) end
  return whole
end

-- Events

local function copy(value, without)
  local made = {}
  for key, member in pairs(value) do
    if key ~= without then made[key] = member end
  end
  return made
end

-- The members of a block that come in pieces, and how.
local STREAMED = { text = { "text_delta", "text" }, thinking = { "thinking_delta", "thinking" } }

-- With 'whole' no character of a text is cut: two blocks of text speak at once.
local function deltas_of(block, whole)
  local list = {}
  local function add(kind, name, value) list[#list + 1] = { type = kind, [name] = value } end
  local own = STREAMED[block.type]
  if own then
    for _, piece in ipairs(cut(block[own[2]], whole and own[2] == "text")) do add(own[1], own[2], piece) end
  end
  if block.signature then
    if percent(30) then list[#list].estimated_tokens = random(99) end
    add("signature_delta", "signature", block.signature)
  end
  for i, citation in ipairs(block.citations or {}) do
    table.insert(list, 1 + math.floor(#list * i / #block.citations), { type = "citations_delta", citation = citation })
  end
  if block.input and (next(block.input) ~= nil or percent(50)) then
    local text = next(block.input) ~= nil and json.encode(block.input) or pick { "", "{}" }
    if percent(30) then add("input_json_delta", "partial_json", "") end
    for _, piece in ipairs(cut(text)) do add("input_json_delta", "partial_json", piece) end
  end
  return list
end

local function events_of_block(block, index, whole)
  local list = {}
  local function add(kind, fields)
    fields.type, fields.index = "content_block_" .. kind, index
    list[#list + 1] = fields
  end
  local shell, deltas = copy(block, "citations"), deltas_of(block, whole)
  if shell.text then shell.text = percent(90) and "" or nil end
  if shell.thinking then shell.thinking, shell.signature = "", pick { "", ofox.null } end
  if shell.input then shell.input = ofox.object {} end
  if block.citations and percent(50) then shell.citations = pick { json.array(), ofox.null } end
  if percent(5) and not shell.data then shell.none = ofox.null end
  add("start", { content_block = shell })
  for _, delta in ipairs(deltas) do add("delta", { delta = delta }) end
  if percent(10) and block.type == "text" then add("delta", { delta = { type = "text_delta", text = "" } }) end
  if percent(95) then add("stop", {}) end
  return list
end

-- All events of a message; what its blocks say is said in turn, or all at once.
local function events_of(whole)
  local events, queues = {}, {}
  local start = copy(whole, "content")
  start.content = percent(90) and json.array() or nil
  start.usage = { input_tokens = whole.usage.input_tokens, output_tokens = 1 }
  start.stop_reason, start.stop_sequence, start.context_management = ofox.null, ofox.null, nil
  if percent(50) then start.container = ofox.null end
  events[1] = { type = "message_start", message = start }
  local interleaved = percent(30)
  for i, block in ipairs(whole.content) do queues[i] = { at = 1, events_of_block(block, i - 1, interleaved) } end
  while queues[1] do
    local at = interleaved and random(#queues) or 1
    local queue = queues[at]
    events[#events + 1] = queue[1][queue.at]
    queue.at = queue.at + 1
    if not queue[1][queue.at] then table.remove(queues, at) end
  end
  local delta = { stop_reason = whole.stop_reason, stop_sequence = whole.stop_sequence or ofox.null,
    container = whole.container }
  if percent(20) then
    events[#events + 1] = { type = "message_delta", delta = percent(50) and {} or { stop_reason = ofox.null },
      usage = { output_tokens = 2 } }
  end
  local usage = percent(50) and whole.usage or copy(whole.usage, "input_tokens")
  events[#events + 1] = { type = "message_delta", delta = delta, usage = usage,
    context_management = whole.context_management or percent(20) and ofox.null or nil }
  if percent(20) then events[#events + 1] = { type = "message_delta", delta = {}, usage = ofox.null } end
  events[#events + 1] = { type = "message_stop" }
  return events
end

local NAMES = { "message_start", "content_block_delta", "message_stop", "message", "x" }

-- What is not heard any more behind the end.
local LATE = {
  { name = "error", data = '{"type":"error","error":{"message":"late"}}' }, { data = "[DONE]" }, { data = "no JSON" },
  { data = { type = "content_block_delta", index = 0, delta = { type = "text_delta", text = "late" } } },
}

-- As a server sends them: with names, or without, or with wrong ones; and with what
-- says nothing between.
local function dressed(events)
  local out, names = {}, pick { "right", "none", "wrong", "instead" }
  for _, event in ipairs(events) do
    if percent(5) then out[#out + 1] = { name = "ping", data = pick { '{"type": "ping"}', "{}", "hello", "" } } end
    if percent(5) then
      out[#out + 1] = { name = percent(50) and "new_event" or nil, data = { type = "new_event", x = { 1 } } }
    end
    local name = event.type
    if names == "instead" then event.type = pick { ofox.null, "" } end
    if names == "instead" and percent(50) then event.type = nil end
    out[#out + 1] = { data = event, name = names == "wrong" and pick(NAMES) or names ~= "none" and name or nil }
  end
  for _ = 1, random(3) - 1 do out[#out + 1] = pick(LATE) end
  return out
end

-- The text in the order in which it is said.
local function spoken(events)
  local texts = {}
  for _, event in ipairs(events) do
    local piece = event.delta and event.delta.type == "text_delta" and event.delta.text
    if type(piece) == "table" then piece = piece[RAW]:sub(2, -2) end
    if piece then texts[#texts + 1] = piece end
  end
  return json.decode('"' .. table.concat(texts) .. '"')
end

local function texts_of(whole)
  local texts = {}
  for _, block in ipairs(whole.content) do texts[#texts + 1] = block.type == "text" and block.text or nil end
  return table.concat(texts)
end

describe("what random events of a message add up to", function()
  it("is the message", function()
    for round = 1, ROUNDS do
      chance.seed(round * 7919)
      local whole = message()
      local events = events_of(whole)
      local text = spoken(events)
      local got = random_stream.read("messages", random_stream.body(dressed(events)))
      assert.is_nil(got.failure, "round " .. round)
      assert.equal(json.encode(whole), json.encode(got.answer), "round " .. round)
      assert.same({ text, text }, { got.text, got.texts }, "round " .. round)
      local plain = json.decode(json.encode(whole))
      assert.equal(texts_of(whole), response.output_text(got.answer))
      for _, what in ipairs { "output_text", "tool_calls", "finish_reason", "usage" } do
        assert.same(response[what](plain), response[what](got.answer), what)
      end
    end
  end)
end)
