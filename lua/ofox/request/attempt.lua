--- What one attempt of a call sends: the template, with the key, the
-- idempotency key, the body of its model, and the headers that functions give.
-- Knows nothing of when it is sent.
local checks = require "ofox.request.checks"
local headers = require "ofox.request.headers"
local idempotency_line = require "ofox.request.idempotency_key"
local secrets = require "ofox.request.secrets"

local attempt = {}

--- What the transport sends, but for the headers that functions give.
---@param request table  'bodies', 'template', 'idempotency_key'
---@param lines table<integer, string>  the idempotency keys of the call
---@param key string|false
---@param model integer  which of the call's models
---@return table attempt  'later': headers that ask_headers has to add
function attempt.new(request, lines, key, model)
  local bodies = request.bodies
  return setmetatable({
    authorization = key and "Authorization: Bearer " .. key or nil,
    idempotency = idempotency_line(request, lines, model),
    body = bodies and (bodies[model] or bodies[1]),
  }, request.template.attempt)
end

--- Adds the headers whose values functions give. Each is told of the attempt in
-- a table of its own. Raises where one gives what is no value.
---@param self table  of attempt.new
---@param number integer  of the attempt, from 1
---@param model string|nil  its id
---@param keep_secret fun(secret: string)
function attempt.ask_headers(self, number, model, keep_secret)
  local lines = {}
  for i, line in ipairs(self.lines) do lines[i] = line end
  for _, header in ipairs(self.later) do
    local name, fn = header[1], header[2]
    local problem, value = checks.given_header(fn {
      attempt = number, method = self.method, url = self.url, body = self.body, model = model,
    })
    if problem then error(("ofox: headers.%s: what the function gave: %s"):format(name, problem), 0) end
    if value then
      lines[#lines + 1] = headers.line(name, value)
      for _, secret in ipairs(secrets.of_header(name, value)) do keep_secret(secret) end
    end
  end
  self.lines = lines
end

return attempt
