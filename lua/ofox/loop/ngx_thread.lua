--- Inside nginx: waits until the engine's descriptor is readable, in a thread of
-- nginx's pool, and resumes the light thread that needs it. Requires
--
--   thread_pool ofox threads=1;
--
-- in the configuration. A worker never has more than one wait in that pool.
-- Knows nothing of the engine, nor of who waits for it.
local core = require("ofox.base.native")("core")
local ffi = require "ffi"

local ngx = rawget(_G, "ngx")

local ngx_thread = {}

local POOL = "ofox"

-- The name of the waiting function in the pool's Lua states.
local MODULE = "ofox.loop.ngx_thread.waiting"

-- Runs in a Lua state of the pool, which has nothing of ofox: no value from outside is
-- accessible, not even MODULE. The C function has a name of its own, for that state
-- may serve other programs.
local function lesson()
  local poll_ffi = require "ffi"
  poll_ffi.cdef 'int ofox_poll(void *, unsigned long, int) __asm__("poll");'
  local poll = poll_ffi.C.ofox_poll
  local READABLE = 1
  local what = poll_ffi.new "struct { int fd; short events, revents; }[1]"
  package.loaded["ofox.loop.ngx_thread.waiting"] = {
    wait = function(fd, milliseconds)
      what[0].fd, what[0].events = fd, READABLE
      poll(what, 1, milliseconds)
    end,
  }
end

-- Kept as bytes, so that no worker has to find or read a file for it.
local LESSON = string.dump(lesson, true)

ffi.cdef [[
  int ofox_pipe(int *) __asm__("pipe");
  long ofox_write(int, const void *, size_t) __asm__("write");
  int ofox_close(int) __asm__("close");
]]

local count = 0

local function run(...)
  count = count + 1
  return ngx.run_worker_thread(POOL, ...)
end

-- The pool's Lua state runs a file, and a pipe is that file.
local function teach()
  local ends = ffi.new "int[2]"
  if ffi.C.ofox_pipe(ends) ~= 0 then return false, "the pipe for the pool's thread could not be created" end
  local is_written = ffi.C.ofox_write(ends[1], LESSON, #LESSON) == #LESSON
  ffi.C.ofox_close(ends[1])
  local ok, why = false, "the pipe for the pool's thread could not be written"
  if is_written then ok, why = run("_G", "dofile", "/dev/fd/" .. ends[0]) end
  ffi.C.ofox_close(ends[0])
  return ok, why
end

local claimed -- is this the Lua state of the worker that uses the pool?

--- Returns why this worker cannot use the pool, if known before trying.
---@return string|nil
function ngx_thread.refusal()
  if ngx.config.ngx_lua_version < 10023 then return "nginx's Lua module is older than 0.10.23" end
  if not ngx.run_worker_thread then return "nginx is built without threads" end
  if claimed == nil then claimed = core.claim() end
  if not claimed then return "another Lua state of this worker has the pool: lua_code_cache is off" end
  return nil
end

--- Returns how often the pool was used.
---@return integer
function ngx_thread.count()
  return count
end

--- Waits in the pool.
---@param fd integer
---@param seconds number
---@return boolean ok  false: it could not wait, for the reason 'why'
---@return string|nil why
function ngx_thread.wait(fd, seconds)
  local milliseconds = math.ceil(seconds * 1000)
  local ok, why = run(MODULE, "wait", fd, milliseconds)
  if not ok and why:find(MODULE, 1, true) then
    ok, why = teach()
    if ok then ok, why = run(MODULE, "wait", fd, milliseconds) end
  end
  if ok then return true end
  if why:find("^thread.pool .*not found$") then why = "nginx.conf has no \"thread_pool ofox threads=1;\"" end
  return false, why
end

return ngx_thread
