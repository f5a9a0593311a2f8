-- Inside real nginx: the example of examples/nginx, in its workers.
-- nginx's Lua module is for LuaJIT alone.
-- test: waits long: for timers of a worker
if not rawget(_G, "jit") then return end

local socket = require "socket"
local calls = require "support.calls"
local proc = require "support.proc"
local server = require "support.server"
local worker = require "support.worker"

local s
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function() s:reset() end)

local CHAT = "/v1/chat/completions"
local ASK = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'

-- The text of a stream that is whole: the events are those of the gateway, and
-- [DONE] is the last.
local function text_of(body)
  local events = body:match("^(.*)data: %[DONE%]\n\n$")
  assert(events, body)
  local pieces = {}
  for data in events:gmatch("data: ([^\n]*)\n\n") do
    local choice = require("cjson").decode(data).choices[1]
    pieces[#pieces + 1] = choice.delta.content
  end
  return table.concat(pieces)
end

-- The chunks of a stream: tokens, each of them after a pause.
local function paced(tokens, pause)
  local list = server.events(tokens)
  local chunks = { list[1] }
  for i = 2, #tokens + 1 do
    chunks[#chunks + 1] = { pause = pause }
    chunks[#chunks + 1] = list[i]
  end
  chunks[#chunks + 1] = list[#list - 1]
  chunks[#chunks + 1] = list[#list]
  return chunks
end

-- Whether something becomes so within a time.
local function becomes(is_so, seconds)
  local due = socket.gettime() + (seconds or 5)
  repeat
    if is_so() then return true end
    socket.sleep(0.02)
  until socket.gettime() > due
  return false
end

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

it("[P3] the example's own file starts in nginx as it says, and passes a stream on", function()
  local front = keep(worker.example(s.url))
  s:script { { chunks = paced({ "one ", "two" }, 0.1) }, { status = 401, body = '{"error":{"message":"who?"}}' } }
  local status, body = front:ask(CHAT, ASK)
  assert.same({ 200, "one two" }, { status, text_of(body) })
  assert.equal(502, (front:ask(CHAT, ASK)))
  s:script { { body = server.completion "whole" } }
  local _, whole, headers = front:ask(CHAT, '{"model":"m","messages":[{"role":"user","content":"hi"}]}')
  assert.equal("application/json", headers["content-type"])
  assert.equal("whole", require("cjson").decode(whole).choices[1].message.content)
  assert.matches("authentication_error[^\n]* 1\n", select(2, front:ask("/errors")))
  assert.equal("pong\n", select(2, front:ask("/ping")))
end)

it("[2.11] a model's tools run side by side in a request, and are cancelled as a whole", function()
  local front = keep(worker.start { url = s.url })
  local asks, ok = { body = server.calls { "a", "b" } }, { body = server.completion "ok" }
  s:script { asks, ok, ok, ok, asks }
  assert.equal("ok ok ok 2\nnil cancelled_error 4\n", select(2, front:ask("/case/tools")))
  assert.equal("wanted=false standing=0 tasks=false", select(2, front:ask("/case/state")):match("^(.-) timers"))
end)

it("tells Prometheus what its calls have done", function()
  local front = keep(worker.example(s.url))
  s:script { { chunks = paced({ "one ", "two" }, 0.01) }, { status = 401, body = '{"error":{"message":"who?"}}' } }
  assert.equal(200, (front:ask(CHAT, ASK)))
  assert.equal(502, (front:ask(CHAT, ASK)))
  local status, text, headers = front:ask("/metrics")
  assert.equal(200, status)
  assert.equal("text/plain; version=0.0.4; charset=utf-8", headers["content-type"])
  for _, line in ipairs { "ofox_calls_total 2", "ofox_calls_succeeded_total 1", "ofox_in_flight_calls 0",
    'ofox_errors_total{type="authentication_error"} 1', 'ofox_model_calls_failed_total{model="m"} 1',
    "ofox_latency_seconds_count 2" } do
    assert.matches("\n" .. line .. "\n", text, 1, true)
  end
  local directory = proc.directory()
  local metrics = proc.write(directory.path .. "/metrics", text)
  local pipe = assert(io.popen("promtool check metrics <" .. proc.quote(metrics) .. " 2>&1; printf $?"))
  assert.equal("0", pipe:read("*a"))
  pipe:close()
  directory:remove()
end)

local function cases(has_pool)
  local function start(options)
    return keep(worker.start(calls.with({ url = s.url, pool = has_pool }, options)))
  end

  it("[E7] a hundred streams on one worker do not hold up what is beside them", function()
    local PAUSE = 0.4
    local front = start()
    s:script { { chunks = paced({ "one ", "two ", "three ", "four ", "five" }, PAUSE) }, repeat_last = true }
    local streams = {}
    local waits, ping, due, all = {}, nil, 0, {}
    for i = 1, 100 do
      streams[i] = front:open(CHAT, ASK)
      all[i] = streams[i]
    end
    local function is_done()
      local now, is_over = socket.gettime(), true
      for _, one in ipairs(streams) do is_over = is_over and one.is_over end
      if is_over then return true end
      if ping and ping.is_over then
        assert.equal("pong\n", select(2, ping:answer()))
        waits[#waits + 1], ping, due = ping.pieces[1].at - ping.began, nil, now + 0.01
      elseif not ping and now >= due then
        ping = front:open("/ping")
        all[101] = ping
      end
      return false
    end
    assert.is_true(worker.pump(all, is_done))
    for _, one in ipairs(streams) do
      local status, body = one:answer()
      assert.same({ 200, "one two three four five" }, { status, text_of(body) })
    end
    assert.equal(100, s:connections())
    table.sort(waits)
    assert.is_true(#waits >= 10, "only so many pings: " .. #waits)
    assert.is_true(waits[math.ceil(#waits / 2)] < 0.005, "a usual ping took " .. waits[math.ceil(#waits / 2)])
    assert.is_true(waits[#waits] < PAUSE, "a ping took " .. waits[#waits])
    assert.equal("", front:log())
  end)

  for _, name in ipairs { "linger", "linger_in_nginx" } do
    it("[E7] threads of a request that was broken off are strangers to the next: " .. name, function()
      local front = start()
      for _ = 1, 5 do
        local lingering = {}
        for i = 1, 3 do lingering[i] = front:open("/case/" .. name) end
        assert.is_true(worker.pump(lingering, function()
          return lingering[1].text:find("here") and lingering[2].text:find("here") and lingering[3].text:find("here")
        end))
        for _, one in ipairs(lingering) do one:close() end
        local fresh = {}
        for i = 1, 20 do fresh[i] = front:open("/case/fresh") end
        assert.is_true(worker.pump(fresh))
        for _, one in ipairs(fresh) do assert.equal("strangers=0\n", select(2, one:answer())) end
      end
      assert.equal("", front:log())
    end)
  end

  it("[E7] what has come of a stream is passed on at once", function()
    local front = start()
    s:script { { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true } }
    local one = front:open(CHAT, ASK)
    assert.is_true(worker.pump({ one }, function() return one.text:find("first", 1, true) end))
    one:close()

    s:script { { chunks = paced({ "one ", "two ", "three" }, 0.3) } }
    one = front:open(CHAT, ASK)
    assert.is_true(worker.pump { one })
    assert.equal("one two three", text_of(select(2, one:answer())))
    local first, last
    for _, piece in ipairs(one.pieces) do
      if piece.bytes:find("one", 1, true) then first = piece.at end
      if piece.bytes:find("three", 1, true) then last = piece.at end
    end
    assert.is_true(last - first > 0.3)
  end)

  -- Nothing of all that was is left in a worker.
  local IDLE = "wanted=false standing=0 tasks=false timers=0\n"

  local function assert_idle(front)
    local state
    becomes(function()
      state = select(2, front:ask("/case/state"))
      return state == IDLE
    end)
    assert.equal(IDLE, state)
  end

  -- What the client saw before it leaves, and the model server's step.
  local LEAVING = {
    ["before the first token"] = { step = { stall = true } },
    ["in the middle of a stream"] = {
      seen = "first", step = { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true },
    },
    ["from many calls"] = { path = "/case/queue", requests = 2, step = { stall = true } },
    ["while its thread waits for something else"] = {
      path = "/case/deaf_task", seen = "here",
      step = { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true },
    },
  }

  for name, case in pairs(LEAVING) do
    it("[E7] a client that leaves ends its call: " .. name, function()
      local front = start()
      for _ = 1, 3 do
        s:reset()
        s:script { case.step, repeat_last = true }
        local one = front:open(case.path or CHAT, not case.path and ASK or nil)
        assert.is_true(s:wait { requests = case.requests or 1 })
        assert.is_true(worker.pump({ one }, function() return one.text:find(case.seen or "", 1, true) end))
        one:close()
        assert.is_true(s:wait({ open = 0 }, 0.5), "the call goes on")
        assert_idle(front)
        assert.equal(case.requests or 1, #s:log(), "calls that began later")
      end
      assert.equal("", front:log())
    end)
  end

  it("[E7] of many requests that were broken off nothing is left", function()
    local front = start()
    s:script { { stall = true }, repeat_last = true }
    for round = 1, 10 do
      local many = {}
      for i = 1, 30 do many[i] = front:open(i % 2 == 0 and CHAT or "/case/queue", ASK) end
      assert.is_true(s:wait { requests = round * 45 })
      for _, one in ipairs(many) do one:close() end
      assert.is_true(s:wait { open = 0 })
    end
    assert_idle(front)
    s:script { { body = server.completion "well" } }
    assert.equal("0 well\n", select(2, front:ask("/case/ask")))
    assert.equal("", front:log())
  end)

  it("[E7] a client that reads nothing and leaves ends its call", function()
    local front = start()
    local event = server.events { ("x"):rep(4000) }[2]
    s:script { { chunks = { { bytes = event, times = 5000 } }, last_chunk = false, stall = true } }
    local one = front:open(CHAT, ASK)
    assert.is_true(s:wait { requests = 1 })
    socket.sleep(0.5) -- until nobody takes any more
    one:close()
    assert.is_true(s:wait({ open = 0 }, 0.5))
    assert_idle(front)
  end)

  it("[E7] a stream that nobody can close any more ends when it is collected", function()
    local front = start()
    s:script { { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true } }
    local one = front:open("/case/deaf_stream")
    assert.is_true(worker.pump({ one }, function() return one.text:find("here", 1, true) end))
    one:close()
    assert.is_true(becomes(function()
      front:ask("/case/collect")
      return s:open() == 0
    end))
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] a light thread that is killed ends its call", function()
    local front = start()
    s:script { { stall = true } }
    local one = front:open("/case/kill")
    assert.is_true(worker.pump({ one }, function() return one.text:find("killed", 1, true) end))
    assert.is_true(s:wait({ open = 0 }, 0.5))
    assert.equal(1, #s:log())
    assert.matches("killed: 1", one.text)
    assert.is_true(worker.pump { one })
    assert_idle(front)
  end)

  it("[E7] a reload lets running streams end, and serves what is new by new workers", function()
    local front = start()
    s:script { { chunks = paced({ "one ", "two ", "three ", "four" }, 0.5) }, repeat_last = true }
    local streams = {}
    for i = 1, 30 do streams[i] = front:open(CHAT, ASK) end
    assert.is_true(worker.pump(streams, function()
      for _, one in ipairs(streams) do
        if not one.text:find("one", 1, true) then return false end
      end
      return true
    end))
    local old = front:workers()
    front:reload()
    assert.is_true(becomes(function() return #front:workers() == 2 end))
    for i = 31, 40 do streams[i] = front:open(CHAT, ASK) end
    assert.is_true(worker.pump(streams))
    for _, one in ipairs(streams) do
      local status, body = one:answer()
      assert.same({ 200, "one two three four" }, { status, text_of(body) })
    end
    assert.is_true(becomes(function() return #front:workers() == 1 end), "the old worker is still there")
    assert.not_equal(old[1], front:workers()[1])
    s:script { { body = server.completion "well" } }
    assert.equal("0 well\n", select(2, front:ask("/case/ask")))
    assert.equal("", front:log())
  end)

  it("[E7] where nobody can wait, an error says so and names ngx.timer.at", function()
    local front = start()
    assert.equal("ok\n", select(2, front:ask("/refused")))
    local notes
    becomes(function()
      notes = select(2, front:ask("/case/notes"))
      return notes:find("log sleep", 1, true)
    end)
    for _, phase in ipairs { "init_worker", "header_filter", "body_filter", "log" } do
      for _, what in ipairs { "call", "go", "sleep" } do
        local wanted = ('%s %s: ofox: cannot wait in nginx\'s phase "%s": hand the call to ngx.timer.at(0, ')
          :format(phase, what, phase)
        assert.is_truthy(notes:find(wanted, 1, true), wanted .. "\nis not in\n" .. notes)
      end
    end
    assert.equal(0, #s:log())
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] inside table.sort a call is refused, and works beside it", function()
    local front = start()
    s:script { { body = server.completion "well" } }
    local _, body = front:ask("/case/sort")
    local why = "false ofox: cannot wait inside a C function (table.sort, string.gsub, require, …), "
      .. "which would hold up the worker\n"
    assert.equal(why .. why .. "well\n", body)
    assert.equal("", front:log())
  end)

  it("[E7] calls work in the phases rewrite and access", function()
    local front = start()
    s:script { { body = server.completion "one" }, { body = server.completion "two" } }
    assert.equal("one two\n", select(2, front:ask("/early")))
    assert.equal("", front:log())
  end)

  it("[E7] calls and background tasks work in timers", function()
    local front = start()
    s:script { { body = server.completion "one", delay = 0.05 }, repeat_last = true }
    assert.equal(200, (front:ask("/case/timer")))
    assert.equal(200, (front:ask("/case/timer_tasks")))
    assert.is_true(becomes(function()
      return select(2, front:ask("/case/notes")):find("started: true\ntask: one\ntimer: one\n", 1, true)
    end))
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] errors become answers of HTTP, and are counted", function()
    local front = start { init = [[local ofox = require "ofox"
      local new = ofox.new
      function ofox.new(opts)
        opts.timeout, opts.max_retries, opts.hold = 0.3, 0, false -- each asks, though the first is told to wait
        return new(opts)
      end]] }
    s:script {
      { status = 429, headers = { ["Retry-After"] = "90" }, body = '{"error":{"message":"slow down"}}' },
      { status = 400, body = '{"error":{"message":"no such thing"}}' },
      { status = 404, body = '{"error":{"message":"no such model"}}' },
      { status = 401, body = '{"error":{"message":"who are you"}}' },
      { status = 503, body = '{"error":{"message":"not now"}}' },
      { stall = true },
      { chunks = { server.events { "half" }[2] }, cut = 300 },
    }
    local function answers(body)
      local status, text, headers = front:ask(CHAT, body or ASK)
      return { status, text:match('"type":"(.-)"') or text }, headers
    end
    local answer, headers = answers()
    assert.same({ 429, "rate_limit_error" }, answer)
    assert.equal("90", headers["retry-after"])
    assert.same({ 400, "invalid_request_error" }, (answers()))
    assert.same({ 404, "not_found_error" }, (answers()))
    assert.same({ 502, "authentication_error" }, (answers()))
    assert.same({ 502, "service_unavailable" }, (answers()))
    assert.same({ 504, "timeout_error" }, (answers()))
    local status, text = front:ask(CHAT, ASK)
    assert.equal(200, status)
    assert.matches('\ndata: {"error":{[^\n]*"type":"stream_error"[^\n]*}}\n\n$', text)
    for _, refused in ipairs { "{", "1", '{"messages":["\255"]}' } do
      assert.same({ 400, "invalid_request_error" }, (answers(refused)))
    end
    assert.equal(415, (front:ask(CHAT, ASK, "text/plain"))) -- what any web page can send
    local _, counts = front:ask("/errors")
    for _, line in ipairs { "rate_limit_error", "invalid_request_error", "not_found_error", "authentication_error",
      "service_unavailable", "timeout_error", "stream_error" } do
      assert.matches(line .. "[^\n]* 1\n", counts)
    end
    assert.is_nil(front:log():find("[error]", 1, true))
  end)

  it("[E7] tasks belong to their request", function()
    local front = start()
    s:script { { body = server.completion "!", delay = 0.02 }, repeat_last = true }
    local many = {}
    for i = 1, 30 do many[i] = front:open("/case/tasks?name=r" .. i) end
    assert.is_true(worker.pump(many))
    for i, one in ipairs(many) do
      local text = ("r%d!r%d\n"):format(i, i)
      assert.equal(("true " .. text):rep(3) .. text, select(2, one:answer()))
    end
    assert.equal(120, #s:log())
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] tasks are cancelled, also one that will not hear of it", function()
    local front = start()
    s:script { { stall = true } }
    assert.equal("nil\ntrue\nfalse cancelled_error cancelled\ntrue\nfalse cancelled_error cancelled\n",
      select(2, front:ask("/case/cancel")))
    assert.is_true(s:wait { open = 0 })
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] tasks that fail unasked crash no worker, whenever they are collected", function()
    local front = start()
    for _ = 1, 5 do assert.equal("alive\n", select(2, front:ask("/case/collected"))) end
    assert.is_nil(front:log():find("signal 11", 1, true))
  end)

  it("[E7] a task that ends its request at once is forgotten", function()
    local front = start()
    for _ = 1, 20 do front:ask("/case/leaving") end
    assert.is_true(becomes(function() return select(2, front:ask("/case/has_tasks")) == "false\n" end))
  end)

  it("[E7] a sleep of no time lets others run", function()
    assert.equal("done\n", select(2, start():ask("/case/yielding")))
  end)

  it("[E7] [2.6] items side by side tell their results, and the first success is enough", function()
    assert.equal("2 true 0\n4 true 0\n3 true 2\n1 true 3\nfast\nnil\nfalsetwo\n125250\n",
      select(2, start():ask("/case/together")))
  end)

  it("[E7] a slow attempt gets a second beside it", function()
    s:script { { stall = true }, { body = server.completion "well" } }
    assert.equal("well 2 cancelled\n", select(2, start():ask("/case/hedged")))
    assert.is_true(s:wait { open = 1 })
  end)

  it("[E7] who waits for a task does not wait for its listeners", function()
    assert.equal("outer listener\n", select(2, start():ask("/case/listeners")))
  end)

  it("[E7] [P4] a failure that is not handled is in the error log, with its place", function()
    local front = start()
    front:ask("/case/unasked")
    local line = "%[error%][^\n]*a task failed and its error was not handled error=[^\n]*nobody asks for this\"? "
      .. "traceback=\"stack traceback:[^\n]*worker_cases%.lua:%d+: in function [^\n<]*<[^\n<]*worker_cases%.lua:%d+>\" "
      .. "where=[^\n]*worker_cases%.lua:%d+"
    assert.is_true(becomes(function() return front:log():find(line) ~= nil end), front:log())
  end)

  it("[P1] calls, streams and errors work where only root can read the clone", function()
    local front = start { private = true, init = 'require "support.worker_cases"' }
    s:script { { body = server.completion "well" }, { chunks = paced({ "one ", "two" }, 0.02) },
      { chunks = { server.events { "half" }[2] }, cut = 300 },
      { status = 429, headers = { ["Retry-After"] = "90" }, body = '{"error":{"message":"slow down"}}' } }
    assert.equal("0 well\n", select(2, front:ask("/case/ask")))
    assert.equal("one two", text_of(select(2, front:ask(CHAT, ASK))))
    assert.matches('half.*"type":"stream_error"', select(2, front:ask(CHAT, ASK)))
    assert.equal(429, (front:ask(CHAT, ASK)))
  end)

  it("[E7] OFOX_LOG speaks in the error log, and the key is not there", function()
    local front = start { main = "env OFOX_LOG;\n", level = "debug", env = "OFOX_LOG=debug" }
    s:script { { status = 401, body = '{"error":{"message":"bad key: ' .. worker.KEY .. '"}}' },
      { chunks = server.events { "a" } } }
    front:ask(CHAT, ASK)
    front:ask(CHAT, ASK)
    local log = front:log()
    assert.matches("%[debug%].*ofox debug: ", log)
    assert.matches("%[warn%].*bad key", log)
    assert.equal("Bearer " .. worker.KEY, s:log()[2].headers.authorization)
    assert.is_nil(log:find(worker.KEY, 1, true))
  end)

  it("[E7] a sleep ends in time", function()
    local front = start()
    local waits = {}
    for line in select(2, front:ask("/case/naps")):gmatch("[^\n]+") do waits[#waits + 1] = tonumber(line) end
    table.sort(waits)
    assert.equal(10, #waits)
    assert.is_true(waits[1] >= 0.0199, "too short: " .. waits[1])
    assert.is_true(waits[5] < 0.06, "too long: " .. waits[5])
  end)

  it("[E7] every worker has an engine of its own", function()
    local front = start { workers = 2 }
    s:script { { body = server.completion "well", delay = 0.01 }, repeat_last = true }
    local seen = {}
    assert.is_true(becomes(function()
      local many = {}
      for i = 1, 20 do many[i] = front:open("/case/ask") end
      assert.is_true(worker.pump(many))
      for _, one in ipairs(many) do
        local id = select(2, one:answer()):match("^(%d) well\n$")
        seen[assert(id, "no answer")] = true
      end
      return seen["0"] and seen["1"]
    end))
    assert.equal("", front:log())
  end)

  it("[E7] tasks that have ended in a long timer leave nothing behind", function()
    local front = start()
    front:ask("/case/many")
    local notes
    assert.is_true(becomes(function()
      notes = select(2, front:ask("/case/notes"))
      return notes:find("resident", 1, true)
    end, 20))
    assert.is_true(tonumber(notes:match("lua: (%S+)")) < 500, notes)
    assert.is_true(tonumber(notes:match("resident: (%S+)")) < 20000, notes) -- nginx keeps some for each thread
    assert_idle(front)
    assert.equal("", front:log())
  end)

  it("[E7] calls go on after nginx has had no timer for us", function()
    local front = start { http = "lua_max_running_timers 1;" }
    s:script { { body = server.completion "well" }, repeat_last = true }
    assert.equal(200, (front:ask("/case/hog")))
    local first = front:open("/case/ask")
    socket.sleep(1.5)
    assert.matches("lua_max_running_timers are not enough", front:log())
    local second = front:open("/case/ask")
    assert.is_true(worker.pump { first, second })
    assert.equal("0 well\n", select(2, first:answer()))
    assert.equal("0 well\n", select(2, second:answer()))
    assert_idle(front)
  end)
end

describe("inside nginx, woken by its thread pool,", function() cases(true) end)
describe("inside nginx, woken by timers,", function() cases(false) end)
