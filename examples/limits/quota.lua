--- 200 prompts, 100 in flight, against 20 requests a minute.
local count = require "limits.count"
local load = require "limits.load"

local quota = { LIMIT = 20, PROMPTS = 200, IN_FLIGHT = 100 }

local SLOW_DOWN = '{"error":{"message":"Slow down.","type":"rate_limit_error","code":"rate_limit_exceeded"}}'
local STEP, LAST = 15, 630 -- seconds: from bar to bar, and of all bars

local function refusal(headers) return { status = 429, headers = headers, body = SLOW_DOWN, delay = 0.2 } end

local function announced(left, reset)
  return {
    ["x-ratelimit-limit-requests"] = quota.LIMIT, ["x-ratelimit-remaining-requests"] = left,
    ["x-ratelimit-reset-requests"] = ("%.3fs"):format(reset),
  }
end

-- Counts in minutes; a minute begins with the first request after the last one.
local function minutes(account, now)
  if not account.began or now >= account.began + 60 then account.began, account.count = now, 0 end
  account.count = account.count + 1
  local headers = announced(math.max(0, quota.LIMIT - account.count), account.began + 60 - now)
  return account.count <= quota.LIMIT and { headers = headers } or refusal(headers)
end

-- Lets through no more than that in any 60 seconds.
local function sliding(account, now)
  while account[1] and account[1] <= now - 60 do table.remove(account, 1) end
  local has_room = #account < quota.LIMIT
  if has_room then account[#account + 1] = now end
  local headers = announced(quota.LIMIT - #account, account[#account] + 60 - now)
  if has_room then return { headers = headers } end
  headers["retry-after"] = math.ceil(account[1] + 60 - now)
  return refusal(headers)
end

-- Counts in minutes, and refuses one request, the n-th, without a word.
function quota.silent(nth)
  return function(account, now)
    account.total = (account.total or 0) + 1
    return account.total == nth and refusal() or minutes(account, now)
  end
end

--- What the server does with the requests of an account, and how many accounts there are.
quota.servers = {
  { title = "counts in minutes", serve = minutes, keys = 1 },
  { title = "counts any 60 seconds", serve = sliding, keys = 1 },
  { title = "one 429 that says nothing", serve = quota.silent(10), keys = 1 },
  { title = "four keys, 20 a minute each", serve = minutes, keys = 4 },
}

quota.options = {
  { name = "pace = true", options = { pace = true } },
  { name = "the defaults", options = {} },
  { name = "hold = false", options = { hold = false } },
}

--- Makes all calls.
function quota.run(server, options)
  local accounts, clients = {}, {}
  local run = load.new(function(request, now)
    local key = request.headers.authorization
    accounts[key] = accounts[key] or {}
    return server.serve(accounts[key], now)
  end)
  for i = 1, server.keys do clients[i] = load.client(run, options, "sk-virtual-" .. i) end
  load.at_once(run, clients, quota.PROMPTS, quota.IN_FLIGHT)
  return run
end

local function facts_of(run)
  local failed = count.failed(run.calls)
  return { #run.calls - failed, failed, #run.requests, count.failed(run.requests), count.most(run.requests, 60),
    math.floor(run.transport:now()) }
end

local function add_run(row, server, set)
  local run = quota.run(server, set.options)
  local facts, line = facts_of(run), quota.LIMIT * server.keys
  row.runs[#row.runs + 1] = run
  row.panels[#row.panels + 1] = {
    bars = count.bars(run.requests, "at", LAST, STEP, 60, 1), line = line, top = math.max(120, 2 * line),
    note = ("%s: %d answered, %d requests"):format(set.name, facts[1], facts[3]),
  }
  row.facts[#row.facts + 1] = { server.title, set.name, (table.unpack or unpack)(facts) } -- luacheck: ignore 113 143
end

--- All runs as a table and as bars: the requests in the last 60 seconds.
function quota.results()
  local results = {
    title = "200 prompts, 100 in flight, against 20 requests a minute",
    note = "Requests in the last 60 seconds, over time. The line is what the server allows.",
    facts = { "server", "options", "answered", "failed", "requests", "refused", "most in 60 s", "seconds" },
    names = 2, good = "let through", bad = "refused", columns = {}, rows = {}, axis = { last = LAST, every = 120 },
  }
  for i, set in ipairs(quota.options) do results.columns[i] = { title = set.name } end
  for i, server in ipairs(quota.servers) do
    results.rows[i] = { title = server.title, panels = {}, facts = {}, runs = {} }
    for _, set in ipairs(quota.options) do add_run(results.rows[i], server, set) end
  end
  return results
end

return quota
