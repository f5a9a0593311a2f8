--- lua-http on cqueues, with lua-cjson; a connection for each that runs at once.
-- Debian has it in the folders of Lua 5.3 and 5.2; it runs on 5.4 all the same.
package.path = package.path .. ";/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.2/?.lua"
local cjson = require "cjson"
local cqueues = require "cqueues"
local driver = require "driver"
local http = require "http.client"
local new_headers = require "http.headers".new
local request = require "request"

local client = {}

function client.open(base)
  local host, port = request.address(base)
  return { connection = assert(http.connect { host = host, port = port, version = 1.1 }), base = base,
    authority = host .. ":" .. port, path = base:match("^https?://[^/]+(.*)$") }
end

-- Posts; the stream that will bring the answer, and its status.
local function post(session, path, params)
  local headers, body = new_headers(), cjson.encode(params)
  headers:append(":method", "POST")
  headers:append(":scheme", "http")
  headers:append(":authority", session.authority)
  headers:append(":path", session.path .. path)
  for name, value in pairs(request.headers) do headers:append(name:lower(), value) end
  headers:append("content-length", tostring(#body))
  local stream = session.connection:new_stream()
  assert(stream:write_headers(headers, false))
  assert(stream:write_chunk(body, true))
  return stream, assert(stream:get_headers()):get ":status"
end

local function ask(session, path, params)
  local stream, status = post(session, path, params)
  return cjson.decode(assert(stream:get_body_as_string())), status
end

driver.add_replies(client, ask)

function client.stream(session, params, on)
  local read = driver.event_reader(cjson.decode, on)
  for bytes in post(session, "/chat/completions", params):each_chunk() do read(bytes) end
end

-- Runs so many coroutines, each with a connection of its own; connections are
-- kept for the next time.
local function side_by_side(session, count, run)
  local queue = cqueues.new()
  session.others = session.others or {}
  for i = 1, count do
    queue:wrap(function()
      session.others[i] = session.others[i] or client.open(session.base)
      run(session.others[i])
    end)
  end
  assert(queue:loop())
end

function client.flight(session, count, side, params, on)
  local left = count
  side_by_side(session, math.min(side, count), function(own)
    while left > 0 do
      left = left - 1
      on(client.chat(own, params))
    end
  end)
end

function client.streams(session, count, params, on)
  side_by_side(session, count, function(own) client.stream(own, params, on) end)
end

driver.main(client)
