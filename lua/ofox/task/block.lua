--- Waiting in place: the waiting code stays on its stack and does not yield to the
-- scheduler. An event loop does the waiting if there is one; else steps run here, on
-- top of the waiting stack.
-- Knows nothing of cancelling, nor of how a task is resumed.
local awaited = require "ofox.task.awaited"
local clock = require "ofox.task.clock"
local engine = require "ofox.task.engine"
local guests = require "ofox.task.guests"
local lua = require "ofox.base.lua"
local scheduler = require "ofox.task.scheduler"
local transports = require "ofox.task.transports"
local yieldable = require "ofox.base.yieldable"

local block = {}

--- Waits without tasks or a loop: drives the engine until the state of a call changes,
-- at most 'max' seconds.
---@param transport table  the engine or a mock
---@param call userdata
---@param max? number  seconds
function block.for_call(transport, call, max)
  local drive, state = transport.drive, call:state()
  local till = max and transport:now() + max
  while call:state() == state do
    local left = till and till - transport:now()
    if left and left <= 0 then return end
    if drive then
      drive(transport, call, left)
      guests.serve(transport)
    else
      transport:step(left)
    end
  end
end

local function ignore() end

--- Waits for a time. An existing engine is driven meanwhile: it closes unused
-- connections, and reads ahead in streams.
---@param seconds number
function block.sleep(seconds)
  local till = clock.now() + seconds
  local left = seconds
  while left > 0 do
    local made = engine.made()
    transports.move(made, left)
    transports.take_news(made, ignore) -- nothing else waits here
    left = till - clock.now()
  end
end

--- Does a wait that begins here use the loop? The program's own loop is not used on top
-- of a task, nor in a coroutine that cannot yield to it.
---@return boolean
function block.is_by_loop()
  local loop = scheduler.loop()
  if not (loop and loop.wait) then return false end
  if loop.drives then return true end
  if scheduler.is_inside() then return false end
  local thread, is_main = coroutine.running()
  return thread == nil or is_main == true or yieldable()
end

-- Makes the loop wait; returns as pcall does.
local function pause(stander, ...)
  local loop = scheduler.loop()
  local ok, message = true, nil
  local outer = scheduler.stand(stander)
  if lua.PCALL_HOLDS and not loop.drives then
    scheduler.sync()
    loop.wait(...)
  else
    ok, message = pcall(scheduler.sync)
    if ok then ok, message = pcall(loop.wait, ...) end
  end
  scheduler.go_on(stander, outer)
  return ok, message
end

-- Waits with the program's own loop, which runs other code: a step called by that code
-- may end this wait, so this wait must be woken.
local function stand_by_loop(is_over, transport, till, enter, leave)
  local stander = {}
  while not is_over() do
    scheduler.step(0, transport)
    local left = till and till - clock.now()
    if is_over() or left and left <= clock.LEAST then return end
    enter(stander)
    -- also with no time left: others may have to run
    local ok, message = pause(stander, clock.shorter(left, scheduler.timeout()))
    leave(stander)
    if not ok then error(message, 0) end
  end
end

-- Deeper steps only serve the engine: waits for anything but a call would never end.
local function check_depth(transport)
  local loop = scheduler.loop()
  if scheduler.is_deepest() and not transport and not (loop and loop.spawn) then
    error("ofox: too many nested waits of tasks in places that cannot yield", 0)
  end
end

-- Waits with a loop that drives ofox.
local function stand_by_host(is_over, transport, till, enter, leave)
  local stander, waited = scheduler.current() or {}, false
  while not is_over() do
    if waited and till and till - clock.now() <= clock.LEAST then return end
    check_depth(transport)
    waited = true
    if till then awaited.moment(stander, till) end
    awaited.serve(stander, transport)
    enter(stander)
    local ok, message = pause(stander, stander, is_over)
    awaited.forget(stander)
    leave(stander)
    if not ok then error(message, 0) end
  end
end

--- Waits in place: everything else runs meanwhile, on top of this stack.
---@param is_over fun(): boolean
---@param transport? table  that must be served meanwhile
---@param seconds? number
---@param enter fun(stander: table)  registers it for scheduler.wake, for when the wait may be over
---@param leave fun(stander: table)
function block.stand(is_over, transport, seconds, enter, leave)
  local till = seconds and clock.now() + seconds
  if block.is_by_loop() then
    local stand = scheduler.loop().drives and stand_by_host or stand_by_loop
    return stand(is_over, transport, till, enter, leave)
  end
  local waited = false
  while not is_over() do
    local left = till and math.max(0, till - clock.now())
    if waited and left and left <= clock.LEAST then return end
    check_depth(transport)
    waited = true
    scheduler.serve(left, transport) -- even without tasks: a sleep waits for its moment
  end
end

return block
