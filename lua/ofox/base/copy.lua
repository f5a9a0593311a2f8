--- Copies of tables that go to a server, and so encode like the original.
require "ofox.base.uncompiled" ()

--- A shallow copy, with the fields that it lacks.
---@param original table  read raw
---@param fields table  those that count where the original has none
---@return table copy
return function(original, fields)
  local copy = {}
  for key, value in next, fields do copy[key] = value end
  for key, value in next, original do copy[key] = value end
  local meta = getmetatable(original)
  return type(meta) == "table" and setmetatable(copy, meta) or copy
end

