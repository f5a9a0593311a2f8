--- A body of any kind as programs see it while it arrives: pieces of bytes.
local deliver = require "ofox.call.deliver"
local reader = require "ofox.call.reader"

local bytes = {}

---@class ofox.ByteStream
local ByteStream = {}
ByteStream.__index = ByteStream
ByteStream.__name = "ofox.stream"

-- The key of a stream's only field: a function that returns its reader, so that a
-- dump of a stream shows nothing.
local READER = {}

-- What a stream of events has, and this has not.
local OF_EVENTS = { next = true, chunks = true, text = true, data = true, each = true }

local function reader_of(self, who)
  local get = type(self) == "table" and rawget(self, READER)
  if not get then error(("%s: expected a stream before the dot; call it with a colon, %s(…)"):format(who, who), 3) end
  return get()
end

--- Iterates over the pieces of the body as they arrive, of any size. A failure is
-- raised, whatever its class and 'errors'. On Lua 5.4 leaving the loop closes the
-- stream.
---@return fun(): string|nil
function ByteStream:bytes()
  local from = reader_of(self, "stream:bytes")
  return function()
    local piece, err = from:data()
    if piece == nil and err then error(err, 0) end
    return piece
  end, nil, nil, self
end

--- Returns the next piece of the body.
---@return string|nil bytes  nil at the end
---@return ofox.Error|nil err  returned or raised, see the option 'errors'
function ByteStream:read()
  local from = reader_of(self, "stream:read")
  local piece, err = from:data()
  if piece == nil and err then return deliver(from.settings, err) end
  return piece
end

--- Reads to the end and returns what is left as the call without a stream would have:
-- {value = bytes}. At most max_response_bytes.
---@return ofox.Response|nil response
---@return ofox.Error|nil err  returned or raised, see the option 'errors'
function ByteStream:collect()
  local from = reader_of(self, "stream:collect")
  if from.closed then error("stream:collect: the stream " .. (from.lost or "was closed before its end"), 2) end
  local pieces, size = {}, 0
  local piece, err = from:data()
  while piece do
    size = size + #piece
    if size > from.settings.max_response_bytes then return deliver(from.settings, from:overflow()) end
    pieces[#pieces + 1] = piece
    piece, err = from:data()
  end
  if err then return deliver(from.settings, err) end
  local value = { value = table.concat(pieces) }
  return require "ofox.answer.response".wrap(value, function() return from:meta() end, from.settings.json)
end

--- Closes the stream: nothing more is read, and its connection is closed if the body
-- has not ended. May be called at any time.
function ByteStream:close()
  reader_of(self, "stream:close"):leave()
end

--- Returns what is known about the call apart from its body, as stream:meta of a
-- stream of events.
---@return table
function ByteStream:meta()
  return reader_of(self, "stream:meta"):meta()
end

setmetatable(ByteStream, { __index = function(_, name)
  if OF_EVENTS[name] then
    error(("stream:%s: a stream of bytes has bytes(), read() and collect() only"):format(name), 2)
  end
  return nil
end })

ByteStream.__close = ByteStream.close

function ByteStream:__tostring()
  return "ofox.stream: " .. reader_of(self, "stream"):status()
end

--- Creates the stream of an open run.
---@param run table  of driver.open
---@return ofox.ByteStream
function bytes.new(run)
  local from = reader.new(run)
  return setmetatable({ [READER] = function() return from end }, ByteStream)
end

return bytes
