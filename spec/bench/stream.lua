-- Reads one stream, again and again: lua5.4 stream.lua text|chunks URL COUNT
local ofox = require "ofox"
local how, url, count = arg[1], arg[2], tonumber(arg[3])
local client = ofox.new { api_key = "sk-bench-0123456789", base_url = url, proxy = false }
local params = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }
for _ = 1, count do
  local stream = assert(client:stream(params))
  local n = 0
  for _ in stream[how](stream) do n = n + 1 end
  assert(n > 900, n)
end
