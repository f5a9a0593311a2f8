--- What the program supplies before each attempt: its key, headers that functions
-- return, and a warning if they are sent unencrypted.
-- Knows nothing of when an attempt is sent.
local api_key = require "ofox.request.api_key"
local headers = require "ofox.request.headers"
local plaintext = require "ofox.request.plaintext"
local secrets = require "ofox.request.secrets"
local table_checks = require "ofox.request.table_checks"

local attempt = {}

--- Sets the key of the next attempt, unless it is fixed.
---@param template ofox.Template
---@param call userdata
---@return boolean|nil sent  whether a key is sent; nil: it is missing
function attempt.key(template, call)
  if template.missing then return nil end
  if type(template.key) ~= "function" then return template.key end
  local key = api_key(template.key)
  if not key then return key end
  call:secret(key)
  call:authorize(key)
  return true
end

--- Warns, once, if a credential is sent unencrypted.
---@param template ofox.Template
---@param keyed boolean  a key is sent
function attempt.warn(template, keyed)
  if template.exposed and (keyed or template.exposes_own) then
    plaintext.warn(template.settings, template.exposed)
  end
end

--- Adds the headers whose values functions return. Each function gets its own table
-- about the attempt. Raises if one returns an invalid value.
---@param template ofox.Template
---@param call userdata
---@param number integer  of the attempt, from 1
---@param model string|nil  its id
function attempt.ask_headers(template, call, number, model)
  for _, header in ipairs(template.later) do
    local name, fn = header[1], header[2]
    local problem, value = table_checks.given_header(fn {
      attempt = number, method = template.method, url = template.url, body = call:sends(), model = model,
    })
    if problem then error(("ofox: headers.%s: the function returned an invalid value: %s"):format(name, problem), 0) end
    if value then
      call:line(headers.line(name, value))
      for _, secret in ipairs(secrets.of_header(name, value)) do call:secret(secret) end
    end
  end
end

return attempt
