-- ofox in a luv program: tasks make the calls, and uv's own timers go on.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local uv = require "luv"
local ofox = require "ofox"

ofox.use_loop(require "ofox.loop.uv") -- uv drives it, as long as there are tasks
local client = ofox.new {}

local ticks, clock = 0, uv.new_timer()
clock:start(10, 10, function() ticks = ticks + 1 end)
clock:unref() -- it alone keeps nothing going

local function failed(ok, err)
  if not ok then print("failed:", err) end
end

local function asking(question)
  return { model = "openai/gpt-4o-mini", messages = { { role = "user", content = question } } }
end

ofox.go(function()
  local text = {}
  for piece in client:stream(asking "Count to ten."):text() do text[#text + 1] = piece end
  print(table.concat(text))
end):on_done(failed)

ofox.go(function()
  ofox.sleep(0.05) -- a timer of ofox's, on the same descriptor
  local res, err = client:chat(asking "What is an event loop?")
  print(res and res:output_text() or err)
end):on_done(failed)

uv.run() -- until the last task has ended
print(("(meanwhile the clock ticked %d times)"):format(ticks))
