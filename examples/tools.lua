-- Tools in a loop: the model asks for functions, we call them, until it has an answer.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"

local client = ofox.new {}

-- What the model may call: a description for it, a function for us.
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

-- The result of a call as text. What is wrong with it is for the model to mend.
local function result_of(call)
  local tool = tools[call.name]
  if not tool then return "error: there is no tool " .. tostring(call.name) end
  if not call.arguments then return "error: the arguments are no JSON: " .. tostring(call.arguments_json) end
  local ok, value = pcall(tool.call, call.arguments)
  if not ok then return "error: " .. tostring(value) end
  return require "cjson".encode(value)
end

local messages = { { role = "user", content = arg[1] or "What is the weather in Bern?" } }
for _ = 1, 10 do -- a model that calls for ever is stopped
  local stream, err = client:stream { model = "openai/gpt-4o-mini", messages = messages, tools = described() }
  if not stream then return print(err, err:hint()) end
  for text in stream:text() do io.write(text) end
  local res = stream:collect() -- with the tool calls, put together from their pieces
  messages[#messages + 1] = res.choices[1].message
  if #res:tool_calls() == 0 then return print() end
  for _, call in ipairs(res:tool_calls()) do
    print(("(%s %s)"):format(tostring(call.name), call.arguments_json or "{}"))
    messages[#messages + 1] = { role = "tool", tool_call_id = call.id, content = result_of(call) }
  end
end
print "Ten rounds of tools, and no answer."
