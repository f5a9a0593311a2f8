--- Child processes, temporary directories and ports for the specs.
-- A child's standard input is its lifeline: a pipe that ends when the spec
-- stops the child, and when the spec dies, however it dies. popen() closes
-- the pipes of earlier children in each new one, so that none holds
-- another's lifeline open.
local socket = require "socket"

local proc = {}

--- The interpreter that runs the specs, for children of theirs.
proc.LUA = arg and arg[-1] or rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match("%d+%.%d+")

--- What its C modules are built for, as in make LUA=: "5.1" to "5.4" or "jit".
proc.ABI = rawget(_G, "jit") and "jit" or _VERSION:match("%d+%.%d+")

---@param text string
---@return string  one word of the shell
function proc.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

---@param path string
---@return string|nil content, string|nil message
function proc.read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local content = file:read("*a")
  file:close()
  return content
end

---@param path string
---@param content string
---@return string path
function proc.write(path, content)
  local file = assert(io.open(path, "wb"))
  assert(file:write(content))
  file:close()
  return path
end

local child = {}
child.__index = child

--- Ends the process and waits for its end; a second call does nothing.
function child:stop()
  if self.pipe then self.pipe:close() end
  self.pipe = nil
end

--- Starts a command that ends when its standard input does.
---@param command string  of the shell
---@return table child  with stop()
function proc.child(command)
  return setmetatable({ pipe = assert(io.popen("exec " .. command, "w")) }, child)
end

--- Starts a command that stays in the foreground and knows nothing of
-- lifelines; it gets SIGTERM, and two seconds later SIGKILL.
---@param command string  of the shell, one simple command
---@param log string  path that its output is appended to
---@return table child  with stop()
function proc.daemon(command, log)
  return proc.child("sh -c " .. proc.quote(([[
    %s >>%s 2>&1 </dev/null & p=$!
    trap 'exit 0' INT TERM HUP
    trap 'kill $p; { sleep 2; kill -9 $p; } & k=$!; wait $p; kill $k' EXIT
    exec >/dev/null 2>&1
    read line]]):format(command, proc.quote(log))))
end

local directory = {}
directory.__index = directory

--- Removes the directory and all in it.
function directory:remove()
  self.keeper:stop()
end

--- A temporary directory, removed by remove(), or at the latest when the
-- spec's process has ended.
---@return table directory  with path, remove()
function proc.directory()
  local pipe = assert(io.popen("mktemp -d"))
  local path = pipe:read("*l")
  pipe:close()
  assert(path, "mktemp made no directory")
  local keeper = proc.child("sh -c " .. proc.quote(
    "trap '' INT; read line; rm -rf " .. proc.quote(path)))
  return setmetatable({ path = path, keeper = keeper }, directory)
end

--- A port of 127.0.0.1 on which nobody listens at this moment.
---@return integer
function proc.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return math.floor(tonumber(port))
end

--- Waits until somebody listens on a port.
---@param port integer
---@param seconds number
---@return boolean
function proc.wait_port(port, seconds)
  local limit = socket.gettime() + seconds
  repeat
    local probe = socket.connect("127.0.0.1", port)
    if probe then
      probe:close()
      return true
    end
    socket.select(nil, nil, 0.005)
  until socket.gettime() > limit
  return false
end

return proc
