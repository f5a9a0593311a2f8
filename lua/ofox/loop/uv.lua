--- Inside libuv's loop: Neovim's, or that of a plain luv program. A handle polls the
-- engine's descriptor while there are tasks or waits, and a step follows when it is
-- readable: in Neovim in the main loop, where its API may be used.
-- Knows nothing of calls, nor of what tasks do.
require "ofox.base.uncompiled" ()
local engine = require "ofox.task.engine"
local interrupt = require "ofox.task.interrupt"
local log = require "ofox.base.log"
local scheduler = require "ofox.task.scheduler"

local vim = rawget(_G, "vim")
local uv = vim and (vim.uv or vim.loop) or require "luv"

local loop = { drives = true }

-- Milliseconds between steps where there is no descriptor to poll.
local TICK = 10

-- Milliseconds of one vim.wait: up to Neovim 0.7 it notices Ctrl-C only at its end.
local SLICE = 80

local poll, polled_fd -- the handle, and what it polls
local timer -- where there is nothing to poll
local active -- the active one of the two
local pending = false -- a step is scheduled in the main loop

-- A program that cleans up closes all handles, including these.
local function is_usable(handle)
  return handle ~= nil and not handle:is_closing()
end

local function stop()
  if is_usable(active) then active:stop() end
  active = nil
end

local function step()
  pending = false
  local ok, message = pcall(scheduler.step, 0)
  if ok then return end
  loop.changed()
  log.print("error", "a step failed", { error = message })
end

local function on_ready()
  if not vim then return step() end
  if pending then return end
  stop() -- it would fire again until the step is done
  pending = true
  vim.schedule(step)
end

local function start()
  local fd = engine.get():pollfd()
  if not fd then
    timer = is_usable(timer) and timer or uv.new_timer()
    timer:start(TICK, TICK, on_ready)
    active = timer
    return
  end
  if fd ~= polled_fd or not is_usable(poll) then
    if is_usable(poll) then poll:close() end
    poll, polled_fd = uv.new_poll(fd), fd
  end
  poll:start("r", on_ready)
  active = poll
end

--- Polls as long as needed.
function loop.changed()
  if not scheduler.is_wanted() then
    stop()
  elseif not is_usable(active) and not pending then
    start()
    scheduler.sync()
  end
end

-- Milliseconds after which a failed task whose handle was dropped is found.
local SOON = 500

if vim then
  local collector
  local failed = setmetatable({}, { __mode = "k" })

  local function collect()
    local unasked = false
    for task in pairs(failed) do
      unasked = unasked or not task.asked
      failed[task] = nil
    end
    if unasked then collectgarbage() end
  end

  --- It is found by a garbage collection, which an idle editor does not run.
  ---@param task table
  function loop.failed(task)
    failed[task] = true
    collector = is_usable(collector) and collector or uv.new_timer()
    collector:start(SOON, 0, vim.schedule_wrap(collect))
  end

  --- Lets Neovim continue: its timers, its API and scheduled callbacks.
  ---@param stander table
  ---@param is_over fun(): boolean
  function loop.wait(stander, is_over)
    local function done() return not stander.waiting or is_over() end
    repeat
      local ok, why = vim.wait(SLICE, done)
      if not ok and why == -2 then error(interrupt.error(), 0) end
    until done()
  end

  --- A luv callback can neither wait nor use the API.
  ---@return string|nil
  function loop.refusal()
    if not vim.in_fast_event() then return nil end
    return "cannot wait in a fast event (a luv callback): use vim.schedule(function() … end), or a task (ofox.go)"
  end

  --- In a fast event a task starts in the main loop.
  ---@return boolean
  function loop.defers()
    return vim.in_fast_event()
  end

  log.to(function(line, level)
    vim.schedule(function() vim.notify(line, vim.log.levels[level:upper()]) end)
  end)
end

return loop
