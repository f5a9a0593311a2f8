--- How Lua reports that memory is short.
--
-- Usually as "not enough memory". Where the stack of a C function cannot grow,
-- Lua 5.1 and old LuaJITs report the same; Lua 5.2 to 5.4 and newer LuaJITs let the
-- function add its purpose, "stack overflow (too many captures)". A genuine stack
-- overflow looks the same, and is not the fault of the operation either.
local WORDS = { "not enough memory", "stack overflow (" }

local memory = {}

--- Does an error report a lack of memory?
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
