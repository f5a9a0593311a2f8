-- ofox in a luv program: one poll handle drives it; tasks make the calls, and uv's own timers go on.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local uv = require "luv"
local ofox = require "ofox"

local client = ofox.new {}

-- One descriptor carries all sockets, retries and sleeps.
local poll = uv.new_poll(ofox.pollfd())
poll:start("r", function() ofox.step(0) end)

local ticks, clock = 0, uv.new_timer()
clock:start(10, 10, function() ticks = ticks + 1 end)

local left = 2
local function ended(ok, err)
  if not ok then print("failed:", err) end
  left = left - 1
  if left > 0 then return end
  print(("(meanwhile the clock ticked %d times)"):format(ticks))
  clock:close()
  poll:close()
end

local function asking(question)
  return { model = "openai/gpt-4o-mini", messages = { { role = "user", content = question } } }
end

ofox.go(function()
  local text = {}
  for piece in client:stream(asking "Count to ten."):text() do text[#text + 1] = piece end
  print(table.concat(text))
end):on_done(ended)

ofox.go(function()
  ofox.sleep(0.05) -- a timer of ofox's, on the same descriptor
  local res, err = client:chat(asking "What is an event loop?")
  print(res and res:output_text() or err)
end):on_done(ended)

uv.run()
