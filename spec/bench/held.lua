-- How long ofox.step holds an event loop up with many streams: held.lua URL COUNT [MAX_EVENTS]
-- Prints the 99th percentile of a step, taken once a millisecond, in microseconds. A first round of calls warms
-- the connections.
local core = require "ofox.base.native" "core"
local ofox = require "ofox"
local url, count = arg[1], tonumber(arg[2])
local step = { max_events = tonumber(arg[3]) }
local client = ofox.new { api_key = "sk-bench-0123456789", base_url = url, proxy = false, verify = false,
  http_version = "1.1" }

local warm = {}
for i = 1, count do warm[i] = function() assert(client:request { method = "POST", path = "/warm", body = "{}" }) end end
for _, result in ipairs(ofox.all(warm)) do assert(result[1], result[2]) end

local tasks = {}
for i = 1, count do
  tasks[i] = ofox.go(function()
    local stream = assert(client:stream { model = "m", messages = {} })
    local get, n = stream:text(), 0
    while get() do n = n + 1 end
    return n
  end)
end
local took = {}
repeat
  local before = core.now()
  local goes_on = ofox.step(step)
  took[#took + 1] = core.now() - before
  core.pause(0.001)
until not goes_on
for _, task in ipairs(tasks) do
  local ok, n = task:wait()
  assert(ok and n == 1000, n)
end
table.sort(took)
print(("%.0f"):format(1e6 * took[math.ceil(0.99 * #took)]))
