-- Calls on a warm connection, one after another.
local request = require "request"
local client = request.client()
for _ = 1, request.COUNT do
  local answer = assert(client:chat(request.params))
  assert(answer.usage.total_tokens == 53)
end
