--- Waiting in plain Lua: the engine runs until the call has something new.
local served = require "ofox.task.transports"

local plain = {}

--- Waits until the state of the call changes, at most 'max' seconds.
---@param transport table  the engine or a mock
---@param call userdata
---@param max? number  seconds
function plain.wait(transport, call, max)
  local state = call:state()
  local till = max and transport:now() + max
  while call:state() == state do
    local left = till and till - transport:now()
    if left and left <= 0 then return end
    transport:step(left)
  end
end

local function ignore() end

--- Waits; an engine that is there goes on meanwhile: it closes what nobody
-- needs any more, and reads ahead in streams.
---@param seconds number
function plain.sleep(seconds)
  local till = served.now() + seconds
  local left = seconds
  while left > 0 do
    served.move(left)
    served.take_news(ignore) -- nobody else waits here
    left = till - served.now()
  end
end

return plain
