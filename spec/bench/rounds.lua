--- Rounds in which everything is measured one after the other, so that what the
-- machine does meanwhile meets all alike; and their medians.
local rounds = {}

function rounds.median(list)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  local upper = math.floor(#sorted / 2) + 1
  return #sorted % 2 == 1 and sorted[upper] or (sorted[upper - 1] + sorted[upper]) / 2
end

-- What a figure is, divided by the floor's of the same round.
local function ratios(figures, floor)
  local list = {}
  for i, figure in ipairs(figures) do list[i] = figure / floor[i] end
  return list
end

--- Of the figures of each client, a list with one for each round: the median,
-- and the median of the ratios to the floor's. Clients without are left out.
---@param figures table<string, number[]>  by client
---@param floor string  the client that the others are compared to
---@return table<string, number[]>  by client: {value, ratio or nil}
function rounds.summary(figures, floor)
  local summary, lowest = {}, figures[floor]
  for id, list in pairs(figures) do
    if #list > 0 then
      local compares = lowest and #lowest == #list
      summary[id] = { rounds.median(list), compares and rounds.median(ratios(list, lowest)) or nil }
    end
  end
  return summary
end

return rounds
