--- The headers of a request: those that ofox adds and those that the program sets.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local lua = require "ofox.base.lua"
local options = require "ofox.request.options"

local headers = {}

local USER_AGENT = ("ofox-lua/%s (%s)"):format(core.VERSION, lua.RELEASE)

local DEFAULT_HEADERS = {
  json = { accept = "application/json" },
  raw = { accept = "*/*" },
  events = { accept = "text/event-stream, application/json" },
}
for _, defaults in pairs(DEFAULT_HEADERS) do defaults["user-agent"] = USER_AGENT end

local WITH_BODY = { ["content-type"] = "application/json" }

--- Headers with which a program authenticates itself, best first.
headers.AUTH = { "authorization", "x-api-key", "x-goog-api-key", "api-key" }

--- Returns the headers of a request, sorted by name.
---@param resource table  'streams', 'expect', 'method', 'body', 'form', 'defaults' (headers of its own)
---@param given? table<string, string|function|false>  by lower-case name; false removes
---@return table[] headers  pairs of name and value, which is a string or a function that returns one
---@return boolean own_auth  the program authenticates itself: no key is added
function headers.build(resource, given)
  local kind = resource.expect
  if resource.streams and kind ~= "raw" then kind = "events" end
  local defaults = DEFAULT_HEADERS[kind] or DEFAULT_HEADERS.json
  local has_body = not resource.form and (resource.body or resource.method == "POST")
  if has_body then defaults = options.overlay(defaults, WITH_BODY) end
  local fields = options.overlay(options.overlay(defaults, resource.defaults), given)
  local names, list = {}, {}
  for name in pairs(fields) do
    -- that of a form names its boundary
    if not (resource.form and name == "content-type") then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    if fields[name] then list[#list + 1] = { name, fields[name] } end
  end
  for _, name in ipairs(headers.AUTH) do
    if fields[name] ~= nil then return list, true end
  end
  return list, false
end

--- Formats a header as a line for transports.
---@param name string
---@param value string
---@return string
function headers.line(name, value)
  -- for libcurl "name:" removes a header and "name;" sends an empty one
  return value == "" and name .. ";" or name .. ": " .. value
end

--- Splits headers into lines with known values, and the others.
---@param list table[]  as build returns it
---@param given? table<string, string|function|false>  what the program set
---@return string[] lines
---@return table[]|nil later  {name, function} of headers computed for each attempt
function headers.lines(list, given)
  local lines, later = {}, {}
  for _, header in ipairs(list) do
    if type(header[2]) == "string" then
      lines[#lines + 1] = headers.line(header[1], header[2])
    else
      later[#later + 1] = header
    end
  end
  -- removes the header that the engine would add
  if given and given["accept-encoding"] == false then lines[#lines + 1] = "Accept-Encoding:" end
  return lines, later[1] and later or nil
end

return headers
