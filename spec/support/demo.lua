--- Runs the demo for the specs, in a terminal and without one.
local proc = require "support.proc"

local Screen = dofile ".ci/picture/screen.lua"

local demo = { SPEED = 200 }

-- The interpreter as a user types it: what the demo prints must not depend on
-- the folder that it is in.
local FOLDER, INTERPRETER = proc.LUA:match("^(.*)/([^/]+)$")
INTERPRETER = INTERPRETER or proc.LUA
local PATH = FOLDER and ("PATH=%s:\"$PATH\" SHOWN_AS=%s "):format(proc.quote(FOLDER), INTERPRETER) or ""

--- The environment of a new user, and more, as words before a command.
function demo.environment(more)
  return "env -u OFOXAI_API_KEY -u OFOX_API_KEY -u OFOXAI_BASE_URL -u OFOX_BASE_URL -u NO_COLOR -u COLORTERM "
    .. "-u LC_CTYPE LC_ALL=C.UTF-8 TERM=xterm-256color " .. PATH .. (more or "") .. " "
end

demo.INTERPRETER = INTERPRETER

--- The command that starts it, at many times its speed.
---@param speed? number
function demo.command(speed)
  return ("%s examples/demo.lua %s"):format(INTERPRETER, speed or demo.SPEED)
end

--- A command's output and its exit code.
function demo.run(command)
  local pipe = assert(io.popen(command .. "; echo \" $?\""))
  local output, code = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  return output, tonumber(code)
end

--- The command of a terminal, in which the demo runs.
function demo.in_terminal(columns, rows, more, command)
  local inner = ("stty cols %d rows %d; exec %s"):format(columns, rows, command or demo.command())
  return demo.environment(more) .. "script -q -e -c " .. proc.quote(inner) .. " /dev/null"
end

--- What the screen of a terminal shows after such output.
function demo.see(columns, rows, output)
  local screen = Screen.new(columns, rows)
  screen:feed(output)
  return screen
end

--- Runs the demo in a terminal: what its screen shows at the end, the bytes, the
-- exit code.
---@param more? string  of the environment
function demo.watch(columns, more)
  local output, code = demo.run(demo.in_terminal(columns, 60, more) .. " </dev/null")
  return demo.see(columns, 60, output), output, code
end

--- Runs the demo without a terminal: its output and its exit code.
function demo.unmoved(more)
  return demo.run(demo.environment(more) .. demo.command() .. " </dev/null 2>&1")
end

--- A text in which all numbers are one: they differ from run to run.
function demo.normal(line)
  return (line:gsub("%d+%.?%d*", "0"))
end

--- The lines of a text.
function demo.lines(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do list[#list + 1] = line end
  return list
end

return demo
