-- client:run_tools: what is sent, what is run and when, what the model is told,
-- and how failures leave the conversation. On virtual time.
local ofox = require "ofox"
local json = require "ofox.json"
local mock = require "ofox.mock"

-- PUC Lua 5.1 cannot yield across pcall: what waits in it holds others up.
local PCALL_HOLDS = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local transport, uninstall
before_each(function()
  transport = mock.new()
  uninstall = transport:install()
end)
after_each(function()
  uninstall()
  collectgarbage() collectgarbage()
  assert.is_false(ofox.step(0), "a task is left")
end)

local function client_of(opts)
  opts = opts or {}
  opts.api_key, opts.transport = "sk-of-secret-0123456789", transport
  opts.max_retries = opts.max_retries or 0
  return ofox.new(opts)
end

local QUESTION = { role = "user", content = "hi" }

local function params() return { model = "m", messages = { QUESTION } } end

local function call_of(id, name, arguments)
  return { id = id, type = "function", ["function"] = { name = name, arguments = arguments or "{}" } }
end

local function asking(...)
  local message = { role = "assistant", tool_calls = { ... } }
  return { body = { choices = { { message = message, finish_reason = "tool_calls" } } } }
end

local function saying(text)
  return { body = { choices = { { message = { role = "assistant", content = text }, finish_reason = "stop" } } } }
end

local function sent(i) return json.decode(transport.requests[i].body) end

-- The results of the calls in a conversation: by the id of the call.
local function results(messages)
  local list = {}
  for _, message in ipairs(messages) do
    if message.role == "tool" then list[message.tool_call_id] = message.content end
  end
  return list
end

local function tool(run) return { description = "does it", run = run } end

describe("[2.11] client:run_tools", function()
  it("runs what the model calls, and returns the last response and the conversation", function()
    transport:reply(asking(call_of("a", "weather", '{"city":"Bern"}'))):reply(saying "clear")
    local given, asked, seen = params(), nil, nil
    local parameters = { type = "object", properties = { city = { type = "string" } } }
    local tools = { weather = { description = "the weather", parameters = parameters, strict = true,
      run = function(arguments, call)
        asked, seen = arguments, call
        return { sky = "clear" }
      end } }
    local res, messages = client_of():run_tools(given, tools)
    assert.same({ "clear", "Bern" }, { res:output_text(), asked.city })
    assert.same({ id = "a", name = "weather", arguments = { city = "Bern" }, arguments_json = '{"city":"Bern"}' },
      seen)
    assert.same({ { type = "function", ["function"] = { name = "weather", description = "the weather", strict = true,
      parameters = parameters } } }, sent(1).tools)
    assert.same(sent(1).tools, sent(2).tools)
    assert.same({ QUESTION, { role = "assistant", tool_calls = { call_of("a", "weather", '{"city":"Bern"}') } },
      { role = "tool", tool_call_id = "a", content = '{"sky":"clear"}' } }, sent(2).messages)
    assert.same({ role = "assistant", content = "clear" }, messages[4])
    assert.equal(4, #messages)
    assert.same({ params(), 0 }, { given, transport:unused() })
  end)

  it("takes the string that run returns as it is, and mends bytes that are no UTF-8", function()
    transport:reply(asking(call_of("a", "f"), call_of("b", "g"), call_of("c", "h"))):reply(saying "ok")
    local _, messages = client_of():run_tools(params(), {
      f = tool(function() return "as it is" end),
      g = tool(function() return "Z\252rich" end),
      h = tool(function() end),
    })
    assert.same({ a = "as it is", b = "Z\239\191\189rich", c = "null" }, results(messages))
  end)

  it("tells the model of errors, of unknown tools and of arguments that are no JSON", function()
    transport:reply(asking(call_of("a", "f"), call_of("b", "nope"), call_of("c", "f", '{"x":'), call_of("d", "g"),
      call_of("e", "h"), call_of("f", "i"))):reply(saying "ok")
    local told = {}
    local _, messages = client_of():run_tools(params(), {
      f = tool(function() error("no such city") end),
      g = tool(function() return nil, "not today" end),
      h = tool(function() error { message = "from a table" } end),
      i = tool(function() return { print } end),
    }, { on_tool = function(call, result, err) told[call.id] = { result, err ~= nil } end })
    assert.same({ a = "error: no such city", b = 'error: there is no tool "nope"; there are: f, g, h, i',
      c = "error: the arguments are not JSON: the JSON ends too early", d = "error: not today",
      e = "error: from a table", f = "error: the result cannot be written as JSON: [1]: a function has no JSON form",
    }, results(messages))
    for id, text in pairs(results(messages)) do assert.same({ text, true }, told[id]) end
  end)

  it("runs the calls of a round side by side, as many as may", function()
    local running, most = 0, 0
    local tools = { f = tool(function(arguments)
      running = running + 1
      most = math.max(most, running)
      ofox.sleep(arguments.s)
      running = running - 1
      return "slept " .. arguments.s
    end) }
    local calls = {}
    for i = 1, 6 do calls[i] = call_of("c" .. i, "f", ('{"s":%d}'):format(7 - i)) end
    for _, case in ipairs { { nil, 6, 6 }, { 2, 2, 12 } } do
      transport:reply(asking(unpack(calls))):reply(saying "ok")
      most = 0
      local order, began = {}, transport:now()
      local _, messages = client_of():run_tools(params(), tools, { limit = case[1],
        on_tool = function(call) order[#order + 1] = call.id end })
      assert.equal(case[2], most)
      assert.is_true(transport:now() - began <= case[3] + 0.01)
      if not case[1] then assert.same({ "c6", "c5", "c4", "c3", "c2", "c1" }, order) end
      for i = 1, 6 do assert.same({ "tool", "c" .. i, "slept " .. (7 - i) }, -- in the order of the calls
        { messages[2 + i].role, messages[2 + i].tool_call_id, messages[2 + i].content }) end
    end
  end)

  it("lets a tool make calls of its own", function()
    transport:always(function(request)
      local body = json.decode(request.body)
      local last = body.messages[#body.messages]
      if last.content == "hi" then return asking(call_of("a", "ask"), call_of("b", "ask")) end
      return saying(body.tools and "done" or "inner")
    end)
    local client = client_of { errors = "raise" }
    local res, messages = client:run_tools(params(), { ask = tool(function()
      return client:chat { model = "m", messages = { { role = "user", content = "inner" } } }:output_text()
    end) })
    assert.same({ "done", { a = "inner", b = "inner" } }, { res:output_text(), results(messages) })
  end)

  it("ends after max_rounds, with a conversation that can go on", function()
    local n = 0
    transport:always(function() return asking(call_of("a", "f")) end)
    local tools = { f = tool(function() n = n + 1 return "again" end) }
    local res, messages = client_of():run_tools(params(), tools)
    assert.same({ "tool_calls", 10, 10, 21 }, { res:finish_reason(), #transport.requests, n, #messages })
    transport:reset():reply(saying "enough")
    res = client_of():run_tools({ model = "m", messages = messages }, tools, { max_rounds = 1 })
    assert.same({ "enough", 21 }, { res:output_text(), #sent(1).messages })
    assert.equal("tool", sent(1).messages[21].role)
  end)

  it("streams with on_text, and without it where params.stream is true", function()
    local function delta(part) return { choices = { { index = 0, delta = part } } } end
    local function script()
      transport:reply { sse = { delta { role = "assistant", content = "wait " }, delta { tool_calls = {
        { index = 0, id = "a", type = "function", ["function"] = { name = "f", arguments = "" } } } },
        delta { tool_calls = { { index = 0, ["function"] = { arguments = '{"x":' } } } },
        delta { tool_calls = { { index = 0, ["function"] = { arguments = "1}" } } } } } }
      transport:reply { sse = { delta { content = "one " }, 1, delta { content = "two" } } }
    end
    local tools = { f = tool(function(arguments) return "x is " .. arguments.x end) }
    local pieces = {}
    script()
    local res, messages = client_of():run_tools(params(), tools, { on_text = function(text)
      pieces[#pieces + 1] = text
    end })
    assert.same({ "one two", "wait |one |two" }, { res:output_text(), table.concat(pieces, "|") })
    assert.same({ a = "x is 1" }, results(messages))
    assert.is_true(sent(1).stream and sent(2).stream)
    script()
    local streamed = params()
    streamed.stream = true
    assert.equal("one two", (client_of():run_tools(streamed, tools)):output_text())
    assert.is_true(sent(3).stream)
  end)

  it("reads a whole answer to a request for a stream, with on_text and without it", function()
    local heard = {}
    for _, opts in ipairs { {}, { on_text = function(text) heard[#heard + 1] = text end } } do
      transport:reply(asking(call_of("a", "f", '{"x":1}'))):reply(saying "done")
      local streamed = params()
      streamed.stream = true
      local tools = { f = tool(function(arguments) return "x is " .. arguments.x end) }
      local res, messages = client_of():run_tools(streamed, tools, opts)
      assert.same({ "done", "x is 1", 4 }, { res:output_text(), results(messages).a, #messages })
      assert.is_true(sent(#transport.requests).stream)
    end
    assert.same({ "done" }, heard)
  end)

  local THOUGHT = { type = "thinking", thinking = "hm", signature = "c2ln" }

  local function block(i, start, ...)
    local events = { { type = "content_block_start", index = i, content_block = start } }
    for _, delta in ipairs { ... } do
      events[#events + 1] = { type = "content_block_delta", index = i, delta = delta }
    end
    events[#events + 1] = { type = "content_block_stop", index = i }
    return events
  end

  -- A reply of these blocks, as Anthropic's protocol streams it.
  local function streamed_message(reason, ...)
    local events = { { type = "message_start", message = { type = "message", role = "assistant", content = {} } } }
    for _, list in ipairs { ... } do
      for _, event in ipairs(list) do events[#events + 1] = event end
    end
    events[#events + 1] = { type = "message_delta", delta = { stop_reason = reason }, usage = { output_tokens = 9 } }
    events[#events + 1] = { type = "message_stop" }
    return { sse = events }
  end

  local function message(reason, ...)
    return { body = { type = "message", role = "assistant", stop_reason = reason, content = { ... } } }
  end

  local TURNS = {
    whole = function()
      transport:reply(message("tool_use", THOUGHT, { type = "text", text = "so" },
        { type = "tool_use", id = "a", name = "f", input = { x = 1 } },
        { type = "tool_use", id = "b", name = "g", input = json.object() }))
      transport:reply(message("end_turn", { type = "text", text = "done" }))
    end,
    streamed = function()
      transport:reply(streamed_message("tool_use",
        block(0, { type = "thinking", thinking = "", signature = "" }, { type = "thinking_delta", thinking = "hm" },
          { type = "signature_delta", signature = "c2ln" }),
        block(1, { type = "text", text = "" }, { type = "text_delta", text = "so" }),
        block(2, { type = "tool_use", id = "a", name = "f", input = json.object() },
          { type = "input_json_delta", partial_json = '{"x"' }, { type = "input_json_delta", partial_json = ":1}" }),
        block(3, { type = "tool_use", id = "b", name = "g", input = json.object() },
          { type = "input_json_delta", partial_json = "" })))
      transport:reply(streamed_message("end_turn",
        block(0, { type = "text", text = "" }, { type = "text_delta", text = "done" })))
    end,
  }

  for how, script in pairs(TURNS) do
    it("speaks Anthropic's protocol where the options say so, " .. how, function()
      script()
      local seen = {}
      local res, messages = client_of():run_tools(params(), { f = tool(function(arguments) return arguments.x end) },
        { protocol = "messages", on_text = how == "streamed" and function(text) seen[#seen + 1] = text end or nil })
      assert.same({ "done", "stop" }, { res:output_text(), res:finish_reason() })
      if how == "streamed" then assert.same({ "so", "done" }, seen) end
      assert.matches("/anthropic/v1/messages$", transport.requests[2].path)
      local body = sent(2)
      assert.same({ { name = "f", description = "does it", input_schema = { type = "object" } } }, body.tools)
      assert.same(THOUGHT, body.messages[2].content[1])
      assert.same({ type = "tool_use", id = "a", name = "f", input = { x = 1 } }, body.messages[2].content[3])
      assert.truthy(transport.requests[2].body:find('"input":{}', 1, true)) -- an object, as it came
      assert.same({ role = "user", content = {
        { type = "tool_result", tool_use_id = "a", content = "1" },
        { type = "tool_result", tool_use_id = "b", content = 'error: there is no tool "g"; there are: f',
          is_error = true },
      } }, body.messages[3])
      assert.same({ 4, "done" }, { #messages, messages[4].content[1].text })
    end)
  end

  it("speaks responses where the params have input", function()
    local output = { { type = "reasoning", id = "r" },
      { type = "function_call", call_id = "a", name = "f", arguments = '{"x":1}' },
      { type = "custom_tool_call", call_id = "b", name = "grep", input = "word" } }
    for _, input in ipairs { "hi", { QUESTION } } do
      transport:reset():reply { body = { object = "response", output = output } }:reply { body = { object = "response",
        output = { { type = "message", content = { { type = "output_text", text = "done" } } } } } }
      local res, items = client_of():run_tools({ model = "m", input = input, tools = { { type = "web_search" } } },
        { f = tool(function() return 7 end) })
      assert.equal("done", res:output_text())
      local described = { type = "function", name = "f", description = "does it" }
      assert.same({ { type = "web_search" }, described }, sent(1).tools)
      assert.same({ QUESTION, output[1], output[2], output[3],
        { type = "function_call_output", call_id = "a", output = "7" },
        { type = "custom_tool_call_output", call_id = "b", output = 'error: there is no tool "grep"; there are: f' },
      }, sent(2).input)
      assert.same({ 7, "message" }, { #items, items[7].type })
      assert.matches("/responses$", transport.requests[1].path)
    end
  end)

  it("answers function_call, which has no ids", function()
    transport:reply { body = { choices = { { message = { role = "assistant", function_call = { name = "f",
      arguments = "{}" } } } } } }:reply(saying "ok")
    client_of():run_tools(params(), { f = tool(function() return "seven" end) })
    assert.same({ role = "function", name = "f", content = "seven" }, sent(2).messages[3])
  end)

  it("forces a tool in the first round only", function()
    for _, case in ipairs { { "required", nil }, { "auto", "auto" }, { { type = "function", name = "f" }, nil },
      { { type = "allowed_tools", mode = "auto" }, { type = "allowed_tools", mode = "auto" } } } do
      transport:reset():reply(asking(call_of("a", "f"))):reply(saying "ok")
      local asked = params()
      asked.tool_choice = case[1]
      client_of():run_tools(asked, { f = tool(function() return "x" end) })
      assert.same({ case[1], case[2] }, { sent(1).tool_choice, sent(2).tool_choice })
    end
  end)

  it("has no tools to send where there are none, and says so to a model that calls one", function()
    transport:reply(asking(call_of("a", "f"))):reply(saying "ok")
    local _, talk = client_of():run_tools(params(), {})
    assert.same({ a = 'error: there is no tool "f"; there are: none' }, results(talk))
    transport:reset():reply(saying "ok")
    local res, messages = client_of():run_tools(params(), {})
    assert.same({ "ok", 2, nil }, { res:output_text(), #messages, sent(1).tools })
  end)
end)

describe("[2.11] a conversation with tools that fails", function()
  local tools = { f = tool(function() return "done" end) }

  it("leaves in err.messages what was reached, and goes on from there", function()
    for _, mode in ipairs { "return", "split", "raise" } do
      transport:reset():reply(asking(call_of("a", "f"))):reply { status = 503 }
      local ok, res, err = pcall(function() return client_of { errors = mode }:run_tools(params(), tools) end)
      if mode == "return" then assert.is_nil(res) else err = res end
      assert.equal(mode == "return", ok)
      assert.equal("service_unavailable", err.type)
      assert.same({ 3, "done" }, { #err.messages, err.messages[3].content })
      assert.matches("spec/tools_spec.lua:%d+", err.where)
      transport:reset():reply(saying "ok")
      assert.equal("ok", (client_of():run_tools({ model = "m", messages = err.messages }, tools)):output_text())
    end
    transport:reset():reply { status = 400 }
    local res, err = client_of():run_tools(params(), tools)
    assert.is_nil(res)
    assert.same({ QUESTION }, err.messages)
    transport:reset():reply { status = 503 }
    local _, last = client_of():run_tools(params(), tools, { errors = "return" })
    assert.equal("service_unavailable", last.type)
  end)

  it("has the partial answer of a stream that breaks", function()
    transport:reply { sse = { { choices = { { index = 0, delta = { content = "Hel" } } } } }, fail = "reset" }
    local heard
    local _, err = client_of { errors = "return" }:run_tools(params(), tools, { on_text = function(t) heard = t end })
    assert.same({ "stream_error", "Hel", "Hel", 1 }, { err.type, err.partial.text, heard, #err.messages })
  end)

  it("raises a tool's own error if raise is true, and cancels the others", function()
    local over = false
    local list = {
      bad = tool(function() ofox.sleep(1) error("spilt", 0) end),
      slow = tool(function() ofox.sleep(5) over = true end),
    }
    transport:reply(asking(call_of("a", "bad"), call_of("b", "slow")))
    local ok, message = pcall(function() client_of():run_tools(params(), list, { raise = true }) end)
    assert.same({ false, "spilt" }, { ok, message })
    ofox.sleep(10)
    assert.is_false(over)
    list.bad.run = function() return nil, ofox.errors.new { type = "internal_error", message = "spilt" } end
    list.slow.run = function() return "quick" end
    transport:reset():reply(asking(call_of("b", "slow"), call_of("a", "bad")))
    local _, err = pcall(function() client_of():run_tools(params(), list, { raise = true }) end)
    assert.is_true(ofox.errors.is(err, "internal_error"))
    assert.same({ b = "quick", a = "error: ofox: internal_error: spilt" }, results(err.messages))
  end)

  it("raises what on_text and on_tool raise, and leaves nothing behind", function()
    transport:reply { sse = { { choices = { { index = 0, delta = { content = "Hel" } } } }, 60, "{}" } }
    local _, message = pcall(function()
      client_of():run_tools(params(), tools, { on_text = function() error("on_text", 0) end })
    end)
    assert.equal("on_text", message)
    transport:reset():reply(asking(call_of("a", "f")))
    _, message = pcall(function()
      client_of():run_tools(params(), tools, { on_tool = function() error("on_tool", 0) end })
    end)
    assert.equal("on_tool", message)
  end)

  it("is cancelled as a whole by a token: in a request, in the tools, in the last round", function()
    for _, case in ipairs { { "request" }, { "tools" }, { "last" } } do
      local token, over = ofox.cancel_token(), false
      transport:reset()
      if case[1] == "request" then transport:reply { delay = 60, body = "{}" } else
        transport:reply(asking(call_of("a", "quick"), call_of("b", "slow"))):reply(saying "never") end
      ofox.go(function() ofox.sleep(2) token:cancel() end)
      local began = transport:now()
      local res, err = client_of():run_tools(params(), {
        quick = tool(function() return "quick" end),
        slow = tool(function() ofox.sleep(30) over = true end),
      }, { cancel = token, max_rounds = case[1] == "last" and 1 or nil })
      assert.same({ nil, "cancelled_error", "cancelled" }, { res, err.type, err.code })
      assert.is_true(transport:now() - began < 2.5)
      ofox.sleep(60)
      assert.is_false(over)
      assert.equal(1, #transport.requests)
      if case[1] == "request" then assert.same({ QUESTION }, err.messages)
      else assert.same({ a = "quick", b = "error: the call was cancelled" }, results(err.messages)) end
    end
  end)

  it("runs no tool if the token was cancelled before", function()
    local token = ofox.cancel_token()
    token:cancel()
    local _, err = client_of():run_tools(params(), tools, { cancel = token })
    assert.same({ "cancelled_error", 0 }, { err.type, #transport.requests })
  end)

  it("ends with the task that it runs in", function()
    local over = false
    transport:reply(asking(call_of("a", "slow")))
    local task = ofox.go(function()
      return client_of():run_tools(params(), { slow = tool(function() ofox.sleep(30) over = true end) })
    end)
    ofox.sleep(1)
    task:cancel()
    local ok, err = task:wait()
    assert.same({ false, "cancelled_error" }, { ok, err.type })
    if not PCALL_HOLDS then assert.same({ a = "error: the call was cancelled" }, results(err.messages)) end
    ofox.sleep(60)
    assert.is_false(over)
  end)

  it("ends with Ctrl-C", function()
    transport:reply(asking(call_of("a", "f"))):reply { fail = "interrupted" }
    local ok, err = pcall(function() return client_of { errors = "return" }:run_tools(params(), tools) end)
    assert.same({ false, "interrupted", { a = "done" } }, { ok, err.code, results(err.messages) })
  end)
end)

describe("[2.11] in tasks, run_tools", function()
  it("waits without holding others up", function()
    transport:always(function(request)
      local body = json.decode(request.body)
      if #body.messages == 1 then return asking(call_of("a", "f")) end
      return saying(body.messages[1].content)
    end)
    local list = ofox.map({ "one", "two", "three" }, function(word)
      local res = client_of { errors = "raise" }:run_tools({ model = "m",
        messages = { { role = "user", content = word } } }, { f = tool(function() ofox.sleep(10) return "x" end) })
      return res:output_text()
    end)
    assert.same({ "one", "two", "three" }, { list[1][2], list[2][2], list[3][2] })
    assert.is_true(transport:now() < 11)
  end)
end)

describe("misuse of client:run_tools", function()
  local function misuse(message, ...)
    local client, args, n = client_of(), { ... }, select("#", ...)
    local line = debug.getinfo(1, "l").currentline + 1
    local _, text = pcall(function() client:run_tools(unpack(args, 1, n)) end)
    message = ("spec/tools_spec.lua:%d: client:run_tools: %s"):format(line, message)
    assert.equal(message, (tostring(text):gsub("^%./", "")))
  end

  it("names the argument, at the line of the caller", function()
    local f = { run = function() end }
    misuse("params: expected a table, got nil")
    misuse("params: expected named fields, got a list", { 1, messages = {} }, {})
    misuse("params.messages: expected a list of messages, got nil", { model = "m" }, {})
    misuse("params.messages: expected a list of messages, got a string", { messages = "hi" }, {})
    misuse("params.input: expected a string or a list, got a number", { input = 5 }, {})
    misuse("params.stream: expected true or nothing, got false (on_text is for streams)",
      { messages = {}, stream = false }, {}, { on_text = print })
    misuse("params.model: a function has no JSON form", { messages = {}, model = print }, {})
    misuse("tools: expected a table of names and tools, got nil", params())
    misuse("tools: expected names and tools, as in { weather = {…} }, got a list", params(), { f })
    misuse("tools.f: expected a table {description, parameters, run}, got a function", params(), { f = print })
    misuse("tools.f.run: expected a function, got nil", params(), { f = {} })
    misuse("tools.f.paramters: unknown field; did you mean parameters?", params(),
      { f = { run = print, paramters = {} } })
    misuse("tools.f.input_schema: unknown field; did you mean parameters?", params(),
      { f = { run = print, input_schema = {} } }, { protocol = "messages" })
    misuse("tools.f.description: expected a string, got a number", params(), { f = { run = print, description = 1 } })
    misuse("tools.f.parameters: expected a table, a JSON Schema, got a string", params(),
      { f = { run = print, parameters = "{}" } })
    misuse("opts: expected a table of options, got a number", params(), {}, 1)
    misuse("opts.limit: expected an integer from 1 on, got 0", params(), {}, { limit = 0 })
    misuse("opts.max_rounds: expected an integer from 1 on, got 1.5", params(), {}, { max_rounds = 1.5 })
    misuse("opts.max_round: unknown option; did you mean max_rounds?", params(), {}, { max_round = 1 })
    misuse("opts.raise: expected true or false, got 1", params(), {}, { raise = 1 })
    misuse("opts.on_tool: expected a function, or false for none, got 1", params(), {}, { on_tool = 1 })
    misuse('opts.protocol: expected "chat", "messages" or "responses", got "smoke"', params(), {},
      { protocol = "smoke" })
    misuse("opts.timeout: expected a number of seconds > 0, got -1", params(), {}, { timeout = -1 })
    misuse("opts.idempotency_key: expected false, got a string (every round is a request of its own)", params(), {},
      { idempotency_key = "k" })
    misuse('opts.errors: expected "split", "return" or "raise", got "x"', params(), {}, { errors = "x" })
  end)

  it("says that Gemini has none", function()
    local none = "Gemini's protocol has no run_tools; client:generate_content and res:tool_calls() do it by hand"
    misuse("params.contents: " .. none, { model = "m", contents = {} }, {})
    misuse("params.contents: " .. none, { model = "m", contents = {} }, {}, { protocol = "chat" })
    for _, name in ipairs { "gemini", "generate_content" } do
      misuse("opts.protocol: " .. none, params(), {}, { protocol = name })
    end
    misuse('opts.protocol: expected "chat", "messages" or "responses", got "claude"', params(), {},
      { protocol = "claude" })
    transport:reply(saying "ok")
    local given = params()
    given.contents = "a field of this server"
    assert(client_of():run_tools(given, {}))
    assert.equal("a field of this server", sent(1).contents)
  end)

  it("asks for the protocol where the params have both conversations", function()
    local both = params()
    both.input = "hi"
    misuse('params: has both input and messages: name the protocol, opts.protocol = "chat", "messages" or "responses"',
      both, {})
    transport:reply(saying "ok"):reply { body = { output = { { type = "message", content = {
      { type = "output_text", text = "ok" } } } } } }
    assert.equal("ok", client_of():run_tools(both, {}, { protocol = "chat" }):output_text())
    assert.equal("ok", client_of():run_tools(both, {}, { protocol = "responses" }):output_text())
    assert.same({ "/v1/chat/completions", "/v1/responses" }, { transport.requests[1].path, transport.requests[2].path })
  end)

  it("names a call with a dot", function()
    local ok, message = pcall(function() client_of().run_tools({}, {}) end)
    assert.is_false(ok)
    assert.matches("client:run_tools: expected a client before the dot", message, 1, true)
  end)
end)
