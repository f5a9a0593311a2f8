--- The engine of this Lua state, made with the first client that needs it and
-- again after a fork, since a child must not use the connections of its parent.
local native = require "ofox.base.native"
local try = require "ofox.base.try"

local transport = {}

local engine

---@return userdata engine
function transport.get()
  if engine == nil or not engine:is_ours() then engine = native("engine").new() end
  return engine
end

--- Has all of it there before the first call, by when its files may be out of
-- reach. What is wrong with them, or with the machine, the first call says.
function transport.prepare()
  try(transport.get)
end

--- The same, if there is one already.
---@return userdata|nil engine
function transport.made()
  if engine ~= nil and engine:is_ours() then return engine end
  return nil
end

return transport
