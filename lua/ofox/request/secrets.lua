--- What in a request is as secret as the key: passwords in URLs, parameters and
-- headers with telling names, passwords of proxies and certificates.
-- Knows nothing of keys, or of how text is redacted (src/wire/redact.c).
local core = require "ofox.base.native" "core"

local secrets = {}

local SECRET_WORDS = { "auth", "key", "token", "secret", "cookie", "pass", "session", "credential", "sig" }

--- Is the value of a header or parameter with that name as secret as the key?
---@param name string
---@return boolean
local function is_secret_name(name)
  name = name:lower()
  for _, word in ipairs(SECRET_WORDS) do
    if name:find(word, 1, true) then return true end
  end
  return false
end

secrets.is_secret_name = is_secret_name

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The password of a URL is secret as written and decoded. A proxy may be given
-- without a scheme, and one from the environment may have any bytes in its password.
local function add_url_secrets(list, url, userinfo_pattern)
  local userinfo = type(url) == "string" and url:gsub("^%a[%w+.-]*://", ""):match(userinfo_pattern)
  if not userinfo then return end
  local password = userinfo:match(":(.*)$")
  for _, text in ipairs { userinfo, password or userinfo } do
    list[#list + 1] = text
    list[#list + 1] = unescape(text)
  end
end

-- Parameters of a URL that are as secret as the key: as written and decoded.
local function add_query_secrets(list, url)
  for name, value in (url:match("%?([^#]*)") or ""):gmatch("([^&=]+)=([^&]*)") do
    if is_secret_name(unescape(name)) then
      list[#list + 1] = value
      list[#list + 1] = unescape(value)
    end
  end
end

-- The parts of a secret header: of a cookie or of a list of parameters, and the
-- credentials inside Basic.
local function add_header_secrets(list, value)
  list[#list + 1] = value
  list[#list + 1] = value:match("^%s*%a[%w-]*%s+(%S+)%s*$")
  for part in value:gmatch("[%w_.-]+=\"?([^;,\"%s]+)") do list[#list + 1] = part end
  local basic = value:match("^%s*[Bb][Aa][Ss][Ii][Cc]%s+(%S+)%s*$")
  local pair = basic and core.parts.base64_decode(basic)
  if pair then
    list[#list + 1] = pair
    list[#list + 1] = pair:match(":(.*)$")
  end
end

--- Returns the secret parts of a header.
---@param name string
---@param value string
---@return string[]
function secrets.of_header(name, value)
  local list = {}
  if is_secret_name(name) then add_header_secrets(list, value) end
  return list
end

local IN_URL, IN_PROXY = "^([^/?#]*)@", "^(.*)@"

-- Where libcurl looks for a proxy if none is given.
local PROXY_VARIABLES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

--- Returns the secrets of a request and its settings.
---@param request table  url, headers (list of {name, value})
---@param settings table
---@return string[]
function secrets.of_request(request, settings)
  local list = {}
  add_url_secrets(list, request.url, IN_URL)
  add_query_secrets(list, request.url)
  if settings.proxy == nil then
    for _, name in ipairs(PROXY_VARIABLES) do add_url_secrets(list, os.getenv(name), IN_PROXY) end
  else
    add_url_secrets(list, settings.proxy, IN_PROXY)
  end
  list[#list + 1] = settings.client_cert and settings.client_cert.password
  for _, header in ipairs(request.headers) do
    if type(header[2]) == "string" and is_secret_name(header[1]) then add_header_secrets(list, header[2]) end
  end
  return list
end

return secrets
