--- What in a request is as secret as the key: passwords in URLs, parameters and
-- headers whose names say so, passwords of proxies and certificates.
-- Knows nothing of keys, or of how text is freed of secrets (src/wire/redact.c).
local core = require "ofox.base.native" "core"

local secrets = {}

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
local function add_url_secrets(list, url, userinfo_pattern)
  local userinfo = type(url) == "string" and url:gsub("^%a[%w+.-]*://", ""):match(userinfo_pattern)
  if not userinfo then return end
  local password = userinfo:match(":(.*)$")
  for _, text in ipairs { userinfo, password or userinfo } do
    list[#list + 1] = text
    list[#list + 1] = unescape(text)
  end
end

-- Parameters of a URL that are as secret as the key: as written and as meant.
local function add_query_secrets(list, url)
  for name, value in (url:match("%?([^#]*)") or ""):gmatch("([^&=]+)=([^&]*)") do
    if is_secret_name(unescape(name)) then
      list[#list + 1] = value
      list[#list + 1] = unescape(value)
    end
  end
end

-- What a secret header is made of: the parts of a cookie or of a list of
-- parameters, and what Basic hides.
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

--- What is secret about a header.
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

--- What is secret about a request and its settings.
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
