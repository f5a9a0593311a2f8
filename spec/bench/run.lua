--- Measures everything, prints it, and with RECORD=1 records it. QUICK=1 is a
-- short run that only shows that all still works; DRAW=1 measures nothing, and
-- writes the pages again from what is recorded; ROUNDS is how many there are.
package.path = "spec/bench/?.lua;" .. package.path
local fronts = require "fronts"
local growth = require "growth"
local measure = require "measure"
local pages = require "pages"
local peers = require "peers"
local report = require "report"
local results = require "results"
local rounds = require "rounds"
local server = require "server"
local rows = require "rows"

local function is_set(name) return (os.getenv(name) or "") ~= "" end
local IS_QUICK = is_set "QUICK"
local ROUNDS = tonumber(os.getenv "ROUNDS") or IS_QUICK and 1 or 5

local function say(...) io.stderr:write(("bench: %s " .. (...) .. "\n"):format(os.date "%T", select(2, ...))) end

-- In a short run a tenth of the work.
local function shortened(run)
  if not IS_QUICK or not run.count then return run end
  local short = setmetatable({}, { __index = run })
  short.count, short.warm, short.path = math.ceil(run.count / 10), math.ceil(run.warm / 10), run.short_path
  return short
end

local function is_there(found, id)
  for _, peer in ipairs(found) do
    if peer.id == id then return true end
  end
  return false
end

-- Is a steady figure wanted in this run? A short one counts the two that matter,
-- and few calls in flight.
local function is_wanted(peer, run)
  return not IS_QUICK or (peer.is_floor or peer.is_ours) and (run.side or 0) <= 64
end

local failures = 0

-- A sample; a client that fails is told of, and has none.
local function try(peer, run, gateway)
  local ok, sample = pcall(measure.sample, peer, run, gateway)
  if ok then return sample end
  failures = failures + 1
  say("FAILED: %s", sample)
  return nil
end

-- Samples of all runs: run -> client -> a list, one for each round.
local function sample_all(found, gateway)
  local samples = {}
  local function take(run, peer)
    samples[run] = samples[run] or {}
    local list = samples[run][peer.id] or {}
    samples[run][peer.id] = list
    list[#list + 1] = try(peer, shortened(run), gateway)
  end
  local steady, in_rounds = rows.runs()
  for i, run in ipairs(steady) do
    say("counting, %d of %d: %s", i, #steady, run.action or "require")
    for _, peer in ipairs(found) do
      if is_wanted(peer, run) then take(run, peer) end
    end
  end
  for round = 1, ROUNDS do
    say("timing, round %d of %d", round, ROUNDS)
    for _, run in ipairs(in_rounds) do
      say("  %s %s", run.by, run.action or "")
      for _, peer in ipairs(found) do take(run, peer) end
    end
  end
  return samples
end

local function summarize_rows(samples)
  local summary = {}
  for _, row in ipairs(rows.list) do
    local figures = {}
    for id, list in pairs(samples[row.run] or {}) do
      figures[id] = {}
      for i, sample in ipairs(list) do figures[id][i] = rows.figure(row, sample) end
    end
    summary[row.id] = rounds.summary(figures, "libcurl")
  end
  return summary
end

local function measure_fronts(found, gateway)
  if not is_there(found, "ofox-jit") then return { latency = {}, cpu = {} } end
  local front = server.front(gateway.url)
  local latency, cpu, base = {}, {}, nil
  for round = 1, ROUNDS do
    say("inside nginx, round %d of %d", round, ROUNDS)
    for _, handler in ipairs(fronts.list) do
      local sample = fronts.sample(handler, front, IS_QUICK and 50 or 500)
      latency[handler.id], cpu[handler.id] = latency[handler.id] or {}, cpu[handler.id] or {}
      if sample then
        base = base or handler.id
        table.insert(latency[handler.id], sample.latency)
        table.insert(cpu[handler.id], sample.cpu)
      end
    end
  end
  front:stop()
  return { latency = rounds.summary(latency, base), cpu = rounds.summary(cpu, base) }
end

-- How one client grows: {size, CPU, memory} each.
local function grow_one(peer, series, gateway)
  local list = {}
  for i, size in ipairs(series.sizes) do
    if IS_QUICK and i > 2 then break end
    say("growth of %s: %d %s", peer.title, size, series.en)
    local sample = try(peer, growth.run(series, size), gateway)
    list[i] = sample and { size, sample.value, growth.memory(series, size, sample) } or { size }
  end
  return list
end

local function grow(found, gateway)
  local all = {}
  for _, series in ipairs(growth.series) do
    all[series.id] = {}
    for _, peer in ipairs(found) do
      if peer.is_floor or peer.id == "ofox" then all[series.id][peer.id] = grow_one(peer, series, gateway) end
    end
  end
  return all
end

local function measure_all(found, left_out, gateway)
  local all = { date = os.date "!%Y-%m-%d", versions = peers.versions(found), left_out = {} }
  for _, tool in ipairs(measure.missing_tools()) do
    table.insert(left_out, { title = "what " .. tool .. " counts", wants = tool })
  end
  for i, peer in ipairs(left_out) do
    all.left_out[i] = peer.title
    say("left out: %s, for want of %s", peer.title, peer.wants)
  end
  all.fronts = measure_fronts(found, gateway)
  all.growth = grow(found, gateway)
  all.rows = summarize_rows(sample_all(found, gateway))
  return results.rounded(all)
end

assert(not (IS_QUICK and is_set "RECORD"), "a short run is not recorded")
if is_set "DRAW" then
  pages.write(results.read())
  os.exit(true)
end
local found, left_out = peers.find()
local gateway = server.gateway()
local ok, all = xpcall(measure_all, debug.traceback, found, left_out, gateway)
gateway:stop()
if not ok then error(all, 0) end
print(report.text(all))
if failures > 0 then
  say("%d failures; nothing is recorded", failures)
  os.exit(1)
end
if is_set "RECORD" then
  results.record(all)
  pages.write(all)
end
