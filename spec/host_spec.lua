-- The program around the calls: Ctrl-C, fork, lua_close, garbage, two Lua
-- states, clocks that jump, and what a long run leaves behind. Each runs as
-- a program of its own, in the Lua that runs this spec.
local socket = require "socket"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"

local ABI = rawget(_G, "jit") and "jit" or _VERSION:match("%d+%.%d+")
local LUA = proc.LUA
local INCDIR = os.getenv("LUA_INCDIR")
  or (ABI == "jit" and "/usr/include/luajit-2.1" or "/usr/include/lua" .. ABI)

local directory, s

setup(function()
  directory = proc.directory()
  s = server.start()
end)

teardown(function()
  s:stop()
  directory:remove()
end)

before_each(function() s:reset() end)

-- Programs -------------------------------------------------------------------

local function compile(name, source, flags)
  local path = directory.path .. "/" .. name
  if proc.read(path) then return path end
  proc.write(path .. ".c", source)
  local pipe = assert(io.popen(("cc -o %s %s.c -I%s %s 2>&1 && echo done")
    :format(path, path, INCDIR, flags)))
  local text = pipe:read("*a")
  pipe:close()
  assert(text:find("done\n$"), text)
  return path
end

local programs = 0

-- Starts Lua code that finds ofox, cjson and URL, the scripted server's; its
-- first line of output is its process id.
local function start(code, options)
  options = options or {}
  programs = programs + 1
  local path = ("%s/program%d"):format(directory.path, programs)
  proc.write(path .. ".lua", ("local URL, SCRATCH = %q, %q\n"):format(options.url or s.url, path .. ".scratch")
    .. "local unpack = table.unpack or unpack\n"
    .. "package.cpath = SCRATCH:match('^(.*)/') .. '/?.so;' .. package.cpath\n"
    .. "local PARAMS = { model = 'm', messages = { { role = 'user', content = 'hi' } } }\n"
    .. "local function say(...) io.write(table.concat({ ... }, ' '), '\\n') io.flush() end\n" .. code)
  local words = {
    "exec env -u http_proxy -u HTTP_PROXY -u https_proxy -u HTTPS_PROXY -u all_proxy -u ALL_PROXY",
    "OFOX_API_KEY=k-0123456789",
    "LUA_PATH=" .. proc.quote(package.path), "LUA_CPATH=" .. proc.quote(package.cpath),
  }
  if options.preload then words[#words + 1] = "LD_PRELOAD=" .. options.preload end
  words[#words + 1] = (options.program or LUA) .. " " .. path .. ".lua 2>" .. path .. ".err </dev/null"
  local pipe = assert(io.popen("sh -c " .. proc.quote("echo $$; " .. table.concat(words, " ")) .. "; echo rc=$?"))
  return { pipe = pipe, pid = tonumber(pipe:read("*l")), err = path .. ".err" }
end

-- Whether the process gets to one of these states within a time: S waits in
-- the kernel, Z and - are over.
local function wait_state(pid, states, seconds)
  local due = socket.gettime() + seconds
  repeat
    local state = (proc.read("/proc/" .. pid .. "/stat") or ""):match("^%d+ %b() (%a)") or "-"
    if states:find(state, 1, true) then return true end
    socket.select(nil, nil, 0.001)
  until socket.gettime() > due
  return false
end

-- What the program says until its end, its exit code, its standard error.
local function finish(program)
  local text = program.pipe:read("*a")
  program.pipe:close()
  local out, rc = text:match("^(.-)rc=(%d+)\n$")
  return out, tonumber(rc), proc.read(program.err)
end

local function run(code, options)
  local program = start(code, options)
  if not wait_state(program.pid, "Z-", 20) then os.execute("kill -9 " .. program.pid) end
  return finish(program)
end

-- A program that ends as it should, without a word on standard error.
local function succeed(code, options)
  local out, rc, err = run(code, options)
  assert.equal("", err)
  assert.equal(0, rc)
  return out
end

-- getaddrinfo that takes its time, as with a resolver that does not answer;
-- SLOW_LOOKUP says how many milliseconds.
local SLOW_LOOKUP = [[
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  struct timespec t = {0, 0};
  const char *ms = getenv("SLOW_LOOKUP");
  long n = ms ? strtol(ms, NULL, 10) : 60000;
  (void)node; (void)service; (void)hints; (void)out;
  t.tv_sec = n / 1000;
  t.tv_nsec = n % 1000 * 1000000;
  nanosleep(&t, NULL);
  return EAI_AGAIN;
}
]]

-- The wall clock stands FAKE_JUMP seconds off once FAKE_MARK exists.
local CLOCK = [[
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long jump(void) {
  const char *mark = getenv("FAKE_MARK"), *by = getenv("FAKE_JUMP");
  return mark && by && access(mark, F_OK) == 0 ? strtol(by, NULL, 10) : 0;
}
int clock_gettime(clockid_t id, struct timespec *t) {
  int rc = (int)syscall(SYS_clock_gettime, id, t);
  if (rc == 0 && id == CLOCK_REALTIME) t->tv_sec += jump();
  return rc;
}
time_t time(time_t *out) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone) {
  struct timespec t;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec;
  v->tv_usec = t.tv_nsec / 1000;
  return 0;
}
]]

-- fork() -> pid, 0 in the child; wait(pid) -> exit code or signal + 1000;
-- _exit(code).
local FORK = [[
#include <lua.h>
#include <lauxlib.h>
#include <sys/wait.h>
#include <unistd.h>
static int l_fork(lua_State *L) { lua_pushinteger(L, fork()); return 1; }
static int l_exit(lua_State *L) { _exit((int)lua_tointeger(L, 1)); }
static int l_wait(lua_State *L) {
  int status = -1;
  waitpid((pid_t)lua_tointeger(L, 1), &status, 0);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
  return 1;
}
int luaopen_specfork(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, l_fork); lua_setfield(L, -2, "fork");
  lua_pushcfunction(L, l_exit); lua_setfield(L, -2, "_exit");
  lua_pushcfunction(L, l_wait); lua_setfield(L, -2, "wait");
  return 1;
}
]]

-- Ctrl-C -----------------------------------------------------------------------

describe("[E1] Ctrl-C", function()
  local situations = {
    { what = "in a request", script = { { stall = true } }, requests = 1,
      code = "client:chat(PARAMS)" },
    { what = "in the middle of an answer", requests = 1,
      script = { { chunks = { '{"id"', { bytes = " ", times = 3000, pause = 0.01 } } } },
      code = "client:chat(PARAMS)" },
    { what = "in a wait for a retry", script = { { status = 503, headers = { ["Retry-After"] = "30" } } },
      said = true, code = "client:chat(PARAMS, { on_retry = function() say 'now' end })" },
    { what = "in a wait with on_wait", script = { { status = 503, headers = { ["Retry-After"] = "30" } } },
      said = true, code = "client:chat(PARAMS, { on_wait = function() say 'now' end })" },
    { what = "in ofox.sleep", said = true, code = "say 'now' ofox.sleep(30)" },
    { what = "in connect()", script = { { stall = true } }, requests = 1, code = "client:connect()" },
    { what = "in a slow name look-up", said = true, lookup = true, url = "http://slow.test/v1",
      code = "say 'now' client:chat(PARAMS)" },
  }
  local places = {
    { what = "", code = "%s" },
    { what = " inside a coroutine", code = "coroutine.wrap(function() %s end)()" },
    { what = " inside a coroutine of a coroutine",
      code = "coroutine.wrap(function() coroutine.wrap(function() %s end)() end)()" },
  }
  for _, situation in ipairs(situations) do
    for _, place in ipairs(places) do
      it(situation.what .. place.what .. " ends the program at once", function()
        s:script(situation.script or {})
        local program = start(([[
          local ofox = require "ofox"
          local client = ofox.new { base_url = URL, timeout = 60, connect_timeout = 60 }
          %s
          say "still here"]]):format(place.code:format(situation.code)), {
          url = situation.url,
          preload = situation.lookup and compile("lookup.so", SLOW_LOOKUP, "-shared -fPIC") or nil,
        })
        if situation.said then assert.equal("now", program.pipe:read("*l")) end
        if situation.requests then assert.is_true(s:wait { requests = situation.requests }) end
        assert.is_true(wait_state(program.pid, "S", 5))
        local began = socket.gettime()
        os.execute("kill -INT " .. program.pid)
        if not wait_state(program.pid, "Z-", 2) then os.execute("kill -9 " .. program.pid) end
        local took = socket.gettime() - began
        local out, rc, err = finish(program)
        assert.is_true(took < 0.25, ("%.3f seconds, %s"):format(took, err))
        assert.is_nil(out:find("still here", 1, true))
        assert.matches("interrupted!", err)
        assert.equal(1, rc)
      end)
    end
  end

  it("caught by the program leaves a client that works", function()
    s:script { { stall = true }, { body = server.completion("ok") } }
    local program = start [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, connect_timeout = 1, max_retries = 0 }
      local ok, message = pcall(client.chat, client, PARAMS)
      say(tostring(ok), (tostring(message):gsub("^.*: ", "")))
      -- the call that was left is still in flight, and must not be waited for
      say(client:chat(PARAMS):output_text())]]
    assert.is_true(s:wait { requests = 1 })
    assert.is_true(wait_state(program.pid, "S", 5))
    os.execute("kill -INT " .. program.pid)
    local out, rc, err = finish(program)
    assert.equal("false interrupted!\nok\n", out)
    assert.equal("", err)
    assert.equal(0, rc)
  end)
end)

-- fork -------------------------------------------------------------------------

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

  before_each(function() compile("specfork.so", FORK, "-shared -fPIC") end)

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
        local log = front:log()
        front:stop()
        assert.is_true(ok, tostring(out))
        assert.equal(expected(ending), out)
        assert.equal(3 + ending.asks, #log)
        assert.equal(log[1].conn, log[#log - 1].conn)
        assert.equal(log[1].conn, log[#log].conn)
      end)
    end
  end

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
end)

-- lua_close and garbage -------------------------------------------------------

-- 'interrupt(fn)' runs fn and raises "out" in the middle of its wait for bytes,
-- when the answer has begun to drip in: the call is left in flight.
local INTERRUPT = [[
  local function interrupt(fn)
    local rounds = 0
    debug.sethook(function()
      local info = debug.getinfo(2, "n")
      if info and info.name == "step" then
        rounds = rounds + 1
        if rounds == 30 then debug.sethook() error("out", 0) end
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

  it("with a call in flight whose name is looked up", function()
    local out = succeed([[
      client = require "ofox".new { base_url = "http://slow.test/v1", errors = "return", max_retries = 0 }
      local res, err = client:chat(PARAMS, { deadline = 0.05 })
      say(err.code)]], { preload = compile("lookup.so", SLOW_LOOKUP, "-shared -fPIC") })
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
        local client = require "ofox".new { base_url = URL, max_retries = 1 }
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

-- Other programs than lua -------------------------------------------------------

if ABI == "5.4" then
  -- host A B ...: runs chunks in two states in turn, closes them, and lives on
  -- for a while.
  local HOST = [[
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
  local function host()
    return compile("host", HOST, "-llua5.4 -Wl,--export-dynamic")
  end

  describe("[E5] two Lua states in one process", function()
    it("have an engine each", function()
      s:script { { body = server.completion("ok") }, repeat_last = true }
      local out = succeed([[
        local client = require "ofox".new { base_url = URL }
        function ask(who) say(who, client:chat(PARAMS):output_text()) end]], { program = host() })
      assert.equal("a ok\nb ok\na ok\nb ok\nb ok\nc ok\nb ok\nc ok\nend\n", out)
      local conns = {}
      for i, entry in ipairs(s:log()) do conns[i] = entry.conn end
      assert.same({ 1, 2, 1, 2, 2, 3, 2, 3 }, conns)
    end)

    it("may go while libcurl still looks a name up", function()
      local out = succeed([[
        local client = require "ofox".new { base_url = "http://slow.test/v1", errors = "return" }
        function ask(who) say(who, select(2, client:chat(PARAMS, { deadline = 0.01 })).code) end]], {
        program = "env SLOW_LOOKUP=150 " .. host(),
        preload = compile("lookup.so", SLOW_LOOKUP, "-shared -fPIC"),
      })
      assert.equal("a deadline\nb deadline\na deadline\nb deadline\nb deadline\nc deadline\nb deadline\n"
        .. "c deadline\nend\n", out)
    end)
  end)
end

-- Time and long runs --------------------------------------------------------------

describe("[B10] a wall clock that jumps during a wait", function()
  for name, jump in pairs { ["an hour back"] = -3600, ["an hour ahead"] = 3600, ["to 1970"] = -1700000000 } do
    it(name .. " does not change the wait", function()
      s:script { { status = 503 }, { status = 429, headers = { ["Retry-After"] = "0.2" } },
        { body = server.completion("ok") } }
      local mark = ("%s/mark%d"):format(directory.path, jump)
      local out = succeed(([[
        local mark = %q
        local client = require "ofox".new { base_url = URL, retry = { base = 0.2, jitter = "none" }, deadline = 30 }
        local before = os.time()
        local res = client:chat(PARAMS, { on_retry = function() io.open(mark, "w"):close() end })
        local meta = res:meta()
        say(res:output_text(), os.time() - before, meta.attempts, meta.elapsed)
        os.remove(mark)]]):format(mark), {
        program = ("env FAKE_MARK=%s FAKE_JUMP=%d %s"):format(mark, jump, LUA),
        preload = compile("clock.so", CLOCK, "-shared -fPIC"),
      })
      local text, shift, attempts, elapsed = out:match("^(%S+) (%S+) (%S+) (%S+)\n$")
      assert.equal("ok", text)
      assert.is_true(math.abs(tonumber(shift) - jump) <= 2, "the clock did not jump: " .. shift)
      assert.equal("3", (attempts:gsub("%.0$", "")))
      local log = s:log()
      for i = 1, 2 do
        local waited = log[i + 1].at - log[i].at
        assert.is_true(waited > 0.19 and waited < 0.4, waited)
      end
      assert.is_true(tonumber(elapsed) > 0.39 and tonumber(elapsed) < 0.8, elapsed)
    end)
  end
end)

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
        return resident * 4, descriptors, collectgarbage "count"
      end
      call(200)
      local resident, descriptors, lua = measure()
      call(1000)
      local resident2, descriptors2, lua2 = measure()
      say(resident2 - resident, descriptors2 - descriptors, lua2 - lua)]]
    local resident, descriptors, lua = out:match("^(%S+) (%S+) (%S+)\n$")
    assert.equal(2400, #s:log())
    assert.is_true(tonumber(descriptors) <= 0, descriptors)
    assert.is_true(tonumber(resident) < 512, resident .. " KiB")
    assert.is_true(tonumber(lua) < 64, lua .. " KiB of Lua's")
  end)
end)
