-- Streams of 1,000 events, which are put together to the answer.
local request = require "request"
local ask = request.asker(true)
for _ = 1, request.COUNT do
  local answer = assert(ask():collect())
  assert(#answer:output_text() > 5000)
end
