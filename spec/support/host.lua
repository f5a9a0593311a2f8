--- Programs around the calls, each a process of its own in the Lua that runs
-- the spec: what an interrupt, a fork or an end does to it.
local socket = require "socket"
local assert = require "luassert"
local proc = require "support.proc"
local server = require "support.server"
local stopwatch = require "support.stopwatch"

local host = {}

local INCDIR = os.getenv("LUA_INCDIR")
  or (proc.ABI == "jit" and "/usr/include/luajit-2.1" or "/usr/include/lua" .. proc.ABI)

local s, programs

--- For setup(): the scripted server that the programs call, and a directory.
---@return table server
function host.open()
  host.directory = proc.directory()
  s, programs = server.start(), 0
  return s
end

--- For teardown().
function host.close()
  s:stop()
  host.directory:remove()
end

--- Compiles C, once for each name.
---@param name string  of the file that is made in the directory
---@param source string
---@param flags string
---@return string path
function host.compile(name, source, flags)
  local path = host.directory.path .. "/" .. name
  if proc.read(path) then return path end
  proc.write(path .. ".c", source)
  local pipe = assert(io.popen(("cc -o %s %s.c -I%s %s 2>&1 && echo done")
    :format(path, path, INCDIR, flags)))
  local text = pipe:read("*a")
  pipe:close()
  assert(text:find("done\n$"), text)
  return path
end

--- Starts Lua code that finds ofox, cjson, URL (the scripted server's),
-- SCRATCH (a path of its own), PARAMS, unpack and say(...), which prints a line.
---@param code string
---@param options table|nil  url: another; preload: path of a shared library;
--   program: other words than the interpreter
---@return table program  pipe (its output), pid, err (path of its standard error)
function host.start(code, options)
  options = options or {}
  programs = programs + 1
  local path = ("%s/program%d"):format(host.directory.path, programs)
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
  words[#words + 1] = (options.program or proc.LUA) .. " " .. path .. ".lua 2>" .. path .. ".err </dev/null"
  local pipe = assert(io.popen("sh -c " .. proc.quote("echo $$; " .. table.concat(words, " ")) .. "; echo rc=$?"))
  return { pipe = pipe, pid = tonumber(pipe:read("*l")), err = path .. ".err" }
end

--- Whether a process gets to one of these states within a time.
---@param pid integer
---@param states string  of S (it waits in the kernel), Z and - (it is over)
---@param seconds number
---@return boolean
function host.wait_state(pid, states, seconds)
  local due = socket.gettime() + seconds
  repeat
    local state = (proc.read("/proc/" .. pid .. "/stat") or ""):match("^%d+ %b() (%a)") or "-"
    if states:find(state, 1, true) then return true end
    socket.select(nil, nil, 0.001)
  until socket.gettime() > due
  return false
end

--- Presses Ctrl-C, and kills a program that goes on for 2 s.
---@param program table
---@return number seconds  until its end, without those in which it or the spec
--   had no core
function host.interrupt(program)
  os.execute("kill -INT " .. program.pid)
  local took = stopwatch.start(program.pid)
  local seconds, own
  repeat seconds, own = took() until host.wait_state(program.pid, "Z-", 0) or seconds > 2
  if not host.wait_state(program.pid, "Z-", 0) then os.execute("kill -9 " .. program.pid) end
  return own
end

--- What the program says until its end, its exit code, its standard error.
---@param program table
---@return string, integer, string
function host.finish(program)
  local text = program.pipe:read("*a")
  program.pipe:close()
  local out, rc = text:match("^(.-)rc=(%d+)\n$")
  return out, tonumber(rc), proc.read(program.err)
end

--- Starts code and kills it if it does not end in 20 s.
---@param code string
---@param options table|nil  as for start
---@return string, integer, string  as from finish
function host.run(code, options)
  local program = host.start(code, options)
  if not host.wait_state(program.pid, "Z-", 20) then os.execute("kill -9 " .. program.pid) end
  return host.finish(program)
end

--- Runs a program that must end well, without a word on standard error.
---@param code string
---@param options table|nil  as for start
---@return string  what it said
function host.succeed(code, options)
  local out, rc, err = host.run(code, options)
  assert.equal("", err)
  assert.equal(0, rc)
  return out
end

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

--- A library to be loaded first, in which looking a name up takes a minute, or
-- as many milliseconds as SLOW_LOOKUP says.
---@return string path
function host.slow_lookup()
  return host.compile("lookup.so", SLOW_LOOKUP, "-shared -fPIC")
end

return host
