--- A server that does exactly what a script says, on the socket level.
-- It is a process of its own, for the calls under test block. No TLS: that
-- is real nginx's job (support/real.lua).
--
--   local server = require("support.server")
--   local s = server.start()            -- one may serve a whole spec file
--   s:script{ { status = 503 }, { body = "{}" } }
--   ... s:log() ... s:reset() ... s:stop()
--
-- The n-th request, over all connections, is served by the n-th step; with
-- `repeat_last = true` in the script the last step serves all further ones,
-- else they get a 418 that says so.
--
-- What a step sends:
--   raw         exact bytes, or a list of items (below); nothing is added
--   status, reason, version ("1.1"), headers, body      a usual answer
--   headers     {"Name: value", {"Name", "value"}} or {name = value | {values}};
--               false keeps off the automatic content-type
--   chunks      the body as a list of items, each a chunk of chunked coding
--   framing     "length" (default of body), "chunked" (default of chunks),
--               "close" (no length, ended by FIN), "none" (nothing said)
--   last_chunk  false leaves the terminating chunk out
--   interim     list of 1xx statuses or raw heads, sent first
-- An item is a string, {pause = seconds} or {bytes =, times =, pause =}, the
-- pause after each time: endless headers and bodies cost one item.
--
-- When and how:
--   on          "body" (default): the request has been read whole;
--               "headers" (or before_body = true): its headers are in, the
--               body is read after the answer, unless the step closes;
--               "arrival": its first byte is in, the rest is never read;
--               "accept": a connection is, nothing is ever read for it
--   delay       seconds before the answer
--   after       the answer waits until so many requests have come in, over all
--               connections and with its own
--   drip        seconds between pieces of drip_size (1) bytes
--   cut         only so many bytes of all that, then FIN
--   stray       item or list of items written after the answer, on the then
--               idle connection
--   stall       true: after what is to be sent (nothing, if nothing is given)
--               be silent until the client leaves; "deaf": and read nothing
--   close       true: FIN after the answer, reading on for a while, as servers
--               do; "hard": close() at once, a RST if bytes were left unread;
--               "rst": RST
local socket = require "socket"
local proc = require "support.proc"
local wire = require "support.wire"

local HERE = debug.getinfo(1, "S").source:match("^@(.*)[/\\]") or "."
local LUA = "lua5.4"

local FIELDS = {}
for word in ([[raw status reason version headers body chunks framing
  last_chunk interim on before_body delay after drip drip_size cut stray stall
  close]]):gmatch("%S+") do
  FIELDS[word] = true
end

local VALUES = {
  on = { accept = true, arrival = true, headers = true, body = true },
  framing = { length = true, chunked = true, close = true, none = true },
  close = { [true] = true, [false] = true, hard = true, rst = true },
  stall = { [true] = true, [false] = true, deaf = true },
}

local server = {}
server.__index = server

local function check(steps)
  for i, step in ipairs(steps) do
    for field, value in pairs(step) do
      if not FIELDS[field] then
        error(("step %d: unknown field '%s'"):format(i, tostring(field)), 3)
      end
      if VALUES[field] and not VALUES[field][value] then
        error(("step %d: %s = %s"):format(i, field, tostring(value)), 3)
      end
    end
  end
end

function server:order(message)
  assert(self.control:send(wire.encode(message)))
  local size = assert(self.control:receive("*l"))
  return wire.decode(assert(self.control:receive(tonumber(size))))
end

--- Sets the script and starts it from its first step.
---@param steps table  list of steps; repeat_last
function server:script(steps)
  check(steps)
  local list = {}
  for i, step in ipairs(steps) do list[i] = step end
  self:order { order = "script", steps = list, repeat_last = steps.repeat_last or false }
end

--- All requests seen, in the order of their headers' arrival:
-- {conn, nth (on that connection), method, path, version, headers (lower-case
-- names), raw_headers, body (of at most 8 MiB), body_size, complete, at (seconds since the
-- server's start)}. A step `on = "arrival"` leaves an entry without method.
---@return table[]
function server:log()
  return self:order { order = "log" }
end

--- How many connections were accepted since the last reset.
---@return integer
function server:connections()
  return self:order({ order = "count" }).connections
end

--- How many of them the server still holds open.
---@return integer
function server:open()
  return self:order({ order = "count" }).open
end

--- Waits until numbers are reached: requests, connections, answered, strays
-- (these or more), open (exactly this).
---@param want table  such as {strays = 1}
---@param seconds number|nil  at most; 5
---@return boolean met
function server:wait(want, seconds)
  return self:order { order = "wait", want = want, seconds = seconds or 5 }
end

--- Stops listening, so that connections are refused, or listens again on the
-- same port. Open connections live on.
---@param on boolean
function server:listen(on)
  self:order { order = "listen", on = on }
end

--- Forgets script, log and counts, and closes all connections.
function server:reset()
  self:order { order = "reset" }
end

--- Ends the process. A second call does nothing.
function server:stop()
  if self.control then self.control:close() end
  self.control = nil
  self.child:stop()
  if self.unix then os.remove(self.unix) end
end

--- Starts a server on a free port of 127.0.0.1, and on a unix socket too if
-- a path is given.
---@param options table|nil  {unix = path}
---@return table server  with url, host, port, unix
function server.start(options)
  local unix = options and options.unix
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local child = proc.child(("%s %s %d %s"):format(LUA,
    proc.quote(HERE .. "/scripted.lua"), port, proc.quote(unix or "")))
  listener:settimeout(10)
  local control = listener:accept()
  listener:close()
  if not control then
    child:stop()
    error("the scripted server did not start", 2)
  end
  control:setoption("tcp-nodelay", true)
  control:settimeout(60)
  local size = assert(control:receive("*l"))
  port = math.floor(wire.decode(assert(control:receive(tonumber(size)))))
  return setmetatable({
    control = control, child = child, unix = unix,
    host = "127.0.0.1", port = port, url = ("http://127.0.0.1:%d/v1"):format(port),
  }, server)
end

--- A URL at which connections are refused.
---@return string
function server.refused_url()
  return ("http://127.0.0.1:%d/v1"):format(proc.free_port())
end

--- A URL at which connecting takes for ever: the listener's queue is full.
---@return table hole  with url, stop()
function server.black_hole()
  local listener = assert(socket.bind("127.0.0.1", 0, 0))
  local _, port = listener:getsockname()
  local fill = {}
  repeat
    local sock = socket.tcp()
    sock:settimeout(0.05)
    fill[#fill + 1] = sock
    local connected = sock:connect("127.0.0.1", port)
    assert(#fill < 50, "this system's listeners are never full")
  until not connected
  local hole = { url = ("http://127.0.0.1:%d/v1"):format(port) }
  function hole.stop()
    listener:close()
    for _, sock in ipairs(fill) do sock:close() end
  end
  return hole
end

-- Answers that nearly every spec needs.

--- A whole chat completion, as the gateway documents it.
---@param text string  that needs no escape in JSON
---@return string
function server.completion(text)
  return '{"id":"chatcmpl-abc123","object":"chat.completion","created":1703123456,"model":"openai/gpt-4o",'
    .. '"choices":[{"index":0,"message":{"role":"assistant","content":"' .. text
    .. '"},"finish_reason":"stop"}],"usage":{"prompt_tokens":25,"completion_tokens":150,"total_tokens":175}}'
end

--- A chat completion that calls the tool f once for each of these ids.
---@param ids string[]
---@return string
function server.calls(ids)
  local calls = {}
  for i, id in ipairs(ids) do
    calls[i] = ('{"id":"%s","type":"function","function":{"name":"f","arguments":"{}"}}'):format(id)
  end
  return '{"id":"chatcmpl-abc123","object":"chat.completion","created":1703123456,"model":"openai/gpt-4o",'
    .. '"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":['
    .. table.concat(calls, ",") .. ']},"finish_reason":"tool_calls"}]}'
end

--- The bytes of an answer with status 200 and its length.
---@param body string
---@param headers string|nil  more of them, each with its CR LF
---@return string
function server.framed(body, headers)
  return ("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s"):format(headers or "", #body, body)
end

--- The events of a streamed completion, as a list of items for `chunks`.
---@param pieces string[]  texts that need no escape in JSON
---@return string[]
function server.events(pieces)
  local list = {}
  local function event(delta, finish)
    list[#list + 1] = 'data: {"id":"chatcmpl-abc123","object":"chat.completion.chunk",'
      .. '"model":"openai/gpt-4o","choices":[{"index":0,"delta":' .. delta
      .. ',"finish_reason":' .. finish .. "}]}\n\n"
  end
  event('{"role":"assistant"}', "null")
  for _, piece in ipairs(pieces) do event('{"content":"' .. piece .. '"}', "null") end
  event("{}", '"stop"')
  list[#list + 1] = "data: [DONE]\n\n"
  return list
end

return server
