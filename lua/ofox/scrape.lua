--- ofox.prometheus: what clients have counted, as text for Prometheus.
-- Knows nothing of the format.
local client = require "ofox.client"
local describe = require "ofox.base.describe"
local options = require "ofox.request.options"
local prometheus = require "ofox.prometheus"

-- Host and port of the client's base_url, without a password.
local function host_of(of)
  local authority = options.settings({}, of).base_url:match "^%a[%w+.-]*://([^/?#]*)" or ""
  return (authority:gsub("^.*@", ""))
end

--- Returns what clients have counted, in Prometheus' text format. Where there are
-- several, each has the labels client, its place among the arguments, and host,
-- that of its base_url. Their order must stay the same.
---@param ... ofox.Client
---@return string
return function(...)
  local count, entries = select("#", ...), {}
  for i = 1, math.max(count, 1) do
    local one = select(i, ...)
    local of = client.options(one)
    if not of then
      error(("ofox.prometheus: argument %d: %s"):format(i, describe.expected("a client", one)), 2)
    end
    entries[i] = { stats = one:stats(), labels = count > 1 and { client = i, host = host_of(of) } or nil }
  end
  return prometheus.text(entries)
end
