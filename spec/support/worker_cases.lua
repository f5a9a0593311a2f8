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

-- Sleeps in tasks and beside them until the client leaves.
function cases.linger()
  for _ = 1, 20 do ofox.go(ofox.sleep, 60) end
  ngx.say("here")
  ngx.flush(true)
  ofox.sleep(60)
end

-- As linger, but in waits of nginx's own.
function cases.linger_in_nginx()
  for _ = 1, 20 do ofox.go(ngx.sleep, 60) end
  ngx.say("here")
  ngx.flush(true)
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

return {
  run = function() cases[ngx.var.uri:match("[^/]+$")]() end,
}
