--- What all attempts of a call, and all calls of a resource without options of
-- their own, have in common: where they go and how, and what about them is
-- secret. Knows nothing of keys, bodies or attempts.
local core = require "ofox.base.native" "core"
local options = require "ofox.request.options"
local plaintext = require "ofox.request.plaintext"
local requests = require "ofox.request.build"

local route = {}

local SECRET_WORDS = { "auth", "key", "token", "secret", "cookie", "pass", "session", "credential", "sig" }

-- Is what the caller says in a header or parameter of that name as secret as
-- the key?
local function is_secret_name(name)
  name = name:lower()
  for _, word in ipairs(SECRET_WORDS) do
    if name:find(word, 1, true) then return true end
  end
  return false
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The password of a URL must not be seen either, as written or as meant. A
-- proxy may be named without a scheme, and one from the environment may have
-- anything in its password.
local function add_url_secrets(secrets, url, userinfo_pattern)
  local userinfo = type(url) == "string" and url:gsub("^%a[%w+.-]*://", ""):match(userinfo_pattern)
  if not userinfo then return end
  local password = userinfo:match(":(.*)$")
  for _, text in ipairs { userinfo, password or userinfo } do
    secrets[#secrets + 1] = text
    secrets[#secrets + 1] = unescape(text)
  end
end

-- Parameters of a URL that are as secret as the key: as written and as meant.
local function add_query_secrets(secrets, url)
  for name, value in (url:match("%?([^#]*)") or ""):gmatch("([^&=]+)=([^&]*)") do
    if is_secret_name(unescape(name)) then
      secrets[#secrets + 1] = value
      secrets[#secrets + 1] = unescape(value)
    end
  end
end

-- What a secret header is made of: the parts of a cookie or of a list of
-- parameters, and what Basic hides.
local function add_header_secrets(secrets, value)
  secrets[#secrets + 1] = value
  secrets[#secrets + 1] = value:match("^%s*%a[%w-]*%s+(%S+)%s*$")
  for part in value:gmatch("[%w_.-]+=\"?([^;,\"%s]+)") do secrets[#secrets + 1] = part end
  local basic = value:match("^%s*[Bb][Aa][Ss][Ii][Cc]%s+(%S+)%s*$")
  local pair = basic and core.parts.base64_decode(basic)
  if pair then
    secrets[#secrets + 1] = pair
    secrets[#secrets + 1] = pair:match(":(.*)$")
  end
end

--- What is secret about a header.
---@param name string
---@param value string
---@return string[]
function route.header_secrets(name, value)
  local secrets = {}
  if is_secret_name(name) then add_header_secrets(secrets, value) end
  return secrets
end

local IN_URL, IN_PROXY = "^([^/?#]*)@", "^(.*)@"

-- Where libcurl looks for a proxy if none is given.
local PROXY_VARIABLES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

local function secrets_of(request, settings)
  local secrets = {}
  add_url_secrets(secrets, request.url, IN_URL)
  add_query_secrets(secrets, request.url)
  if settings.proxy == nil then
    for _, name in ipairs(PROXY_VARIABLES) do add_url_secrets(secrets, os.getenv(name), IN_PROXY) end
  else
    add_url_secrets(secrets, settings.proxy, IN_PROXY)
  end
  secrets[#secrets + 1] = settings.client_cert and settings.client_cert.password
  for _, header in ipairs(request.headers) do
    if type(header[2]) == "string" and is_secret_name(header[1]) then add_header_secrets(secrets, header[2]) end
  end
  return secrets
end

--- A header as transports take it.
---@param name string
---@param value string
---@return string
function route.line(name, value)
  -- for libcurl "name:" takes a header away and "name;" sends an empty one
  return value == "" and name .. ";" or name .. ": " .. value
end

-- Lines of the headers whose values are known, and the others: {name, function}.
local function lines_of(headers, given)
  local lines, later = {}, {}
  for _, header in ipairs(headers) do
    if type(header[2]) == "string" then
      lines[#lines + 1] = route.line(header[1], header[2])
    else
      later[#later + 1] = header
    end
  end
  -- the one that the engine would add: this takes it away
  if given and given["accept-encoding"] == false then lines[#lines + 1] = "Accept-Encoding:" end
  return lines, later[1] and later or nil
end

-- Where an own word of the program that is as good as a key goes to, if not
-- safely; 'exposed' is where a key would.
local function find_exposed(self, request, settings)
  if settings.insecure_http or settings.unix_socket then return end
  local host, speaks = plaintext.host(request.url)
  for _, name in ipairs(requests.AUTH) do
    for _, header in ipairs(request.headers) do speaks = speaks or header[1] == name end
  end
  self.exposed, self.exposes_own = host, speaks
end

local function new(request, settings)
  local cert = settings.client_cert or {}
  local lines, later = lines_of(request.headers, settings.headers)
  local self = {
    method = request.method,
    url = request.url,
    shown_url = request.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"),
    lines = lines,
    later = later,
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
  find_exposed(self, request, settings)
  self.attempt = { __index = self } -- metatable of what the transport is given
  return self
end

--- The route of a request; made once for all that share 'request.shared'.
---@param request table  method, url, headers (list of {name, value}; a value may be a function)
---@param settings table
---@return table route
function route.of(request, settings)
  local shared = request.shared
  if not shared then return new(request, settings) end
  if not shared.route then shared.route = new(request, settings) end
  return shared.route
end

return route
