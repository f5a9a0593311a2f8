--- The process of support/peer2.lua, where its words are explained:
--   lua5.4 peer2_process.lua <control port> <word> ...
-- It ends when its control connection, or its standard input, does.
-- luacheck: ignore 143 (Lua 5.4 runs it)
local socket = require "socket"

local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
local END_STREAM, ACK, END_HEADERS = 1, 1, 4
local REFUSED_STREAM, INTERNAL_ERROR = 7, 2

local COMPLETION = '{"id":"chatcmpl-1","object":"chat.completion","created":1703123456,"model":"m",'
  .. '"choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}'

local words = { table.unpack(arg, 2) }
local requests, connections = 0, 0

local control = assert(socket.connect("127.0.0.1", tonumber(arg[1])))
local listener = assert(socket.bind("127.0.0.1", 0, 1024))
local _, port = listener:getsockname()
control:send(port .. "\n")

local function frame(kind, flags, stream, payload)
  payload = payload or ""
  return string.pack(">I3 B B I4", #payload, kind, flags, stream) .. payload
end

local function goaway(last)
  return frame(GOAWAY, 0, 0, string.pack(">I4 I4", last, 0))
end

local answers = {
  ok = function(id)
    -- ":status: 200" of the static table, and a literal content-type
    return frame(HEADERS, END_HEADERS, id, "\x88\x0f\x10\x10application/json")
      .. frame(DATA, END_STREAM, id, COMPLETION)
  end,
  refuse = function(id) return frame(RST_STREAM, 0, id, string.pack(">I4", REFUSED_STREAM)) end,
  internal = function(id) return frame(RST_STREAM, 0, id, string.pack(">I4", INTERNAL_ERROR)) end,
  goaway = function(id) return goaway(math.max(0, id - 2)) end,
  ["goaway-close"] = function(id) return goaway(math.max(0, id - 2)), true end,
  ["late-goaway"] = function(id) return goaway(id), true end,
  close = function() return "", true end,
}

-- Takes the frames that are whole off the bytes. True: close.
local function serve(conn)
  if not conn.greeted then
    if #conn.bytes < #PREFACE then return false end
    conn.bytes = conn.bytes:sub(#PREFACE + 1)
    conn.greeted = true
    conn.sock:send(frame(SETTINGS, 0, 0))
  end
  while #conn.bytes >= 9 do
    local size, kind, flags, id = string.unpack(">I3 B B I4", conn.bytes)
    if #conn.bytes < 9 + size then return false end
    local payload = conn.bytes:sub(10, 9 + size)
    conn.bytes = conn.bytes:sub(10 + size)
    if kind == SETTINGS and flags & ACK == 0 then conn.sock:send(frame(SETTINGS, ACK, 0)) end
    if kind == PING and flags & ACK == 0 then conn.sock:send(frame(PING, ACK, 0, payload)) end
    if (kind == HEADERS or kind == DATA) and flags & END_STREAM ~= 0 then
      requests = requests + 1
      local bytes, close = answers[words[math.min(requests, #words)]](id)
      conn.sock:send(bytes)
      if close then return true end
    end
  end
  return false
end

local stdin = { getfd = function() return 0 end, dirty = function() return false end }
local conns = {}

while true do
  local readers = { control, stdin, listener }
  for sock in pairs(conns) do readers[#readers + 1] = sock end
  for _, sock in ipairs(socket.select(readers)) do
    if sock == stdin then os.exit(0) end
    if sock == listener then
      local accepted = listener:accept()
      accepted:settimeout(0)
      accepted:setoption("tcp-nodelay", true)
      conns[accepted] = { sock = accepted, bytes = "" }
      connections = connections + 1
    elseif sock == control then
      local line = control:receive("*l")
      if not line then os.exit(0) end
      control:send((line == "requests" and requests or connections) .. "\n")
    else
      local conn = conns[sock]
      local bytes, why, partial = sock:receive(65536)
      conn.bytes = conn.bytes .. (bytes or partial)
      if why == "closed" then
        conns[sock] = nil
        sock:close()
      elseif not conn.over and serve(conn) then
        conn.over = true -- read on, or the kernel would say that with a reset
        sock:shutdown("send")
      end
    end
  end
end
