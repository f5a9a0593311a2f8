--- The catalogue and one row of it: verb, path, shape.
local models = {}

models.list = { name = "models", method = "GET", path = "/models", expect = "list" }

---@param id string  ready for a path
function models.one(id)
  return { name = "models", method = "GET", path = "/models/" .. id, expect = "object" }
end

return models
