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
local tasks = setmetatable({}, { __mode = "k" }) -- thread -> its task
local children = setmetatable({}, { __mode = "k" }) -- thread -> the threads that it started
local is_running, is_stepping = false, false -- the timer; a step of it
local pause = SHORTEST
local kick -- the semaphore at which the timer waits

-- A request whose client has gone is ended where it stands, without a word:
-- what shows is that nobody waits at its semaphore any more.
local function sweep()
  for stander in pairs(scheduler.standing()) do
    if stander.waiting and stander.semaphore and stander.semaphore:count() >= 0 then
      scheduler.forget(stander)
    end
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

-- A thread that has ended is kept by nginx until its parent takes note.
local function reap(parent)
  local list = children[parent]
  if not list then return end
  for i = #list, 1, -1 do
    if list[i].task.status ~= "running" then
      ngx.thread.wait(list[i].thread)
      table.remove(list, i)
    end
  end
end

--- Waits until somebody wakes it.
---@param stander table
---@param is_over fun(): boolean
function loop.wait(stander, is_over)
  reap(coroutine.running())
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
  return tasks[coroutine.running()]
end

--- Runs a task as a light thread.
---@param task table
---@param run_task fun(task: table, fn: function, ...: any)
---@param ... any
function loop.spawn(task, run_task, ...)
  local parent = coroutine.running()
  reap(parent)
  local list = children[parent] or {}
  children[parent] = list
  local thread = ngx.thread.spawn(function(...)
    tasks[coroutine.running()] = task
    run_task(task, ...)
  end, ...)
  list[#list + 1] = { thread = thread, task = task }
end

local LEVELS = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN, error = ngx.ERR }

log.to(function(line, level) ngx.log(LEVELS[level] or ngx.ERR, line) end)

return loop
