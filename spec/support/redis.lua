--- Real servers of Redis for the specs: a free port and a unix socket, files in
-- a temporary directory, gone with the spec's process.
--
--   local server = require("support.redis").start { "requirepass secret" }
--   server.url, server.unix_url, server.port
--   server:ask("CONFIG", "SET", "maxmemory", "1mb")   what an administrator does
--   server:signal "STOP"; server:kill(); server:again { … }; server:stop()
local socket = require "socket"

local proc = require "support.proc"
local shell = require "support.shell"

local redis = {}

local Server = {}
Server.__index = Server

local LIMIT = 60 -- seconds in which a server starts, answers or ends

-- Reads one reply: text, integer, list; nil and what an error says.
local function read_reply(connection)
  local line = assert(connection:receive "*l")
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "+" then return rest end
  if kind == ":" then return tonumber(rest) end
  if kind == "-" then return nil, rest end
  local n = tonumber(rest)
  if n < 0 then return false end
  if kind == "$" then return (assert(connection:receive(n + 2)):sub(1, n)) end
  local list = {}
  for i = 1, n do list[i] = read_reply(connection) end
  return list
end

local function send(connection, ...)
  local parts = { ("*%d\r\n"):format(select("#", ...)) }
  for _, word in ipairs { ... } do parts[#parts + 1] = ("$%d\r\n%s\r\n"):format(#word, word) end
  assert(connection:send(table.concat(parts)))
  return read_reply(connection)
end

--- Sends one command on a connection of its own; returns as above.
function Server:ask(...)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(LIMIT)
  if self.password then assert(send(connection, "AUTH", self.password)) end
  local reply, problem = send(connection, ...)
  connection:close()
  return reply, problem
end

-- Waits until it takes connections and its number is known, or does not.
function Server:wait(is_there)
  local limit = socket.gettime() + LIMIT
  repeat
    local probe = socket.connect("127.0.0.1", self.port)
    if probe then probe:close() end
    if (probe ~= nil) == is_there and (not is_there or self:pid()) then return end
    socket.select(nil, nil, 0.01)
  until socket.gettime() > limit or is_there and self:has_no_port()
  error("redis-server: " .. (proc.read(self.log) or "no log"))
end

-- Has another program taken its port?
function Server:has_no_port()
  return (proc.read(self.log) or ""):find("Address already in use", 1, true) ~= nil
end

function Server:pid()
  return (proc.read(self.directory.path .. "/pid") or ""):match "%d+"
end

--- Sends a signal to the process.
---@param name string
function Server:signal(name)
  shell.succeed(("kill -%s %s"):format(name, self:pid()))
end

--- Ends the process at once, without a word to its clients.
function Server:kill()
  self:signal "KILL"
  self:wait(false)
  self.process:stop()
  self.process = nil
end

--- Starts it, on the same port and socket, with further lines of configuration.
---@param lines? string[]
function Server:again(lines)
  local path = self.directory.path
  local config = {
    "bind 127.0.0.1", "daemonize no", "save \"\"", "appendonly no", "dir " .. path,
    "pidfile " .. path .. "/pid", "unixsocket " .. path .. "/socket", "enable-debug-command yes",
    self.tls and "port 0\ntls-port " .. self.port or "port " .. self.port,
  }
  for _, list in ipairs { self.lines, lines or {} } do
    for _, line in ipairs(list) do config[#config + 1] = line end
  end
  os.remove(path .. "/pid")
  proc.write(path .. "/conf", table.concat(config, "\n") .. "\n")
  self.process = proc.daemon("redis-server " .. proc.quote(path .. "/conf"), self.log)
  self:wait(true)
end

--- Ends the process and removes its files.
function Server:stop()
  if self.process then
    shell.run(("kill -CONT %s"):format(self:pid()))
    self.process:stop()
  end
  self.process = nil
  self.directory:remove()
end

--- Starts a server.
---@param lines? string[]  of its configuration
---@param options? {password?: string, tls?: boolean}
---@return table server
function redis.start(lines, options)
  local directory = proc.directory()
  local self = setmetatable({ directory = directory, lines = lines or {} }, Server)
  self.password, self.tls = options and options.password, options and options.tls
  self.log = directory.path .. "/log"
  self.unix_url = "unix://" .. directory.path .. "/socket"
  local ok, problem
  repeat -- a port that was free may be another program's by now
    os.remove(self.log)
    self.port = proc.free_port()
    self.url = ("redis://127.0.0.1:%d"):format(self.port)
    ok, problem = pcall(self.again, self)
  until ok or not self:has_no_port()
  if not ok then error(problem, 0) end
  return self
end

return redis
