--- What is measured: one row each, in the order of the table.
--
-- id: the name in results. en, zh: what it is. unit: of its figures. run: what
-- a client does, and how that is measured; rows may share one. take: which
-- figure of a run, if it has several. divide: by how much. is_brief: the row is
-- in the READMEs, too.
--
-- A run has 'by', a function of measure.lua; action, path, warm, count and side
-- for the client (driver.lua); units: how many a count stands for; only: the
-- clients that do it, if not all that can; is_whole: slow clients do not less of
-- it; short_path: the path for a short run. RUN in a path is another name each
-- time.
local rows = {}

local EVENTS, PACED_EVENTS = 2000, 100
local OURS_AND_FLOOR = { libcurl = true, ofox = true }

local function counted(action, path, count, more)
  local run = { by = "instructions", action = action, path = path, warm = 10, count = count, units = 1 }
  for name, value in pairs(more or {}) do run[name] = value end
  return run
end

local function timed(action, path, count, more)
  local run = { by = "time", action = action, path = path, warm = math.ceil(count / 5), count = count, units = 1 }
  for name, value in pairs(more or {}) do run[name] = value end
  return run
end

local function crowd(side)
  return counted("flight", "/v1", 2 * side, { warm = side, side = side, only = OURS_AND_FLOOR })
end

local paced = timed("streams", ("/paced/50/%d/v1"):format(PACED_EVENTS), 1000,
  { warm = 0, is_whole = true, short_path = ("/paced/5/%d/v1"):format(PACED_EVENTS) })
local stream = ("/stream/%d/v1"):format(EVENTS)

rows.list = {
  { id = "call", is_brief = true, en = "a call on a warm connection", zh = "已有连接上的一次调用", unit = "instructions",
    run = counted("chat", "/v1", 100) },
  { id = "among 64", is_brief = true, en = "a call among 64 in flight", zh = "64 个并发调用之一", unit = "instructions",
    run = counted("flight", "/v1", 640, { warm = 64, side = 64 }) },
  { id = "among 100", en = "a call among 100 in flight", zh = "100 个并发调用之一", unit = "instructions", run = crowd(100) },
  { id = "among 1000", en = "a call among 1,000 in flight", zh = "1,000 个并发调用之一", unit = "instructions",
    run = crowd(1000) },
  { id = "among 3000", en = "a call among 3,000 in flight", zh = "3,000 个并发调用之一", unit = "instructions",
    run = crowd(3000) },
  { id = "errors", is_brief = true, en = "three errors, then success", zh = "三次错误，然后成功", unit = "instructions",
    run = counted("errors", "/errors/RUN/v1", 50) },
  { id = "event", is_brief = true, en = "an event of a stream to a table", zh = "流的一个事件，转成表", unit = "instructions",
    run = counted("stream", stream, 3, { warm = 1, units = EVENTS }) },
  { id = "text", is_brief = true, en = "an event of a stream, its text alone", zh = "流的一个事件，仅取文本",
    unit = "instructions", run = counted("text", stream, 3, { warm = 1, units = EVENTS }) },
  { id = "base64", en = "embeddings, 8,192 numbers as base64", zh = "嵌入向量，8,192 个数，base64", unit = "instructions",
    run = counted("embeddings", "/v1", 10, { warm = 2 }) },
  { id = "decimals", en = "embeddings, 8,192 numbers as decimals", zh = "嵌入向量，8,192 个数，十进制", unit = "instructions",
    run = counted("decimals", "/v1", 10, { warm = 2 }) },
  { id = "require", en = "`require`, over the bare interpreter", zh = "`require`，扣除解释器本身", unit = "instructions",
    run = { by = "loading" } },
  { id = "script", en = "a script with one call", zh = "只有一次调用的脚本", unit = "instructions",
    run = { by = "whole_instructions", action = "chat", path = "/v1", warm = 0, count = 1 } },
  { id = "system calls", is_brief = true, en = "a call on a warm connection", zh = "已有连接上的一次调用", unit = "system calls",
    run = { by = "system_calls", action = "chat", path = "/v1", warm = 10, count = 100, units = 1 } },

  { id = "call CPU", en = "a call on a warm connection", zh = "已有连接上的一次调用", unit = "µs CPU",
    run = timed("chat", "/v1", 2500) },
  { id = "among 64 CPU", is_brief = true, en = "a call among 64 in flight", zh = "64 个并发调用之一", unit = "µs CPU",
    run = timed("flight", "/v1", 6400, { side = 64 }) },
  { id = "errors CPU", en = "three errors, then success", zh = "三次错误，然后成功", unit = "µs CPU",
    run = timed("errors", "/errors/RUN/v1", 500) },
  { id = "event CPU", en = "an event of a stream to a table", zh = "流的一个事件，转成表", unit = "µs CPU",
    run = timed("stream", stream, 60, { units = EVENTS }) },
  { id = "text CPU", en = "an event of a stream, its text alone", zh = "流的一个事件，仅取文本", unit = "µs CPU",
    run = timed("text", stream, 60, { units = EVENTS }) },
  { id = "decimals CPU", en = "embeddings, 8,192 numbers as decimals", zh = "嵌入向量，8,192 个数，十进制", unit = "µs CPU",
    run = timed("decimals", "/v1", 150) },
  { id = "script CPU", is_brief = true, en = "a script with one call", zh = "只有一次调用的脚本", unit = "µs CPU",
    run = { by = "start", action = "chat", path = "/v1", warm = 0, count = 10 } },
  { id = "streams CPU", is_brief = true, en = "1,000 streams at once, each event", zh = "1,000 个并发流，每个事件",
    unit = "µs CPU", run = paced, divide = PACED_EVENTS },
  { id = "streams memory", is_brief = true, en = "1,000 streams at once, each stream", zh = "1,000 个并发流，每个流",
    unit = "KB", run = paced, take = "memory" },
  { id = "first", is_brief = true, en = "the first event after the request", zh = "请求后的第一个事件", unit = "µs",
    run = timed("first", "/first/v1", 300, { warm = 100 }), take = "first" },
  { id = "held", en = "one `step(0)` with 100 TLS streams, p99", zh = "`step(0)` 一次，100 个 TLS 流，p99", unit = "µs",
    run = { by = "held", only = OURS_AND_FLOOR } },
}

--- The runs of the rows, each once: those whose figures repeat, and those that
-- are measured in rounds.
function rows.runs()
  local steady, in_rounds, seen = {}, {}, {}
  for _, row in ipairs(rows.list) do
    local run = row.run
    if not seen[run] then
      local is_steady = run.by ~= "time" and run.by ~= "start" and run.by ~= "held"
      table.insert(is_steady and steady or in_rounds, run)
    end
    seen[run] = true
  end
  return steady, in_rounds
end

--- A row's figure of a run's sample.
function rows.figure(row, sample)
  local value = sample and sample[row.take or "value"]
  return value and value / (row.divide or 1)
end

return rows
