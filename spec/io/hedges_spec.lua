-- Two attempts of one call on real sockets, in every way that a program waits.
-- test: waits long: a program is away for longer than a hedge waits
local assert = require "luassert"
local calls = require "support.calls"
local ofox = require "ofox"
local server = require "support.server"

local PARAMS = calls.PARAMS
local OK = server.completion "ok"
local SSE = { "content-type: text/event-stream" }

local s
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function() s:reset() end)

-- Long limits: no test depends on one.
local client, ask = calls.against(function() return s end, "sk-of-the-hedges-0123456789")
local HEDGED = { hedge = 0.05, timeout = 30, stream_timeout = 60, connect_timeout = 30 }

local function in_a_coroutine(fn)
  return ofox.run(function()
    local ok, value, err = coroutine.resume(coroutine.create(fn))
    if not ok then error(value, 0) end
    return value, err
  end)
end

local function by_a_loop(fn)
  local socket = require "socket"
  ofox.use_loop { wait = function(seconds) socket.select({ ofox }, nil, seconds) end }
  finally(function() ofox.use_loop(nil) end)
  return fn()
end

local HOSTS = {
  ["outside of tasks"] = function(fn) return fn() end,
  ["in a task"] = ofox.run,
  ["in a coroutine inside a task"] = in_a_coroutine,
  ["by a loop"] = by_a_loop,
}

-- The program is not on the wire any more.
local function assert_quiet()
  assert.is_false(ofox.step(0))
end

for host, run in pairs(HOSTS) do
  describe("hedge on sockets, " .. host .. ":", function()
    local function asked(steps, opts)
      return run(function() return ask(steps, calls.with(HEDGED, opts)) end)
    end

    it("the second answers, and the first is cancelled", function()
      local res = asked { { stall = true }, { body = OK } }
      assert.equal("ok", res:output_text())
      assert.equal(2, ofox.meta(res).attempts)
      assert.same({ "cancelled" }, calls.each_retry(ofox.meta(res).retries, "code"))
      assert.equal(2, #s:log())
      assert.is_true(s:wait { open = 1 }) -- the first has been closed
      assert_quiet()
    end)

    it("the first answers, and the second is cancelled", function()
      local res = asked { { body = OK, after = 2 }, { stall = true } }
      assert.equal("ok", res:output_text())
      assert.same({ "cancelled" }, calls.each_retry(ofox.meta(res).retries, "code"))
      assert.is_true(s:wait { open = 1 })
      assert_quiet()
    end)

    it("both fail, and a third attempt follows", function()
      local res = asked { { status = 503, after = 2 }, { status = 503 }, { body = OK } }
      local retries = ofox.meta(res).retries
      assert.equal(3, ofox.meta(res).attempts)
      assert.same({ 503, 503 }, calls.each_retry(retries, "status"))
      assert.same({ "hedge", "backoff" }, calls.each_retry(retries, "delay_source"))
      assert_quiet()
    end)

    it("a stream is answered by its first content", function()
      s:script { { headers = SSE, chunks = { ": hello\n\n" }, stall = true, last_chunk = false },
        { headers = SSE, chunks = server.events { "fa", "st" } } }
      local text = run(function() return client(HEDGED):stream(PARAMS):collect():output_text() end)
      assert.equal("fast", text)
      assert.equal(2, #s:log())
      assert_quiet()
    end)

    it("what a hook raises ends both", function()
      s:script { { stall = true }, repeat_last = true }
      local opts = calls.with(HEDGED, { headers = { ["x-n"] = function(attempt)
        if attempt.attempt == 3 then error("of the program", 0) end
        return "1"
      end }, hedge = 0.05, timeout = 0.2 })
      local ok, err = pcall(run, function() return client(opts):chat(PARAMS) end)
      assert.is_false(ok)
      assert.truthy(tostring(err):find("of the program", 1, true))
      assert.is_true(s:wait { open = 0 })
      assert_quiet()
    end)
  end)
end

describe("hedge on sockets:", function()
  it("a token, or a cancelled task, ends both at once", function()
    for _, by_token in ipairs { true, false } do
      s:reset()
      s:script { { stall = true }, repeat_last = true }
      local token = by_token and ofox.cancel_token() or nil
      local task = ofox.go(function() return client(HEDGED):chat(PARAMS, { cancel = token }) end)
      while #s:log() < 2 do ofox.step(0.01) end
      if token then token:cancel() else task:cancel() end
      local ok, res, err = task:wait()
      err = ok and err or res
      assert.equal(by_token, ok)
      assert.equal("cancelled", err.code)
      assert.equal(2, err.attempts)
      assert.is_true(s:wait { open = 0 })
      assert_quiet()
    end
  end)

  it("a call that waits for a connection gets none", function()
    s:script { { stall = true }, repeat_last = true }
    local one = client(calls.with(HEDGED, { max_connections = 1, hedge = 0.02 }))
    local first = ofox.go(function() return one:chat(PARAMS, { hedge = false }) end)
    while #s:log() < 1 do ofox.step(0.01) end
    local _, err = one:chat(PARAMS, { deadline = 0.3 })
    assert.equal("deadline", err.code)
    assert.equal(1, err.attempts)
    first:cancel()
    first:wait()
  end)

  it("a program that was away first takes what has come meanwhile", function()
    local COUNT = 50 -- more than a step reads at once
    local steps = { repeat_last = true }
    steps[1] = { body = OK, after = COUNT, delay = 0.5 }
    s:script(steps)
    local one, tasks = client(calls.with(HEDGED, { hedge = 2 })), {}
    for i = 1, COUNT do tasks[i] = ofox.go(function() return one:chat(PARAMS) end) end
    local core = require "ofox.base.native" "core"
    while #s:log() < COUNT do ofox.step(0.01) end
    local till = core.now() + 2
    assert.is_true(s:wait { answered = COUNT })
    while core.now() < till do core.pause(till - core.now()) end
    for i = 1, COUNT do assert.equal(1, ofox.meta(select(2, tasks[i]:wait())).attempts) end
    assert.equal(COUNT, #s:log())
  end)

  it("many at once are each their own call", function()
    s:script { { body = OK, delay = 0.1 }, repeat_last = true }
    local one, list = client(HEDGED), {}
    for i = 1, 30 do list[i] = i end
    for _, result in ipairs(ofox.map(list, function() return one:chat(PARAMS) end)) do
      assert.equal("ok", result[2]:output_text())
    end
    local stats = one:stats()
    assert.same({ 30, 30, 0, 0 }, { stats.calls, stats.succeeded, stats.failed, stats.in_flight + stats.waiting })
    assert.equal(#s:log(), stats.attempts)
    assert_quiet()
  end)
end)
