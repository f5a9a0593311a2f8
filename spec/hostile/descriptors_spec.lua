-- A process that has used up its descriptors: real programs under a real limit.
local calls = require "support.calls"
local child = require "support.child"
local real = require "support.real"
local server = require "support.server"

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

-- Each program has: ofox, client, PARAMS, hold(n), which leaves n descriptors
-- free, and let_go().
local PRELUDE = [[
local ofox = require "ofox"
require "ofox.base.native" "engine"
local url, ca_file = ...
local client = ofox.new { api_key = "sk-of-descriptors-012345", base_url = url, proxy = false, timeout = 20,
  ca_file = ca_file ~= "" and ca_file or nil, errors = "return", max_retries = 3,
  retry = { base = 0.2, factor = 2, jitter = "full" } }
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }
local mock = require "ofox.mock".new()
mock:reply { status = 400 }
mock:reply { body = { choices = {} } }
local rehearsal = ofox.new { transport = mock, api_key = "sk-of-descriptors-012345", errors = "return" }
ofox.all { function() tostring(select(2, rehearsal:chat(PARAMS))) return rehearsal:chat(PARAMS):meta() end }
local held = {}
local function hold(free)
  local f = io.open("/dev/null")
  while f do held[#held + 1] = f f = io.open("/dev/null") end
  for _ = 1, free do table.remove(held):close() end
end
local function let_go()
  for _, f in ipairs(held) do f:close() end
  held = {}
end
local function tell(res, err)
  if res then print("ok") else print(err.type, err.code, err.ambiguous, err.retryable, err.attempts, err.reason) end
end
]]

local function run(limit, url, code, ca_file)
  local result = child.run { code = PRELUDE .. code, args = { url, ca_file or "" }, under = "ulimit -n " .. limit
    .. "; sh -c" }
  assert.equal(0, result.status, result.errors)
  return result.output
end

local function ok_server()
  local s = keep(server.start())
  s:script { { body = server.completion("ok") }, repeat_last = true }
  return s
end

-- What a call is told that finds no descriptor at all.
local NONE = "connection_error\tno_descriptors\tfalse\ttrue\t%d\tmax_retries\n"

describe("too few descriptors", function()
  it("[N2] for the first call of a program: no_descriptors, after all attempts", function()
    local s = ok_server()
    assert.equal(NONE:format(4) .. "ok\n", run(64, s.url, "hold(0) tell(client:chat(PARAMS)) let_go() "
      .. "tell(client:chat(PARAMS))"))
    assert.equal(1, #s:log())
  end)

  it("[N2] for a later one: the same, and a call works once there are some", function()
    local s = ok_server()
    assert.equal("ok\n" .. NONE:format(4) .. "ok\n", run(64, s.url, [[
tell(client:chat(PARAMS))
local other = ofox.new { api_key = "sk-of-descriptors-012345", base_url = (url:gsub("127.0.0.1", "127.0.0.2")),
  proxy = false, errors = "return", retry = { base = 0.01, max_delay = 0.02, jitter = "none" } }
hold(0)
tell(other:chat(PARAMS))
tell(client:chat(PARAMS)) -- on the connection that there is
]]))
  end)

  it("[N2] are waited for: a retry finds them", function()
    local s = ok_server()
    assert.equal("2\n", run(64, s.url, [[
hold(0)
local res, err = client:chat(PARAMS, { on_retry = let_go })
print(res and ofox.meta(res).attempts or err)
]]))
  end)

  for free = 1, 12 do
    it("[N2] with " .. free .. " left: a call ends well, or says so", function()
      local front = keep(real.nginx { tls = true })
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local output = run(64, (front.url:gsub("127.0.0.1", host)),
          ("hold(%d) tell(client:chat(PARAMS, { max_retries = 1 }))"):format(free), front.ca_file)
        if output ~= "ok\n" then assert.equal(NONE:format(2), output) end
      end
    end)
  end

  local MANY = [[
local list = {}
for i = 1, tonumber(%d) do list[i] = function() return client:chat(PARAMS) end end
local ok, short, other = 0, 0, 0
for _, r in ipairs(ofox.all(list)) do
  local res, err = r[2], r[3]
  if not r[1] then other = other + 1 io.stderr:write(tostring(r[2]), "\n")
  elseif res then ok = ok + 1
  elseif err.code == "no_descriptors" and not err.ambiguous and err.retryable then short = short + 1
  else other = other + 1 io.stderr:write(tostring(err), "\n") end
end
print(ok > 0, ok + short, other)
]]

  for limit, tasks in pairs { [64] = 300, [1024] = 1500 } do
    it(("[N2] %d tasks under ulimit -n %d: each succeeds, or says so"):format(tasks, limit), function()
      local s = keep(server.start())
      s:script { { body = server.completion("ok"), delay = 0.2 }, repeat_last = true }
      assert.equal(("true\t%d\t0\n"):format(tasks), run(limit, s.url, MANY:format(tasks)))
    end)
  end

  it("[N2] for 300 tasks that look up a name", function()
    local s = keep(server.start())
    s:script { { body = server.completion("ok"), delay = 0.1 }, repeat_last = true }
    assert.equal("true\t300\t0\n", run(64, (s.url:gsub("127.0.0.1", "localhost")), MANY:format(300)))
  end)
end)
