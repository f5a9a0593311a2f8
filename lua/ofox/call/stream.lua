--- A stream as programs see it: chunks, texts, or everything at once. The reader
-- supplies them.
local deliver = require "ofox.call.deliver"
local reader = require "ofox.call.reader"
local wait = require "ofox.task.wait"

local budget, is_spent = wait.budget, wait.is_spent

local stream = {}

---@class ofox.Stream  itself an iterator over chunks: for chunk in stream do
local Stream = {}
Stream.__index = Stream
Stream.__name = "ofox.stream"

-- The key of a stream's only field: a function that returns its reader, so that a
-- dump of a stream shows nothing.
local READER = {}

local function reader_of(self, who)
  local get = type(self) == "table" and rawget(self, READER)
  if not get then error(("%s: expected a stream before the dot; call it with a colon, %s(…)"):format(who, who), 3) end
  return get()
end

-- Returns the next chunk, or nil at the end. A loop would also take a returned error
-- for the end, so a failure is always raised.
local function chunk_or_raise(from)
  local chunk, err = from:chunk()
  if chunk == nil and err then error(err, 0) end
  return chunk
end

--- Returns the next chunk.
---@return table|nil chunk  decoded; nil at the end
---@return ofox.Error|nil err  returned or raised, see the option 'errors'
function Stream:next()
  local from = reader_of(self, "stream:next")
  local chunk, err = from:chunk()
  if chunk == nil and err then return deliver(from.settings, err) end
  return chunk
end

--- Iterates over the chunks. A failure is raised, whatever its class and
-- 'errors'. On Lua 5.4 leaving the loop closes the stream.
---@return fun(): table|nil
function Stream:chunks()
  local from = reader_of(self, "stream:chunks")
  local take = from:taker()
  return function()
    if budget.left and is_spent() then from:pause() end
    local chunk, whole = take()
    if chunk ~= nil then return chunk end
    local err
    chunk, err = from:wait_for_chunk(whole)
    if chunk == nil and err then error(err, 0) end
    return chunk
  end, nil, nil, self
end

--- Iterates over the pieces of the answer's text. This is the fast way: no tables
-- are created. Otherwise like chunks().
---@return fun(): string|nil
function Stream:text()
  local from = reader_of(self, "stream:text")
  local take = from.next_text
  return function()
    if budget.left and is_spent() then from:pause() end
    local text, whole = take()
    if text then return text end
    local err
    text, err = from:text(whole)
    if err then error(err, 0) end
    return text
  end, nil, nil, self
end

--- Returns the next piece of the answer's text.
---@return string|nil text  nil at the end
---@return ofox.Error|nil err  returned or raised, see the option 'errors'
function Stream:read()
  local from = reader_of(self, "stream:read")
  local text, err = from:read()
  if text == nil and err then return deliver(from.settings, err) end
  return text
end

--- Iterates over the raw JSON of the events, for proxies that pass it on. No tables
-- are created. The second value is the event's name, if it had one. Otherwise like
-- chunks().
---@return fun(): string|nil, string|nil
function Stream:data()
  local from = reader_of(self, "stream:data")
  return function()
    local data, name = from:data()
    if data == nil and name then error(name, 0) end
    return data, name
  end, nil, nil, self
end

--- Only streams of bytes have these.
function Stream:bytes()
  reader_of(self, "stream:bytes")
  error("stream:bytes: this is a stream of events; client:request{raw = true, stream = true} gives one of bytes", 2)
end

--- Calls a function with each chunk, and closes the stream however the loop ends.
-- A failure is raised.
---@param fn fun(chunk: table): any  return false to stop early
function Stream:each(fn)
  local from = reader_of(self, "stream:each")
  if type(fn) ~= "function" then error("stream:each: fn: expected a function, got a " .. type(fn), 2) end
  wait.protect(function()
    local chunk = chunk_or_raise(from)
    while chunk ~= nil and fn(chunk) ~= false do chunk = chunk_or_raise(from) end
  end, function() from:leave() end)
  from:leave()
end

--- Reads to the end and returns the response that the same call would have returned
-- without streaming, including what was read before. For client:request{stream =
-- true}, whose events may have any meaning: {value = list of the remaining chunks}.
---@return ofox.Response|nil response
---@return ofox.Error|nil err  returned or raised, see the option 'errors'
function Stream:collect()
  local from = reader_of(self, "stream:collect")
  if from.closed then error("stream:collect: the stream " .. (from.lost or "was closed before its end"), 2) end
  local value, err = from:collect()
  if value == nil then return deliver(from.settings, err) end
  return require "ofox.answer.response".wrap(value, function() return from:meta() end, from.settings.json)
end

--- Closes the stream: nothing more is read, and its connection is closed if the
-- answer has not ended. May be called at any time.
function Stream:close()
  reader_of(self, "stream:close"):leave()
end

--- Returns what is known about the call apart from its chunks: status, headers,
-- request_id, attempts, elapsed (seconds), ratelimit, retries, model_requested.
---@return table
function Stream:meta()
  return reader_of(self, "stream:meta"):meta()
end

function Stream:__call()
  return chunk_or_raise(reader_of(self, "stream"))
end

Stream.__close = Stream.close

function Stream:__tostring()
  return "ofox.stream: " .. reader_of(self, "stream"):status()
end

--- Creates the stream of an open run.
---@param run table  of driver.open
---@return ofox.Stream
function stream.new(run)
  local from = reader.new(run)
  return setmetatable({ [READER] = function() return from end }, Stream)
end

return stream
