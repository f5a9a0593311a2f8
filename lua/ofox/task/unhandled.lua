--- Failures of tasks that the program does not handle: each is reported once,
-- with where it came from, which is noted of every failure.
-- Knows nothing of how tasks run.
local errors = require "ofox.errors"
local log = require "ofox.base.log"
local scheduler = require "ofox.task.scheduler"
local traceback_of = require "ofox.base.traceback"

local unhandled = {}

local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and type(text) == "string" and text or "an error that cannot be shown"
end

-- A log's line holds no line break.
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

--- Tells the program's logger, else writes a line. Raises nothing.
---@param settings table|nil  of the latest call of the task
---@param message string
---@param err any
---@param where string|nil
---@param traceback string|nil
function unhandled.report(settings, message, err, where, traceback)
  report("error", settings, message, err, where, traceback)
end

--- Makes the handler of an xpcall: it notes where the error was raised.
---@param found table  gets traceback and where
---@return fun(err: any): any
function unhandled.catcher(found)
  return function(err)
    local ok, traceback, where = pcall(traceback_of, nil, 3)
    if ok then found.traceback, found.where = traceback, where end
    return err
  end
end

--- Notes where a task has failed, in its record and in an error of ofox that
-- has not come out of another task before. An error of Lua's own has no place
-- for it: a log at level debug says it.
---@param record table  of the task
---@param err any
---@param thread thread|nil  whose stack is still as it was; nil: its catcher has noted it
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

--- Reports the failure of a task, once, unless the program has its error.
---@param record table
function unhandled.tell(record)
  if record.status ~= "failed" or record.asked then return end
  record.asked = true
  unhandled.report(record.settings, "a task failed and its error was not handled", record.results[2], record.where,
    record.traceback)
end

local unreported = {} -- tasks whose failure waits for a place where it may be told

--- The program cannot ask for a task's error any more. Called by the garbage
-- collector, where a host with threads of its own may be in the middle of
-- anything: there it is noted only.
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

--- Reports those that had to wait.
function unhandled.tell_dropped()
  if not unreported.any then return end
  local list = unreported
  unreported = {}
  for _, record in ipairs(list) do unhandled.tell(record) end
end
scheduler.after_step = unhandled.tell_dropped

return unhandled
