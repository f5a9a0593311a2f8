--- Who runs when: tasks that are ready, tasks that wait for calls, for a moment
-- or for each other, and the transports that have to be served for them.
-- Knows nothing of what tasks do, or how they end.
local core = require("ofox.native")("core")
local engine = require "ofox.transport"
local timers = require "ofox.timers"
local yieldable = require "ofox.yieldable"

local scheduler = {}

-- Steps inside of steps, each on top of the other's stack. Deeper waits serve
-- the engine only, for C's stack has an end.
local DEEPEST = 20

-- Seconds that are no time: what is left of a wait when numbers are rounded.
local LEAST = 1e-9

-- A signal that comes just before a pause is noticed after it.
local SLICE = 0.08

local current -- the task that runs; inside its stack others may have run
local rounds = 0 -- of serving those that are ready
local first, last -- of the tasks to be resumed, a list: putting one in takes no memory
local moments = timers.new() -- of tasks that wait for one
local waiters = {} -- what call:watch() gave -> task that waits for that call
local served = {} -- transport -> how many wait for its calls
local alive = 0 -- tasks that have not ended
local depth = 0 -- of steps inside of steps
local nested = 0 -- tasks resumed on top of each other
local virtual -- a mock whose clock stands in for the real one
local host -- the program's own event loop
local awake = 0 -- of those who wait by its means, who have not noticed yet

--- The task that runs, or nil.
---@return table|nil
function scheduler.current()
  return current
end

--- Lets 'clock' (a mock) stand in for time; nil gives real time back. Returns
-- what stood in before.
---@param clock table|nil
---@return table|nil previous
function scheduler.install(clock)
  local previous = virtual
  virtual = clock
  return previous
end

--- The clock that stands in for the real one, or nil.
---@return table|nil
function scheduler.virtual()
  return virtual
end

--- Seconds of a clock that never jumps.
---@return number
function scheduler.now()
  return virtual and virtual:now() or core.now()
end

--- Has waits outside of tasks done by the program's event loop.
---@param loop {wait: fun(seconds: number|nil)}|nil
function scheduler.use_loop(loop)
  host = loop
end

--- Has any task not ended?
---@return boolean
function scheduler.has_tasks()
  return alive > 0
end

--- Is there nothing but what the caller itself waits for?
---@return boolean
function scheduler.is_idle()
  return alive == 0 and not host
end

local function has_ready()
  return first ~= nil
end

-- A mock whose clock is its own: no time has to pass for what happens there.
local function has_pending_mock()
  for transport in pairs(served) do
    if transport ~= engine.made() and transport ~= virtual and transport:timeout() then return true end
  end
  return false
end

-- Seconds of the clock until a task wants to go on by itself; nil: never.
local function until_moment()
  if has_ready() or awake > 0 then return 0 end
  local at = moments:first()
  return at and math.max(0, at - scheduler.now())
end

--- Seconds until step() has something to do although no descriptor speaks;
-- nil: never.
---@return number|nil
function scheduler.timeout()
  local left = until_moment()
  if virtual then
    local own = virtual:timeout()
    if left or own then left = 0 end
  end
  if has_pending_mock() then left = 0 end
  local made = engine.made()
  local own = made and made:timeout()
  return left and own and math.min(left, own) or left or own
end

--- Lets the engine's descriptor show what only is known here.
function scheduler.sync()
  local made = engine.made()
  if not made then return end
  local left = until_moment()
  if virtual and (left or virtual:timeout()) or has_pending_mock() then left = 0 end
  made:alarm(left and core.now() + left)
end

--- A task has begun, or ended.
---@param change 1|-1
function scheduler.count(change)
  alive = alive + change
end

local function enqueue(task)
  if task.is_ready then return end
  task.is_ready, task.round = true, rounds
  if last then last.next_ready = task else first = task end
  last = task
end

--- Resumes a task when it is its turn.
---@param task table
function scheduler.enqueue(task)
  enqueue(task)
  if depth == 0 then scheduler.sync() end
end

local function serve(transport, change)
  if not transport then return end
  local count = (served[transport] or 0) + change
  served[transport] = count > 0 and count or nil
end

-- What a task waits for is over: its call has news, its moment has come, or
-- somebody has woken it.
local function forget_wait(task)
  if task.moment then moments:remove(task.moment) end
  if task.is_served then serve(task.transport, -1) end
  task.is_served = false
  scheduler.unwatch(task)
  task.moment = nil
end

--- Lets a task that waits go on; one that does not wait is left alone.
---@param task table
---@return boolean woken
function scheduler.wake(task)
  if not task.waiting then return false end
  if task.standing then
    task.waiting, task.woken, awake = false, true, awake + 1
    return true
  end
  enqueue(task) -- first, since what follows ends where memory does
  task.waiting = false
  forget_wait(task)
  if depth == 0 then scheduler.sync() end
  return true
end

--- Has a task run until it waits or ends.
---@param task table
---@param run fun(task: table): table  resumes its thread
---@return boolean ok  what pcall gives: false, too, where there was no memory
---@return any results
function scheduler.resume(task, run)
  local outer, deep = current, nested
  current, nested = task, nested + 1
  local ok, results = pcall(run, task)
  current, nested = outer, deep
  if depth == 0 then scheduler.sync() end -- it may wait for a moment now
  return ok, results
end

--- Is it wiser to have a task start at its turn than on top of this stack?
---@return boolean
function scheduler.is_deep()
  return nested >= DEEPEST
end

--- May the running function yield to us? Only where it stands in the task's
-- own coroutine, with nothing between that cannot.
---@return boolean
function scheduler.may_yield()
  return current ~= nil and coroutine.running() == current.thread and yieldable()
end

-- Steps

-- Those that become ready meanwhile wait for the next round.
local function serve_ready()
  local round = rounds
  rounds = rounds + 1
  while first and first.round <= round do
    local task = first
    first = task.next_ready or nil
    if not first then last = nil end
    task.next_ready, task.is_ready = false, false
    task.go_on(task)
  end
end

local function take_from(transport)
  local note = transport:news()
  while note do
    if waiters[note] then scheduler.wake(waiters[note]) end
    note = transport:news()
  end
end

-- Also where nobody waits any more: what is left untaken has the next step
-- return at once.
local function take_news()
  local made = engine.made()
  if made then take_from(made) end
  if virtual then take_from(virtual) end
  for transport in pairs(served) do
    if transport ~= made and transport ~= virtual then take_from(transport) end
  end
end

local function wake_due()
  local now = scheduler.now() + LEAST
  local task = moments:due(now)
  while task do
    task.moment = nil
    scheduler.wake(task)
    task = moments:due(now)
  end
end

-- A child must not wait for its parent's calls.
local function drop_foreign()
  local made = engine.made()
  for transport in pairs(served) do
    if transport.is_ours and transport ~= made then
      for _, task in pairs(waiters) do
        if task.transport == transport then
          task.call:abort("RESET", core.now())
          scheduler.wake(task)
        end
      end
    end
  end
end

local function shorter(a, b)
  return a and b and math.min(a, b) or a or b
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
local function move_mocks(made)
  local moved = false
  for transport in pairs(served) do
    if transport ~= made and transport ~= virtual and transport:timeout() then
      transport:step()
      moved = true
    end
  end
  return moved
end

-- Lets time pass until something happens, at most 'max' seconds.
local function move(max)
  local made = engine.made()
  local limit = shorter(max, until_moment())
  local moved = move_mocks(made)
  if virtual then moved = move_virtual(limit) or moved end
  if moved then
    if made then made:step(0) end
  elseif made and (limit or served[made]) then
    made:step(limit)
  elseif limit then
    if limit > 0 then core.pause(math.min(limit, SLICE)) end
  else
    error("ofox: nothing will ever happen that could end this wait (do tasks wait for each other?)", 0)
  end
end

-- One round.
local function step(max)
  drop_foreign()
  if has_ready() then max = 0 end
  move(max)
  take_news()
  wake_due()
  if depth <= DEEPEST then serve_ready() end
end

--- Lets the tasks that are ready run, and nothing else: those that have been
-- cancelled can end.
function scheduler.flush()
  depth = depth + 1
  pcall(serve_ready)
  depth = depth - 1
end

--- Serves what there is to do, waiting at most 'max' seconds for it (nil: until
-- there is something).
---@param max? number
---@param transport? table  that has to be served, for somebody outside of tasks
---@return boolean  whether tasks, calls or waits are left
function scheduler.step(max, transport)
  if alive > 0 or max or transport then
    local outer, deep = current, nested
    serve(transport, 1)
    depth = depth + 1
    local ok, message = pcall(step, max)
    depth = depth - 1
    current, nested = outer, deep
    serve(transport, -1)
    if not ok then error(message, 0) end
    scheduler.sync()
  end
  return alive > 0
end

-- Waits

-- In a task: until it is woken.
local function suspend(task)
  task.waiting = true
  return coroutine.yield()
end

--- Waits in the running task until it is woken, at most 'seconds'.
---@param seconds? number
function scheduler.yield(seconds)
  local task = current
  if seconds then task.moment = moments:add(scheduler.now() + seconds, task) end
  suspend(task)
end

--- Waits in the running task until the state of a call changes, at most
-- 'seconds'.
---@param transport table
---@param call userdata
---@param seconds? number
function scheduler.yield_for(transport, call, seconds)
  local task = current
  if seconds then task.moment = moments:add(scheduler.now() + seconds, task) end
  scheduler.watch(transport, call, task)
  serve(transport, 1)
  task.is_served = true
  suspend(task)
end

-- Waits outside of tasks by the means of the host, which has others to run:
-- whoever steps next may see this wait end, so it has to be woken.
local function stand_by_host(is_over, transport, till, enter, leave)
  local stander = { standing = true, waiting = false, woken = false }
  while not is_over() do
    local left = till and till - scheduler.now()
    if left and left <= LEAST then return end
    scheduler.step(0, transport)
    if is_over() then return end
    stander.waiting = true
    enter(stander)
    host.wait(shorter(left, scheduler.timeout())) -- also for no time: others may have to run
    leave(stander)
    stander.waiting = false
    if stander.woken then awake, stander.woken = awake - 1, false end
  end
end

--- Is a wait that begins here done by the means of the host? Not on top of a
-- task, nor in a coroutine that could not yield to it.
---@return boolean
function scheduler.is_for_host()
  if not host or current or depth > 0 then return false end
  local thread, is_main = coroutine.running()
  return thread == nil or is_main == true or yieldable()
end

--- Waits where it stands: everything else goes on meanwhile, on top of this
-- stack.
---@param is_over fun(): boolean
---@param transport? table  that has to be served for it
---@param seconds? number
---@param enter fun(stander: table)  has scheduler.wake called with it when it may be over
---@param leave fun(stander: table)
function scheduler.stand(is_over, transport, seconds, enter, leave)
  local till = seconds and scheduler.now() + seconds
  if scheduler.is_for_host() then return stand_by_host(is_over, transport, till, enter, leave) end
  while not is_over() do
    local left = till and till - scheduler.now()
    if left and left <= LEAST then return end
    scheduler.step(left, transport)
  end
end

--- Has a task, or somebody who stands, woken when there is news of a call.
---@param transport table
---@param call userdata
---@param task table
function scheduler.watch(transport, call, task)
  task.note, task.transport, task.call = call:watch(), transport, call
  waiters[task.note] = task
end

--- Ends that.
---@param task table
function scheduler.unwatch(task)
  if task.note then waiters[task.note] = nil end
  task.note, task.call, task.transport = nil, nil, nil
end

return scheduler
