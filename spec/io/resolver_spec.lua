-- A resolver that does not answer: the clocks run on, and what it leaves
-- behind does not harm the process. Each case is a Lua process of its own, in
-- a mount namespace whose resolv.conf names an address where nobody answers;
-- where that is not allowed (in a container), with a getaddrinfo that sleeps.
-- test: once waits: for slow name servers, below Lua
local socket = require "socket"
local child = require "support.child"
local host = require "support.host"
local proc = require "support.proc"

local silence, directory -- no silence: the resolver is not the real one

local NAMESPACE = "unshare --mount sh -c %s sh"
local COMMAND = 'mount --bind %s /etc/resolv.conf && exec sh -c "$1"'

local function in_namespace()
  return NAMESPACE:format(proc.quote(COMMAND:format(proc.quote(directory.path .. "/resolv.conf"))))
end

-- Prints how each call ended and how long it took; then the rest runs.
local CODE = [[
  -- made first, so where finalisers run in reverse (5.1, LuaJIT) it is the
  -- last: the modules have been unloaded when it sleeps
  local linger = newproxy and newproxy(true)
  if linger then getmetatable(linger).__gc = function() os.execute("sleep " .. LINGER) end end
  local ofox = require "ofox"
  local core = require "ofox.base.native" "core"
  local function ask(opts)
    opts.api_key, opts.base_url = "sk-of-resolver-0123", "http://gateway.test/v1"
    opts.errors, opts.proxy = "return", false
    opts.retry = { base = 0.01, factor = 1, max_delay = 0.01, jitter = "none" }
    local began = core.now()
    local _, err = ofox.new(opts):chat { model = "m", messages = {} }
    print(err.type, err.code, err.attempts, tostring(err.ambiguous), ("%.3f"):format(core.now() - began))
  end
]]

local function run(code, linger)
  local prelude = CODE:gsub("LINGER", linger or "0")
  if not silence then
    return child.run {
      code = prelude .. code,
      env = { "SLOW_LOOKUP=1000", "LD_PRELOAD=" .. host.slow_lookup() },
    }
  end
  return child.run {
    code = prelude .. code,
    under = in_namespace(),
  }
end

-- The calls that a child made: {type, code, attempts, ambiguous, seconds}.
local function calls(result)
  assert.equal(0, result.status, result.errors)
  local list = {}
  for kind, code, attempts, ambiguous, seconds in
    result.output:gmatch("(%S+)\t(%S+)\t(%d+)%S*\t(%S+)\t(%S+)\n") do
    list[#list + 1] = { kind, code, tonumber(attempts), ambiguous, tonumber(seconds) }
  end
  return list
end

-- Was the resolver asked since the last time?
local function was_asked()
  local asked = not silence
  while silence and silence:receive() do asked = true end
  return asked
end

-- Port 53 of a loopback address that nobody else has, not even another run.
local function be_silent()
  for i = 1, 254 do
    local address = "127.53.53." .. i
    local udp = socket.udp()
    if udp:setsockname(address, 53) then
      udp:settimeout(0)
      return udp, address
    end
    udp:close()
  end
end

setup(function()
  host.open()
  directory = proc.directory()
  local address
  silence, address = be_silent()
  proc.write(directory.path .. "/resolv.conf", ("nameserver %s\noptions timeout:1 attempts:1\n"):format(address))
  if silence and child.run { code = "", under = in_namespace() }.status ~= 0 then
    silence:close()
    silence = nil
  end
end)

teardown(function()
  if silence then silence:close() end
  directory:remove()
  host.close()
end)

-- The resolver would take seconds more, however slow the machine is.
local function assert_took(expected, seconds)
  assert.is_true(seconds >= expected - 0.01 and seconds < expected + 1,
    ("expected %s s, took %s s"):format(expected, seconds))
end

describe("a resolver that does not answer", function()
  for _, row in ipairs {
    { "connect_timeout", "connect_timeout = 0.3, max_retries = 0", 1 },
    { "connect_timeout", "connect_timeout = 0.1, max_retries = 2", 3, 0.32 },
    { "timeout", "timeout = 0.3, max_retries = 0", 1 },
    { "deadline", "deadline = 0.3", 1 },
  } do
    it(("[C12] %s strikes on time (%s), and the process ends at once"):format(row[1], row[2]), function()
      local result = run("ask { " .. row[2] .. " }")
      local list = calls(result)
      assert.same({ "timeout_error", row[1], row[3], "false" }, { list[1][1], list[1][2], list[1][3], list[1][4] })
      assert_took(row[4] or 0.3, list[1][5])
      assert.is_true(result.seconds < list[1][5] + 2, result.seconds)
    end)
  end

  it("[C12] in the end says dns", function()
    was_asked()
    local list = calls(run("ask { max_retries = 0 }"))
    assert.is_true(was_asked(), "the resolver was not asked: see hosts in /etc/nsswitch.conf")
    assert.same({ "connection_error", "dns" }, { list[1][1], list[1][2] })
    assert.is_true(list[1][5] >= 0.9)
  end)

  it("[C12] does not hold up the next call", function()
    local list = calls(run([[
      ask { connect_timeout = 0.1, max_retries = 0 }
      ask { connect_timeout = 0.1, max_retries = 0 }
    ]]))
    assert.equal(2, #list)
    assert_took(0.1, list[1][5])
    assert_took(0.1, list[2][5])
  end)

  it("[C12] [E5] comes to its own end in a process that has closed the engine", function()
    local result = run([[
      ask { connect_timeout = 0.1, max_retries = 0 }
      local native = require "ofox.base.native"
      native("engine").new()
      for name in pairs(package.loaded) do
        if name:find("^ofox") then package.loaded[name] = nil end
      end
      ofox, core, ask, native = nil, nil, nil, nil
      collectgarbage()
      collectgarbage()
      os.execute("sleep 1.3")
      print("alive")
    ]])
    calls(result)
    assert.matches("alive\n$", result.output)
  end)

  it("[C12] [E5] comes to its own end after lua_close", function()
    local result = run("ask { connect_timeout = 0.1, max_retries = 0 }", "1.3")
    assert.equal(1, #calls(result))
    if _VERSION == "Lua 5.1" then assert.is_true(result.seconds > 1.3, "it did not linger") end
  end)

  it("[E5] os.exit with the state closed works beside it", function()
    -- the lookup would take a second each time; a busy machine is slow now and then
    local fastest = math.huge
    for _ = 1, 10 do
      local result = run("ask { connect_timeout = 0.1, max_retries = 0 } os.exit(0, true)")
      assert.equal(1, #calls(result))
      fastest = math.min(fastest, result.seconds)
      if fastest < 0.5 then break end
    end
    assert.is_true(fastest < 0.5, fastest)
  end)
end)
