--- Empty tables that stand for lists, as in tools = {}: they are written as [].
require "ofox.base.uncompiled" ()
local copy = require "ofox.base.copy"
local json = require "ofox.json"

--- A list that is empty and not marked would be written as {}, which no server
-- takes for a list.
---@param params table  not changed
---@param names string[]  of the fields that are lists
---@return table params  the same, or a copy with such lists marked
return function(params, names)
  local marked
  for _, name in ipairs(names) do
    local value = rawget(params, name)
    if type(value) == "table" and next(value) == nil and getmetatable(value) == nil then
      marked = marked or {}
      marked[name] = json.array {}
    end
  end
  if not marked then return params end
  local own = copy(params, {})
  for name, value in pairs(marked) do own[name] = value end
  return own
end

