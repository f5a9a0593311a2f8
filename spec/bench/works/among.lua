-- Calls, 64 of them in flight at any time.
local ofox = require "ofox"
local request = require "request"
local client = request.client()
local left = request.COUNT
local function worker()
  while left > 0 do
    left = left - 1
    local answer = assert(client:chat(request.params))
    assert(answer.usage.total_tokens == 53)
  end
end
ofox.run(function()
  for _ = 1, 64 do ofox.go(worker) end
end)
