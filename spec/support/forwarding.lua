--- The process of support/forwarder.lua, where its words are explained:
--   lua5.4 forwarding.lua <control port> <port to forward to>
-- It ends when its control connection, or its standard input, does.
local socket = require "socket"

local control = assert(socket.connect("127.0.0.1", tonumber(arg[1])))
local listener = assert(socket.bind("127.0.0.1", 0, 1024))
local _, port = listener:getsockname()
control:send(port .. "\n")

local stdin = { getfd = function() return 0 end, dirty = function() return false end }
local other = {} -- socket -> the one at the other end
local is_client = {} -- those that were accepted
local silent = {} -- sockets that are read no more
local pending = {} -- socket -> bytes that it has not taken yet
local connections = 0

local orders = {}

local function silence(both)
  local count = 0
  for sock in pairs(other) do
    if is_client[sock] then
      count = count + 1
      silent[other[sock]] = true
      silent[sock] = both or silent[sock]
    end
  end
  return count
end

function orders.freeze() return silence(true) end
function orders.mute() return silence(nil) end
function orders.connections() return connections end

local function accept()
  local client = listener:accept()
  if not client then return end
  local server = assert(socket.connect("127.0.0.1", tonumber(arg[2])))
  for _, sock in ipairs { client, server } do
    sock:settimeout(0)
    sock:setoption("tcp-nodelay", true)
  end
  other[client], other[server] = server, client
  is_client[client] = true
  connections = connections + 1
end

local function close(sock)
  local peer = other[sock]
  for _, one in ipairs { sock, peer } do
    one:close()
    other[one], is_client[one], silent[one], pending[one] = nil, nil, nil, nil
  end
end

local function flush(sock)
  local sent, _, partial = sock:send(pending[sock])
  local rest = pending[sock]:sub((sent or partial or 0) + 1)
  pending[sock] = rest ~= "" and rest or nil
end

local function pass(sock)
  local bytes, why, partial = sock:receive(65536)
  local peer = other[sock]
  bytes = bytes or partial
  if bytes ~= "" then
    pending[peer] = (pending[peer] or "") .. bytes
    flush(peer)
  end
  if why == "closed" then close(sock) end
end

while true do
  local readers, writers = { control, stdin, listener }, {}
  for sock in pairs(other) do
    if not silent[sock] and not pending[other[sock]] then readers[#readers + 1] = sock end
    if pending[sock] then writers[#writers + 1] = sock end
  end
  local readable, writable = socket.select(readers, writers)
  for _, sock in ipairs(writable) do
    if pending[sock] then flush(sock) end
  end
  for _, sock in ipairs(readable) do
    if sock == stdin then os.exit(0) end
    if sock == listener then
      accept()
    elseif sock == control then
      local line = control:receive("*l")
      if not line then os.exit(0) end
      control:send(orders[line]() .. "\n")
    elseif other[sock] and not silent[sock] then
      pass(sock)
    end
  end
end
