-- Inside real nginx: tools, other protocols, files, videos and streams of bytes.
-- nginx's Lua module is for LuaJIT alone.
-- test: waits long: for nginx, and a large file
if not rawget(_G, "jit") then return end

local calls = require "support.calls"
local host_cases = require "support.host_cases"
local proc = require "support.proc"
local server = require "support.server"
local socket = require "socket"
local worker = require "support.worker"

local s, path
setup(function()
  s = server.start()
  path = proc.write(os.tmpname(), ("0123456789"):rep(200000))
end)
teardown(function()
  s:stop()
  os.remove(path)
end)
before_each(function() s:reset() end)

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local MANY = 64 * 1024 * 1024

local function becomes(is_so)
  local due = socket.gettime() + 10
  repeat
    if is_so() then return true end
    socket.sleep(0.02)
  until socket.gettime() > due
  return false
end

local function is_idle(front)
  return becomes(function()
    return select(2, front:ask("/case/state")) == "wanted=false standing=0 tasks=false timers=0\n"
  end)
end

-- A long file of zeroes, which takes no room.
local function sparse(size)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:seek("set", size - 1)
  file:write "\0"
  file:close()
  return keep { path = name, stop = function() os.remove(name) end }.path
end

local function cases(has_pool)
  local function start() return keep(worker.start { url = s.url, pool = has_pool }) end

  for _, name in ipairs { "calls", "calls_in_tasks" } do
    it("[2.11] all new calls work: " .. name, function()
      local front = start()
      s:script(host_cases.steps(server))
      assert.equal(host_cases.expected(), select(2, front:ask("/case/" .. name .. "?path=" .. path)))
      assert.is_true(is_idle(front))
      assert.equal("", front:log())
    end)
  end

  it("[2.11] all new calls work in a timer", function()
    local front = start()
    s:script(host_cases.steps(server))
    front:ask("/case/calls_in_timer?path=" .. path)
    local said
    becomes(function()
      said = select(2, front:ask "/case/said")
      return said ~= "nil"
    end)
    assert.equal(host_cases.expected(), said)
    assert.is_true(is_idle(front))
    assert.equal("", front:log())
  end)

  it("[2.11] a client that leaves ends its conversation, with the calls of the tools", function()
    local front = start()
    s:script { { body = server.calls { "a", "b" } }, { chunks = { server.events { "first" }[2] }, last_chunk = false,
      stall = true }, repeat_last = true }
    local one = front:open "/case/tools_left"
    assert.is_true(s:wait { requests = 3 })
    assert.is_true(worker.pump({ one }, function() return one.text:find("first", 1, true) end))
    one:close()
    assert.is_true(s:wait { open = 0 })
    assert.is_true(is_idle(front))
    assert.equal(3, #s:log())
    assert.equal("", front:log())
  end)

  it("[2.11] a large file is read in pieces, and holds nothing up", function()
    local front = start()
    s:script { { body = '{"data":[{"b64_json":"eA=="}]}' } }
    local one, pings = front:open("/case/upload?path=" .. sparse(MANY)), 0
    assert.is_true(s:wait { requests = 1 })
    while not worker.pump({ one }, function() return one.is_over end, 0.001) do
      assert.equal("pong\n", select(2, front:ask "/ping"))
      pings = pings + 1
    end
    local answer, more = select(2, one:answer()):match "^here\n(%S+) (%d+)\n"
    assert.equal("eA==", answer)
    assert.is_true(tonumber(more) < 8 * 1024, more)
    assert.is_true(pings > 0)
    assert.is_true(s:log()[1].body_size > MANY)
    assert.equal("", front:log())
  end)

  it("[2.11] a client that leaves ends its upload, and the file is closed", function()
    local front = start()
    s:script { { on = "headers", stall = "deaf" } }
    local large = sparse(MANY)
    local one = front:open("/case/upload?path=" .. large)
    assert.is_true(s:wait { requests = 1 })
    assert.is_true(becomes(function() return select(2, front:ask("/case/open_files?path=" .. large)) == "1\n" end))
    one:close()
    assert.is_true(becomes(function() return select(2, front:ask("/case/open_files?path=" .. large)) == "0\n" end))
    assert.is_true(is_idle(front))
    assert.equal("", front:log())
  end)
end

describe("inside nginx, woken by its thread pool,", function() cases(true) end)
describe("inside nginx, woken by timers,", function() cases(false) end)
