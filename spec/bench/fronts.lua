--- Calls made inside an nginx worker, with one request in flight: how long a
-- request takes, and the worker's CPU.
local measure = require "measure"
local shell = require "shell"

local fronts = {}

--- The handlers of front.lua; the first that is there is what the others are
-- compared to.
fronts.list = {
  { id = "resty", en = "lua-resty-http", zh = "lua-resty-http" },
  { id = "cosocket", en = "a cosocket by hand, lua-cjson", zh = "手写 cosocket，lua-cjson" },
  { id = "ofox", en = "ofox", zh = "ofox" },
  { id = "empty", en = "an empty handler", zh = "空处理函数" },
}

local LOADER = { command = "build/bench/libcurl" }

local function clock(front)
  return tonumber(shell.line("curl -sS " .. front.url .. "/clock/"))
end

--- Microseconds of one request: {latency, cpu}, or nil where the handler lacks
-- what it needs.
function fronts.sample(handler, front, count)
  local ready = shell.line(("curl -s -o /dev/null -w '%%{http_code}' %s/%s/"):format(front.url, handler.id))
  if ready ~= "200" then return nil end
  local run = { by = "time", action = "first", path = "/" .. handler.id, warm = 0, count = count, units = 1 }
  local before = clock(front)
  local sample = measure.time(LOADER, run, front)
  return { latency = sample.first, cpu = (clock(front) - before) * 1e6 / count }
end

return fronts
