--- The URL of a request: base, path, query, and which characters they may contain.
require "ofox.base.uncompiled" ()
local check = require "ofox.request.checks"
local describe = require "ofox.base.describe"

local url = {}

local ID_MAX = 1024 -- bytes of a model id; those of the gateway have fewer than 100
local URL_MAX = 64 * 1024 -- bytes; servers reject far shorter ones

local function percent(c)
  return ("%%%02X"):format(c:byte())
end

--- Escapes an id as part of a path: its slash stays, everything that could end or
-- break the path is percent-encoded.
---@param id any
---@return string|nil escaped
---@return string|nil problem
function url.escape_id(id)
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

--- Builds a URL from base, path and query; the path may contain a query itself.
---@param base string  without a slash at its end
---@param path string
---@param query? table<string, string[]>  as check.query returns it
---@return string
function url.build(base, path, query)
  local names, parts = {}, {}
  for name in pairs(query or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, value in ipairs(query[name]) do
      parts[#parts + 1] = escape_query(name) .. "=" .. escape_query(value)
    end
  end
  local whole = base .. path
  if #parts == 0 then return whole end
  local joint = not path:find("?", 1, true) and "?" or path:find("[?&]$") and "" or "&"
  return whole .. joint .. table.concat(parts, "&")
end

--- Returns the base URL of a protocol that stands beside the one of OpenAI's: its /v1
-- replaced.
---@param base string
---@param folder string
---@return string
function url.beside(base, folder)
  return (base:gsub("/v1$", "")) .. "/" .. folder
end

--- Checks the length of a URL: libcurl would not send one of a megabyte, and servers
-- reject far shorter ones.
---@param text string
---@return string|nil problem
function url.check(text)
  if #text <= URL_MAX then return nil end
  return ("the URL with its query: expected at most %d bytes, got %d"):format(URL_MAX, #text)
end

--- Converts the path that a program has given: below base_url, with invalid URL
-- characters percent-encoded.
---@param path any
---@return string|nil problem
---@return string|nil path
function url.check_path(path)
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

return url
