--- What the demo writes to: a terminal, as wide as it is at this moment, or a
-- file or a pipe, which gets plain lines of 80 columns.
local look = require "demo.look"
local text = require "demo.text"

local terminal = {}
terminal.__index = terminal

local MOST = 100 -- columns of a line, however wide the terminal is

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

--- Looks at the standard output and at the environment.
function terminal.new()
  local name = variable "TERM" or "dumb"
  local is_live = name ~= "dumb" and succeeds "test -t 1"
  local locale = variable "LC_ALL" or variable "LC_CTYPE" or variable "LANG" or "C"
  local is_utf8 = locale:lower():find "utf%-?8" ~= nil
  local colours = (name:find "256" or variable "COLORTERM") and look.OF_256 or look.OF_8
  local self = setmetatable({
    is_live = is_live, is_utf8 = is_utf8, glyphs = is_utf8 and look.UTF8 or look.ASCII,
    colours = is_live and not variable "NO_COLOR" and colours or {},
  }, terminal)
  self:measure()
  return self
end

--- Asks again how large the terminal is: it may have been resized.
function terminal:measure()
  self.width, self.height = 80, 24
  if self.is_live then
    local pipe = assert(io.popen "stty size </dev/tty 2>/dev/null")
    local rows, columns = (pipe:read "*l" or ""):match "^(%d+) (%d+)$"
    pipe:close()
    if tonumber(columns or 0) > 0 then self.width, self.height = tonumber(columns), tonumber(rows) end
  end
  self.line = math.max(20, math.min(MOST, self.width - 1)) -- columns to be used
end

--- Writes at once what belongs together.
function terminal:write(bytes)
  io.write(bytes)
  io.flush()
end

--- A text in a colour.
function terminal:paint(colour, words)
  local code = self.colours[colour]
  return code and words ~= "" and ("\27[%sm%s\27[0m"):format(code, words) or words
end

--- A mark that turns.
function terminal:spinner(frame)
  return self.glyphs.spin[frame % #self.glyphs.spin + 1]
end

--- A text that does nothing to the terminal and that its locale has.
function terminal:clean(words)
  return text.clean(words, self.is_utf8)
end

return terminal
