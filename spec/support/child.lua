--- Lua programs in a process of their own, run to their end by the Lua that
-- runs the spec and with its package paths.
local socket = require "socket"
local proc = require "support.proc"

local child = {}

local SECONDS = 30 -- a child that hangs is killed after so many

-- The interpreter is the first word of the command line of this process.
local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  assert(first < 0, "the specs are run as: <lua> /usr/bin/busted")
  return arg[first]
end

--- Runs Lua code and waits for its end.
---@param options table  code; args (list); env (words for env(1), such as
--   "A=1" or "--default-signal=PIPE"); under (a shell command that is given
--   the command to run as its last word)
---@return table result  status (as the shell says it: 139 for SIGSEGV),
--   output, errors, seconds
function child.run(options)
  local unpack = table.unpack or unpack -- luacheck: ignore 143 113
  local directory = proc.directory()
  local script = proc.write(directory.path .. "/child.lua", options.code)
  local words = { "timeout", "-s", "KILL", SECONDS, "env" }
  for _, word in ipairs(options.env or {}) do words[#words + 1] = word end
  for _, word in ipairs {
    interpreter(), "-e", ("package.path = %q package.cpath = %q"):format(package.path, package.cpath), script,
    unpack(options.args or {}),
  } do words[#words + 1] = word end
  for i, word in ipairs(words) do words[i] = proc.quote(word) end
  local command = table.concat(words, " ")
  if options.under then command = options.under .. " " .. proc.quote(command) end
  local errors = directory.path .. "/errors"
  local began = socket.gettime()
  local pipe = assert(io.popen(("{ %s; } 2>%s; echo \"status $?\""):format(command, proc.quote(errors))))
  local output = pipe:read("*a")
  pipe:close()
  local result = { seconds = socket.gettime() - began, errors = proc.read(errors) }
  local text, status = output:match("^(.*)status (%d+)\n$")
  result.output, result.status = text, tonumber(status)
  directory:remove()
  return result
end

return child
