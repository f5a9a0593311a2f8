--- Decides who runs when: the running task, tasks that are ready, steps that serve what
-- is awaited and then run the ready tasks, and the event loop of the host.
-- Knows nothing of what tasks do, how they end, or how a wait in place works.
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

-- The limit of nested steps, each on top of the other's stack. Deeper waits serve only
-- the engine, because C's stack is limited.
local DEEPEST = 20

local current -- the running task; others may have run on top of its stack
local rounds = 0 -- of running the ready tasks
local first, last -- of the tasks to be resumed, a linked list: adding one needs no memory
local alive = 0 -- tasks that have not ended
local depth = 0 -- of nested steps
local nested = 0 -- tasks resumed on top of each other
local loop -- the event loop of the host, see ofox.Loop
local standing = setmetatable({}, { __mode = "k" }) -- standers: waits in place that the loop does
local woken = setmetatable({}, { __mode = "k" }) -- those of them that have not resumed yet
local budget = {} -- turns and events left in this step; nil: no limit

---@class ofox.Loop  how waits are done outside of tasks, and in tasks that are threads of the host
---@field wait? fun(seconds: number|nil)  as for ofox.use_loop; for a loop that drives:
--   fun(stander, is_over), which returns when stander.waiting is false or is_over()
---@field drives? boolean  it calls step by itself while scheduler.is_wanted()
---@field changed? fun()  the results of is_wanted and timeout may have changed
---@field wake? fun(stander: table)  makes wait() return
---@field refusal? fun(): string|nil  why waiting is not possible here
---@field defers? fun(): boolean  must a task start at its turn, not here?
---@field current? fun(): table|nil  the running task, if tasks are threads of the host
---@field spawn? fun(task: table, run: function)  starts such a thread
---@field failed? fun(task: table)  a task has failed, and its error is not handled yet
---@field leave? fun(task: table)  ends it immediately

--- Returns the running task, or nil.
---@return table|nil
function scheduler.current()
  if not loop then return current end
  if loop.current then return loop.current() end
  if current and loop.drives then
    -- code that runs in the host's main thread while a task waits in place is not the task
    local thread, is_main = coroutine.running()
    if thread == nil or is_main == true then return nil end
  end
  return current
end

--- Makes an event loop do the waits outside of tasks.
---@param given ofox.Loop|nil
function scheduler.use_loop(given)
  loop = given
end

--- Returns the event loop in use.
---@return ofox.Loop|nil
function scheduler.loop()
  return loop
end

--- Are there waits that are not served in place?
---@return boolean
function scheduler.is_wanted()
  return next(standing) ~= nil or alive > 0 and not (loop and loop.spawn)
end

--- Is there a task that has not ended?
---@return boolean
function scheduler.has_tasks()
  return alive > 0
end

--- Is there nothing except what the caller itself waits for?
---@return boolean
function scheduler.is_idle()
  return alive == 0 and not loop
end

--- Is the caller running on top of a task, or of a step?
---@return boolean
function scheduler.is_inside()
  return current ~= nil or depth > 0
end

-- Returns the seconds of the clock until a task resumes by itself; nil: never.
local function until_moment()
  if first or next(woken) then return 0 end
  local at = awaited.first()
  return at and math.max(0, at - clock.now())
end

--- Returns the seconds until step() has something to do even without an event on the
-- descriptor; nil: never.
---@return number|nil
function scheduler.timeout()
  local left = until_moment()
  if transports.is_pending(left) then left = 0 end
  local made = engine.made()
  return clock.shorter(left, made and made:timeout())
end

--- Informs the engine's descriptor, and a loop that drives, of state that is only known
-- here.
function scheduler.sync()
  local made = engine.made()
  if made then
    local left = until_moment()
    if transports.is_pending(left) then left = 0 end
    made:alarm(left and core.now() + left)
  end
  if loop and loop.changed then loop.changed() end
end

--- A task has started, or ended.
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

--- Notifies the outer driver that something has changed.
function scheduler.changed()
  if depth == 0 then scheduler.sync() end
end

--- Resumes a task at its turn.
---@param task table
function scheduler.enqueue(task)
  enqueue(task)
  scheduler.changed()
end

--- The event that a task waits for has happened: its call has news, its moment has
-- passed, or another task has ended. Resumes it; a task that does not wait is ignored.
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
  if not task.is_ready then -- as enqueue; first, since what follows may run out of memory
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

-- If memory runs out before this, the turn of the task is still pending.
local function run_as(task, run)
  if first == task then
    first = task.next_ready or nil
    if not first then last = nil end
  end
  task.next_ready, task.is_ready = false, false
  current, nested = task, nested + 1
  return run(task)
end

--- Runs a task until it waits or ends.
---@param task table
---@param run fun(task: table): table  resumes its thread
---@return boolean ok  from pcall: also false if memory was short
---@return any results
function scheduler.resume(task, run)
  local outer, deep = current, nested
  local ok, results = pcall(run_as, task, run)
  current, nested = outer, deep
  return ok, results
end

--- Should a task start at its turn rather than on top of this stack?
---@return boolean
function scheduler.is_deep()
  return nested >= DEEPEST or loop ~= nil and loop.defers ~= nil and loop.defers()
end

--- Can the running function yield to the scheduler? Only in the task's own coroutine,
-- with nothing in between that cannot yield.
---@return boolean
function scheduler.may_yield()
  return current ~= nil and running() == current.thread and yieldable()
end

-- Steps

-- Tasks that become ready meanwhile wait for the next round.
local function serve_ready()
  local round = rounds
  rounds = rounds + 1
  while first and first.round <= round and (not budget.left or budget.left > 0) do
    local task = first
    if budget.left then budget.left = budget.left - 1 end
    task.go_on(task) -- which removes it from the list
  end
end

local function wake_due()
  local now = clock.now() + clock.LEAST
  local moment = awaited.due(now)
  while moment do
    scheduler.wake(moment.what) -- first, as this may need memory
    awaited.passed(moment)
    moment = awaited.due(now)
  end
end

local function break_off(task)
  task.call:abort("RESET", core.now())
  scheduler.wake(task)
end

-- A child process must not wait for its parent's calls.
local function drop_foreign(made)
  local foreign = transports.foreign(made)
  if foreign then awaited.each_at(foreign, break_off) end
end

local function on_news(note)
  local task = awaited.heard(note)
  if task and wake(task) and not task.standing then return end -- that removed the note
  awaited.drop(note) -- the task will never resume
end

-- Runs one round.
local function step(max, max_events)
  depth, budget.left = depth + 1, max_events
  local made = engine.made()
  drop_foreign(made)
  local left = until_moment()
  if first then
    max = 0
  elseif loop and clock.virtual() and transports.is_pending(left) then
    max = nil -- a loop waits elsewhere, and a mock's time must pass
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

--- Runs the tasks that are ready, and nothing else: cancelled tasks can end, even if
-- this step has used up its budget.
function scheduler.flush()
  local deep, left = depth, budget.left
  pcall(serve_all)
  depth, budget.left = deep, left
end

--- Is this step as deep as any that runs tasks? In deeper ones, waits for anything but a
-- call would never end.
---@return boolean
function scheduler.is_deepest()
  return depth >= DEEPEST
end

--- Serves what is due, waiting at most 'max' seconds for it (nil: no limit), even if
-- there are no tasks.
---@param max number|nil
---@param transport table|nil  that must be served, for a wait in place
---@param max_events? integer  the largest number of task turns and stream events
function scheduler.serve(max, transport, max_events)
  local outer, above, deep, left = current, nested, depth, budget.left
  if transport then transports.count(transport, 1) end
  local ok, message = pcall(step, max, max_events)
  depth, budget.left = deep, left
  current, nested = outer, above
  if transport then transports.count(transport, -1) end
  if not ok then
    pcall(scheduler.sync) -- the next step does the rest
    interrupt.raise(interrupt.caught(message))
  end
  scheduler.sync()
  if scheduler.after_step then scheduler.after_step() end
end

--- The same, but does not wait if nothing can happen.
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

--- An event of a stream is about to be delivered to the program. Has this step used up
-- its budget, so that the running task should yield until the next step?
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

--- From here on the loop does the wait of a stander. Code that runs meanwhile is not in
-- the task that waits here.
---@param stander table  the task that waits in place, or, outside of tasks, a table that represents the wait
---@return table|nil outer  the task that was running, for go_on
function scheduler.stand(stander)
  local outer = current
  stander.waiting, stander.standing = true, true
  standing[stander] = true
  current = nil
  return outer
end

--- The stander resumes.
---@param stander table
---@param outer table|nil
function scheduler.go_on(stander, outer)
  current = outer
  stander.waiting, stander.standing = false, false
  standing[stander], woken[stander] = nil, nil
end

--- Returns all standers.
---@return table<table, true>
function scheduler.standing()
  return standing
end

--- Forgets a stander that will never resume, and ends its call.
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
