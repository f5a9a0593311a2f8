-- Fifty prompts side by side, eight at a time, with a progress bar; what fails does not stop the rest.
-- lua5.4 examples/parallel.lua [model]; on the simulator storm/503 shows retries.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"

local COUNT, AT_ONCE, WIDTH = 50, 8, 40
local model = arg[1] or "openai/gpt-4o-mini"
local done, failed, retries = 0, 0, 0

local function bar()
  local filled = math.floor(WIDTH * done / COUNT)
  io.write(("\r[%s%s] %d/%d, %d failed, %d retries "):format(("#"):rep(filled), ("."):rep(WIDTH - filled),
    done, COUNT, failed, retries))
  io.flush()
end

local client = ofox.new {
  deadline = 60,
  errors = "return",
  on_retry = function()
    retries = retries + 1
    bar()
  end,
}

local jobs = {}
for i = 1, COUNT do
  jobs[i] = function()
    local res, err = client:chat {
      model = model, max_tokens = 20,
      messages = { { role = "user", content = ("In five words: what is %d good for?"):format(i) } },
    }
    done, failed = done + 1, failed + (res and 0 or 1)
    bar()
    return res and res:output_text(), err
  end
end

bar()
local results = ofox.all(jobs, { limit = AT_ONCE })
print()
for i = 1, 3 do print(i, tostring(results[i][2] or results[i][3])) end
print(("… and %d more"):format(COUNT - 3))
