--- No two files know each other, nor do floors, by whatever way round.
local circles = require "circles"
local graph = require "graph"

local function told(circle)
  local walk = {}
  for i, edge in ipairs(circle) do walk[i] = edge.from end
  walk[#walk + 1] = circle[1].from
  return table.concat(walk, " > ")
end

local function between_floors(edges)
  local list = {}
  for _, edge in ipairs(edges) do
    local from, to = graph.floor(edge.from), graph.floor(edge.to)
    if from ~= to then list[#list + 1] = { from = from, to = to, file = edge.file, line = edge.line } end
  end
  return list
end

return function(house)
  local breaches = {}
  local function look(edges, what, kind)
    for _, circle in ipairs(circles.find(edges)) do
      breaches[#breaches + 1] = ("%s:%d: a circle of %s by %s: %s"):format(circle[1].file, circle[1].line, what,
        kind.name, told(circle))
    end
  end
  for _, kind in ipairs(graph.KINDS) do
    look(house[kind.name], "files", kind)
    look(between_floors(house[kind.name]), "floors", kind)
  end
  return breaches
end
