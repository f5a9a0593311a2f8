--- HTTP/1.1 by hand on a LuaSocket that is kept, with lua-cjson: what
-- socket.http would cost if it kept connections.
local cjson = require "cjson"
local driver = require "driver"
local request = require "request"
local socket = require "socket"

local client = {}

function client.open(base)
  local host, port = request.address(base)
  local tcp = assert(socket.connect(host, port))
  tcp:setoption("tcp-nodelay", true)
  return { tcp = tcp, host = host, port = port, path = base:match("^https?://[^/]+(.*)$") }
end

local function read_head(tcp)
  local status, headers = tcp:receive("*l"):match("^HTTP/1.1 (%d+)"), {}
  for line in function() return tcp:receive "*l" end do
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.*)$")
    headers[name:lower()] = value
  end
  return status, headers
end

local function read_body(tcp, length, take)
  if length then return take(assert(tcp:receive(tonumber(length)))) end
  while true do
    local size = tonumber(tcp:receive "*l", 16)
    if size > 0 then take(assert(tcp:receive(size))) end
    tcp:receive "*l"
    if size == 0 then break end
  end
end

-- Posts, gives the bytes of the answer to 'take', and returns the status.
local function post(session, path, params, take)
  local body = cjson.encode(params)
  assert(session.tcp:send(request.head(session.host, session.port, session.path .. path, #body) .. body))
  local status, headers = read_head(session.tcp)
  read_body(session.tcp, headers["content-length"], take)
  return status
end

local function ask(session, path, params)
  local body
  local status = post(session, path, params, function(bytes) body = bytes end)
  return cjson.decode(body), status
end

driver.add_replies(client, ask)

function client.stream(session, params, on)
  post(session, "/chat/completions", params, driver.event_reader(cjson.decode, on))
end

driver.main(client)
