-- Scripts on a real server of Redis: what comes back, and how it is reached.
local client = require "support.redis_client"
local native = require "ofox.base.native"
local servers = require "support.redis"

local server

setup(function() server = servers.start() end)
teardown(function() server:stop() end)

-- How often the server was asked that, so far.
local function asked(command)
  local text = server:ask("INFO", "commandstats")
  return tonumber(text:match("cmdstat_" .. command .. ":calls=(%d+)") or 0)
end

describe("a script", function()
  it("gets its keys and arguments as they are", function()
    local c = client.new { url = server.url }
    local value = c:eval("return {KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], #ARGV}",
      { "a b", "" }, { "\0\r\n\255", 12, -0.5 })
    assert.same({ "a b", "", "\0\r\n\255", "12", "-0.5", 3 }, value)
  end)

  it("gets numbers without a digit lost", function()
    local c = client.new { url = server.url }
    assert.same({ "9007199254740991", "0.1", "1764350000.123456" },
      c:eval("return ARGV", {}, { 9007199254740991, 0.1, 1764350000.123456 }))
  end)

  it("returns integers, texts, lists, nil, and errors in lists", function()
    local c = client.new { url = server.url }
    assert.equal(7, (c:eval "return 7"))
    assert.equal("x", (c:eval "return 'x'"))
    assert.equal("", (c:eval "return ''"))
    assert.equal("OK", (c:eval "return redis.status_reply('OK')"))
    assert.equal(false, (c:eval "return nil"))
    assert.equal(false, (c:eval "return false"))
    assert.same({}, (c:eval "return {}"))
    assert.same({ 1, false, { "a", { 2 } }, { err = "WORD and more" } },
      (c:eval "return {1, false, {'a', {2}}, redis.error_reply('WORD and more')}"))
    assert.equal(("x"):rep(300000), (c:eval "return string.rep('x', 300000)"))
  end)

  it("returns lists that are deeper than hiredis reads, or ends", function()
    local c = client.new { url = server.url }
    local value, problem, code = c:eval "local t = 1; for _ = 1, 20 do t = {t} end; return t"
    assert.is_true(value ~= nil or code == "lost", problem)
    assert.equal(1, (c:insist "return 1"))
  end)

  it("ends with what the server says against it, and its first word", function()
    local c = client.new { url = server.url }
    assert.same({ nil, "WORD and more", "WORD" }, { c:eval "return redis.error_reply('WORD and more')" })
    local value, problem, code = c:eval "this is no Lua"
    assert.is_nil(value)
    assert.equal("ERR", code)
    assert.matches("^ERR Error compiling script", problem)
  end)

  it("is sent once, and after a flush again", function()
    local c = client.new { url = server.url }
    local script = "return 'once " .. math.random(1e9) .. "'"
    local texts, names = asked "eval", asked "evalsha"
    for _ = 1, 3 do assert.matches("^once", (c:eval(script))) end
    assert.same({ texts + 1, names + 3 }, { asked "eval", asked "evalsha" })
    server:ask("SCRIPT", "FLUSH")
    for _ = 1, 3 do assert.matches("^once", (c:eval(script))) end
    assert.same({ texts + 2, names + 6 }, { asked "eval", asked "evalsha" })
  end)

  it("is sent once for many at a time", function()
    local c = client.new { url = server.url }
    local script = "return {'many', ARGV[1], " .. math.random(1e9) .. "}"
    local texts, results = asked "eval", {}
    for i = 1, 100 do results[i] = c:start(script, {}, { i }) end
    c:till(function() return results[100].over end)
    for i = 1, 100 do
      assert.equal(1, results[i].calls)
      assert.equal(tostring(i), results[i].value[2])
    end
    assert.equal(texts + 1, asked "eval")
  end)

  it("runs at once beside 2000 others: what does not fit ends as full", function()
    local c = client.new { url = server.url }
    local results, codes = {}, {}
    for i = 1, 2000 do results[i] = c:start("return 1") end
    c:till(function()
      for i = 1, 2000 do if not results[i].over then return false end end
      return true
    end)
    for i = 1, 2000 do
      local code = results[i].code or results[i].value
      codes[code] = (codes[code] or 0) + 1
      assert.equal(1, results[i].calls)
    end
    assert.same({ [1] = 1024, full = 976 }, codes)
    assert.equal(1, (c:eval "return 1"))
  end)

  it("never ends within eval", function()
    local c = client.new { url = server.url }
    local result = c:start "return 1"
    assert.is_nil(result.over)
    c.connection:close()
    local late = c:start "return 2"
    assert.is_nil(late.over)
    c:step(0)
    assert.same({ "closed", "closed" }, { result.code, late.code })
  end)

  it("of many is kept apart from the others", function()
    local c = client.new { url = server.url }
    for i = 1, 100 do assert.equal(i, (c:eval("return " .. i))) end
  end)

  it("has a text, two lists and a function", function()
    local c = client.new { url = server.url }
    local connection = c.connection
    local function done() end
    for _, arguments in ipairs { { nil, {}, {}, done }, { "", nil, {}, done }, { "", {}, "", done }, { "", {}, {} } } do
      assert.is_false(pcall(connection.eval, connection, arguments[1], arguments[2], arguments[3], arguments[4]))
    end
    assert.has_error(function() connection:eval("", { {} }, {}, done) end,
      "keys: expected strings and finite numbers, got a table at 1")
    assert.has_error(function() connection:eval("", {}, { 1, 0 / 0 }, done) end,
      "args: expected strings and finite numbers, got NaN at 2")
    assert.equal(0, connection:deliver())
    assert.equal(3, (c:eval "return 3"))
  end)
end)

describe("results", function()
  it("remain when one of the functions raises an error", function()
    local c = client.new { url = server.url }
    local connection, seen = c.connection, {}
    connection:eval("return 1", {}, {}, function() error("mine", 0) end)
    connection:eval("return 2", {}, {}, function(value) seen[#seen + 1] = value end)
    assert.has_error(function() c:till(function() return #seen > 0 end) end, "mine")
    c:till(function() return #seen > 0 end)
    assert.same({ 2 }, seen)
  end)

  it("may be followed by other scripts, deliveries and the end, in their functions", function()
    local c = client.new { url = server.url }
    local connection, seen = c.connection, {}
    connection:eval("return 1", {}, {}, function(first)
      seen[#seen + 1] = first
      connection:deliver()
      connection:eval("return 2", {}, {}, function(second)
        seen[#seen + 1] = second
        connection:eval("return 3", {}, {}, function(_, _, code) seen[#seen + 1] = code end)
        connection:close()
        connection:deliver()
      end)
    end)
    c:till(function() return #seen == 3 end)
    assert.same({ 1, 2, "closed" }, seen)
  end)

  it("are announced to a loop by the engine's descriptor", function()
    local c = client.new { url = server.url }
    local fd = c.engine:pollfd()
    local luv = require "luv"
    local result = c:start "return 5"
    local poll = luv.new_poll(fd)
    poll:start("r", function()
      c:step(0)
      if result.over then poll:close() end
    end)
    luv.run()
    assert.equal(5, result.value)
  end)

  it("of a timeout are announced there, too", function()
    local c = client.new { url = server.url, timeout = 0.05 }
    assert.equal(1, (c:insist "return 1"))
    server:signal "STOP"
    local fd = c.engine:pollfd()
    local luv = require "luv"
    local result = c:start "return 5"
    local poll = luv.new_poll(fd)
    poll:start("r", function()
      c:step(0)
      if result.over then poll:close() end
    end)
    luv.run()
    server:signal "CONT"
    assert.equal("timeout", result.code)
  end)

  it("make an engine that drives a call return to Lua", function()
    local c = client.new { url = server.url }
    local core = native "core"
    local call = core.call(core.template({ dialect = "chat" }, {}), 0, "{}")
    assert.equal(1, (c:eval "return 1"))
    local result = c:start "return 1"
    c.engine:drive(call) -- which is never over
    assert.equal(0, c.engine:timeout())
    c:step(0)
    assert.equal(1, result.value)
    assert.is_nil(c.engine:timeout())
  end)
end)

describe("a connection", function()
  it("is made for the first script", function()
    local c = client.new { url = server.url }
    assert.equal("off", c.connection:state())
    local result = c:start "return 1"
    assert.equal("connecting", c.connection:state())
    c:till(function() return result.over end)
    assert.equal("ready", c.connection:state())
    c.connection:close()
    c.connection:close()
    assert.equal("closed", c.connection:state())
  end)

  it("leads to a name, which is looked up", function()
    local c = client.new { url = ("redis://localhost:%d"):format(server.port) }
    assert.equal(1, (c:eval "return 1"))
  end)

  it("to a name that is none says so", function()
    -- a label of 64 characters can be in no DNS: no network is asked
    local c = client.new { url = "redis://" .. ("x"):rep(64) .. ".invalid" }
    local value, problem, code = c:eval "return 1"
    assert.is_nil(value)
    assert.equal("down", code)
    assert.is_true(#problem > 0)
  end)

  it("leads to a unix socket", function()
    local c = client.new { url = server.unix_url }
    assert.equal(1, (c:eval "return 1"))
  end)

  it("to a unix socket that is not there says so", function()
    local c = client.new { url = server.unix_url .. ".none" }
    assert.same({ nil, "No such file or directory", "down" }, { c:eval "return 1" })
  end)

  it("uses the database of its URL", function()
    local script = "return redis.call('GET', KEYS[1])"
    local third = client.new { url = server.url .. "/3" }
    third:eval("return redis.call('SET', KEYS[1], 'third')", { "where" })
    assert.equal("third", (third:eval(script, { "where" })))
    assert.equal("third", (client.new { url = server.unix_url .. "?db=3" }:eval(script, { "where" })))
    assert.equal(false, (client.new { url = server.url }:eval(script, { "where" })))
  end)

  it("to a database that is not there says so", function()
    local c = client.new { url = server.url .. "/99" }
    assert.same({ nil, "the server does not select 99 (ERR)", "refused" },
      { c:eval "return 1" })
  end)

  it("that is collected ends without a word", function()
    local c = client.new { url = server.url }
    local called = false
    c.connection:eval("return 1", {}, {}, function() called = true end)
    c.connection = nil
    collectgarbage()
    collectgarbage()
    c.engine:step(0)
    assert.is_nil(c.engine:guest())
    assert.is_false(called)
  end)

  it("may live longer than its engine's object", function()
    local c = client.new { url = server.url }
    assert.equal(1, (c:eval "return 1"))
    local engine = getmetatable(c.engine)
    engine.__gc(c.engine)
    local connection, code = c.connection, nil
    connection:eval("return 1", {}, {}, function(_, _, why) code = why end)
    connection:close()
    connection:deliver()
    assert.equal("closed", code)
  end)

  it("needs an engine that is open", function()
    local engine = native("engine").new()
    getmetatable(engine).__gc(engine)
    assert.is_false(pcall(client.redis.connect, { engine = engine, url = server.url }))
  end)
end)
