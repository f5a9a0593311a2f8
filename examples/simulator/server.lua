--- Many connections on one thread: a coroutine each, and select().
-- LuaSocket only.
--
--   local server = require("simulator.server").listen(8080, function(request, reply)
--     reply:send(200, { ["Content-Type"] = "text/plain" }, "hello")
--   end)
--   while true do server:step(0.1) end
local socket = require "socket"
local http = require "simulator.http"

local server = {}
server.__index = server

function server:resume(one)
  local ok, kind, seconds = coroutine.resume(one.thread)
  if not ok and kind ~= http.CLOSED then io.stderr:write(debug.traceback(one.thread, tostring(kind)), "\n") end
  one.kind, one.due = kind, seconds and socket.gettime() + seconds
  if coroutine.status(one.thread) == "dead" then
    one.sock:close()
    self.conns[one] = nil
  end
end

function server:accept()
  local sock = self.listener:accept()
  if not sock then return end
  sock:settimeout(0)
  sock:setoption("tcp-nodelay", true)
  local one = http.connection(sock)
  one.thread = coroutine.create(function()
    repeat self.handler(one:request(), one) until not one.keep
  end)
  self.conns[one] = true
  self:resume(one)
end

--- Serves what there is to serve, waiting at most so many seconds for it.
function server:step(seconds)
  local readers, writers, now = { self.listener }, {}, socket.gettime()
  local waiting = {}
  for one in pairs(self.conns) do
    waiting[#waiting + 1] = one
    if one.kind == "read" then readers[#readers + 1] = one.sock end
    if one.kind == "write" then writers[#writers + 1] = one.sock end
    if one.due then seconds = math.max(0, math.min(seconds, one.due - now)) end
  end
  local can_read, can_write = socket.select(readers, writers, seconds)
  now = socket.gettime()
  for _, one in ipairs(waiting) do
    if can_read[one.sock] or can_write[one.sock] or (one.due and one.due <= now) then self:resume(one) end
  end
  if can_read[self.listener] then self:accept() end
end

local module = {}

--- Listens on 127.0.0.1; port 0 takes a free one.
---@return table|nil server  with port and step(), or nil, message
function module.listen(port, handler)
  local listener, message = socket.bind("127.0.0.1", port, 128)
  if not listener then return nil, message end
  listener:settimeout(0)
  local _, bound = listener:getsockname()
  return setmetatable({
    listener = listener, handler = handler, conns = {}, port = math.floor(tonumber(bound)),
  }, server)
end

return module
