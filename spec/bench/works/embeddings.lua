-- Vectors of 8,192 numbers, which travel as base64.
local request = require "request"
local client = request.client()
for _ = 1, request.COUNT do
  local answer = assert(client:embeddings { model = "m", input = "Hamlet" })
  assert(#answer.data[1].embedding == 8192)
end
