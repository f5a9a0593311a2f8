--- Circles of a graph.
local circles = {}

local function by_start(edges)
  local from, starts = {}, {}
  for _, edge in ipairs(edges) do
    if not from[edge.from] then
      from[edge.from] = {}
      starts[#starts + 1] = edge.from
    end
    table.insert(from[edge.from], edge)
  end
  return from, starts
end

-- The part of the walk that has come back to 'unit': the circle's edges.
local function circle_of(walk, unit)
  local circle = {}
  for i = #walk, 1, -1 do
    table.insert(circle, 1, walk[i])
    if walk[i].from == unit then return circle end
  end
end

--- A list of circles, each a list of edges from the first unit back to it; at
-- least one of each group of units that know each other.
function circles.find(edges)
  local from, starts = by_start(edges)
  local state, walk, found, closed = {}, {}, {}, {}
  local function visit(unit)
    state[unit] = "open"
    for _, edge in ipairs(from[unit] or {}) do
      walk[#walk + 1] = edge
      local key = edge.from .. ">" .. edge.to
      if state[edge.to] == "open" and not closed[key] then
        closed[key] = true
        found[#found + 1] = circle_of(walk, edge.to)
      elseif not state[edge.to] then
        visit(edge.to)
      end
      walk[#walk] = nil
    end
    state[unit] = "done"
  end
  for _, unit in ipairs(starts) do
    if not state[unit] then visit(unit) end
  end
  return found
end

return circles
