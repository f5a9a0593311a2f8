--- Ctrl-C while ofox waits: an error like others, which is raised whatever the
-- option 'errors' says. Where the program catches it, it may go on.
-- Knows nothing of tasks, nor of what waits.
local core = require("ofox.base.native")("core")
local lua = require "ofox.base.lua"
local reserve = require "ofox.base.reserve"

local interrupt = {}

--- The error of what has ended without being a failure of a call.
---@param name "cancelled"|"interrupted"
---@return ofox.Error
function interrupt.outcome(name)
  for _, outcome in ipairs(core.outcomes) do
    if outcome.name == name then
      local where = reserve.require "ofox.base.where".of_caller()
      return reserve.require "ofox.errors".new { type = outcome.type, code = outcome.code, message = outcome.message,
        retryable = false, reason = "cancelled", where = where }
    end
  end
end

--- The error of a wait that Ctrl-C has ended: to be raised.
---@return ofox.Error
function interrupt.error()
  return interrupt.outcome "interrupted"
end

core.on_interrupt(interrupt.error)

--- Is it such an error?
---@param value any
---@return boolean
function interrupt.is(value)
  return reserve.require "ofox.errors".is(value, "cancelled_error") and rawget(value, "code") == "interrupted"
end

--- What was caught, to be raised again. Between two waits the interpreter may
-- have been first, with an error of its own.
---@param value any
---@return any
function interrupt.caught(value)
  if type(value) == "string" and value:find("interrupted!$") and core.rearm() then return interrupt.error() end
  return value
end

local CATCHERS = { [pcall] = true, [xpcall] = true }

-- Might an error be caught above the caller? What resumed a coroutine might do it.
local function may_be_caught()
  if coroutine.running() then return true end
  local level = 3
  local info = debug.getinfo(level, "f")
  while info do
    if CATCHERS[info.func] then return true end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
  return false
end

--- Raises on what was caught. What Ctrl-C has raised and the program does not
-- catch can be read on the terminal.
---@param value any
function interrupt.raise(value)
  if lua.SHOWS_STRINGS_ONLY and interrupt.is(value) and not may_be_caught() then value = tostring(value) end
  error(value, 0)
end

return interrupt
