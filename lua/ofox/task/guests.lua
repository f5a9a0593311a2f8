--- Connections that are guests of an engine: what they have for Lua is delivered
-- where the news of calls is taken.
-- Knows nothing of what they are connected to.
local guests = {}

local known -- note -> connection, which its owner keeps; nil: there has been none

--- From now on the connection's news is delivered.
---@param connection userdata  with note() and deliver()
function guests.join(connection)
  known = known or setmetatable({}, { __mode = "v" })
  known[connection:note()] = connection
end

--- Delivers what guests of an engine have. Also of those that are gone: with news left
-- in it, the engine's next step returns immediately.
---@param made userdata
function guests.serve(made)
  if not known then return end
  local note = made:guest()
  while note do
    local connection = known[note]
    if connection then connection:deliver() end
    note = made:guest()
  end
end

return guests
