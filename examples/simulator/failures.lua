--- The gateway's failures: bodies as documented, and the pages of the proxies
-- and networks between.
local json = require "cjson"

-- status = type, code, message
local ERRORS = {
  [400] = { "invalid_request_error", "invalid_request", "Invalid request." },
  [401] = { "authentication_error", "invalid_api_key", "Invalid API key provided." },
  [402] = { nil, "insufficient_credits", "The balance is exhausted. Please top up." },
  [403] = { "permission_error", "permission_denied", "No permission for this resource." },
  [404] = { "not_found_error", "model_not_found", "There is no such model." },
  [429] = { "rate_limit_error", "rate_limit_exceeded", "Rate limit reached." },
  [500] = { "internal_error", "internal_error", "Internal error of the gateway." },
  [502] = { "upstream_error", "upstream_error", "The provider failed." },
  [503] = { "service_unavailable", "service_unavailable", "The service is temporarily unavailable." },
  [529] = { nil, nil, "Overloaded" },
}

local failures = {}

-- Google's words for a status.
local WORDS = {
  [400] = "INVALID_ARGUMENT", [401] = "UNAUTHENTICATED", [403] = "PERMISSION_DENIED", [404] = "NOT_FOUND",
  [429] = "RESOURCE_EXHAUSTED", [500] = "INTERNAL", [503] = "UNAVAILABLE", [504] = "DEADLINE_EXCEEDED",
}

-- Anthropic's words for a status.
local KINDS = {
  [400] = "invalid_request_error", [401] = "authentication_error", [402] = "billing_error",
  [403] = "permission_error", [404] = "not_found_error", [413] = "request_too_large", [429] = "rate_limit_error",
  [503] = "overloaded_error", [504] = "timeout_error", [529] = "overloaded_error",
}

--- The body of a failure in another protocol than OpenAI's.
local OTHERS = {
  anthropic = function(status, err)
    return { type = "error", error = { type = KINDS[status] or "api_error", message = err.message } }
  end,
  gemini = function(status, err)
    local retry = { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = err.reset or "1s" }
    return { error = { code = status, message = err.message, status = WORDS[status] or "UNKNOWN",
      details = status == 429 and { retry } or nil } }
  end,
}

--- The documented body of a failure; `more` overrides fields of its error.
-- `reset` is when to come back.
---@param protocol string|nil  "anthropic" or "gemini"; else OpenAI's
function failures.body(status, more, protocol)
  local row = ERRORS[status] or { nil, nil, ("Status %d, as asked for."):format(status) }
  local err = { type = row[1], code = row[2], message = row[3] }
  for key, value in pairs(more or {}) do err[key] = value end
  if OTHERS[protocol] then return json.encode(OTHERS[protocol](status, err)) end
  err.reset = nil
  return json.encode { error = err }
end

--- What ends a stream with a failure, as bytes. Google sends it as it would be alone: no event.
function failures.in_stream(status, protocol, path)
  local body, name = failures.body(status, nil, protocol), ""
  if protocol == "gemini" then return body end
  if protocol == "anthropic" or path == "/v1/responses" then name = "event: error\n" end
  if path == "/v1/responses" then body = body:gsub("^{", '{"type":"error",', 1) end
  return name .. "data: " .. body .. "\n\n"
end

--- A web page, for one who asks in the wrong place.
function failures.page(title)
  return ("<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"):format(title, title)
end

local BODIES = {
  html = function(plan) return failures.page(plan.status .. " from the edge"), "text/html" end,
  text = function() return "upstream connect error or disconnect", "text/plain" end,
  empty = function() return "" end,
  broken = function(_, body) return body:sub(1, math.floor(#body / 2)) end,
}

--- What a plan's failure looks like on the wire (see scenarios.lua).
---@return integer status, string content_type, table headers, string body
function failures.answer(plan)
  local headers = { ["retry-after"] = plan.retry_after }
  if plan.status == 429 then
    headers["x-ratelimit-remaining-requests"] = 0
    headers["x-ratelimit-reset-requests"] = plan.reset or "1s"
  end
  local body, kind = '{"id":"chatcmpl-1","choices":[]}', nil
  if plan.status >= 400 then
    body = failures.body(plan.status, { code = plan.code, message = plan.message, reset = plan.reset },
      plan.protocol)
  end
  if plan.status == 204 or plan.status == 304 then body = "" end
  if BODIES[plan.body] then body, kind = BODIES[plan.body](plan, body) end
  return plan.wire or plan.status, kind or "application/json", headers, body
end

return failures
