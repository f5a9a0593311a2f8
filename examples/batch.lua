-- Answers a file of prompts, one a line, several at a time. Each answer is added to a file of JSON lines as it comes.
-- Started again, after a crash, a Ctrl-C or failures, it asks only what has no answer yet.
-- lua5.4 examples/batch.lua PROMPTS ANSWERS [model]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local json = require "cjson"
local ofox = require "ofox"
local source, target, model = arg[1], arg[2], arg[3] or "openai/gpt-4o-mini"
if not target then
  print "usage: lua5.4 examples/batch.lua PROMPTS ANSWERS [model]"
  os.exit(2)
end

-- The prompts that have an answer. A last line that a crash has cut is removed.
local function answered()
  local file, set = io.open(target, "rb"), {}
  if not file then return set end
  local text = file:read "*a"
  file:close()
  local whole = text:match "^.*\n" or ""
  for line in whole:gmatch "[^\n]+" do
    local ok, value = pcall(json.decode, line)
    set[assert(ok and type(value) == "table" and value.prompt, target .. " is no file of answers")] = true
  end
  if whole ~= text then
    assert(text:find("^{", #whole + 1), target .. " is no file of answers")
    file = assert(io.open(target .. ".tmp", "wb"))
    assert(file:write(whole) and file:close() and os.rename(target .. ".tmp", target))
  end
  return set
end

local seen, prompts = answered(), {}
for line in io.lines(source) do
  if line:find "%S" and not seen[line] then seen[line], prompts[#prompts + 1] = true, line end
end

local client = ofox.new { errors = "raise", max_retries = 6 }
local out, done = assert(io.open(target, "ab")), 0
local HOPELESS = { authentication_error = true, billing_error = true } -- each prompt would meet it

local function ask(prompt)
  return client:chat({ model = model, messages = { { role = "user", content = prompt } } }):output_text()
end
local function keep(i, ok, answer)
  if ok then
    done = done + 1
    assert(out:write(json.encode { prompt = prompts[i], answer = answer } .. "\n") and out:flush())
  elseif ofox.errors.is(answer) and HOPELESS[answer.type] then
    error(answer, 0) -- stops the rest
  else
    print(prompts[i] .. "\n  ! " .. tostring(answer))
  end
end

local ok, err = pcall(ofox.map, prompts, ask, { limit = 8, on_result = keep })
if not ok then print("stopped: " .. tostring(err)) end
print(#prompts == 0 and "nothing to do: each prompt has its answer"
  or ("%d of %d answered%s"):format(done, #prompts, done < #prompts and "; start it again for the rest" or ""))
os.exit(done == #prompts and 0 or 1)
