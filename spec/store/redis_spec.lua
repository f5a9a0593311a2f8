-- Limits that processes share by a real server of Redis. Clients with transports of
-- their own are to each other like those of two processes; their time is virtual,
-- Redis' is not.
-- test: waits: for silent servers, and for moments of a real clock
local forking = require "support.forking"
local host = require "support.host"
local limited = require "support.limited"
local mock = require "ofox.mock"
local ofox = require "ofox"
local servers = require "support.redis"

local OK = { status = 200, body = limited.OK }
local KEY = "sk-of-the-store-0123456789"

local function params(model) return { model = model or "m", messages = { { role = "user", content = "hi" } } } end

local server, warnings

before_each(function() warnings = {} end)

local function logger(level, message, fields)
  if level == "warn" then warnings[#warnings + 1] = { message, fields } end
end

local function store(options)
  local given = { url = server.url, timeout = 1 }
  for name, value in pairs(options or {}) do given[name] = value end
  return ofox.store.redis(given)
end

-- Like a process of its own.
local function client_of(options)
  local transport = mock.new()
  transport:always(OK)
  local given = { api_key = KEY, transport = transport, errors = "return", logger = logger }
  for name, value in pairs(options or {}) do given[name] = value end
  if given.store == nil then given.store = store() end
  return ofox.new(given), transport
end

local function at(transport, n) return transport.requests[n].at end

describe("a store of Redis", function()
  setup(function() server = servers.start() end)
  teardown(function() server:stop() end)
  before_each(function()
    server:ask "FLUSHALL"
    server:ask("CONFIG", "RESETSTAT")
  end)

  it("spaces the calls of two processes by one pace", function()
    local pace = { rpm = 3, burst = 1 }
    local first, one = client_of { pace = pace }
    local second, two = client_of { pace = pace }
    assert.is_truthy(first:chat(params()))
    assert.equal(0, at(one, 1))
    assert.is_truthy(second:chat(params()))
    assert.is_true(at(two, 1) > 10 and at(two, 1) <= 21, at(two, 1))
    assert.same({}, warnings)
  end)

  it("tells a call at once that its deadline is too short for what others have", function()
    local pace = { rpm = 3, burst = 1 }
    local first = client_of { pace = pace }
    local second, two = client_of { pace = pace }
    assert.is_truthy(first:chat(params()))
    local answer, err = second:chat(params(), { deadline = 5 })
    assert.is_nil(answer)
    assert.same({ "paced", 0, "deadline" }, { err.code, err.attempts, err.reason })
    assert.is_true(two:now() < 0.5, two:now())
  end)

  it("has a key for each account, and for each prefix", function()
    local pace = { rpm = 3, burst = 1 }
    for _, options in ipairs { {}, { api_key = "sk-another" }, { base_url = "https://other.example/v1" },
      { store = store { prefix = "mine:" } } } do
      options.pace = pace
      local client, transport = client_of(options)
      assert.is_truthy(client:chat(params()))
      assert.equal(0, at(transport, 1))
    end
    local keys = server:ask("KEYS", "*")
    assert.equal(4, #keys)
    for _, key in ipairs(keys) do
      assert.is_nil(key:find("sk-", 1, true))
      assert.is_true(key:find "^ofox:%x+$" ~= nil or key:find "^mine:%x+$" ~= nil, key)
      assert.is_true(server:ask("PTTL", key) > 0)
    end
  end)

  it("passes on what one process is told to wait for", function()
    local first, one = client_of { max_retries = 0 }
    one:reply { status = 429, body = limited.SLOW_DOWN, headers = { ["retry-after"] = "20" } }
    assert.equal(429, select(2, first:chat(params())).status)
    local second, two = client_of()
    local answer, err = second:chat(params(), { deadline = 5 })
    assert.is_nil(answer)
    assert.same({ "held", 0, "deadline" }, { err.code, err.attempts, err.reason })
    assert.is_true(err.retry_after > 10 and err.retry_after <= 20, err.retry_after)
    assert.equal(0, #two.requests)
  end)

  it("passes on that a model is down, and nothing of others", function()
    local first, one = client_of { max_retries = 0 }
    one:reply { status = 503, headers = { ["retry-after"] = "30" },
      body = '{"error":{"message":"The model is down.","type":"service_unavailable"}}' }
    assert.equal(503, select(2, first:chat(params "a")).status)
    local second, two = client_of()
    assert.is_truthy(second:chat(params "b"))
    assert.equal(0, at(two, 1))
    two:advance(2) -- it asks once a second at most
    assert.is_truthy(second:chat(params "a", { fallback = { "b" } }))
    assert.is_true(at(two, 2) < 3, at(two, 2)) -- by b
    assert.matches('"b"', two.requests[2].body)
  end)

  it("is asked once for many calls, and once a second where there is no pace", function()
    local client, transport = client_of { pace = { rpm = 6000, burst = 600 } }
    finally(transport:install())
    local list = {}
    for i = 1, 60 do list[i] = i end
    ofox.map(list, function() return client:chat(params()) end)
    local asked = tonumber(server:ask("INFO", "commandstats"):match "cmdstat_time:calls=(%d+)")
    assert.is_true(asked <= 20, asked)
    local quiet = client_of { api_key = "sk-without-a-pace" }
    for _ = 1, 20 do assert.is_truthy(quiet:chat(params())) end
    assert.equal(asked + 1, tonumber(server:ask("INFO", "commandstats"):match "cmdstat_time:calls=(%d+)"))
  end)

  it("runs the ledger as other stores do", function()
    local ledger = require "ofox.store.ledger"
    local run, state = ledger.load(), nil
    local now = 1764350000123
    local script = "local ledger = (function()\n" .. ledger.TEXT .. "\nend)()\nlocal state, reply, expiry = "
      .. "ledger(redis.call('GET', KEYS[1]) or nil, tonumber(ARGV[2]), ARGV[1])\n"
      .. "if state then redis.call('SET', KEYS[1], state, 'PX', ('%.0f'):format(expiry)) end\nreturn reply"
    for i = 1, 60 do
      local ask = ("%d %d 3 900 %d 70 %d %d 30000;%d:%d:1:0")
        :format(i % 7 * 9000, i % 3 * 9000, i % 5, i % 2, i % 4 - 2, i % 3, i * 500)
      local fresh, reply = run(state, now, ask)
      state = fresh or state
      assert.equal(reply, server:ask("EVAL", script, "1", "ledger", ask, ("%d"):format(now)))
      assert.equal(state or false, server:ask("GET", "ledger"))
      now = now + i * 37
    end
  end)

  it("takes a value that is none of ours for none", function()
    local client, transport = client_of { pace = { rpm = 60 } }
    assert.is_truthy(client:chat(params()))
    local key = server:ask("KEYS", "*")[1]
    server:ask("SET", key, "x")
    transport:advance(100)
    assert.is_truthy(client:chat(params()))
    assert.same({}, warnings)
    server:ask("DEL", key)
    server:ask("LPUSH", key, "x")
    transport:advance(100)
    assert.is_truthy(client:chat(params()))
    assert.equal(1, #warnings)
    assert.matches("^WRONGTYPE", warnings[1][2].problem)
  end)
end)

describe("a store that fails:", function()
  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  -- Calls are answered at the pace of the process, with one warning; returns it.
  local function check(client, transport)
    local before = #transport.requests
    local began = transport:now()
    for _ = 1, 12 do assert.is_truthy(client:chat(params(), { deadline = 3600 })) end
    local times = {}
    for i = before + 1, #transport.requests do times[#times + 1] = at(transport, i) end
    assert.is_true(limited.most(times, 60) <= 20)
    assert.is_true(transport:now() - began < 60, transport:now() - began)
    assert.equal(1, #warnings)
    assert.matches("^the store fails", warnings[1][1])
    return warnings[1][2].problem
  end

  local PACE = { rpm = 20, burst = 2 }

  it("killed, and there again", function()
    server = servers.start()
    local client, transport = client_of { pace = PACE }
    assert.is_truthy(client:chat(params()))
    server:kill()
    check(client, transport)
    server:again()
    transport:advance(100)
    assert.is_truthy(client:chat(params()))
    local limit = 100
    while #server:ask("KEYS", "*") == 0 and limit > 0 do -- the connection has pauses of its own
      transport:advance(40)
      assert.is_truthy(client:chat(params()))
      limit = limit - 1
      require("socket").select(nil, nil, 0.1)
    end
    assert.equal(1, #server:ask("KEYS", "*"))
    assert.equal(1, #warnings)
  end)

  it("stopped", function()
    server = servers.start()
    local client, transport = client_of { pace = PACE, store = store { timeout = 0.05 } }
    server:signal "STOP"
    check(client, transport)
    server:signal "CONT"
  end)

  it("full", function()
    server = servers.start { "maxmemory 1" }
    local client, transport = client_of { pace = PACE }
    assert.matches("^OOM", check(client, transport))
  end)

  it("asking for a password, which no message shows", function()
    server = servers.start({ "requirepass right" }, { password = "right" })
    local of = store { url = server.url:gsub("//", "//:wrong-secret@") }
    local client, transport = client_of { pace = PACE, store = of }
    local problem = check(client, transport)
    assert.is_true(#problem > 0)
    for _, text in ipairs { tostring(of), problem, warnings[1][2].store } do
      assert.is_nil(text:find("wrong-secret", 1, true), text)
    end
    assert.matches("127%.0%.0%.1", warnings[1][2].store)
    for key, value in pairs(of) do assert.same({ "table", "function" }, { type(key), type(value) }) end
  end)

  it("loading its data", function()
    server = servers.start { "dbfilename data.rdb", "rdbcompression no" }
    server:ask("EVAL", "for i = 1, 6000 do redis.call('SET', i, string.rep('x', 200)) end", "0")
    assert.equal("OK", server:ask "SAVE")
    server:kill()
    server:again { "key-load-delay 10000", "loading-process-events-interval-bytes 1024" }
    local client, transport = client_of { pace = PACE }
    check(client, transport)
    server:ask("CONFIG", "SET", "key-load-delay", "0")
  end)

  it("never there, while the program's own logger fails", function()
    server = servers.start()
    local of = store()
    server:kill()
    local client = client_of { pace = { rpm = 6000 }, store = of, logger = function(level)
      if level == "warn" then error "mine" end
    end }
    for _ = 1, 5 do assert.is_truthy(client:chat(params())) end
  end)
end)

describe("programs that share a limit by Redis", function()
  local s
  setup(function() s = host.open() end)
  teardown(function() host.close() end)
  before_each(function()
    s:reset()
    server = servers.start()
    s:script { { body = limited.OK, headers = { ["content-type"] = "application/json" } }, repeat_last = true }
  end)
  after_each(function()
    server:stop()
    server = nil
  end)

  -- Calls, one after the other, or side by side; says how many were answered.
  local PROGRAM = [[
    local ofox = require "ofox"
    local warned = 0
    local client = ofox.new { base_url = URL, errors = "return", pace = { rpm = 300, burst = 2 },
      store = ofox.store.redis { url = %q, timeout = 1 },
      logger = function(level) if level == "warn" then warned = warned + 1 end end }
    local list = {}
    for i = 1, %d do list[i] = i end
    local answered = 0
    local function ask() if client:chat(PARAMS, { deadline = 300 }) then answered = answered + 1 end end
    if %q == "tasks" then ofox.map(list, ask) else for _ = 1, #list do ask() end end
    say(answered, warned)]]

  local function start(url, count, how) return host.start(PROGRAM:format(url, count, how)) end

  -- The moments at which requests came.
  local function arrivals()
    local list = {}
    for i, request in ipairs(s:log()) do list[i] = request.at end
    table.sort(list)
    return list
  end

  it("do not send more together than one alone may", function()
    local programs = { start(server.url, 16, "tasks"), start(server.unix_url, 16, "one by one") }
    for _, program in ipairs(programs) do
      local out, rc, err = host.finish(program)
      assert.same({ "16 0\n", 0, "" }, { out, rc, err })
    end
    local list = arrivals()
    assert.equal(32, #list)
    -- a moment is good for two seconds, and has been given to one program alone
    local gap = 62.5 / 300
    for i = 1, #list do
      for j = i, #list do
        assert.is_true((j - i + 1 - 2) * gap <= list[j] - list[i] + 2.6, ("%d %d"):format(i, j))
      end
    end
    assert.is_true(list[32] - list[1] > 30 * gap - 2.1, list[32] - list[1])
  end)

  it("take answers that came while they were away", function()
    local out, rc, err = host.finish(host.start(([[
      local ofox = require "ofox"
      local core = require "ofox.core"
      local warned = 0
      local client = ofox.new { base_url = URL, errors = "return",
        store = ofox.store.redis { url = %q, timeout = 1 },
        logger = function(level) if level == "warn" then warned = warned + 1 end end }
      assert(client:chat(PARAMS))
      ofox.sleep(1.2) -- which connects
      for _ = 1, 2 do
        assert(client:chat(PARAMS))
        local till = core.now() + 1.2
        while core.now() < till do core.pause(0.1) end -- no step is made
      end
      say(warned)]]):format(server.url)))
    assert.same({ "0\n", 0, "" }, { out, rc, err })
    assert.equal("3", server:ask("INFO", "commandstats"):match "cmdstat_time:calls=(%d+)")
  end)

  it("share it with their children, each by a connection of its own", function()
    forking.compile()
    local out, rc, err = host.finish(host.start(([[
      local posix, ofox = require "specfork", require "ofox"
      local warned = 0
      local store = ofox.store.redis { url = %q, timeout = 1 }
      local function ask(who, key)
        local client = ofox.new { base_url = URL, errors = "return", pace = { rpm = 6000 }, api_key = key,
          store = store, logger = function(level) if level == "warn" then warned = warned + 1 end end }
        for _ = 1, 3 do assert(client:chat(PARAMS)) end
        say(who, warned)
      end
      ask "parent"
      local pid = posix.fork()
      if pid == 0 then
        ask "child"
        ask("child", "sk-another")
        io.stdout:flush()
        posix._exit(0)
      end
      say("ended", posix.wait(pid))
      ask "parent"]]):format(server.url)))
    assert.same({ "parent 0\nchild 0\nchild 0\nended 0\nparent 0\n", 0, "" }, { out, rc, err })
    assert.equal(2, #server:ask("KEYS", "*"))
  end)

  it("go on alone when it is killed, and one warning each says so", function()
    local programs = { start(server.url, 12, "tasks"), start(server.url, 12, "one by one") }
    assert.is_true(s:wait({ requests = 6 }, 60))
    server:kill()
    for _, program in ipairs(programs) do
      local out, rc, err = host.finish(program)
      assert.same({ "12 1\n", 0, "" }, { out, rc, err })
    end
    assert.equal(24, #arrivals())
  end)
end)

describe("what is none", function()
  -- The message, which has to name a line of this file.
  local function refused(fn)
    local ok, message = pcall(fn)
    assert.is_false(ok)
    assert.matches("redis_spec%.lua:%d+: ", message)
    return (message:gsub("^.-redis_spec%.lua:%d+: ", ""))
  end

  it("is refused at the program's line", function()
    local redis = ofox.store.redis
    for _, case in ipairs {
      { nil, "ofox.store.redis: expected a table with url, got nil" },
      { {}, "ofox.store.redis: url: expected a string, got nil" },
      { { url = "http://x" }, "^ofox%.store%.redis: url: " },
      { { url = "redis://x", timeout = 2 },
        "ofox.store.redis: timeout: expected a number of seconds above 0, at most 1, got 2" },
      { { url = "redis://x", prefix = 1 }, "ofox.store.redis: prefix: expected a string, got a number" },
      { { url = "redis://x", timout = 1 }, "^ofox%.store%.redis: .*timeout" },
    } do
      local message = refused(function() redis(case[1]) end)
      if case[2]:find "^%^" then assert.matches(case[2], message) else assert.equal(case[2], message) end
    end
    local said = refused(function() redis { url = "redis://:my-secret@" } end)
    assert.is_nil(said:find("my-secret", 1, true))
    local function misused() ofox.new { api_key = "k", store = {} } end
    assert.matches("^ofox%.new: store: expected a store", refused(misused))
    assert.matches("^ofox%.store%.ngx: expected a dictionary", refused(function() ofox.store.ngx {} end))
  end)

  it("a store is given to ofox.new only, and false is none", function()
    local client = ofox.new { api_key = "k", store = false, transport = mock.new() }
    local function misused() client:chat(params(), { store = false }) end
    assert.matches("store: can be given to ofox.new only", refused(misused))
  end)
end)
