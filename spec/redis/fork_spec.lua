-- Programs that fork while they have a connection to Redis.
local forking = require "support.forking"
local host = require "support.host"
local servers = require "support.redis"

-- %s: the URL, what the parent does before, what the child does.
local PROGRAM = [[
  local posix = require "specfork"
  local client = require "support.redis_client"
  local url = %q
  local c = client.new { url = url }
  local function ask(who, of)
    local value, _, code = of:eval("return 'ok'")
    say(who, value or code)
  end
  %s
  local pid = posix.fork()
  if pid == 0 then
    %s
    os.exit(0, true)
  end
  say("child", posix.wait(pid))
  ask("parent", c)
  ask("parent", c)]]

describe("[E4] after a fork", function()
  local server
  setup(function()
    host.open()
    server = servers.start()
  end)
  teardown(function()
    server:stop()
    host.close()
  end)
  before_each(function() forking.compile() end)

  -- How many the server has seen.
  local function connections()
    return tonumber(server:ask("INFO", "stats"):match "total_connections_received:(%d+)")
  end

  local CONNECTED = 'ask("parent", c)'

  for what, row in pairs {
    ["uses the parent's connection"] = {
      child = [[
        say(tostring(c.connection:is_ours()))
        for _ = 1, 2 do
          local seen
          c.connection:eval("return 1", {}, {}, function(_, problem, code) seen = { code, problem } end)
          c.connection:deliver()
          say(unpack(seen))
        end
        say(c.connection:state())]],
      says = "false\n" .. ("forked the connection belongs to the process that was forked\n"):rep(2) .. "closed\n",
    },
    ["closes it"] = { child = "c.connection:close() c.connection:close()", says = "" },
    ["collects it"] = { child = "c = nil collectgarbage() collectgarbage()", says = "" },
    ["ends"] = { child = "", says = "" },
    ["has a connection of its own"] = { child = [[ask("child", client.new { url = url })]],
      says = "child ok\n", connections = 2 },
  } do
    it("a child that " .. what .. " leaves the parent's alone", function()
      local before = connections()
      assert.equal("parent ok\n" .. row.says .. "child 0\nparent ok\nparent ok\n",
        host.succeed(PROGRAM:format(server.url, CONNECTED, row.child)))
      assert.equal((row.connections or 1) + 1, connections() - before) -- one asks how many there are
    end)
  end

  -- A script is begun, and its result awaited by the parent after the fork.
  local function begun(url, before)
    return (PROGRAM:format(url, [[
      local seen
      c.connection:eval("return 'answer'", {}, {}, function(value, _, code) seen = value or code say(seen) end)
      ]] .. before, "c.connection:deliver() c.connection:deliver()")
      :gsub('ask%("parent", c%)', 'c:till(function() return seen end) %0', 1))
  end

  it("what the parent waits for ends in the child, too, and once in each", function()
    assert.equal("forked\nchild 0\nanswer\nparent ok\nparent ok\n",
      host.succeed(begun(server.url, "for _ = 1, 2 do c.engine:step(0) end")))
  end)

  it("a lookup that is under way ends in both", function()
    assert.equal("forked\nchild 0\ndown\nparent down\nparent down\n",
      host.succeed(begun("redis://" .. ("x"):rep(64) .. ".invalid", "")))
  end)
end)
