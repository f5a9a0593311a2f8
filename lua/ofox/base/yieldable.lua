--- Can the running function yield? Lua 5.3 and later and LuaJIT know, except inside
-- nginx. There, and on 5.1 and 5.2, the stack is inspected: below a C function
-- (table.sort, a gsub callback; on 5.1 pcall as well) it cannot, nor, on 5.1, in a
-- metamethod or the iterator of a loop.
local isyieldable = coroutine.isyieldable -- luacheck: ignore 143
if isyieldable then return isyieldable end

local lua = require "ofox.base.lua"

local getinfo = debug.getinfo

-- C functions of 5.2 and LuaJIT that can be resumed after a yield inside them.
local CONTINUE = lua.PCALL_HOLDS and {} or { [pcall] = true, [xpcall] = true, [dofile] = true }

-- Was a function invoked by an instruction other than a call? 'above': the level of
-- its caller; the first function of a coroutine has none.
local function is_hidden_call(info, above)
  if info.name == "(for generator)" then return true end
  if info.name ~= nil or info.what == "tail" then return false end
  local caller = getinfo(above + 1, "S") -- one more for this function
  return caller ~= nil and caller.what ~= "C" and caller.what ~= "tail"
end

---@return boolean
return function()
  local level = 2
  while true do
    local info = getinfo(level, "Snf")
    if not info then return true end
    if info.what == "C" and not CONTINUE[info.func] then return false end
    if lua.HIDDEN_CALLS_HOLD and is_hidden_call(info, level + 1) then return false end
    level = level + 1
  end
end
