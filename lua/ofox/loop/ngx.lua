--- Inside nginx: everything that waits is a light thread waiting on a semaphore, and
-- one poller per worker steps the engine while there are waits. Tasks are light
-- threads of the request that started them.
-- Knows nothing of calls, nor of what tasks do.
require "ofox.base.uncompiled" ()
local log = require "ofox.base.log"
local poller = require "ofox.loop.ngx_poller"
local scheduler = require "ofox.task.scheduler"
local yieldable = require "ofox.base.yieldable"

local ngx = assert(rawget(_G, "ngx"), "ofox.loop.ngx is for programs inside nginx")
local semaphore = require "ngx.semaphore"

local loop = { drives = true }

-- Seconds between searches for failed tasks whose handles were collected.
local SOON = 0.5

-- Seconds of one wait on a semaphore, which needs a limit.
local LONG = 3600

-- Seconds for which a call that ended immediately lets other threads run: the
-- shortest time in nginx.
local SHORT = 0.001

-- Phases in which light threads can wait.
local PHASES = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, ssl_cert = true,
  ssl_session_fetch = true, ssl_client_hello = true, preread = true,
}

local spare = {} -- semaphores on which no thread waits
local tasks = {} -- thread -> its task

-- nginx ends threads without notice, and reuses them: a task is lost if its guard no
-- longer waits on its semaphore.
local function is_lost(task)
  return task.guard ~= nil and task.guard:count() >= (task.has_left and 1 or 0)
end

local function lose(thread)
  local task = tasks[thread]
  tasks[thread] = nil
  task:abandon()
end

-- Tasks that wait in nginx's own functions are checked, too: they may be lost.
local function is_wanted()
  return scheduler.is_wanted() or next(tasks) ~= nil
end

-- A request whose client has disconnected is ended wherever it is: the only sign is
-- that no thread waits on its semaphores any more.
local function sweep()
  for stander in pairs(scheduler.standing()) do
    local own = stander.semaphore
    if own and own:count() >= (stander.waiting and 0 or 1) then scheduler.forget(stander) end
  end
  for thread, task in pairs(tasks) do
    if task.guard == nil or is_lost(task) then lose(thread) end
  end
end

poller.serve_for(is_wanted, sweep)

--- Starts the poller if needed, or makes it check again soon.
function loop.changed()
  poller.changed()
end

local function take()
  return table.remove(spare) or semaphore.new()
end

local function give_back(one)
  if one:count() == 0 then spare[#spare + 1] = one end
end

-- The stander was woken before it waited. A program may start such waits in a row.
local function let_others_go_on(stander, own)
  own:wait(0)
  stander.waiting = true -- its thread may be ended here, as anywhere
  own:wait(SHORT)
  stander.waiting = false
end

--- Waits until the stander is woken.
---@param stander table
---@param is_over fun(): boolean
function loop.wait(stander, is_over)
  local own = take()
  stander.semaphore = own
  poller.begin(stander)
  if not stander.waiting then let_others_go_on(stander, own) end
  while stander.waiting and not is_over() do own:wait(LONG) end
  stander.semaphore = nil
  give_back(own)
end

---@param stander table
function loop.wake(stander)
  poller.stir()
  if stander.semaphore then stander.semaphore:post(1) end
end

---@return string|nil
function loop.refusal()
  local phase = ngx.get_phase()
  if phase == "init" then
    return 'cannot wait in nginx\'s phase "init": call it in a timer of init_worker_by_lua, ngx.timer.at(0, …)'
  elseif not PHASES[phase] then
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
  if task and is_lost(task) then
    lose(thread)
    return nil
  end
  return task
end

-- nginx keeps a thread until the one that spawned it handles its end or ends itself,
-- and only that one can kill it: so each task has a thread that does nothing else.
local function guard(task, base, ...)
  local thread = ngx.thread.spawn(base, ...)
  if tasks[thread] == task then
    task.guard = take()
    pcall(loop.changed) -- if no timer is available, the next wait tries again
    while tasks[thread] == task and not task.has_left do task.guard:wait(LONG) end
    give_back(task.guard)
  end
  if task.has_left then ngx.thread.kill(thread) else ngx.thread.wait(thread) end
  tasks[thread] = nil
end

-- Ends when the guard waits on its semaphore.
local function launch(...)
  ngx.thread.spawn(guard, ...)
  coroutine.yield()
end

--- Runs a task as a light thread.
---@param task table
---@param run_task fun(task: table, fn: function, ...: any)
---@param ... any
function loop.spawn(task, run_task, ...)
  local function base(...)
    local thread = coroutine.running()
    tasks[thread] = task
    pcall(loop.changed)
    run_task(task, ...)
    tasks[thread] = nil
    if task.guard then task.guard:post(1) end
  end
  ngx.thread.wait(ngx.thread.spawn(launch, task, base, ...))
end

local will_report = false

local function report()
  will_report = false
  scheduler.after_step()
end

--- The error may have to be reported after the task's handle was collected, but not
-- inside the garbage collector.
function loop.failed()
  if not will_report then will_report = ngx.timer.at(SOON, report) == true end
end

--- Ends the running task immediately.
---@param task table
function loop.leave(task)
  task.has_left = true
  if task.guard then task.guard:post(1) end
  repeat ngx.sleep(LONG) until false
end

local LEVELS = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN, error = ngx.ERR }

log.to(function(line, level) ngx.log(LEVELS[level] or ngx.ERR, line) end)

return loop
