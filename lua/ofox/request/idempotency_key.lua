--- Idempotency keys: equal for all attempts of a call with one model, since
-- another model gets another body.
local core = require "ofox.base.native" "core"

--- The header line for an attempt.
---@param request table  'idempotency_key' (string, false for none, nil for a new one), 'template'
---@param lines table<integer, string>  those that the call has, by model; is added to
---@param model integer  which of the call's models
---@return string|nil
return function(request, lines, model)
  local key = request.idempotency_key
  if key == false or request.template.idempotent then return nil end
  if key then return "Idempotency-Key: " .. key end
  lines[model] = lines[model] or "Idempotency-Key: ofox-" .. core.uuid()
  return lines[model]
end
