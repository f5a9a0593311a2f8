--- Ctrl-C while ofox waits: an ordinary error, which is raised whatever the option
-- 'errors' says. The program may catch it and continue.
-- Knows nothing of tasks, nor of what waits.
local core = require("ofox.base.native")("core")
local lua = require "ofox.base.lua"
local reserve = require "ofox.base.reserve"

local interrupt = {}

--- Returns the error of something that has ended without a call having failed.
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

--- Returns the error to raise from a wait that Ctrl-C has ended.
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

--- Converts a caught error to the one to raise. Between two waits the interpreter may
-- have handled Ctrl-C first, with an error of its own.
---@param value any
---@return any
function interrupt.caught(value)
  if type(value) == "string" and value:find("interrupted!$") and core.rearm() then return interrupt.error() end
  return value
end

local CATCHERS = { [pcall] = true, [xpcall] = true }

-- Might an error be caught above the caller? The resumer of a coroutine might do so.
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

--- Raises a caught error again. If Ctrl-C raised it and the program does not catch it,
-- the terminal shows it.
---@param value any
function interrupt.raise(value)
  if lua.SHOWS_STRINGS_ONLY and interrupt.is(value) and not may_be_caught() then value = tostring(value) end
  error(value, 0)
end

return interrupt
