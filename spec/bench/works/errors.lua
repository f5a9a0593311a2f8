-- Calls that are answered at the fourth attempt; the waits between are nothing.
local request = require "request"
local client = request.client { retry = { jitter = "none", base = 1e-9 } }
request.params.user = "errors"
local answer
for _ = 1, request.COUNT do
  answer = assert(client:chat(request.params))
  assert(answer.usage.total_tokens == 53)
end
assert(answer:meta().attempts == 4)
