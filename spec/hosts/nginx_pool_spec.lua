-- Inside real nginx: what wakes its workers, which is a thread of nginx's own
-- pool where that can be, and timers elsewhere.
-- nginx's Lua module is for LuaJIT alone.
-- test: waits long: for timers of a worker
if not rawget(_G, "jit") then return end

local socket = require "socket"
local calls = require "support.calls"
local proc = require "support.proc"
local server = require "support.server"
local worker = require "support.worker"

local s
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function() s:reset() end)

local function becomes(is_so, seconds)
  local due = socket.gettime() + (seconds or 10)
  repeat
    if is_so() then return true end
    socket.sleep(0.02)
  until socket.gettime() > due
  return false
end

describe("[E11] nginx's thread pool", function()
  local keep, stop_kept = calls.keeper()
  after_each(stop_kept)

  local function start(options)
    return keep(worker.start(calls.with({ url = s.url, level = "info" }, options)))
  end

  -- What the log says of timers, one line for each time.
  local function told(front)
    local lines = {}
    for level, why in front:log():gmatch "ofox (%l+): waits in nginx are done by timers why=(\"?[^\n]-\"?), context" do
      lines[#lines + 1] = level .. " " .. why
    end
    return lines
  end

  local function assert_well(front)
    s:script { { body = server.completion "well" }, repeat_last = true }
    assert.matches("^%d well\n$", select(2, front:ask("/case/ask")))
  end

  it("wakes a call that has news, and nothing looks for them meanwhile", function()
    local front = start()
    s:script { { body = server.completion "well", delay = 1 }, repeat_last = true }
    local took, steps = select(2, front:ask("/case/steps")):match("^(%S+) (%d+)\n$")
    assert.is_true(tonumber(steps) < 10 + took / 0.025, ("%s steps in %s s"):format(steps, took))
    s:script { { body = server.completion "well" }, repeat_last = true }
    for _, what in ipairs { "call", "sleep", "calls" } do
      local usual = tonumber((select(2, front:ask("/case/usual?" .. what))))
      assert.is_true(usual < 0.03, ("usually a %s took %s"):format(what, usual)) -- and a wait in the pool 0.05
    end
    assert.same({}, told(front))
  end)

  it("looks often where there is no pool, and the log says once why", function()
    local front = start { pool = false }
    s:script { { body = server.completion "well", delay = 1 }, repeat_last = true }
    local _, steps = select(2, front:ask("/case/steps")):match("^(%S+) (%d+)\n$")
    assert.is_true(tonumber(steps) > 40, steps .. " steps")
    socket.sleep(0.2) -- until the poller has ended
    assert_well(front)
    assert.same({ [[info "nginx.conf has no \"thread_pool ofox threads=1;\""]] }, told(front))
  end)

  -- What hinders a worker, as code that runs before ofox is used; why there are timers then.
  local HINDERED = {
    ["nginx without threads"] = { "ngx.run_worker_thread = nil", [["nginx is built without threads"]] },
    ["an old module"] = { "ngx.config.ngx_lua_version = 10022", [["nginx's Lua module is older than 0.10.23"]] },
    ["no descriptor"] = {
      [[require "ofox" local e = require "ofox.task.engine" getmetatable(e.get()).__index.pollfd = function() end]],
      [["there is no descriptor for all of them"]],
    },
  }

  for name, case in pairs(HINDERED) do
    it("is not used with " .. name, function()
      local front = start { init = case[1] }
      assert_well(front)
      assert_well(front)
      assert.same({ "info " .. case[2] }, told(front))
    end)
  end

  it("is left to others that hold its thread, which is said once", function()
    local front = start()
    assert_well(front)
    local hog = front:open("/case/hog_pool")
    assert.is_true(worker.pump({ hog }, function() return hog.text:find("here", 1, true) end))
    for _ = 1, 5 do assert_well(front) end
    assert.is_nil(hog.text:find("free", 1, true), "calls waited for what held the thread")
    assert.is_true(worker.pump { hog })
    assert_well(front)
    assert.same({ [[warn "the thread_pool ofox is busy with other things"]] }, told(front))
  end)

  it("of another name serves the program, whose Lua states the two share", function()
    local front = start { main = "thread_pool mine threads=2;\n" }
    s:script { { body = server.completion "well" }, repeat_last = true }
    local all = {}
    for i = 1, 20 do all[i] = front:open(i % 2 == 0 and "/case/ask" or "/case/own_pool") end
    assert.is_true(worker.pump(all))
    for i, one in ipairs(all) do assert.equal(i % 2 == 0 and "0 well\n" or "true 0\n", select(2, one:answer())) end
    assert.same({}, told(front))
  end)

  it("is used by one Lua state of a worker, where lua_code_cache makes many", function()
    local front = start { http = "lua_code_cache off;\n" }
    for _ = 1, 3 do
      s:script { { body = server.completion "well", delay = 0.05 }, repeat_last = true }
      local all = {}
      for i = 1, 10 do all[i] = front:open("/case/ask") end
      assert.is_true(worker.pump(all))
      for _, one in ipairs(all) do assert.equal("0 well\n", select(2, one:answer())) end
    end
    local lines = told(front)
    assert.is_true(#lines >= 29, "only so many were told: " .. #lines)
    for _, line in ipairs(lines) do
      assert.equal([[info "another Lua state of this worker has the pool: lua_code_cache is off"]], line)
    end
  end)

  it("holds up no worker that is to end", function()
    local front = start()
    s:script { { body = server.completion "well", delay = 0.3 }, repeat_last = true }
    for _ = 1, 3 do
      local one = front:open("/case/ask")
      assert.is_true(s:wait { open = 1 })
      local old = front:workers()[1]
      front:reload()
      assert.is_true(worker.pump { one })
      assert.equal("0 well\n", select(2, one:answer()))
      local ended = socket.gettime()
      assert.is_true(becomes(function() return not proc.read("/proc/" .. old .. "/stat") end))
      assert.is_true(socket.gettime() - ended < 2, "the worker ended late")
    end
    assert.same({}, told(front))
  end)

  it("is there in the worker that takes the place of one which was killed", function()
    local front = start()
    s:script { { stall = true } }
    local lost = front:open("/case/ask")
    assert.is_true(s:wait { requests = 1 })
    local old = front:workers()[1]
    assert.equal(0, os.execute("kill -KILL " .. old))
    assert.is_true(worker.pump { lost })
    assert.equal("", lost.text)
    assert.is_true(becomes(function() return front:workers()[1] ~= old and front:workers()[1] ~= nil end))
    assert_well(front)
    assert.same({}, told(front))
  end)

  for _, has_pool in ipairs { true, false } do
    it("calls that end at once let others run" .. (has_pool and "" or ", also by timers"), function()
      local front = start { pool = has_pool }
      local busy = front:open("/case/in_vain")
      assert.is_true(worker.pump({ busy }, function() return busy.text:find("here", 1, true) end))
      assert.equal("pong\n", select(2, front:ask("/ping")))
      front:ask("/case/enough")
      assert.is_true(worker.pump { busy })
      assert.matches("connection_error", busy.text)
    end)
  end
end)
