-- Servers of Redis that refuse, die, hang, are full, load or lie.
-- test: waits: for pauses between attempts to connect
local client = require "support.redis_client"
local native = require "ofox.base.native"
local proc = require "support.proc"
local servers = require "support.redis"
local socket = require "socket"

local core = native "core"

local server

after_each(function()
  if server then server:stop() end
  server = nil
end)

describe("a password", function()
  local SECRET = "s3same open"

  local function url(user, password)
    return ("redis://%s:%s@127.0.0.1:%d/2"):format(user, password, server.port)
  end

  local function hides(text)
    for _, word in ipairs { "s3same", "open", "wrong", "guess" } do
      assert.is_nil(text:find(word, 1, true), text)
    end
  end

  before_each(function() server = servers.start({ ('requirepass "%s"'):format(SECRET) }, { password = SECRET }) end)

  it("that is right opens the server", function()
    local c = client.new { url = url("", "s3same%20open") }
    assert.equal(1, (c:eval "return 1"))
    hides(tostring(c.connection))
    assert.equal(1, (client.new { url = url("default", "s3same%20open") }:eval "return 1"))
    local unix = server.unix_url:gsub("unix://", "unix://:s3same%%20open@")
    assert.equal(1, (client.new { url = unix }:eval "return 1"))
  end)

  it("that is missing is what the server says", function()
    local c = client.new { url = server.url }
    local value, problem, code = c:eval "return 1"
    assert.is_nil(value)
    assert.equal("NOAUTH", code)
    assert.matches("^NOAUTH ", problem)
  end)

  it("that is wrong is told, and never shown, at once and in the pause after it", function()
    local c = client.new { url = url("", "wrongguess") }
    for _ = 1, 2 do
      local value, problem, code = c:eval "return 1"
      assert.is_nil(value)
      assert.equal("refused", code)
      assert.equal("the server does not accept user and password (WRONGPASS)", problem)
      hides(problem)
      hides(tostring(c.connection))
    end
  end)

  it("that a server repeats is not shown", function()
    server:stop()
    server = servers.start { "rename-command AUTH gone" }
    local c = client.new { url = url("", "wrongguess") }
    local _, problem = c:eval "return 1"
    assert.equal("the server does not accept user and password (ERR)", problem)
  end)

  it("that becomes right is used after a pause", function()
    local c = client.new { url = url("", "wrongguess") }
    assert.equal("refused", (select(3, c:eval "return 1")))
    assert.equal("OK", server:ask("CONFIG", "SET", "requirepass", "wrongguess"))
    server.password = "wrongguess"
    assert.equal(1, (c:insist "return 1"))
  end)
end)

describe("a server", function()
  it("that is not there is told at once, in the pause after it, too", function()
    local c = client.new { url = ("redis://127.0.0.1:%d"):format(proc.free_port()) }
    for _ = 1, 2 do
      assert.same({ nil, "Connection refused", "down" }, { c:eval "return 1" })
    end
  end)

  it("that is killed ends what it was asked, and is used again when it is there", function()
    server = servers.start()
    local c = client.new { url = server.url }
    assert.equal("first", (c:eval "return 'first'"))
    server:signal "STOP"
    local lost = {}
    for i = 1, 10 do lost[i] = c:start "return 1" end
    c:step(0)
    server:kill()
    c:till(function() return lost[10].over end)
    for i = 1, 10 do assert.same({ 1, "lost" }, { lost[i].calls, lost[i].code }) end
    server:again()
    assert.equal("first", (c:insist "return 'first'"))
  end)

  it("that is restarted has no scripts any more, and gets them", function()
    server = servers.start()
    local c = client.new { url = server.unix_url }
    for _ = 1, 20 do assert.equal(1, (c:eval "return 1")) end
    assert.equal("a", (c:eval "return 'a'"))
    server:kill()
    server:again()
    assert.equal("a", (c:insist "return 'a'"))
    local stats = server:ask("INFO", "commandstats")
    assert.matches("cmdstat_evalsha:calls=1,", stats)
    assert.matches("cmdstat_eval:calls=1,", stats)
  end)

  it("that closes an idle connection costs a script at most", function()
    server = servers.start()
    local c = client.new { url = server.url }
    assert.equal(1, (c:eval "return 1"))
    assert.equal("OK", server:ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") and "OK")
    c:till(function() return c.connection:state() == "off" end)
    assert.equal(1, (c:insist "return 1"))
  end)

  it("that stands still lets scripts time out while the loop goes on", function()
    server = servers.start()
    local c = client.new { url = server.url, timeout = 0.05 }
    assert.equal(1, (c:insist "return 1"))
    server:signal "STOP"
    local steps, before = 0, core.now()
    local result = c:start "return 1"
    while not result.over do
      c:step(0.001)
      steps = steps + 1
    end
    assert.same({ "timeout", "the server has not answered in time", 1 }, { result.code, result.problem, result.calls })
    assert.is_true(core.now() - before >= 0.05)
    assert.is_true(steps > 1)
    server:signal "CONT"
    assert.equal(2, (c:insist "return 2"))
    assert.equal(1, result.calls)
  end)

  it("that stands still for long is left, and found again", function()
    server = servers.start()
    local c = client.new { url = server.url, timeout = 0.05 }
    assert.equal(1, (c:insist "return 1"))
    server:signal "STOP"
    assert.equal("timeout", (select(3, c:eval "return 1")))
    c:till(function() return c.connection:state() == "off" end)
    server:signal "CONT"
    assert.equal(2, (c:insist "return 2"))
  end)

  it("whose answers were there before the process went on is not too slow", function()
    server = servers.start()
    local c = client.new { url = server.url, timeout = 1 }
    assert.equal(7, (c:insist "return 7"))
    local result = c:start "return 7"
    c.engine:step(0) -- it is sent
    assert.equal(1, server:ask("EVAL", "return 1", "0")) -- after the other one
    local away = core.now() + 1.1
    while core.now() < away do socket.select(nil, nil, away - core.now()) end
    c:till(function() return result.over end)
    assert.equal(7, result.value)
  end)

  it("whose answers were there is not too slow, however little is read in a step", function()
    server = servers.start()
    local first = client.new { url = server.url, timeout = 1 }
    local second = client.new { url = server.url, timeout = 1, engine = first.engine }
    local seen = {}
    local function ask()
      for i, c in ipairs { first, second } do
        seen[i] = nil
        c.connection:eval("return 7", {}, {}, function(value, _, code) seen[i] = value or code end)
      end
    end
    local function deliver(max)
      first.engine:step(0.05, max)
      for _, c in ipairs { first, second } do c.connection:deliver() end
    end
    first:till(function() -- both are connected, and the server has the script
      ask()
      while not (seen[1] and seen[2]) do deliver() end
      return seen[1] == 7 and seen[2] == 7
    end)
    ask()
    first.engine:step(0) -- both are sent
    assert.equal(1, server:ask("EVAL", "return 1", "0")) -- after them
    local away = core.now() + 1.1
    while core.now() < away do socket.select(nil, nil, away - core.now()) end
    deliver(1)
    assert.same({ 7, 7 }, seen)
  end)

  it("that is full says OOM", function()
    server = servers.start { "maxmemory 1mb", "maxmemory-policy noeviction" }
    server:ask("CONFIG", "SET", "maxmemory", "1")
    local c = client.new { url = server.url }
    local value, problem, code = c:eval("return redis.call('SET', KEYS[1], 'x')", { "k" })
    assert.is_nil(value)
    assert.equal("OOM", code, problem)
    server:ask("CONFIG", "SET", "maxmemory", "0")
    assert.equal("OK", (c:eval("return redis.call('SET', KEYS[1], 'x')", { "k" })))
  end)

  it("that loads its data says LOADING until it has", function()
    server = servers.start { "dbfilename data.rdb", "rdbcompression no" }
    server:ask("EVAL", "for i = 1, 6000 do redis.call('SET', i, string.rep('x', 200)) end", "0")
    assert.equal("OK", server:ask "SAVE")
    server:kill()
    -- that lasts a minute, with an ear for clients at every fifth key, or until it is told to hurry
    server:again { "key-load-delay 10000", "loading-process-events-interval-bytes 1024" }
    local c = client.new { url = server.url .. "/1" }
    local _, problem, code = c:insist("return 1", function(_, code) return code == "LOADING" end)
    assert.equal("LOADING", code, problem)
    server:ask("CONFIG", "SET", "key-load-delay", "0")
    assert.equal(1, (c:insist "return 1"))
  end)

  it("that has no room for another client says so", function()
    server = servers.start { "maxclients 1" }
    local first = client.new { url = server.unix_url }
    assert.equal(1, (first:insist "return 1"))
    local _, problem, code = client.new { url = server.url }:eval "return 1"
    assert.is_true(code == "lost" or code == "down" or code == "ERR", code)
    assert.is_true(#problem > 0)
  end)
end)

describe("attempts to connect to a server that hangs up", function()
  it("are at least half a second apart, however many scripts there are", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(0)
    local _, port = listener:getsockname()
    local c = client.new { url = "redis://127.0.0.1:" .. port }
    local began, count = core.now(), 0
    while count < 3 do
      local result = c:start "return 1"
      c:till(function()
        local peer = listener:accept()
        if peer then
          count = count + 1
          peer:close()
        end
        return result.over
      end)
      assert.is_true(result.code == "lost" or result.code == "down", result.problem)
      assert.is_true(core.now() - began < 60)
    end
    listener:close()
    assert.is_true(core.now() - began >= 1.5) -- 0.5 and 1
  end)
end)

describe("a server that is none", function()
  local listener, peer, c

  before_each(function()
    listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(0)
    local _, port = listener:getsockname()
    c = client.new { url = "redis://127.0.0.1:" .. port }
  end)

  after_each(function()
    if peer then peer:close() end
    listener:close()
    peer = nil
  end)

  -- What becomes of a script that is answered like that.
  local function answered(bytes)
    local result = c:start "return 1"
    c:till(function()
      if not peer then
        peer = listener:accept()
        if peer then assert(peer:send(bytes)) end
      end
      return result.over
    end)
    return result
  end

  it("and speaks HTTP ends the connection", function()
    local result = answered "HTTP/1.1 400 Bad Request\r\n\r\n"
    assert.equal("lost", result.code)
    assert.matches("^Protocol error", result.problem)
  end)

  it("and says more than it was asked ends the connection, and no process", function()
    for _, extra in ipairs { "+OK\r\n", ":1\r\n", "$-1\r\n", "*1\r\n+a\r\n", "*0\r\n", "$1\r\na\r\n" } do
      local result = answered("*2\r\n+a\r\n+b\r\n" .. extra)
      assert.same({ "a", "b" }, result.value)
      c:till(function() return c.connection:state() == "off" end)
      peer:close()
      peer = nil
      c.connection:close()
      local _, port = listener:getsockname()
      c = client.new { url = "redis://127.0.0.1:" .. port }
    end
  end)

  it("and never says anything lets the timeout pass", function()
    local _, port = listener:getsockname()
    c = client.new { url = "redis://127.0.0.1:" .. port, timeout = 0.05 }
    assert.equal("timeout", (select(3, c:eval "return 1")))
  end)

  it("and answers NOSCRIPT to everything gets the text thrice at most", function()
    local result = c:start "return 1"
    local seen = ""
    c:till(function()
      if not peer then
        peer = listener:accept()
        if peer then peer:settimeout(0) end
      end
      if peer then
        local _, _, part = peer:receive "*a"
        seen = seen .. part
        if #part > 0 then assert(peer:send "-NOSCRIPT never\r\n") end
      end
      return result.over
    end)
    assert.equal("NOSCRIPT", result.code)
    assert.equal(3, select(2, seen:gsub("%$4\r\nEVAL\r\n", "")))
  end)
end)
