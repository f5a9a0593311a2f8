--- The params of client:request: any method, path and body.
require "ofox.base.uncompiled" ()
local body = require "ofox.request.body"
local check = require "ofox.request.checks"
local describe = require "ofox.base.describe"
local json = require "ofox.json"
local options = require "ofox.request.options"
local reserve = require "ofox.base.reserve"
local table_checks = require "ofox.request.table_checks"
local url = require "ofox.request.url"

local FIELDS = { "method", "path", "body", "headers", "query", "raw", "stream" }
local BODY_EXPECTED = { POST = true, PUT = true, PATCH = true }

local function check_method(method, has_body)
  if method == nil then return nil, has_body and "POST" or "GET" end
  if type(method) ~= "string" or not method:find(check.TOKEN) then
    return "expected the name of an HTTP method"
  end
  method = method:upper()
  if method == "CONNECT" or method == "TRACE" then return method .. " is not supported" end
  return nil, method
end

local function check_custom_fields(given)
  local known = {}
  for _, name in ipairs(FIELDS) do known[name] = true end
  for name in pairs(given) do
    if not known[name] then
      for _, row in ipairs(options.rows) do
        if row.name == name and row.scope == "client" then return "." .. name .. ": is an option of ofox.new" end
        if row.name == name then
          return (".%s: is an option: client:request(params, {%s = …})"):format(name, name)
        end
      end
      return describe.unknown(name, FIELDS, "field")
    end
  end
  for _, name in ipairs { "raw", "stream" } do
    if given[name] ~= nil and type(given[name]) ~= "boolean" then
      return (".%s: expected true or false, got %s"):format(name, describe.value(given[name]))
    end
  end
  return nil
end

local function read_body(value, method)
  if type(value) == "table" then
    local bytes, message = json.encode_request(value)
    if bytes then return bytes end
    local form = reserve.require "ofox.request.form" -- JSON cannot hold files
    if not form.has_file(value) then return nil, body.problem(message, "body") end
    local file = reserve.require "ofox.request.file"
    if file.known(value) then return nil, "body: " .. file.misplaced() end
    local parts, problem = form.parts(value, "body")
    return nil, problem, parts
  end
  if type(value) == "string" then return value end
  if value ~= nil then return nil, "body: expected a table or a string, got a " .. type(value) end
  return BODY_EXPECTED[method] and "" or nil
end

-- Is the answer requested as events?
local function wants_stream(given)
  if given.stream ~= nil or given.raw then return given.stream == true end
  return type(given.body) == "table" and rawget(given.body, "stream") == true
end

--- Checks the params of client:request{method, path, body, headers, query, raw,
-- stream}.
---@param given any
---@return table|nil custom  method, path, body, headers, query, expect, streams, dialect,
--   form (its parts, instead of a body)
---@return string|nil problem
return function(given)
  if type(given) ~= "table" then
    return nil, "params: " .. describe.expected_type("a table", given)
  end
  local problem = check_custom_fields(given)
  if problem then return nil, describe.place("params", problem) end
  local custom = { name = "request", expect = given.raw and "raw" or "any", dialect = "any" }
  custom.streams = wants_stream(given)
  problem, custom.path = url.check_path(given.path)
  if problem then return nil, "params.path: " .. problem end
  problem, custom.method = check_method(given.method, given.body ~= nil)
  if problem then return nil, "params.method: " .. problem end
  if custom.method == "HEAD" then custom.expect = "raw" end -- it has no body
  for _, name in ipairs { "headers", "query" } do
    if given[name] ~= nil then
      problem, custom[name] = table_checks[name](given[name])
      if problem then return nil, describe.place("params." .. name, problem) end
    end
  end
  custom.body, problem, custom.form = read_body(given.body, custom.method)
  if problem then return nil, "params." .. problem end
  return custom
end

