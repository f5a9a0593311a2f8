--- A forwarder of TCP connections that can let some of them fall silent, as a
-- network does when it forgets them: nothing is closed, nothing gets through.
-- It is a process of its own, for the calls under test block.
--
--   local path = require("support.forwarder").start(front.port)
--   path.port ... path:mute() ... path:stop()
local socket = require "socket"
local proc = require "support.proc"

local HERE = debug.getinfo(1, "S").source:match("^@(.*)[/\\]") or "."

local forwarder = {}
forwarder.__index = forwarder

function forwarder:order(word)
  assert(self.control:send(word .. "\n"))
  return tonumber((assert(self.control:receive("*l"))))
end

--- From now on nothing gets through on the connections that are open, either
-- way; new ones work.
---@return integer count  how many these are
function forwarder:freeze()
  return self:order("freeze")
end

--- The same, but what the client sends still reaches the server.
---@return integer count
function forwarder:mute()
  return self:order("mute")
end

--- How many connections there have been.
---@return integer
function forwarder:connections()
  return self:order("connections")
end

--- Ends the process. A second call does nothing.
function forwarder:stop()
  if self.control then self.control:close() end
  self.control = nil
  self.child:stop()
end

--- Starts a forwarder to a port of 127.0.0.1.
---@param port integer
---@return table forwarder  with host, port
function forwarder.start(port)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, own = listener:getsockname()
  local child = proc.child(("lua5.4 %s %d %d"):format(proc.quote(HERE .. "/forwarding.lua"), own, port))
  listener:settimeout(10)
  local control = listener:accept()
  listener:close()
  if not control then
    child:stop()
    error("the forwarder did not start", 2)
  end
  control:settimeout(10)
  local self = setmetatable({ control = control, child = child, host = "127.0.0.1" }, forwarder)
  self.port = math.floor(assert(tonumber((control:receive("*l")))))
  return self
end

return forwarder
