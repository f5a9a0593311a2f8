-- Programs that fork: a child never touches what is its parent's.
local forking = require "support.forking"
local host = require "support.host"
local real = require "support.real"
local server = require "support.server"

local succeed = host.succeed

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

describe("[E4] after a fork", function()
  -- %s: what the child does; how the program ends is how the child ends.
  local PROGRAM = [[
    local posix = require "specfork"
    local ofox = require "ofox"
    local client = ofox.new { base_url = URL, %s errors = "return" }
    local function ask(who)
      local res, err = client:chat(PARAMS)
      say(who, res and ("ok " .. ofox.meta(res).attempts) or tostring(err))
    end
    ask "parent"
    local pid = posix.fork()
    if pid == 0 then
      %s
    else
      say("child", posix.wait(pid))
      ask "parent"
      ask "parent"
    end]]

  local endings = {
    { what = "makes its own engine and ends as usual", child = 'ask "child"', asks = 1 },
    { what = "makes its own engine and ends with _exit", child = 'ask "child" posix._exit(0)', asks = 1 },
    { what = "calls twice and collects garbage",
      child = 'ask "child" collectgarbage() collectgarbage() ask "child" collectgarbage()', asks = 2 },
    { what = "ends without a call", child = "", asks = 0 },
    { what = "collects all of ofox without a call", asks = 0, child = [[
      client, ofox, ask = nil, nil, nil
      for name in pairs(package.loaded) do if name:find("^ofox") then package.loaded[name] = nil end end
      collectgarbage() collectgarbage()]] },
    { what = "forks again", asks = 2, child = [[
      ask "child"
      local grandchild = posix.fork()
      if grandchild == 0 then ask "child" else assert(posix.wait(grandchild) == 0) end]] },
  }

  local function expected(ending)
    return "parent ok 1\n" .. ("child ok 1\n"):rep(ending.asks) .. "child 0\nparent ok 1\nparent ok 1\n"
  end

  before_each(function() forking.compile() end)

  for _, ending in ipairs(endings) do
    it("a child that " .. ending.what .. " leaves its parent's connection alone", function()
      s:script { { body = server.completion("ok") }, repeat_last = true }
      assert.equal(expected(ending), succeed(PROGRAM:format("", ending.child)))
      local own = ending.what == "forks again" and 3 or ending.asks > 0 and 2 or 1
      assert.equal(own, s:connections())
      local log = s:log()
      assert.equal(3 + ending.asks, #log)
      assert.equal(1, log[#log - 1].conn)
      assert.equal(1, log[#log].conn)
    end)

    for _, http2 in ipairs { false, true } do
      it("over TLS, HTTP/" .. (http2 and "2" or "1.1") .. ": a child that " .. ending.what, function()
        local front = real.nginx { tls = true, http2 = http2 }
        local ok, out = pcall(succeed, PROGRAM:format(("ca_file = %q,"):format(front.ca_file), ending.child),
          { url = front.url })
        local log = front:wait_log(3 + ending.asks) -- nginx writes it after the answer
        front:stop()
        assert.is_true(ok, tostring(out))
        assert.equal(expected(ending), out)
        assert.equal(3 + ending.asks, #log)
        assert.equal(log[1].conn, log[#log - 1].conn)
        assert.equal(log[1].conn, log[#log].conn)
      end)
    end
  end

  it("a child may ask what the loop would do, and close an inherited stream; its parent is woken in time", function()
    s:script { { chunks = { server.events { "a" }[2], { pause = 20 } },
      headers = { ["Content-Type"] = "text/event-stream" } } }
    assert.equal("child true true true\nended 0\nwoken\nidle_timeout\n", succeed [[
      local posix, socket = require "specfork", require "socket"
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, errors = "return", idle_timeout = 0.5, max_retries = 0 }
      local stream = client:stream(PARAMS)
      stream:next()
      local task = ofox.go(function() return select(2, stream:next()).code end)
      ofox.step(0)
      local other = ofox.go(function() ofox.sleep(60) end)
      local fd = ofox.pollfd()
      local pid = posix.fork()
      if pid == 0 then
        say("child", tostring(pcall(ofox.timeout)), tostring(pcall(ofox.pollfd)), tostring(pcall(stream.close, stream)))
        posix._exit(0)
      end
      say("ended", posix.wait(pid))
      local began = socket.gettime()
      while task:status() == "running" and socket.gettime() - began < 10 do
        socket.select({ { getfd = function() return fd end } }, nil, 10)
        ofox.step(0)
      end
      say(socket.gettime() - began < 9 and "woken" or "not woken")
      say((select(2, task:wait())))
      other:cancel()]])
  end)

  it("in the middle of a call the parent's call goes on", function()
    s:script { { status = 503 }, { body = server.completion("ok") }, repeat_last = true }
    local out = succeed [[
      local posix = require "specfork"
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, retry = { base = 0.001, jitter = "none" } }
      local me = "parent"
      local ok, res = pcall(client.chat, client, PARAMS, { on_retry = function()
        local pid = posix.fork()
        if pid == 0 then
          me = "child"
          error("out", 0)
        end
        say("child", posix.wait(pid))
      end })
      say(me, me == "child" and res or res:output_text())
      say(me, client:chat(PARAMS):output_text())]]
    assert.equal("child out\nchild ok\nchild 0\nparent ok\nparent ok\n", out)
    local log = s:log()
    assert.equal(4, #log)
    assert.same({ 1, 2, 1, 1 }, { log[1].conn, log[2].conn, log[3].conn, log[4].conn })
  end)

  for what, does in pairs {
    ["collects it"] = "call = nil collectgarbage() collectgarbage()",
    ["cancels it"] = "engine:cancel(call)",
    ["collects the engine with it"] = "call, engine = nil, nil collectgarbage() collectgarbage()",
  } do
    it("a child that has a call in flight and " .. what .. " leaves it to its parent", function()
      s:script { { body = server.completion("ok"), delay = 0.3 } }
      local out = succeed(([[
        local posix = require "specfork"
        local native = require "ofox.base.native"
        local core, engine = native "core", native "engine".new()
        local call = core.call(core.template({ method = "GET", url = URL }, { timeout = 5 }), engine:now())
        assert(call:prepare())
        engine:start(call)
        for _ = 1, 5 do engine:step(0.02) end
        local pid = posix.fork()
        if pid == 0 then
          %s
          posix._exit(0)
        end
        posix.wait(pid)
        while call:state() == "flight" do engine:step() end
        say(tostring(call:failed()))]]):format(does))
      assert.equal("false\n", out)
    end)
  end

  it("no random number of a child is one of its parent's", function()
    assert.equal("other 0\n", succeed [[
      local posix = require "specfork"
      local core = require "ofox.base.native" "core"
      core.id() -- more than that is drawn at once
      local file = io.open(SCRATCH, "a")
      local pid = posix.fork()
      for _ = 1, 40 do file:write(core.id(), "\n") end
      file:close()
      if pid == 0 then posix._exit(0) end
      local ended = posix.wait(pid)
      local seen, what = {}, "other"
      for line in io.lines(SCRATCH) do
        what = seen[line] and "the same" or what
        seen[line], seen[#seen + 1] = true, line
      end
      say(#seen == 80 and what or #seen, ended)]])
  end)

  it("a child that a hook has forked is told that the engine is not its own", function()
    s:script { { status = 503, body = "{}" }, { body = server.completion("ok") } }
    local out = succeed [[
      local posix = require "specfork"
      local pid
      local client = require "ofox".new { base_url = URL, errors = "return", retry = { base = 0.01 },
        on_retry = function() pid = posix.fork() end }
      local ok, res = pcall(client.chat, client, PARAMS)
      if pid == 0 then
        say("child", tostring(res))
        posix._exit(0)
      end
      posix.wait(pid)
      say("parent", res:output_text())]]
    assert.matches("child [^\n]*the engine belongs to the process that was forked\n", out)
    assert.matches("parent ok\n", out)
  end)

  it("a child does not wait for its parent's calls", function()
    s:script { { delay = 2, body = server.completion("ok") }, { body = server.completion("ok") }, repeat_last = true }
    local out = succeed [[
      local posix = require "specfork"
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, errors = "return", pace = { concurrent = 1 } }
      local first = ofox.go(function() return client:chat(PARAMS) end)
      local second = ofox.go(function() return client:chat(PARAMS) end)
      ofox.step(0)
      local pid = posix.fork()
      if pid == 0 then
        local res, err = client:chat(PARAMS, { deadline = 1 })
        say("child", res and res:output_text() or tostring(err))
        posix._exit(0)
      end
      local ok = select(2, first:wait()) and select(2, second:wait())
      say("parent", ok and ok:output_text(), (posix.wait(pid)))]]
    assert.matches("child ok\n", out)
    assert.matches("parent ok 0\n", out)
  end)
end)
