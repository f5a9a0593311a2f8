--- Inside nginx: one poller per worker, in a timer, steps the engine while there are
-- waits. It is woken by a thread of nginx's pool that waits for the engine's
-- descriptor, or, without a pool, by timers.
-- Knows nothing of tasks, nor how others wait for its results.
require "ofox.base.uncompiled" ()
local core = require("ofox.base.native")("core")
local engine = require "ofox.task.engine"
local log = require "ofox.base.log"
local ngx_thread = require "ofox.loop.ngx_thread"
local scheduler = require "ofox.task.scheduler"

local ngx = rawget(_G, "ngx")
local semaphore = require "ngx.semaphore"

local poller = {}

-- Seconds between two steps by timers: just after an event, and doubled from there
-- as long as nothing happens.
local SHORTEST, LONGEST = 0.001, 0.008

-- Seconds between two searches for waits whose threads were ended, and of a wait in
-- the pool: a worker that exits spins until that is over.
local SWEEP = 0.05

-- Seconds within which a wait in the pool ends unless others use its thread, and
-- after which an unusable pool is tried again.
local LATE, RETRY = 0.1, 60

-- Seconds within which a timer starts, if it ever does: nginx drops those beyond
-- lua_max_running_timers.
local PATIENCE = 1

local NEVER = math.huge

local is_wanted, sweep -- see serve_for
local is_running, is_stepping = false, false -- the timer, from its request on; a step
local asked -- when the timer was requested, until it starts
local pause = SHORTEST
local kick -- the semaphore at which the timer waits
local swept = 0

local attendant -- the light thread that waits in the pool: "serves", "is late", or nil if there is none
local watched -- the engine whose descriptor it waits for
local till -- when its wait ends by itself; nil: it does not wait
local pool_from = 0 -- the moment from which on the pool may be used
local has_told = false

-- The pool cannot be used for now; logs the reason the first time.
local function leave_pool(level, why)
  pool_from = core.now() + RETRY
  if not has_told then log.print(level, "waits in nginx are done by timers", { why = why }) end
  has_told = true
end

local function step()
  is_stepping = true
  scheduler.step(0)
  is_stepping = false
end

local function round()
  step()
  if ngx.now() - swept < SWEEP then return end
  swept = ngx.now()
  sweep()
end

-- Is there an unfinished wait other than this one?
local function is_awaited(but)
  for stander in pairs(scheduler.standing()) do
    if stander.waiting and stander ~= but then return true end
  end
  return false
end

-- With the pool

-- After the last wait there is one more in the pool, which then finds that nothing is
-- wanted; a call that starts meanwhile uses it.
local function attend()
  watched = engine.get()
  while attendant == "serves" and is_wanted() do
    local seconds = math.min(SWEEP, scheduler.timeout() or SWEEP)
    local moment = core.now() + seconds
    local fd = watched:pollfd(is_awaited() and moment or -NEVER)
    if not fd then return "there is no descriptor for all of them" end
    till = moment
    local ok, why = ngx_thread.wait(fd, seconds)
    till = nil
    if not ok then return why end
    if attendant == "serves" then round() end
  end
  return nil
end

local function failed(message)
  is_stepping = false
  pcall(log.print, "error", "a step failed", { error = message })
  ngx.sleep(SWEEP)
end

local function run_attendant()
  attendant = "serves"
  local ok, why = pcall(attend)
  till = nil
  if not ok then
    failed(why)
  elseif why then
    leave_pool("info", why)
  end
  attendant = nil
  kick:post(1)
end

-- Others may occupy the pool's thread for any time. Checks twice: the worker itself
-- may have been stopped, and the thread with it.
local function watch()
  local count = ngx_thread.count()
  for _ = 1, 2 do
    ngx.update_time() -- nginx measures the wait from here
    if kick:wait(LATE) or ngx_thread.count() ~= count then return end
  end
  attendant, till = "is late", nil
  leave_pool("warn", "the thread_pool ofox is busy with other things")
end

local function may_use_pool()
  if attendant or core.now() < pool_from then return false end
  local why = ngx_thread.refusal()
  if why then leave_pool("info", why) end
  return not why
end

-- With timers

local function attend_by_timer()
  round()
  local longest = scheduler.is_wanted() and pause or SWEEP
  kick:wait(math.max(SHORTEST, math.min(longest, scheduler.timeout() or longest)))
  pause = math.min(pause * 2, LONGEST)
end

-- The timer

local function serve()
  local thread
  while is_wanted() or attendant == "serves" do
    if attendant == "serves" then
      watch()
    elseif may_use_pool() then
      if thread then ngx.thread.wait(thread) end
      thread = ngx.thread.spawn(run_attendant)
    else
      attend_by_timer()
    end
  end
end

local function run()
  if not asked then return end -- another one has started
  asked = nil
  kick = semaphore.new()
  swept = ngx.now()
  local ok, message = pcall(serve)
  if not ok then failed(message) end
  is_running = false
  poller.changed()
end

--- Starts the timer if needed, or makes it check again soon.
function poller.changed()
  if is_stepping or not is_wanted() then return end
  if not is_running or asked and ngx.now() - asked > PATIENCE then
    local ok, message = ngx.timer.at(0, run)
    if not ok then error("ofox: no timer in nginx: " .. message, 0) end
    is_running, asked, pause = true, ngx.now(), SHORTEST
  elseif attendant ~= "serves" and pause > SHORTEST then
    pause = SHORTEST
    if kick and kick:count() < 0 then kick:post(1) end
  end
end

-- Does a single call have something to do immediately?
local function is_first(stander)
  return stander.call ~= nil and scheduler.timeout() == 0 and not is_awaited(stander)
end

--- A wait begins. The request of a single call is sent immediately; with other
-- calls, the poller is notified and does it for all of them.
---@param stander table  it may be woken here
function poller.begin(stander)
  if is_first(stander) and not pcall(step) then is_stepping = false end -- the poller reports the error
  if till then watched:pollfd(till) end
end

--- A wait has ended: more are likely to end.
function poller.stir()
  pause = SHORTEST
end

--- Registers whom the poller serves; called before all else.
---@param wanted fun(): boolean  is there anything to serve?
---@param look fun()  searches for waits whose threads were ended
function poller.serve_for(wanted, look)
  is_wanted, sweep = wanted, look
end

return poller
