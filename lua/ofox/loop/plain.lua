--- Waiting in plain Lua: the engine runs until the call has something new.
local core = require("ofox.native")("core")

local plain = {}

-- A signal that comes just before a pause is noticed after it.
local SLICE = 0.08

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

---@param seconds number
function plain.sleep(seconds)
  local till = core.now() + seconds
  local left = seconds
  while left > 0 do
    core.pause(math.min(left, SLICE))
    left = till - core.now()
  end
end

return plain
