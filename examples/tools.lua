-- Tools: the model asks for functions of ours, gets their results, and so on until it has an answer.
-- lua5.4 examples/tools.lua [question]; needs lua-cjson.
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local client = ofox.new {}

-- The description is for the model, the function for us.
local tools = {
  weather = {
    description = "The weather in a city",
    parameters = { type = "object", properties = { city = { type = "string" } }, required = { "city" } },
    call = function(arguments) return { city = arguments.city, sky = "clear", celsius = 21 } end,
  },
}

local function described()
  local list = {}
  for name, tool in pairs(tools) do
    list[#list + 1] = { type = "function",
      ["function"] = { name = name, description = tool.description, parameters = tool.parameters } }
  end
  return list
end

-- The result of a call as text. What was wrong with the call is told to the model, which may correct it.
local function result_of(call)
  local tool = tools[call.name]
  if not tool then return "error: there is no tool " .. tostring(call.name) end
  if not call.arguments then return "error: the arguments are not JSON: " .. tostring(call.arguments_json) end
  local ok, value = pcall(tool.call, call.arguments)
  if not ok then return "error: " .. tostring(value) end
  return require "cjson".encode(value)
end

local messages = { { role = "user", content = arg[1] or "What is the weather in Bern?" } }
for _ = 1, 10 do -- at most so many rounds
  local stream, err = client:stream { model = "openai/gpt-4o-mini", messages = messages, tools = described() }
  if not stream then return print(err, err:hint()) end
  for text in stream:text() do io.write(text) end
  local res = stream:collect() -- the whole answer, with its tool calls
  messages[#messages + 1] = res.choices[1].message
  if #res:tool_calls() == 0 then return print() end
  for _, call in ipairs(res:tool_calls()) do
    print(("(%s %s)"):format(tostring(call.name), call.arguments_json or "{}"))
    messages[#messages + 1] = { role = "tool", tool_call_id = call.id, content = result_of(call) }
  end
end
print "Ten rounds of tools and no answer."
