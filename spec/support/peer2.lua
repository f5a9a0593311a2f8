--- An HTTP/2 server without TLS that answers frame by frame as it is told; it
-- is a process of its own. real.tls puts TLS in front of it.
--
--   local peer = require("support.peer2").start { "refuse", "ok" }
--   peer.url ... peer:requests() ... peer:stop()
--
-- The n-th request, over all connections, gets the n-th word, and all further
-- ones the last:
--   ok           200 with a chat completion
--   refuse       RST_STREAM with REFUSED_STREAM
--   internal     RST_STREAM with INTERNAL_ERROR
--   goaway       GOAWAY that says the request was not looked at
--   goaway-close the same, and the connection is closed
--   late-goaway  GOAWAY that includes the request, and the connection is closed
--   close        the connection is closed
local socket = require "socket"
local proc = require "support.proc"

local HERE = debug.getinfo(1, "S").source:match("^@(.*)[/\\]") or "."

local peer2 = {}
peer2.__index = peer2

function peer2:order(word)
  assert(self.control:send(word .. "\n"))
  return tonumber((assert(self.control:receive("*l"))))
end

--- How many requests have come.
---@return integer
function peer2:requests()
  return self:order("requests")
end

--- How many connections there have been.
---@return integer
function peer2:connections()
  return self:order("connections")
end

--- Ends the process. A second call does nothing.
function peer2:stop()
  if self.control then self.control:close() end
  self.control = nil
  self.child:stop()
end

---@param words string[]
---@return table peer  with host, port, url
function peer2.start(words)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, own = listener:getsockname()
  local child = proc.child(("lua5.4 %s %d %s"):format(proc.quote(HERE .. "/peer2_process.lua"), own,
    table.concat(words, " ")))
  listener:settimeout(10)
  local control = listener:accept()
  listener:close()
  if not control then
    child:stop()
    error("the HTTP/2 peer did not start", 2)
  end
  control:settimeout(10)
  local self = setmetatable({ control = control, child = child, host = "127.0.0.1" }, peer2)
  self.port = math.floor(assert(tonumber((control:receive("*l")))))
  self.url = ("http://127.0.0.1:%d/v1"):format(self.port)
  return self
end

return peer2
