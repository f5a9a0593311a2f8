--- What all attempts of a call, and all calls of a resource without options of
-- their own, have in common: where they go and how, and what about them is
-- secret. Knows nothing of keys, bodies or attempts.
local options = require "ofox.options"

local route = {}

-- Headers of the caller that are as secret as the key.
local function is_secret_header(name)
  name = name:lower()
  return name:find("auth", 1, true) or name:find("key", 1, true) or name:find("token", 1, true)
    or name:find("secret", 1, true) or name:find("cookie", 1, true)
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The password of a URL must not be seen either, as written or as meant. A
-- proxy may be named without a scheme.
local function add_url_secrets(secrets, url)
  local userinfo = type(url) == "string" and url:gsub("^%a[%w+.-]*://", ""):match("^([^/?#]*)@")
  if not userinfo then return end
  local password = userinfo:match(":(.*)$")
  for _, text in ipairs { userinfo, password or userinfo } do
    secrets[#secrets + 1] = text
    secrets[#secrets + 1] = unescape(text)
  end
end

-- Where libcurl looks for a proxy if none is given.
local PROXY_VARIABLES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

local function secrets_of(request, settings)
  local secrets = {}
  add_url_secrets(secrets, request.url)
  if settings.proxy == nil then
    for _, name in ipairs(PROXY_VARIABLES) do add_url_secrets(secrets, os.getenv(name)) end
  else
    add_url_secrets(secrets, settings.proxy)
  end
  secrets[#secrets + 1] = settings.client_cert and settings.client_cert.password
  for _, header in ipairs(request.headers) do
    if is_secret_header(header[1]) then
      secrets[#secrets + 1] = header[2]
      secrets[#secrets + 1] = header[2]:match("^%s*%a[%w-]*%s+(%S+)%s*$")
    end
  end
  return secrets
end

local function lines_of(headers)
  local lines = {}
  for i, header in ipairs(headers) do
    -- for libcurl "name:" takes a header away and "name;" sends an empty one
    lines[i] = header[2] == "" and header[1] .. ";" or header[1] .. ": " .. header[2]
  end
  return lines
end

local function new(request, settings)
  local cert = settings.client_cert or {}
  local self = {
    method = request.method,
    url = request.url,
    shown_url = request.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"),
    lines = lines_of(request.headers),
    secrets = secrets_of(request, settings),
    idempotent = request.method == "GET" or request.method == "HEAD",
    verify = settings.verify,
    http_version = options.HTTP_VERSIONS[settings.http_version],
    max_connections = settings.max_connections,
    proxy = settings.proxy == false and "" or settings.proxy,
    ca_file = settings.ca_file,
    ca_path = settings.ca_path,
    unix_socket = settings.unix_socket,
    client_cert = cert.cert,
    client_key = cert.key,
    client_password = cert.password,
  }
  self.attempt = { __index = self } -- metatable of what the transport is given
  return self
end

--- The route of a request; made once for all that share 'request.shared'.
---@param request table  method, url, headers (list of {name, value})
---@param settings table
---@return table route
function route.of(request, settings)
  local shared = request.shared
  if not shared then return new(request, settings) end
  if not shared.route then shared.route = new(request, settings) end
  return shared.route
end

return route
