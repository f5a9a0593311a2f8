-- Calls on a warm connection, one after another, whose text is wanted.
local request = require "request"
local ask = request.asker()
for _ = 1, request.COUNT do
  local answer = ask()
  assert(#answer:output_text() >= 50)
end
