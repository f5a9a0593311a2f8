-- What the torture (torture.c) runs while memory fails: a list of scenarios.
--   name   for the command line
--   wire   true: libcurl's memory is made to fail as well
--   setup  runs before that; what it returns is the argument of run
--   run    must give what it should, or raise: an error of ofox, or what Lua
--          raised. Where it sees a wrong result it raises a text that begins
--          with "wrong", which must not be put together then.
-- A new scenario is a function between add(…) and end.
local torture = _G.torture -- luacheck: ignore 143
package.path = "./lua/?.lua;./lua/?/init.lua;" .. package.path

-- With its compiler on, LuaJIT 2.1.0-beta3 itself hangs or crashes in one of
-- some thousand failures, with nothing of ours on the stack.
if rawget(_G, "jit") then rawget(_G, "jit").off() end

local scenarios = {}

local function add(name, run, more)
  local scenario = { name = name, run = run, setup = function() end }
  for field, value in pairs(more or {}) do scenario[field] = value end
  scenarios[#scenarios + 1] = scenario
end

-- Not assert, which would put a position before the text.
local function must(value, text)
  if not value then error(text, 0) end
end

-- The C halves come from this program, and the files are read and compiled
-- once: the disk and the compiler are not what is tried here.
-- What a host loads by itself, and what nobody loads in a call, is left out.
local LEFT_OUT = { "^types", "^health$", "^doctor", "^loop%.ngx", "^loop%.uv$" }
local FILES = {}
do
  local list = assert(io.popen("cd lua/ofox && find . -name '*.lua' | sort"))
  for path in list:lines() do
    local name, wanted = path:match("^%./(.*)%.lua$"):gsub("/", "."), true
    for _, pattern in ipairs(LEFT_OUT) do wanted = wanted and not name:find(pattern) end
    if wanted then FILES[#FILES + 1] = name end
  end
  list:close()
end

local load = loadstring or load -- luacheck: ignore 113

for _, name in ipairs(FILES) do
  local module = name == "init" and "ofox" or "ofox." .. name
  local file = assert(io.open("lua/ofox/" .. name:gsub("%.", "/") .. ".lua"))
  local chunk = string.dump(assert(load(file:read("*a"), "=" .. module)))
  file:close()
  package.preload[module] = function(...) return assert(load(chunk, module))(...) end
end
package.preload["ofox.core"] = torture.open_core
package.preload["ofox.engine"] = torture.open_engine

local function forget()
  for module in pairs(package.loaded) do
    if module:find("^ofox") or module == "cjson" then package.loaded[module] = nil end
  end
end

local function require_all()
  for i = 1, #FILES do
    local name = FILES[i]
    require(name == "init" and "ofox" or "ofox." .. name)
  end
  require "ofox.engine"
end

add("load", function()
  require_all()
  must(require "ofox".new { api_key = "k-0123456789" }, "wrong: no client")
end, { setup = forget })

require_all()
local ofox = require "ofox"
local mock = require "ofox.mock"
local json = require "ofox.json"
local memory = require "ofox.base.memory"
local core = require "ofox.base.native" "core"
local errors, retry = ofox.errors, ofox.retry
-- what is found when it is first asked for
local parse_error, token, array, object, meta = -- luacheck: ignore
  ofox.parse_error, ofox.cancel_token, ofox.array, ofox.object, ofox.meta
require "cjson"

-- An answer of a client, or its error raised.
local function got(value, err)
  if value == nil then error(err, 0) end
  return value
end

-- The error that a call must end in: anything else that came is raised.
local function failed(kind, value, err)
  must(value == nil, "wrong: a success")
  if not errors.is(err, kind) then error(err, 0) end
  return err
end

-- What calls the function raises, which must be misuse of that text. Raised
-- again if it speaks of memory.
local function misused(text, fn, ...)
  local ok, message = pcall(fn, ...)
  must(not ok, "wrong: no misuse")
  if type(message) ~= "string" or not message:find(text, 1, true) then error(message, 0) end
end

local KEY = "sk-of-secret-0123456789"
local PARAMS = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }
local OK = { choices = { { message = { content = "hi" }, finish_reason = "stop" } } }

local function client_of(transport, more)
  local options = { api_key = KEY, transport = transport, retry = { jitter = "none" }, errors = "return" }
  for name, value in pairs(more or {}) do options[name] = value end
  return ofox.new(options)
end

add("new", function()
  local client = ofox.new {
    api_key = function() return KEY end, base_url = "https://example.test:8443/v1/", timeout = 5, connect_timeout = 1,
    deadline = 20, max_retries = 2, retry = { base = 0.5, jitter = "full", statuses = { 418, 425 }, seed = 7 },
    fallback = { "a/b", "c/d" }, errors = "raise", headers = { ["X-Title"] = "t", Authorization = "Basic dXNlcg==" },
    query = { a = { 1, "x" }, b = true }, idempotency_key = false, max_event_bytes = 1000, max_response_bytes = 1000,
    max_connections = 4, on_retry = function() end, on_wait = function() end, on_error = print, on_response = print,
    logger = function() end, proxy = "http://user:secretpass@127.0.0.1:1", ca_file = "/x", ca_path = "/y",
    verify = false, client_cert = { cert = "/c", key = "/k", password = "passpass" }, http_version = "2",
    json = function(text) return text end, transport = mock.new(),
  }
  must(tostring(client) == "ofox.client: https://example.test:8443/v1", "wrong: name")
end)

add("misuse", function()
  misused("did you mean max_retries", ofox.new, { maxRetries = 1 })
  misused("retry.statuses", ofox.new, { retry = { statuses = { 1000 } } })
  misused("transport", ofox.new, { transport = {} })
  misused("headers.x-a", ofox.new, { headers = { ["x-a"] = "a\nb" } })
  misused("white space", ofox.new, { api_key = "k-0123456789\n" })
  local transport = mock.new()
  local client = client_of(transport)
  misused("messages[1].content: invalid UTF-8", client.chat, client,
    { model = "m", messages = { { role = "user", content = "\255" } } })
  local cycle = { model = "m" }
  cycle.messages = { { content = cycle } }
  misused("messages[1].content: a table that contains itself", client.chat, client, cycle)
  misused("opts.timeout", client.chat, client, PARAMS, { timeout = -1 })
  misused("unknown field", client.request, client, { path = "/x", nonsense = 1 })
  misused("unknown field", transport.reply, transport, { nonsense = 1 })
  misused("lang", function() parse_error(400):hint("xx") end)
end)

add("chat", function()
  local transport = mock.new()
  transport:reply { status = 429, headers = { ["Retry-After"] = "20", ["x-ratelimit-remaining-requests"] = 0 },
    body = { error = { message = "slow down " .. KEY, type = "rate_limit_error", code = "rate_limited" } } }
  transport:reply { status = 503, body = "<html><title>gone &amp; away</title></html>" }
  transport:reply { fail = "reset" }
  transport:reply { status = 200, headers = { ["x-request-id"] = "req_1" }, delay = 0.5, body = OK }
  local said = 0
  local client = client_of(transport, { fallback = { "a/b", "c/d" }, on_retry = function(err)
    said = said + 1
    must(err.model ~= nil and #err.message > 3, "wrong: message")
    must(not err.message:find("secret", 1, true), "wrong: a secret")
  end, on_wait = function() end, logger = function() end })
  local response = got(client:chat(PARAMS, { headers = { cookie = "a=longer-than-eight" } }))
  must(response:output_text() == "hi", "wrong: text")
  must(said == 3 and #transport.requests == 4, "wrong: attempts")
  local known = meta(response)
  must(known.attempts == 4 and known.request_id == "req_1" and known.status == 200, "wrong: meta")
  must(#known.retries == 3 and known.retries[1].status == 429, "wrong: retries")
  must(known.retries[1].delay >= 20 and known.retries[1].delay_source == "retry-after", "wrong: delay")
  must(known.retries[2].status == 503 and known.retries[2].model == "openai/gpt-4o", "wrong: model")
end)

add("failures", function()
  local transport = mock.new()
  local client = client_of(transport, { max_retries = 1, on_error = function() end })
  transport:reply { status = 401, headers = { ["x-echo"] = KEY, ["x-request-id"] = "req_" .. KEY },
    body = { error = { message = "bad key " .. KEY, code = "invalid_api_key" } } }
  local err = failed("authentication_error", client:chat(PARAMS))
  must(err.message == "bad key ***" and err.code == "invalid_api_key", "wrong: message")
  must(err.headers["x-echo"] == "***" and err.request_id == "req_***", "wrong: headers")
  must(err.body:find("bad key ***", 1, true), "wrong: body")
  transport:reply { status = 200, body = { error = { message = "inside " .. KEY, code = 429 } } }
  transport:reply { status = 200, body = { error = { message = "inside", code = 429 } } }
  err = failed("rate_limit_error", client:chat(PARAMS))
  must(err.attempts == 2 and err.reason == "max_retries" and err.message == "inside", "wrong: reason")
  transport:reply { status = 200, body = "no json" }
  err = failed("response_error", client:chat(PARAMS))
  must(err.code == "invalid_json", "wrong: code")
  transport:reply { status = 302, headers = { location = "https://x.test/" .. KEY } }
  err = failed("response_error", client:chat(PARAMS))
  must(err.message:find(" to https://x.test/***", 1, true), "wrong: target")
  transport:reply { fail = "refused" }
  transport:reply { fail = "timeout" }
  err = failed("timeout_error", client:chat(PARAMS))
  must(err.retries[1].code == "refused", "wrong: code")
  must(failed("authentication_error", client_of(transport, { api_key = function() end }):chat(PARAMS)).code
    == "missing_api_key", "wrong: key")
end)

-- class by status, with bodies as servers send them
local NASTY = {
  { 400, "invalid_request_error", '{"error":{"message":"\\ud800 \\"quoted\\" \\u0000","param":7,"code":null}}' },
  { 401, "authentication_error", "<!-- --><html><h1>No&nbsp;way</h1>" },
  { 402, "billing_error", '{"detail":[{"msg":"pay"}]}' },
  { 403, "permission_error", "\255\254 no \128" },
  { 404, "not_found_error", '["x"' },
  { 408, "timeout_error", "" },
  { 409, "conflict_error", '{"message":"twice"}' },
  { 429, "rate_limit_error", '{"error":{"message":"Please try again in 1m20.5s","details":[{"retryDelay":"52s"}]}}' },
  { 429, "billing_error", '{"error":{"code":"insufficient_quota","message":"spent"}}' },
  { 500, "internal_error", ('{"error":{"message":"%s"}}'):format(("long \\u00e9 "):rep(400)) },
  { 502, "upstream_error", "<html><title>502 Bad Gateway</title>" },
  { 503, "service_unavailable", "null" },
  { 529, "service_unavailable", '{"error":"busy"}' },
}

-- What there was no memory to count by name is counted as "other".
add("stats", function()
  local transport = mock.new()
  local client = client_of(transport, { fallback = { "a/b" }, max_retries = 2 })
  transport:reply { status = 503, body = "{}" }
  transport:reply { status = 500, body = "{}" }
  transport:reply { body = { choices = OK.choices, usage = { prompt_tokens = 3, completion_tokens = 4 } } }
  got(client:chat(PARAMS))
  transport:reply { sse = { { choices = { { index = 0, delta = { content = "hi" }, finish_reason = "stop" } } },
    { choices = {}, usage = { prompt_tokens = 1, completion_tokens = 1 } }, "[DONE]" } }
  must(got(got(client:stream(PARAMS)):collect()):output_text() == "hi", "wrong: text")
  local stats = client:stats()
  must(stats.calls == 2 and stats.attempts == 4 and stats.retries == 2, "wrong: calls")
  must(stats.succeeded == 2 and stats.failed == 0 and stats.in_flight == 0 and stats.waiting == 0, "wrong: ends")
  must(stats.tokens.input == 3 or stats.tokens.input == 4, "wrong: tokens")
  must(stats.latency.count == 2 and stats.waits.count == 2 and #stats.waits.buckets == 17, "wrong: times")
  local text = ofox.prometheus(client, client_of(transport))
  must(text:find('\nofox_calls_total{client="1",host="api.ofox.ai"} 2\n', 1, true), "wrong: text")
end)

add("errors", function()
  for i = 1, #NASTY do
    local status, kind, body = NASTY[i][1], NASTY[i][2], NASTY[i][3]
    local err = parse_error(status, { ["Retry-After"] = "7", ["X-Request-Id"] = "r\255" }, body)
    if not errors.is(err, kind) then error("wrong: class", 0) end
    must(err.status == status and #err.message > 0 and err.request_id == "r\239\191\189", "wrong: fields")
    must(#tostring(err) > 10 and #err:hint() > 10 and #err:hint("zh") > 10, "wrong: words")
    must(got(json.encode(err)):find('"type"', 1, true), "wrong: JSON")
  end
  must(parse_error(200, nil, '{"a":1}') == nil, "wrong: an error")
  must(parse_error(429, { "HTTP/1.1 429", "retry-after-ms: 1500", " continued" }).retry_after == nil, "wrong: delay")
end)

add("headers", function()
  local made = core.parts.headers { "HTTP/1.1 100 Continue", "", "HTTP/1.1 200 OK", "A: b", " c", "X-Request-ID: r",
    "Bad\255: \254", "Retry-After: 5", "" }
  for i = 1, #made.codes do
    if made.codes[i] == -1 then error("not enough memory", 0) end
  end
  must(made.complete and made.map.a == "b c" and made.request_id == "r" and made.count == 3, "wrong: headers")
  local delay, source = core.parts.delay({ ["x-ratelimit-reset-tokens"] = "6m0s" }, 0)
  must(delay == 360 and source == "x-ratelimit-reset-tokens", "wrong: delay")
  must(core.parts.ratelimit({ { "x-ratelimit-limit-requests", "9" } }, 0).limit_requests == 9, "wrong: limit")
end)

local MEMBERS = {}
for i = 1, 40 do MEMBERS[("name%02d"):format(41 - i)] = i end

add("json", function()
  local text = '{"a":[],"b":null,"c":[null,1,2.5,12345678901234567],"d":"\\ud83d\\ude00 \\ud800 \255","e":{"f":{}}}'
  local value = got(json.decode(text))
  must(value.b == nil and value.c[1] == json.null and value.d == "😀 \239\191\189 \239\191\189", "wrong: value")
  local again = got(json.encode(value))
  must(again:find('"a":[]', 1, true) and again:find('"e":{"f":{}}', 1, true), "wrong: text")
  must(got(json.encode(MEMBERS)):find('^{"name01":40,"name02":39,'), "wrong: order")
  must(got(json.encode(object { [2] = 0.1, [10] = -1e300, x = array {} })) == '{"10":-1e+300,"2":0.1,"x":[]}',
    "wrong: object")
  local deep = {}
  for _ = 1, 60 do deep = { deep, ["n" .. "x"] = nil } end
  must(#got(json.encode(deep)) == 122, "wrong: depth")
  value = got(json.decode(("[[],"):rep(60) .. "null" .. ("]"):rep(60)))
  for _ = 1, 60 do value = value[2] end
  must(value == json.null, "wrong: a null in the depth")
  local names = {}
  for i = 1, 8 do names[i] = ('"name%d\\n":"%s\\t","m%d":[]'):format(i, ("x"):rep(i * 50), i) end
  value = got(json.decode("{" .. table.concat(names, ",") .. "}"))
  must(value["name8\n"] == ("x"):rep(400) .. "\t" and #value.m8 == 0, "wrong: names")
  value = got(json.decode("[" .. ("2.25,"):rep(2500) .. "[0]]"))
  must(#value == 2501 and value[2500] == 2.25, "wrong: a long list")
  local none, message = json.encode { a = { [1] = 1, [3] = 3 } }
  if message ~= "a: a list with holes (ofox.object{} makes it an object)" then error(message, 0) end
  must(none == nil, "wrong: holes")
  none, message = json.decode '{"a":'
  if message ~= "the JSON ends too early" then error(message, 0) end
  must(none == nil, "wrong: a cut")
end)

add("embeddings", function()
  local transport = mock.new()
  local client = client_of(transport)
  local floats = core.parts.base64_encode(("\0\0\128\63"):rep(300))
  transport:reply { body = { data = { { embedding = floats }, { embedding = floats } } } }
  local response = got(client:embeddings { model = "m", input = { "a", "b" } })
  must(#response.data[2].embedding == 300 and response.data[1].embedding[300] == 1, "wrong: vector")
  must(core.parts.base64_decode(floats) == ("\0\0\128\63"):rep(300), "wrong: bytes")
end)

add("answers", function()
  local transport = mock.new()
  local client = client_of(transport, { on_response = function(known) must(known.attempts == 1, "wrong: meta") end })
  transport:reply { body = { choices = { { message = { tool_calls = { { id = "t", ["function"] =
    { name = "f", arguments = '{"x":[1,null]}' } } } } } } } }
  local calls = got(client:chat(PARAMS)):tool_calls()
  must(calls[1].name == "f" and calls[1].arguments.x[2] == ofox.null, "wrong: tools")
  local text = { type = "output_text", text = '{"a":1}' }
  transport:reply { body = { output = { { type = "message", content = { text } } } } }
  must(got(client:responses { model = "m", input = "hi" }):output_json().a == 1, "wrong: output")
  transport:reply { body = "[]" }
  must(meta(got(client:request { path = "/x", query = { a = "ä" } })).status == 200, "wrong: list")
  transport:reply { body = "\0raw" }
  must(got(client:request { path = "/x", raw = true, body = { a = 1 } }).value == "\0raw", "wrong: raw")
  transport:reply { body = { data = {} } }
  must(got(client:models()).data, "wrong: models")
  transport:reply { status = 404, body = "" }
  must(client:connect(), "wrong: connect")
end)

add("redact", function()
  local redact = core.parts.redact
  local secret = "key/with+signs=0123456789"
  local text = "raw " .. secret .. " url key%2Fwith%2Bsigns%3D0123456789 b64 "
    .. core.parts.base64_encode("Bearer " .. secret)
  local clean = redact(text, { secret, "another-secret", "short" })
  must(clean:find("^raw %*%*%* url %*%*%* b64 ") and not clean:find("signs", 1, true), "wrong: a secret")
  must(core.parts.utf8_clean("a\255b\237\160\128") == "a\239\191\189b" .. ("\239\191\189"):rep(3), "wrong: text")
end)

add("retry", function()
  local err = parse_error(429, { ["retry-after"] = "3" }, "")
  must(retry.delay("openai", 2, { u = 0 }) == 2, "wrong: delay")
  local plan = retry.plan({ base = 2, jitter = "none", statuses = { 418 } }, err,
    { attempt = 1, elapsed = 1, deadline = 99 })
  must(plan.retry and plan.source == "server", "wrong: plan")
  must(not retry.plan(nil, err, { attempt = 3 }).retry, "wrong: too often")
  misused("retry.base", retry.delay, { base = "x" }, 0)
  local tries, slept = 0, 0
  local value = retry.call(function()
    tries = tries + 1
    if tries < 3 then error(err, 0) end
    return "done"
  end, { seed = 4, on_retry = function() end, sleep = function(s) slept = slept + s end })
  must(value == "done" and tries == 3 and slept >= 6, "wrong: call")
end)

add("cancel", function()
  local transport = mock.new()
  local client, cancel = client_of(transport), token()
  transport:reply { status = 503 }
  transport:reply { body = OK }
  local err = failed("cancelled_error", client:chat(PARAMS, { cancel = cancel, on_wait = function()
    if not cancel:cancelled() then cancel:cancel("enough") end
  end }))
  must(err.cause.status == 503 and #transport.requests == 1, "wrong: cause")
  transport = mock.new()
  err = failed("cancelled_error", client_of(transport):chat(PARAMS, { cancel = cancel }))
  must(err.attempts == 0 and #transport.requests == 0, "wrong: attempts")
  must(cancel._count == 0, "wrong: listeners")
end)

add("hooks", function()
  local transport, client
  local function raising() error("from the hook", 0) end
  for _, name in ipairs { "on_retry", "on_wait", "on_error", "on_response", "logger" } do
    transport = mock.new()
    client = client_of(transport)
    transport:reply(name == "on_response" and { body = OK } or { status = name == "on_error" and 400 or 503 })
    misused("from the hook", client.chat, client, PARAMS, { [name] = raising })
  end
  transport = mock.new()
  client = client_of(transport)
  transport:reply { status = 503, body = {} }
  local err = failed("service_unavailable", client:chat(PARAMS, { on_retry = function() return false end }))
  must(err.reason == "hook", "wrong: reason")
end)

-- Streams and tasks

-- A new engine each time: the last one may have been made short of memory.
local function forget_engine()
  for _, name in ipairs {
    "task.engine", "task.clock", "task.transports", "task.awaited", "task.scheduler", "task.block", "task.wait",
    "task.unhandled", "task.lifecycle", "task.parallel", "call.deliver", "call.driver", "call.reader", "call.stream",
    "task.task", "loop.protocol", "client",
  } do
    package.loaded["ofox." .. name] = nil
  end
  for _, name in ipairs { "client", "call.driver", "call.stream", "task.task" } do require("ofox." .. name) end
end

local function event(delta, finish) return { choices = { { index = 0, delta = delta, finish_reason = finish } } } end

add("stream", function()
  local transport = mock.new()
  transport:reply { sse = { event { role = "assistant" } }, fail = "reset" }
  transport:reply { sse = { event { role = "assistant" }, event { content = "h" },
    event { reasoning_content = "hm", tool_calls = { { index = 0, id = "c", ["function"] = { name = "f" } } } },
    event { content = "i" }, event({}, "stop") } }
  transport:reply { sse = { event { content = "h" }, event { content = "i" } }, fail = "truncated" }
  local client = client_of(transport)
  local stream, text = got(client:stream(PARAMS)), {}
  for piece in stream:text() do text[#text + 1] = piece end
  must(table.concat(text) == "hi", "wrong: text")
  local whole = got(stream:collect())
  must(whole:output_text() == "hi" and #whole:tool_calls() == 1, "wrong: answer")
  must(stream:meta().attempts == 2, "wrong: attempts")
  stream = got(client:stream(PARAMS))
  got(stream:next())
  got(stream:next())
  local err = failed("stream_error", stream:next())
  must(err.code == "truncated" and err.partial.text == "hi", "wrong: partial")
end)

-- Why it has failed may be unknown when it is left.
add("left stream", function()
  local transport = mock.new()
  transport:always { sse = { event { content = "h" }, event { content = "i" }, event { content = "j" } },
    fail = "reset" }
  local stream = got(client_of(transport):stream(PARAMS))
  transport:step(0)
  stream:close()
  must(stream:meta().status == 200, "wrong: meta")
end)

-- Events that are alike: of the last ones the core has a plan.
add("chunks", function()
  local transport = mock.new()
  local events = {}
  for i = 1, 7 do
    events[i] = ('{"choices":[{"index":0,"delta":{"content":"\\u00e9%d"}}],"n":[1.5,[]],"obfuscation":"%s"}')
      :format(i, ("x"):rep(i))
  end
  transport:reply { sse = events }
  transport:reply { sse = events }
  local client = client_of(transport)
  local stream = got(client:stream(PARAMS))
  for i = 1, 7 do
    local chunk = got(stream:next())
    must(chunk.choices[1].delta.content == "é" .. i and #chunk.obfuscation == i, "wrong: a chunk")
    must(got(json.encode(chunk.n)) == "[1.5,[]]", "wrong: a list")
    chunk.choices[1].delta.content = nil
  end
  must(stream:next() == nil, "wrong: more")
  must(#got(got(client:stream(PARAMS)):collect()):output_text() == 21, "wrong: text")
end)

add("sse", function()
  local parser = require "ofox.sse"():feed("event: a\ndata: 1\ndata: 2\n\nid: x\nda"):feed("ta: 3\n\n"):finish()
  must(got(parser:next()).data == "1\n2", "wrong: first")
  must(got(parser:next()).id == "x" and parser:next() == nil, "wrong: second")
end)

add("tasks", function()
  local task = require "ofox.task.task"
  local sleep = require "ofox.task.wait".sleep
  local transport = mock.new()
  for i = 1, 4 do transport:reply { delay = i, body = OK } end
  local client = client_of(transport)
  local uninstall = transport:install()
  local function ask()
    sleep(1)
    return got(client:chat(PARAMS)):output_text()
  end
  local ok, results = pcall(task.all, { ask, ask, ask }, { limit = 2, stop_on_error = true })
  uninstall()
  if not ok then error(results, 0) end
  for i = 1, 3 do must(results[i][2] == "hi", "wrong: result") end
  must(task.run(function() return 7 end) == 7, "wrong: run")
end, { setup = forget_engine })

-- Who waits may hear that memory is short. Where it waits again, all comes to
-- its end: nothing that was to wake a task is lost.
local function ended(tasks, count)
  local ok, message = true, nil
  for i = 1, count do
    for _ = 1, 9 do
      if tasks[i]:status() ~= "running" then break end
      ok, message = pcall(tasks[i].wait, tasks[i])
      if not ok and not memory.is_short(message) then error(message, 0) end
    end
  end
  if not ok then error(message, 0) end -- for good
  must(not require "ofox.task.scheduler".has_tasks(), "wrong: a task is left")
end

add("tasks go on", function()
  local task = require "ofox.task.task"
  local sleep = require "ofox.task.wait".sleep
  local transport = mock.new()
  transport:always { delay = 1, body = OK }
  local client = client_of(transport)
  local uninstall = transport:install()
  local tasks, count, told = { false, false, false, false, false, false, false }, 0, 0
  local function heard() told = told + 1 end
  require "ofox.base.log".to(function(line)
    if line:find("on_done", 1, true) then heard() end -- there was no memory to call it
  end)
  local function go(fn)
    local made = task.go(fn)
    count = count + 1
    tasks[count] = made
    made:on_done(heard)
    return made
  end
  local function ask() return got(client:chat(PARAMS)):output_text() end
  local ok, message = pcall(function()
    local first = go(ask)
    for _ = 1, 2 do go(function() return first:wait() end) end
    go(function() return task.run(function() task.go(ask) task.go(sleep, 1) end) end)
    go(function() return task.all({ ask, function() end, ask, sleep }, { limit = 2 }) end)
    go(function() return task.any { function() sleep(1) end, ask, function() sleep(9) end } end)
    go(function() sleep(60) end):cancel()
  end)
  local over, why = pcall(ended, tasks, count)
  uninstall()
  if not over then error(why, 0) end
  if not ok then error(message, 0) end
  must(told == #tasks, "wrong: who was to be told")
end, { setup = forget_engine })

add("map and any", function()
  local task = require "ofox.task.task"
  local sleep = require "ofox.task.wait".sleep
  local transport = mock.new()
  for i = 1, 3 do transport:reply { delay = i, body = OK } end
  local client = client_of(transport)
  local uninstall = transport:install()
  local function ask() return got(client:chat(PARAMS)):output_text() end
  local heard = 0
  local ok, results = pcall(task.map, { 1, 2, 3 }, ask, { limit = 2, stop_on_error = true, on_result = function()
    heard = heard + 1
    sleep(0.5)
  end })
  local won, first = pcall(task.any, { function() sleep(9) return "late" end, function() sleep(1) return "first" end })
  uninstall()
  if not ok then error(results, 0) end
  if not won then error(first, 0) end
  for i = 1, 3 do must(results[i][2] == "hi", "wrong: result") end
  must(heard == 3, "wrong: on_result")
  must(first == "first" or first == "late", "wrong: any")
end, { setup = forget_engine })

-- Over libcurl

local function http(status, body, headers)
  -- not by format, with which Lua 5.1 ends a body at its first zero
  return ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"):format(status, #body)
    .. (headers or "") .. "\r\n" .. body
end

local COMPLETION = assert(json.encode(OK))

local function wire_client(port, more)
  local options = { base_url = "http://127.0.0.1:" .. port .. "/v1", api_key = KEY, errors = "return", timeout = 5,
    retry = { base = 0.001, jitter = "none" }, proxy = false }
  for name, value in pairs(more or {}) do options[name] = value end
  return ofox.new(options)
end

add("held", function()
  local task = require "ofox.task.task"
  local transport = mock.new()
  transport:reply { status = 429, headers = { ["retry-after"] = "5" } }
  transport:always { body = OK }
  local client = client_of(transport, { pace = { rpm = 600 }, fallback = { "other/model" } })
  failed("rate_limit_error", client:chat(PARAMS, { max_retries = 0 }))
  local cancel = token()
  local function ask() return got(client:chat(PARAMS)):output_text() end
  local results = task.all({ ask, function()
    failed("cancelled_error", client:chat(PARAMS, { cancel = cancel }))
    return "cancelled"
  end, function()
    cancel:cancel()
    return ask()
  end, ask }, { stop_on_error = true })
  must(results[1][2] == "hi" and results[2][2] == "cancelled" and results[4][2] == "hi", "wrong: result")
  transport:reset()
  transport:reply { status = 429, headers = { ["retry-after"] = "500" } }
  failed("rate_limit_error", client:chat(PARAMS, { max_retries = 0 }))
  local err = failed("rate_limit_error", client:chat(PARAMS, { deadline = 1 }))
  must(err.code == "held" and err.attempts == 0, "wrong: refused")
end, { setup = forget_engine })

add("health", function()
  local transport = mock.new()
  local client = client_of(transport, { budget = true, breaker = { min_calls = 3, open = 10 }, max_retries = 1 })
  transport:always { status = 500 }
  local err
  for _ = 1, 2 do err = failed("internal_error", client:chat(PARAMS)) end
  must(err.reason == "circuit_open" and err.attempts == 1, "wrong: reason")
  transport:always(function(request)
    return request.body:find("other/model", 1, true) and { body = OK } or { status = 500 }
  end)
  must(got(client:chat(PARAMS, { fallback = { "other/model" } })):output_text() == "hi", "wrong: result")
  local limits = client:stats().limits
  must(limits.models[PARAMS.model].breaker == "open", "wrong: limits")
end, { setup = forget_engine })

add("hedge", function()
  local transport, keys = mock.new(), 0
  transport:reply { delay = 9, body = OK }
  transport:reply { delay = 2, status = 503, body = "{}" }
  local client = client_of(transport, { hedge = { after = 1, model = "h/h" }, fallback = { "a/b" }, max_retries = 5,
    api_key = function()
      keys = keys + 1
      return KEY .. keys
    end })
  local known = meta(got(client:chat(PARAMS)))
  must(known.attempts == 2 and known.elapsed == 9 and known.retries[1].model == "h/h", "wrong: the first")
  transport:reply { delay = 9, body = OK }
  transport:reply { delay = 1, sse = { { choices = { { delta = { content = "hi" } } } } } }
  must(got(got(client:stream(PARAMS)):collect()):output_text() == "hi", "wrong: text")
  transport:reply { delay = 2, status = 502, body = { error = { message = KEY } } }
  transport:reply { delay = 2, status = 500, body = { error = { message = KEY, code = "no" } } }
  transport:reply { delay = 9, body = OK }
  transport:reply { delay = 1, body = OK }
  local results = require "ofox.task.task".all({ function() return meta(got(client:chat(PARAMS))) end },
    { stop_on_error = true })
  known = results[1][2]
  must(known.attempts == 4 and #known.retries == 3 and known.retries[3].code == "cancelled", "wrong: both failed")
  must(known.retries[1].status == 502 and known.retries[2].code == "no", "wrong: history")
  transport:reply { delay = 9, body = OK }
  transport:reply { delay = 9, body = OK }
  must(failed("timeout_error", client:chat(PARAMS, { deadline = 3 })).attempts == 2, "wrong: deadline")
  local stats = client:stats()
  must(stats.calls == 4 and stats.attempts == 10 and stats.in_flight == 0 and stats.waiting == 0, "wrong: counts")
  must(stats.succeeded == 3 and stats.failed == 1, "wrong: ends")
end, { setup = forget_engine })

-- What stands for a dictionary of nginx.
local function new_dict()
  local values = {}
  local function set(_, key, value)
    values[key] = value
    return true
  end
  return { safe_set = set, get = function(_, key) return values[key] end,
    add = function(_, key, value)
      if values[key] then return nil, "exists" end
      return set(nil, key, value)
    end, delete = function(_, key) values[key] = nil end }
end

add("shared", function()
  local store = require("ofox").store.ngx(new_dict())
  local transport, other = mock.new(), mock.new()
  transport:reply { body = OK }
  transport:reply { status = 429, headers = { ["retry-after"] = "50" } }
  other:always { body = OK }
  local options = { pace = { rpm = 6000 }, store = store }
  local client = client_of(transport, options)
  must(got(client:chat(PARAMS)):output_text() == "hi", "wrong: result")
  failed("rate_limit_error", client:chat(PARAMS, { max_retries = 0 }))
  -- where memory fails, the other one may not have heard of it
  local response, err = client_of(other, options):chat(PARAMS, { deadline = 1 })
  if response then return end
  failed("rate_limit_error", nil, err)
  must(err.code == "held" and err.attempts == 0, "wrong: refused")
end, { setup = forget_engine })

add("tools", function()
  local transport = mock.new()
  local calls = {}
  for i, name in ipairs { "f", "g", "h" } do
    calls[i] = { id = name, type = "function", ["function"] = { name = name, arguments = '{"x":[1]}' } }
  end
  transport:reply { body = { choices = { { message = { role = "assistant", tool_calls = calls } } } } }
  transport:reply { sse = { { choices = { { index = 0, delta = { content = "hi" }, finish_reason = "stop" } } } } }
  transport:reply { status = 400 }
  local client = client_of(transport)
  local tools = { f = { description = "f", run = function(arguments) return arguments end },
    g = { parameters = { type = "object" }, run = function() ofox.sleep(0.001) return "g" end } }
  local response, messages = client:run_tools(PARAMS, tools, { cancel = token(), on_text = function() end,
    on_tool = function() end, max_rounds = 3 })
  must(got(response, messages):output_text() == "hi", "wrong: text")
  must(#messages == 6 and messages[3].content == '{"x":[1]}' and messages[4].content == "g", "wrong: results")
  must(#failed("invalid_request_error", client:run_tools(PARAMS, tools)).messages == 1, "wrong: messages")
end, { setup = forget_engine })

-- A message of Anthropic's protocol, and its events.
local CONTENT = { { type = "thinking", thinking = "hm", signature = "c2ln" }, { type = "text", text = "hi" },
  { type = "tool_use", id = "a", name = "f", input = { x = 1 } } }
local MESSAGE = { type = "message", role = "assistant", content = CONTENT, stop_reason = "tool_use",
  usage = { input_tokens = 3, output_tokens = 9 } }
local MESSAGE_EVENTS = { { type = "message_start", message = { type = "message", role = "assistant", content = {},
  usage = { input_tokens = 3, output_tokens = 1 } } }, { type = "ping" },
  { type = "content_block_start", index = 0, content_block = { type = "thinking", thinking = "", signature = "" } },
  { type = "content_block_delta", index = 0, delta = { type = "thinking_delta", thinking = "hm" } },
  { type = "content_block_delta", index = 0, delta = { type = "signature_delta", signature = "c2ln" } },
  { type = "content_block_start", index = 1, content_block = { type = "text", text = "" } },
  { type = "content_block_delta", index = 1, delta = { type = "text_delta", text = "h" } },
  { type = "content_block_delta", index = 1, delta = { type = "text_delta", text = "i" } },
  { type = "content_block_start", index = 2, content_block = { type = "tool_use", id = "a", name = "f", input = {} } },
  { type = "content_block_delta", index = 2, delta = { type = "input_json_delta", partial_json = '{"x"' } },
  { type = "content_block_delta", index = 2, delta = { type = "input_json_delta", partial_json = ":1}" } },
  { type = "content_block_stop", index = 2 },
  { type = "message_delta", delta = { stop_reason = "tool_use" }, usage = { output_tokens = 9 } },
  { type = "message_stop" } }

local function is_message(answer)
  local call = answer:tool_calls()[1]
  must(answer:output_text() == "hi" and answer:finish_reason() == "tool_calls", "wrong: text")
  must(answer.content[1].signature == "c2ln" and call.name == "f" and call.arguments.x == 1, "wrong: content")
  must(answer:usage().input == 3 and answer:usage().output == 9, "wrong: usage")
end

add("messages", function()
  local transport = mock.new()
  transport:reply { status = 529, body = { type = "error", error = { type = "overloaded_error", message = "no" } } }
  transport:reply { body = MESSAGE }
  transport:reply { sse = MESSAGE_EVENTS }
  transport:reply { sse = { MESSAGE_EVENTS[1], MESSAGE_EVENTS[6], MESSAGE_EVENTS[7],
    { type = "error", error = { type = "overloaded_error", message = KEY } } } }
  local client = client_of(transport, { anthropic_url = "https://example.test/claude" })
  is_message(got(client:messages(PARAMS)))
  local params = { model = "m", messages = PARAMS.messages, stream = true }
  is_message(got(got(client:messages(params)):collect()))
  local stream = got(client:messages(params))
  must(got(stream:read()) == "h", "wrong: piece")
  must(failed("service_unavailable", stream:read()).partial.text == "h", "wrong: partial")
  local stats = client:stats()
  must(stats.tokens.input == 9 and stats.tokens.output == 19, "wrong: tokens")
end, { setup = forget_engine })

-- The parts of one candidate, as an answer or an event.
local function of_gemini(reason, ...)
  return { candidates = { { content = { role = "model", parts = { ... } }, finishReason = reason } },
    usageMetadata = { promptTokenCount = 3, candidatesTokenCount = 9, totalTokenCount = 12 } }
end

add("gemini", function()
  local transport = mock.new()
  local call = { functionCall = { name = "f", args = { x = 1 } }, thoughtSignature = "c2ln" }
  local later = { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = "2s" }
  transport:reply { status = 429,
    body = { error = { code = 429, status = "RESOURCE_EXHAUSTED", message = "no", details = { later } } } }
  transport:reply { body = of_gemini("STOP", { text = "hi" }, call) }
  transport:reply { sse = { of_gemini(nil, { text = "h" }), of_gemini(nil, { text = "i" }),
    of_gemini(nil, { text = "!" }), of_gemini("STOP", call) } }
  transport:reply { body = { promptFeedback = { blockReason = "SAFETY" } } }
  local client = client_of(transport, { gemini_url = "https://example.test/gemini" })
  local params = { model = "g/g", contents = { { role = "user", parts = { { text = "hi" } } } } }
  local answer = got(client:generate_content(params))
  must(answer:output_text() == "hi" and answer:tool_calls()[1].arguments.x == 1, "wrong: answer")
  params.stream = true
  answer = got(got(client:generate_content(params)):collect())
  must(answer:output_text() == "hi!" and answer:usage().output == 9, "wrong: text")
  must(answer.candidates[1].content.parts[2].thoughtSignature == "c2ln", "wrong: parts")
  params.stream = false
  must(got(client:generate_content(params)):finish_reason() == "content_filter", "wrong: refusal")
end, { setup = forget_engine })

add("tools of messages", function()
  local transport = mock.new()
  transport:reply { sse = MESSAGE_EVENTS }
  transport:reply { body = { type = "message", role = "assistant", content = { { type = "text", text = "so" } } } }
  local client = client_of(transport)
  local response, messages = client:run_tools(PARAMS, { f = { run = function(arguments) return arguments.x end } },
    { protocol = "messages", on_text = function() end })
  must(got(response, messages):output_text() == "so", "wrong: text")
  must(#messages == 4 and messages[3].content[1].content == "1", "wrong: results")
end, { setup = forget_engine })

-- The name of a file for each process.
local function tape()
  local stat = assert(io.open("/proc/self/stat"))
  local pid = stat:read("*a"):match("^%d+")
  stat:close()
  return (os.getenv "TMPDIR" or "/tmp") .. "/ofox.torture." .. pid
end

add("recording", function(name)
  local transport = mock.new()
  transport:reply { status = 503, body = "busy " .. KEY }
  transport:reply { body = OK }
  local client = client_of(mock.record(name, transport))
  must(got(client:chat(PARAMS)):output_text() == "hi", "wrong: text")
  local replay = mock.replay(name)
  client = client_of(replay)
  must(got(client:chat(PARAMS)):output_text() == "hi" and replay:unused() == 0, "wrong: replay")
  local ok, message = pcall(client.chat, client, PARAMS)
  if ok or not tostring(message):find("nearest is line 2", 1, true) then error(message, 0) end
  os.remove(name)
end, {
  setup = function()
    forget_engine()
    return tape()
  end,
})

add("recorded pair", function(name)
  local transport = mock.new()
  transport:reply { delay = 9, body = OK }
  transport:reply { delay = 1, body = OK }
  must(meta(got(client_of(mock.record(name, transport), { hedge = 1 }):chat(PARAMS))).attempts == 2, "wrong: no pair")
  local replay = mock.replay(name)
  local known = meta(got(client_of(replay, { hedge = 1 }):chat(PARAMS)))
  must(known.attempts == 2 and known.elapsed == 2 and replay:unused() == 0, "wrong: replay")
  os.remove(name)
end, {
  setup = function()
    forget_engine()
    return tape()
  end,
})

add("wire", function(port)
  local client = wire_client(port)
  local response = got(client:chat(PARAMS))
  must(response:output_text() == "hi", "wrong: text")
  local known = meta(response)
  -- libcurl may have lacked memory for one more, and called it something else
  must(known.attempts >= 2, "wrong: attempts")
  must(known.retries[1].status == 503 or known.retries[2].status == 503, "wrong: retries")
  must(known.headers["x-request-id"] == "req_2", "wrong: headers")
  response = got(client:chat(PARAMS))
  must(response:output_text() == "hi", "wrong: second")
end, {
  wire = true,
  setup = function()
    forget_engine()
    return torture.serve {
      http("503 Service Unavailable", '{"error":{"message":"busy"}}', "Retry-After-Ms: 1\r\n"),
      { "HTTP/1.1 200 OK\r\nX-Request-Id: req_2\r\nContent-Len",
        "gth: " .. #COMPLETION .. "\r\n\r\n" .. COMPLETION:sub(1, 9), COMPLETION:sub(10) },
      { "HTTP/1.1 200 OK\r\nX-Request-Id: req_2\r\nTransfer-Encoding: chunked\r\n\r\n",
        ("%x\r\n"):format(#COMPLETION), COMPLETION .. "\r\n", "0\r\n\r\n" },
    }
  end,
})

local TEN -- a file of ten bytes, which stays
local function file_of_ten()
  if not TEN then
    TEN = os.tmpname()
    local handle = assert(io.open(TEN, "w"))
    handle:write "0123456789"
    handle:close()
  end
  return TEN
end

local EVENTS = {
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
  'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\ndata: {"choices":[{"delta":{"content":"h"}}]}\n',
  '\ndata: {"choices":[{"delta":{"content":"i"}}]}\n\ndata: [DONE]\n\n',
}

add("wire stream", function(port)
  local client = wire_client(port)
  must(got(got(client:stream(PARAMS)):collect()):output_text() == "hi", "wrong: text")
end, {
  wire = true,
  setup = function()
    forget_engine()
    return torture.serve { EVENTS, EVENTS, EVENTS, EVENTS }
  end,
})

-- The server is slow: there is time for a hedge, which it serves after it.
local SLOW = { "HTTP/1.1 200 OK\r\n" }
for i = 1, 10 do SLOW[i + 1] = "X-Line: " .. i .. "\r\n" end
SLOW[#SLOW + 1] = "Content-Length: " .. #COMPLETION .. "\r\n\r\n" .. COMPLETION

add("wire hedge", function(port)
  local client = wire_client(port, { hedge = 0.005 })
  must(got(client:chat(PARAMS)):output_text() == "hi", "wrong: text")
end, {
  wire = true,
  setup = function()
    forget_engine()
    return torture.serve { SLOW, SLOW, SLOW, SLOW }
  end,
})

-- '{"choices":[{"message":{"content":"hello"}}]}' in two members of gzip, and
-- in brotli upon gzip; node's zlib.
local function bytes(digits)
  return (digits:gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end))
end
local GZIP = bytes("1f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c0700e0c3359614000000"
  .. "1f8b08000000000002034b55b2aa564acecf2b49cd2b51b252ca48cdc9c957aaad8dad05007ea7e87919000000")
local BOTH = bytes("0b20801f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49cd2b"
  .. "51b252ca48cdc9c957aaad8dad05008275e9e02d00000003")

add("wire coded", function(port)
  local client = wire_client(port)
  for _ = 1, 2 do must(got(client:chat(PARAMS)):output_text() == "hello", "wrong: text") end
end, {
  wire = true,
  setup = function()
    forget_engine()
    local gzip = http("200 OK", GZIP, "Content-Encoding: gzip\r\n")
    return torture.serve { gzip, http("200 OK", BOTH, "Content-Encoding: gzip, br\r\n"), gzip, gzip }
  end,
})

add("wire tasks", function(port)
  local client = wire_client(port)
  local function ask() return got(client:chat(PARAMS)):output_text() end
  local results = require "ofox.task.task".all({ ask, ask, ask }, { stop_on_error = true })
  for i = 1, 3 do must(results[i][2] == "hi", "wrong: text") end
end, {
  wire = true,
  setup = function()
    forget_engine()
    local answer = http("200 OK", COMPLETION, "Connection: close\r\n")
    return torture.serve { answer, answer, answer, answer, answer, answer, answer, answer }
  end,
})

local file = ofox.file -- luacheck: ignore

add("files", function(path)
  local transport = mock.new()
  transport:reply { status = 503, body = "{}" }
  transport:always { body = OK }
  local client = client_of(transport)
  local params = { prompt = "p", list = { 1, true }, image = { file(path), file { bytes = "GIF", name = "x.gif" } } }
  got(client:images(params))
  must(#transport.requests == 2 and transport.requests[2].body == transport.requests[1].body, "wrong: body")
  must(transport.requests[1].parts[4].content == "0123456789", "wrong: content")
  params.image[1] = file(path .. "/none")
  must(failed("invalid_request_error", client:images(params)).code == "file_unreadable", "wrong: code")
  misused("unknown field", file, { bytes = "x", nonsense = 1 })
end, { setup = file_of_ten })

add("bytes", function()
  local transport = mock.new()
  local client = client_of(transport)
  transport:reply { body = "abc" }
  local stream = got(client:request { path = "/x", raw = true, stream = true })
  must(stream:read() == "abc" and stream:read() == nil, "wrong: bytes")
  transport:reply { body = "abc" }
  must(got(got(client:request { path = "/x", raw = true, stream = true }):collect()).value == "abc", "wrong: value")
  transport:reply { headers = { ["content-type"] = "application/x-ndjson" }, body = '{"a":1}\n{"b":2}' }
  local list = got(got(client:request { path = "/x", stream = true }):collect()).value
  must(#list == 2 and list[2].b == 2, "wrong: lines")
  transport:reply { body = { id = "v", status = "queued" } }
  transport:reply { body = { id = "v", status = "failed", error = { message = "no", type = "invalid_request_error" } } }
  must(failed("invalid_request_error", client:wait_video("v")).video.id == "v", "wrong: video")
end)

add("wire files", function(given)
  local client = wire_client(given.port)
  local params = { prompt = "p", image = { file(given.path), file { bytes = "GIF", name = "x.gif" } } }
  for _ = 1, 2 do must(got(client:images(params)).data[1] == 1, "wrong: data") end
end, {
  wire = true,
  setup = function()
    forget_engine()
    local ok = http("200 OK", '{"data":[1]}')
    return { path = file_of_ten(), port = torture.serve {
      http("503 Service Unavailable", '{"error":{"message":"busy"}}', "Retry-After-Ms: 1\r\n"), ok, ok, ok } }
  end,
})

add("refused", function(port)
  local err = failed("connection_error", wire_client(port, { max_retries = 1 }):chat(PARAMS))
  must(err.code == "refused" and err.attempts == 2, "wrong: code")
end, {
  wire = true,
  setup = function()
    forget_engine()
    return torture.closed_port()
  end,
})

add("dead", function(port)
  local client = wire_client(port, { max_retries = 1 })
  must(got(client:chat(PARAMS)):output_text() == "hi", "wrong: text")
  local err = failed("connection_error", client:chat(PARAMS))
  must(err.code == "empty_reply" and err.attempts == 2 and err.ambiguous, "wrong: code")
end, {
  wire = true,
  setup = function()
    forget_engine()
    return torture.serve { http("200 OK", COMPLETION), "", "" }
  end,
})

return scenarios
