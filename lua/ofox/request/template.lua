--- What all attempts of a call, and all calls of a resource without options of
-- their own, have in common: where they go and how, and what about them is
-- secret. Knows nothing of keys, bodies or attempts.
local headers = require "ofox.request.headers"
local options = require "ofox.request.options"
local plaintext = require "ofox.request.plaintext"
local secrets = require "ofox.request.secrets"

local template = {}

-- Where an own word of the program that is as good as a key goes to, if not
-- safely; 'exposed' is where a key would.
local function find_exposed(self, request, settings)
  if settings.insecure_http or settings.unix_socket then return end
  local host, speaks = plaintext.host(request.url)
  for _, name in ipairs(headers.AUTH) do
    for _, header in ipairs(request.headers) do speaks = speaks or header[1] == name end
  end
  self.exposed, self.exposes_own = host, speaks
end

local function new(request, settings)
  local cert = settings.client_cert or {}
  local lines, later = headers.lines(request.headers, settings.headers)
  local self = {
    method = request.method,
    url = request.url,
    shown_url = request.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"),
    lines = lines,
    later = later,
    secrets = secrets.of_request(request, settings),
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

--- The template of a request; made once for all that share 'request.shared'.
---@param request table  method, url, headers (list of {name, value}; a value may be a function)
---@param settings table
---@return table
function template.of(request, settings)
  local shared = request.shared
  if not shared then return new(request, settings) end
  if not shared.template then shared.template = new(request, settings) end
  return shared.template
end

return template
