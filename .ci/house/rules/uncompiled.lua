--- A file with a loop of pairs or next says first that an affected LuaJIT must
-- not compile it: see lua/ofox/base/uncompiled.lua.
local floors = require "floors"

local GUARD = 'require "ofox.base.uncompiled" ()'

-- The line of the first pairs(…), pairs {…}, next(…) or next, …; nil if there
-- is none.
local function first_loop(file)
  for at, token in ipairs(file.code) do
    local before, after = file.code[at - 1], file.code[at + 1]
    local is_field = before and (before.text == "." or before.text == ":")
    if token.kind == "name" and (token.text == "pairs" or token.text == "next") and not is_field
      and after and (after.text == "(" or after.text == "{" or after.text == ",") then
      return token.line
    end
  end
end

return function(house)
  local breaches = {}
  for _, file in ipairs(house.files) do
    local is_checked = file.half == "lua" and not floors.outside[file.floor] and file.unit ~= "base/uncompiled"
    local loop = is_checked and first_loop(file)
    if loop and not ("\n" .. house.tree:text(file.path)):find("\n" .. GUARD .. "\n", 1, true) then
      breaches[#breaches + 1] = ("%s:%d: a loop of pairs or next, but no %s"):format(file.path, loop, GUARD)
    end
  end
  return breaches
end
