-- Random answers, cut into random events with all the freedom that servers
-- take: what the events add up to is the answer.
local chance = require "support.chance"
local json = require "ofox.json"
local merge = require "ofox.answer.collect"
local mock = require "ofox.mock"
local ofox = require "ofox"
local random_json = require "support.random_json"
local random_stream = require "support.random_stream"

local ROUNDS, random, percent, pick = chance.ROUNDS, chance.random, chance.percent, chance.pick
local RAW, encode, text_of, cut = random_json.RAW, random_json.encode, random_json.text_of, random_json.cut

-- Answers

local function arguments()
  return pick { "", "{}", function() return json.encode { [text_of(4)] = text_of(20), n = random(1000) } end,
    function() return json.encode { list = { text_of(5), { a = text_of(5) } } } end }
end

local function calls()
  local list = {}
  for i = 1, random(3) do
    local text = arguments()
    list[i] = { id = "call_" .. random(1000000) .. "_" .. i, type = "function",
      ["function"] = { name = pick { "get_weather", "time", "f" },
        arguments = type(text) == "string" and text or text() } }
  end
  return list
end

local function parts()
  local list = {}
  for i = 1, 1 + random(3) do
    local last = i > 1 and list[i - 1].type
    local kinds = { { type = "image_url", image_url = { url = text_of(5) } } }
    if last ~= "text" then kinds[#kinds + 1] = { type = "text", text = text_of(10) } end
    if last ~= "thinking" then
      kinds[#kinds + 1] = { type = "thinking", thinking = { { type = "text", text = text_of(10) } } }
    end
    list[i] = pick(kinds)
  end
  for _, part in ipairs(list) do
    if part.type ~= "text" then return list end
  end
  return list[1].text
end

local function answer()
  local whole = { id = "chatcmpl-" .. random(1000000), object = "chat.completion",
    created = 1700000000 + random(1000000),
    model = "m" .. random(9), choices = {} }
  if percent(50) then whole.system_fingerprint = "fp" end
  if percent(30) then whole.citations = { "u1", "u2", text_of(3) } end
  if percent(70) then whole.usage = { prompt_tokens = random(1000000000), completion_tokens = 2 ^ 40 + random(100),
    prompt_tokens_details = { cached_tokens = random(9) } } end
  for i = 1, random(3) do
    local message = { role = "assistant" }
    local choice = { index = i - 1, message = message, finish_reason = pick { "stop", "length", "tool_calls" } }
    if percent(80) then message.content = percent(30) and parts() or text_of(30) end
    if percent(30) then message.reasoning_content = text_of(20) end
    if percent(20) then message.refusal = text_of(5) end
    if percent(40) then message.tool_calls = calls() end
    if percent(20) then
      message.annotations = { { type = "url_citation", url = "u" }, { type = "url_citation", url = "v" } }
    end
    local token = { token = "a", logprob = -1.5 }
    if percent(20) then choice.logprobs = { content = { token, token } } end
    whole.choices[i] = choice
  end
  return whole
end

-- Deltas

-- A piece of a text as content: a string, or a list.
local function as_content(piece)
  if percent(60) then return piece end
  return percent(50) and { { type = "text", text = piece } } or { piece }
end

local function content_deltas(add, content, whole)
  if type(content) == "string" then content = { { type = "text", text = content } } end
  for _, part in ipairs(content) do
    if part.type == "text" then
      for _, piece in ipairs(cut(part.text, whole)) do add { content = as_content(piece) } end
    elseif part.type == "thinking" then
      for _, piece in ipairs(cut(part.thinking[1].text)) do
        add { content = { { type = "thinking", thinking = { { type = "text", text = piece } } } } }
      end
    else
      add { content = { part } }
    end
  end
end

-- How a server tells the fragments of its calls apart.
local STYLES = {
  index = function(i) return { index = i - 1 } end,
  word = function(i) return { index = tostring(i - 1) } end,
  zero = function(_, call, first) return { index = 0, id = (first or percent(50)) and call.id or nil } end,
  none = function(_, call, first) return { id = (first or percent(50)) and call.id or nil } end,
  null = function(_, call) return { index = ofox.null, id = call.id } end,
}

local function call_deltas(add, list)
  local style, repeats = pick { "index", "word", "zero", "none", "null" }, pick { "never", "id", "name", "empty" }
  local names_in_pieces = repeats == "never" and percent(50)
  for i, call in ipairs(list) do
    local function fragment(name, text, first)
      local item = STYLES[style](i, call, first)
      if first or repeats == "id" then item.id = call.id end
      if first and percent(70) or repeats == "id" then item.type = "function" end
      if repeats == "name" then name = call["function"].name end
      if repeats == "empty" then
        item.id, name = item.id or "", name or ""
      end
      item["function"] = { name = name, arguments = text }
      add { tool_calls = { item } }
    end
    local name = call["function"].name
    if names_in_pieces and style ~= "none" then
      fragment(name:sub(1, 1), "", true)
      if #name > 1 then fragment(name:sub(2), nil, false) end
    else
      fragment(name, "", true)
    end
    for _, piece in ipairs(cut(call["function"].arguments)) do fragment(nil, piece, false) end
  end
end

local function text_deltas(add, name, text)
  for _, piece in ipairs(cut(text)) do add { [name] = piece } end
end

-- The deltas of a choice, in order.
local function deltas_of(choice, whole)
  local list, message = {}, choice.message
  local function add(delta) list[#list + 1] = { delta = delta } end
  local role = pick { "first", "each", "never" }
  if role == "first" then add { role = "assistant", content = message.content and "" or ofox.null } end
  if message.reasoning_content then text_deltas(add, "reasoning_content", message.reasoning_content) end
  if message.content then content_deltas(add, message.content, whole) end
  if message.refusal then text_deltas(add, "refusal", message.refusal) end
  if message.tool_calls then call_deltas(add, message.tool_calls) end
  for _, item in ipairs(message.annotations or {}) do add { annotations = { item } } end
  for _, item in ipairs(choice.logprobs and choice.logprobs.content or {}) do
    list[#list + 1] = { delta = {}, logprobs = { content = { item } } }
  end
  for _, item in ipairs(list) do
    if role == "each" then item.delta.role = "assistant" end
    if percent(10) then item.delta.role = item.delta.role or "" end
    if percent(10) and item.delta.content == nil then
      item.delta.content = message.content and pick { "", ofox.null, ofox.array {} } or ofox.null
    end
    if percent(10) then item.finish_reason = ofox.null end
  end
  list[#list + 1] = { delta = ofox.object {}, finish_reason = choice.finish_reason }
  return list
end

local function beside(chunk, whole)
  for _, name in ipairs { "id", "created", "model", "system_fingerprint", "citations" } do
    if percent(60) then chunk[name] = whole[name] end
  end
  if percent(10) then chunk.id, chunk.model, chunk.created = "", "", 0 end
  if whole.usage and percent(10) then chunk.usage = pick { ofox.null, ofox.object {}, whole.usage } end
  chunk.object = percent(80) and "chat.completion.chunk" or ""
  return chunk
end

-- The events of an answer: choices in turn, with what says nothing between.
local function events_of(whole, opts)
  local queues, events = {}, {}
  local function add(chunk) events[#events + 1] = beside(chunk, whole) end
  for i, choice in ipairs(whole.choices) do queues[i] = { choice.index, deltas_of(choice, opts.whole), 1 } end
  while queues[1] do
    local at = random(#queues)
    local index, list, next_one = queues[at][1], queues[at][2], queues[at][3]
    local item = list[next_one]
    item.index = index
    local items = { item }
    if queues[2] and percent(10) and index ~= 0 then table.insert(items, 1, { index = index, delta = {} }) end
    add { choices = items }
    queues[at][3] = next_one + 1
    if not list[next_one + 1] then table.remove(queues, at) end
    if percent(10) then add { choices = ofox.array {}, prompt_filter_results = ofox.array {} } end
  end
  events[#events + 1] = { choices = ofox.array {}, id = whole.id, created = whole.created, model = whole.model,
    object = "chat.completion.chunk", system_fingerprint = whole.system_fingerprint, citations = whole.citations,
    usage = whole.usage }
  return events
end

local function without_fillers(got)
  got.prompt_filter_results = nil
  return got
end

describe("what random events add up to", function()
  it("is the answer that was cut: by the public API", function()
    for round = 1, ROUNDS do
      chance.seed(round * 7919)
      local whole = answer()
      local sse = {}
      for i, event in ipairs(events_of(whole, {})) do sse[i] = encode(event) end
      local transport = mock.new()
      local client = ofox.new { api_key = "sk-test", transport = transport, max_retries = 0 }
      transport:reply { sse = sse }
      local got = without_fillers(client:stream { model = "m", messages = {} }:collect())
      assert.equal(json.encode(whole), json.encode(got), "round " .. round)
    end
  end)

  it("is the answer that was cut: as the bytes of a body", function()
    for round = 1, ROUNDS do
      chance.seed(round * 7907)
      local whole, events = answer(), {}
      for _, event in ipairs(events_of(whole, {})) do
        if percent(5) then events[#events + 1] = { name = "ping", data = pick { "{}", "hi", "" } } end
        events[#events + 1] = { data = event, name = percent(5) and "message" or nil }
      end
      events[#events + 1] = percent(50) and { data = "[DONE]" } or nil
      if percent(20) and events[#events].data == "[DONE]" then events[#events + 1] = { data = "late" } end
      local got = random_stream.read("chat", random_stream.body(events))
      assert.is_nil(got.failure, "round " .. round)
      assert.equal(json.encode(whole), json.encode(without_fillers(got.answer)), "round " .. round)
      local text = require "ofox.answer.response".output_text(whole)
      assert.same({ text, text }, { got.text, got.texts }, "round " .. round)
    end
  end)

  -- The text of choice 0 in an event, as the core reads it.
  local function own_text(event)
    local choice = event.choices[1] or {}
    local content, texts = choice.index == 0 and choice.delta.content, {}
    for _, part in ipairs(type(content) == "table" and not content[RAW] and content or { content or nil }) do
      if type(part) == "table" and not part[RAW] then part = part.type == "text" and part.text or nil end
      if type(part) == "table" then texts[#texts + 1] = json.decode(part[RAW]) end
    end
    return table.concat(texts)
  end

  it("is the answer that was cut: as the core hands them over", function()
    for round = 1, ROUNDS do
      chance.seed(round * 104729)
      local whole = answer()
      local text, said = "", {}
      for _, event in ipairs(events_of(whole, { whole = true })) do
        local own = own_text(event)
        local from = #text
        text = text .. own
        -- some that say text alone are not kept
        local delta = event.choices[1] and event.choices[1].delta
        local plain = delta and #event.choices == 1 and own ~= "" and delta.content[RAW] and percent(50)
          and not (delta.role or event.choices[1].finish_reason or event.usage)
        if not plain then said[#said + 1] = { encode(event), from, #text } end
      end
      local got = without_fillers(merge.answer("chat", text, said, json.decode_piece))
      assert.equal(json.encode(whole), json.encode(got), "round " .. round)
    end
  end)
end)

describe("what random events of a response add up to", function()
  local function response()
    local whole = { id = "r", object = "response", status = "completed", model = "m", output = {},
      usage = { input_tokens = random(9), output_tokens = random(9), total_tokens = 9 } }
    for i = 1, random(4) do
      local id = "item" .. i
      whole.output[i] = pick {
        { id = id, type = "message", role = "assistant", content = { { type = "output_text", text = text_of(20) },
          percent(30) and { type = "output_text", text = text_of(9) } or percent(30)
          and { type = "refusal", refusal = text_of(9) } or nil } },
        { id = id, type = "reasoning", summary = { { type = "summary_text", text = text_of(20) } } },
        { id = id, type = "reasoning", content = { { type = "reasoning_text", text = text_of(20) } } },
        { id = id, type = "function_call", call_id = "c" .. i, name = "f", arguments = json.encode { text_of(9) } },
        { id = id, type = "custom_tool_call", call_id = "c" .. i, name = "f", input = text_of(9) },
      }
    end
    return whole
  end

  local LISTS = { content = "content_index", summary = "summary_index" }
  local NAMES = { output_text = "output_text", refusal = "refusal", reasoning_text = "reasoning_text",
    summary_text = "reasoning_summary_text" }

  -- A copy without what is streamed.
  local function shell(item)
    local made = {}
    for key, value in pairs(item) do made[key] = value end
    if made.arguments then made.arguments = pick { "", nil } end
    if made.input then made.input = pick { "", nil } end
    for list in pairs(LISTS) do
      if made[list] then made[list] = ofox.array {} end
    end
    return made
  end

  -- Events of an item, each as {type, fields}; texts are handed over apart.
  local function stream_item(add, item, index)
    local announced = percent(90) or item.call_id
    if announced then add("output_item.added", { output_index = index, item = shell(item) }) end
    local function pieces(name, text, fields)
      for _, piece in ipairs(cut(text, name == "output_text")) do
        local event = { item_id = item.id, output_index = index, delta = piece }
        for key, value in pairs(fields) do event[key] = value end
        add(name .. ".delta", event)
      end
    end
    for list, name in pairs(LISTS) do
      for i, part in ipairs(item[list] or {}) do
        local empty = { type = part.type }
        if percent(50) or announced == false then
          local where = list == "summary" and "reasoning_summary_part" or "content_part"
          if percent(90) or i > 1 then
            add(where .. ".added", { item_id = item.id, output_index = index, [name] = i - 1, part = empty })
          end
        end
        pieces(NAMES[part.type], part.text or part.refusal, { [name] = i - 1 })
      end
    end
    if item.arguments then pieces("function_call_arguments", item.arguments, {}) end
    if item.input then pieces("custom_tool_call_input", item.input, {}) end
    if percent(50) then
      add("output_item.done", { output_index = index, item = percent(50) and item or shell(item) })
    end
  end

  it("is the response that was cut, however little the last event has of it", function()
    for round = 1, ROUNDS do
      chance.seed(round * 15485863 % 2147483647)
      local whole = response()
      local text, said, texts = "", {}, {}
      local function add(name, event)
        local from = #text
        event.type = "response." .. name
        if name == "output_text.delta" then text = text .. json.decode(event.delta[RAW]) end
        said[#said + 1] = { encode(event), from, #text }
      end
      add("created", { response = { id = "r", object = "response", status = "in_progress", output = ofox.array {} } })
      for i, item in ipairs(whole.output) do
        stream_item(add, item, i - 1)
        for _, part in ipairs(item.content or {}) do
          texts[#texts + 1] = part.type == "output_text" and part.text or nil
        end
      end
      local last = {}
      for key, value in pairs(whole) do last[key] = value end
      last.output = ofox.array {}
      local how = pick { "whole", "shells", "empty", "absent" }
      for i, item in ipairs(whole.output) do
        last.output[i] = how == "whole" and item or how == "shells" and shell(item) or nil
      end
      if how == "absent" then last.output = nil end
      add("completed", { response = last })
      local got = merge.answer("responses", text, said, json.decode_piece)
      for i, item in ipairs(got.output) do
        -- where nobody said it
        if item.role == nil and item.type == "message" then item.role = "assistant" end
        got.output[i] = item
      end
      assert.equal(json.encode(whole), json.encode(got), "round " .. round .. " " .. how)
      assert.equal(table.concat(texts), require "ofox.answer.response".output_text(got))
    end
  end)
end)
