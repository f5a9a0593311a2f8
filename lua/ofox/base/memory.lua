--- How Lua says that memory is short.

-- Of its own accord it says "not enough memory". Where the stack of a C function
-- could not grow, Lua 5.1 and old LuaJITs say that, too; Lua 5.2 to 5.4 and
-- newer LuaJITs have the function say what it wanted it for, "stack overflow
-- (too many captures)". That a stack is really full looks the same, and is no
-- more the fault of what was tried.
local WORDS = { "not enough memory", "stack overflow (" }

local memory = {}

--- Does an error speak of want of memory?
---@param message any
---@return boolean
function memory.is_short(message)
  if type(message) ~= "string" then return false end
  for i = 1, #WORDS do
    if message:find(WORDS[i], 1, true) then return true end
  end
  return false
end

return memory
