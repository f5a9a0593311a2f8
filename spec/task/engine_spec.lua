-- Tasks on the real engine: many at once, cancelled wherever they are, broken
-- off by Ctrl-C, a fork or the end of the program.
-- test: waits: for limits of time
local socket = require "socket"
local ofox = require "ofox"
local calls = require "support.calls"
local host = require "support.host"
local real = require "support.real"
local server = require "support.server"
local stopwatch = require "support.stopwatch"

local PARAMS = calls.PARAMS
local OK = server.completion("ok")
local SSE = { ["Content-Type"] = "text/event-stream" }
local KEY = "sk-of-tasks-0123456789"

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

local client = calls.against(function() return s end, KEY)

describe("[E3] tasks on one engine", function()
  it("make 500 calls at once, and one that errors hurts no other", function()
    local steps = {}
    for i = 1, 500 do steps[i] = i == 250 and { status = 400, body = "{}" } or { delay = 0.2, body = OK } end
    s:script(steps)
    local c = client { errors = "raise", timeout = 30 }
    local list = {}
    for i = 1, 500 do list[i] = function() return i, c:chat(PARAMS):output_text() end end
    local results = ofox.all(list)
    local failed = 0
    for i, result in ipairs(results) do
      if result[1] then
        assert.same({ true, i, "ok", n = 3 }, result)
      else
        failed = failed + 1
        assert.equal(400, result[2].status)
      end
    end
    assert.equal(1, failed)
    assert.equal(500, #s:log())
    assert.is_false(ofox.step(0))
  end)

  it("read 100 streams side by side, and lose nothing", function()
    s:script { { chunks = { { bytes = server.events({ "x" })[2], times = 50, pause = 0.004 }, "data: [DONE]\n\n" },
      headers = SSE }, repeat_last = true }
    local c = client { timeout = 30 }
    local list = {}
    for i = 1, 100 do
      list[i] = function()
        local n = 0
        if i % 2 == 0 then
          for text in c:stream(PARAMS):text() do n = n + #text end
        else
          local stream = c:stream(PARAMS)
          while stream:next() do n = n + 1 end
        end
        return n
      end
    end
    for _, result in ipairs(ofox.all(list)) do assert.same({ true, 50, n = 2 }, result) end
  end)

  it("are no more at a time than there may be connections, which does not use up their time", function()
    s:script { { delay = 0.08, body = OK }, repeat_last = true }
    local c = ofox.new { api_key = KEY, base_url = s.url, proxy = false, max_connections = 2, timeout = 0.5,
      connect_timeout = 0.3, max_retries = 0, errors = "return" }
    local list = {}
    for i = 1, 16 do list[i] = function() return c:chat(PARAMS) end end
    for _, result in ipairs(ofox.all(list)) do
      assert.is_nil(result[3] and tostring(result[3]))
      assert.equal("ok", result[2]:output_text())
    end
    assert.is_true(s:connections() <= 2)
  end)

  it("have their time once they got a connection that was kept", function()
    s:script { { body = OK }, { stall = true } }
    local c = ofox.new { api_key = KEY, base_url = s.url, proxy = false, max_connections = 1, timeout = 0.2,
      max_retries = 0, errors = "return" }
    assert.is_truthy(c:chat(PARAMS))
    local _, err, took = calls.timed(function() return nil, select(2, c:chat(PARAMS, { deadline = 3 })) end)
    assert.equal("timeout", err.code)
    assert.is_true(took < 1, took)
    assert.equal(1, s:connections())
  end)

  it("respect the deadline while they wait for a connection", function()
    s:script { { delay = 0.3, body = OK }, repeat_last = true }
    local c = ofox.new { api_key = KEY, base_url = s.url, proxy = false, max_connections = 1, deadline = 0.45,
      max_retries = 0, errors = "return" }
    local results = ofox.all { function() return c:chat(PARAMS) end, function() return c:chat(PARAMS) end }
    local codes = {}
    for i, result in ipairs(results) do codes[i] = result[3] and result[3].code or "ok" end
    table.sort(codes)
    assert.same({ "deadline", "ok" }, codes)
  end)

  it("reuse connections over calls, tasks and clients", function()
    s:script { { body = OK }, repeat_last = true }
    for _ = 1, 3 do
      local list = {}
      for i = 1, 8 do list[i] = function() return client():chat(PARAMS) end end
      ofox.all(list, { limit = 4 })
    end
    assert.equal(24, #s:log())
    assert.is_true(s:connections() <= 4, s:connections())
  end)
end)

describe("[C14] 64 calls in parallel over HTTP/2", function()
  it("share one connection, each with its own answer", function()
    s:script { { delay = 0.1, body = OK }, repeat_last = true }
    local front = real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port }
    local c = client { base_url = front.url, ca_file = front.ca_file, timeout = 30 }
    local list = {}
    for i = 1, 64 do list[i] = function() return c:chat(PARAMS):output_text() end end
    local _, _, took = calls.timed(function()
      for _, result in ipairs(ofox.all(list)) do assert.same({ true, "ok", n = 2 }, result) end
    end)
    local log = front:wait_log(64)
    assert.equal(64, #log)
    assert.equal(1, real.connections(log))
    assert.is_true(took < 3, took)
    front:stop()
  end)

  it("stream on one connection, and one that nobody reads starves no other", function()
    local event = server.events({ ("y"):rep(200) })[2]
    s:script {
      { chunks = { { bytes = event:rep(100), times = 500 }, "data: [DONE]\n\n" }, headers = SSE },
      { chunks = server.events { "a", "b" }, headers = SSE }, repeat_last = true,
    }
    local front = real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port,
      server = "proxy_buffering off;" }
    local c = client { base_url = front.url, ca_file = front.ca_file, timeout = 10 }
    local slow = c:stream(PARAMS)
    local list = {}
    for i = 1, 20 do list[i] = function() return c:stream(PARAMS):collect():output_text() end end
    for _, result in ipairs(ofox.all(list)) do assert.same({ true, "ab", n = 2 }, result) end
    local bytes = 0
    for text in slow:text() do bytes = bytes + #text end
    assert.equal(100 * 500 * 200, bytes)
    assert.equal(1, real.connections(front:wait_log(21)))
    front:stop()
  end)
end)

describe("[E2] cancel", function()
  -- Cancels a task that has come so far, and gives its error and how long its
  -- end took.
  local function cancelled(opts, params, until_so)
    local c = client(opts)
    local task = ofox.go(function() return c:chat(params or PARAMS) end)
    local due = socket.gettime() + 5
    repeat ofox.step(0.01) until until_so() or socket.gettime() > due
    local clock = stopwatch.start()
    task:cancel()
    local ok, err = task:wait()
    local _, took = clock()
    assert.is_false(ok)
    assert.equal("cancelled_error", err.type)
    assert.equal("cancelled", task:status())
    assert.is_true(took < 0.05, took)
    assert.is_false(ofox.step(0))
    return err
  end

  local function after(seconds)
    local due = socket.gettime() + seconds
    return function() return socket.gettime() > due end
  end

  it("in connect", function()
    local hole = server.black_hole()
    local err = cancelled({ base_url = hole.url }, nil, after(0.1))
    assert.is_false(err.ambiguous)
    hole.stop()
  end)

  it("in the TLS handshake", function()
    s:script { { on = "arrival", stall = true } }
    local err = cancelled({ base_url = s.url:gsub("^http:", "https:") }, nil,
      function() return s:wait({ requests = 1 }, 0) end)
    assert.is_false(err.ambiguous)
    assert.is_true(s:wait { open = 0 })
  end)

  it("in the upload", function()
    s:script { { on = "headers", stall = "deaf" } }
    cancelled({}, { model = "m", messages = { { role = "user", content = ("x"):rep(32 * 1024 * 1024) } } },
      function() return s:wait({ requests = 1 }, 0) end)
    assert.equal(1, s:connections())
  end)

  it("before the answer", function()
    s:script { { stall = true } }
    local err = cancelled({}, nil, function() return s:wait({ requests = 1 }, 0) end)
    assert.is_true(err.ambiguous)
    assert.is_true(s:wait { open = 0 })
    assert.equal(1, #s:log())
  end)

  it("in the body", function()
    s:script { { chunks = { { bytes = " ", times = 10000, pause = 0.002 } } } }
    cancelled({}, nil, function() return s:wait({ requests = 1 }, 0) end)
    assert.is_true(s:wait { open = 0 })
  end)

  it("in a wait for a retry", function()
    s:script { { status = 503, headers = { ["Retry-After"] = "30" } } }
    local err = cancelled({}, nil, function() return s:wait({ answered = 1 }, 0) and ofox.step(0.05) end)
    assert.equal(503, err.cause.status)
    assert.equal(1, #s:log())
  end)

  it("in DNS, where the resolver does not answer", function()
    local out = host.succeed([[
      local ofox = require "ofox"
      local client = ofox.new { base_url = "http://slow.test/v1", insecure_http = true }
      local task = ofox.go(function() return client:chat(PARAMS) end)
      for _ = 1, 5 do ofox.step(0.02) end
      local took = require("support.stopwatch").start()
      task:cancel()
      local ok, err = task:wait()
      say(tostring(ok), err.type, select(2, took()) < 0.05 and "at once" or "late", tostring(ofox.step(0)))]],
      { preload = host.slow_lookup() })
    assert.equal("false cancelled_error at once false\n", out)
  end)

  it("by a token, in a stream that is read", function()
    s:script { { chunks = { { bytes = server.events({ "x" })[2], times = 10000, pause = 0.01 } }, headers = SSE } }
    local token = ofox.cancel_token()
    local is_read = false
    local task = ofox.go(function()
      local stream = client { errors = "return" }:stream(PARAMS, { cancel = token })
      while true do
        local chunk, err = stream:next()
        if not chunk then return err end
        is_read = true
      end
    end)
    ofox.go(function()
      repeat ofox.sleep(0.02) until is_read
      ofox.sleep(0.05)
      token:cancel()
    end)
    local ok, err = task:wait()
    assert.same({ true, "cancelled_error" }, { ok, err.type })
    assert.is_true(#err.partial.text >= 1)
    assert.is_true(s:wait { open = 0 })
  end)

  it("before the start opens no connection", function()
    local c = client()
    local task = ofox.go(function() coroutine.yield() return c:chat(PARAMS) end)
    task:cancel()
    assert.is_false((task:wait()))
    assert.equal(0, s:connections())
  end)
end)

describe("[E1] Ctrl-C", function()
  local situations = {
    ["in ofox.run with calls in its tasks"] =
      "ofox.run(function() for _ = 1, 3 do ofox.go(client.chat, client, PARAMS) end end)",
    ["in ofox.run with sleeping tasks"] = "say 'now' ofox.run(function() ofox.go(ofox.sleep, 30) ofox.sleep(30) end)",
    ["in task:wait()"] = "ofox.go(client.chat, client, PARAMS):wait()",
    ["in ofox.all"] = "ofox.all { function() client:chat(PARAMS) end, function() ofox.sleep(30) end }",
    ["in a coroutine inside a task"] =
      "ofox.run(function() coroutine.wrap(function() client:chat(PARAMS) end)() end)",
    ["in a stream"] = "local stream = client:stream(PARAMS) for _ in stream do end",
    ["in a stream in a task"] =
      "ofox.run(function() local stream = client:stream(PARAMS) while stream:next() do end end)",
    ["in ofox.step()"] = "ofox.go(client.chat, client, PARAMS) while ofox.step() do end",
  }
  for name, code in pairs(situations) do
    it(name .. " ends the program at once", function()
      local drip = name:find("stream") and { chunks = { server.events({ "x" })[2], { bytes = ": ping\n\n", times = 3000,
        pause = 0.01 } }, headers = SSE } or { stall = true }
      s:script { drip, repeat_last = true }
      local program = host.start([[
        local ofox = require "ofox"
        local client = ofox.new { base_url = URL, timeout = 60 }
        ]] .. code .. "\nsay 'still here'")
      if code:find("now", 1, true) then
        assert.equal("now", program.pipe:read("*l"))
      else
        assert.is_true(s:wait { requests = 1 })
      end
      assert.is_true(host.wait_state(program.pid, "S", 5))
      local took = host.interrupt(program)
      local out, rc, err = host.finish(program)
      assert.is_true(took < 0.25, ("%.3f seconds, %s"):format(took, err))
      assert.is_nil(out:find("still here", 1, true))
      assert.matches("ofox: cancelled_error [200 ]*interrupted: ", err) -- a stream has its status
      assert.equal(1, rc)
    end)
  end

  it("caught by the program leaves no task and no call", function()
    s:script { { stall = true }, { stall = true }, { body = OK }, repeat_last = true }
    local program = host.start [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, timeout = 60 }
      local ok, message = pcall(ofox.run, function()
        for _ = 1, 2 do ofox.go(client.chat, client, PARAMS) end
      end)
      say(tostring(ok), message.code, tostring(ofox.step(0)))
      say(client:chat(PARAMS):output_text())]]
    assert.is_true(s:wait { requests = 2 })
    assert.is_true(host.wait_state(program.pid, "S", 5))
    os.execute("kill -INT " .. program.pid)
    local out, rc, err = host.finish(program)
    assert.equal("false interrupted false\nok\n", out)
    assert.equal("", err)
    assert.equal(0, rc)
  end)
end)

describe("[E4] a fork while tasks run", function()
  it("leaves the parent's calls to the parent, and none to the child", function()
    s:script { { delay = 0.3, body = OK }, repeat_last = true }
    local fork = host.compile("forks.so", [[
      #include <lua.h>
      #include <unistd.h>
      #include <sys/wait.h>
      static int l_fork(lua_State *L) { lua_pushinteger(L, fork()); return 1; }
      static int l_wait(lua_State *L) { int st = 0; waitpid((pid_t)lua_tointeger(L, 1), &st, 0);
        lua_pushinteger(L, WEXITSTATUS(st)); return 1; }
      int luaopen_forks(lua_State *L) { lua_newtable(L); lua_pushcfunction(L, l_fork); lua_setfield(L, -2, "fork");
        lua_pushcfunction(L, l_wait); lua_setfield(L, -2, "wait"); return 1; }
    ]], "-shared -fPIC")
    assert.is_string(fork)
    local out = host.succeed [[
      local ofox, forks = require "ofox", require "forks"
      local client = ofox.new { base_url = URL, errors = "return", max_retries = 0 }
      local task = ofox.go(function() return client:chat(PARAMS) end)
      ofox.step(0.05)
      local pid = forks.fork()
      if pid == 0 then
        local ok, res, err = task:wait()
        local mine = ofox.run(function() return client:chat(PARAMS) end)
        os.exit(ok and res == nil and err.type == "connection_error" and mine:output_text() == "ok" and 7 or 8)
      end
      local ok, res = task:wait()
      say(tostring(ok), res:output_text(), math.floor(forks.wait(pid)))]]
    assert.equal("true ok 7\n", out)
    assert.equal(2, #s:log())
  end)
end)

describe("[E5] the end of the program", function()
  it("with tasks, calls, streams and sleeps open", function()
    s:script { { chunks = { server.events({ "x" })[2], { bytes = ": ping\n\n", times = 3000, pause = 0.01 } },
      headers = SSE }, { stall = true }, repeat_last = true }
    assert.equal("left\n", host.succeed [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL }
      stream = client:stream(PARAMS)
      for _ = 1, 3 do ofox.go(client.chat, client, PARAMS) end
      ofox.go(ofox.sleep, 100)
      kept = ofox.go(function() coroutine.wrap(function() coroutine.yield() end)() ofox.sleep(50) end)
      ofox.step(0.01)
      say "left"]])
    assert.is_true(s:wait { open = 0 })
  end)

  it("reports a failure that was not handled", function()
    local out, rc, err = host.run [[
      local ofox = require "ofox"
      kept = ofox.go(function() error("unheard") end)
      say "end"]]
    assert.same({ "end\n", 0 }, { out, rc })
    assert.matches("ofox error: a task failed and its error was not handled.*unheard", err)
  end)

  it("by os.exit in a task, and in what it called", function()
    s:script { { body = OK }, repeat_last = true }
    assert.equal("in\n", host.succeed [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, on_response = function() say "in" os.exit(0, true) end }
      ofox.run(function() client:chat(PARAMS) end)]])
  end)
end)
