--- Who runs when: tasks that are ready, tasks that wait for calls, for a moment
-- or for each other, and the transports that have to be served for them.
-- Knows nothing of what tasks do, or how they end.
require "ofox.uncompiled" ()
local core = require("ofox.native")("core")
local engine = require "ofox.transport"
local interrupt = require "ofox.interrupt"
local served = require "ofox.served"
local timers = require "ofox.timers"
local yieldable = require "ofox.yieldable"

local scheduler = {}

-- Steps inside of steps, each on top of the other's stack. Deeper waits serve
-- the engine only, for C's stack has an end.
local DEEPEST = 20

-- Seconds that are no time: what is left of a wait when numbers are rounded.
local LEAST = 1e-9

-- PUC Lua 5.1 cannot yield across pcall.
local PCALL_HOLDS = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local current -- the task that runs; inside its stack others may have run
local rounds = 0 -- of serving those that are ready
local first, last -- of the tasks to be resumed, a list: putting one in takes no memory
local moments = timers.new() -- of tasks that wait for one
local waiters = {} -- what call:watch() gave -> task that waits for that call
local alive = 0 -- tasks that have not ended
local depth = 0 -- of steps inside of steps
local nested = 0 -- tasks resumed on top of each other
local host -- the event loop that others run in, see ofox.Loop
local standing = setmetatable({}, { __mode = "k" }) -- who waits by its means
local woken = setmetatable({}, { __mode = "k" }) -- who of them has not noticed yet
local budget = {} -- left: how many turns and events are, in this step; nil: no limit

---@class ofox.Loop  how those wait who are in no task of ours, or in a thread of the host's
---@field wait? fun(seconds: number|nil)  as ofox.use_loop says; of a loop that drives:
--   fun(stander, is_over), which returns when stander.waiting is false or is_over()
---@field drives? boolean  it steps by itself while scheduler.is_wanted()
---@field changed? fun()  what is_wanted and timeout say may have changed
---@field wake? fun(stander: table)  has wait() return
---@field refusal? fun(): string|nil  why nobody can wait here
---@field defers? fun(): boolean  must a task begin at its turn, not here?
---@field current? fun(): table|nil  the task that runs, if tasks are the host's own threads
---@field spawn? fun(task: table, run: function)  starts such a thread
---@field failed? fun(task: table)  a task has failed, and its error is not handled yet
---@field leave? fun(task: table)  ends it where it stands

--- The task that runs, or nil.
---@return table|nil
function scheduler.current()
  if host and host.current then return host.current() end
  if current and host and host.drives then
    -- what others run in the host's main thread while a task stands is not the task
    local thread, is_main = coroutine.running()
    if thread == nil or is_main == true then return nil end
  end
  return current
end

--- Has waits outside of tasks done by an event loop.
---@param loop ofox.Loop|nil
function scheduler.use_loop(loop)
  host = loop
end

--- The event loop in use.
---@return ofox.Loop|nil
function scheduler.loop()
  return host
end

--- Has anybody to be served who cannot do it where he waits?
---@return boolean
function scheduler.is_wanted()
  return next(standing) ~= nil or alive > 0 and not (host and host.spawn)
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

-- Seconds of the clock until a task wants to go on by itself; nil: never.
local function until_moment()
  if has_ready() or next(woken) then return 0 end
  local at = moments:first()
  return at and math.max(0, at - served.now())
end

--- Seconds until step() has something to do although no descriptor speaks;
-- nil: never.
---@return number|nil
function scheduler.timeout()
  local left = until_moment()
  if served.is_pending(left) then left = 0 end
  local made = engine.made()
  local own = made and made:timeout()
  return left and own and math.min(left, own) or left or own
end

--- Lets the engine's descriptor, and a loop that drives, know what only is
-- known here.
function scheduler.sync()
  local made = engine.made()
  if made then
    local left = until_moment()
    if served.is_pending(left) then left = 0 end
    made:alarm(left and core.now() + left)
  end
  if host and host.changed then host.changed() end
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

--- Lets who drives this from outside of it know what has changed.
function scheduler.changed()
  if depth == 0 then scheduler.sync() end
end

--- Resumes a task when it is its turn.
---@param task table
function scheduler.enqueue(task)
  enqueue(task)
  scheduler.changed()
end

-- What a task waits for is over: its call has news, its moment has come, or
-- somebody has woken it.
local function forget_wait(task)
  if task.moment then moments:remove(task.moment) end
  if task.is_served then served.count(task.transport, -1) end
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
    if not host.drives then woken[task] = true end
    task.waiting = false
    if host.wake then host.wake(task) end
    return true
  end
  enqueue(task) -- first, since what follows ends where memory does
  task.waiting = false
  forget_wait(task)
  scheduler.changed()
  return true
end

-- Where memory ends before this, the turn of the task is still to come.
local function run_as(task, run)
  if first == task then
    first = task.next_ready or nil
    if not first then last = nil end
  end
  task.next_ready, task.is_ready = false, false
  current, nested = task, nested + 1
  return run(task)
end

--- Has a task run until it waits or ends.
---@param task table
---@param run fun(task: table): table  resumes its thread
---@return boolean ok  what pcall gives: false, too, where there was no memory
---@return any results
function scheduler.resume(task, run)
  local outer, deep = current, nested
  local ok, results = pcall(run_as, task, run)
  current, nested = outer, deep
  return ok, results
end

--- Is it wiser to have a task start at its turn than on top of this stack?
---@return boolean
function scheduler.is_deep()
  return nested >= DEEPEST or host ~= nil and host.defers ~= nil and host.defers()
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
  while first and first.round <= round and (not budget.left or budget.left > 0) do
    local task = first
    if budget.left then budget.left = budget.left - 1 end
    task.go_on(task) -- which takes it off the list
  end
end

local function wake_due()
  local now = served.now() + LEAST
  local entry = moments:due(now)
  while entry do
    scheduler.wake(entry.what) -- first, as this may want memory
    moments:remove(entry)
    entry = moments:due(now)
  end
end

-- A child must not wait for its parent's calls.
local function drop_foreign()
  local foreign = served.foreign()
  if not foreign then return end
  for _, task in pairs(waiters) do
    if task.transport == foreign then
      task.call:abort("RESET", core.now())
      scheduler.wake(task)
    end
  end
end

local function on_news(note)
  local task = waiters[note]
  if task then scheduler.wake(task) end
  waiters[note] = nil -- of somebody who will never go on it is all that is left
end

local function shorter(a, b)
  return a and b and math.min(a, b) or a or b
end

-- One round.
local function step(max, max_events)
  depth, budget.left = depth + 1, max_events
  drop_foreign()
  if has_ready() then
    max = 0
  elseif host and served.virtual() and served.is_pending(until_moment()) then
    max = nil -- a loop waits elsewhere, and a mock's time has to pass
  end
  served.move(shorter(max, until_moment()), budget.left)
  served.take_news(on_news)
  wake_due()
  if depth <= DEEPEST then serve_ready() end
end

local function serve_all()
  depth, budget.left = depth + 1, nil
  serve_ready()
end

--- Lets the tasks that are ready run, and nothing else: those that have been
-- cancelled can end, however much this step has done.
function scheduler.flush()
  local deep, left = depth, budget.left
  pcall(serve_all)
  depth, budget.left = deep, left
end

-- Serves what there is to do, waiting at most 'max' seconds for it.
local function serve(max, transport, max_events)
  local outer, above, deep, left = current, nested, depth, budget.left
  served.count(transport, 1)
  local ok, message = pcall(step, max, max_events)
  depth, budget.left = deep, left
  current, nested = outer, above
  served.count(transport, -1)
  if not ok then
    pcall(scheduler.sync) -- what is left to do is done by the next step
    interrupt.raise(interrupt.caught(message))
  end
  scheduler.sync()
  if scheduler.after_step then scheduler.after_step() end
end

--- Serves what there is to do, waiting at most 'max' seconds for it (nil: until
-- there is something). Does not wait where nothing will come.
---@param max? number
---@param transport? table  that has to be served, for somebody outside of tasks
---@param max_events? integer  turns of tasks and events of streams that are done at most
---@return boolean  whether tasks, calls or waits are left
function scheduler.step(max, transport, max_events)
  if alive == 0 and not transport then max = 0 end
  serve(max, transport, max_events)
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
  if seconds then task.moment = moments:add(served.now() + seconds, task) end
  suspend(task)
end

--- Waits in the running task until the state of a call changes, at most
-- 'seconds'.
---@param transport table
---@param call userdata
---@param seconds? number
function scheduler.yield_for(transport, call, seconds)
  local task = current
  if seconds then task.moment = moments:add(served.now() + seconds, task) end
  scheduler.watch(transport, call, task)
  served.count(transport, 1)
  task.is_served = true
  suspend(task)
end

scheduler.budget = budget

--- An event of a stream is about to be given to the program. Has this step
-- done all that it may, so that the running task should yield till the next?
---@return boolean
function scheduler.is_spent()
  if not budget.left then return false end
  budget.left = budget.left - 1
  return budget.left < 0 and scheduler.may_yield()
end

-- Has the host wait; as pcall. Whoever runs meanwhile is not in the task that
-- stands here.
local function pause(stander, ...)
  local outer, ok, message = current, true, nil
  stander.waiting, stander.standing = true, true
  standing[stander] = true
  current = nil
  if PCALL_HOLDS and not host.drives then
    scheduler.sync()
    host.wait(...)
  else
    ok, message = pcall(scheduler.sync)
    if ok then ok, message = pcall(host.wait, ...) end
  end
  current = outer
  stander.waiting, stander.standing = false, false
  standing[stander], woken[stander] = nil, nil
  return ok, message
end

-- By the program's own loop, which has others to run: whoever steps next may
-- see this wait end, so it has to be woken.
local function stand_by_loop(is_over, transport, till, enter, leave)
  local stander = {}
  while not is_over() do
    scheduler.step(0, transport)
    local left = till and till - served.now()
    if is_over() or left and left <= LEAST then return end
    enter(stander)
    local ok, message = pause(stander, shorter(left, scheduler.timeout())) -- no time, too: others may have to run
    leave(stander)
    if not ok then error(message, 0) end
  end
end

-- Deeper steps serve the engine only: what is no call would never end.
local function check_depth(transport)
  if depth >= DEEPEST and not transport and not (host and host.spawn) then
    error("ofox: too many tasks wait on top of each other where they cannot yield", 0)
  end
end

-- By a loop that drives.
local function stand_by_host(is_over, transport, till, enter, leave)
  local stander, waited = scheduler.current() or {}, false
  while not is_over() do
    if waited and till and till - served.now() <= LEAST then return end
    check_depth(transport)
    waited = true
    if till then stander.moment = moments:add(till, stander) end
    served.count(transport, 1)
    stander.is_served = transport ~= nil
    enter(stander)
    local ok, message = pause(stander, stander, is_over)
    forget_wait(stander)
    leave(stander)
    if not ok then error(message, 0) end
  end
end

--- Those who wait by the means of the host.
---@return table<table, true>
function scheduler.standing()
  return standing
end

--- Forgets one of them that will never go on, and ends its call.
---@param stander table
function scheduler.forget(stander)
  local call, transport = stander.call, stander.transport
  standing[stander] = nil
  stander.waiting = false
  if call then transport:cancel(call) end
  forget_wait(stander)
  if stander.abandon then stander:abandon() end
end

--- Why nobody can wait here, in a host that has such places.
---@return string|nil
function scheduler.refusal()
  if host and host.refusal and (host.spawn or not scheduler.current()) then return host.refusal() end
  return nil
end

--- Is a wait that begins here done by the means of the host? With the program's
-- own loop not on top of a task, nor in a coroutine that could not yield to it.
---@return boolean
function scheduler.is_for_host()
  if not (host and host.wait) then return false end
  if host.drives then return true end
  if current or depth > 0 then return false end
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
  local till = seconds and served.now() + seconds
  if scheduler.is_for_host() then
    return (host.drives and stand_by_host or stand_by_loop)(is_over, transport, till, enter, leave)
  end
  local waited = false
  while not is_over() do
    local left = till and math.max(0, till - served.now())
    if waited and left and left <= LEAST then return end
    check_depth(transport)
    waited = true
    serve(left, transport) -- also when nobody else is left: a sleep waits for its moment
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
