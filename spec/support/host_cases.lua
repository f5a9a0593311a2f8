--- Calls that every host of ofox must serve alike: what the server does, what the
-- program does, and what comes of it. It runs inside of the hosts, so it knows no host.
local cases = {}

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local QUESTION = { role = "user", content = "hi" }

local function params() return { model = "m", messages = { QUESTION } } end

local function sse(...)
  local chunks = {}
  for i, data in ipairs { ... } do chunks[i] = "data: " .. data .. "\n\n" end
  return { headers = { ["Content-Type"] = "text/event-stream" }, chunks = chunks }
end

local function delta(inner, reason)
  return ('{"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}'):format(inner, reason or "null")
end

-- A streamed turn that says a word and calls f, once for each id.
local function asking(...)
  local events = { delta '{"role":"assistant","content":"wait "}' }
  for i, id in ipairs { ... } do
    events[#events + 1] = delta(('{"tool_calls":[{"index":%d,"id":"%s","type":"function","function":'
      .. '{"name":"f","arguments":"{}"}}]}'):format(i - 1, id))
  end
  events[#events + 1] = delta("{}", '"tool_calls"')
  events[#events + 1] = "[DONE]"
  return sse(unpack(events))
end

local function block(i, start, ...)
  local list = { ('{"type":"content_block_start","index":%d,"content_block":%s}'):format(i, start) }
  for _, inner in ipairs { ... } do
    list[#list + 1] = ('{"type":"content_block_delta","index":%d,"delta":%s}'):format(i, inner)
  end
  list[#list + 1] = ('{"type":"content_block_stop","index":%d}'):format(i)
  return list
end

-- A reply of these blocks, as Anthropic's protocol streams it.
local function message(reason, ...)
  local events = { '{"type":"message_start","message":{"type":"message","role":"assistant","content":[]}}' }
  for _, list in ipairs { ... } do
    for _, event in ipairs(list) do events[#events + 1] = event end
  end
  events[#events + 1] = ('{"type":"message_delta","delta":{"stop_reason":"%s"},"usage":{"output_tokens":9}}')
    :format(reason)
  events[#events + 1] = '{"type":"message_stop"}'
  return sse(unpack(events))
end

local function text_block(...)
  local deltas = {}
  for i, text in ipairs { ... } do deltas[i] = ('{"type":"text_delta","text":"%s"}'):format(text) end
  return block(0, '{"type":"text","text":""}', unpack(deltas))
end

local function tool_block(i, id)
  return block(i, ('{"type":"tool_use","id":"%s","name":"f","input":{}}'):format(id),
    '{"type":"input_json_delta","partial_json":"{}"}')
end

local function gemini(text, rest)
  return ('{"candidates":[{"content":{"role":"model","parts":[{"text":"%s"}]}%s}]}'):format(text, rest or "")
end

local function joined(iterator, state, first)
  local pieces = {}
  for piece in iterator, state, first do pieces[#pieces + 1] = piece end
  return table.concat(pieces)
end

-- A tool that returns what 'answer' does, and counts how many run at a time.
local function counted(answer)
  local tool = { running = 0, begun = 0, most = 0 }
  function tool.run(_, call)
    tool.running, tool.begun = tool.running + 1, tool.begun + 1
    tool.most = math.max(tool.most, tool.running)
    local text = answer(call, tool)
    tool.running = tool.running - 1
    return text
  end
  return tool, { f = { run = tool.run } }
end

-- Waits for others, so it can only come true if they run meanwhile.
local function until_true(ofox, is_so)
  for _ = 1, 4000 do
    if is_so() then return end
    ofox.sleep(0.002)
  end
  error("waited in vain", 0)
end

local function add(name, expected, steps, run)
  cases[#cases + 1] = { name = name, expected = expected, steps = steps, run = run }
end

add("tools, side by side and streamed", "one two; wait one two; inner inner error: spilt; 3", function(server)
  local inner = { body = server.completion "inner" }
  return { asking("a", "b", "c"), inner, inner, { chunks = server.events { "one ", "two" } } }
end, function(ofox, client)
  local tool, tools = counted(function(call, self)
    until_true(ofox, function() return self.begun == 3 end)
    if call.id == "c" then
      self.running = self.running - 1
      error("spilt", 0)
    end
    return client:chat(params()):output_text()
  end)
  local heard = {}
  local res, messages = client:run_tools(params(), tools, { on_text = function(text) heard[#heard + 1] = text end })
  local results = {}
  for i = 3, 5 do results[#results + 1] = messages[i].content end
  return ("%s; %s; %s; %d"):format(res:output_text(), table.concat(heard), table.concat(results, " "), tool.most)
end)

add("tools in Anthropic's protocol, one at a time", "done; so done; a b; 1", function()
  return { message("tool_use", text_block "so ", tool_block(1, "a"), tool_block(2, "b")),
    message("end_turn", text_block "done") }
end, function(ofox, client)
  local tool, tools = counted(function(call)
    ofox.sleep(0.005)
    return call.id
  end)
  local heard = {}
  local res, messages = client:run_tools(params(), tools, { protocol = "messages", limit = 1,
    on_text = function(text) heard[#heard + 1] = text end })
  local results = messages[3].content
  return ("%s; %s; %s %s; %d"):format(res:output_text(), table.concat(heard), results[1].content, results[2].content,
    tool.most)
end)

add("tools, continued after a failure", "service_unavailable 3; ok", function(server)
  return { { body = server.calls { "a" } }, { status = 503, body = "{}" }, { body = server.completion "ok" } }
end, function(_, client)
  local _, tools = counted(function() return "x" end)
  local opts = { errors = "return", max_retries = 0 }
  local _, err = client:run_tools(params(), tools, opts)
  local res = client:run_tools({ model = "m", messages = err.messages }, tools, opts)
  return ("%s %d; %s"):format(err.type, #err.messages, res:output_text())
end)

add("tools, cancelled as a whole in streams of their own", "cancelled_error 4; false", function(server)
  local begun = { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true }
  return { { body = server.calls { "a", "b" } }, begun, begun }
end, function(ofox, client)
  local token, heard, over = ofox.cancel_token(), 0, false
  local _, tools = counted(function()
    local stream = client:stream(params())
    stream:read()
    heard = heard + 1
    stream:read()
    over = true
  end)
  ofox.go(function()
    until_true(ofox, function() return heard == 2 end)
    token:cancel()
  end)
  local _, err = client:run_tools(params(), tools, { cancel = token, errors = "return" })
  return ("%s %d; %s"):format(err.type, #err.messages, tostring(over))
end)

add("messages, streamed", "Hello; stop 9", function()
  return { message("end_turn", text_block("Hel", "lo")) }
end, function(_, client)
  local stream = client:messages { model = "m", max_tokens = 9, messages = { QUESTION }, stream = true }
  local text = joined(stream:text())
  local res = stream:collect()
  return ("%s; %s %d"):format(text, res:finish_reason(), res:usage().output)
end)

add("generate_content, streamed", "Hello; stop", function()
  return { sse(gemini "Hel", gemini("lo", ',"finishReason":"STOP"')) }
end, function(_, client)
  local stream = client:generate_content { model = "g", stream = true,
    contents = { { role = "user", parts = { { text = "hi" } } } } }
  return ("%s; %s"):format(joined(stream:text()), stream:collect():finish_reason())
end)

add("a file, again after an answer in the middle of it", "eA== 2", function()
  return { { on = "headers", status = 503, body = "{}", close = true }, { body = '{"data":[{"b64_json":"eA=="}]}' } }
end, function(ofox, client, path)
  local res = client:edit_images({ model = "m", image = ofox.file(path) }, { max_retries = 2 })
  return ("%s %d"):format(res.data[1].b64_json, res:meta().attempts)
end)

add("a transcript that is text", "hello there", function()
  return { { headers = { ["Content-Type"] = "text/plain" }, body = "hello there" } }
end, function(ofox, client, path)
  return client:transcribe({ model = "m", file = ofox.file(path), response_format = "text" }):output_text()
end)

add("a file that is not there", "file_unreadable file 0", function() return {} end, function(ofox, client, path)
  local _, err = client:transcribe({ model = "m", file = ofox.file(path .. ".none") }, { errors = "return" })
  return ("%s %s %d"):format(err.code, err.param, err.attempts)
end)

add("a video", "queued in_progress completed; u", function()
  return { { body = '{"id":"v","status":"queued"}' }, { body = '{"id":"v","status":"in_progress","progress":50}' },
    { body = '{"id":"v","status":"completed","mirror_urls":["u"]}' } }
end, function(_, client)
  local seen = {}
  local video = client:wait_video("v", { on_progress = function(so_far) seen[#seen + 1] = so_far.status end })
  return ("%s; %s"):format(table.concat(seen, " "), video.mirror_urls[1])
end)

add("bytes", "onetwothree", function()
  return { { headers = { ["Content-Type"] = "audio/mpeg" }, chunks = { "one", { pause = 0.02 }, "two", "three" } } }
end, function(_, client)
  return joined(client:request({ path = "/audio/speech", body = {}, raw = true, stream = true }):bytes())
end)

add("lines of JSON", "1 2", function()
  return { { headers = { ["Content-Type"] = "application/x-ndjson" }, chunks = { '{"a":1}\n{"a"', ':2}\n' } } }
end, function(_, client)
  local stream = client:request { path = "/x", body = {}, stream = true }
  return ("%d %d"):format(stream:next().a, stream:next().a)
end)

--- Options of the client that runs the cases.
function cases.options(more)
  more.max_retries, more.errors, more.hold = 0, "raise", false
  more.retry = { base = 0.005, factor = 1, max_delay = 0.01, jitter = "none" }
  return more
end

--- Steps of a server for all cases, one after the other.
---@param server table  support.server
function cases.steps(server)
  local list = {}
  for _, case in ipairs(cases) do
    for _, step in ipairs(case.steps(server)) do list[#list + 1] = step end
  end
  return list
end

--- Runs all cases, one after the other.
---@param ofox table
---@param client table
---@param path string  of a file of more than a megabyte
---@param say fun(line: string)  hears of each case
function cases.run(ofox, client, path, say)
  for _, case in ipairs(cases) do say(case.name .. ": " .. case.run(ofox, client, path)) end
end

--- What it says.
function cases.expected()
  local lines = {}
  for i, case in ipairs(cases) do lines[i] = case.name .. ": " .. case.expected end
  return table.concat(lines, "\n") .. "\n"
end

return cases
