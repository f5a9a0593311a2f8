--- What all attempts of a call, and all calls of a resource without options of their
-- own, have in common: where they are sent and how, what is secret, and what the
-- program must be asked before an attempt. Created once; the core compiles it. Knows
-- nothing of bodies or attempts.
local account = require "ofox.request.account"
local core = require "ofox.base.native" "core"
local headers = require "ofox.request.headers"
local log = require "ofox.base.log"
local options = require "ofox.request.options"
local plaintext = require "ofox.request.plaintext"
local secrets = require "ofox.request.secrets"

local template = {}

---@class ofox.Template
---@field settings table  all options of the calls
---@field core userdata  makes calls
---@field plan integer  for the engine: templates that send the same the same way share one
---@field method string
---@field url string
---@field shown_url string  without a password
---@field expect string  see src/call/verdict.h
---@field dialect string|nil  of the events, if the answer is a stream
---@field later table[]|nil  {name, function} of headers computed for each attempt
---@field key function|boolean  returns the key of each attempt; true: it never changes; false: none is sent, or there
--   is none
---@field missing boolean  a key is required but there is none
---@field exposed string|nil  a host that a key would be sent to unencrypted
---@field exposes_own boolean|nil  the program's own credentials are sent there in any case
---@field talks boolean  its calls are logged
---@field asks boolean  the program is consulted before each attempt
---@field account userdata|nil  if other processes share it, by a store
---@field account_name string|nil  what they call it
---@field hears boolean  the program is consulted after each failed attempt

-- The host that the program's own credentials are sent to unencrypted; 'exposed' is
-- the one for a key.
local function find_exposed(self, shape)
  local settings = self.settings
  if settings.insecure_http or settings.unix_socket then return end
  local host, speaks = plaintext.host(shape.url)
  for _, name in ipairs(headers.AUTH) do
    for _, header in ipairs(shape.headers) do speaks = speaks or header[1] == name end
  end
  self.exposed, self.exposes_own = host, speaks
end

-- Adds a key that is the same for all attempts; or sets how to get it.
local function add_key(self, shape, fields)
  local key = self.settings.api_key
  if shape.own_auth or shape.expect == "contact" then key = false end
  self.missing = key == nil
  self.key = type(key) == "function" and key or type(key) == "string"
  fields.key = shape.key
  if type(key) ~= "string" then return end
  fields.authorization = (shape.key or "Authorization: Bearer ") .. key
  fields.secrets[#fields.secrets + 1] = key
end

-- The same for the idempotency key; idempotent methods need none.
local function add_idempotency_key(settings, fields)
  local key = settings.idempotency_key
  fields.idempotent = key == false or fields.method == "GET" or fields.method == "HEAD"
  if key and not fields.idempotent then fields.idempotency = "Idempotency-Key: " .. key end
end

-- The options that the engine uses.
local TOLD = { "headers", "query", "proxy", "ca_file", "ca_path", "client_cert", "unix_socket" }

--- Do options of a call change what is sent, or how?
---@param call table
---@return boolean
function template.differs(call)
  for _, name in ipairs(TOLD) do
    if call[name] ~= nil then return true end
  end
  return false
end

-- What the call shares with others: its account, which a store may share further, and
-- when it gets a hedge.
local function add_account(self, shape, fields)
  local settings = self.settings
  if shape.expect == "contact" then return end
  fields.account = account.of(settings, shape.account)
  fields.hedge = settings.hedge and settings.hedge.after
  if not settings.store then return end
  self.account, self.account_name = fields.account, account.name(settings, shape.account)
  settings.store:share(fields.account)
end

--- Creates a template.
---@param shape table  method, url, headers (list of {name, value}; a value may be a function), own_auth (the
--   program authenticates itself), expect, dialect, key (how the line with the key begins), once (see
--   src/call/state.h), stats (counters of the client), account (the client's)
---@param settings table
---@param like? ofox.Template  which sends the same the same way
---@return ofox.Template
function template.new(shape, settings, like)
  local cert = settings.client_cert or {}
  local lines, later = headers.lines(shape.headers, settings.headers)
  local fields = {
    method = shape.method,
    url = shape.url,
    lines = lines,
    expect = shape.expect,
    dialect = shape.dialect,
    secrets = secrets.of_request(shape, settings),
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
    plan = like and like.plan,
    stats = shape.stats,
    once = shape.once,
  }
  local self = {
    settings = settings,
    method = shape.method,
    url = shape.url,
    shown_url = shape.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"),
    expect = shape.expect,
    dialect = shape.dialect,
    later = later,
    talks = log.enabled(settings, "error"),
    store = settings.store or false,
  }
  find_exposed(self, shape)
  add_key(self, shape, fields)
  add_idempotency_key(settings, fields)
  self.asks = later ~= nil or self.key ~= true and self.key ~= false or self.missing or self.exposed ~= nil
    or self.talks
  self.hears = self.talks or settings.on_retry ~= nil or settings.on_wait ~= nil
  add_account(self, shape, fields)
  self.core, self.plan = core.template(fields, settings)
  return self
end

return template
