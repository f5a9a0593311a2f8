--- Chance that draws the same numbers on every Lua.
local chance = {}

--- How often specs draw anew.
chance.ROUNDS = tonumber(os.getenv "OFOX_ROUNDS") or 120

local state

---@param number integer  not 0; the same number, the same draws
function chance.seed(number)
  state = number
end

---@param n integer
---@return integer  from 1 to n
function chance.random(n)
  state = (state * 16807) % 2147483647
  return state % n + 1
end

---@return boolean  true in so many cases of a hundred
function chance.percent(number)
  return chance.random(100) <= number
end

---@return any  an element of the list
function chance.pick(list)
  return list[chance.random(#list)]
end

return chance
