--- HTTP/1.1 as a server speaks it, on one connection: requests in, replies
-- out. It runs in a coroutine and says by yielding what it waits for; the
-- sockets are server.lua's affair. It knows nothing of the gateway.
local MAX_HEAD, MAX_BODY = 64 * 1024, 32 * 1024 * 1024

local REASONS = {
  [200] = "OK", [202] = "Accepted", [400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required",
  [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed", [408] = "Request Timeout",
  [413] = "Content Too Large", [429] = "Too Many Requests", [500] = "Internal Server Error",
  [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

local CLOSED = {} -- raised where a connection is over: server.lua closes it

local conn = {}
conn.__index = conn

function conn:fill()
  coroutine.yield("read")
  local bytes, message, partial = self.sock:receive(65536)
  self.buffer = self.buffer .. (bytes or partial or "")
  if message == "closed" then error(CLOSED) end
end

function conn:line()
  while not self.buffer:find("\n", 1, true) do
    if #self.buffer > MAX_HEAD then error(CLOSED) end
    self:fill()
  end
  local line, rest = self.buffer:match("^(.-)\r?\n(.*)$")
  self.buffer = rest
  return line
end

function conn:bytes(n)
  local pieces, got = {}, 0
  while got < n do
    if self.buffer == "" then self:fill() end
    local piece = self.buffer:sub(1, n - got)
    self.buffer = self.buffer:sub(#piece + 1)
    pieces[#pieces + 1], got = piece, got + #piece
  end
  return table.concat(pieces)
end

function conn:body(headers)
  if headers.expect then self:write("HTTP/1.1 100 Continue\r\n\r\n") end
  if not (headers["transfer-encoding"] or ""):lower():find("chunked") then
    local length = tonumber(headers["content-length"]) or 0
    return length <= MAX_BODY and self:bytes(length) or nil
  end
  local pieces, total = {}, 0
  repeat
    local size = tonumber(self:line():match("^%x+") or error(CLOSED), 16)
    total = total + size
    if total > MAX_BODY then return nil end
    pieces[#pieces + 1] = self:bytes(size)
    if self:line() ~= "" then error(CLOSED) end
  until size == 0
  return table.concat(pieces)
end

--- The next request: method, path, query, headers (lower-case names), body
-- (nil if it is too large, with the connection spoilt).
function conn:request()
  local method, target, version = self:line():match("^(%S+) (%S+) (HTTP/1%.%d)$")
  if not method then error(CLOSED) end
  self.is_head = method == "HEAD"
  local headers, line = {}, self:line()
  while line ~= "" do
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name then headers[name:lower()] = value end
    line = self:line()
  end
  local path, query = target:match("^([^?]*)%??(.*)$")
  self.keep = version ~= "HTTP/1.0" and (headers.connection or ""):lower() ~= "close"
  local body = self:body(headers)
  self.keep = self.keep and body ~= nil
  return { method = method, path = path, query = query, headers = headers, body = body }
end

--- Sends bytes as they are.
function conn:write(bytes)
  local first = 1
  while first <= #bytes do
    local last, message, partial = self.sock:send(bytes, first)
    if message == "closed" then error(CLOSED) end
    first = (last or partial) + 1
    if not last then coroutine.yield("write") end
  end
end

--- Sends status and headers; `length` nil announces chunks.
function conn:start(status, headers, length)
  local lines = { ("HTTP/1.1 %d %s"):format(status, REASONS[status] or "Status") }
  for name, value in pairs(headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  lines[#lines + 1] = length and "Content-Length: " .. length or "Transfer-Encoding: chunked"
  self:write(table.concat(lines, "\r\n") .. "\r\n\r\n")
end

function conn:chunk(bytes) self:write(("%x\r\n%s\r\n"):format(#bytes, bytes)) end
function conn:finish() self:write("0\r\n\r\n") end
function conn:sleep(seconds) coroutine.yield("sleep", seconds) end

--- Sends a whole answer.
function conn:send(status, headers, body)
  self:start(status, headers, #body)
  if not self.is_head then self:write(body) end
end

--- Says nothing more until the client leaves.
function conn:hold()
  while true do
    self:fill()
    self.buffer = ""
  end
end

--- Breaks the connection off: with a FIN, or a RST.
function conn:cut(reset)
  if reset then self.sock:setoption("linger", { on = true, timeout = 0 }) end
  error(CLOSED)
end

local http = { CLOSED = CLOSED }

--- A connection on a socket that never blocks.
function http.connection(sock)
  return setmetatable({ sock = sock, buffer = "" }, conn)
end

return http
