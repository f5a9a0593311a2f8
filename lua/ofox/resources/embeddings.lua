--- Embeddings: verb, path, shape. Vectors are sent as base64, which is smaller and
-- exact, and become tables of numbers here.

--- Decodes vectors sent as base64; a server may have sent numbers instead.
---@param value table  the answer; is changed
---@return string|nil problem
local function finish(value)
  if type(value.data) ~= "table" then return nil end
  local floats = require "ofox.base.native" "core".floats
  for i = 1, #value.data do
    local row = value.data[i]
    if type(row) == "table" and type(row.embedding) == "string" then
      local vector = floats(row.embedding)
      if not vector then
        return ("data[%d].embedding is not the base64 of 32-bit floats"):format(i)
      end
      row.embedding = vector
    end
  end
  return nil
end

return {
  name = "embeddings",
  method = "POST",
  path = "/embeddings",
  expect = "data",
  add = { encoding_format = "base64" },
  finish = finish, -- only where 'add' was added
}
