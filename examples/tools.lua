-- Tools: the model calls functions of ours, gets their results, and so on until it has an answer.
-- lua5.4 examples/tools.lua [question]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local client = ofox.new { errors = "return" }

-- The description is for the model, the function for us. What it raises is told to the model, which may do better.
local tools = {
  weather = {
    description = "The weather in a city",
    parameters = { type = "object", properties = { city = { type = "string" } }, required = { "city" } },
    run = function(arguments) return { city = arguments.city, sky = "clear", celsius = 21 } end,
  },
  time = {
    description = "The date and the time",
    run = function() return os.date() end,
  },
}

local messages = { { role = "user", content = arg[1] or "What is the weather in Bern?" } }
local res, err = client:run_tools({ model = "openai/gpt-4o-mini", messages = messages }, tools, {
  on_text = function(text) io.write(text) end,
  on_tool = function(call, result) print(("(%s %s -> %s)"):format(call.name, call.arguments_json, result)) end,
})
if not res then return print(err, err:hint()) end -- err.messages is the conversation up to there
print(res:finish_reason() == "tool_calls" and "Ten rounds of tools and no answer." or "")
