--- The engine of this Lua state: created with the first client that needs it, and again
-- after a fork, since a child must not use the connections of its parent.
-- Knows nothing of calls, nor of who waits for them.
local native = require "ofox.base.native"
local try = require "ofox.base.try"

local engine = {}

local made

--- Returns the engine; creates it if necessary.
---@return userdata engine
function engine.get()
  if made == nil or not made:is_ours() then made = native("engine").new() end
  return made
end

--- Loads everything before the first call, when its files may be inaccessible. The
-- first call reports what is wrong with them, or with the machine.
function engine.prepare()
  try(engine.get)
end

--- Returns the engine, if it exists.
---@return userdata|nil engine
function engine.made()
  if made ~= nil and made:is_ours() then return made end
  return nil
end

return engine
