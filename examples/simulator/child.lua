--- Starts the simulator for a program that wants it as a partner: on a free
-- port, and until the program ends.
local socket = require "socket"

local MAIN = debug.getinfo(1, "S").source:match("^@(.*)[/\\]simulator[/\\]child%.lua$") .. "/simulator.lua"

--- Starts it with an interpreter.
---@param interpreter string  such as "lua5.4"
---@return string url  the base URL to give to a client
---@return table lifeline  close it, or drop it, and the simulator ends
return function(interpreter)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  os.execute(('"%s" "%s" 0 --parent %d &'):format(interpreter, MAIN, port))
  listener:settimeout(10)
  local lifeline = assert(listener:accept(), "the simulator does not start")
  listener:close()
  return lifeline:receive("*l"), lifeline
end
