--- Copies of tables that are sent to a server, and so encode like the original.
require "ofox.base.uncompiled" ()

--- Returns a shallow copy, plus the fields that it lacks.
---@param original table  read raw
---@param fields table  used where the original has none
---@return table copy
return function(original, fields)
  local copy = {}
  for key, value in next, fields do copy[key] = value end
  for key, value in next, original do copy[key] = value end
  local meta = getmetatable(original)
  return type(meta) == "table" and setmetatable(copy, meta) or copy
end

