--- Includes, calls and requires go down, or stay on their floor (in Lua: in
-- their room).
local floors = require "floors"
local graph = require "graph"

local function may_know(half, from, to)
  if from == to then return true end
  local rank = floors.rank[half]
  if not rank[from] or not rank[to] then return true end -- 'placed' tells
  local neighbours = floors.neighbours[from]
  return rank[to] < rank[from] or (half == "lua" and neighbours ~= nil and neighbours[to] == true)
end

return function(house)
  local breaches = {}
  for _, kind in ipairs(graph.KINDS) do
    for _, edge in ipairs(house[kind.name]) do
      local from, to = graph.floor(edge.from), graph.floor(edge.to)
      if not may_know(kind.half, from, to) then
        local rank = floors.rank[kind.half]
        breaches[#breaches + 1] = ("%s:%d: %s %s %s, and %s is %s %s"):format(edge.file, edge.line, edge.from,
          kind.verb, edge.to, to, rank[to] == rank[from] and "on the same floor as" or "above", from)
      end
    end
  end
  return breaches
end
