--- What tasks wait for: a moment, news of a call, or both. The waiter is a task, or a
-- table that represents a wait in place; this file owns the fields 'moment', 'note',
-- 'call', 'transport' and 'held' of either.
-- Does not know how a task is woken, nor whose turn it is.
require "ofox.base.uncompiled" ()
local timers = require "ofox.task.timers"
local transports = require "ofox.task.transports"

local count, counts = transports.count, transports.counts

local awaited = {}

local moments = timers.new()
local by_note = {} -- result of call:watch() -> the task that waits for that call

--- Makes a task wait for a moment, instead of the moment it waited for before.
---@param task table
---@param at number  of the clock
function awaited.moment(task, at)
  if task.moment then moments:remove(task.moment) end
  task.moment = moments:add(at, task)
end

--- Makes a task wait for news of a call.
---@param transport table
---@param call userdata
---@param task table
function awaited.watch(transport, call, task)
  local note = call:watch()
  task.note, task.transport, task.call = note, transport, call
  by_note[note] = task
end

--- Ends the wait for news.
---@param task table
function awaited.unwatch(task)
  local note = task.note
  if not note then return end
  by_note[note] = nil
  task.note, task.call, task.transport = false, false, false
end

--- Marks a transport to be served for as long as a task waits.
---@param task table
---@param transport table|nil  nil: none
function awaited.serve(task, transport)
  if not transport then return end
  count(transport, 1)
  task.held = transport
end

--- Makes a task wait for news of a call, and its transport be served.
---@param transport table
---@param call userdata
---@param task table
function awaited.call(transport, call, task)
  local note, before = call:watch(), counts[transport]
  task.note, task.transport, task.call = note, transport, call
  by_note[note] = task
  if before then counts[transport] = before + 1 else count(transport, 1) end
  task.held = transport
end

--- Ends the wait of a task, whatever it was for.
---@param task table
function awaited.forget(task)
  if task.moment then
    moments:remove(task.moment)
    task.moment = nil
  end
  local held = task.held
  if held then
    local left = counts[held] - 1
    task.held = false
    if left > 0 then counts[held] = left else count(held, -1) end
  end
  local note = task.note
  if note then
    by_note[note] = nil
    task.note, task.call, task.transport = false, false, false
  end
end

--- Returns the first moment that a task waits for.
---@return number|nil
function awaited.first()
  return moments:first()
end

--- Returns the first moment, if it has passed.
---@param now number
---@return table|nil moment  'what' is the task that waits for it, until passed() is called
function awaited.due(now)
  return moments:due(now)
end

--- A moment has passed, and its task was notified.
---@param moment table  of due
function awaited.passed(moment)
  moments:remove(moment)
  if moment.what.moment == moment then moment.what.moment = nil end
end

--- Returns the task that waits for a call's news.
---@param note any
---@return table|nil task  nil if the wait was abandoned
function awaited.heard(note)
  return by_note[note]
end

--- The news of a call was delivered.
---@param note any
function awaited.drop(note)
  by_note[note] = nil
end

--- Calls a function with each task that waits for a call of a transport.
---@param transport table
---@param fn fun(task: table)  may end its wait
function awaited.each_at(transport, fn)
  for _, task in pairs(by_note) do
    if task.transport == transport then fn(task) end
  end
end

return awaited
