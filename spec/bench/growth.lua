--- How time and memory grow with the size of the work, for the floor and ofox.
-- Only connections are warmed up: what else comes once is in the smallest sizes.
local growth = {}

-- en, zh: what grows. unit: what the figures are of. path: with the size in it.
-- count: how many there are of a size.
growth.series = {
  { id = "events", en = "events of one stream", zh = "一个流的事件数", per = { en = "event", zh = "每个事件" },
    sizes = { 10, 1000, 100000, 1000000 }, action = "stream", path = "/stream/%d/v1",
    count = function(size) return math.max(1, math.min(1000, math.floor(100000 / size))) end },
  { id = "bodies", en = "KB of a body", zh = "正文的 KB 数", per = { en = "KB", zh = "每 KB" },
    sizes = { 1, 64, 1024, 65536 }, action = "chat", path = "/body/%d/v1", scale = 1024,
    count = function(size) return math.max(2, math.min(2000, math.floor(65536 / size))) end },
  { id = "flight", en = "calls in flight", zh = "并发调用数", per = { en = "call", zh = "每次调用" },
    sizes = { 1, 10, 100, 1000, 5000 }, action = "flight", path = "/v1",
    count = function(size) return math.max(1000, 2 * size) end },
}

--- The run of a size; its figures are those of one unit of the size.
function growth.run(series, size)
  local is_flight = series.action == "flight"
  return { by = "time", action = series.action, path = series.path:format(size * (series.scale or 1)),
    count = series.count(size), is_whole = true, warm = is_flight and size or 0, side = is_flight and size or nil,
    units = is_flight and 1 or size }
end

--- Kilobytes for each unit, of what a sample says of its whole run: those in
-- flight, or one body or stream after the other.
function growth.memory(series, size, sample)
  local run = growth.run(series, size)
  return sample.memory * run.count * run.units / size
end

return growth
