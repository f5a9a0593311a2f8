--- Reads the events of an open stream: waits for them, decodes them, and reports
-- once to the program how the stream ended.
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

--- Creates the reader of an open run.
---@param run table  of driver.open
---@return ofox.Reader
function reader.new(run)
  local self = setmetatable({
    run = run, call = run.call, settings = run.template.settings, dialect = run.template.dialect,
    next_text = run.call:texts(),
    concluded = false, -- no more events will arrive
    closed = false, -- by the program
    lost = nil, -- why reading on is an error, if something else closed the stream
    reading = false, -- a task waits for an event
    failure = nil, -- the error with which the stream ended
  }, Reader)
  -- an unread stream may be collected before the task ends
  local target = setmetatable({ self }, WEAK)
  self.release = wait.own(function()
    if target[1] then target[1]:close("was closed when the task that opened it ended; read it in that task") end
  end)
  return self
end

-- Loads the module that accumulates events. Most programs never need it.
local function collect(what, ...)
  return reserve.require "ofox.answer.collect"[what](...)
end

-- Decodes the JSON of an event to be accumulated.
local function piece_decoder(self)
  local decoder = self.settings.json
  return function(bytes) return json.decode_piece(bytes, decoder) end
end

-- Returns err.partial, without secrets that a server may have included.
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

-- Waits for an event: true if there is one; false if no more will arrive.
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

-- Raises if another task has closed the stream; 'open': it was open before a wait.
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

-- Returns the JSON of the next event, whether it is a complete answer, and its
-- event name; nil at the end.
function Reader:event()
  repeat -- an entry of the queue may have text only
    local data, whole, name = self.call:event()
    if data then return data, whole, name end
  until not self:has_event()
  return nil
end

-- Decodes an event. Its JSON has been validated, but a custom decoder may be
-- stricter.
function Reader:decode(data)
  local value, message = json.decode(data, self.settings.json)
  if value ~= nil then return value end
  local partial = self:partial()
  self.call:spoil("stream_error") -- before closing ends it in another way
  self:close()
  self.failure = self.run:unreadable("stream_error", "invalid_json",
    "an event could not be decoded: " .. message, partial)
  return nil
end

--- Resumes in the next step.
function Reader:pause()
  local open = not self.concluded
  wait.pause(self.run.transport, self.call)
  self:check_closed(open)
end

-- Returns a complete answer as a chunk; nil if it cannot be decoded.
function Reader:reshape(data)
  local value = self:decode(data)
  if value == nil then return nil end
  return collect("chunk", self.dialect, value)
end

-- Like call:chunks(), with the program's decoder.
local function decoder_of(self)
  local call = self.call
  return function()
    local data, whole, name = call:event()
    if not data or whole then return nil, data end
    local chunk = self:decode(data)
    if chunk ~= nil and name ~= "" then chunk = collect("named", self.dialect, chunk, name) end
    return chunk
  end
end

--- Returns the function that call:chunks() returns.
---@return fun(): table|nil, string|nil
function Reader:taker()
  self.next_chunk = self.next_chunk or self.settings.json and decoder_of(self) or self.call:chunks()
  return self.next_chunk
end

--- Returns the next chunk, decoded; nil at the end, and the error if there is one.
---@return table|nil chunk
---@return ofox.Error|nil err
function Reader:chunk()
  if budget.left and wait.is_spent() then self:pause() end
  local chunk, whole = (self.next_chunk or self:taker())()
  if chunk ~= nil then return chunk end
  return self:wait_for_chunk(whole)
end

--- Returns the next chunk when the core has none ready; nil at the end, and the
-- error if there is one.
---@param whole string|nil  JSON of an answer that was sent whole
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

--- Returns the raw JSON of the next event, and its name; nil at the end, and the
-- error if there is one.
---@return string|nil data
---@return string|ofox.Error|nil name  nil if it had none
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

--- Returns the next piece of text; nil at the end, and the error if there is one.
---@return string|nil text
---@return ofox.Error|nil err
function Reader:read()
  if budget.left and wait.is_spent() then self:pause() end
  local text, whole = self.next_text()
  if text then return text end
  return self:text(whole)
end

--- Returns the next text when the core has none ready; nil at the end, and the error
-- if there is one.
---@param whole string|nil  JSON of an answer that was sent whole
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

-- Returns all events as one answer; nil where events may have any meaning.
function Reader:answer()
  if self.dialect == "any" then return nil end
  local _, text, events = self.call:said()
  return collect("answer", self.dialect, text, events, piece_decoder(self))
end

-- Skips events until the end: the transcript keeps what is needed of them.
function Reader:pass()
  repeat
    local left = budget.left
    local count = self.call:pass(left and left >= 0 and left + 1 or nil)
    if count > 0 and wait.is_spent(count) then self:pause() end
  until count == 0 and not self:has_event()
end

-- Returns the chunks that are still to come.
function Reader:list()
  local list = json.array()
  local chunk = self:chunk()
  while chunk ~= nil do
    list[#list + 1] = chunk
    chunk = self:chunk()
  end
  return list
end

--- Reads to the end and returns everything as one answer.
---@return table|nil answer
---@return ofox.Error|nil err
function Reader:collect()
  local list = self.dialect == "any" and self:list() or self:pass()
  if self.failure then return nil, self.failure end
  if list then return { value = list } end
  return self:answer()
end

--- More has arrived than may be kept: closes the stream.
---@return ofox.Error
function Reader:overflow()
  self.call:spoil("response_error")
  self:close()
  self.failure = self.run:unreadable("response_error", "too_large",
    "the answer is larger than max_response_bytes")
  return self.failure
end

--- Closes the stream.
---@param lost? string  why reading on is an error
function Reader:close(lost)
  if self.concluded then return end
  self.known = self.run() -- while it is available
  self.closed, self.lost = true, lost
  self.run.transport:cancel(self.call)
  self:conclude()
end

--- The program stops reading: the call counts as a success up to this point.
function Reader:leave()
  if self.concluded then return end
  self.call:leave(self.run.transport:now())
  self:close()
  self.known.closed = true
  self.run:succeed(function() return self.known end, function() return self:answer() end)
end

---@return "open"|"ended"|"failed"|"closed"
function Reader:status()
  if not self.concluded then return "open" end
  return self.failure and "failed" or self.closed and "closed" or "ended"
end

--- Returns what ofox.meta returns, for the call up to this point.
---@return table
function Reader:meta()
  if not self.concluded then return self.run() end
  self.known = self.known or self.run()
  return self.known
end

return reader
