-- What lua-cjson alone costs for the same call: json.lua URL COUNT
local cjson = require "cjson"
local params = {
  model = "openai/gpt-4o", temperature = 0.7, max_tokens = 256,
  messages = {
    { role = "system", content = "You are a helpful assistant." },
    { role = "user", content = "Summarise the plot of Hamlet in two sentences, please." },
  },
}
local pipe = io.open(arg[1])
local reply = pipe:read("*a")
pipe:close()
for _ = 1, tonumber(arg[2]) do
  cjson.encode(params)
  cjson.decode(reply)
end
