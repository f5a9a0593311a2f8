-- A process that was stopped (Ctrl-Z) and goes on: what came meanwhile counts,
-- and no clock punishes it. Real programs, real signals, real servers.
-- test: waits long: its processes are stopped for seconds
local child = require "support.child"
local calls = require "support.calls"
local real = require "support.real"
local server = require "support.server"

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

-- Before its code each program learns: client, PARAMS, collect(stream), and
-- stop(seconds), which has it stopped in 0.3 s for so long.
local PRELUDE = [[
local ofox = require "ofox"
local url, ca_file = ...
local client = ofox.new { api_key = "sk-of-stopped-0123456789", base_url = url,
  ca_file = ca_file ~= "" and ca_file or nil, proxy = false, errors = "return", max_retries = 0, timeout = 0.8,
  idle_timeout = 0.8, connect_timeout = 0.8 }
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }
local stat = assert(io.open("/proc/self/stat"))
local PID = stat:read("*a"):match("^%d+")
stat:close()
local function stop(seconds)
  os.execute(("{ sleep 0.3; kill -STOP %s; sleep %s; kill -CONT %s; } >/dev/null 2>&1 &"):format(PID, seconds, PID))
end
local function say(res, err)
  print(res and (res.output_text and res:output_text() or res) or tostring(err))
end
]]

local function run(url, code, ca_file)
  local result = child.run { code = PRELUDE .. code, args = { url, ca_file or "" } }
  assert.equal(0, result.status, result.errors)
  return result.output
end

-- Events that come every 50 ms for 2 s.
local function slow_stream()
  local pieces = {}
  for i = 1, 40 do pieces[i] = ("%02d "):format(i) end
  local chunks = {}
  for _, event in ipairs(server.events(pieces)) do
    chunks[#chunks + 1] = event
    chunks[#chunks + 1] = { pause = 0.05 }
  end
  return { chunks = chunks, headers = { "Content-Type: text/event-stream" } }, table.concat(pieces)
end

local STREAM = [[
stop(1.2)
local stream, err = client:stream(PARAMS)
if not stream then say(nil, err) os.exit() end
say(stream:collect())
]]

local function fronts(backend)
  local address = ("%s:%d"):format(backend.host, backend.port)
  return {
    ["over HTTP/1.1"] = function() return backend.url end,
    ["over HTTP/1.1 and TLS"] = function()
      local front = keep(real.nginx { tls = true, backend = address })
      return front.url, front.ca_file
    end,
    ["over HTTP/2"] = function()
      local front = keep(real.nginx { tls = true, http2 = true, backend = address })
      return front.url, front.ca_file
    end,
  }
end

describe("a process that was stopped", function()
  for name in pairs(fronts { host = "", port = 0 }) do
    local function scene(steps)
      local backend = keep(server.start())
      backend:script(steps)
      return fronts(backend)[name]()
    end

    it("[N7] reads on in a stream, " .. name, function()
      local step, text = slow_stream()
      local url, ca_file = scene { step }
      assert.equal(text .. "\n", run(url, STREAM, ca_file))
    end)

    it("[N7] reads on in several streams, " .. name, function()
      local step, text = slow_stream()
      local url, ca_file = scene { step, repeat_last = true }
      local output = run(url, [[
stop(1.2)
local list = {}
for i = 1, 10 do list[i] = function() return client:stream(PARAMS):collect() end end
for _, r in ipairs(ofox.all(list)) do say(r[2], r[3]) end
]], ca_file)
      assert.equal((text .. "\n"):rep(10), output)
    end)

    it("[N7] takes an answer that came meanwhile, " .. name, function()
      local url, ca_file = scene { { delay = 0.5, body = server.completion("ok") }, repeat_last = true }
      assert.equal("ok\nok\n", run(url, [[
stop(1.5)
say(client:chat(PARAMS))
stop(1.5)
for _, r in ipairs(ofox.all { function() return client:chat(PARAMS) end }) do say(r[2], r[3]) end
]], ca_file))
    end)
  end

  it("[N7] is stopped many times in one stream", function()
    local backend = keep(server.start())
    local step, text = slow_stream()
    backend:script { step }
    assert.equal(text .. "\n", run(backend.url, [[
os.execute(("{ for i in 1 2 3 4 5 6; do sleep 0.1; kill -STOP %s; sleep 1; kill -CONT %s; done; } >/dev/null 2>&1 &")
  :format(PID, PID))
say(client:stream(PARAMS):collect())
]]))
  end)

  it("[N7] has time for a handshake that it had not begun", function()
    local front = keep(real.nginx { tls = true, http2 = true })
    assert.matches('"ok"\n$', run(front.url, [[
local res, err
local task = ofox.go(function() res, err = client:chat(PARAMS) end)
os.execute(("{ sleep 1.2; kill -CONT %s; } >/dev/null 2>&1 & kill -STOP %s"):format(PID, PID))
task:wait()
print(res and ("%q"):format(res:output_text()) or tostring(err))
]], front.ca_file))
  end)

  it("[N7] hears of a server that said nothing meanwhile", function()
    local backend = keep(server.start())
    backend:script { { stall = true } }
    assert.matches("timeout_error timeout", run(backend.url, "stop(1) say(client:chat(PARAMS))"))
  end)
end)
