-- A program with libuv's event loop: two answers arrive while a timer of its own ticks.
-- lua5.4 examples/luv.lua; needs lua-luv.
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local uv = require "luv"
local ofox = require "ofox"

ofox.use_loop(require "ofox.loop.uv") -- libuv drives ofox while there are tasks
local client = ofox.new {}

local ticks, clock = 0, uv.new_timer()
clock:start(10, 10, function() ticks = ticks + 1 end)
clock:unref() -- the loop ends when the tasks have ended

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
  ofox.sleep(0.05) -- other tasks and timers continue
  local res, err = client:chat(asking "What is an event loop?")
  print(res and res:output_text() or err)
end):on_done(failed)

uv.run() -- returns when the last task has ended
print(("(meanwhile the clock ticked %d times)"):format(ticks))
