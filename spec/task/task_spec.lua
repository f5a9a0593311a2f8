-- Tasks on virtual time: who runs when, what ends how, and that nothing is
-- lost. No network, no real waiting.
local ofox = require "ofox"
local mock = require "ofox.mock"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

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
  local all = { api_key = "sk-of-secret-0123456789", transport = transport, retry = { jitter = "none" } }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all)
end

local function reply(delay, text)
  transport:reply { delay = delay, body = { choices = { { message = { content = text or "ok" } } } } }
end

-- What is written to standard error meanwhile.
local function errors_of(fn)
  local written, real = {}, io.stderr
  io.stderr = { write = function(_, ...) -- luacheck: ignore 122
    for i = 1, select("#", ...) do written[#written + 1] = tostring((select(i, ...))) end
    return true
  end }
  local ok, message = pcall(fn)
  collectgarbage() collectgarbage()
  io.stderr = real -- luacheck: ignore 122
  assert(ok, message)
  return table.concat(written)
end

describe("a task", function()
  it("starts at once and runs until it waits", function()
    local seen = {}
    local task = ofox.go(function(...)
      seen[1] = select("#", ...)
      ofox.sleep(1)
      seen[2] = "after"
      return "a", nil, "c"
    end, 1, nil)
    assert.same({ 2 }, seen)
    assert.equal("running", task:status())
    assert.equal("ofox.task: running", tostring(task))
    local ok, a, b, c = task:wait()
    assert.same({ true, "a", nil, "c" }, { ok, a, b, c })
    assert.equal("done", task:status())
    assert.equal(1, transport:now())
    assert.same({ true, "a", nil, "c" }, { task:wait() })
  end)

  it("keeps its error as it is until somebody asks", function()
    local thrown = {}
    local task = ofox.go(function() error(thrown) end)
    assert.equal("failed", task:status())
    local ok, err = task:wait()
    assert.is_false(ok)
    assert.is_true(err == thrown)
  end)

  it("waits no longer than it is told to", function()
    local task = ofox.go(function() ofox.sleep(10) return "late" end)
    assert.is_nil(task:wait(3))
    assert.equal(3, transport:now())
    assert.is_nil(task:wait(0))
    assert.same({ true, "late" }, { task:wait(100) })
    assert.equal(10, transport:now())
  end)

  it("tells its end once, also to who comes late", function()
    local heard = {}
    local task = ofox.go(function() ofox.sleep(1) return 7 end)
    task:on_done(function(ok, value) heard[#heard + 1] = { ok, value } end)
    task:wait()
    task:on_done(function(ok, value) heard[#heard + 1] = { ok, value } end)
    assert.same({ { true, 7 }, { true, 7 } }, heard)
  end)

  it("may wait for others, in any number", function()
    local first = ofox.go(function() ofox.sleep(2) return "x" end)
    local seen = {}
    ofox.run(function()
      for i = 1, 3 do ofox.go(function() seen[i] = select(2, first:wait()) end) end
    end)
    assert.same({ "x", "x", "x" }, seen)
    assert.has_error(function() ofox.run(function()
      local own
      own = ofox.go(function() ofox.sleep(1) return own:wait() end)
      local ok, err = own:wait()
      if not ok then error(err, 0) end
    end) end)
  end)

  it("yields of the program's own let others run", function()
    local order = {}
    ofox.run(function()
      for _, name in ipairs { "a", "b" } do
        ofox.go(function()
          for i = 1, 2 do
            order[#order + 1] = name .. i
            coroutine.yield()
          end
        end)
      end
    end)
    assert.equal("a1 b1 a2 b2", table.concat(order, " "))
  end)

  it("that sleeps for no time lets others run", function()
    local order = {}
    ofox.run(function()
      for _, name in ipairs { "a", "b" } do
        ofox.go(function()
          for i = 1, 2 do
            order[#order + 1] = name .. i
            ofox.sleep(1 - i)
          end
        end)
      end
    end)
    assert.equal("a1 b1 a2 b2", table.concat(order, " "))
    assert.equal(0, transport:now())
  end)

  it("interleaves with others in exact order", function()
    local order = {}
    local function note(name, at)
      ofox.sleep(at)
      order[#order + 1] = name .. "@" .. transport:now()
    end
    ofox.run(function()
      ofox.go(note, "c", 3)
      ofox.go(note, "a", 1)
      ofox.go(note, "b1", 2)
      ofox.go(note, "b2", 2)
      ofox.go(function() note("d", 0.5) note("e", 2) end)
    end)
    assert.equal("d@0.5 a@1 b1@2 b2@2 e@2.5 c@3", (table.concat(order, " "):gsub("(%d)%.0", "%1")))
  end)

  it("makes calls without blocking others", function()
    local client = client_of()
    for i = 1, 5 do reply(6 - i, "answer " .. i) end
    local order = {}
    ofox.run(function()
      for i = 1, 5 do
        ofox.go(function()
          local text = client:chat(PARAMS):output_text()
          order[#order + 1] = text:match("%d") .. "@" .. math.floor(transport:now())
          assert(text == "answer " .. i)
        end)
      end
    end)
    assert.equal("5@1 4@2 3@3 2@4 1@5", table.concat(order, " "))
  end)

  it("waits for its retries while others go on", function()
    local client = client_of()
    transport:reply { status = 503 }
    reply(0, "other")
    reply(0, "retried")
    local order = {}
    ofox.run(function()
      local function ask()
        local text = client:chat(PARAMS):output_text()
        order[#order + 1] = text
      end
      ofox.go(ask)
      ofox.go(function()
        ofox.sleep(0.5)
        ask()
      end)
    end)
    assert.same({ "other", "retried" }, order)
  end)

  it("reads streams side by side", function()
    local client = client_of()
    local function event(text) return { choices = { { index = 0, delta = { content = text } } } } end
    transport:reply { sse = { event "a1", 2, event "a2" } }
    transport:reply { sse = { 1, event "b1", 2, event "b2" } }
    local order = {}
    ofox.run(function()
      for _ = 1, 2 do
        ofox.go(function()
          local stream = client:stream(PARAMS)
          for _ = 1, 2 do
            local chunk = stream:next()
            order[#order + 1] = chunk.choices[1].delta.content
          end
          assert(stream:next() == nil)
        end)
      end
    end)
    assert.same({ "a1", "b1", "a2", "b2" }, order)
  end)

  it("closes the streams that it opened when it ends, and who reads on hears of it", function()
    local client = client_of()
    local event = { choices = { { index = 0, delta = { content = "x" } } } }
    transport:reply { sse = { event, 100, event } }
    local kept
    local task = ofox.go(function() kept = client:stream(PARAMS) return "x" end)
    task:wait()
    assert.equal("ofox.stream: closed", tostring(kept))
    local lost = "the stream was closed when the task that opened it ended; read it in that task"
    assert.same({ false, "ofox: " .. lost }, { pcall(kept.next, kept) })
    assert.same({ false, "ofox: " .. lost }, { pcall(kept:text()) })
    assert.is_truthy(select(2, pcall(kept.collect, kept)):find("stream:collect: " .. lost, 1, true))
  end)

  it("may not read a stream that another reads, nor does it end well when another closes it", function()
    local client = client_of()
    local event = { choices = { { index = 0, delta = { content = "x" } } } }
    transport:reply { sse = { event, 100, event } }
    local stream = client:stream(PARAMS)
    stream:next()
    local function read() return stream:next() end
    local first, second = ofox.go(read), ofox.go(read)
    assert.same({ false, "ofox: another task is reading this stream" }, { second:wait() })
    stream:close()
    assert.same({ false, "ofox: the stream was closed while it was being read" }, { first:wait() })
    assert.is_false((pcall(stream.next, stream)))
  end)
end)

describe("a sleep of no time", function()
  it("lets others run, also outside of tasks", function()
    local task = ofox.go(function() coroutine.yield() coroutine.yield() end)
    for _ = 1, 3 do ofox.sleep(0) end
    assert.equal("done", task:status())
    task = ofox.go(function() coroutine.yield() coroutine.yield() end)
    for _ = 1, 3 do task:wait(0) end
    assert.equal("done", task:status())
  end)
end)

describe("a sleep outside of tasks", function()
  it("goes on when the last task has ended, without haste", function()
    ofox.go(ofox.sleep, 1)
    ofox.sleep(5)
    assert.equal(5, transport:now())
    uninstall()
    ofox.go(ofox.sleep, 0.01)
    local steps, step = 0, require("ofox.task.transports").move
    require("ofox.task.transports").move = function(...) steps = steps + 1 return step(...) end
    ofox.sleep(0.3)
    require("ofox.task.transports").move = step
    uninstall = transport:install()
    assert.is_true(steps < 50, steps .. " steps in a sleep")
  end)
end)

describe("a wait that cannot yield", function()
  it("says so where too many waits are nested", function()
    local token = ofox.go(function() ofox.sleep(1) return "token" end)
    local function stand()
      ofox.sleep(0)
      local value
      table.sort({ 2, 1 }, function() value = select(2, token:wait()) return false end)
      return value
    end
    local list = {}
    for i = 1, 40 do list[i] = stand end
    local texts = {}
    for _, result in ipairs(ofox.all(list)) do texts[tostring(result[2])] = (texts[tostring(result[2])] or 0) + 1 end
    local refused = "ofox: too many nested waits of tasks in places that cannot yield"
    assert.is_true(texts.token >= 15)
    assert.equal(40, texts.token + texts[refused])
  end)

  -- inside each of these a task stands still, and the others go on
  local places = {
    ["in a coroutine of the program's own"] = function(fn)
      local thread = coroutine.create(fn)
      local ok, value = coroutine.resume(thread)
      assert(ok and coroutine.status(thread) == "dead", value)
      return value
    end,
    ["in table.sort"] = function(fn)
      local value
      table.sort({ 1, 2 }, function(a, b) value = value or fn() return a < b end)
      return value
    end,
    ["in gsub"] = function(fn) return (("x"):gsub("x", fn)) end,
    ["in pcall"] = function(fn) return select(2, pcall(fn)) end,
    ["in a metamethod"] = function(fn) return setmetatable({}, { __index = fn }).x end,
    ["in an iterator"] = function(fn)
      for value in fn do return value end -- luacheck: ignore 512 (its first call is the point)
    end,
  }
  for name, place in pairs(places) do
    it(name .. " lets everything else go on", function()
      local client = client_of()
      reply(2, "first")
      local ticks = 0
      ofox.run(function()
        local other = ofox.go(function()
          for _ = 1, 4 do
            ofox.sleep(0.4)
            ticks = ticks + 1
          end
        end)
        local value = place(function()
          ofox.sleep(0.1)
          return client:chat(PARAMS):output_text()
        end)
        assert(value == "first")
        assert(ticks == 4, ticks)
        other:wait()
      end)
    end)
  end

  it("nests, and never too deep", function()
    local client = client_of()
    local n = 0
    for _ = 1, 300 do reply(1) end
    ofox.run(function()
      for _ = 1, 300 do
        ofox.go(function()
          coroutine.wrap(function()
            if client:chat(PARAMS):output_text() == "ok" then n = n + 1 end
          end)()
        end)
      end
    end)
    assert.equal(300, n)
  end)

  it("starts tasks in tasks in tasks", function()
    local deepest = 0
    local function down(n)
      deepest = math.max(deepest, n)
      if n < 500 then return ofox.go(down, n + 1) end
    end
    ofox.run(down, 1)
    assert.equal(500, deepest)
  end)
end)

describe("ofox.run", function()
  it("returns what its function returns, when all it started is done", function()
    local done
    local a, b = ofox.run(function(x)
      ofox.go(function() ofox.go(function() ofox.sleep(5) done = true end) end)
      return x, "b"
    end, "a")
    assert.same({ "a", "b", true, 5 }, { a, b, done, transport:now() })
  end)

  it("raises what its function raises", function()
    local thrown = {}
    local ok, err = pcall(ofox.run, function() ofox.sleep(1) error(thrown) end)
    assert.is_false(ok)
    assert.is_true(err == thrown)
  end)

  it("may be used in a task", function()
    assert.equal(3, ofox.run(function()
      return ofox.run(function() ofox.sleep(1) return 3 end)
    end))
  end)

  it("reports a deadlock", function()
    local task = ofox.go(function() coroutine.yield() ofox.sleep(1e9) end)
    task:cancel()
    local ok, message = pcall(ofox.run, function()
      local a, b
      a = ofox.go(function() ofox.sleep(1) return b:wait() end)
      b = ofox.go(function() return a:wait() end)
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find("deadlock: nothing can end this wait", 1, true))
  end)
end)

describe("[E3] ofox.all", function()
  it("gives what each gave, in order, and no more run than may", function()
    local running, most = 0, 0
    local list = {}
    for i = 1, 10 do
      list[i] = function()
        running = running + 1
        most = math.max(most, running)
        ofox.sleep(11 - i)
        running = running - 1
        if i == 4 then error("four", 0) end
        return i, nil
      end
    end
    local results = ofox.all(list, { limit = 3 })
    assert.equal(3, most)
    for i = 1, 10 do
      assert.same(i == 4 and { false, "four", n = 2 } or { true, i, n = 3 }, results[i])
    end
    assert.same({}, ofox.all {})
    assert.equal(2, #ofox.all { function() end, function() end })
  end)

  it("with stop_on_error cancels the rest and raises", function()
    local finished = 0
    local began = transport:now()
    local ok, err = pcall(ofox.all, {
      function() ofox.sleep(10) finished = finished + 1 end,
      function() ofox.sleep(1) error("one", 0) end,
      function() ofox.sleep(20) finished = finished + 1 end,
    }, { stop_on_error = true })
    assert.same({ false, "one", 0, 1 }, { ok, err, finished, transport:now() - began })
  end)

  it("with stop_on_error cancels also one that is just being started", function()
    local began = transport:now()
    local ok, err = pcall(ofox.all, {
      function() ofox.sleep(1) error("first", 0) end,
      function()
        table.sort({ 2, 1 }, function() ofox.sleep(3) return false end)
        ofox.sleep(40)
      end,
    }, { stop_on_error = true })
    assert.same({ false, "first" }, { ok, err })
    assert.is_true(transport:now() - began < 40)
  end)

  it("with stop_on_error takes a returned error for one", function()
    transport:reply { status = 400, body = { error = { message = "no" } } }
    local client = client_of()
    local ok, err = pcall(ofox.all, { function() return client:chat(PARAMS) end }, { stop_on_error = true })
    assert.same({ false, "no" }, { ok, err.message })
    transport:reply { status = 400, body = { error = { message = "no" } } }
    local results = ofox.all { function() return client:chat(PARAMS) end }
    assert.same({ true, nil, "no" }, { results[1][1], results[1][2], results[1][3].message })
  end)

  it("runs a thousand that never wait", function()
    local list = {}
    for i = 1, 1000 do list[i] = function() return i end end
    assert.equal(1000, ofox.all(list, { limit = 2 })[1000][2])
  end)

  it("names what is wrong with its arguments, at the caller's line", function()
    for message, args in pairs {
      ["ofox.all: list: expected a list of functions, got a number"] = { 1 },
      ["ofox.all: list[2]: expected a function, got 7"] = { { print, 7 } },
      ["ofox.all: options.limit: expected an integer from 1 on, got 0"] = { {}, { limit = 0 } },
      ["ofox.all: options: unknown option limti"] = { {}, { limti = 1 } },
      ["ofox.all: options.stop_on_error: expected true or false, got 1"] = { {}, { stop_on_error = 1 } },
    } do
      local line = debug.getinfo(1, "l").currentline + 1
      local _, text = pcall(function() ofox.all(args[1], args[2]) end)
      assert.equal(("spec/task/task_spec.lua:%d: %s"):format(line, message), (text:gsub("^%./", "")))
    end
  end)
end)

describe("a cancelled task", function()
  it("[E2] leaves its sleep at once, with a CancelledError", function()
    local task = ofox.go(function() ofox.sleep(100) end)
    assert.is_true(task:cancel())
    assert.is_false(task:cancel())
    assert.is_true(task:is_closing())
    local ok, got = task:wait()
    assert.is_false(ok)
    assert.is_true(ofox.errors.is(got, "cancelled_error"))
    assert.equal("cancelled", task:status())
    assert.equal(0, transport:now())
  end)

  it("[E2] leaves its call, which raises whatever 'errors' says, and makes no further request", function()
    local client = client_of { errors = "return" }
    transport:reply { status = 503 }
    local failure
    local task = ofox.go(function()
      return client:chat(PARAMS, { on_error = function(err) failure = err end })
    end)
    ofox.step(0)
    task:cancel()
    local ok, err = task:wait()
    assert.is_false(ok)
    assert.equal("cancelled_error", err.type)
    assert.is_true(err == failure)
    if err.cause then assert.equal(503, err.cause.status) end
    assert.equal(1, #transport.requests)
  end)

  it("[E2] in a call leaves nothing that would hold others up", function()
    local client = client_of()
    reply(100)
    local task = ofox.go(function() return client:chat(PARAMS) end)
    local other = ofox.go(function() ofox.sleep(5) return "slept" end)
    task:cancel()
    assert.same({ true, "slept" }, { other:wait() })
    assert.equal(5, transport:now())
  end)

  it("[E2] before its first call sends nothing", function()
    local client = client_of()
    local task = ofox.go(function()
      coroutine.yield()
      return client:chat(PARAMS)
    end)
    task:cancel()
    local ok, err = task:wait()
    assert.same({ false, "cancelled_error" }, { ok, err.type })
    assert.equal(0, #transport.requests)
  end)

  it("[E2] that swallows it and waits again is put down", function()
    local steps, ended = 0, 0
    local task = ofox.go(function()
      coroutine.yield()
      pcall(ofox.sleep, 100)
      steps = steps + 1
      ofox.sleep(100)
      steps = steps + 1
    end)
    task:on_done(function() ended = ended + 1 end)
    ofox.go(function() ofox.sleep(1) task:cancel() end)
    local ok, err = task:wait()
    assert.same({ false, "cancelled_error", "cancelled" }, { ok, err.type, task:status() })
    assert.same({ 1, 1, 1 }, { steps, ended, transport:now() })
  end)

  it("that swallows it and returns is done", function()
    local task = ofox.go(function() pcall(ofox.sleep, 100) return "well" end)
    task:cancel()
    assert.same({ true, "well" }, { task:wait() })
    assert.equal("done", task:status())
  end)

  it("may cancel itself", function()
    local task
    task = ofox.go(function()
      coroutine.yield()
      task:cancel()
      ofox.sleep(1)
    end)
    assert.is_false((task:wait()))
    assert.equal("cancelled", task:status())
  end)

  it("that waits for another, or for all, leaves that", function()
    local other = ofox.go(function() ofox.sleep(5) return "other" end)
    local inner = 0
    local waits = { ofox.go(function() return other:wait() end),
      ofox.go(function() return ofox.all { function() ofox.sleep(50) inner = inner + 1 end } end),
      ofox.go(function() return ofox.run(function() ofox.sleep(50) inner = inner + 1 end) end) }
    for _, task in ipairs(waits) do task:cancel() end
    for _, task in ipairs(waits) do
      local ok, err = task:wait()
      assert.same({ false, "cancelled_error" }, { ok, err.type })
    end
    assert.same({ true, "other" }, { other:wait() })
    assert.equal(5, transport:now())
    assert.equal(0, inner)
  end)

  it("in a stream raises there, with what had come", function()
    local client = client_of { errors = "return" }
    local event = { choices = { { index = 0, delta = { content = "x" } } } }
    transport:reply { sse = { event, 100, event } }
    local task = ofox.go(function()
      local stream = client:stream(PARAMS)
      stream:next()
      return stream:next()
    end)
    ofox.step(0) ofox.step(0)
    task:cancel()
    local ok, err = task:wait()
    assert.same({ false, "cancelled_error" }, { ok, err.type })
    if err.partial then assert.equal("x", err.partial.text) end
  end)

  it("by a token of its call only gets that error as 'errors' says", function()
    local client = client_of { errors = "return" }
    reply(100)
    local token = ofox.cancel_token()
    local task = ofox.go(function() return client:chat(PARAMS, { cancel = token }) end)
    token:cancel()
    local ok, res, err = task:wait()
    assert.same({ true, nil, "cancelled_error" }, { ok, res, err.type })
  end)
end)

describe("an error that is not handled", function()
  it("is reported when its handle is gone", function()
    local text = errors_of(function() ofox.go(function() error("lost and found") end) end)
    assert.is_truthy(text:find("a task failed and its error was not handled", 1, true), text)
    assert.is_truthy(text:find("lost and found", 1, true))
  end)

  it("is reported once, when the task ends after its handle", function()
    local text = errors_of(function()
      ofox.go(function() ofox.sleep(1) error("later") end)
      collectgarbage() collectgarbage()
      while ofox.step() do end
    end)
    local _, count = text:gsub("later", "")
    assert.equal(1, count, text)
  end)

  it("goes to the logger of the client that was called last", function()
    transport:reply { status = 400, body = { error = { message = "no" } } }
    local heard = {}
    local client = client_of { errors = "raise", logger = function(level, message, fields)
      if level == "error" then heard[#heard + 1] = message .. fields.error end
    end }
    local text = errors_of(function() ofox.go(function() client:chat(PARAMS) end) ofox.step(0) ofox.step(0) end)
    assert.equal("", text)
    assert.equal(1, #heard)
    assert.is_truthy(heard[1]:find("ofox: invalid_request_error 400: no", 1, true), heard[1])
  end)

  it("is not reported when it was asked for, or the task was cancelled", function()
    local text = errors_of(function()
      ofox.go(function() error("a") end):wait()
      ofox.go(function() error("b") end):on_done(function() end)
      pcall(ofox.run, function() error("c") end)
      ofox.all { function() error("d") end }
      ofox.go(function() ofox.sleep(1) end):cancel()
      while ofox.step() do end
    end)
    assert.equal("", text)
  end)

  it("in on_done is reported, and hurts nobody", function()
    local heard
    local text = errors_of(function()
      local task = ofox.go(function() ofox.sleep(1) return 1 end)
      task:on_done(function() error("in on_done") end)
      task:on_done(function(_, value) heard = value end)
      task:wait()
    end)
    assert.equal(1, heard)
    assert.is_truthy(text:find("in on_done", 1, true))
  end)
end)

describe("the scheduler", function()
  it("leaves nothing of 10,000 tasks", function()
    local function round()
      ofox.run(function() for i = 1, 1000 do ofox.go(function() ofox.sleep(i % 7) end) end end)
      for _ = 1, 4 do collectgarbage() end
      return collectgarbage "count"
    end
    if rawget(_G, "jit") then rawget(_G, "jit").off() end -- compiled code grows for a while
    -- what leaks grows in every round; what is compiled once does not
    local before, least = round(), math.huge
    for _ = 1, 9 do
      local now = round()
      before, least = now, math.min(least, now - before)
    end
    if rawget(_G, "jit") then rawget(_G, "jit").on() end
    assert.is_true(least < 4, least)
  end)

  it("starves nobody beside a task that is always ready", function()
    local client = client_of()
    reply(1)
    local turns, answered = 0, false
    ofox.run(function()
      ofox.go(function()
        while not answered and turns < 10000 do
          turns = turns + 1
          ofox.sleep(0.001)
        end
      end)
      ofox.go(function() client:chat(PARAMS) answered = true end)
    end)
    assert.is_true(answered and turns <= 1001, turns)
  end)

  it("serves mocks that are not installed, on their own time", function()
    local other = mock.new()
    other:reply { delay = 50, body = "{}" }
    local client = ofox.new { api_key = "k", transport = other }
    ofox.run(function()
      ofox.go(function() client:chat(PARAMS) end)
      ofox.sleep(3)
    end)
    assert.same({ 50, 3 }, { other:now(), transport:now() })
  end)

  it("checks what it is given", function()
    for message, fn in pairs {
      ["ofox.go: fn: expected a function, got nil"] = function() ofox.go() end,
      ["ofox.run: fn: expected a function, got a table"] = function() ofox.run {} end,
      ["ofox.step: a task waits with ofox.sleep, task:wait or a call; others run meanwhile"] = function()
        local _, message = ofox.run(function() return pcall(function() ofox.step(0) end) end)
        error(message, 0)
      end,
      ["ofox.use_loop: loop: expected a table with a function 'wait', got one without"] = function()
        ofox.use_loop {}
      end,
      ["ofox.sleep: expected a finite number of seconds, got \"1\""] = function() ofox.sleep "1" end,
      ["ofox.sleep: expected a finite number of seconds, got nil"] = function() ofox.sleep() end,
      ["ofox.sleep: expected a finite number of seconds, got a table"] = function() ofox.sleep {} end,
      ["ofox.sleep: expected a finite number of seconds, got infinity"] = function() ofox.sleep(math.huge) end,
      ["ofox.step: max_wait: expected a number of seconds >= 0, got -1"] = function() ofox.step(-1) end,
      ["ofox.use_loop: loop: expected a table with a function 'wait', got 1"] = function() ofox.use_loop(1) end,
      ["task:wait: seconds: expected a number >= 0, got \"1\""] = function() ofox.go(function() end):wait "1" end,
      ["task:on_done: fn: expected a function, got nil"] = function() ofox.go(function() end):on_done() end,
      ["task:cancel: expected a task before the dot; call it with a colon, task:cancel(…)"] =
        function() ofox.go(function() end).cancel() end,
    } do
      local _, text = pcall(fn)
      assert.is_truthy(text:find("spec/task/task_spec.lua:%d+: " .. message:gsub("%p", "%%%0")), text)
    end
  end)
end)
