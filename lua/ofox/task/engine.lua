--- The engine of this Lua state: made with the first client that needs it, and
-- again after a fork, since a child must not use the connections of its parent.
-- Knows nothing of calls, nor of who waits for them.
local native = require "ofox.base.native"
local try = require "ofox.base.try"

local engine = {}

local made

--- The engine, which is made if it is not there.
---@return userdata engine
function engine.get()
  if made == nil or not made:is_ours() then made = native("engine").new() end
  return made
end

--- Has all of it there before the first call, by when its files may be out of
-- reach. What is wrong with them, or with the machine, the first call says.
function engine.prepare()
  try(engine.get)
end

--- The engine, if it is there.
---@return userdata|nil engine
function engine.made()
  if made ~= nil and made:is_ours() then return made end
  return nil
end

return engine
