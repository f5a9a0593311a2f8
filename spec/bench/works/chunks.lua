-- Streams of 1,000 events, each event as a table.
local request = require "request"
local ask = request.asker(true)
for _ = 1, request.COUNT do
  local events = 0
  for chunk in ask():chunks() do
    if chunk.choices or chunk.candidates or chunk.delta then events = events + 1 end
  end
  assert(events >= 1000)
end
