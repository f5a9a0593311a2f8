--- The scripted server's process: plays bytes on sockets as told.
-- Started by support/server.lua, where the script's words are explained:
--   lua5.4 scripted.lua <control port> [<path of a unix socket>]
-- It calls back on the control port and ends when that connection, or its
-- standard input, does. One thread: a coroutine for each connection, which
-- yields "read" or "write" with a socket, "sleep", and a due time.
local socket = require "socket"

local HERE = arg[0]:match("^(.*)[/\\]") or "."
package.path = HERE .. "/../?.lua;" .. package.path
local wire = require "support.wire"

local KEPT_BODY = 8 * 1024 * 1024
local LINGER = 5
local STARTED = socket.gettime()

-- Coroutines ---------------------------------------------------------------

local tasks = {}

local function now()
  return socket.gettime() - STARTED
end

local function spawn(fn, ...)
  local task = { thread = coroutine.create(fn) }
  tasks[task] = true
  local function resume(...)
    local ok, kind, sock, due = coroutine.resume(task.thread, ...)
    if not ok then
      io.stderr:write("scripted server: ", debug.traceback(task.thread, kind), "\n")
    end
    if coroutine.status(task.thread) == "dead" then
      tasks[task] = nil
    else
      task.kind, task.sock, task.due = kind, sock, due
    end
  end
  task.resume = resume
  resume(...)
  return task
end

--- True when the socket is ready, false when `due` came first.
local function wait(kind, sock, due)
  return coroutine.yield(kind, sock, due)
end

local function sleep(seconds)
  wait("sleep", nil, now() + seconds)
end

local function step()
  local readers, writers, due, list = {}, {}, math.huge, {}
  for task in pairs(tasks) do
    list[#list + 1] = task
    if task.kind == "read" then readers[#readers + 1] = task.sock end
    if task.kind == "write" then writers[#writers + 1] = task.sock end
    due = math.min(due, task.due or math.huge)
  end
  local seconds = due < math.huge and math.max(0, due - now()) or nil
  local can_read, can_write = socket.select(readers, writers, seconds)
  local time = now()
  for _, task in ipairs(list) do
    local ready = task.kind == "read" and can_read[task.sock]
      or task.kind == "write" and can_write[task.sock]
    if tasks[task] and (ready or (task.due and task.due <= time)) then
      task.resume(ready ~= nil and ready ~= false)
    end
  end
end

-- State --------------------------------------------------------------------

local script, at, repeat_last   -- the steps, the next one
local log, count                -- entries; numbers that a spec may wait for
local conns = {}                -- open ones -> their task

local function forget()
  script, at, repeat_last = {}, 1, false
  log, count = {}, { requests = 0, connections = 0, answered = 0, strays = 0 }
end

local function peek()
  return script[at] or (repeat_last and script[#script]) or nil
end

local EXHAUSTED = {
  status = 418, close = true,
  body = '{"error":{"message":"the script has no step for this request","code":"script_exhausted"}}',
}

local function take()
  local next_step = peek()
  if script[at] then at = at + 1 end
  return next_step or EXHAUSTED
end

-- Bytes in -----------------------------------------------------------------

local conn = {}
conn.__index = conn

--- Reads what is there into the buffer; false at the end of the connection.
function conn:fill(limit)
  wait("read", self.sock)
  local bytes, message, partial = self.sock:receive(limit or 65536)
  self.buffer = self.buffer .. (bytes or partial or "")
  return message ~= "closed"
end

function conn:until_found(pattern)
  while true do
    local first, last = self.buffer:find(pattern, 1, true)
    if first then
      local found = self.buffer:sub(1, last)
      self.buffer = self.buffer:sub(last + 1)
      return found
    end
    if not self:fill() then return nil end
  end
end

--- Moves n bytes from the connection to the body of an entry.
function conn:body_bytes(entry, n)
  while n > 0 do
    if self.buffer == "" and not self:fill() then return false end
    local piece = self.buffer:sub(1, n)
    self.buffer = self.buffer:sub(#piece + 1)
    n = n - #piece
    entry.body_size = entry.body_size + #piece
    if entry.body_size <= KEPT_BODY then
      entry.pieces[#entry.pieces + 1] = piece
    end
  end
  return true
end

function conn:chunked_body(entry)
  while true do
    local line = self:until_found("\r\n")
    if not line then return false end
    local size = tonumber(line:match("^%x+") or "", 16)
    if not size then return false end
    if size == 0 then return self:until_found("\r\n") ~= nil end
    if not self:body_bytes(entry, size) or not self:until_found("\r\n") then
      return false
    end
  end
end

function conn:read_body(entry)
  local headers = entry.headers
  local whole
  if (headers["transfer-encoding"] or ""):lower():find("chunked") then
    whole = self:chunked_body(entry)
  else
    whole = self:body_bytes(entry, tonumber(headers["content-length"]) or 0)
  end
  entry.complete = whole
  return whole
end

local function parse_headers(text)
  local headers = {}
  for name, value in text:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

function conn:new_entry(head)
  local method, path, version = head:match("^(%S+) (%S+) (%S+)\r\n")
  self.served = self.served + 1
  local entry = {
    conn = self.number, nth = self.served, at = now(),
    method = method, path = path, version = version,
    headers = parse_headers(head), raw_headers = head,
    pieces = {}, body_size = 0, complete = false,
  }
  log[#log + 1] = entry
  count.requests = count.requests + 1
  return entry
end

-- Bytes out ----------------------------------------------------------------

local REASONS = {
  [200] = "OK", [201] = "Created", [204] = "No Content", [302] = "Found",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden",
  [404] = "Not Found", [408] = "Request Timeout", [413] = "Content Too Large",
  [418] = "I'm a teapot", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

--- A step's headers, given as a list or a map, as lines.
local function header_lines(headers)
  local lines, seen, names = {}, {}, {}
  local function add(name, value)
    seen[name:lower()] = true
    if value ~= false then lines[#lines + 1] = name .. ": " .. tostring(value) .. "\r\n" end
  end
  for name in pairs(headers or {}) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = headers[name]
    for _, one in ipairs(type(value) == "table" and value or { value }) do add(name, one) end
    if value == false then add(name, false) end
  end
  for _, line in ipairs(headers or {}) do
    if type(line) == "table" then
      add(line[1], line[2])
    else
      add(line:match("^[^:]*"), line:match("^[^:]*:%s*(.*)$") or "")
    end
  end
  return lines, seen
end

local function list_of(items)
  return type(items) == "table" and items or { items }
end

--- The items of a step: strings, {pause =}, {bytes =, times =, pause =}.
local function items_of(this)
  if this.raw then return list_of(this.raw) end
  local framing = this.framing or (this.chunks and "chunked" or "length")
  local lines, seen = header_lines(this.headers)
  local status = this.status or 200
  local body = this.chunks or { this.body or "" }
  if not seen["content-type"] then
    lines[#lines + 1] = this.chunks and "Content-Type: text/event-stream\r\n"
      or "Content-Type: application/json\r\n"
  end
  if framing == "chunked" then
    lines[#lines + 1] = "Transfer-Encoding: chunked\r\n"
  elseif framing == "length" and not seen["content-length"] and not seen["transfer-encoding"] then
    local length = 0
    for _, item in ipairs(body) do
      local bytes = type(item) == "string" and item or item.bytes or ""
      length = length + #bytes * (type(item) == "table" and item.times or 1)
    end
    lines[#lines + 1] = "Content-Length: " .. length .. "\r\n"
  end
  local items = {}
  for _, code in ipairs(this.interim and list_of(this.interim) or {}) do
    items[#items + 1] = type(code) == "number" and ("HTTP/1.1 %d Early\r\n\r\n"):format(code) or code
  end
  items[#items + 1] = ("HTTP/%s %d %s\r\n%s\r\n"):format(this.version or "1.1", status,
    this.reason or REASONS[status] or "Status", table.concat(lines))
  for _, item in ipairs(body) do
    local bytes = type(item) == "string" and item or item.bytes
    if bytes and framing == "chunked" then
      bytes = ("%x\r\n%s\r\n"):format(#bytes, bytes)
    end
    items[#items + 1] = type(item) == "string" and bytes
      or { bytes = bytes, times = item.times, pause = item.pause }
  end
  if framing == "chunked" and this.last_chunk ~= false then
    items[#items + 1] = "0\r\n\r\n"
  end
  return items
end

--- Sends bytes; false when the peer is gone or the step's cut is reached.
function conn:send(bytes, this)
  local whole = true
  if this.cut then
    whole = self.sent + #bytes <= this.cut
    bytes = bytes:sub(1, math.max(0, this.cut - self.sent))
  end
  local piece = this.drip and (this.drip_size or 1) or #bytes
  local first = 1
  while first <= #bytes do
    local last, message, partial = self.sock:send(bytes, first, math.min(#bytes, first + piece - 1))
    if message == "closed" then return false end
    self.sent = self.sent + (last or partial) - first + 1
    first = (last or partial) + 1
    if not last then
      wait("write", self.sock)
    elseif this.drip and first <= #bytes then
      sleep(this.drip)
    end
  end
  return whole
end

function conn:play(items, this)
  for _, item in ipairs(items) do
    local bytes = type(item) == "string" and item or item.bytes
    for _ = 1, type(item) == "table" and item.times or 1 do
      if bytes and not self:send(bytes, this) then return false end
      if type(item) == "table" and item.pause then sleep(item.pause) end
    end
  end
  return true
end

-- A connection -------------------------------------------------------------

function conn:close(how)
  if not conns[self] then return end
  conns[self] = nil
  if how == "rst" then self.sock:setoption("linger", { on = true, timeout = 0 }) end
  self.sock:close()
end

--- FIN now; what the peer still sends is read and dropped, for unread bytes
-- would turn the FIN into a RST that may overtake the answer.
function conn:close_gently()
  self.sock:shutdown("send")
  local due = now() + LINGER
  while wait("read", self.sock, due) do
    local _, message = self.sock:receive(65536)
    if message == "closed" then break end
  end
  self:close()
end

--- Answers one request by a step; false when the connection is over.
function conn:answer(this, entry)
  if this.delay then sleep(this.delay) end
  while this.after and count.requests < this.after do sleep(0.001) end
  self.sent = 0
  local whole = true
  if not this.stall or this.status or this.headers or this.raw or this.body or this.chunks then
    whole = self:play(items_of(this), this)
  end
  count.answered = count.answered + 1
  if entry and not entry.complete and not this.close and not this.stall and entry.method then
    whole = self:read_body(entry) and whole
  end
  if this.stray then
    whole = self:play(list_of(this.stray), {}) and whole
    count.strays = count.strays + 1
  end
  if this.stall then
    while this.stall ~= "deaf" and self:fill() do self.buffer = "" end
    if this.stall == "deaf" then wait("sleep") end
    return false
  end
  local asked = entry and entry.headers and (entry.headers.connection or ""):lower() == "close"
  if this.close == "rst" or this.close == "hard" then
    self:close(this.close)
  elseif this.close or this.cut or this.framing == "close" or asked or not whole then
    self:close_gently()
  end
  return conns[self] ~= nil
end

--- Serves one request; false when the connection is over.
function conn:serve()
  local next_step = peek()
  if next_step and next_step.on == "arrival" then
    if self.buffer == "" and not self:fill(1) then return false end
    local entry = { conn = self.number, at = now(), pieces = {}, body_size = 0 }
    log[#log + 1] = entry
    count.requests = count.requests + 1
    self:answer(take(), entry)
    return false
  end
  local head = self:until_found("\r\n\r\n")
  if not head then return false end
  local entry = self:new_entry(head)
  local this = take()
  if this.on ~= "headers" and not this.before_body and not self:read_body(entry) then
    return false
  end
  return self:answer(this, entry)
end

local function serve_all(self)
  local next_step = peek()
  local go_on = true
  if next_step and next_step.on == "accept" then go_on = self:answer(take()) end
  while go_on and self:serve() do end
  self:close()
end

local function accept_all(listener, is_unix)
  while true do
    wait("read", listener)
    local sock = listener:accept()
    if sock then
      sock:settimeout(0)
      if not is_unix then sock:setoption("tcp-nodelay", true) end
      count.connections = count.connections + 1
      local self = setmetatable({
        sock = sock, number = count.connections, served = 0, sent = 0, buffer = "",
        unix = is_unix,
      }, conn)
      conns[self] = true
      local task = spawn(serve_all, self)
      if conns[self] then conns[self] = task end
    end
  end
end

-- Control ------------------------------------------------------------------

local listener, accepting, port

local function listen()
  listener = assert(socket.bind("127.0.0.1", port or 0, 1024))
  listener:settimeout(0)
  port = select(2, listener:getsockname())
  accepting = spawn(accept_all, listener)
end

local function open_count()
  local n = 0
  for _ in pairs(conns) do n = n + 1 end
  return n
end

local orders = {}

function orders.script(message)
  script, at, repeat_last = message.steps, 1, message.repeat_last
end

function orders.log()
  local list = {}
  for i, entry in ipairs(log) do
    local copy = {}
    for key, value in pairs(entry) do copy[key] = value end
    copy.pieces, copy.body = nil, table.concat(entry.pieces)
    list[i] = copy
  end
  return list
end

function orders.count()
  local copy = { open = open_count() }
  for key, value in pairs(count) do copy[key] = value end
  return copy
end

function orders.reset()
  for self, task in pairs(conns) do
    if task ~= true then tasks[task] = nil end
    self:close()
  end
  forget()
end

function orders.listen(message)
  if message.on and not listener then
    listen()
  elseif not message.on and listener then
    tasks[accepting] = nil
    listener:close()
    listener = nil
  end
end

--- Waits until every number asked for is reached ("open" is met exactly).
function orders.wait(message)
  local due = now() + message.seconds
  while true do
    local numbers, met = orders.count(), true
    for key, value in pairs(message.want) do
      met = met and (numbers[key] == value or (key ~= "open" and numbers[key] > value))
    end
    if met or now() > due then return met end
    sleep(0.001)
  end
end

local function obey(control)
  local self = setmetatable({ sock = control, buffer = "" }, conn)
  while true do
    local line = self:until_found("\n")
    if not line then os.exit(0) end
    local bytes = {}
    local size = tonumber(line)
    while size > 0 do
      if self.buffer == "" and not self:fill() then os.exit(0) end
      bytes[#bytes + 1] = self.buffer:sub(1, size)
      self.buffer = self.buffer:sub(#bytes[#bytes] + 1)
      size = size - #bytes[#bytes]
    end
    local message = wire.decode(table.concat(bytes))
    local result = orders[message.order](message)
    self.sent = 0
    if not self:send(wire.encode(result), {}) then os.exit(0) end
  end
end

local function main()
  forget()
  listen()
  local path = arg[2]
  if path and path ~= "" then
    local listener_unix = require("socket.unix").stream()
    os.remove(path)
    assert(listener_unix:bind(path))
    assert(listener_unix:listen(128))
    listener_unix:settimeout(0)
    spawn(accept_all, listener_unix, true)
  end
  local control = assert(socket.connect("127.0.0.1", tonumber(arg[1])))
  control:settimeout(0)
  control:setoption("tcp-nodelay", true)
  control:send(wire.encode(port))
  spawn(obey, control)
  spawn(function()
    wait("read", { getfd = function() return 0 end, dirty = function() return false end })
    os.exit(0)
  end)
  while true do step() end
end

local ok, message = pcall(main)
if not ok and not tostring(message):find("interrupted!") then
  io.stderr:write("scripted server: ", tostring(message), "\n")
  os.exit(1)
end
