-- ofox in a cqueues program: one coroutine drives it, others make calls or do anything else meanwhile.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local cqueues = require "cqueues"
local ofox = require "ofox"

local client = ofox.new {}
local loop = cqueues.new()
local left = 2

-- Calls made in cqueues' own coroutines wait its way, so that nothing stops.
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

-- Something that must not be held up.
loop:wrap(function()
  local ticks = 0
  while left > 0 do
    cqueues.sleep(0.01)
    ticks = ticks + 1
  end
  print(("(meanwhile the clock ticked %d times)"):format(ticks))
end)

assert(loop:loop())
