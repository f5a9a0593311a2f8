--- Commands of the shell that are waited for, with all that they say.
local assert = require "luassert"

local shell = {}

---@param command string
---@return string text, integer code  its output and errors, and how it ended
function shell.run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null; echo rc=$?"))
  local text = pipe:read("*a")
  pipe:close()
  local out, rc = text:match("^(.-)rc=(%d+)\n$")
  return out, tonumber(rc)
end

--- The same of a command that must succeed.
---@param command string
---@return string text
function shell.succeed(command)
  local out, rc = shell.run(command)
  assert.equal(0, rc, out)
  return out
end

--- Its lines, sorted.
---@param command string
---@return string[]
function shell.lines(command)
  local list = {}
  for line in shell.succeed(command):gmatch("[^\n]+") do list[#list + 1] = line end
  table.sort(list)
  return list
end

return shell
