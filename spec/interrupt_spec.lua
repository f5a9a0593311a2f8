-- What may befall a program that waits: Ctrl-C, and a clock that jumps.
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
          preload = situation.lookup and host.slow_lookup() or nil,
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
