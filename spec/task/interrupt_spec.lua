-- What may befall a program that waits: Ctrl-C, and a clock that jumps.
-- test: waits: for signals and for limits of time
local socket = require "socket"
local host = require "support.host"
local proc = require "support.proc"
local server = require "support.server"

local start, finish, wait_state, succeed = host.start, host.finish, host.wait_state, host.succeed

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

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
    { what = "in ofox.sleep after a call", said = true, script = { { body = server.completion("ok") } },
      code = "client:chat(PARAMS) say 'now' ofox.sleep(30)" },
    { what = "in a tool of a model", said = true, script = { { body = server.calls { "a", "b" } } },
      code = "client:run_tools(PARAMS, { f = { run = function() say 'now' ofox.sleep(30) end } })" },
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
          local client = ofox.new { base_url = URL, timeout = 60, connect_timeout = 60, insecure_http = true }
          %s
          say "still here"]]):format(place.code:format(situation.code)), {
          url = situation.url,
          preload = situation.lookup and host.slow_lookup() or nil,
        })
        if situation.said then assert.equal("now", program.pipe:read("*l")) end
        if situation.requests then assert.is_true(s:wait { requests = situation.requests }) end
        assert.is_true(wait_state(program.pid, "S", 5))
        local took = host.interrupt(program)
        local out, rc, err = finish(program)
        assert.is_true(took < 0.25, ("%.3f seconds, %s"):format(took, err))
        assert.is_nil(out:find("still here", 1, true))
        -- lua5.1 shows no error that is no string, and a coroutine does not know who would catch it
        local unshown = proc.ABI == "5.1" and place.what ~= ""
        assert.matches(unshown and "error object is not a string"
          or "ofox: cancelled_error interrupted: interrupted by Ctrl%-C", err)
        assert.equal(1, rc)
      end)
    end
  end
end)

-- Presses Ctrl-C when the program waits, each time that it has said "ready".
local function press(program, times)
  local said = {}
  for _ = 1, times do
    local line = program.pipe:read("*l")
    while line and line ~= "ready" do
      said[#said + 1] = line .. "\n"
      line = program.pipe:read("*l")
    end
    assert.equal("ready", line, table.concat(said))
    socket.select(nil, nil, 0.05) -- until it does
    assert.is_true(wait_state(program.pid, "S", 5))
    os.execute("kill -INT " .. program.pid)
  end
  local out, rc, err = finish(program)
  return table.concat(said) .. out, rc, err
end

-- Waits three times, and is interrupted each time; then a call succeeds.
local function survive(code, options)
  local program = start(([[
    local ofox = require "ofox"
    local GOOD = %q
    local client = ofox.new { base_url = URL, insecure_http = true, errors = "return", max_retries = 0,
      connect_timeout = 60 }
    for _ = 1, 3 do
      say "ready"
      local ok, err = pcall(function() %s end)
      say(tostring(ok), tostring(ofox.errors.is(err, "cancelled_error")), err.code, err.reason, tostring(err.retryable))
    end
    client = ofox.new { base_url = GOOD, errors = "return" }
    say(client:chat(PARAMS):output_text())]]):format(s.url, code), options)
  local out, rc, err = press(program, 3)
  assert.equal("", err)
  assert.equal(("false true interrupted cancelled false\n"):rep(3) .. "ok\n", out)
  assert.equal(0, rc)
end

describe("[P5] Ctrl-C, as often as it is pressed, is an error that a program may catch", function()
  local STALL = { stall = true }
  local DRIP = { headers = { ["Content-Type"] = "text/event-stream" },
    chunks = { server.events({ "a" })[1], server.events({ "a" })[2],
      { bytes = ": \n\n", times = 3000, pause = 0.01 } } }
  local LATER = { status = 503, headers = { ["Retry-After"] = "30" } }

  for _, situation in ipairs {
    { what = "in a request", step = STALL, code = "client:chat(PARAMS)" },
    { what = "in a request whose errors are raised", step = STALL, code = "client:chat(PARAMS, { errors = 'raise' })" },
    { what = "until a stream begins", step = STALL, code = "client:stream(PARAMS)" },
    { what = "in a stream that is read", step = DRIP, code = "for _ in client:stream(PARAMS):text() do end" },
    { what = "in stream:next()", step = DRIP, code = "local s = client:stream(PARAMS) while s:next() do end" },
    { what = "in collect()", step = DRIP, code = "client:stream(PARAMS):collect()" },
    { what = "in each()", step = DRIP, code = "client:stream(PARAMS):each(function() end)" },
    { what = "in a wait for a retry", step = LATER, code = "client:chat(PARAMS, { max_retries = 1 })" },
    { what = "in a wait with on_wait", step = LATER,
      code = "client:chat(PARAMS, { max_retries = 1, on_wait = function() end })" },
    { what = "in a slow name look-up", lookup = true, url = "http://slow.test/v1", code = "client:chat(PARAMS)" },
    { what = "in ofox.sleep", code = "ofox.sleep(30)" },
    { what = "in connect()", step = STALL, code = "client:connect()" },
    { what = "in a coroutine", step = STALL,
      code = "local ok, err = coroutine.resume(coroutine.create(function() client:chat(PARAMS) end)) error(err, 0)" },
    { what = "in task:wait", code = "ofox.go(function() ofox.sleep(30) end):wait()" },
    { what = "in ofox.run", step = STALL, code = "ofox.run(function() client:chat(PARAMS) end)" },
    { what = "in ofox.all", code = "ofox.all { function() ofox.sleep(30) end, function() ofox.sleep(40) end }" },
    { what = "in ofox.step", code = "ofox.go(function() ofox.sleep(30) end) while ofox.step(20) do end" },
  } do
    it(situation.what, function()
      local step = situation.step
      s:script { step or { body = server.completion("ok") }, step, step, step and { body = server.completion("ok") } }
      survive(situation.code, { url = situation.url,
        preload = situation.lookup and host.slow_lookup() or nil })
    end)
  end

  it("says what became of the call, which is left", function()
    s:script { { status = 503 }, STALL, { body = server.completion("ok") } }
    local program = start [[
      local ofox = require "ofox"
      local heard
      local client = ofox.new { base_url = URL, max_retries = 1, retry = { base = 0.001 },
        on_error = function(e) heard = e end }
      say "ready"
      local ok, err = pcall(function()
        client:chat(PARAMS)
      end)
      say(tostring(err == heard), err.type, err.class, err.attempts, #err.retries, err.model,
        tostring(err.url == URL .. "/chat/completions"),
        tostring(err.ambiguous), tostring(err.elapsed > 0), err.where:match "[^/]*$")
      say(tostring(err))
      say(err:hint())
      -- the call that was left is not in flight any more
      say(client:chat(PARAMS):output_text())]]
    local out, rc, err = press(program, 1)
    assert.equal("", err)
    assert.equal(0, rc)
    assert.matches("^true cancelled_error CancelledError 2 1 m true true true program%d+%.lua:12\n"
      .. "ofox: cancelled_error interrupted: interrupted by Ctrl%-C %(2 attempts%)\n"
      .. "Ctrl%-C was pressed [^\n]*\nok\n$", out)
    assert.is_true(s:wait { open = 0 })
  end)

  it("leaves a stream that has failed, with what had come", function()
    s:script { DRIP }
    local program = start [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, errors = "return" }
      local stream = client:stream(PARAMS)
      say(stream:next().choices[1].delta.role)
      stream:next()
      say "ready"
      local ok, err = pcall(stream.next, stream)
      say(err.code, err.partial.text, tostring(stream))
      say(tostring(pcall(stream.next, stream)))]]
    local out, rc, err = press(program, 1)
    assert.equal("", err)
    assert.equal(0, rc)
    assert.equal("assistant\ninterrupted a ofox.stream: failed\nfalse\n", out)
    assert.is_true(s:wait { open = 0 })
  end)

  it("cancels the tasks of a run, and leaves others", function()
    local program = start [[
      local ofox = require "ofox"
      local other = ofox.go(function() ofox.sleep(0.2) return "other" end)
      local inner
      say "ready"
      local ok, err = pcall(ofox.run, function()
        inner = ofox.go(function() ofox.sleep(30) end)
        ofox.sleep(30)
      end)
      say(err.code, inner:status(), select(2, other:wait()))]]
    assert.equal("interrupted cancelled other\n", (press(program, 1)))
  end)

  it("is one where the interpreter was first, between two waits", function()
    s:script { { status = 503 }, { status = 503 }, { body = server.completion("ok") } }
    assert.equal("interrupted\ninterrupted\nok\n", host.succeed [[
      local ofox = require "ofox"
      local client = ofox.new { base_url = URL, retry = { base = 0.001 } }
      local pipe = io.popen "echo $PPID"
      local pid = pipe:read "*l"
      pipe:close()
      local function interrupt()
        io.popen("kill -INT " .. pid):close()
        for _ = 1, 1e7 do end
      end
      for _ = 1, 2 do
        local ok, err = pcall(client.chat, client, PARAMS, { on_retry = interrupt })
        say(err.code)
      end
      say(client:chat(PARAMS):output_text())]])
  end)

  for what, code in pairs { ["in its first turn"] = "", ["after a wait"] = "ofox.sleep(0)" } do
    it("is one where it came while a task ran " .. what, function()
      assert.equal("interrupted\ninterrupted\n", host.succeed(([[
        local ofox = require "ofox"
        local pipe = io.popen "echo $PPID"
        local pid = pipe:read "*l"
        pipe:close()
        for _ = 1, 2 do
          local ok, err = pcall(ofox.run, function()
            %s
            io.popen("kill -INT " .. pid):close()
            for _ = 1, 1e7 do end
          end)
          say(err.code)
        end]]):format(code)))
    end)
  end

  local HANDLER = [[
#include <lua.h>
#include <signal.h>
static volatile sig_atomic_t count;
static void on_signal(int n) { (void)n; count++; }
static int install(lua_State *L) { (void)L; signal(SIGINT, on_signal); return 0; }
static int counted(lua_State *L) { lua_pushnumber(L, count); return 1; }
int luaopen_handler(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, install); lua_setfield(L, -2, "install");
  lua_pushcfunction(L, counted); lua_setfield(L, -2, "counted");
  return 1;
}
]]

  it("is left to a program that has a handler of its own", function()
    host.compile("handler.so", HANDLER, "-shared -fPIC")
    local program = start [[
      local ofox = require "ofox"
      local handler = require "handler"
      handler.install()
      say "ready"
      ofox.sleep(0.5)
      say "ready"
      local ok = pcall(coroutine.wrap(function() ofox.sleep(0.5) end))
      say(tostring(ok), tostring(handler.counted() == 2))]]
    local out, _, err = press(program, 2)
    assert.equal("", err)
    assert.equal("true true\n", out)
  end)

  -- As Lua's libraries of signals do it: the handler has a hook set.
  local HOOKING = [[
#include <lua.h>
#include <signal.h>
static lua_State *state;
static void hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  lua_getglobal(L, "handle");
  lua_call(L, 0, 0);
}
static void on_signal(int n) { (void)n; lua_sethook(state, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1); }
int luaopen_hooking(lua_State *L) {
  state = L;
  signal(SIGUSR1, on_signal);
  return 0;
}
]]

  it("is not all: another signal's handler in Lua runs while a call waits", function()
    host.compile("hooking.so", HOOKING, "-shared -fPIC")
    s:script { { stall = true } }
    local program = start [[
      local ofox = require "ofox"
      require "hooking"
      local token = ofox.cancel_token()
      function handle() token:cancel() end
      local client = ofox.new { base_url = URL, timeout = 5, max_retries = 0, errors = "return" }
      local _, err = client:chat(PARAMS, { cancel = token })
      say(err.code)]]
    assert.is_true(s:wait { requests = 1 })
    assert.is_true(wait_state(program.pid, "S", 5))
    os.execute("kill -USR1 " .. program.pid)
    local out, _, err = finish(program)
    assert.equal("", err)
    assert.equal("cancelled\n", out)
  end)
end)

-- As binding modules do it: the handler has Lua run a function at its next step.
local HOOK = [[
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
static lua_State *state;
static void run(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  lua_getglobal(L, "on_signal");
  lua_call(L, 0, 0);
}
static void on_signal(int n) {
  (void)n;
  lua_sethook(state, run, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}
static int install(lua_State *L) { state = L; signal(SIGINT, on_signal); return 0; }
int luaopen_hook(lua_State *L) { lua_pushcfunction(L, install); return 1; }
]]

describe("a program's own handler of a signal", function()
  local script = { { chunks = { '{"id"', { bytes = " ", times = 3000, pause = 0.01 } } } }
  for what, answer in pairs { ["in a request"] = { { stall = true } }, ["in the middle of an answer"] = script } do
    it("runs in Lua while a call waits " .. what, function()
      host.compile("hook.so", HOOK, "-shared -fPIC")
      s:script(answer)
      local program = start [[
        local ofox = require "ofox"
        require "hook"()
        function on_signal() error("stopped by the program", 0) end
        local client = ofox.new { base_url = URL, timeout = 20 }
        say "now"
        say(select(2, pcall(client.chat, client, PARAMS)))]]
      assert.equal("now", program.pipe:read("*l"))
      assert.is_true(s:wait { requests = 1 })
      assert.is_true(wait_state(program.pid, "S", 5))
      os.execute("kill -INT " .. program.pid)
      local is_over = wait_state(program.pid, "Z-", 5)
      if not is_over then os.execute("kill -9 " .. program.pid) end
      assert.equal("stopped by the program\n", (finish(program)))
      assert.is_true(is_over)
    end)
  end
end)

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

describe("[B10] a wall clock that jumps during a wait", function()
  for name, jump in pairs { ["an hour back"] = -3600, ["an hour ahead"] = 3600, ["to 1970"] = -1700000000 } do
    it(name .. " does not change the wait", function()
      s:script { { status = 503 }, { status = 429, headers = { ["Retry-After"] = "0.2" } },
        { body = server.completion("ok") } }
      local mark = ("%s/mark%d"):format(host.directory.path, jump)
      local out = succeed(([[
        local mark = %q
        local client = require "ofox".new { base_url = URL, retry = { base = 0.2, jitter = "none" }, deadline = 30 }
        local before = os.time()
        local res = client:chat(PARAMS, { on_retry = function() io.open(mark, "w"):close() end })
        local meta = res:meta()
        say(res:output_text(), os.time() - before, meta.attempts, meta.elapsed)
        os.remove(mark)]]):format(mark), {
        program = ("env FAKE_MARK=%s FAKE_JUMP=%d %s"):format(mark, jump, proc.LUA),
        preload = host.compile("clock.so", CLOCK, "-shared -fPIC"),
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
