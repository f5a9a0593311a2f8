-- Other programs' event loops drive ofox: real cqueues, luv, LuaSocket and
-- copas, each in a program of its own.
-- test: waits: for timers of loops
local host = require "support.host"
local server = require "support.server"

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

local OK = server.completion("ok")
local SSE = { ["Content-Type"] = "text/event-stream" }

-- What every program begins with: a client, an 'ask', tasks that use all there
-- is, and a check of how they ended.
local COMMON = [[
  local ofox = require "ofox"
  local socket = require "socket"
  local client = ofox.new { base_url = URL, retry = { base = 0.05, jitter = "none" }, max_retries = 3 }
  local function ask() return client:chat(PARAMS):output_text() end
  local function start_tasks()
    local tasks = {}
    for i = 1, 5 do tasks[i] = ofox.go(ask) end
    tasks[6] = ofox.go(function()
      ofox.sleep(0.2) -- after the retry
      local text = {}
      for piece in client:stream(PARAMS):text() do text[#text + 1] = piece end
      return table.concat(text)
    end)
    tasks[7] = ofox.go(function() ofox.sleep(0.12) return "slept" end)
    return tasks
  end
  local function ended(tasks)
    for _, task in ipairs(tasks) do
      if task:status() == "running" then return false end
    end
    return true
  end
  local function results(tasks)
    local list = {}
    for i, task in ipairs(tasks) do list[i] = tostring(select(2, task:wait())) end
    return table.concat(list, " ")
  end
]]

-- One retry, four slow answers, then a stream.
local function script_tasks()
  local stream = { chunks = { server.events { "a" }[2], { bytes = server.events({ "b" })[2], times = 3, pause = 0.03 },
    "data: [DONE]\n\n" }, headers = SSE }
  s:script { { status = 503 }, { delay = 0.1, body = OK }, { delay = 0.1, body = OK }, { delay = 0.1, body = OK },
    { delay = 0.1, body = OK }, { body = OK }, stream }
end

local function is_there(module)
  return (pcall(require, module))
end

-- The loops, each with: the code that drives ofox until 'over' with a ticker
-- beside it, and the code of a wait in its own coroutines.
local LOOPS = {
  luasocket = {
    module = "socket",
    drive = [[
      local tasks = start_tasks()
      local steps, ticks, due = 0, 0, socket.gettime() + 0.005
      while not ended(tasks) do
        local readable = socket.select({ ofox }, nil, math.max(0, due - socket.gettime()))
        if readable[ofox] then
          ofox.step(0)
          steps = steps + 1
        end
        if socket.gettime() >= due then
          ticks, due = ticks + 1, socket.gettime() + 0.005
        end
      end]],
  },
  cqueues = {
    module = "cqueues",
    drive = [[
      local cqueues = require "cqueues"
      local loop = cqueues.new()
      local tasks = start_tasks()
      local steps, ticks = 0, 0
      loop:wrap(function()
        while not ended(tasks) do
          cqueues.poll(ofox)
          ofox.step(0)
          steps = steps + 1
        end
      end)
      loop:wrap(function()
        while not ended(tasks) do
          cqueues.sleep(0.005)
          ticks = ticks + 1
        end
      end)
      assert(loop:loop())]],
    direct = [[
      local cqueues = require "cqueues"
      ofox.use_loop { wait = function(seconds) cqueues.poll(ofox, seconds) end }
      local loop, ticks, order = cqueues.new(), 0, {}
      local left = 3
      for i = 1, 3 do
        loop:wrap(function()
          local text = ask()
          order[#order + 1] = text .. i
          left = left - 1
        end)
      end
      loop:wrap(function()
        while left > 0 do
          cqueues.sleep(0.005)
          ticks = ticks + 1
        end
      end)
      assert(loop:loop())]],
    later = [[
      local cqueues = require "cqueues"
      local loop = cqueues.new()
      loop:wrap(function() while not ended(tasks) do cqueues.poll(ofox) ofox.step(0) end end)
      loop:wrap(function() cqueues.sleep(0.1) act() end)
      assert(loop:loop())]],
  },
  luv = {
    module = "luv",
    drive = [[
      local uv = require "luv"
      local tasks = start_tasks()
      local steps, ticks = 0, 0
      local poll, timer = uv.new_poll(ofox.pollfd()), uv.new_timer()
      poll:start("r", function()
        ofox.step(0)
        steps = steps + 1
        if ended(tasks) then poll:close() timer:close() end
      end)
      timer:start(5, 5, function() ticks = ticks + 1 end)
      uv.run()]],
    direct = [[
      local uv = require "luv"
      local waiting = {}
      local poll = uv.new_poll(ofox.pollfd())
      local function wake()
        local list = waiting
        waiting = {}
        for _, entry in ipairs(list) do
          entry.timer:stop()
          if not entry.timer:is_closing() then entry.timer:close() end
          assert(coroutine.resume(entry.thread))
        end
      end
      poll:start("r", wake)
      ofox.use_loop { wait = function(seconds)
        local entry = { thread = coroutine.running(), timer = uv.new_timer() }
        waiting[#waiting + 1] = entry
        if seconds then entry.timer:start(math.ceil(seconds * 1000), 0, wake) end
        coroutine.yield()
      end }
      local ticks, order, left = 0, {}, 3
      local timer = uv.new_timer()
      timer:start(5, 5, function()
        ticks = ticks + 1
        if left == 0 then timer:close() poll:close() end
      end)
      for i = 1, 3 do
        coroutine.wrap(function()
          local text = ask()
          order[#order + 1] = text .. i
          left = left - 1
        end)()
      end
      uv.run()]],
    later = [[
      local uv = require "luv"
      local poll, timer = uv.new_poll(ofox.pollfd()), uv.new_timer()
      poll:start("r", function()
        ofox.step(0)
        if ended(tasks) then poll:close() end
      end)
      timer:start(100, 0, function() act() timer:close() end)
      uv.run()]],
  },
  ["luv, by ofox.loop.uv,"] = {
    module = "luv",
    drive = [[
      local uv = require "luv"
      ofox.use_loop(require "ofox.loop.uv")
      local real, steps, ticks = require "ofox.task.scheduler".step, 0, 0
      require "ofox.task.scheduler".step = function(...) steps = steps + 1 return real(...) end
      local tasks = start_tasks()
      local timer = uv.new_timer()
      timer:start(5, 5, function() ticks = ticks + 1 end)
      timer:unref()
      uv.run() -- ends with the last task]],
    later = [[
      local uv = require "luv"
      for _, task in ipairs(tasks) do assert(task:status() == "running") end
      local timer = uv.new_timer()
      timer:start(100, 0, function() act() timer:close() end)
      uv.run()]],
    before = [[ofox.use_loop(require "ofox.loop.uv")]],
  },
  copas = {
    module = "copas",
    -- what copas waits for has to look like a socket: its receive() has
    -- something when the descriptor was readable
    drive = [[
      local copas = require "copas"
      local tasks = start_tasks()
      local steps, ticks, waited = 0, 0, false
      local readable = { getfd = ofox.getfd, dirty = ofox.dirty, close = function() end }
      function readable.receive()
        waited = not waited
        if waited then return nil, "timeout" end
        return "x"
      end
      copas.addthread(function()
        while not ended(tasks) do
          copas.receive(readable, 1)
          ofox.step(0)
          steps = steps + 1
        end
      end)
      while not ended(tasks) do
        copas.step(0.005)
        ticks = ticks + 1
      end]],
  },
}

for name, loop in pairs(LOOPS) do
  if is_there(loop.module) then
    describe("[E9] " .. name, function()
      it("drives tasks to their end, beside a ticker, and does not spin", function()
        script_tasks()
        local out = host.succeed(COMMON .. loop.drive .. "\nsay(steps, ticks) say(results(tasks))")
        local steps, ticks, line = out:match("^([%d.]+) ([%d.]+)\n(.*)\n$")
        assert.equal("ok ok ok ok ok abbb slept", line)
        assert.is_true(tonumber(steps) < 150, steps .. " steps")
        assert.is_true(tonumber(ticks) >= 8, ticks .. " ticks")
        assert.equal(7, #s:log())
      end)

      if loop.direct then
        it("goes on while calls are made in its own coroutines", function()
          s:script { { status = 503 }, { delay = 0.1, body = OK }, repeat_last = true }
          local out = host.succeed(COMMON .. loop.direct .. "\nsay(ticks) table.sort(order) say(unpack(order))")
          local ticks, line = out:match("^([%d.]+)\n(.*)\n$")
          assert.equal("ok1 ok2 ok3", line)
          assert.is_true(tonumber(ticks) >= 8, ticks .. " ticks")
          assert.equal(4, #s:log())
        end)
      end

      if loop.later then
        for what, act in pairs {
          ["a task"] = "tasks[1]:cancel()",
          ["a token"] = "token:cancel()",
        } do
          it("sees it at once when a callback cancels " .. what, function()
            s:script { { stall = true } }
            local out = host.succeed(COMMON .. (loop.before or "") .. [[

              local token = ofox.cancel_token()
              local tasks = { ofox.go(function() return client:chat(PARAMS, { cancel = token, errors = "raise" }) end) }
              local took
              local function act() took = require("support.stopwatch").start() ]] .. act .. [[ end
              ]] .. loop.later .. [[
              local ok, err = tasks[1]:wait()
              say(tostring(ok), err.type, select(2, took()) < 0.05 and "at once" or "late")]])
            assert.equal("false cancelled_error at once\n", out)
          end)
        end
      end
    end)
  end
end

-- On Lua 5.1 a loop may yield in its wait, which therefore stands in no pcall.
if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then
  describe("[E9] a loop whose wait", function()
    local AFTER = [[
      local deadline = socket.gettime() + 20
      repeat
        ofox.step(0)
        socket.sleep(0.02)
        collectgarbage() collectgarbage()
      until ofox.timeout() == nil and not ofox.dirty() or socket.gettime() > deadline
      say(what, tostring(ofox.timeout()), tostring(ofox.dirty()))]]

    it("fails leaves nothing behind that would keep others awake", function()
      s:script { { delay = 0.05, body = OK } }
      assert.equal("failed nil false\n", host.succeed(COMMON .. [[
        ofox.use_loop { wait = function() error("failed", 0) end }
        local _, what = pcall(ask)]] .. AFTER))
    end)

    it("nobody comes back to, neither", function()
      s:script { { delay = 0.05, body = OK } }
      assert.equal("left nil false\n", host.succeed(COMMON .. [[
        ofox.use_loop { wait = coroutine.yield }
        local what = "left"
        coroutine.wrap(ask)()]] .. AFTER))
    end)
  end)
end

if is_there "luv" then
  it("[E9] ofox.loop.uv makes new handles when a program has closed all", function()
    assert.equal("1 2\n", host.succeed(COMMON .. [[
      local uv = require "luv"
      ofox.use_loop(require "ofox.loop.uv")
      local function close_all()
        uv.walk(function(handle) if not handle:is_closing() then handle:close() end end)
        uv.run()
      end
      local first = ofox.go(function() ofox.sleep(0.01) return "1" end)
      uv.run()
      close_all()
      local second = ofox.go(function() ofox.sleep(0.01) return "2" end)
      close_all() -- also while one is left
      ofox.go(ofox.sleep, 0.02)
      uv.run()
      say(select(2, first:wait()), (select(2, second:wait())))]]))
  end)
end

describe("[E9] the descriptor", function()
  it("stays the same, and is silent while there is nothing to do", function()
    s:script { { body = OK }, repeat_last = true }
    assert.equal("1\n0\nnil\nfalse\nr\n", host.succeed(COMMON .. [[
      local numbers, n = {}, 0
      for _ = 1, 20 do
        numbers[ofox.pollfd()] = true
        ask()
      end
      for _ in pairs(numbers) do n = n + 1 end
      say(math.floor(n))
      ofox.step(0)
      local woken = 0
      for _ = 1, 5 do if socket.select({ ofox }, nil, 0.02)[ofox] then woken = woken + 1 end end
      say(math.floor(woken))
      say(tostring(ofox.timeout()))
      say(tostring(ofox.step(0)))
      say(ofox.events())]]))
  end)

  it("is readable when a sleep is over, and not before", function()
    assert.equal("early nil slept true\n", host.succeed(COMMON .. [[
      local fd = ofox.pollfd()
      local plain = { getfd = function() return fd end, dirty = function() return false end }
      local task = ofox.go(function() ofox.sleep(0.1) return "slept" end)
      local early = socket.select({ plain }, nil, 0.03)[plain]
      local woken = socket.select({ plain }, nil, 5)[plain]
      assert(woken)
      ofox.step(0)
      local ok, what = task:wait(0)
      say("early", tostring(early), what or "nothing", tostring(ok))]]))
  end)

  it("need not tell of what comes when its loop looks by itself", function()
    assert.equal("true nil true\n", host.succeed(COMMON .. [[
      local fd = ofox.pollfd()
      local engine = require("ofox.task.engine").get()
      local plain = { getfd = function() return fd end, dirty = function() return false end }
      local function speaks(looks)
        assert(engine:pollfd(looks) == fd)
        local sleeper = ofox.go(ofox.sleep, 0.02)
        local readable = socket.select({ plain }, nil, 0.1)[plain] ~= nil or nil
        sleeper:wait()
        return tostring(readable)
      end
      say(speaks(engine:now() + 60), speaks(engine:now() + 0.01), speaks())]]))
  end)

  it("is readable when a ready task waits for its turn", function()
    assert.equal("true 2\n", host.succeed(COMMON .. [[
      local fd = ofox.pollfd()
      local plain = { getfd = function() return fd end, dirty = function() return false end }
      local n = 0
      ofox.go(function() n = n + 1 coroutine.yield() n = n + 1 end)
      local readable = socket.select({ plain }, nil, 1)[plain] ~= nil
      ofox.step(0)
      say(tostring(readable), math.floor(n))]]))
  end)
end)
