-- How long ofox.step holds an event loop up with many streams: held.lua URL COUNT
-- Prints the 99th percentile of a step, taken once a millisecond, in microseconds. A first round of short streams
-- warms the connections.
local ofox = require "ofox"
local request = require "request"
local socket = require "socket"

local url, count = arg[1], tonumber(arg[2])

-- Has all of them read a stream's text; the times of the steps.
local function read_all(base, expected)
  local client = ofox.new { api_key = request.KEY, base_url = base, proxy = false, verify = false,
    http_version = "1.1" }
  local tasks, took = {}, {}
  for i = 1, count do
    tasks[i] = ofox.go(function()
      local pieces = 0
      for _ in assert(client:stream(request.stream)):text() do pieces = pieces + 1 end
      return pieces
    end)
  end
  repeat
    local began = socket.gettime()
    local goes_on = ofox.step(0)
    took[#took + 1] = socket.gettime() - began
    socket.sleep(0.001)
  until not goes_on
  for _, task in ipairs(tasks) do
    local ok, pieces = task:wait()
    assert(ok and pieces == expected, pieces)
  end
  return took
end

read_all(url .. "/stream/10/v1", 8)
local took = read_all(url .. "/slow/1000/v1", 998)
table.sort(took)
print(("%.0f"):format(1e6 * took[math.ceil(0.99 * #took)]))
