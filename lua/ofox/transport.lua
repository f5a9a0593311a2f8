--- The engine of this Lua state, made by the first call and again after a
-- fork, since a child must not use the connections of its parent.
local native = require "ofox.native"

local transport = {}

local engine

---@return userdata engine
function transport.get()
  if engine == nil or not engine:is_ours() then engine = native("engine").new() end
  return engine
end

--- The same, if there is one already.
---@return userdata|nil engine
function transport.made()
  if engine ~= nil and engine:is_ours() then return engine end
  return nil
end

return transport
