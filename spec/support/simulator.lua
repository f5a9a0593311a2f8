--- The gateway simulator of the examples as a child process, and programs
-- that run against it.
local socket = require "socket"
local proc = require "support.proc"

local simulator = {}
simulator.__index = simulator

---@return table simulator  url, stop(), run()
function simulator.start()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local child = proc.child(("%s examples/simulator.lua 0 --parent %d"):format(proc.LUA, port))
  listener:settimeout(10)
  local parent = assert(listener:accept())
  local url = assert(parent:receive("*l"))
  listener:close()
  return setmetatable({ url = url, parent = parent, child = child }, simulator)
end

-- What was started meanwhile may have the socket, too: closing it here is not
-- enough for the simulator to see its end.
function simulator:stop()
  self.parent:shutdown("both")
  self.parent:close()
  self.child:stop()
end

--- What the shell is told to run a Lua file with the simulator as its gateway.
---@param command string  the file, and what follows it
---@param without_key? boolean  leave the environment as a newcomer's
---@return string
function simulator:command(command, without_key)
  local env = without_key and "-u OFOX_API_KEY -u OFOXAI_API_KEY"
    or "OFOX_API_KEY=sk-sim-readme OFOX_BASE_URL=" .. self.url
  return ("env %s LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' %s %s"):format(env, proc.LUA, command)
end

--- Runs it.
---@param command string
---@param without_key? boolean
---@return boolean ok
---@return string output  standard output and error
function simulator:run(command, without_key)
  local out = os.tmpname()
  local result = os.execute(("%s >%s 2>&1"):format(self:command(command, without_key), out))
  local text = proc.read(out)
  os.remove(out)
  return result == true or result == 0, text
end

return simulator
