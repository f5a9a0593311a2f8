-- Ten processes of a team share a hundred requests a minute by a real Redis, which dies
-- in the middle.
-- test: once alone: beside a load Redis may be late, and then each process keeps to its own limit
local host = require "support.host"
local limited = require "support.limited"
local ofox = require "ofox"
local servers = require "support.redis"

local PROCESSES, RPM = 10, 100
local SHARED, ALONE = 80, 12 -- seconds with Redis, and without

-- Has always thirty calls that wait, until the server says that it is enough.
local PROGRAM = [[
  local ofox = require "ofox"
  local warned, failed, longest, over = 0, 0, 0, false
  local client = ofox.new { base_url = URL, errors = "return", max_retries = 0, pace = { rpm = %d },
    store = ofox.store.redis { url = %q, timeout = 1 },
    logger = function(level) if level == "warn" then warned = warned + 1 end end }
  local function worker()
    repeat
      local res, err = client:chat(PARAMS, { cancel = TOKEN })
      if res then over = over or res:output_text() == "enough"
      elseif err.code ~= "cancelled" then failed = failed + 1 say(err) end
      if over then TOKEN:cancel() end
    until over
  end
  TOKEN = ofox.cancel_token()
  local tasks = {}
  for i = 1, 30 do tasks[i] = ofox.go(worker) end
  for i = 1, 30 do tasks[i]:wait() end
  say(failed, warned)]]

describe("ten processes that share a limit by Redis", function()
  local s, redis
  setup(function() s = host.open() end)
  teardown(function()
    if redis then redis:stop() end
    host.close()
  end)

  local function arrivals()
    local list = {}
    for i, request in ipairs(s:log()) do list[i] = request.at end
    table.sort(list)
    return list
  end

  it("never send more in a minute than one may, lose little of the rate, and go on alone when it dies", function()
    redis = servers.start()
    s:script { { body = limited.OK, headers = { ["content-type"] = "application/json" } }, repeat_last = true }
    local programs = {}
    for i = 1, PROCESSES do programs[i] = host.start(PROGRAM:format(RPM, redis.url)) end
    assert.is_true(s:wait({ requests = 1 }, 60))
    ofox.sleep(SHARED)
    redis:kill()
    local shared = arrivals()
    ofox.sleep(ALONE)
    local together = arrivals()
    s:script { { body = limited.OK:gsub('"ok"', '"enough"'), headers = { ["content-type"] = "application/json" } },
      repeat_last = true }
    for _, program in ipairs(programs) do
      local out, rc, err = host.finish(program)
      assert.same({ "0 1\n", 0, "" }, { out, rc, err })
    end
    assert.is_true(limited.most(shared, 60) <= RPM, limited.most(shared, 60))
    local last, full = shared[1] + SHARED - 1, 0
    for _, at in ipairs(shared) do
      if at > last - 60 and at <= last then full = full + 1 end
    end
    assert.is_true(full >= 0.9 * RPM, full)
    assert.is_true(#together > #shared + PROCESSES, #together - #shared)
  end)
end)
