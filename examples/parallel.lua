-- The same question to several models at once: each answer as it comes, then the first to come again, alone.
-- lua5.4 examples/parallel.lua [model ...]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local models = #arg > 0 and { (table.unpack or unpack)(arg) } -- luacheck: ignore 113 143
  or { "openai/gpt-4o-mini", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash" }
local client = ofox.new { errors = "raise", deadline = 60 }

local function ask(model)
  return client:chat { model = model, messages = { { role = "user", content = "What is Lua good at? One sentence." } } }
end

-- What fails does not stop the rest.
ofox.map(models, ask, { on_result = function(i, ok, answer)
  local seconds = ok and ("%.1f s"):format(ofox.meta(answer).elapsed) or "failed"
  print(("%s (%s)\n  %s"):format(models[i], seconds, ok and answer:output_text() or tostring(answer)))
end })

-- ofox.any takes the first that succeeds and cancels the others.
local racers = {}
for i, model in ipairs(models) do racers[i] = function() return ask(model).model end end
local ok, first = pcall(ofox.any, racers)
print(ok and "first: " .. first or "none: " .. tostring(first))
