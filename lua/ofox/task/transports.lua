--- The transports with calls that are waited for, all of which must be served: the
-- engine, in real time, and mocks, each in its own time or in that of the Lua state.
-- Does not know who waits, nor for which call.
require "ofox.base.uncompiled" ()
local clock = require "ofox.task.clock"
local core = require("ofox.base.native")("core")
local guests = require "ofox.task.guests"
local transports = {}

local counts = {} -- transport -> number of waits for its calls
local kinds, mocks = 0, 0 -- number of transports, and how many of them are not engines

--- That table: a caller that finds a transport in it may increment the count itself.
transports.counts = counts

local untold -- news taken but not yet delivered: memory may run out in between

--- Counts one more or one fewer wait for a call of a transport.
---@param transport table|nil
---@param change 1|-1
function transports.count(transport, change)
  if not transport then return end
  local before = counts[transport]
  local count = (before or 0) + change
  counts[transport] = count > 0 and count or nil
  local more = (count > 0 and 1 or 0) - (before and 1 or 0)
  kinds, mocks = kinds + more, mocks + (transport.is_ours and 0 or more)
end

-- Is it a mock with a clock of its own? Not an engine, nor one of a parent process.
local function is_mock(transport)
  return transport ~= clock.virtual() and not transport.is_ours
end

--- Does a mock have something to do? Then no real time has to pass. 'left': whether a
-- task waits for a moment.
---@param left number|nil
---@return boolean
function transports.is_pending(left)
  if untold then return true end
  local virtual = clock.virtual()
  if virtual and (left or virtual:timeout()) then return true end
  if mocks == 0 then return false end
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

--- Takes the news of calls, including those that no task waits for any more: with news
-- left in it, the engine's next step returns immediately.
---@param made table|nil  the engine of this process
---@param heard fun(note: any)
function transports.take_news(made, heard)
  local virtual = clock.virtual()
  if made then
    guests.serve(made) -- which may be news for calls
    take_from(made, heard)
  end
  if virtual then take_from(virtual, heard) end
  if mocks == 0 then return end
  for transport in pairs(counts) do
    if is_mock(transport) then take_from(transport, heard) end
  end
end

--- Returns an engine of the parent process, if there are waits for its calls.
---@param made table|nil  the engine of this process
---@return table|nil
function transports.foreign(made)
  if kinds - mocks == (made and counts[made] and 1 or 0) then return nil end
  for transport in pairs(counts) do
    if transport.is_ours and transport ~= made then return transport end
  end
  return nil
end

-- Lets virtual time pass until the next event, at most 'limit' seconds. False if there
-- will never be one.
local function move_virtual(virtual, limit)
  local own = virtual:timeout()
  if own == 0 then
    virtual:step(0)
  elseif limit ~= 0 and (limit or own) then
    virtual:step(limit)
  end
  return own ~= nil or limit ~= nil
end

-- Moves mocks with clocks of their own to their next event.
local function move_mocks()
  local moved = false
  if mocks == 0 then return moved end
  for transport in pairs(counts) do
    if is_mock(transport) and transport:timeout() then
      transport:step()
      moved = true
    end
  end
  return moved
end

--- Lets time pass until the next event, at most 'limit' seconds.
---@param made table|nil  the engine of this process
---@param limit number|nil
---@param max_events integer|nil  the number of sockets to read; nil: all
function transports.move(made, limit, max_events)
  if untold then limit = 0 end
  local moved = move_mocks()
  local virtual = clock.virtual()
  if virtual then moved = move_virtual(virtual, limit) or moved end
  if moved then
    if made then made:step(0, max_events) end
  elseif made and (limit or counts[made]) then
    made:step(limit, max_events)
  elseif limit then
    if limit > 0 then core.pause(limit) end
  else
    error("ofox: deadlock: nothing can end this wait (do tasks wait for each other?)", 0)
  end
end

return transports
