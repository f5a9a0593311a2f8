--- Inside nginx: everything that waits is a light thread and waits at a
-- semaphore, and one timer per worker steps the engine while anybody does.
-- Tasks are light threads of the request that they were started in.
local log = require "ofox.log"
local scheduler = require "ofox.scheduler"
local yieldable = require "ofox.yieldable"

local ngx = assert(rawget(_G, "ngx"), "ofox.loop.ngx is for programs inside nginx")
local semaphore = require "ngx.semaphore"

local loop = { drives = true }

-- Seconds between two steps: just after something has happened, and doubled
-- from there as long as nothing does.
local SHORTEST, LONGEST = 0.001, 0.008

-- Seconds between two looks for waits that nobody will come back to.
local SWEEP = 0.05

-- Seconds of one wait at a semaphore, which wants an end.
local LONG = 3600

-- Where light threads can wait.
local PHASES = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, ssl_cert = true,
  ssl_session_fetch = true, ssl_client_hello = true, preread = true,
}

local spare = {} -- semaphores at which nobody waits
local tasks = {} -- thread -> its task
local bases = setmetatable({}, { __mode = "k" }) -- task -> the function that its thread began with
local is_running, is_stepping = false, false -- the timer; a step of it
local pause = SHORTEST
local kick -- the semaphore at which the timer waits

local getinfo = debug.getinfo

-- The function that a thread began with, or nil.
local function base_of(thread)
  local low, high = -1, 1
  while getinfo(thread, high, "f") do low, high = high, 2 * high end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if getinfo(thread, middle, "f") then low = middle else high = middle end
  end
  return low >= 0 and getinfo(thread, low, "f").func or nil
end

-- Nginx ends threads without a word, and uses them again for others.
local function is_lost(thread, task)
  return base_of(thread) ~= bases[task]
end

local function lose(thread)
  local task = tasks[thread]
  tasks[thread] = nil
  task:abandon()
end

-- A request whose client has gone is ended where it stands: what shows is that
-- nobody waits at its semaphore any more, or what its threads have become.
local function sweep()
  for stander in pairs(scheduler.standing()) do
    if stander.waiting and stander.semaphore and stander.semaphore:count() >= 0 then
      scheduler.forget(stander)
    end
  end
  for thread, task in pairs(tasks) do
    if not task.standing and is_lost(thread, task) then lose(thread) end
  end
end

local function serve()
  local swept = ngx.now()
  while scheduler.is_wanted() do
    is_stepping = true
    scheduler.step(0)
    is_stepping = false
    if ngx.now() - swept >= SWEEP then
      swept = ngx.now()
      sweep()
    end
    kick:wait(math.max(SHORTEST, math.min(pause, scheduler.timeout() or pause)))
    pause = math.min(pause * 2, LONGEST)
  end
end

local function run()
  kick = semaphore.new()
  local ok, message = pcall(serve)
  is_running, is_stepping = false, false
  if not ok then log.print("error", "a step failed", { error = message }) end
  if scheduler.is_wanted() then loop.changed() end
end

--- Starts the timer if it is wanted, or has it look again soon.
function loop.changed()
  if is_stepping or not scheduler.is_wanted() then return end
  if not is_running then
    local ok, message = ngx.timer.at(0, run)
    if not ok then error("ofox: no timer in nginx: " .. message, 0) end
    is_running, pause = true, SHORTEST
  elseif pause > SHORTEST then
    pause = SHORTEST
    if kick and kick:count() < 0 then kick:post(1) end
  end
end

--- Waits until somebody wakes it.
---@param stander table
---@param is_over fun(): boolean
function loop.wait(stander, is_over)
  local own = table.remove(spare) or semaphore.new()
  stander.semaphore = own
  while stander.waiting and not is_over() do own:wait(LONG) end
  stander.semaphore = nil
  if own:count() == 0 then spare[#spare + 1] = own end
end

---@param stander table
function loop.wake(stander)
  pause = SHORTEST
  if stander.semaphore then stander.semaphore:post(1) end
end

---@return string|nil
function loop.refusal()
  local phase = ngx.get_phase()
  if not PHASES[phase] then
    return ("cannot wait in nginx's phase %q: hand the call to ngx.timer.at(0, function() … end)"):format(phase)
  elseif not yieldable() then
    return "cannot wait inside a C function (table.sort, string.gsub, require, …), which would hold up the worker"
  end
  return nil
end

---@return table|nil
function loop.current()
  local thread = coroutine.running()
  local task = tasks[thread]
  if task and is_lost(thread, task) then
    lose(thread)
    return nil
  end
  return task
end

local function launch(base, ...)
  ngx.thread.spawn(base, ...)
end

--- Runs a task as a light thread. A thread that has ended is kept by nginx as
-- long as the one that started it: that is one which ends at once.
---@param task table
---@param run_task fun(task: table, fn: function, ...: any)
---@param ... any
function loop.spawn(task, run_task, ...)
  local function base(...)
    local thread = coroutine.running()
    tasks[thread] = task
    run_task(task, ...)
    tasks[thread] = nil
  end
  bases[task] = base
  ngx.thread.wait(ngx.thread.spawn(launch, base, ...))
end

local LEVELS = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN, error = ngx.ERR }

log.to(function(line, level) ngx.log(LEVELS[level] or ngx.ERR, line) end)

return loop
