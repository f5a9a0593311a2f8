--- Fallback: the models that a call may try, and how its body tells the gateway about
-- them. src/call/fallback.c decides when to fall back.
local copy = require "ofox.base.copy"

local fallback = {}

--- Returns the models to try in order: the requested one, then the others, each once.
---@param params table
---@param others string[]|nil
---@return string[]
function fallback.models(params, others)
  local model = rawget(params, "model")
  if type(model) ~= "string" then return {} end
  local models, known = { model }, { [model] = true }
  for _, id in ipairs(others or {}) do
    if not known[id] then
      known[id] = true
      models[#models + 1] = id
    end
  end
  return models
end

--- Returns the models that the gateway should fall back to by itself when the k-th
-- model is requested.
---@param models string[]
---@param k integer
---@param hedged? boolean  the last one is that of hedges, for which the gateway has all others but the first
---@return string[]
function fallback.rest(models, k, hedged)
  local rest, last = {}, hedged and #models - 1 or #models
  for i = k > last and 2 or k + 1, last do
    if models[i] ~= models[k] then rest[#rest + 1] = models[i] end
  end
  return rest
end

--- Returns the params of the request for one of the models.
---@param params table  not changed
---@param model string|nil  nil: the params name none
---@param rest string[]
---@return table
function fallback.apply(params, model, rest)
  local own = copy(params, {})
  if model then own.model = model end
  local provider = rawget(params, "provider")
  if #rest > 0 then
    if provider == nil then
      own.provider = { fallback = rest }
    elseif type(provider) == "table" then
      own.provider = copy(provider, { fallback = rest })
    end
  end
  return own
end

return fallback
