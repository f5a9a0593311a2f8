--- A transport for tests of programs that use ofox: answers are scripted, time is
-- virtual, everything else (errors, retries, their timing) is real, since the mock
-- drives the same C call as the engine.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local scripted = require "ofox.mock.script"

local mock = {}

-- Virtual time starts at a round date, so that dates in headers are easy to write.
local EPOCH = 1767225600 -- 2026-01-01T00:00:00Z

---@class ofox.Mock
---@field requests ofox.MockRequest[]  what was sent, in order
local Mock = {}
Mock.__index = Mock
Mock.__name = "ofox.mock"

--- Creates a transport that keeps the attempts of calls in a file of JSON lines, without
-- what is secret in them. An existing file is replaced.
---@param path string
---@param transport? table  what moves the bytes; libcurl if absent
---@return ofox.Recorder
function mock.record(path, transport)
  local made, problem = require "ofox.mock.record"(path, transport)
  if problem then error("ofox.mock.record: " .. problem, 2) end
  return made
end

--- Creates a mock: the option transport of one or more clients.
---@return ofox.Mock
function mock.new(...)
  if select("#", ...) > 0 then error("ofox.mock.new: expected no argument, got " .. describe.value((...)), 2) end
  return setmetatable({ requests = {}, _replies = {}, _flights = {}, _calls = {}, _news = {}, _now = 0,
    _epoch = EPOCH }, Mock)
end

--- Creates a mock that answers from the file of a recording: each line once, in any order
-- that fits the requests, with its own timing in virtual time.
---@param path string
---@return ofox.Mock
function mock.replay(path)
  local replay = require "ofox.mock.replay"
  local tape, problem = replay.open(path)
  if problem then error("ofox.mock.replay: " .. problem, 2) end
  local made = mock.new()
  made._tape, made._play = tape, replay.play
  if tape.entries[1] then made._epoch = tape.entries[1].wall end
  return made
end

local function check_self(self, name)
  if type(self) == "table" and self._replies then return end
  local who = "mock:" .. name
  error(("%s: expected a mock before the dot; call it with a colon, %s(…)"):format(who, who), 3)
end

---@class ofox.MockReply
---@field status? integer
---@field headers? table<string, string|number>
---@field body? string|table
---@field sse? (table|string|number)[]
---@field delay? number  virtual seconds before it arrives
---@field fail? string

---@class ofox.MockPart
---@field name string  of the field
---@field content string
---@field filename string|nil  of a file
---@field type string|nil  of a file

---@class ofox.MockRequest
---@field method string
---@field url string
---@field path string
---@field headers table<string, string>  names in lower case
---@field body string|nil  of a request with files: multipart/form-data, in one piece
---@field parts ofox.MockPart[]|nil  the same, taken apart
---@field at number  virtual seconds since the mock was made

-- Validates a reply and returns it in stored form. Level 3 is the caller of the mock.
local function checked(name, reply)
  local kept, problem = reply, nil
  if type(reply) == "table" then
    kept, problem = scripted.read(reply)
  elseif type(reply) ~= "function" then
    problem = "expected a table or a function, got " .. describe.value(reply)
  end
  if problem then error("mock:" .. name .. ": " .. problem, 3) end
  return kept
end

--- Queues an answer to one attempt. Status 200 and no headers unless given; a table
-- as body is sent as JSON. With 'fail' (a code of ofox.errors, such as "refused",
-- "reset", "dns", "timeout") the transfer ends that way, after the other fields.
-- 'sse' answers with a stream instead of a body: a list of events, each a table, sent
-- as JSON, or the text after "data:"; a number is a pause before the next one.
-- "[DONE]" is added to one of chat completions, unless it fails. A function is called when its turn
-- comes, with the request, and returns such a table; what it raises ends the call.
---@param reply ofox.MockReply|fun(request: ofox.MockRequest): ofox.MockReply
---@return ofox.Mock self
function Mock:reply(reply)
  check_self(self, "reply")
  self._replies[#self._replies + 1] = checked("reply", reply)
  return self
end

--- Answers every attempt for which no reply is queued, until another standing reply
-- replaces it or reset() removes it.
---@param reply ofox.MockReply|fun(request: ofox.MockRequest): ofox.MockReply  as for mock:reply
---@return ofox.Mock self
function Mock:always(reply)
  check_self(self, "always")
  self._standing = checked("always", reply)
  return self
end

--- Returns how many queued replies have not been used, and lines of a recording.
---@return integer
function Mock:unused()
  check_self(self, "unused")
  return #self._replies + (self._tape and self._tape:left() or 0)
end

--- Forgets replies, including the standing one, and requests; a recording may answer
-- again from its beginning. Time does not change,
-- and calls that have their reply continue.
---@return ofox.Mock self
function Mock:reset()
  check_self(self, "reset")
  self.requests, self._replies, self._standing = {}, {}, nil
  if self._tape then self._tape:rewind() end
  return self
end

--- Returns the virtual seconds since the mock was created.
---@return number
function Mock:now()
  check_self(self, "now")
  return self._now
end

--- Returns the virtual date, in seconds since 1970.
---@return number
function Mock:wall()
  check_self(self, "wall")
  return self._epoch + self._now
end

--- Makes ofox.sleep and every other wait of this Lua state use virtual time.
---@return fun() uninstall
function Mock:install()
  check_self(self, "install")
  local clock = require "ofox.task.clock"
  local previous = clock.install(self)
  return function() clock.install(previous) end
end

local function record(self, attempt)
  local headers = {}
  local function add(line)
    local name, value = line:match("^([^:;]+):%s*(.*)$")
    headers[(name or line:match("^[^;]+")):lower()] = value or ""
  end
  for _, line in ipairs(attempt.lines) do add(line) end
  local request = {
    method = attempt.method,
    url = attempt.url,
    path = attempt.url:match("^%a+://[^/?#]+([^?#]*)"),
    headers = headers,
    body = attempt.body,
    parts = attempt.parts,
    at = self._now,
  }
  self.requests[#self.requests + 1] = request
  return request
end

-- Returns the next reply. Raises what a reply function raises, or what is wrong.
local function next_reply(self, request)
  local what = ("request %d, %s %s"):format(#self.requests, request.method, request.path)
  local reply = table.remove(self._replies, 1) or self._standing
  if not reply then error("ofox.mock: no reply is queued for " .. what, 0) end
  if type(reply) == "table" then return reply end
  local kept, problem = scripted.read(reply(request))
  if not kept then error(("ofox.mock: the function returned an invalid reply for %s: %s"):format(what, problem), 0) end
  return kept
end

-- Returns the line of a recording that answers an attempt, if there is one. What the
-- program has queued answers other requests.
local function recorded(self, call, attempt)
  local entry, problem = self._tape:take(call, attempt)
  if entry then
    self._epoch = entry.wall - self._now
  elseif not self._replies[1] and not self._standing then
    error(problem, 0)
  end
  return entry
end

local function reply_to(self, call, attempt)
  local request = record(self, attempt)
  return self._tape and recorded(self, call, attempt) or next_reply(self, request)
end

-- Does what the engine would: begins the attempt, which ends in a later step.
function Mock:start(call, attempt)
  local begun = call:begin(self._now)
  if begun or call:state() == "wait" then self._calls[call] = true end
  if not begun then return end
  local ok, reply = pcall(reply_to, self, call, attempt)
  if not ok then
    call:abort("SEND", self._now)
    error(reply, 0)
  end
  if reply.sent then call:connected(false, self._now) end
  local delay = reply.moments and reply.moments[1].at or reply.delay
  self._flights[call] = { began = self._now, at = self._now + delay, reply = reply, sent = 0 }
end

local function send_head(self, call, reply)
  call:head(("HTTP/1.1 %d"):format(reply.status), self._now)
  for name, value in pairs(reply.headers) do call:head(name .. ": " .. value, self._now) end
  return call:head("", self._now)
end

-- Sends the parts of a reply that are due; true when all are sent.
local function answer(self, call, flight)
  local reply = flight.reply
  if reply.moments then return self._play(flight, call, self._now, self:wall()) end
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
  -- a limit of the client expires by itself
  if not reply.silent then call:finish(reply.outcome, reply.sent, self._now, self:wall()) end
  return true
end

-- Returns the moment of the next event, or nil.
local function next_event(self)
  local at, flights = math.huge, self._flights
  for call in pairs(self._calls) do
    if call:state() == "done" then return self._now end -- a step failed before it was recorded
    local flight, due = flights[call], call:due()
    if flight and flight.at < at then at = flight.at end
    if due and due < at then at = due end
  end
  return at ~= math.huge and at or nil
end

-- Records for news() that the state of a call has changed, if a task waits for it.
local function note(self, call)
  local news = self._news
  local place = #news + 1
  news[place] = false -- allocates first: the news is taken only once
  news[place] = call:told()
end

local function serve(self)
  for call in pairs(self._calls) do
    local flight = self._flights[call]
    local expired = call:expired(self._now)
    if call:state() == "done" then
      self._flights[call] = nil -- cancelled with its twin
    elseif flight and flight.at <= self._now then
      if answer(self, call, flight) then self._flights[call] = nil end
    elseif expired then
      self._flights[call] = nil
      call:finish(expired, true, self._now, self:wall())
    end
    call:tick(self._now)
  end
  for call in pairs(self._calls) do -- after all of them: one may have news of another
    note(self, call)
    if call:state() == "done" then self._calls[call] = nil end
  end
end

--- Moves virtual time to the next event, at most by 'seconds'.
---@param seconds? number
function Mock:step(seconds)
  check_self(self, "step")
  local at = next_event(self)
  local till = seconds and self._now + seconds
  if not at and not till then error("ofox.mock: deadlock: no event is pending", 0) end
  if till and (not at or till < at) then at = till end
  self._now = math.max(self._now, at)
  serve(self)
end

--- Lets virtual time pass, with all events in it.
---@param seconds number
function Mock:advance(seconds)
  check_self(self, "advance")
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

--- Returns what call:watch() returned for a call that has news; each once.
---@return userdata|nil
function Mock:news()
  return table.remove(self._news, 1)
end

--- Returns the virtual seconds until the next event, or nil.
---@return number|nil
function Mock:timeout()
  local at = #self._news > 0 and self._now or next_event(self)
  return at and math.max(0, at - self._now)
end

return mock
