--- Ten calls a second to a service that fails in 30 % of cases, is dead for a minute,
-- and comes back.
local count = require "limits.count"
local load = require "limits.load"

local outage = { RATE = 10, SECONDS = 240, DIES = 60, BACK = 120, FAILS = 0.3 }

local DOWN = '{"error":{"message":"The upstream does not answer.","type":"service_unavailable"}}'
local STEP = 5

outage.options = {
  { name = "max_retries = 0", options = { max_retries = 0 } },
  { name = "the defaults", options = {} },
  { name = "budget = true", options = { budget = true } },
  { name = "breaker = true", options = { breaker = true } },
  { name = "fallback", options = { fallback = { "b" } } },
  { name = "all three", options = { budget = true, breaker = true, fallback = { "b" } } },
}

--- Makes all calls; the model "b" is another upstream, which works.
function outage.run(options)
  local chance = load.chance(7)
  local run = load.new(function(request, now)
    local is_dead = now >= outage.DIES and now < outage.BACK
    local fails = chance() < outage.FAILS or is_dead
    if fails and request.body:find('"model":"a"', 1, true) then
      return { status = chance() < 0.5 and 502 or 503, body = DOWN, delay = 0.1 }
    end
    return { delay = 0.3 + 0.7 * chance() }
  end)
  load.steadily(run, load.client(run, options), outage.RATE, outage.SECONDS)
  return run
end

--- The requests of a run to the model that fails, in a period.
function outage.sent(run, from, to)
  return #count.those(count.between(run.requests, from, to), function(request) return request.model == "a" end)
end

--- The calls of a run that began while the service was dead.
function outage.meanwhile(run) return count.between(run.calls, outage.DIES, outage.BACK, "began") end

-- With one decimal; the same on every Lua, whatever its printf does with halves.
local function seconds(value) return ("%.1f s"):format(math.floor(value * 10 + 0.5) / 10) end

local function facts_of(run)
  local calls = outage.meanwhile(run)
  return { #run.requests, outage.sent(run, outage.DIES, outage.BACK), count.failed(run.calls), count.failed(calls),
    seconds(count.latency(run.calls, 50)), seconds(count.latency(run.calls, 99)), seconds(count.latency(calls, 50)) }
end

-- For each step: how long 99 of a hundred calls took at most that began in it.
local function slowest(run)
  local bars = {}
  for i = 1, outage.SECONDS / STEP do
    local some = count.between(run.calls, (i - 1) * STEP, i * STEP, "began")
    bars[i] = { count.latency(some, 99), 0 }
  end
  return bars
end

local function row_of(set)
  local run = outage.run(set.options)
  local facts, shade = facts_of(run), { outage.DIES, outage.BACK }
  local function bars(list, field) return count.bars(list, field, outage.SECONDS, STEP, STEP, STEP) end
  return {
    title = set.name, runs = { run },
    note = ("%d requests, %d of %d calls failed"):format(facts[1], facts[3], #run.calls),
    panels = { { bars = bars(run.requests, "at"), line = outage.RATE, shade = shade },
      { bars = bars(run.calls, "began"), line = outage.RATE, shade = shade }, { bars = slowest(run), shade = shade } },
    facts = { { set.name, (table.unpack or unpack)(facts) } }, -- luacheck: ignore 113 143
  }
end

--- All runs as a table and as bars.
function outage.results()
  local results = {
    title = "A service that fails in 30 % of cases, and in the second minute always",
    note = "Ten calls a second come, whatever happens; the line is ten a second.",
    facts = { "options", "requests", "to the dead", "failed calls", "while dead", "p50", "p99", "p50 while dead" },
    names = 1, good = "succeeded", bad = "failed", rows = {}, axis = { last = outage.SECONDS, every = 60 },
    columns = { { title = "requests a second", top = 40 },
      { title = "calls that begin, a second", top = 15, text = "failed calls a second", only_bad = true },
      { title = "seconds that they take, p99", top = 12, text = "seconds, p99" } },
  }
  for i, set in ipairs(outage.options) do results.rows[i] = row_of(set) end
  return results
end

return outage
