--- Reads the events of a stream whose call has been opened: waits for them,
-- decodes them, and tells the program once how it all ended.
local interrupt = require "ofox.task.interrupt"
local json = require "ofox.json"
local reserve = require "ofox.base.reserve"
local response = require "ofox.answer.response"
local wait = require "ofox.task.wait"

local budget = wait.budget

local reader = {}

---@class ofox.Reader
local Reader = {}
Reader.__index = Reader

local WEAK = { __mode = "v" }

--- Makes the reader of an open run.
---@param run table  of driver.open
---@return ofox.Reader
function reader.new(run)
  local self = setmetatable({
    run = run, call = run.call, settings = run.template.settings, dialect = run.template.dialect,
    next_text = run.call:texts(),
    concluded = false, -- nothing more comes
    closed = false, -- since the program wants no more
    lost = nil, -- why reading on is an error, where it was not the reader who closed it
    reading = false, -- a task waits for an event
    failure = nil, -- the error, if that is why
  }, Reader)
  -- a stream that is not read may be collected before the task ends
  local target = setmetatable({ self }, WEAK)
  self.release = wait.own(function()
    if target[1] then target[1]:close("was closed when the task that opened it ended; read it in that task") end
  end)
  return self
end

-- What adds events up. Most programs never ask for it.
local function collect(what, ...)
  return reserve.require "ofox.answer.collect"[what](...)
end

-- What reads the JSON of an event that is added up.
local function piece_decoder(self)
  local decoder = self.settings.json
  return function(bytes) return json.decode_piece(bytes, decoder) end
end

-- What had come, without a secret that a server may have put into it.
function Reader:partial()
  local call = self.call
  local chunks, text, events = call:said()
  return collect("partial", self.dialect, chunks, text, events, piece_decoder(self),
    function(said) return call:clean(said) end)
end

function Reader:conclude()
  local run, call = self.run, self.call
  if self.concluded then return end
  self.concluded = true
  run:release()
  call:release()
  self.release()
  if self.closed then return end
  if not call:failed() then
    run:succeed(run, function() return self:answer() end)
    return
  end
  self.failure = run:final_error()
  self.failure.partial = self:partial()
  run:fail(self.failure)
end

-- Waits for an event: true if there is one, else nothing more comes.
function Reader:await()
  local call = self.call
  while not self.concluded do
    local state = call:state()
    if state == "events" then return true end
    if state == "done" then
      self:conclude()
    else
      self.run:wait()
    end
  end
  return false
end

function Reader:abandon(err)
  self.reading = false
  self:close()
  if not interrupt.is(err) or self.failure then return end
  self.failure, err.partial = err, self:partial()
  self.run:interrupted(err)
end

-- Has another task closed it, which was open before a wait?
function Reader:check_closed(open)
  if open and self.closed then self.lost = self.lost or "was closed while it was being read" end
  if self.lost then error("ofox: the stream " .. self.lost, 0) end
end

function Reader:has_event()
  if self.reading then error("ofox: another task is reading this stream", 0) end
  local open = not self.concluded
  self.reading = true
  local found = wait.protect(self.await, self.abandon, self)
  self.reading = false
  self:check_closed(open)
  return found
end

-- JSON of the next event, whether it is a whole answer, and the name it came
-- with; nil at the end.
function Reader:event()
  repeat -- an entry of the queue may have a text alone
    local data, whole, name = self.call:event()
    if data then return data, whole, name end
  until not self:has_event()
  return nil
end

-- The value of an event. That it is JSON has been seen, but a decoder may want
-- more than that.
function Reader:decode(data)
  local value, message = json.decode(data, self.settings.json)
  if value ~= nil then return value end
  local partial = self:partial()
  self:close()
  self.failure = self.run:unreadable("stream_error", "invalid_json",
    "an event could not be decoded: " .. message, partial)
  return nil
end

--- Goes on in the next step.
function Reader:pause()
  local open = not self.concluded
  wait.pause(self.run.transport, self.call)
  self:check_closed(open)
end

-- A whole answer as the chunk that a reader of chunks expects; nil if it cannot
-- be decoded.
function Reader:reshape(data)
  local value = self:decode(data)
  if value == nil then return nil end
  return collect("chunk", self.dialect, value)
end

-- As call:chunks(), by the program's decoder.
local function decoder_of(self)
  local call = self.call
  return function()
    local data, whole, name = call:event()
    if not data or whole then return nil, data end
    local chunk = self:decode(data)
    if chunk ~= nil and self.dialect == "responses" and chunk.type == nil and name ~= "" then chunk.type = name end
    return chunk
  end
end

--- Gives the function that call:chunks() gives.
---@return fun(): table|nil, string|nil
function Reader:taker()
  self.next_chunk = self.next_chunk or self.settings.json and decoder_of(self) or self.call:chunks()
  return self.next_chunk
end

--- The next chunk, decoded; nil at the end, and then the error if there is one.
---@return table|nil chunk
---@return ofox.Error|nil err
function Reader:chunk()
  if budget.left and wait.is_spent() then self:pause() end
  local chunk, whole = (self.next_chunk or self:taker())()
  if chunk ~= nil then return chunk end
  return self:wait_for_chunk(whole)
end

--- The next chunk that is not the call's first to hand; nil at the end, and
-- then the error if there is one.
---@param whole string|nil  JSON of an answer that came in one piece
---@return table|nil chunk
---@return ofox.Error|nil err
function Reader:wait_for_chunk(whole)
  local chunk
  while chunk == nil do
    if whole then chunk = self:reshape(whole) end
    if chunk ~= nil then return chunk end
    if not self:has_event() then return nil, self.failure end
    chunk, whole = self.next_chunk()
  end
  return chunk
end

--- The JSON of the next event as it came, and its name; nil at the end, and
-- then the error if there is one.
---@return string|nil data
---@return string|ofox.Error|nil name  nil where it had none
function Reader:data()
  if budget.left and wait.is_spent() then self:pause() end
  local data, whole, name = self:event()
  if data and whole and self.dialect ~= "any" then
    local chunk = self:reshape(data)
    data = chunk and json.encode(chunk) or chunk and data
  end
  if not data then return nil, self.failure end
  return data, name ~= "" and name or nil
end

--- The next piece of text; nil at the end, and then the error if there is one.
---@return string|nil text
---@return ofox.Error|nil err
function Reader:read()
  if budget.left and wait.is_spent() then self:pause() end
  local text, whole = self.next_text()
  if text then return text end
  return self:text(whole)
end

--- The next text that is not the call's first to hand; nil at the end, and
-- then the error if there is one.
---@param whole string|nil  JSON of an answer that came in one piece
---@return string|nil text
---@return ofox.Error|nil err
function Reader:text(whole)
  local text
  while not text do
    if whole then
      local value = self:decode(whole)
      local all = value and response.output_text(value) or ""
      if all ~= "" then return all end
    end
    if not self:has_event() then return nil, self.failure end
    text, whole = self.next_text()
  end
  return text
end

-- All that has come, as one answer; nil where the events may mean anything.
function Reader:answer()
  if self.dialect == "any" then return nil end
  local _, text, events = self.call:said()
  return collect("answer", self.dialect, text, events, piece_decoder(self))
end

-- Lets pass what comes until the end: what is wanted of it is kept where it
-- came.
function Reader:pass()
  repeat
    local left = budget.left
    local count = self.call:pass(left and left >= 0 and left + 1 or nil)
    if count > 0 and wait.is_spent(count) then self:pause() end
  until count == 0 and not self:has_event()
end

-- The chunks that still come.
function Reader:list()
  local list = json.array()
  local chunk = self:chunk()
  while chunk ~= nil do
    list[#list + 1] = chunk
    chunk = self:chunk()
  end
  return list
end

--- All that has come and still comes, as one answer.
---@return table|nil answer
---@return ofox.Error|nil err
function Reader:collect()
  local list = self.dialect == "any" and self:list() or self:pass()
  if self.failure then return nil, self.failure end
  if list then return { value = list } end
  return self:answer()
end

--- No more is wanted.
---@param lost? string  why reading on is an error
function Reader:close(lost)
  if self.concluded then return end
  self.known = self.run() -- while it is known
  self.closed, self.lost = true, lost
  self.run.transport:cancel(self.call)
  self:conclude()
end

--- The program wants no more: a call that has succeeded as far as it went.
function Reader:leave()
  if self.concluded then return end
  self:close()
  self.known.closed = true
  self.run:succeed(function() return self.known end, function() return self:answer() end)
end

---@return "open"|"ended"|"failed"|"closed"
function Reader:status()
  if not self.concluded then return "open" end
  return self.failure and "failed" or self.closed and "closed" or "ended"
end

--- What ofox.meta gives, of the call so far.
---@return table
function Reader:meta()
  if not self.concluded then return self.run() end
  self.known = self.known or self.run()
  return self.known
end

return reader
