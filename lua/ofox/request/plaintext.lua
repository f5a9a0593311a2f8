--- Keys sent over http://, where they can be read on the way: detects such requests,
-- and warns once. Knows nothing of calls.
local log = require "ofox.base.log"

local plaintext = {}

local MESSAGE = "the key is sent unencrypted over http:// to another machine: use https:// in base_url, "
  .. "or set insecure_http = true if that is intended"

local function is_loopback(host)
  host = host:lower():gsub("%.$", "")
  return host == "localhost" or host:find("%.localhost$") ~= nil or host:find("^127%.[%d.]*%d$") ~= nil
    or host:find("^%[[0:]*:0*1%]$") ~= nil or host:find("^%[::ffff:127%.[%d.]+%]$") ~= nil
end

--- Returns the host that a request is sent to unencrypted.
---@param url string
---@return string|nil host  nil: none, or it is this machine
---@return boolean|nil userinfo  the URL contains a password, which is sent there
function plaintext.host(url)
  local authority = url:match("^[Hh][Tt][Tt][Pp]://([^/?#]*)")
  if not authority then return nil end
  local host = authority:gsub("^.*@", "")
  host = host:match("^%[.*%]") or host:gsub(":%d*$", "")
  if is_loopback(host) then return nil end
  return host, authority:find("@", 1, true) ~= nil
end

-- Hosts already warned about, by logger; each logger is told of its own.
local said = setmetatable({}, { __mode = "k" })

--- Warns about a host, once: the program's logger, else the log.
---@param settings table  'logger'
---@param host string
function plaintext.warn(settings, host)
  local logger = settings.logger
  if logger == false then return end
  local hosts = said[logger or log] or {}
  said[logger or log] = hosts
  if hosts[host] then return end
  hosts[host] = true
  if logger then
    logger("warn", MESSAGE, { host = host })
  else
    log.print("warn", MESSAGE, { host = host })
  end
end

return plaintext
