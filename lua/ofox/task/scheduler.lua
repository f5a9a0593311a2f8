--- Who runs when: the task that runs, tasks that are ready, steps that serve
-- what is awaited and then let the ready tasks run, and the event loop that
-- others run in.
-- Knows nothing of what tasks do, how they end, or how a wait in place is done.
require "ofox.base.uncompiled" ()
local awaited = require "ofox.task.awaited"
local clock = require "ofox.task.clock"
local core = require("ofox.base.native")("core")
local engine = require "ofox.task.engine"
local interrupt = require "ofox.task.interrupt"
local transports = require "ofox.task.transports"
local yieldable = require "ofox.base.yieldable"

local forget, await_call = awaited.forget, awaited.call
local running, yield = coroutine.running, coroutine.yield

local scheduler = {}

-- Steps inside of steps, each on top of the other's stack. Deeper waits serve
-- the engine only, for C's stack has an end.
local DEEPEST = 20

local current -- the task that runs; inside its stack others may have run
local rounds = 0 -- of serving those that are ready
local first, last -- of the tasks to be resumed, a list: putting one in takes no memory
local alive = 0 -- tasks that have not ended
local depth = 0 -- of steps inside of steps
local nested = 0 -- tasks resumed on top of each other
local loop -- the event loop that others run in, see ofox.Loop
local standing = setmetatable({}, { __mode = "k" }) -- standers, which wait by the loop's means
local woken = setmetatable({}, { __mode = "k" }) -- those of them that have not gone on yet
local budget = {} -- left: how many turns and events are, in this step; nil: no limit

---@class ofox.Loop  how waits are done outside of tasks, and in tasks that are threads of the host's own
---@field wait? fun(seconds: number|nil)  as ofox.use_loop says; of a loop that drives:
--   fun(stander, is_over), which returns when stander.waiting is false or is_over()
---@field drives? boolean  it steps by itself while scheduler.is_wanted()
---@field changed? fun()  what is_wanted and timeout say may have changed
---@field wake? fun(stander: table)  has wait() return
---@field refusal? fun(): string|nil  why waiting is not possible here
---@field defers? fun(): boolean  must a task begin at its turn, not here?
---@field current? fun(): table|nil  the task that runs, if tasks are the host's own threads
---@field spawn? fun(task: table, run: function)  starts such a thread
---@field failed? fun(task: table)  a task has failed, and its error is not handled yet
---@field leave? fun(task: table)  ends it where it stands

--- The task that runs, or nil.
---@return table|nil
function scheduler.current()
  if not loop then return current end
  if loop.current then return loop.current() end
  if current and loop.drives then
    -- what others run in the host's main thread while a task stands is not the task
    local thread, is_main = coroutine.running()
    if thread == nil or is_main == true then return nil end
  end
  return current
end

--- Has waits outside of tasks done by an event loop.
---@param given ofox.Loop|nil
function scheduler.use_loop(given)
  loop = given
end

--- The event loop in use.
---@return ofox.Loop|nil
function scheduler.loop()
  return loop
end

--- Are there waits that are not served where they stand?
---@return boolean
function scheduler.is_wanted()
  return next(standing) ~= nil or alive > 0 and not (loop and loop.spawn)
end

--- Has any task not ended?
---@return boolean
function scheduler.has_tasks()
  return alive > 0
end

--- Is there nothing but what the caller itself waits for?
---@return boolean
function scheduler.is_idle()
  return alive == 0 and not loop
end

--- Does the caller run on top of a task, or of a step?
---@return boolean
function scheduler.is_inside()
  return current ~= nil or depth > 0
end

-- Seconds of the clock until a task wants to go on by itself; nil: never.
local function until_moment()
  if first or next(woken) then return 0 end
  local at = awaited.first()
  return at and math.max(0, at - clock.now())
end

--- Seconds until step() has something to do although no descriptor speaks;
-- nil: never.
---@return number|nil
function scheduler.timeout()
  local left = until_moment()
  if transports.is_pending(left) then left = 0 end
  local made = engine.made()
  return clock.shorter(left, made and made:timeout())
end

--- Lets the engine's descriptor, and a loop that drives, know what only is
-- known here.
function scheduler.sync()
  local made = engine.made()
  if made then
    local left = until_moment()
    if transports.is_pending(left) then left = 0 end
    made:alarm(left and core.now() + left)
  end
  if loop and loop.changed then loop.changed() end
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

--- What a task waits for has come: its call has news, its moment is there, or
-- another task has ended. Lets it go on; one that does not wait is left alone.
---@param task table  or a stander
---@return boolean woken
function scheduler.wake(task)
  if not task.waiting then return false end
  if task.standing then
    if not loop.drives then woken[task] = true end
    task.waiting = false
    if loop.wake then loop.wake(task) end
    return true
  end
  if not task.is_ready then -- as enqueue; first, since what follows ends where memory does
    task.is_ready, task.round = true, rounds
    if last then last.next_ready = task else first = task end
    last = task
  end
  task.waiting = false
  forget(task)
  if depth == 0 then scheduler.sync() end
  return true
end

local wake = scheduler.wake

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
  return nested >= DEEPEST or loop ~= nil and loop.defers ~= nil and loop.defers()
end

--- May the running function yield to us? Only where it stands in the task's
-- own coroutine, with nothing between that cannot.
---@return boolean
function scheduler.may_yield()
  return current ~= nil and running() == current.thread and yieldable()
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
  local now = clock.now() + clock.LEAST
  local moment = awaited.due(now)
  while moment do
    scheduler.wake(moment.what) -- first, as this may want memory
    awaited.passed(moment)
    moment = awaited.due(now)
  end
end

local function break_off(task)
  task.call:abort("RESET", core.now())
  scheduler.wake(task)
end

-- A child must not wait for its parent's calls.
local function drop_foreign(made)
  local foreign = transports.foreign(made)
  if foreign then awaited.each_at(foreign, break_off) end
end

local function on_news(note)
  local task = awaited.heard(note)
  if task and wake(task) and not task.standing then return end -- it has forgotten the call
  awaited.drop(note) -- of a task that will never go on it is all that is left
end

-- One round.
local function step(max, max_events)
  depth, budget.left = depth + 1, max_events
  local made = engine.made()
  drop_foreign(made)
  local left = until_moment()
  if first then
    max = 0
  elseif loop and clock.virtual() and transports.is_pending(left) then
    max = nil -- a loop waits elsewhere, and a mock's time has to pass
  end
  transports.move(made, clock.shorter(max, left), max_events)
  transports.take_news(made, on_news)
  if awaited.first() then wake_due() end
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

--- Is this step as deep as any that lets tasks run? In deeper ones what is no
-- call would never end.
---@return boolean
function scheduler.is_deepest()
  return depth >= DEEPEST
end

--- Serves what there is to do, waiting at most 'max' seconds for it (nil: until
-- there is something), also where there are no tasks.
---@param max number|nil
---@param transport table|nil  that has to be served, for a wait in place
---@param max_events? integer  turns of tasks and events of streams that are done at most
function scheduler.serve(max, transport, max_events)
  local outer, above, deep, left = current, nested, depth, budget.left
  if transport then transports.count(transport, 1) end
  local ok, message = pcall(step, max, max_events)
  depth, budget.left = deep, left
  current, nested = outer, above
  if transport then transports.count(transport, -1) end
  if not ok then
    pcall(scheduler.sync) -- what is left to do is done by the next step
    interrupt.raise(interrupt.caught(message))
  end
  scheduler.sync()
  if scheduler.after_step then scheduler.after_step() end
end

--- The same, but does not wait where nothing will come.
---@param max? number
---@param transport? table
---@param max_events? integer
---@return boolean  whether tasks are left
function scheduler.step(max, transport, max_events)
  if alive == 0 and not transport then max = 0 end
  scheduler.serve(max, transport, max_events)
  return alive > 0
end

scheduler.budget = budget

--- An event of a stream is about to be given to the program. Has this step
-- done all that it may, so that the running task should yield till the next?
---@param count? integer  how many events; 1
---@return boolean
function scheduler.is_spent(count)
  if not budget.left then return false end
  budget.left = budget.left - (count or 1)
  return budget.left < 0 and scheduler.may_yield()
end

-- Waits

--- Waits in the running task until it is woken, at most 'seconds'.
---@param seconds? number
function scheduler.yield(seconds)
  local task = current
  if seconds then awaited.moment(task, clock.now() + seconds) end
  task.waiting = true
  return yield()
end

--- Waits in the running task until the state of a call changes, at most
-- 'seconds'.
---@param transport table
---@param call userdata
---@param seconds? number
function scheduler.yield_for(transport, call, seconds)
  local task = current
  if seconds then awaited.moment(task, clock.now() + seconds) end
  await_call(transport, call, task)
  task.waiting = true
  return yield()
end

--- From here on a stander waits by the loop's means. What runs meanwhile is not
-- in the task that stands here.
---@param stander table  the task that waits in place, or outside of tasks a table that stands for the wait
---@return table|nil outer  the task that ran, for go_on
function scheduler.stand(stander)
  local outer = current
  stander.waiting, stander.standing = true, true
  standing[stander] = true
  current = nil
  return outer
end

--- It goes on.
---@param stander table
---@param outer table|nil
function scheduler.go_on(stander, outer)
  current = outer
  stander.waiting, stander.standing = false, false
  standing[stander], woken[stander] = nil, nil
end

--- All that wait by the loop's means.
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
  awaited.forget(stander)
  if stander.abandon then stander:abandon() end
end

return scheduler
