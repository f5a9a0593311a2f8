--- Failures of tasks that the program does not handle: each is reported once, with its
-- origin, which is recorded for every failure.
-- Knows nothing of how tasks run.
local errors = require "ofox.errors"
local log = require "ofox.base.log"
local scheduler = require "ofox.task.scheduler"
local traceback_of = require "ofox.base.traceback"

local unhandled = {}

local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and type(text) == "string" and text or "an error that cannot be converted to a string"
end

-- A log line contains no line break.
local function in_one_line(traceback)
  return traceback and traceback:gsub("\n\t", " ", 1):gsub("\n\t", " <- ")
end

local function report(level, settings, message, err, where, traceback)
  local fields = { error = text_of(err), where = where, traceback = traceback }
  local logger = settings and settings.logger
  if logger == false then return end
  if logger and pcall(logger, level, message, fields) then return end
  fields.traceback = in_one_line(traceback)
  log.print(level, message, fields)
end

--- Reports to the program's logger, else writes a log line. Raises nothing.
---@param settings table|nil  of the latest call of the task
---@param message string
---@param err any
---@param where string|nil
---@param traceback string|nil
function unhandled.report(settings, message, err, where, traceback)
  report("error", settings, message, err, where, traceback)
end

--- Returns a handler for xpcall that records where the error was raised.
---@param found table  gets traceback and where
---@return fun(err: any): any
function unhandled.catcher(found)
  return function(err)
    local ok, traceback, where = pcall(traceback_of, nil, 3)
    if ok then found.traceback, found.where = traceback, where end
    return err
  end
end

--- Records where a task has failed, in its record and in an error of ofox that has not
-- come from another task before. An error of Lua itself has no field for it: it is
-- logged at level debug.
---@param record table  of the task
---@param err any
---@param thread thread|nil  whose stack is still intact; nil: the handler has recorded it
function unhandled.note(record, err, thread)
  if thread then
    local ok, traceback, where = pcall(traceback_of, thread, 0, err)
    if ok then record.traceback, record.where = traceback, where end
  end
  if errors.is(err) and rawget(err, "traceback") == nil then pcall(rawset, err, "traceback", record.traceback) end
  if log.enabled(record.settings, "debug") then
    report("debug", record.settings, "a task failed", err, record.where, record.traceback)
  end
end

--- Reports the failure of a task, once, unless the program has received its error.
---@param record table
function unhandled.tell(record)
  if record.status ~= "failed" or record.asked then return end
  record.asked = true
  unhandled.report(record.settings, "a task failed and its error was not handled", record.results[2], record.where,
    record.traceback)
end

local unreported = {} -- tasks whose failure cannot be reported yet

--- The program can no longer ask for a task's error. Called by the garbage collector,
-- which in a host with threads of its own may run at any point: there the failure is
-- only recorded.
---@param record table
function unhandled.dropped(record)
  record.dropped = true
  local loop = scheduler.loop()
  if not (loop and loop.spawn) then
    unhandled.tell(record)
  elseif record.status == "failed" and not record.asked then
    unreported[#unreported + 1] = record
    unreported.any = true
  end
end

--- Reports the recorded failures.
function unhandled.tell_dropped()
  if not unreported.any then return end
  local list = unreported
  unreported = {}
  for _, record in ipairs(list) do unhandled.tell(record) end
end
scheduler.after_step = unhandled.tell_dropped

return unhandled
