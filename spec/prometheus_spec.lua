-- ofox.prometheus: what clients have counted as text for Prometheus, which
-- promtool (Debian's package prometheus) reads.
local proc = require "support.proc"
local prometheus = require "ofox.prometheus"

local text = prometheus.text

local function histogram(count)
  return {
    count = count, sum = 1.5 * count, p50 = 1, p90 = 2, p99 = 3, max = 4,
    buckets = { { le = 0.01, count = 0 }, { le = 1.28, count = count / 2 }, { le = 655.36, count = count } },
  }
end

-- What client:stats() gives, of each part something.
local function stats()
  return {
    calls = 12, attempts = 15, succeeded = 8, failed = 2, retries = 3, in_flight = 1, waiting = 1,
    errors = { rate_limit_error = 1, cancelled_error = 1 }, attempt_errors = { rate_limit_error = 5 },
    models = {
      ["openai/gpt-4o"] = { calls = 10, failed = 1, tokens = { input = 90, output = 30, cached = 20, reasoning = 10 } },
      other = { calls = 2, failed = 0, tokens = { input = 1, output = 2, cached = 0, reasoning = 0 } },
    },
    tokens = { input = 91, output = 32, cached = 20, reasoning = 10 },
    bytes = { sent = 1000, received = 2000 },
    latency = histogram(10), first_byte = histogram(8), waits = histogram(4),
    error_rate = { ["1m"] = 0.25, ["5m"] = 0.1, ["15m"] = 1 / 3 },
    limits = {},
  }
end

-- A client that has the given models, each called once.
local function with_models(first, last)
  local models = {}
  for i = first, last do
    models[("vendor/model-%03d"):format(i)] = { calls = 1, failed = 1, tokens = { input = i, output = 1 } }
  end
  return { models = models }
end

-- Lines that hold the piece.
local function lines_with(all, piece)
  local found = {}
  for line in all:gmatch "[^\n]+" do
    if line:find(piece, 1, true) then found[#found + 1] = line end
  end
  return found
end

local function value_of(all, series)
  for line in all:gmatch "[^\n]+" do
    if line:sub(1, #series + 1) == series .. " " then return tonumber(line:sub(#series + 2)) end
  end
end

-- What promtool says of a text, "0" if that is nothing.
local function promtool(all)
  local name = os.tmpname()
  proc.write(name, all)
  local pipe = assert(io.popen("promtool check metrics <" .. proc.quote(name) .. " 2>&1; printf $?"))
  local said = pipe:read("*a")
  pipe:close()
  os.remove(name)
  return said
end

local function message_of(list)
  local ok, message = pcall(function() text(list) end)
  assert.is_false(ok)
  return message
end

-- HELP and TYPE of a family stand once, before its lines, and no series twice.
local function assert_in_order(all)
  local family, families, series = nil, {}, {}
  local lines = all:gmatch "([^\n]*)\n"
  for line in lines do
    if line:find "^# HELP " then
      family = line:match "^# HELP (%S+) ."
      assert.is_nil(families[family])
      families[family] = true
      assert.equal("# TYPE " .. family .. " ", (lines():gsub("%l+$", "")))
    else
      local name, value = line:match "^(.*) (%S+)$"
      assert.equal(family, name:match("^[%l_]+"):sub(1, #family))
      assert.is_nil(series[name], name)
      series[name] = value
    end
  end
end

describe("ofox.prometheus.text", function()
  local CASES = {
    ["everything"] = { { stats = stats() } },
    ["a client that has done nothing"] = { { stats = { calls = 0, latency = { count = 0, sum = 0 } } } },
    ["entries with labels"] = {
      { stats = stats(), labels = { worker = 0, app = "a" } }, { stats = stats(), labels = { worker = 1, app = "a" } },
      { stats = stats(), labels = { worker = 1, draft = true } },
    },
    ["odd names"] = {
      { stats = with_models(1, 150), labels = { x = 'back\\slash "quoted"\nline', y = "\255\0\r模型" } },
      { stats = { models = { ['"'] = { calls = 1, failed = 0 }, ["{}"] = { calls = 2, failed = 0 } } } },
    },
  }

  for name, list in pairs(CASES) do
    it("gives promtool nothing to say: " .. name, function()
      local all = text(list)
      assert.equal("0", promtool(all))
      assert_in_order(all)
    end)
  end

  it("is read by a promtool that has something to say of other texts", function()
    local unexplained = text(CASES.everything):gsub("# HELP ofox_calls_total[^\n]*\n", "")
    assert.matches("no help text", promtool(unexplained), 1, true)
    assert.matches("3$", promtool("# HELP ofox_calls a\n# TYPE ofox_calls counter\nofox_calls 1\n"))
    assert.matches("1$", promtool('# HELP a_total b\n# TYPE a_total counter\na_total{b="\255"} 1\n'))
  end)

  it("has a line for each number", function()
    local all = text { { stats = stats() } }
    local expected = {
      ["ofox_calls_total"] = 12, ["ofox_attempts_total"] = 15, ["ofox_calls_succeeded_total"] = 8,
      ["ofox_calls_failed_total"] = 2, ["ofox_retries_total"] = 3, ["ofox_in_flight_calls"] = 1,
      ["ofox_waiting_calls"] = 1, ['ofox_errors_total{type="rate_limit_error"}'] = 1,
      ['ofox_attempt_errors_total{type="rate_limit_error"}'] = 5,
      ['ofox_model_calls_total{model="openai/gpt-4o"}'] = 10,
      ['ofox_model_calls_failed_total{model="openai/gpt-4o"}'] = 1, ['ofox_model_calls_total{model="other"}'] = 2,
      ['ofox_model_tokens_total{model="openai/gpt-4o",kind="cached"}'] = 20,
      ['ofox_model_tokens_total{model="other",kind="output"}'] = 2, ['ofox_tokens_total{kind="input"}'] = 91,
      ['ofox_tokens_total{kind="reasoning"}'] = 10, ["ofox_sent_bytes_total"] = 1000,
      ["ofox_received_bytes_total"] = 2000, ['ofox_error_ratio{window="1m"}'] = 0.25,
      ['ofox_error_ratio{window="15m"}'] = 1 / 3, ["ofox_latency_seconds_count"] = 10,
      ["ofox_first_byte_seconds_sum"] = 12, ['ofox_wait_seconds_bucket{le="+Inf"}'] = 4,
    }
    for series, value in pairs(expected) do assert.equal(value, value_of(all, series), series) end
  end)

  it("gives histograms with cumulative buckets", function()
    assert.same({
      "# HELP ofox_latency_seconds How long calls took, waits included.", "# TYPE ofox_latency_seconds histogram",
      'ofox_latency_seconds_bucket{app="a",le="0.01"} 0', 'ofox_latency_seconds_bucket{app="a",le="1.28"} 5',
      'ofox_latency_seconds_bucket{app="a",le="655.36"} 10', 'ofox_latency_seconds_bucket{app="a",le="+Inf"} 10',
      'ofox_latency_seconds_sum{app="a"} 15', 'ofox_latency_seconds_count{app="a"} 10',
    }, lines_with(text { { stats = stats(), labels = { app = "a" } } }, "ofox_latency_seconds"))
  end)

  it("says nothing of what is not there", function()
    assert.equal("", text {})
    assert.equal("", text { { stats = {} } })
    local _, lines = text({ { stats = { calls = 1 } } }):gsub("\n", "")
    assert.equal(3, lines)
  end)

  it("puts the labels of an entry before its own, sorted and escaped", function()
    local all = text { { stats = { errors = { tls_error = 1 } },
      labels = { b = 'a\\b"c\nd', a = 2 ^ 31, c = true, empty = "", d = "\255x\0\127模" } } }
    assert.same({
      'ofox_errors_total{a="2147483648",b="a\\\\b\\"c\\nd",c="true",d="\239\191\189x??模",type="tls_error"} 1',
    }, lines_with(all, "ofox_errors_total{"))
  end)

  it("writes numbers whole, whatever the locale", function()
    local function written(value) return text({ { stats = { calls = value } } }):match "ofox_calls_total (%S+)\n$" end
    local nan = 0 / 0
    local rows = { [0] = "0", [2 ^ 53 - 1] = "9007199254740991", [0.1] = "0.1", [1 / 3] = "0.3333333333333333",
      [1e300] = "1e+300", [1e-7] = "1e-07", [-1.5] = "-1.5", [math.huge] = "+Inf", [-math.huge] = "-Inf" }
    local function check()
      for value, expected in pairs(rows) do assert.equal(expected, written(value)) end
      assert.equal("NaN", written(nan))
    end
    check()
    -- a locale whose decimal point is a comma, for what writes and what reads
    local format, read = string.format, tonumber
    -- luacheck: push ignore 122
    string.format = function(...) return (format(...):gsub("^(%-?%d+)%.(%d)", "%1,%2")) end
    _G.tonumber = function(number) return read((number:gsub(",", "."))) end
    local ok, message = pcall(check)
    string.format, _G.tonumber = format, read
    -- luacheck: pop
    assert(ok, message)
  end)

  it("shows a hundred models of a client, and the others as one", function()
    local all = text { { stats = with_models(1, 150) } }
    assert.equal(101, #lines_with(all, "ofox_model_calls_total{"))
    assert.equal(404, #lines_with(all, "ofox_model_tokens_total{"))
    assert.equal(1, value_of(all, 'ofox_model_calls_total{model="vendor/model-100"}'))
    assert.equal(50, value_of(all, 'ofox_model_calls_total{model="other"}'))
    assert.equal(50, value_of(all, 'ofox_model_calls_failed_total{model="other"}'))
    assert.equal(50 * 125.5, value_of(all, 'ofox_model_tokens_total{model="other",kind="input"}'))
    assert.equal(0, value_of(all, 'ofox_model_tokens_total{model="other",kind="cached"}'))
  end)

  it("shows a hundred models of all entries together", function()
    local second = with_models(61, 140)
    second.models.other = { calls = 7, failed = 0 }
    local all = text { { stats = with_models(1, 80) }, { stats = second, labels = { worker = 2 } } }
    local names, count = {}, 0
    for name in all:gmatch 'model="([^"]*)"' do
      if not names[name] then names[name], count = true, count + 1 end
    end
    assert.equal(101, count)
    assert.is_nil(value_of(all, 'ofox_model_calls_total{model="other"}'))
    assert.equal(47, value_of(all, 'ofox_model_calls_total{worker="2",model="other"}'))
    assert.equal(1, value_of(all, 'ofox_model_calls_total{worker="2",model="vendor/model-061"}'))
  end)

  it("adds up models whose names look alike", function()
    local models = { ["a\255"] = { calls = 1, failed = 0 }, ["a\254"] = { calls = 2, failed = 1 },
      count = { calls = 4, failed = 0 } }
    local all = text { { stats = { models = models } } }
    assert.equal(3, value_of(all, 'ofox_model_calls_total{model="a\239\191\189"}'))
    assert.equal(4, value_of(all, 'ofox_model_calls_total{model="count"}'))
    assert_in_order(all)
  end)

  it("changes nothing it is given", function()
    local list = { { stats = stats(), labels = { worker = 1 } } }
    local first = text(list)
    assert.same({ { stats = stats(), labels = { worker = 1 } } }, list)
    assert.equal(first, text(list))
  end)

  local MISUSES = {
    { nil, "list: expected a table, got nil" },
    { { 5 }, "[1]: expected a table, got 5" },
    { { {} }, "[1].stats: expected a table, got nil" },
    { { { stats = {} }, { stats = {} } }, "[2].labels: the same as those of [1]" },
    { { { stats = {}, labels = { a = "" } }, { stats = {}, labels = {} } }, "[2].labels: the same as those of [1]" },
    { { { stats = {}, labels = "a" } }, '[1].labels: expected a table, got "a"' },
    { { { stats = {}, labels = { model = "a" } } }, "[1].labels: a label model is already there" },
    { { { stats = {}, labels = { ["a-b"] = 1 } } }, '[1].labels: a label\'s name has letters, digits and underscores' },
    { { { stats = {}, labels = { __a = 1 } } }, 'two underscores; got "__a"' },
    { { { stats = {}, labels = { "a" } } }, "underscores; got 1" },
    { { { stats = {}, labels = { a = {} } } }, "[1].labels.a: expected a string, got a table" },
    { { { stats = { calls = "1" } } }, '[1].stats.calls: expected a number, got "1"' },
    { { { stats = { bytes = 1 } } }, "[1].stats.bytes: expected a table, got 1" },
    { { { stats = { tokens = { input = true } } } }, "[1].stats.tokens.input: expected a number, got true" },
    { { { stats = { models = { a = 1 } } } }, '[1].stats.models["a"]: expected a table, got 1' },
    { { { stats = { models = { a = { calls = 1 } } } } }, '[1].stats.models["a"].failed: expected a number, got nil' },
    { { { stats = { waits = { count = 1 } } } }, "[1].stats.waits.sum: expected a number, got nil" },
    { { { stats = { waits = { count = 1, sum = 1, buckets = { { le = 1 } } } } } },
      "[1].stats.waits.buckets[1].count: expected a number, got nil" },
  }

  for _, row in ipairs(MISUSES) do
    it("raises at the caller's line: " .. row[2], function()
      local message = message_of(row[1])
      assert.matches("^[^\n]*spec/prometheus_spec%.lua:%d+: ofox%.prometheus: ", message)
      assert.matches(row[2], message, 1, true)
    end)
  end

  it("names its format", function()
    assert.equal("text/plain; version=0.0.4; charset=utf-8", prometheus.CONTENT_TYPE)
  end)
end)
