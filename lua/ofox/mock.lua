--- A transport for tests of programs that use ofox: answers are scripted,
-- time is virtual, everything else (errors, retries, their timing) is the
-- real thing, since the mock feeds the same C call as the engine.
local core = require("ofox.native")("core")
local json = require "ofox.json"

local mock = {}

---@class ofox.Mock
---@field requests table[]  what was sent: {method, url, path, headers, body, at}
local Mock = {}
Mock.__index = Mock
Mock.__name = "ofox.mock"

-- Virtual time begins at a round date, so that dates in headers can be written.
local EPOCH = 1767225600 -- 2026-01-01T00:00:00Z

-- err.code of a failed transfer -> how the C call names it.
local FAILURES = {}
for _, outcome in ipairs(core.outcomes) do
  if outcome.code ~= "" then FAILURES[outcome.code] = outcome.name:upper() end
end
FAILURES.deadline = nil -- the call's own: its option brings it about
-- codes that two classes share: those of connections
for _, code in ipairs { "truncated", "reset" } do FAILURES[code] = code:upper() end

-- Failures before anything could be sent.
local UNSENT = { dns = true, refused = true, connect_timeout = true, certificate = true, handshake = true }

local FIELDS = { status = true, headers = true, body = true, sse = true, delay = true, fail = true }

---@return ofox.Mock
function mock.new()
  return setmetatable({ requests = {}, _replies = {}, _flights = {}, _calls = {}, _news = {}, _now = 0 }, Mock)
end

local function misuse(message, ...)
  error("ofox.mock: reply: " .. message:format(...), 3)
end

-- The events of a stream as {pause, bytes}: what is written, and how long after
-- the one before.
local function events_of(sse, fail)
  if type(sse) ~= "table" then misuse("sse: expected a list, got a %s", type(sse)) end
  local pieces, pause = {}, 0
  local function add(data)
    pieces[#pieces + 1] = { pause = pause, bytes = "data: " .. data:gsub("\n", "\ndata: ") .. "\n\n" }
    pause = 0
  end
  for i, item in ipairs(sse) do
    if type(item) == "number" then
      pause = pause + item
    elseif type(item) == "string" then
      add(item)
    elseif type(item) == "table" then
      local data, message = json.encode(item)
      if not data then misuse("sse[%d]: %s", i, message) end
      add(data)
    else
      misuse("sse[%d]: expected a table, a string or seconds, got a %s", i, type(item))
    end
  end
  if not fail and sse[#sse] ~= "[DONE]" then add "[DONE]" end
  pieces[#pieces + 1] = pause > 0 and { pause = pause, bytes = "" } or nil
  return pieces
end

---@class ofox.MockReply
---@field status? integer
---@field headers? table<string, string>
---@field body? string|table
---@field sse? any[]
---@field delay? number  virtual seconds before it comes
---@field fail? string

--- Queues an answer to one attempt. Status 200 and no headers unless told
-- otherwise; a table as body is sent as JSON. With 'fail' (a code of
-- ofox.errors, as "refused", "reset", "dns", "timeout") the transfer ends so,
-- after what else is given. 'sse' answers with a stream instead of a body: a
-- list of events, which are tables sent as JSON or strings sent as they are;
-- a number is a pause before the next one. "[DONE]" is added to one that does
-- not fail.
---@param reply ofox.MockReply
---@return ofox.Mock self
function Mock:reply(reply)
  if type(reply) ~= "table" then misuse("expected a table, got a %s", type(reply)) end
  for name in pairs(reply) do
    if not FIELDS[name] then misuse("unknown field %s", tostring(name)) end
  end
  local fail, delay, status = reply.fail, reply.delay or 0, reply.status
  if status ~= nil and not (type(status) == "number" and status % 1 == 0 and status >= 200 and status <= 999) then
    misuse("status: expected an integer from 200 to 999")
  end
  if reply.headers ~= nil and type(reply.headers) ~= "table" then
    misuse("headers: expected a table, got a %s", type(reply.headers))
  end
  if fail and not FAILURES[fail] then misuse("fail: unknown code %s", tostring(fail)) end
  if type(delay) ~= "number" or delay < 0 or delay ~= delay then misuse("delay: expected seconds >= 0") end
  local body, headers = reply.body, {}
  for name, value in pairs(reply.headers or {}) do headers[tostring(name):lower()] = tostring(value) end
  if type(body) == "table" then
    local message
    body, message = json.encode(body)
    if not body then misuse("body: %s", message) end
    headers["content-type"] = headers["content-type"] or "application/json"
  elseif body ~= nil and type(body) ~= "string" then
    misuse("body: expected a string or a table, got a %s", type(body))
  end
  local pieces = reply.sse ~= nil and events_of(reply.sse, fail) or nil
  if pieces and body then misuse("sse: there is a body already") end
  if pieces then headers["content-type"] = headers["content-type"] or "text/event-stream" end
  if body and not fail then headers["content-length"] = headers["content-length"] or tostring(#body) end
  self._replies[#self._replies + 1] = {
    -- a failure alone has no answer, unless one is given
    status = status or (not fail or body or pieces) and 200 or nil,
    headers = headers, pieces = pieces or { { pause = 0, bytes = body or "" } }, delay = delay, fail = fail,
  }
  return self
end

--- Virtual seconds since the mock was made.
---@return number
function Mock:now()
  return self._now
end

--- The virtual date, seconds since 1970.
---@return number
function Mock:wall()
  return EPOCH + self._now
end

--- Lets ofox.sleep and every other wait of this Lua state use virtual time.
---@return fun() uninstall
function Mock:install()
  local wait = require "ofox.wait"
  local previous = wait.install(self)
  return function() wait.install(previous) end
end

local function record(self, attempt)
  local headers = {}
  local function add(line)
    local name, value = line:match("^([^:;]+):%s*(.*)$")
    headers[(name or line:match("^[^;]+")):lower()] = value or ""
  end
  for _, line in ipairs(attempt.lines) do add(line) end
  if attempt.authorization then add(attempt.authorization) end
  if attempt.idempotency then add(attempt.idempotency) end
  self.requests[#self.requests + 1] = {
    method = attempt.method,
    url = attempt.url,
    path = attempt.url:match("^%a+://[^/?#]+([^?#]*)"),
    headers = headers,
    body = attempt.body,
    at = self._now,
  }
end

-- What the engine would do: begins the attempt; its end comes in a later step.
function Mock:start(call, attempt)
  if not call:begin(self._now) then return end
  self._calls[call] = true
  record(self, attempt)
  local reply = table.remove(self._replies, 1)
  if not reply then
    call:abort("SEND", self._now)
    local last = self.requests[#self.requests]
    error(("ofox.mock: no reply is queued for request %d, %s %s"):format(#self.requests, last.method, last.path), 0)
  end
  if not (reply.fail and UNSENT[reply.fail]) then call:connected(false, self._now) end
  self._flights[call] = { at = self._now + reply.delay, reply = reply, sent = 0 }
end

local function send_head(self, call, reply)
  call:head(("HTTP/1.1 %d"):format(reply.status), self._now)
  for name, value in pairs(reply.headers) do call:head(name .. ": " .. value, self._now) end
  return call:head("", self._now)
end

-- Sends what is due of a reply; true when there is no more of it.
local function answer(self, call, flight)
  local reply = flight.reply
  local wanted = flight.head or not reply.status or send_head(self, call, reply)
  flight.head = true
  while wanted and reply.status and flight.sent < #reply.pieces do
    local piece = reply.pieces[flight.sent + 1]
    if piece.pause > 0 and not flight.paused then
      flight.at, flight.paused = self._now + piece.pause, true
      return false
    end
    flight.sent, flight.paused = flight.sent + 1, false
    if piece.bytes ~= "" then wanted = call:body(piece.bytes, self._now) end
  end
  -- a limit of the client's own passes by itself
  if not (reply.fail and reply.fail:find("timeout")) then
    call:finish(FAILURES[reply.fail] or "ANSWERED", not UNSENT[reply.fail], self._now, self:wall())
  end
  return true
end

-- The moment at which something happens next, or nil.
local function next_event(self)
  local at
  for call in pairs(self._calls) do
    local flight = self._flights[call]
    for _, t in ipairs { flight and flight.at or math.huge, call:due() or math.huge } do
      if not at or t < at then at = t end
    end
  end
  return at ~= math.huge and at or nil
end

-- Notes for news() that the call is not what it was, if somebody waits.
local function note(self, call)
  local id = call:told()
  if id then self._news[#self._news + 1] = id end
end

local function serve(self)
  for call in pairs(self._calls) do
    local flight = self._flights[call]
    local expired = call:expired(self._now)
    if flight and flight.at <= self._now then
      if answer(self, call, flight) then self._flights[call] = nil end
    elseif expired then
      self._flights[call] = nil
      call:finish(expired, true, self._now, self:wall())
    end
    call:tick(self._now)
    note(self, call)
    if call:state() == "done" then self._calls[call] = nil end
  end
end

--- Moves virtual time to the next event, at most 'seconds' on.
---@param seconds? number
function Mock:step(seconds)
  local at = next_event(self)
  local till = seconds and self._now + seconds
  if not at and not till then error("ofox.mock: nothing will ever happen", 0) end
  if till and (not at or till < at) then at = till end
  self._now = math.max(self._now, at)
  serve(self)
end

--- Lets virtual time pass, with all that happens in it.
---@param seconds number
function Mock:advance(seconds)
  local till = self._now + seconds
  while self._now < till do
    self:step(till - self._now)
    if till - self._now < 1e-9 then self._now = till end
  end
end

function Mock:cancel(call)
  self._flights[call], self._calls[call] = nil, nil
  call:abort("CANCELLED", self._now)
  note(self, call)
end

--- What call:watch() gave for a call that has something new; each once.
---@return userdata|nil
function Mock:news()
  return table.remove(self._news, 1)
end

--- Virtual seconds until something happens by itself, or nil.
---@return number|nil
function Mock:timeout()
  local at = self._news[1] and self._now or next_event(self)
  return at and math.max(0, at - self._now)
end

return mock
