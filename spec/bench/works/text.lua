-- Streams of 1,000 events, of which the text alone is wanted.
local request = require "request"
local ask = request.asker(true)
for _ = 1, request.COUNT do
  local events = 0
  for text in ask():text() do
    events = events + (#text > 0 and 1 or 0)
  end
  assert(events == 1000)
end
