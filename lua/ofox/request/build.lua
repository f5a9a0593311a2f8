--- Puts requests together: URL, headers, bodies. Pure: knows nothing of
-- keys, of clients or of how a request is sent.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local check = require "ofox.request.checks"
local options = require "ofox.request.options"

local request = {}

local ID_MAX = 1024 -- bytes of a model id; those of the gateway have less than 100
local URL_MAX = 64 * 1024 -- bytes; servers refuse far shorter ones

local function percent(c)
  return ("%%%02X"):format(c:byte())
end

--- An id as part of a path: the slash in it stays, all that could end or
-- break the path is percent-encoded.
---@param id any
---@return string|nil escaped
---@return string|nil problem
function request.escape_id(id)
  if type(id) ~= "string" or id == "" then
    return nil, "expected a model id, got " .. (id == "" and "an empty string" or describe.value(id))
  end
  if #id > ID_MAX then return nil, ("expected a model id of at most %d bytes, got %d"):format(ID_MAX, #id) end
  if ("/" .. id .. "/"):find("/%.%.?/") then return nil, "expected a model id, got a path with dots" end
  return (id:gsub("[^A-Za-z0-9%-._~/:@!$&'()*+,;=]", percent))
end

local function escape_query(text)
  return (text:gsub("[^A-Za-z0-9%-._~]", percent))
end

--- A URL of base, path and query; the path may have a query of its own.
---@param base string  without a slash at its end
---@param path string
---@param query? table<string, string[]>  as options.query gives it
---@return string
function request.url(base, path, query)
  local names, parts = {}, {}
  for name in pairs(query or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, value in ipairs(query[name]) do
      parts[#parts + 1] = escape_query(name) .. "=" .. escape_query(value)
    end
  end
  local url = base .. path
  if #parts == 0 then return url end
  local joint = not path:find("?", 1, true) and "?" or path:find("[?&]$") and "" or "&"
  return url .. joint .. table.concat(parts, "&")
end

--- What is wrong with the length of a URL, or nil: libcurl would send none of
-- a megabyte, and servers none of that by far.
---@param url string
---@return string|nil problem
function request.check_url(url)
  if #url <= URL_MAX then return nil end
  return ("the URL with its query: expected at most %d bytes, got %d"):format(URL_MAX, #url)
end

--- Headers in which a program speaks for itself, best first.
request.AUTH = { "authorization", "x-api-key", "x-goog-api-key", "api-key" }

--- The headers of a request, sorted by name.
---@param defaults table<string, string>
---@param given? table<string, string|function|false>  by lower-case name; false removes
---@return table[] headers  pairs of name and value, which is a string or a function that gives one
---@return boolean own_auth  the program speaks for itself: no key is added
function request.headers(defaults, given)
  local fields = options.overlay(defaults, given)
  local names, list = {}, {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if fields[name] then list[#list + 1] = { name, fields[name] } end
  end
  for _, name in ipairs(request.AUTH) do
    if fields[name] ~= nil then return list, true end
  end
  return list, false
end

-- A shallow copy that encodes like the original, plus fields it lacks.
local function with(original, fields)
  local copy = {}
  for key, value in next, fields do copy[key] = value end
  for key, value in next, original do copy[key] = value end
  local meta = getmetatable(original)
  return type(meta) == "table" and setmetatable(copy, meta) or copy
end

local function encode(value, name)
  local bytes, message = require "ofox.json".encode(value)
  if bytes then return bytes end
  message = tostring(message)
  -- the encoder names the place inside the value: "messages[2].content: …"
  local joint = message:find("^%[") and "" or message:find("^[%a_][%w_]*[.:%[]") and "." or ": "
  return nil, name .. joint .. message
end

-- The models to try in turn: the one asked for, then the others, each once.
local function models_of(params, fallback)
  local model = rawget(params, "model")
  if type(model) ~= "string" then return {} end
  local models, known = { model }, { [model] = true }
  for _, id in ipairs(fallback or {}) do
    if not known[id] then
      known[id] = true
      models[#models + 1] = id
    end
  end
  return models
end

-- What the gateway should fall back to by itself once it is asked for the
-- k-th model.
local function rest_of(models, k)
  local rest = {}
  for i = k + 1, #models do rest[#rest + 1] = models[i] end
  return rest
end

local function with_fallback(params, model, rest)
  local copy = with(params, {})
  if model then copy.model = model end
  local provider = rawget(params, "provider")
  if #rest > 0 then
    if provider == nil then
      copy.provider = { fallback = rest }
    elseif type(provider) == "table" then
      copy.provider = with(provider, { fallback = rest })
    end
  end
  return copy
end

-- A list that is empty and not marked would be written as {}, which no server
-- takes for a list.
local function with_lists(params, lists)
  local marked
  for _, name in ipairs(lists) do
    local value = rawget(params, name)
    if type(value) == "table" and next(value) == nil and getmetatable(value) == nil then
      marked = marked or {}
      marked[name] = require "ofox.json".array {}
    end
  end
  if not marked then return params end
  local copy = with(params, {})
  for name, value in pairs(marked) do copy[name] = value end
  return copy
end

--- Encodes the bodies of a call, all before its first attempt: one for each
-- model that may be asked. What 'params' holds is never changed or doubted.
---@param params table
---@param resource table  'add': fields added where they are absent; 'lists':
--   names of fields that are lists
---@param fallback? string[]  nil where the resource has none
---@return string[]|nil bodies
---@return string[]|string models  one per body, or none; or the problem
function request.bodies(params, resource, fallback)
  if resource.add then params = with(params, resource.add) end
  if resource.lists then params = with_lists(params, resource.lists) end
  local models = models_of(params, fallback)
  local bodies = {}
  for k = 1, math.max(1, #models) do
    local body = params
    if fallback and #fallback > 0 then
      local rest = #models > 0 and rest_of(models, k) or fallback
      body = with_fallback(params, models[k], rest)
    end
    local bytes, problem = encode(body, "params")
    if not bytes then return nil, problem end
    bodies[k] = bytes
  end
  return bodies, models
end

--- Checks the params of a resource as far as ofox has to understand them.
---@param params any
---@param resource table
---@return string|nil problem
function request.check_params(params, resource)
  if type(params) ~= "table" then
    return "params: " .. describe.expected_type("a table", params)
  end
  if rawget(params, 1) ~= nil then return "params: expected named fields, got a list" end
  if rawget(params, "stream") == true and not resource.dialect then
    return "params.stream: only chat and responses can be streamed (for others: client:request)"
  end
  return nil
end

local FIELDS = { "method", "path", "body", "headers", "query", "raw", "stream" }
local BODY_EXPECTED = { POST = true, PUT = true, PATCH = true }

local function check_path(path)
  if type(path) ~= "string" then return "expected a string, got " .. describe.value(path) end
  if path:find("^[A-Za-z][A-Za-z0-9+.-]*:") or path:find("^//") or path:find("^\\") then
    return "expected a path below base_url, got a URL (ofox.new takes base_url)"
  end
  if path:find(check.BLANK) or path:find("[#\\]") then
    return "contains white space, a control character, # or \\, which must be percent-encoded"
  end
  if path:find("^?") or path == "" then return nil, path end
  local plain = path:match("^[^?]*"):gsub("%%2[eE]", ".")
  if ("/" .. plain .. "/"):find("/%.%.?/") then return "contains . or .. as a segment" end
  local escaped = path:gsub("[\"<>^`{|}\127-\255]", percent)
  return nil, (escaped:find("^/") and "" or "/") .. escaped
end

local function check_method(method, has_body)
  if method == nil then return nil, has_body and "POST" or "GET" end
  if type(method) ~= "string" or not method:find(check.TOKEN) then
    return "expected the name of an HTTP method"
  end
  method = method:upper()
  if method == "CONNECT" or method == "TRACE" then return method .. " is not for an API" end
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
  if given.raw and given.stream then return ".raw: a stream is made of events, not of bytes (see ofox.sse)" end
  return nil
end

local function custom_body(body, method)
  if type(body) == "table" then
    local bytes, problem = encode(body, "body")
    return bytes and { bytes }, problem
  end
  if type(body) == "string" then return { body } end
  if body ~= nil then return nil, "body: expected a table or a string, got a " .. type(body) end
  return BODY_EXPECTED[method] and { "" } or nil
end

-- Is the answer wanted as events?
local function wants_stream(given)
  if given.stream ~= nil or given.raw then return given.stream == true end
  return type(given.body) == "table" and rawget(given.body, "stream") == true
end

--- Reads the params of client:request{method, path, body, headers, query, raw,
-- stream}.
---@param given any
---@return table|nil custom  method, path, bodies, headers, query, expect, streams, dialect
---@return string|nil problem
function request.custom(given)
  if type(given) ~= "table" then
    return nil, "params: " .. describe.expected_type("a table", given)
  end
  local problem = check_custom_fields(given)
  if problem then return nil, describe.place("params", problem) end
  local custom = { name = "request", expect = given.raw and "raw" or "any", dialect = "any" }
  custom.streams = wants_stream(given)
  problem, custom.path = check_path(given.path)
  if problem then return nil, "params.path: " .. problem end
  problem, custom.method = check_method(given.method, given.body ~= nil)
  if problem then return nil, "params.method: " .. problem end
  if custom.method == "HEAD" then custom.expect = "raw" end -- it has no body
  for _, name in ipairs { "headers", "query" } do
    if given[name] ~= nil then
      problem, custom[name] = check[name](given[name])
      if problem then return nil, describe.place("params." .. name, problem) end
    end
  end
  custom.bodies, problem = custom_body(given.body, custom.method)
  if problem then return nil, "params." .. problem end
  return custom
end

return request
