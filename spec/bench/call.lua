-- One call on a warm connection, again and again: lua5.4 call.lua URL COUNT
local ofox = require "ofox"
local url, count = arg[1], tonumber(arg[2])
local client = ofox.new { api_key = "sk-bench-0123456789", base_url = url, proxy = false }
local params = {
  model = "openai/gpt-4o", temperature = 0.7, max_tokens = 256,
  messages = {
    { role = "system", content = "You are a helpful assistant." },
    { role = "user", content = "Summarise the plot of Hamlet in two sentences, please." },
  },
}
for _ = 1, count do assert(client:chat(params)) end
