-- luacheck: globals ngx
-- What the specs run inside nginx's workers; see support/worker.lua.
local core = require("ofox.base.native")("core")
local ofox = require "ofox"
local scheduler = require "ofox.task.scheduler"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local client = ofox.new { max_retries = 0, errors = "raise" }
local cases = {}

local function note(key, value)
  ngx.shared.notes:set(key, tostring(value))
end

local function ask()
  return client:chat(PARAMS):output_text()
end

local function size(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

local sharing

-- A call at a pace that all workers share, by the dictionary "limits".
function cases.share()
  sharing = sharing or ofox.new { errors = "return", pace = { rpm = 300, burst = 2 }, deadline = 120,
    store = ofox.store.ngx(ngx.shared.limits),
    logger = function(level, message, fields)
      if level == "warn" then note("warning", message .. ": " .. tostring(fields.problem)) end
    end }
  local answer, err = sharing:chat(PARAMS)
  ngx.say(ngx.worker.id(), " ", answer and "answered" or tostring(err))
end

-- The keys of that dictionary.
function cases.limits()
  for _, key in ipairs(ngx.shared.limits:get_keys()) do ngx.say(key) end
end

-- As if another worker had died while it held the lock, or the dictionary were full.
function cases.lock_limits()
  for _, key in ipairs(ngx.shared.limits:get_keys()) do ngx.shared.limits:add(key .. ":lock", true, 600) end
end

function cases.fill_limits()
  ngx.shared.limits:flush_all()
  ngx.shared.limits:flush_expired()
  local i = 0
  repeat i = i + 1 until not ngx.shared.limits:safe_set("filler " .. i, ("x"):rep(i < 30 and 4000 or 20))
end

-- Says that the request has come as far as this.
local function here()
  ngx.say("here")
  ngx.flush(true)
end

--- What has been noted, where nothing could be said.
function cases.notes()
  local names = ngx.shared.notes:get_keys()
  table.sort(names)
  for _, name in ipairs(names) do ngx.say(name, ": ", ngx.shared.notes:get(name)) end
end

--- What is left in this worker of all there was.
function cases.state()
  ngx.say(("wanted=%s standing=%d tasks=%s timers=%d"):format(tostring(scheduler.is_wanted()),
    size(scheduler.standing()), tostring(scheduler.has_tasks()), ngx.timer.running_count()))
end

-- Sleeps in tasks and beside them until the client leaves.
function cases.linger()
  for _ = 1, 20 do ofox.go(ofox.sleep, 60) end
  here()
  ofox.sleep(60)
end

-- As linger, but in waits of nginx's own.
function cases.linger_in_nginx()
  for _ = 1, 20 do ofox.go(ngx.sleep, 60) end
  here()
  ngx.sleep(60)
end

-- Whose threads does nginx give to us?
function cases.fresh()
  local strangers = 0
  local function look()
    if scheduler.current() then strangers = strangers + 1 end
    ofox.sleep(0.01)
    return true
  end
  look()
  local threads = {}
  for i = 1, 5 do threads[i] = ngx.thread.spawn(look) end
  for _, thread in ipairs(threads) do assert(ngx.thread.wait(thread)) end
  for _, result in ipairs(ofox.all { look, look }) do assert(result[1], result[2]) end
  ngx.say("strangers=", strangers - 2)
end

-- A call in a plain request.
function cases.ask()
  ngx.say(ngx.worker.id(), " ", ask())
end

-- A conversation with tools that run side by side, and make calls; and one that is cancelled.
function cases.tools()
  local running, most, token = 0, 0, ofox.cancel_token()
  local tools = { f = { run = function()
    running = running + 1
    most = math.max(most, running)
    ngx.sleep(0.05)
    local text = ask()
    running = running - 1
    return text
  end } }
  local res, messages = client:run_tools(PARAMS, tools)
  ngx.say(res:output_text(), " ", messages[3].content, " ", messages[4].content, " ", most)
  tools.f.run = function(_, call)
    if call.id == "b" then ofox.go(token.cancel, token) end -- both run
    ofox.sleep(60)
  end
  local none, err = client:run_tools(PARAMS, tools, { cancel = token, errors = "return" })
  ngx.say(tostring(none), " ", err.type, " ", #err.messages)
end

-- How long a call took, and how many steps were done for it.
function cases.steps()
  local steps, step = 0, scheduler.step
  function scheduler.step(...)
    steps = steps + 1
    return step(...)
  end
  local began = core.now()
  ask()
  ngx.say(core.now() - began, " ", steps)
  scheduler.step = step
end

-- What is short, if nothing is in its way.
--- A call whose first attempt is slow.
function cases.hedged()
  local res = client:chat(PARAMS, { max_retries = 1, hedge = 0.05, timeout = 30 })
  ngx.say(res:output_text(), " ", ofox.meta(res).attempts, " ", ofox.meta(res).retries[1].code)
end

local SHORT = {
  call = ask,
  sleep = function() ofox.sleep(0.002) end,
  calls = function() ofox.all { ask, ask, ask } end,
}

-- How long that usually takes, of many.
function cases.usual()
  local list = {}
  for i = 1, 40 do
    local began = core.now()
    SHORT[ngx.var.args]()
    list[i] = core.now() - began
  end
  table.sort(list)
  ngx.say(list[20])
end

-- Has the pool's only thread do something else.
function cases.hog_pool()
  here()
  ngx.run_worker_thread("ofox", "os", "execute", "sleep 3")
  ngx.say("free")
end

-- The program's own use of a pool.
function cases.own_pool()
  for _ = 1, 20 do ngx.run_worker_thread("mine", "os", "execute", "true") end
  ngx.say(tostring(ngx.run_worker_thread("mine", "os", "execute", "true")), " ", 0)
end

-- Calls that end where they begin, until there are enough of them.
function cases.in_vain()
  local nowhere = ofox.new { max_retries = 0, errors = "return", unix_socket = "/no/such/socket" }
  here()
  local err
  repeat err = select(2, nowhere:chat(PARAMS)) until ngx.shared.notes:get "enough"
  ngx.say(err.type)
end

function cases.enough() note("enough", true) end

-- Takes a timer away.
function cases.hog()
  ngx.timer.at(0, function() ngx.sleep(1) end)
end

-- Many calls, one after the other.
function cases.queue()
  local list = {}
  for i = 1, 10 do list[i] = ask end
  ofox.all(list, { limit = 2 })
end

-- A stream whose opener waits for something else when the client leaves.
function cases.deaf_stream()
  local stream = client:stream(PARAMS)
  for _ in stream:text() do
    here()
    ngx.sleep(60)
  end
end

function cases.collect()
  collectgarbage()
  collectgarbage()
end

-- A task with a stream, likewise.
function cases.deaf_task()
  ofox.go(cases.deaf_stream)
  ngx.sleep(60)
end

function cases.kill()
  local thread = ngx.thread.spawn(ask)
  here()
  ngx.sleep(0.2)
  ngx.say("killed: ", ngx.thread.kill(thread))
  ngx.flush(true)
  ngx.sleep(1)
end

function cases.sort()
  local ok, message = pcall(table.sort, { 1, 2, 3 }, ask)
  ngx.say(ok, " ", message)
  ok, message = pcall(table.sort, { 1, 2, 3 }, function() ofox.go(print) end)
  ngx.say(ok, " ", message)
  ngx.say(ask())
end

function cases.timer()
  ngx.timer.at(0, function() note("timer", ask()) end)
end

function cases.timer_tasks()
  ngx.timer.at(0, function()
    ofox.go(function() note("task", ask()) end) -- it outlives the function that started it
    note("started", true)
  end)
end

-- What a request owns of others: names of its own task.
function cases.tasks()
  local own = ngx.var.arg_name
  local function name()
    local before = scheduler.current()
    ofox.sleep(0.02)
    local text = client:chat { model = own, messages = PARAMS.messages }:output_text()
    assert(before ~= nil and scheduler.current() == before)
    return own .. text .. ngx.var.arg_name
  end
  local all = ofox.all({ name, name, name }, { limit = 2 })
  for _, result in ipairs(all) do ngx.say(tostring(result[1]), " ", tostring(result[2])) end
  ngx.say(ofox.run(function()
    ofox.go(ofox.sleep, 0.05)
    return name()
  end))
  assert(scheduler.current() == nil)
end

function cases.cancel()
  local sleeper, asker = ofox.go(ofox.sleep, 60), ofox.go(ask)
  ngx.say(tostring(sleeper:wait(0.05)))
  for _, task in ipairs { sleeper, asker } do
    ngx.say(tostring(task:cancel()))
    local ok, err = task:wait()
    ngx.say(tostring(ok), " ", err.type, " ", task:status())
  end
  local stubborn = ofox.go(function()
    while true do pcall(ofox.sleep, 60) end
  end)
  stubborn:cancel()
end

-- A listener that waits, and one that waits for who started the task.
function cases.listeners()
  local order = {}
  local outer = ofox.go(function()
    local inner = ofox.go(ofox.sleep, 0.01)
    inner:on_done(function()
      ofox.sleep(0.1)
      order[#order + 1] = "listener"
    end)
    inner:wait()
    ofox.sleep(0.01)
    order[#order + 1] = "outer"
  end)
  outer:wait()
  ofox.sleep(0.2)
  ngx.say(table.concat(order, " "))
end

function cases.collected()
  for _ = 1, 6 do ofox.go(function() error "nobody asks" end) end
  for _ = 1, 3000 do ngx.thread.wait(ngx.thread.spawn(function() end)) end
  ngx.say("alive")
end

function cases.leaving()
  ofox.go(function() ngx.exit(204) end)
end

function cases.has_tasks()
  ngx.say(tostring(scheduler.has_tasks()))
end

function cases.yielding()
  local task = ofox.go(function() ofox.sleep(0.05) return "done" end)
  local due = ngx.now() + 5
  while task:status() == "running" and ngx.now() < due do
    ofox.sleep(0)
    ngx.update_time()
  end
  ngx.say(task:status())
end

-- Each result is said when it comes; of two the slower one is cancelled.
function cases.together()
  local told = {}
  ofox.map({ 3, 0, 2, 0 }, function(before)
    repeat ofox.sleep(0.005) until #told >= before
    return before
  end, { limit = 3, on_result = function(i, ok, before)
    told[#told + 1] = i
    ngx.say(i, " ", ok, " ", before)
    ngx.flush(true)
  end })
  local slow
  ngx.say(ofox.any { function() ofox.sleep(100) slow = true end, function() error("no") end,
    function() ofox.sleep(0.02) return "fast" end })
  ngx.say(tostring(slow))
  ngx.say(pcall(ofox.any, { function() error("one", 0) end, function() ofox.sleep(0.01) error("two", 0) end }))
  local list = {}
  for i = 1, 500 do list[i] = i end
  local sum = 0
  ofox.map(list, function(i) if i % 2 == 0 then ofox.sleep(0.001) end sum = sum + i end, { limit = 8 })
  ngx.say(sum)
end

function cases.unasked()
  ofox.go(function() error("nobody asks for this") end)
  collectgarbage()
  collectgarbage()
end

function cases.naps()
  for _ = 1, 10 do
    local began = core.now()
    ofox.sleep(0.02)
    ngx.say(core.now() - began)
  end
end

-- Tasks in one timer, and what this process has grown by.
function cases.many()
  local function memory()
    collectgarbage()
    collectgarbage()
    return tonumber(io.open("/proc/self/status"):read("*a"):match("VmRSS:%s*(%d+)")), collectgarbage("count")
  end
  ngx.timer.at(0, function()
    local function batch(count)
      for _ = 1, count do
        local list = {}
        for i = 1, 10 do list[i] = function() ofox.sleep(0.001) end end
        ofox.all(list)
      end
    end
    batch(100)
    local resident, lua = memory()
    batch(1000)
    local resident_after, lua_after = memory()
    note("resident", resident_after - resident)
    note("lua", lua_after - lua)
  end)
end

-- What cannot wait is told so.
local function refusals(where)
  note(where .. " call", select(2, pcall(ask)))
  note(where .. " sleep", select(2, pcall(ofox.sleep, 0.01)))
  note(where .. " go", select(2, pcall(ofox.go, ask)))
end

return {
  run = function()
    local name = ngx.var.uri:match("[^/]+$")
    local fn = cases[name] or require("support.worker_calls")[name]
    fn()
  end,
  early = function(phase) ngx.ctx[phase] = ask() end,
  refusals = function() refusals(ngx.get_phase()) end,
}
