--- Programs in a terminal of their own, made by script(1): what is typed goes
-- through the terminal, so that "\3" is a real Ctrl-C.
local socket = require "socket"
local proc = require "support.proc"

local pty = {}
pty.__index = pty

local programs = 0

--- Starts a command; after a minute it is killed.
---@param command string  of the shell, one simple command with its variables before it
---@param directory string  where files may be written
---@return table terminal  with pid, type(), see(), output(), close()
function pty.start(command, directory)
  programs = programs + 1
  local path = ("%s/pty%d"):format(directory, programs)
  local inner = ("echo $$ >%s.pid; exec env %s"):format(path, command)
  local outer = ("timeout -s KILL 60 script -qfec %s %s >/dev/null 2>&1; echo rc=$? >>%s"):format(proc.quote(inner),
    path, path)
  local self = setmetatable({ path = path, pipe = assert(io.popen(outer, "w")) }, pty)
  local due = socket.gettime() + 20
  repeat
    self.pid = tonumber((proc.read(path .. ".pid") or ""):match("^%d+\n"))
    if not self.pid then socket.select(nil, nil, 0.01) end
  until self.pid or socket.gettime() > due
  assert(self.pid, "script(1) did not start")
  return self
end

---@param text string  "\n" is Enter, "\3" Ctrl-C, "\4" Ctrl-D
function pty:type(text)
  self.seen = #self:output()
  assert(self.pipe:write(text))
  self.pipe:flush()
end

--- All that has appeared.
---@return string
function pty:output()
  return proc.read(self.path) or ""
end

--- Waits until a text has appeared after what was typed last, or since see()
-- last found one.
---@param text string
---@return string  what appeared up to it
function pty:see(text)
  local due = socket.gettime() + 20
  repeat
    local output = self:output()
    local _, last = output:find(text, (self.seen or 0) + 1, true)
    if last then
      local new = output:sub((self.seen or 0) + 1, last)
      self.seen = last
      return new
    end
    socket.select(nil, nil, 0.01)
  until socket.gettime() > due
  error(("%q did not appear in\n%s"):format(text, self:output()), 2)
end

--- Whether it ends within a time.
---@param seconds number
---@return boolean
function pty:has_ended(seconds)
  local due = socket.gettime() + seconds
  repeat
    if self:output():find("rc=%d+\n$") then return true end
    socket.select(nil, nil, 0.01)
  until socket.gettime() > due
  return false
end

--- Waits until it has ended.
---@return integer  its exit code, as the shell gives it
function pty:finish()
  assert(self:has_ended(20), self:output())
  return tonumber(self:output():match("rc=(%d+)\n$"))
end

--- Ends it. A second call does nothing.
function pty:close()
  if not self.pipe then return end
  os.execute(("kill -9 %d 2>/dev/null"):format(self.pid))
  self.pipe:close()
  self.pipe = nil
end

return pty
