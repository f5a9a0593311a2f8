-- Workers of a real nginx that keep one limit, by ngx.shared.
-- nginx's Lua module is for LuaJIT alone.
-- test: waits long: for moments of a real clock
if not rawget(_G, "jit") then return end

local calls = require "support.calls"
local server = require "support.server"
local worker = require "support.worker"

local GAP, BURST = 62.5 / 300, 2 -- of the pace in worker_cases.share

local s, front
setup(function() s = server.start() end)
teardown(function() s:stop() end)

local keep, stop_kept = calls.keeper()
before_each(function()
  s:reset()
  s:script { { body = server.completion "x" }, repeat_last = true }
  front = keep(worker.start { url = s.url, workers = 2, http = "lua_shared_dict limits 100k;\n" })
end)
after_each(stop_kept)

-- Sends so many at once; returns how many each worker has answered.
local function send(count)
  local requests, by_worker = {}, {}
  for i = 1, count do requests[i] = front:open("/case/share") end
  assert.is_true(worker.pump(requests, nil, 120))
  for _, request in ipairs(requests) do
    local status, body = request:answer()
    local id, said = body:match "^(%d+) (.*)\n$"
    assert.same({ 200, "answered" }, { status, said }, body)
    by_worker[id] = (by_worker[id] or 0) + 1
  end
  return by_worker
end

local function arrivals()
  local list = {}
  for i, request in ipairs(s:log()) do list[i] = request.at end
  table.sort(list)
  return list
end

it("two workers keep one pace", function()
  local totals, rounds = {}, 0
  repeat
    for id, count in pairs(send(40)) do totals[id] = (totals[id] or 0) + count end
    rounds = rounds + 1
  until (totals["0"] or 0) >= 10 and (totals["1"] or 0) >= 10 or rounds == 5
  assert.is_true((totals["0"] or 0) >= 10 and (totals["1"] or 0) >= 10)
  local list = arrivals()
  assert.equal(40 * rounds, #list)
  for i = 1, #list do
    for j = i, #list do -- a moment is good for two seconds
      assert.is_true((j - i + 1 - BURST) * GAP <= list[j] - list[i] + 2.6, ("%d %d"):format(i, j))
    end
  end
  assert.is_nil(select(2, front:ask "/case/notes"):match "warning")
  assert.matches("^ofox:%x+\n$", select(2, front:ask "/case/limits"))
  assert.equal("", front:log())
end)

it("a worker that died with the lock holds up no call", function()
  send(2)
  front:ask "/case/lock_limits"
  send(8)
  assert.matches("warning: the store fails: limits are this process's own: another worker holds its lock",
    select(2, front:ask "/case/notes"))
end)

it("a dictionary that is full holds up no call", function()
  front:ask "/case/fill_limits"
  send(8)
  assert.matches("warning: the store fails: limits are this process's own: no memory",
    select(2, front:ask "/case/notes"))
end)
