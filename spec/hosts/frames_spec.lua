-- ofox.step once a frame, with a bound on what is done in it: nothing is lost
-- or reordered, all tasks get on, and what is left comes with the next frame.
-- test: waits: for frames
local ofox = require "ofox"
local mock = require "ofox.mock"
local proc = require "support.proc"
local server = require "support.server"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

-- There a loop over a stream cannot yield, and is not bounded.
local LOOPS_HOLD = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local transport, uninstall, client

before_each(function()
  transport = mock.new()
  uninstall = transport:install()
  client = ofox.new { api_key = "sk-of-secret-0123456789", transport = transport, retry = { jitter = "none" } }
end)
after_each(function()
  uninstall()
  collectgarbage() collectgarbage()
  assert.is_false(ofox.step(0), "a task is left")
end)

local function delta(text)
  return { choices = { { index = 0, delta = { content = text } } } }
end

-- A stream of 'count' numbers, all there at once unless there is a pause.
local function reply(count, pause)
  local sse = {}
  for i = 1, count do
    sse[#sse + 1] = pause
    sse[#sse + 1] = delta(i .. " ")
  end
  sse[#sse + 1] = { choices = { { index = 0, delta = {}, finish_reason = "stop" } } }
  transport:reply { sse = sse }
end

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i .. " " end
  return table.concat(list)
end

local function content(chunk)
  return chunk.choices[1].delta.content or ""
end

-- Ways to read a stream; each tells every piece at once.
local READ = {
  ["next()"] = function(stream, tell)
    local chunk = stream:next()
    while chunk do
      tell(content(chunk))
      chunk = stream:next()
    end
  end,
  ["an iterator of text()"] = function(stream, tell)
    local get = stream:text()
    local text = get()
    while text do
      tell(text)
      text = get()
    end
  end,
  ["chunks()"] = function(stream, tell)
    for chunk in stream:chunks() do tell(content(chunk)) end
  end,
  ["text()"] = function(stream, tell)
    for text in stream:text() do tell(text) end
  end,
  ["each()"] = function(stream, tell)
    stream:each(function(chunk) tell(content(chunk)) end)
  end,
}
-- those that are no loop of Lua, nor go through pcall
local YIELDS_ON_51 = { ["next()"] = true, ["an iterator of text()"] = true }

-- A task that reads a stream; its record says what it got so far.
local function reader(how, ...)
  local seen = { text = "", pieces = 0 }
  seen.task = ofox.go(function(...)
    READ[how](assert(client:stream(PARAMS, ...)), function(text)
      seen.text = seen.text .. text
      seen.pieces = seen.pieces + 1
    end)
    return "read"
  end, ...)
  return seen
end

for how in pairs(READ) do
  if not LOOPS_HOLD or YIELDS_ON_51[how] then
    describe("[E8] step{max_events} over " .. how, function()
      for _, most in ipairs { 1, 2, 3, 7 } do
        it("gives at most " .. most .. " events a step, all of them, in order", function()
          reply(20)
          local seen = reader(how)
          local steps = 0
          while seen.task:status() == "running" do
            local before = seen.pieces
            assert.is_true(steps < 60)
            ofox.step { max_events = most }
            steps = steps + 1
            assert.is_true(seen.pieces - before <= most, seen.pieces - before .. " events")
            assert.equal(numbers(20):sub(1, #seen.text), seen.text)
          end
          assert.equal(numbers(20), seen.text)
          assert.is_true(steps >= 20 / most, steps .. " steps")
          assert.same({ true, "read" }, { seen.task:wait() })
        end)
      end
    end)
  end
end

describe("[E8] step{max_events} with several tasks", function()
  it("gets all of them on, each in order", function()
    local readers, steps = {}, 0
    local goes_on
    for i = 1, 5 do
      reply(30)
      readers[i] = reader "next()"
    end
    repeat
      local before, least, most = 0, math.huge, 0
      for _, seen in ipairs(readers) do before = before + seen.pieces end
      goes_on = ofox.step { max_events = 4 }
      steps = steps + 1
      local after = 0
      for i, seen in ipairs(readers) do
        after = after + seen.pieces
        assert.equal(numbers(30):sub(1, #seen.text), seen.text, "reader " .. i)
        least, most = math.min(least, seen.pieces), math.max(most, seen.pieces)
      end
      assert.is_true(after - before <= 4, after - before .. " events")
      assert.is_true(most - least <= 8, least .. " of one and " .. most .. " of another")
      assert.is_true(steps < 200)
    until not goes_on
    for _, seen in ipairs(readers) do
      assert.same({ true, "read" }, { seen.task:wait() })
      assert.equal(numbers(30), seen.text)
    end
  end)

  it("bounds the turns of tasks that only yield, and keeps their order", function()
    local order = {}
    for i = 1, 7 do
      ofox.go(function()
        for _ = 1, 2 do
          coroutine.yield()
          order[#order + 1] = i
        end
      end)
    end
    local counts = {}
    while ofox.step { max_events = 3 } do counts[#counts + 1] = #order end
    assert.same({ 3, 6, 9, 12 }, counts)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7 }, order)
  end)

  it("a reader with much to read does not keep a sleeper or a call waiting", function()
    reply(100)
    local seen = reader "next()"
    local slept, answered
    ofox.go(function() ofox.sleep(0) slept = seen.pieces end)
    transport:reply { body = { choices = { { message = { content = "ok" } } } } }
    ofox.go(function() client:chat(PARAMS) answered = seen.pieces end)
    for _ = 1, 200 do ofox.step { max_events = 2 } end
    assert.is_true(slept <= 10 and answered <= 10, slept .. " and " .. answered .. " events came first")
    assert.equal(numbers(100), seen.text)
  end)

  it("what is left makes the next step due at once, and none before or after", function()
    reply(6)
    local seen = reader "next()"
    local left = {}
    while seen.task:status() == "running" do
      left[#left + 1] = ("%s %s"):format(tostring(ofox.timeout()), tostring(ofox.dirty()))
      assert.is_true(#left < 30)
      ofox.step { max_events = 2 }
    end
    for _, line in ipairs(left) do assert.equal("0 true", (line:gsub("%.0", ""))) end
    assert.is_nil(ofox.timeout())
    assert.is_false(ofox.dirty())
  end)

  it("events that come with pauses are due when they come", function()
    reply(5, 1)
    local seen = reader "next()"
    local moments = {}
    while seen.task:status() == "running" do
      local pieces = seen.pieces
      ofox.step { max_wait = 10, max_events = 1 }
      if seen.pieces > pieces then moments[seen.pieces] = transport:now() end
    end
    for i = 1, 5 do assert.is_true(math.abs(moments[i] - i) < 1e-6, moments[i]) end
  end)

  it("has no limit in the steps after it that name none", function()
    reply(50)
    local seen = reader "next()"
    ofox.step { max_events = 2 }
    ofox.step { max_events = 2 }
    assert.is_true(seen.pieces <= 4)
    ofox.step(0)
    assert.equal(numbers(50), seen.text)
  end)

  it("task:wait outside of tasks has no limit, also between such steps", function()
    reply(50)
    local seen = reader "next()"
    ofox.step { max_events = 1 }
    assert.same({ true, "read" }, { seen.task:wait() })
    assert.equal(numbers(50), seen.text)
  end)

  it("a stream outside of tasks has no limit", function()
    reply(30)
    local text = {}
    for piece in assert(client:stream(PARAMS)):text() do text[#text + 1] = piece end
    assert.equal(numbers(30), table.concat(text))
  end)

  it("where a task cannot yield it reads on, and nothing is lost", function()
    reply(12)
    local text = {}
    local task = ofox.go(function()
      table.sort({ 1, 2 }, function(a, b)
        if #text == 0 then
          for piece in assert(client:stream(PARAMS)):text() do text[#text + 1] = piece end
        end
        return a < b
      end)
      return "sorted"
    end)
    while task:status() == "running" do ofox.step { max_events = 1 } end
    assert.same({ true, "sorted" }, { task:wait() })
    assert.equal(numbers(12), table.concat(text))
  end)

  it("an error in a task is its own, and the limit holds on", function()
    ofox.go(function() coroutine.yield() error("mine", 0) end):on_done(function() end)
    reply(9)
    local seen = reader "next()"
    local most = 0
    while seen.task:status() == "running" do
      local pieces = seen.pieces
      ofox.step { max_events = 2 }
      most = math.max(most, seen.pieces - pieces)
    end
    assert.equal(2, most)
    assert.equal(numbers(9), seen.text)
  end)
end)

describe("[E8] a task that waits for the next frame", function()
  -- One that has read a little, with more at hand.
  local function halted(how)
    reply(40)
    local seen = { text = "" }
    seen.task = ofox.go(function()
      local stream = assert(client:stream(PARAMS))
      READ[how](stream, function(text) seen.text = seen.text .. text end)
    end)
    while #seen.text < 6 do ofox.step { max_events = 2 } end
    return seen
  end

  for _, how in ipairs { "next()", "an iterator of text()" } do
    it("is cancelled at once: nothing more is read by " .. how, function()
      local seen = halted(how)
      local text = seen.text
      seen.task:cancel()
      local ok, err = seen.task:wait()
      assert.is_false(ok)
      assert.equal("cancelled_error", err.type)
      assert.equal("cancelled", seen.task:status())
      assert.equal(text, seen.text)
      assert.equal(numbers(40):sub(1, #text), err.partial.text:sub(1, #text))
      assert.is_nil(transport:timeout())
    end)
  end

  -- A task that tells how its reading ended, and goes on to wait once more.
  local function tidy_reader(seen)
    return ofox.go(function()
      local ok, err = pcall(function()
        local stream = assert(client:stream(PARAMS))
        while stream:next() do seen.pieces = seen.pieces + 1 end
      end)
      seen.outcome = ok and "read" or err.type
      return "tidied up"
    end)
  end

  it("hears of its cancelling where it reads", function()
    reply(40)
    local seen = { pieces = 0 }
    local task = tidy_reader(seen)
    for _ = 1, 4 do ofox.step { max_events = 2 } end
    local pieces = seen.pieces
    task:cancel()
    assert.same({ true, "tidied up" }, { task:wait() })
    -- where pcall keeps it from yielding it has read on, and is through
    if not LOOPS_HOLD then assert.same({ "cancelled_error", pieces }, { seen.outcome, seen.pieces }) end
  end)

  it("whose turn has not come when it is cancelled hears of it as well", function()
    local seen, tasks, pieces = {}, {}, {}
    for i = 1, 3 do
      reply(3, 1)
      seen[i] = { pieces = 0 }
      tasks[i] = tidy_reader(seen[i])
    end
    -- all have news, one has its turn
    repeat ofox.step { max_wait = 5, max_events = 1 } until transport:now() >= 2
    for i = 1, 3 do pieces[i] = seen[i].pieces end
    for i = 1, 3 do tasks[i]:cancel() end
    for _ = 1, 5 do ofox.step { max_events = 1 } end
    for i = 1, 3 do
      assert.same({ true, "tidied up" }, { tasks[i]:wait() })
      if not LOOPS_HOLD then
        assert.same({ "cancelled_error", pieces[i] }, { seen[i].outcome, seen[i].pieces })
      end
    end
  end)

  it("has its stream closed by a token", function()
    local token, err = ofox.cancel_token(), nil
    reply(40)
    local seen = { pieces = 0 }
    local task = ofox.go(function()
      local stream = assert(client:stream(PARAMS, { errors = "return", cancel = token }))
      local chunk
      chunk, err = stream:next()
      while chunk do
        seen.pieces = seen.pieces + 1
        chunk, err = stream:next()
      end
    end)
    for _ = 1, 4 do ofox.step { max_events = 2 } end
    local pieces = seen.pieces
    token:cancel()
    for _ = 1, 4 do ofox.step { max_events = 2 } end
    assert.equal("done", task:status())
    assert.equal("cancelled_error", err and err.type)
    assert.equal(pieces, seen.pieces)
  end)

  it("children of a cancelled run have ended when it has", function()
    local parts = {}
    local task = ofox.go(function()
      ofox.run(function()
        for i = 1, 3 do parts[i] = ofox.go(ofox.sleep, 100) end
        ofox.sleep(100)
      end)
    end)
    ofox.step { max_events = 1 }
    task:cancel()
    while task:status() == "running" do ofox.step { max_events = 1 } end
    for i = 1, 3 do assert.equal("cancelled", parts[i]:status()) end
  end)
end)

describe("[E8] step{...}", function()
  for _, case in ipairs {
    { { max_events = 0 }, "max_events: expected an integer from 1 on, got 0" },
    { { max_events = 1.5 }, "max_events: expected an integer from 1 on, got 1.5" },
    { { max_events = -1 }, "max_events: expected an integer from 1 on, got -1" },
    { { max_events = "x" }, 'max_events: expected an integer from 1 on, got "x"' },
    { { max_events = false }, "max_events: expected an integer from 1 on, got false" },
    { { max_events = 0 / 0 }, "max_events: expected an integer from 1 on, got " },
    { { max_events = math.huge }, "max_events: expected an integer from 1 on, got " },
    { { max_wait = -1 }, "max_wait: expected a number of seconds >= 0, got -1" },
    { { max_wait = "x" }, 'max_wait: expected a number of seconds >= 0, got "x"' },
    { { max_wait = false }, "max_wait: expected a number of seconds >= 0, got false" },
    { { max_wait = {} }, "max_wait: expected a number of seconds >= 0, got " },
    { { max_wait = { max_events = 1 } }, "max_wait: expected a number of seconds >= 0, got " },
    { { events = 1 }, "unknown option events" },
    { { 0 }, "unknown option 1" },
    { "x", 'max_wait: expected a number of seconds >= 0, got "x"' },
    { false, "max_wait: expected a number of seconds >= 0, got false" },
    { -1, "max_wait: expected a number of seconds >= 0, got -1" },
  } do
    it("refuses what it cannot mean: " .. case[2], function()
      local ok, message = pcall(ofox.step, case[1])
      assert.is_false(ok)
      assert.is_truthy(message:find("ofox.step: " .. case[2], 1, true), message)
      local _, placed = pcall(function() ofox.step(case[1]) end)
      assert.is_truthy(placed:find("frames_spec.lua:%d+: "), placed)
    end)
  end

  it("takes a large number, and whole floats", function()
    for _, most in ipairs { 2^31, 2^53, 1e300, 3.0 } do assert.is_false(ofox.step { max_events = most }) end
  end)

  it("never waits with an empty table, and waits as long as max_wait says", function()
    local woken
    local task = ofox.go(function() ofox.sleep(10) woken = transport:now() end)
    assert.is_true(ofox.step {})
    assert.equal(0, transport:now())
    assert.is_true(ofox.step { max_wait = 4 })
    assert.equal(4, transport:now())
    assert.is_nil(woken)
    assert.is_false(ofox.step { max_wait = 20, max_events = 5 })
    assert.equal(10, woken)
    assert.equal("done", task:status())
  end)

  it("does not wait while something is left of the last step", function()
    local turns = 0
    for _ = 1, 4 do ofox.go(function() coroutine.yield() turns = turns + 1 end) end
    ofox.step { max_wait = 5, max_events = 1 }
    ofox.step { max_wait = 5, max_events = 1 }
    assert.same({ 2, 0 }, { turns, transport:now() })
    ofox.step(0)
    assert.equal(4, turns)
  end)

  it("is refused in a task", function()
    local task = ofox.go(function() ofox.step { max_events = 1 } end)
    local ok, message = task:wait()
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find("a task waits with ofox.sleep", 1, true))
  end)
end)

describe("[E8] examples/frames.lua", function()
  local s
  setup(function() s = server.start() end)
  teardown(function() s:stop() end)
  before_each(function() s:reset() end)

  local SSE = { ["Content-Type"] = "text/event-stream" }

  -- Its clock stands still while another process has its core.
  local CLOCK = 'package.path = "spec/?.lua;" .. package.path '
    .. 'require("socket").gettime = require("support.stopwatch").now'

  -- What it printed, how many frames there were, how many in a second, and the
  -- milliseconds of the longest step.
  local function run()
    local pipe = io.popen(("env -u http_proxy -u all_proxy OFOX_API_KEY=k-0123456789 OFOX_BASE_URL=%s %s -e %s "
      .. "examples/frames.lua 2>&1 </dev/null"):format(s.url, proc.LUA, proc.quote(CLOCK)))
    local out = pipe:read("*a")
    pipe:close()
    local said, frames, rate, longest =
      out:match("^(.*)\n(%d+) frames, (%d+) a second; the longest step took ([%d.]+) ms\n$")
    assert.is_truthy(said, out)
    return said, tonumber(frames), tonumber(rate), tonumber(longest)
  end

  it("holds its frame rate while an answer comes", function()
    local events = server.events { "word " }
    s:script { { status = 204 }, { headers = SSE, delay = 0.3, chunks = { events[1],
      { bytes = events[2], times = 60, pause = 0.02 }, events[3], events[4] } } }
    local said, frames, rate, longest = run()
    assert.equal(("word "):rep(60), said)
    -- 1.5 s of an answer, 90 frames unless others have the cores; a step that
    -- waited for it would have taken 20 ms, or 300
    assert.is_true(frames >= 45, frames .. " frames")
    assert.is_true(rate >= 45 and rate <= 62, rate .. " a second")
    assert.is_true(longest < 15, longest .. " ms")
  end)

  it("spreads what comes at once over frames", function()
    local events = server.events { "word " }
    s:script { { status = 204 }, { headers = SSE, chunks = { events[1], events[2]:rep(1000), events[3], events[4] } } }
    local said, frames = run()
    assert.equal(("word "):rep(1000), said)
    assert.is_true(frames >= 50, frames .. " frames") -- at most 20 events in each
  end)

  it("says what went wrong", function()
    s:script { { status = 204 }, { status = 401 } }
    local said = run()
    assert.is_truthy(said:find("ofox: authentication_error 401", 1, true), said)
    assert.is_truthy(said:find("Check that the API key", 1, true), said)
  end)
end)

describe("a stream in frames", function()
  it("that another closes does not end as if it were complete", function()
    reply(50)
    local stream
    local task = ofox.go(function()
      stream = client:stream(PARAMS)
      local n = 0
      while stream:next() do n = n + 1 end
      return n
    end)
    for _ = 1, 5 do ofox.step { max_wait = 1, max_events = 3 } end
    stream:close()
    assert.same({ false, "ofox: the stream was closed while it was being read" }, { task:wait() })
  end)

  if not LOOPS_HOLD then
    it("is collected in frames, too", function()
      reply(50)
      local task = ofox.go(function() return client:stream(PARAMS):collect():output_text() end)
      local steps = 0
      while task:status() == "running" and steps < 100 do
        ofox.step { max_wait = 1, max_events = 5 }
        steps = steps + 1
      end
      assert.is_true(steps >= 10, steps)
      assert.same({ true, numbers(50) }, { task:wait() })
    end)
  end
end)
