-- luacheck: globals ngx
-- What the specs run inside nginx's workers; see support/worker.lua.
local ofox = require "ofox"
local scheduler = require "ofox.scheduler"

local cases = {}

local function size(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

--- What is left in this worker of all there was.
function cases.state()
  ngx.say(("wanted=%s standing=%d timers=%d"):format(tostring(scheduler.is_wanted()), size(scheduler.standing()),
    ngx.timer.running_count() + ngx.timer.pending_count()))
end

function cases.nap()
  local began = ofox.now and ofox.now() or ngx.now()
  ofox.sleep(0.02)
  ngx.update_time()
  ngx.say(ngx.now() - began)
end

return {
  run = function() cases[ngx.var.uri:match("[^/]+$")]() end,
}
