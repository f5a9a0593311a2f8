--- Where log messages about calls go: the program's logger, or, if OFOX_LOG names a
-- level, standard error. The caller keeps secrets out of the fields.
require "ofox.base.uncompiled" ()
local log = {}

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }
local SILENT = 5

--- Returns the level of OFOX_LOG as a number to compare, SILENT without it.
---@param getenv? fun(name: string): string|nil
---@return integer
function log.threshold(getenv)
  local word = (getenv or os.getenv)("OFOX_LOG")
  return word and LEVELS[word:lower():match("^%s*(.-)%s*$")] or SILENT
end

--- Is this level logged? Saves building the fields if not.
---@param settings table|nil  of the call: 'logger' and 'log_threshold'
---@param level "debug"|"info"|"warn"|"error"
---@return boolean
function log.enabled(settings, level)
  local logger = settings and settings.logger
  if logger ~= nil then return logger ~= false end
  local threshold = settings and settings.log_threshold or log.threshold()
  return LEVELS[level] >= threshold
end

--- Escapes text so that it stays on one line and cannot control a terminal.
---@param text string
---@return string
local function plain(text)
  local function hex(c) return (c:gsub(".", function(b) return ("\\x%02x"):format(b:byte()) end)) end
  return (text:gsub("[%z\1-\31\127]", hex):gsub("\194[\128-\159]", hex)
    :gsub("\226\128[\168-\174]", hex):gsub("\226\129[\166-\169]", hex))
end

local function shown(value)
  local text = plain(tostring(value))
  if text == "" or text:find('[%s"=]') then return '"' .. text:gsub('"', '\\"') .. '"' end
  return text
end

log.plain = plain

--- Formats a message as one line, without its line break: "ofox debug: message a=1 b=x".
---@param level string
---@param message string
---@param fields? table<string, any>
---@return string
function log.line(level, message, fields)
  local parts = { "ofox " .. level .. ": " .. plain(tostring(message)) }
  local names = {}
  for name in pairs(fields or {}) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = name .. "=" .. shown(fields[name]) end
  return table.concat(parts, " ")
end

local function to_stderr(line)
  io.stderr:write(line, "\n")
end

local sink = to_stderr

--- Redirects lines from standard error to the host's log.
---@param fn? fun(line: string, level: string)
function log.to(fn)
  sink = fn or to_stderr
end

--- Writes a line where the program has not set a logger.
---@param level string
---@param message string
---@param fields? table<string, any>
function log.print(level, message, fields)
  sink(log.line(level, message, fields), level)
end

--- Delivers a message. An error in the program's logger propagates to the caller.
---@param settings table|nil
---@param level "debug"|"info"|"warn"|"error"
---@param message string
---@param fields? table<string, any>
function log.write(settings, level, message, fields)
  if not log.enabled(settings, level) then return end
  local logger = settings and settings.logger
  if logger then
    logger(level, message, fields or {})
  else
    log.print(level, message, fields)
  end
end

return log
