--- The transports that somebody waits at, and time, which passes for them: the
-- engine's is real, a mock's is virtual, its own or that of all.
require "ofox.uncompiled" ()
local core = require("ofox.native")("core")
local engine = require "ofox.transport"

local served = {}

-- A signal that comes just before a pause is noticed after it.
local SLICE = 0.08

local counts = {} -- transport -> how many wait for its calls
local untold -- news that are taken and that nobody has heard yet: memory may end meanwhile
local virtual -- a mock whose clock stands in for the real one

--- Lets 'clock' (a mock) stand in for time; nil gives real time back. Returns
-- what stood in before.
---@param clock table|nil
---@return table|nil previous
function served.install(clock)
  local previous = virtual
  virtual = clock
  return previous
end

--- The clock that stands in for the real one, or nil.
---@return table|nil
function served.virtual()
  return virtual
end

--- Seconds of a clock that never jumps.
---@return number
function served.now()
  return virtual and virtual:now() or core.now()
end

--- One more waits for calls of a transport, or one less.
---@param transport table|nil
---@param change 1|-1
function served.count(transport, change)
  if not transport then return end
  local count = (counts[transport] or 0) + change
  counts[transport] = count > 0 and count or nil
end

-- A mock whose clock is its own; not an engine, nor one of a parent process.
local function is_mock(transport)
  return transport ~= virtual and not transport.is_ours
end

--- Does a mock have something to do? No real time has to pass for that. 'left':
-- whether a moment of a task is near.
---@param left number|nil
---@return boolean
function served.is_pending(left)
  if untold then return true end
  if virtual and (left or virtual:timeout()) then return true end
  for transport in pairs(counts) do
    if is_mock(transport) and transport:timeout() then return true end
  end
  return false
end

local function take_from(transport, heard)
  untold = untold or transport:news()
  while untold do
    heard(untold)
    untold = transport:news()
  end
end

--- Takes the news of calls, also where nobody waits any more: what is left
-- untaken has the next step return at once.
---@param heard fun(note: any)
function served.take_news(heard)
  local made = engine.made()
  if made then take_from(made, heard) end
  if virtual then take_from(virtual, heard) end
  for transport in pairs(counts) do
    if is_mock(transport) then take_from(transport, heard) end
  end
end

--- An engine that somebody waits at although it belongs to the process that
-- this one was forked of, or nil.
---@return table|nil
function served.foreign()
  local made = engine.made()
  for transport in pairs(counts) do
    if transport.is_ours and transport ~= made then return transport end
  end
  return nil
end

-- Lets virtual time pass until something happens, at most 'limit' seconds.
-- False if nothing ever will.
local function move_virtual(limit)
  local own = virtual:timeout()
  if own == 0 then
    virtual:step(0)
  elseif limit ~= 0 and (limit or own) then
    virtual:step(limit)
  end
  return own ~= nil or limit ~= nil
end

-- Mocks whose clocks are their own go to what happens next.
local function move_mocks()
  local moved = false
  for transport in pairs(counts) do
    if is_mock(transport) and transport:timeout() then
      transport:step()
      moved = true
    end
  end
  return moved
end

--- Lets time pass until something happens, at most 'limit' seconds.
---@param limit number|nil
---@param max_events integer|nil  sockets that are read; nil: what is there
function served.move(limit, max_events)
  if untold then limit = 0 end
  local made = engine.made()
  local moved = move_mocks()
  if virtual then moved = move_virtual(limit) or moved end
  if moved then
    if made then made:step(0, max_events) end
  elseif made and (limit or counts[made]) then
    made:step(limit, max_events)
  elseif limit then
    if limit > 0 then core.pause(math.min(limit, SLICE)) end
  else
    error("ofox: nothing will ever happen that could end this wait (do tasks wait for each other?)", 0)
  end
end

return served
