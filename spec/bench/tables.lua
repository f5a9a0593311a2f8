--- The tables of a report: lists of rows, each a list of cells, the headings
-- first; in English ("en") or Chinese ("zh").
local fronts = require "fronts"
local growth = require "growth"
local peers = require "peers"
local rows = require "rows"

local tables = {}

local WORDS = {
  en = { what = "what is measured, as a ratio to bare libcurl", floor = "bare libcurl", size = "size",
    cpu = "µs CPU each %s", memory = "KB each %s", front = "in a worker of nginx, one request in flight",
    latency = "µs a request", worker = "µs CPU of the worker", ratio = "ratio" },
  zh = { what = "测量内容，与裸 libcurl 之比", floor = "裸 libcurl", size = "大小", cpu = "%s CPU µs", memory = "%s KB",
    front = "在 nginx 工作进程中，单个并发请求", latency = "每个请求 µs",
    worker = "工作进程 CPU µs", ratio = "比值" },
}

local UNITS = { zh = { instructions = "指令数", ["system calls"] = "系统调用", ["µs CPU"] = "CPU µs" } }

local NONE = "–"

-- Recorded figures have few digits, so that they often lie in the middle between
-- two shorter ones, where Luas differ: they go up.
local function upwards(value) return value * (1 + 1e-9) end

--- A figure with as many digits as say something.
function tables.figure(value)
  if not value then return NONE end
  value = upwards(value)
  if value >= 1e6 then return ("%.3g M"):format(value / 1e6) end
  if value >= 9999.5 then return ("%.0f k"):format(value / 1e3) end
  if value >= 99.95 then return ("%.0f"):format(value) end
  return ("%.3g"):format(value)
end

--- A ratio likewise.
function tables.ratio(value)
  value = upwards(value)
  return (value >= 9.995 and "%.0f" or "%.2f"):format(value)
end

-- The clients that have a figure in some row.
local function present(all)
  local list = {}
  for _, peer in ipairs(peers.list) do
    for _, row in pairs(all.rows) do
      if row[peer.id] then
        list[#list + 1] = peer
        break
      end
    end
  end
  return list
end

local function cell(peer, entry)
  if not entry then return NONE end
  if peer.is_floor or not entry[2] then return tables.figure(entry[1]) end
  return tables.ratio(entry[2])
end

--- The clients side by side; brief: only the rows that are for the READMEs.
function tables.main(all, lang, is_brief)
  local shown = present(all)
  local head = { WORDS[lang].what }
  for _, peer in ipairs(shown) do head[#head + 1] = peer.is_floor and WORDS[lang].floor or peer.title end
  local list = { head }
  for _, row in ipairs(rows.list) do
    if row.is_brief or not is_brief then
      local unit = UNITS[lang] and UNITS[lang][row.unit] or row.unit
      local cells = { row[lang] .. (lang == "zh" and "：" or ": ") .. unit }
      for _, peer in ipairs(shown) do cells[#cells + 1] = cell(peer, (all.rows[row.id] or {})[peer.id]) end
      list[#list + 1] = cells
    end
  end
  return list
end

--- How ofox and the floor grow with one thing's size.
function tables.growth(all, lang, series)
  local each = series.per[lang]
  local cpu, memory = WORDS[lang].cpu:format(each), WORDS[lang].memory:format(each)
  local list = { { series[lang], "libcurl: " .. cpu, "ofox: " .. cpu, "libcurl: " .. memory, "ofox: " .. memory } }
  local found = all.growth[series.id]
  for i, ours in ipairs(found.ofox) do
    local floor = found.libcurl[i]
    list[#list + 1] = { ("%d"):format(ours[1]), tables.figure(floor[2]), tables.figure(ours[2]),
      tables.figure(floor[3]), tables.figure(ours[3]) }
  end
  return list
end

--- The handlers of an nginx worker.
function tables.fronts(all, lang)
  local words = WORDS[lang]
  local list = { { words.front, words.latency, words.ratio, words.worker, words.ratio } }
  for _, handler in ipairs(fronts.list) do
    local latency, cpu = all.fronts.latency[handler.id], all.fronts.cpu[handler.id]
    if latency then
      list[#list + 1] = { handler[lang], tables.figure(latency[1]), tables.ratio(latency[2]), tables.figure(cpu[1]),
        tables.ratio(cpu[2]) }
    end
  end
  return list
end

--- All of growth's tables, in order.
function tables.all_growth(all, lang)
  local list = {}
  for i, series in ipairs(growth.series) do list[i] = tables.growth(all, lang, series) end
  return list
end

return tables
