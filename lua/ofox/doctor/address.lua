--- What a base URL alone shows: what is probably wrong with it, and what was
-- probably meant. Pure; takes URLs that check.base_url has accepted.
local top_of = require "ofox.base.gateway".top_of

local address = {}

---@class ofox.Address
---@field scheme "http"|"https"
---@field authority string  with user and password, if there are any
---@field host string  in lower case; an IPv6 address in its brackets
---@field port integer
---@field path string  "" or "/…" without a slash at its end

--- Parses a base URL.
---@param base string
---@return ofox.Address
function address.split(base)
  local scheme, authority, path = base:match("^(%a[%w+.-]*)://([^/]*)(.*)$")
  local place = authority:match("([^@]*)$"):lower()
  local host, port = place:match("^(%[.-%]):?(%d*)$")
  if not host then host, port = place:match("^([^:]*):?(%d*)$") end
  return {
    scheme = scheme:lower(), authority = authority, host = host or place, path = path,
    port = tonumber(port) or (scheme == "https" and 443 or 80),
  }
end

--- The URL without user and password.
---@param base string
---@return string
function address.shown(base)
  return (base:gsub("^(%a[%w+.-]*://)[^/]*@", "%1"))
end

--- Is it an IP address, so that no name has to be resolved?
---@param host string
---@return boolean
function address.is_numeric(host)
  return host:find("^%[") ~= nil or host:find("^%d+%.%d+%.%d+%.%d+$") ~= nil
end

--- Does traffic to this host stay on this machine?
---@param host string
---@return boolean
function address.is_loopback(host)
  return host == "localhost" or host:find("%.localhost$") ~= nil or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

-- Endpoint paths: ofox appends them, so base_url must not contain them.
local ENDPOINTS = {
  "/chat/completions", "/completions", "/responses", "/embeddings", "/images/generations", "/images/edits", "/models",
}

local function without_endpoint(path)
  for _, endpoint in ipairs(ENDPOINTS) do
    if path:sub(-#endpoint) == endpoint then return path:sub(1, -#endpoint - 1) end
  end
  return nil
end

local function has_version(path)
  return (path .. "/"):find("/v%d+%w*/") ~= nil
end

-- Checks the path and returns the correct one. Calls 'found' with each problem.
local function judge_path(path, top, found)
  local tail = path:match("[%.,;:)'\"]+$")
  if tail then
    found("trailing", "error")
    path = path:sub(1, -#tail - 1):gsub("/+$", "")
  end
  if top and (path:find("^/anthropic%f[/%z]") or path:find("^/gemini%f[/%z]")) then
    found("protocol", "error")
    return "/v1"
  end
  local shorter = without_endpoint(path)
  if shorter then
    found("endpoint", "error")
    path = shorter:gsub("/+$", "")
  elseif path:find("/v1/v1$") then
    found("doubled", "error")
    path = path:sub(1, -4)
  elseif not tail and not has_version(path) then
    found("no_version", top and "error" or "warn")
  end
  return has_version(path) and path or path .. "/v1"
end

local function judge_scheme(at, top, found)
  if at.scheme == "http" and not address.is_loopback(at.host) then
    found("plain_http", "warn")
    if top then return "https" end
  end
  if at.scheme == "https" and at.port == 80 or at.scheme == "http" and at.port == 443 then found("port", "warn") end
  return at.scheme
end

--- Returns what is suspicious about a base URL.
---@param base string
---@return {id: string, level: "warn"|"error"}[] problems  id: a row of ofox.doctor.text
---@return string|nil better  what was probably meant, if it is another URL
function address.judge(base)
  local at, problems = address.split(base), {}
  local function found(id, level) problems[#problems + 1] = { id = id, level = level } end
  local top = top_of(at.host)
  if top and at.host ~= "api.ofox." .. top then
    found("website", "error")
    return problems, "https://api.ofox." .. top .. "/v1"
  end
  local path = judge_path(at.path, top, found)
  local scheme = judge_scheme(at, top, found)
  local better = scheme .. "://" .. at.authority .. path
  return problems, better ~= base and better or nil
end

--- Returns where a redirect leads, as a base URL.
---@param base string  of the request
---@param location any  the header
---@param path string  what was appended to the base
---@return string|nil
function address.redirected(base, location, path)
  if type(location) ~= "string" then return nil end
  local at = address.split(base)
  local target = location:match("^[^?#]*"):gsub("/+$", "")
  if target:find("^/[^/]") then target = at.scheme .. "://" .. at.authority .. target end
  if not target:find("^https?://[^/@]") or target:sub(-#path) ~= path then return nil end
  target = target:sub(1, -#path - 1)
  return target ~= base and target or nil
end

return address
