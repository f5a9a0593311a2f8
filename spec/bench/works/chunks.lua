-- Streams of 1,000 events, each event as a table.
local request = require "request"
local client = request.client()
for _ = 1, request.COUNT do
  local events = 0
  for chunk in assert(client:stream(request.params)):chunks() do
    events = events + #chunk.choices
  end
  assert(events == 1000)
end
