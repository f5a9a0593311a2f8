--- What is counted of a run. Moments are those of a list, in order.
local count = {}

--- The elements of a list for which a function is true.
function count.those(list, is)
  local found = {}
  for _, element in ipairs(list) do
    if is(element) then found[#found + 1] = element end
  end
  return found
end

function count.failed(list)
  return #count.those(list, function(element) return element.failed end)
end

--- Those of a list whose moment is in a period.
function count.between(list, from, to, field)
  return count.those(list, function(element)
    return element[field or "at"] >= from and element[field or "at"] < to
  end)
end

--- The most requests with one key in any so many seconds.
function count.most(requests, seconds)
  local most, lists = 0, {}
  for _, request in ipairs(requests) do
    local at = lists[request.key] or { first = 1 }
    lists[request.key] = at
    at[#at + 1] = request.at
    while at[at.first] <= request.at - seconds do at.first = at.first + 1 end
    most = math.max(most, #at - at.first + 1)
  end
  return most
end

--- The value below which so many percent of a list are.
function count.percentile(values, percent)
  local sorted = { (table.unpack or unpack)(values) } -- luacheck: ignore 113 143
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * percent / 100))] or 0
end

--- How long calls took, in seconds.
function count.latency(calls, percent)
  local values = {}
  for i, call in ipairs(calls) do values[i] = call.ended - call.began end
  return count.percentile(values, percent)
end

--- For each step of some seconds: how many there were in the 'width' seconds until
-- its end, divided by 'per': {those that succeeded, those that failed}.
function count.bars(list, field, last, step, width, per)
  local bars = {}
  for i = 1, math.ceil(last / step) do
    local some = count.between(list, i * step - width, i * step, field)
    local failed = count.failed(some)
    bars[i] = { (#some - failed) / per, failed / per }
  end
  return bars
end

return count
