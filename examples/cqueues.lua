-- A program with cqueues' event loop: two of its coroutines make calls while a third ticks.
-- lua5.4 examples/cqueues.lua; needs lua-cqueues.
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local cqueues = require "cqueues"
local ofox = require "ofox"

local client = ofox.new {}
local loop = cqueues.new()
local left = 2

-- A call in a coroutine of cqueues waits with cqueues.poll, so that the other coroutines continue.
ofox.use_loop { wait = function(seconds) cqueues.poll(ofox, seconds) end }

local function asking(question)
  return { model = "openai/gpt-4o-mini", messages = { { role = "user", content = question } } }
end

local function job(fn)
  loop:wrap(function()
    local ok, err = pcall(fn)
    if not ok then print("failed:", err) end
    left = left - 1
  end)
end

job(function()
  local text = {}
  for piece in client:stream(asking "Count to ten."):text() do text[#text + 1] = piece end
  print(table.concat(text))
end)

job(function()
  local res, err = client:chat(asking "What is an event loop?")
  print(res and res:output_text() or err)
end)

-- Work of the program that no call may hold up.
loop:wrap(function()
  local ticks = 0
  while left > 0 do
    cqueues.sleep(0.01)
    ticks = ticks + 1
  end
  print(("(meanwhile the clock ticked %d times)"):format(ticks))
end)

assert(loop:loop())
