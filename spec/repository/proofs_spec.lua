-- What limits and failures do to many calls: the bounds that the options promise,
-- and that doc/proofs.md and its pictures show what examples/limits.lua prints.
-- test: once: virtual time and seeded chance are the same on each Lua
local assert = require "luassert"
local markdown = require "support.markdown"
local proc = require "support.proc"

local path = package.path
package.path = "./examples/?.lua;" .. path
local count = require "limits.count"
local outage = require "limits.outage"
local quota = require "limits.quota"
local svg = require "limits.svg"
local text = require "limits.text"
package.path = path

local function reasons(calls)
  local set = {}
  for _, call in ipairs(calls) do
    if call.err then set[call.err.reason] = (set[call.err.reason] or 0) + 1 end
  end
  return set
end

-- The page, the picture and the terminal say the same.
local function assert_shown(name, results)
  local rows = markdown.rows(markdown.parse(proc.read "doc/proofs.md"), results.facts[1])
  local n, drawn = 0, text.draw(results)
  for _, row in ipairs(results.rows) do
    for _, facts in ipairs(row.facts) do
      n = n + 1
      assert.equal(table.concat(facts, " | "), (table.concat(rows[n], " | "):gsub("`", "")))
      local line = table.concat(facts, " "):gsub("%p", "%%%0"):gsub(" +", " +")
      assert.matches("\n" .. line .. "\n", drawn)
    end
  end
  assert.equal(n, #rows)
  assert.equal(svg.draw(results), proc.read(("doc/%s.svg"):format(name)),
    ("draw it again: lua5.4 examples/limits.lua %s --svg doc/%s.svg"):format(name, name))
end

describe("200 prompts, 100 in flight, against 20 requests a minute:", function()
  local results
  setup(function() results = quota.results() end)

  for i, server in ipairs(quota.servers) do describe(server.title, function()
    it("pace = true: all are answered, with hardly a request too many, and no minute sees more than 20", function()
      local run = results.rows[i].runs[1]
      assert.same({ 200, {} }, { #run.calls, reasons(run.calls) })
      assert.is_true(#run.requests <= 210, #run.requests)
      assert.is_true(count.most(run.requests, 60) <= 20)
    end)

    it("the defaults: all are answered, with at most twice as many requests", function()
      local run = results.rows[i].runs[2]
      assert.same({ 200, {} }, { #run.calls, reasons(run.calls) })
      assert.is_true(#run.requests <= 400, #run.requests)
    end)

    it("neither takes longer than a server needs that is never idle, but for a minute", function()
      for k = 1, 2 do
        local run = results.rows[i].runs[k]
        local needed = (#run.calls / quota.LIMIT / server.keys - 1) * 60
        assert.is_true(run.transport:now() <= needed + 70, run.transport:now())
      end
    end)

    it("without both there are more requests, and where there is one key many calls fail", function()
      local run = results.rows[i].runs[3]
      assert.is_true(#run.requests > 1.3 * #results.rows[i].runs[2].requests, #run.requests)
      if server.keys == 1 then assert.is_true(reasons(run.calls).max_retries > 40) end
    end)
  end) end

  it("pace = true keeps to that, too, where the very first answers are refusals that say nothing", function()
    for nth = 1, 3 do
      local run = quota.run({ serve = quota.silent(nth), keys = 1 }, { pace = true })
      assert.same({ 200, {} }, { #run.calls, reasons(run.calls) })
      assert.is_true(#run.requests <= 210, #run.requests)
      assert.is_true(count.most(run.requests, 60) <= 20)
    end
  end)

  -- How many were let through in each minute of the server's.
  local function minutes_of(run)
    local list, began = {}, nil
    for _, request in ipairs(run.requests) do
      if not began or request.at >= began + 60 then
        began = request.at
        list[#list + 1] = 0
      end
      if not request.failed then list[#list] = list[#list] + 1 end
    end
    return list
  end

  -- None waits beyond its deadline, and each that fails is told of a moment that is.
  local function assert_told(run, deadline)
    for _, call in ipairs(run.calls) do
      local waited = call.ended - call.began
      assert.is_true(waited <= deadline + 0.01, waited)
      if call.failed then assert.is_true(call.err.retry_after > deadline - waited - 0.01, call.err.retry_after) end
    end
  end

  for _, deadline in ipairs { 50, 100, 200 } do
    for _, set in ipairs { { name = "the defaults", most = 2 }, { name = "pace = true", pace = true, most = 1.05 } } do
      it(("%s, and a deadline of %d s: each place that the server has is used"):format(set.name, deadline), function()
        local run = quota.run(quota.servers[1], { deadline = deadline, pace = set.pace })
        local minutes, failed = minutes_of(run), count.failed(run.calls)
        assert.is_true(#minutes >= math.ceil(deadline / 60), #minutes)
        for _, through in ipairs(minutes) do assert.is_true(through >= 20, through) end
        assert.same({ 200, { deadline = failed } }, { #run.calls, reasons(run.calls) })
        assert_told(run, deadline)
        assert.is_true(#run.requests <= set.most * (200 - failed) + (set.pace and 0 or 100), #run.requests)
      end)
    end
  end

  it("is what the page shows", function() assert_shown("quota", results) end)
end)

describe("a service that fails in 30 % of cases and is dead for a minute:", function()
  local results, runs
  setup(function()
    results, runs = outage.results(), {}
    for i, set in ipairs(outage.options) do runs[set.name] = results.rows[i].runs[1] end
  end)

  local CALLS = outage.RATE * (outage.BACK - outage.DIES)
  local SEEN = outage.DIES + 15 -- by then an option has seen what is going on

  it("the defaults send a multiple, and calls wait long for their errors", function()
    local run = runs["the defaults"]
    assert.is_true(outage.sent(run, outage.DIES, outage.BACK) > 3 * CALLS)
    assert.is_true(count.latency(outage.meanwhile(run), 50) > 5)
  end)

  it("budget: a hundred retries, then none, and errors arrive at once", function()
    local run = runs["budget = true"]
    assert.is_true(outage.sent(run, outage.DIES, outage.BACK) <= CALLS + 105)
    assert.is_true(outage.sent(run, SEEN, outage.BACK) <= 1.1 * outage.RATE * (outage.BACK - SEEN))
    assert.is_true(count.latency(outage.meanwhile(run), 50) < 0.2)
    assert.is_true(reasons(run.calls).budget > 400)
  end)

  it("budget: costs nothing while 30 % fail, neither before nor after", function()
    for _, period in ipairs { { 0, 50 }, { 150, 240 } } do
      local with = count.failed(count.between(runs["budget = true"].calls, period[1], period[2], "began"))
      local without = count.failed(count.between(runs["the defaults"].calls, period[1], period[2], "began"))
      assert.is_true(with <= without + 0.01 * outage.RATE * (period[2] - period[1]), with - without)
    end
  end)

  it("breaker: only probes are sent, and errors arrive at once", function()
    local run = runs["breaker = true"]
    assert.is_true(outage.sent(run, outage.DIES, SEEN) <= 1.5 * outage.RATE * (SEEN - outage.DIES))
    assert.is_true(outage.sent(run, SEEN, outage.BACK) <= (outage.BACK - SEEN) / 15 + 1)
    assert.is_true(outage.sent(run, SEEN, outage.BACK) > 0)
    assert.equal(0, count.latency(outage.meanwhile(run), 50))
    assert.is_true(reasons(run.calls).circuit_open > 500)
  end)

  it("breaker: stays closed while 30 % fail, and closes once the service is back", function()
    local run = runs["breaker = true"]
    assert.same({}, count.those(count.between(run.calls, 0, 50, "began"), function(call)
      return call.err and call.err.reason == "circuit_open"
    end))
    local later = count.between(run.calls, 150, outage.SECONDS, "began")
    assert.is_true(count.failed(later) < 0.02 * #later, count.failed(later))
  end)

  it("fallback: every call is answered, soon", function()
    for _, name in ipairs { "fallback", "all three" } do
      assert.equal(0, count.failed(runs[name].calls))
      assert.is_true(count.latency(runs[name].calls, 99) < 1.5)
    end
  end)

  it("all three: the dead model is left alone, and the other one gets one request for each call", function()
    local run = runs["all three"]
    assert.is_true(outage.sent(run, SEEN, outage.BACK) <= (outage.BACK - SEEN) / 15 + 1)
    local all = #count.between(run.requests, SEEN, outage.BACK)
    assert.is_true(all <= 1.02 * outage.RATE * (outage.BACK - SEEN), all)
  end)

  it("is what the page shows", function() assert_shown("outage", results) end)
end)

describe("examples/limits.lua", function()
  local directory
  setup(function() directory = proc.directory() end)
  teardown(function() directory:remove() end)

  local function run(words)
    local pipe = io.popen(("%s examples/limits.lua %s 2>&1; echo rc=$?"):format(proc.LUA, words))
    local output, rc = pipe:read("*a"):match("^(.*)rc=(%d+)\n$")
    pipe:close()
    return tonumber(rc), output
  end

  it("draws a picture to a file", function()
    local file = directory.path .. "/quota.svg"
    assert.same({ 0, "" }, { run("quota --svg " .. proc.quote(file)) })
    assert.equal(proc.read "doc/quota.svg", proc.read(file))
  end)

  it("says what it does not understand", function()
    for words, problem in pairs {
      ["no"] = "not understood: no", ["--svg"] = "not understood: --svg", ["--svg x"] = "a picture is of one of them",
      ["quota outage --svg x"] = "a picture is of one of them",
    } do
      local rc, output = run(words)
      assert.equal(1, rc)
      assert.is_truthy(output:find("limits: " .. problem .. "\nusage: ", 1, true), output)
    end
    local rc, output = run("quota --svg " .. proc.quote(directory.path .. "/none/x"))
    assert.equal(1, rc)
    assert.matches("No such file", output)
  end)
end)
