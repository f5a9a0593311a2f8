-- ofox.map and ofox.any, and what they share with ofox.all: who begins when,
-- what is raised, and that nothing is left running. On virtual time.
local ofox = require "ofox"
local mock = require "ofox.mock"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
-- PUC Lua 5.1 cannot yield across pcall: what waits in it holds others up.
local PCALL_HOLDS = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local transport, uninstall

before_each(function()
  transport = mock.new()
  uninstall = transport:install()
end)
after_each(function()
  uninstall()
  collectgarbage() collectgarbage()
  assert.is_false(ofox.step(0), "a task is left")
end)

local function client_of()
  return ofox.new { api_key = "sk-of-secret-0123456789", transport = transport, max_retries = 0 }
end

-- Where the caller stands: nowhere special, in a task, in a coroutine of its own inside a task.
local PLACES = {
  ["outside of tasks"] = function(fn) return fn() end,
  ["in a task"] = function(fn) return ofox.run(fn) end,
  ["in a coroutine in a task"] = function(fn)
    return ofox.run(function()
      local function values(ok, ...)
        if not ok then error((...), 0) end
        return ...
      end
      return values(coroutine.resume(coroutine.create(fn)))
    end)
  end,
}

local function misuse(message, fn, ...)
  local args, n = { ... }, select("#", ...)
  local line = debug.getinfo(1, "l").currentline + 1
  local _, text = pcall(function() fn(unpack(args, 1, n)) end)
  assert.equal(("spec/task/parallel_spec.lua:%d: %s"):format(line, message), (tostring(text):gsub("^%./", "")))
end

for place, at in pairs(PLACES) do describe("[2.6] ofox.map " .. place, function()
  it("gives what each call gave, in order, and no more run than may", function()
    local running, most, seen = 0, 0, {}
    local results = at(function()
      return ofox.map({ "a", false, "c", "d", "e" }, function(item, i, ...)
        assert(select("#", ...) == 0)
        running = running + 1
        most = math.max(most, running)
        seen[i] = item
        ofox.sleep(10 - i)
        running = running - 1
        if i == 4 then error("four", 0) end
        return item, nil, i
      end, { limit = 2 })
    end)
    assert.equal(2, most)
    assert.same({ "a", false, "c", "d", "e" }, seen)
    assert.same({ { true, "a", nil, 1, n = 4 }, { true, false, nil, 2, n = 4 }, { true, "c", nil, 3, n = 4 },
      { false, "four", n = 2 }, { true, "e", nil, 5, n = 4 } }, results)
  end)

  it("tells each result when it comes, one after the other", function()
    local heard, inside = {}, 0
    at(function()
      ofox.map({ 3, 1, 2 }, function(seconds)
        ofox.sleep(seconds)
        if seconds == 2 then error("two", 0) end
        return seconds, nil
      end, { on_result = function(...)
        inside = inside + 1
        assert(inside == 1)
        heard[#heard + 1] = { transport:now(), select("#", ...), ... }
        ofox.sleep(0.25)
        inside = inside - 1
      end })
    end)
    assert.same({ { 1, 4, 2, true, 1, nil }, { 2, 3, 3, false, "two" }, { 3, 4, 1, true, 3, nil } }, heard)
  end)

  it("goes on while on_result waits, and tells what came meanwhile", function()
    local heard = {}
    at(function()
      ofox.map({ 1, 2, 3, 4 }, ofox.sleep, { on_result = function(i)
        heard[#heard + 1] = i
        if i == 1 then ofox.sleep(50) end
      end })
    end)
    assert.same({ 1, 2, 3, 4 }, heard)
    assert.equal(51, transport:now())
  end)

  it("raises what on_result raises, when the rest have ended, and calls it no more", function()
    local thrown, calls, ended = {}, 0, 0
    local ok, err = pcall(at, function()
      ofox.map({ 1, 2, 30, 40 }, function(seconds)
        ofox.sleep(seconds)
        ended = ended + 1
      end, { limit = 3, on_result = function(i)
        calls = calls + 1
        if i == 2 then error(thrown) end
      end })
    end)
    assert.is_false(ok)
    assert.is_true(err == thrown)
    assert.same({ 2, 2, 2 }, { calls, ended, transport:now() })
  end)

  it("with stop_on_error cancels the rest, raises, and has told until then", function()
    local heard, began = {}, 0
    local ok, err = pcall(at, function()
      ofox.map({ 1, 2, 3, 4, 5 }, function(seconds)
        began = began + 1
        ofox.sleep(seconds)
        if seconds == 2 then error("two", 0) end
      end, { limit = 2, stop_on_error = true, on_result = function(i, well) heard[#heard + 1] = { i, well } end })
    end)
    assert.same({ false, "two" }, { ok, err })
    assert.same({ { 1, true }, { 2, false } }, heard)
    assert.equal(3, began)
  end)

  it("loses no error that is nil or false", function()
    for _, value in ipairs { false, "nil" } do
      local fn = function() if value == "nil" then error() end error(value) end
      assert.is_false(ofox.map({ 1 }, fn)[1][1])
      assert.is_false((pcall(at, function() ofox.map({ 1 }, fn, { stop_on_error = true }) end)))
      assert.is_false((pcall(at, function() ofox.all({ fn }, { stop_on_error = true }) end)))
      assert.is_false((pcall(at, function() ofox.map({ 1 }, type, { on_result = fn }) end)))
      assert.is_false((pcall(at, function() ofox.any { fn } end)))
    end
  end)
end) end

describe("[2.6] ofox.map", function()
  it("takes the list to where # says, and reads an item when its turn comes", function()
    assert.same({}, ofox.map({}, error))
    local read = 0
    local list = setmetatable({}, { __index = function(_, i) read = i return i end, __len = function() return 9 end })
    if #list == 9 then -- Lua 5.2 and later
      ofox.map(list, function(_, i) assert(read == i) coroutine.yield() end, { limit = 1 })
    end
    local items = { 1, 2, 3 }
    local results = ofox.map(items, function(item, i) items[i + 1] = 0 ofox.sleep(1) return item end, { limit = 1 })
    assert.same({ 1, 0, 0 }, { results[1][2], results[2][2], results[3][2] })
  end)

  it("takes what can be called, and functions of C", function()
    local callable = setmetatable({}, { __call = function(_, item) ofox.sleep(1) return item end })
    assert.equal(7, ofox.map({ 7 }, callable)[1][2])
    assert.same({ { true, "number", n = 2 } }, ofox.map({ 7 }, type))
    assert.equal(7, ofox.all({ setmetatable({}, { __call = function() return 7 end }) })[1][2])
    assert.same({ true, "nil" }, { ofox.go(type, nil):wait() })
    local seen
    local hook = setmetatable({}, { __call = function(_, i, ok, value) seen = { i, ok, value } end })
    ofox.map({ 7 }, callable, { on_result = hook })
    assert.same({ 1, true, 7 }, seen)
  end)

  it("names what is wrong with its arguments, at the caller's line", function()
    misuse("ofox.map: list: expected a list, got nil", ofox.map)
    misuse("ofox.map: list: expected a list, got a string", ofox.map, "x", print)
    misuse("ofox.map: fn: expected a function, got nil", ofox.map, {})
    misuse("ofox.map: fn: expected a function, got a table", ofox.map, {}, { limit = 1 })
    for _, limit in ipairs { 0, -1, 1.5, "8", false, 0 / 0 } do
      local ok, text = pcall(ofox.map, {}, type, { limit = limit })
      assert.is_false(ok)
      assert.matches("ofox.map: options.limit: expected an integer from 1 on, got ", text)
    end
    misuse("ofox.map: options.on_result: expected a function, got true", ofox.map, {}, type, { on_result = true })
    misuse("ofox.map: options: unknown option on_results", ofox.map, {}, type, { on_results = type })
    misuse("ofox.map: options: unknown option on", ofox.map, {}, type, { on = type })
    misuse("ofox.map: options: unknown option 1", ofox.map, {}, type, { 8 })
    misuse("ofox.map: options: expected a table, got 8", ofox.map, {}, type, 8)
    misuse("ofox.all: options: unknown option on_result", ofox.all, {}, { on_result = type })
  end)

  it("holds no more tasks than run, and takes time as the items do", function()
    local function took(n)
      local list = {}
      for i = 1, n do list[i] = i end
      collectgarbage() collectgarbage()
      local began, alive, peak = os.clock(), 0, 0
      ofox.map(list, function(i)
        alive = alive + 1
        peak = math.max(peak, alive)
        if i % 3 > 0 then ofox.sleep(0.001) end
        alive = alive - 1
      end, { limit = 8 })
      assert.is_true(peak <= 8)
      return os.clock() - began
    end
    took(1000)
    local small, big = took(2000), took(20000)
    assert.is_true(big < math.max(small, 0.01) * 40, ("%g s, then %g s for ten times as many"):format(small, big))
  end)

  it("lets others run between items that never wait", function()
    local ticks, list = 0, {}
    for i = 1, 1000 do list[i] = i end
    ofox.run(function()
      local other = ofox.go(function() for _ = 1, 100 do ticks = ticks + 1 coroutine.yield() end end)
      local seen
      ofox.map(list, function(i) if i == 200 then seen = ticks end end, { limit = 4 })
      assert(seen > 10 and seen < 100, seen)
      other:wait()
    end)
  end)
end)

for place, at in pairs(PLACES) do describe("[2.6] ofox.any " .. place, function()
  it("gives what the first to succeed gives, and cancels the rest", function()
    local ended = 0
    local function after(seconds, ...)
      local results = { n = select("#", ...), ... }
      return function()
        ofox.sleep(seconds)
        ended = ended + 1
        return unpack(results, 1, results.n)
      end
    end
    assert.same({ "fast", nil, 3 }, { at(function()
      return ofox.any { after(9, "slow"), after(2, "fast", nil, 3), after(30, "slower") }
    end) })
    assert.same({ 1, 2 }, { ended, transport:now() })
  end)

  it("goes on after failures that were raised or returned", function()
    local client = client_of()
    transport:reply { status = 400, delay = 1 }
    assert.equal("well", at(function()
      return ofox.any {
        function() error("raised") end,
        function() return client:chat(PARAMS) end,
        function() ofox.sleep(2) return nil, "in words" end,
        function() ofox.sleep(3) return "well" end,
      }
    end))
    assert.equal(3, transport:now())
  end)

  it("raises the last failure, as it is, if none succeeds", function()
    local client, thrown = client_of(), {}
    local function last() ofox.sleep(5) error(thrown) end
    local ok, err = pcall(at, function() return ofox.any { last, function() error("first") end } end)
    assert.is_false(ok)
    assert.is_true(err == thrown)
    transport:reply { status = 429, delay = 1 }
    ok, err = pcall(at, function()
      return ofox.any { function() return client:chat(PARAMS) end, function() error("first") end }
    end)
    assert.same({ false, "rate_limit_error" }, { ok, err.type })
    assert.same({ false, "two" }, { pcall(at, function()
      return ofox.any({ function() error("one", 0) end, function() error("two", 0) end }, { limit = 1 })
    end) })
  end)

  it("begins no more than may run, and none after a success", function()
    local began = {}
    local list = {}
    for i = 1, 9 do
      list[i] = function()
        began[#began + 1] = i
        ofox.sleep(1)
        if i < 4 then error("no") end
        return i
      end
    end
    assert.equal(4, at(function() return ofox.any(list, { limit = 2 }) end))
    assert.same({ 1, 2, 3, 4 }, began)
    began = {}
    assert.equal("now", at(function()
      return ofox.any { function() error("no") end, function() return "now" end, list[1], list[2] }
    end))
    assert.same({}, began)
  end)

  it("takes no value, false and nil alone for success", function()
    assert.equal(0, select("#", at(function() return ofox.any { function() end } end)))
    assert.equal(false, at(function() return ofox.any { function() return false, "x" end } end))
    assert.is_nil(at(function() return ofox.any { function() return nil end } end))
  end)
end) end

describe("[2.6] ofox.any", function()
  it("names what is wrong with its arguments, at the caller's line", function()
    misuse("ofox.any: list: expected a list of functions, got nil", ofox.any)
    misuse("ofox.any: list: expected at least one function, got an empty list", ofox.any, {})
    misuse("ofox.any: list[2]: expected a function, got 7", ofox.any, { print, 7 })
    misuse("ofox.any: options: unknown option stop_on_error", ofox.any, { print }, { stop_on_error = true })
    misuse("ofox.any: options.limit: expected an integer from 1 on, got 0", ofox.any, { print }, { limit = 0 })
  end)

  it("ends also with one that will not be cancelled", function()
    local late
    assert.equal("won", ofox.any {
      function()
        pcall(ofox.sleep, 100)
        ofox.sleep(100)
        late = true
      end,
      function() ofox.sleep(1) return "won" end,
    })
    assert.is_nil(late)
    if not PCALL_HOLDS then assert.equal(1, transport:now()) end
  end)

  it("breaks calls off that have lost", function()
    local client = client_of()
    transport:reply { delay = 1, body = { choices = { { message = { content = "first" } } } } }
    transport:reply { delay = 60, body = { choices = { { message = { content = "second" } } } } }
    local function ask() return assert(client:chat(PARAMS)):output_text() end
    assert.equal("first", ofox.any { ask, ask })
    assert.equal(1, transport:now())
  end)

  it("reports no failure of those that have lost", function()
    local written, real = {}, io.stderr
    io.stderr = { write = function(_, ...) written[#written + 1] = table.concat { ... } end } -- luacheck: ignore 122
    local ok, value = pcall(ofox.any, { function() error("lost") end, function() ofox.sleep(1) return 1 end,
      function() pcall(ofox.sleep, 5) error("lost, too") end })
    collectgarbage() collectgarbage()
    io.stderr = real -- luacheck: ignore 122
    assert.same({ true, 1, "" }, { ok, value, table.concat(written) })
  end)
end)

describe("who waits for functions side by side", function()
  local STARTS = {
    all = function(fn, options) return ofox.all({ fn, fn, fn, fn }, options) end,
    map = function(fn, options) return ofox.map({ 1, 2, 3, 4 }, fn, options) end,
    any = function(fn, options) return ofox.any({ fn, fn, fn, fn }, options) end,
  }
  for name, call in pairs(STARTS) do
    it("in ofox." .. name .. " and is cancelled leaves none running, and none begins", function()
      local began, ended = 0, 0
      local task = ofox.go(call, function()
        began = began + 1
        ofox.sleep(10)
        ended = ended + 1
      end, { limit = 2 })
      ofox.sleep(1)
      task:cancel()
      local ok, err = task:wait()
      assert.same({ false, "cancelled_error" }, { ok, err.type })
      ofox.sleep(100)
      assert.same({ 2, 0 }, { began, ended })
    end)
  end

  it("in a task that has been cancelled already begins none", function()
    local began = 0
    local function begin() began = began + 1 end
    for _, call in pairs(STARTS) do
      local task = ofox.go(function()
        coroutine.yield()
        return call(begin)
      end)
      task:cancel()
      assert.is_false((task:wait()))
    end
    assert.equal(0, began)
  end)

  it("and swallows that it was cancelled in on_result leaves none running", function()
    local ended, heard = 0, 0
    local task = ofox.go(function()
      ofox.map({ 1, 20, 30 }, function(seconds) ofox.sleep(seconds) ended = ended + 1 end, { on_result = function()
        heard = heard + 1
        pcall(ofox.sleep, 5)
      end })
    end)
    ofox.sleep(2)
    task:cancel()
    assert.is_false((task:wait()))
    ofox.sleep(100)
    assert.same({ 1, 1 }, { ended, heard })
  end)

  it("in a run belongs to it: the run waits for all", function()
    local ended = 0
    ofox.run(function()
      ofox.go(function() ofox.map({ 1, 2, 3 }, function() ofox.sleep(1) ended = ended + 1 end, { limit = 1 }) end)
    end)
    assert.same({ 3, 3 }, { ended, transport:now() })
  end)
end)

describe("a task that is cancelled before it begins", function()
  it("never does", function()
    local began = 0
    local ok, err = pcall(ofox.all, {
      function() end,
      function() coroutine.yield() error("stop", 0) end,
      function() began = began + 1 end,
      function() began = began + 1 end,
    }, { limit = 2, stop_on_error = true })
    assert.same({ false, "stop" }, { ok, err })
    assert.is_true(began <= 1)
  end)
end)
