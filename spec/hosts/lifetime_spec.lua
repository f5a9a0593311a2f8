-- From the first call to the end of the program: lua_close, garbage,
-- coroutines, two Lua states, and what a long run leaves behind.
local host = require "support.host"
local proc = require "support.proc"
local server = require "support.server"

local run, succeed = host.run, host.succeed

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

-- 'interrupt(fn)' runs fn and raises "out" in the middle of its wait for bytes,
-- when the answer has begun to drip in: the call is left in flight. The hook
-- does 30 steps of what the engine was about to do until the call's end.
local INTERRUPT = [[
  local function interrupt(fn)
    debug.sethook(function()
      local info = debug.getinfo(2, "n")
      if info and info.name == "drive" then
        debug.sethook()
        local _, engine = debug.getlocal(2, 1)
        for _ = 1, 30 do engine:step() end
        error("out", 0)
      end
    end, "c")
    if jit then jit.off() end
    local ok, message = pcall(fn)
    debug.sethook()
    assert(not ok and message == "out", tostring(message))
  end
]]

describe("[E5] the end of the program", function()
  local DRIPS = { chunks = { { bytes = " ", times = 1000, pause = 0.002 } } }

  it("with a client and its connection open", function()
    s:script { { body = server.completion("ok") } }
    assert.equal("ok\n", succeed [[
      client = require "ofox".new { base_url = URL }
      say(client:chat(PARAMS):output_text())]])
  end)

  it("with a call in flight", function()
    s:script { DRIPS }
    assert.equal("left\n", succeed(INTERRUPT .. [[
      client = require "ofox".new { base_url = URL }
      interrupt(function() client:chat(PARAMS) end)
      say "left"]]))
    assert.is_true(s:wait { open = 0 })
  end)

  for _, ending in ipairs { "", "os.exit(0, true)", "os.exit(0)", "client, task = nil collectgarbage()" } do
    it("with both attempts of a hedged call in flight: " .. ending, function()
      s:script { { stall = true }, repeat_last = true }
      assert.equal("left\n", succeed([[
        local ofox, begun = require "ofox", 0
        client = ofox.new { base_url = URL, hedge = 0.05, timeout = 60, headers = { ["x-n"] = function()
          begun = begun + 1
          return begun
        end } }
        task = ofox.go(function() client:chat(PARAMS) end)
        while begun < 2 do ofox.step(0.01) end
        say "left"
        ]] .. ending))
      assert.is_true(s:wait { open = 0 })
    end)
  end

  it("with a call in flight whose name is looked up", function()
    local out = succeed([[
      client = require "ofox".new { base_url = "http://slow.test/v1", insecure_http = true, errors = "return",
        max_retries = 0 }
      local res, err = client:chat(PARAMS, { deadline = 0.05 })
      say(err.code)]], { preload = host.slow_lookup() })
    assert.equal("deadline\n", out)
  end)

  it("with calls that were left and collected, in any order", function()
    s:script { DRIPS, DRIPS, DRIPS, { body = server.completion("ok") }, repeat_last = true }
    assert.equal("ok\nok\n", succeed(INTERRUPT .. [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL }
      for _ = 1, 3 do
        interrupt(function() client:chat(PARAMS) end)
        collectgarbage() collectgarbage()
      end
      say(client:chat(PARAMS):output_text())
      client, ofox = nil, nil
      for name in pairs(package.loaded) do if name:find("^ofox") then package.loaded[name] = nil end end
      collectgarbage() collectgarbage()
      say(require "ofox".new { base_url = URL }:chat(PARAMS):output_text())]]))
    assert.equal(5, #s:log())
  end)

  it("with all of ofox collected while a call is in flight", function()
    s:script { DRIPS }
    assert.equal("left\n", succeed(INTERRUPT .. [[
      local client = require "ofox".new { base_url = URL }
      interrupt(function() client:chat(PARAMS) end)
      client = nil
      for name in pairs(package.loaded) do if name:find("^ofox") then package.loaded[name] = nil end end
      collectgarbage() collectgarbage()
      say "left"]]))
    assert.is_true(s:wait { open = 0 })
  end)

  for _, hook in ipairs { "on_retry", "on_wait", "on_error", "on_response", "logger", "api_key" } do
    local script = hook == "on_response" and { { body = server.completion("ok") } }
      or { { status = 503, headers = { ["Retry-After"] = hook == "on_error" and "0" or "30" } }, repeat_last = true }

    it("by os.exit inside " .. hook, function()
      s:script(script)
      assert.equal("in\n", succeed(([[
        client = require "ofox".new { base_url = URL, max_retries = 1 }
        client:chat(PARAMS, { %s = function() say "in" os.exit(0, true) end })]]):format(hook)))
    end)

    it("by an error thrown in " .. hook, function()
      s:script(script)
      local out, rc, err = run(([[
        client = require "ofox".new { base_url = URL, max_retries = 1 }
        client:chat(PARAMS, { %s = function() error("thrown out") end })]]):format(hook))
      assert.equal("", out)
      assert.equal(1, rc)
      assert.matches("thrown out", err)
    end)

    it("not at all: an error thrown in " .. hook .. " reaches the caller, and nothing is left", function()
      local steps = {}
      for i = 1, 20 do steps[i] = script[1] end
      if hook == "on_error" then for i = 21, 40 do steps[i] = script[1] end end
      if hook == "api_key" or hook == "logger" then steps = {} end
      steps[#steps + 1] = { body = server.completion("ok") }
      s:script(steps)
      assert.equal("20 ok\n", succeed(([[
        local client = require "ofox".new { base_url = URL, max_retries = 1, hold = false } -- each sends its request
        local thrown, n = {}, 0
        for _ = 1, 20 do
          local ok, message = pcall(client.chat, client, PARAMS, { %s = function() error(thrown) end })
          if not ok and message == thrown then n = n + 1 end
        end
        collectgarbage() collectgarbage()
        say(n, client:chat(PARAMS):output_text())]]):format(hook)))
    end)
  end
end)

describe("[E5] one client", function()
  it("serves several coroutines on one connection", function()
    s:script { { body = server.completion("ok") }, { status = 503 }, { body = server.completion("ok") },
      repeat_last = true }
    assert.equal("15\n", succeed [[
      local client = require "ofox".new { base_url = URL, retry = { base = 0.001 } }
      local threads, n = {}, 0
      for i = 1, 5 do
        threads[i] = coroutine.wrap(function()
          for _ = 1, 3 do
            if client:chat(PARAMS):output_text() == "ok" then n = n + 1 end
            coroutine.yield()
          end
        end)
      end
      for _ = 1, 3 do for i = 5, 1, -1 do threads[i]() end end
      threads = nil
      collectgarbage() collectgarbage()
      say(n)]])
    assert.equal(16, #s:log())
    assert.equal(1, s:connections())
  end)

  it("may be called inside its own hooks", function()
    s:script {
      { status = 503 }, { body = server.completion("inner") }, { status = 503 },
      { body = server.completion("inner") }, { body = server.completion("outer") },
    }
    assert.equal("inner inner outer\n", succeed [[
      local client = require "ofox".new { base_url = URL, retry = { base = 0.05, jitter = "none" } }
      local heard = {}
      local function ask() heard[#heard + 1] = client:chat(PARAMS):output_text() end
      local waited = false
      local res = client:chat(PARAMS, { on_retry = ask, on_wait = function()
        if not waited then waited = true ask() end
      end })
      heard[#heard + 1] = res:output_text()
      say(unpack(heard))]])
  end)
end)

if proc.ABI == "5.4" then
  -- Runs a chunk in two states in turn, closes them, and lives on for a while.
  local TWO_STATES = [[
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static void ask(lua_State *L, const char *who) {
  lua_getglobal(L, "ask");
  lua_pushstring(L, who);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) { fprintf(stderr, "%s\n", lua_tostring(L, -1)); exit(1); }
}
static lua_State *begin(const char *path) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dofile(L, path) != LUA_OK) { fprintf(stderr, "%s\n", lua_tostring(L, -1)); exit(1); }
  return L;
}
int main(int argc, char **argv) {
  struct timespec t = {0, 300000000};
  lua_State *a, *b;
  (void)argc;
  a = begin(argv[1]);
  b = begin(argv[1]);
  ask(a, "a"); ask(b, "b"); ask(a, "a"); ask(b, "b");
  lua_close(a);
  ask(b, "b");
  a = begin(argv[1]);
  ask(a, "c"); ask(b, "b");
  lua_close(b);
  ask(a, "c");
  lua_close(a);
  if (getenv("SLOW_LOOKUP")) nanosleep(&t, NULL);
  puts("end");
  return 0;
}
]]
  local function two_states()
    return host.compile("two-states", TWO_STATES, "-llua5.4 -Wl,--export-dynamic")
  end

  describe("[E5] two Lua states in one process", function()
    it("have an engine each", function()
      s:script { { body = server.completion("ok") }, repeat_last = true }
      local out = succeed([[
        local client = require "ofox".new { base_url = URL }
        function ask(who) say(who, client:chat(PARAMS):output_text()) end]], { program = two_states() })
      assert.equal("a ok\nb ok\na ok\nb ok\nb ok\nc ok\nb ok\nc ok\nend\n", out)
      local conns = {}
      for i, entry in ipairs(s:log()) do conns[i] = entry.conn end
      assert.same({ 1, 2, 1, 2, 2, 3, 2, 3 }, conns)
    end)

    it("may go while libcurl still looks a name up", function()
      local out = succeed([[
        local client = require "ofox".new { base_url = "http://slow.test/v1", insecure_http = true, errors = "return" }
        function ask(who) say(who, select(2, client:chat(PARAMS, { deadline = 0.01 })).code) end]], {
        program = "env SLOW_LOOKUP=150 " .. two_states(),
        preload = host.slow_lookup(),
      })
      assert.equal("a deadline\nb deadline\na deadline\nb deadline\nb deadline\nc deadline\nb deadline\n"
        .. "c deadline\nend\n", out)
    end)
  end)
end

describe("[B12] 1,000 retried calls", function()
  it("leave no descriptor and no memory behind", function()
    local steps = {}
    for i = 1, 1200 do
      steps[#steps + 1] = { status = 503, body = '{"error":{"message":"busy","code":"overloaded"}}',
        headers = { ["X-Request-Id"] = "req_" .. i, Connection = i % 4 == 0 and "close" or "keep-alive" },
        close = i % 4 == 0 }
      steps[#steps + 1] = { body = server.completion("ok"), close = i % 4 == 1,
        headers = { Connection = i % 4 == 1 and "close" or "keep-alive" } }
    end
    s:script(steps)
    local out = succeed [[
      local client = require "ofox".new { base_url = URL, retry = { base = 1e-6, jitter = "none" } }
      local function call(n)
        for _ = 1, n do assert(client:chat(PARAMS):meta().attempts == 2) end
        collectgarbage() collectgarbage()
      end
      local function measure()
        local file = assert(io.open("/proc/self/statm"))
        local _, resident = file:read("*n", "*n")
        file:close()
        local pipe = io.popen("ls /proc/$PPID/fd | wc -l")
        local descriptors = pipe:read("*n")
        pipe:close()
        return { resident * 4, descriptors, collectgarbage "count" }
      end
      -- What leaks grows in every round; a connection that the server has just
      -- closed, or an arena that the allocator takes once, does not.
      call(200)
      local before, least = measure(), {}
      for _ = 1, 5 do
        call(200)
        local now = measure()
        for i = 1, 3 do least[i] = math.min(least[i] or math.huge, now[i] - before[i]) end
        before = now
      end
      say(least[1], least[2], least[3])]]
    local resident, descriptors, lua = out:match("^(%S+) (%S+) (%S+)\n$")
    assert.equal(2400, #s:log())
    assert.is_true(tonumber(descriptors) <= 0, descriptors)
    assert.is_true(tonumber(resident) < 64, resident .. " KiB in 200 calls")
    assert.is_true(tonumber(lua) < 16, lua .. " KiB of Lua's in 200 calls")
  end)
end)

describe("a finalizer", function()
  -- 'at_gc(fn)': fn is called when garbage is collected, at the latest at the end.
  local AT_GC = [[
    local function at_gc(fn)
      if newproxy then
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = fn
        return proxy
      end
      return setmetatable({}, { __gc = fn })
    end
  ]]

  it("older than the engine may close a stream at the end", function()
    s:script { { chunks = { server.events { "a" }[2], { pause = 20 } },
      headers = { ["Content-Type"] = "text/event-stream" } } }
    assert.equal("open\nclosed\n", succeed(AT_GC .. [[
      local stream
      held = at_gc(function() stream:close() say "closed" end)
      stream = require "ofox".new { base_url = URL }:stream(PARAMS)
      stream:next()
      say "open"]]))
  end)

  local MOCKED = [[
    local mock = require "ofox.mock".new()
    local client = require "ofox".new { api_key = "k-0123456789", transport = mock, errors = "return", max_retries = 0 }
    local function event(text) return { choices = { { index = 0, delta = { content = text } } } } end
  ]]

  it("older than all may read a stream, and a parser, at the end", function()
    assert.equal("read\n", succeed(AT_GC .. MOCKED .. [[
      local stream, parser
      held = at_gc(function()
        pcall(stream.next, stream)
        pcall(parser.next, parser)
        say "read"
      end)
      mock:reply { sse = { event "a", event "b", event "c" } }
      stream = client:stream(PARAMS)
      stream:next()
      parser = require "ofox".sse():feed(("data: x\n\n"):rep(5000))
      parser:next()]]))
  end)

  it("may close a stream, or read on, while an event is made a string", function()
    assert.equal("40\n", succeed(AT_GC .. MOCKED .. [[
      local big = ("y"):rep(90000)
      local stream, armed, hits
      local function again()
        at_gc(function()
          if armed then
            armed, hits = false, hits + 1
            if hits % 2 == 0 then stream:close() else stream:next() end
          end
          again()
        end)
      end
      hits = 0
      again()
      local good = 0
      for _ = 1, 40 do
        mock:reply { sse = { event(big .. 1), event(big .. 2), event(big .. 3) } }
        stream = client:stream(PARAMS)
        collectgarbage("setpause", 1)
        collectgarbage("setstepmul", 1000000)
        collectgarbage()
        armed = true
        local ok, chunk = pcall(stream.next, stream)
        armed = false
        collectgarbage("setpause", 200)
        collectgarbage("setstepmul", 200)
        local text = ok and chunk and chunk.choices[1].delta.content
        if not ok or not chunk or text:sub(1, -2) == big then good = good + 1 end
        stream:close()
      end
      say(tostring(good))]]))
  end)

  it("may ask for an answer while it is decoded: it is told so, and the answer is whole", function()
    assert.equal("4 told\n", succeed(AT_GC .. [[
      local core = require "ofox.base.native" "core"
      local template = core.template({ expect = "object" }, { max_retries = 0, retry = "ofox" })
      local list = {}
      for i = 1, 300 do list[i] = ("%040d"):format(i) end
      local json = '{"list":["' .. table.concat(list, '","') .. '"]}'
      local call, told
      local function again()
        at_gc(function()
          if call then
            local ok, message = pcall(call.reply, call)
            told = told or not ok and message:find("its answer is being read", 1, true) and "told"
          end
          again()
        end)
      end
      again()
      local good = 0
      for _ = 1, 4 do
        local one = core.call(template, 0)
        one:begin(0)
        for _, line in ipairs { "HTTP/1.1 200", "content-type: application/json", "" } do one:head(line, 0) end
        one:body(json, 0)
        one:finish("ANSWERED", true, 0, 0)
        collectgarbage("setpause", 1)
        collectgarbage("setstepmul", 1000000)
        collectgarbage()
        call = one
        local value = one:decoded()
        call = nil
        if table.concat(value.list, '","') == table.concat(list, '","') then good = good + 1 end
      end
      say(good, told)]]))
  end)
end)

describe("a cancel token", function()
  it("forgets the streams that nobody has any more", function()
    assert.equal("0\n", succeed [[
      local mock = require "ofox.mock".new()
      local ofox = require "ofox"
      local client = ofox.new { api_key = "k-0123456789", transport = mock }
      local token = ofox.cancel_token()
      for _ = 1, 50 do
        mock:reply { sse = { { choices = { { index = 0, delta = { content = "x" } } } }, 100 } }
        client:stream(PARAMS, { cancel = token })
      end
      collectgarbage() collectgarbage() collectgarbage()
      local left = 0
      for _, list in ipairs { token._listeners, token._held } do
        for _ in pairs(list) do left = left + 1 end
      end
      say(tostring(left))]])
  end)
end)
