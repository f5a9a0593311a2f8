--- The checks behind the rows of ofox.options. A check takes (value, scope)
-- and returns a problem in words, or nil and the value as it is kept, which
-- does not change any more. No text made here shows what may be a secret.
-- A problem that begins with "." or "[" says where in the value it is.
require "ofox.base.uncompiled" ()
local odd = require "ofox.base.character"
local describe = require "ofox.base.describe"
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

local check = {}

local expected, expected_type = describe.expected, describe.expected_type

local HUGE = math.huge

-- Patterns that mean the same in every locale; %c, %s and %w do not.
local CONTROL = "[%z\1-\31\127]"
local BLANK = "[%z\1-\32\127]"
local TOKEN = "^[A-Za-z0-9!#$%%&'*+%-.^_`|~]+$" -- RFC 9110, 5.6.2

check.TOKEN = TOKEN
check.BLANK = BLANK

-- math.huge is "no limit".
function check.seconds(value)
  if type(value) == "number" and value > 0 then return nil, value end
  return expected("a number of seconds > 0", value)
end

function check.integer(low, high, what)
  return function(value)
    if type(value) == "number" and value >= low and value <= high and value % 1 == 0 then
      return nil, math.floor(value)
    end
    return expected(what, value)
  end
end

check.bytes = check.integer(1, 2 ^ 53, "a number of bytes, an integer from 1 on")

-- A finite number as it is written in a header or a URL, else nil.
local function number_text(value)
  if value ~= value or value == HUGE or value == -HUGE then return nil end
  local plain = tostring(value)
  if plain:find("^%-?%d+$") then return plain end
  if value % 1 == 0 and math.abs(value) < 1e16 then return ("%.0f"):format(value) end
  return (("%.14g"):format(value):gsub(",", "."))
end

function check.boolean(value)
  if type(value) ~= "boolean" then return expected("true or false", value) end
  return nil, value
end

function check.one_of(...)
  local words, known = { ... }, {}
  for i, word in ipairs(words) do
    known[word] = true
    words[i] = '"' .. word .. '"'
  end
  local last = table.remove(words)
  local what = table.concat(words, ", ") .. " or " .. last
  return function(value)
    if type(value) ~= "string" or not known[value] then return expected(what, value) end
    return nil, value
  end
end

local function callable(value)
  if type(value) == "function" then return true end
  local meta = getmetatable(value)
  return type(meta) == "table" and type(meta.__call) == "function"
end

function check.hook(value)
  if value == false or callable(value) then return nil, value end
  return expected("a function, or false for none", value)
end

-- Text that a C library takes as a string: not empty, no control characters.
local function text(what)
  return function(value)
    if type(value) ~= "string" then return expected_type(what, value) end
    if value == "" then return ("expected %s, got an empty string"):format(what) end
    if value:find(CONTROL) then return "contains a control character" end
    return nil, value
  end
end

check.path = text "a path"

local SOCKET_PATH_MAX = 103 -- bytes; what all systems take

function check.socket(value)
  local problem = check.path(value)
  if problem then return problem end
  if #value > SOCKET_PATH_MAX then
    return ("expected a path of at most %d bytes, got %d"):format(SOCKET_PATH_MAX, #value)
  end
  return nil, value
end

--- A key as it can be sent: what is wrong is said without it.
---@param value any
---@return string|nil problem
---@return string|nil key
function check.key(value)
  if type(value) ~= "string" then return expected_type("a string", value) end
  if value == "" then return "expected a key, got an empty string" end
  if value:find("^[ \t\r\n]") or value:find("[ \t\r\n]$") then
    return "begins or ends with white space (a line end read from a file?)"
  end
  local character, place = odd.find(value, "[^\33-\126]")
  if character then return ("contains a character that no key has: %s at character %d"):format(character, place) end
  return nil, value
end

function check.api_key(value)
  if value == false or type(value) == "function" then return nil, value end
  if type(value) ~= "string" then
    return expected_type("a string, a function or false", value)
  end
  return check.key(value)
end

--- Takes a URL apart as far as it must be right; never shows what is in it.
function check.base_url(value)
  if type(value) ~= "string" then return expected_type("a URL", value) end
  if value:find(BLANK) then return "contains white space or a control character" end
  local scheme, rest = value:match("^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$")
  scheme = scheme and scheme:lower()
  if scheme ~= "http" and scheme ~= "https" then
    return "expected a URL that begins with https:// or http://"
  end
  if rest:find("[?#]") then
    return "expected a URL without query or fragment (a query goes into the option query)"
  end
  local authority, tail = rest:match("^([^/]*)(.*)$")
  local host = authority:match("([^@]*)$")
  local name, port = host:match("^(%[[%x:.][%w:.%%_-]*%])(.*)$")
  if not name then name, port = host:match("^([^:%[%]%%]*)(.*)$") end
  if name == "" then return "expected a URL with a host name" end
  if name:find("[!$&'()*+,;=]") then return "contains a character that no host name has" end
  if authority:find("%%[01]%x") or authority:find("%%7[fF]") then return "contains a control character" end
  if value:find('["\\<>^`{|}]') then return "contains a character that no URL has" end
  local number = port:match("^:(%d%d?%d?%d?%d?)$")
  if port ~= "" and not (number and tonumber(number) >= 1 and tonumber(number) <= 65535) then
    return "expected nothing but a port from 1 to 65535 after the host name"
  end
  return nil, scheme .. "://" .. authority .. (tail:gsub("/+$", ""))
end

local PROXY_SCHEMES = {
  http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true,
}

function check.proxy(value)
  if value == false then return nil, value end
  if type(value) ~= "string" then return expected_type("a URL, or false for none", value) end
  if value == "" then return "expected a URL, or false for none, got an empty string" end
  if value:find(BLANK) then return "contains white space or a control character" end
  local scheme, rest = value:match("^(.-)://(.*)$")
  if scheme and not PROXY_SCHEMES[scheme:lower()] then
    return "expected a URL of http, https, socks4, socks4a, socks5 or socks5h"
  end
  -- libcurl shows what it cannot take apart, or goes without a proxy
  if not (rest or value):find("^[^/?#\\]+/?$") then
    return "expected a host name after the password: /, ?, # and \\ in a password must be percent-encoded"
  end
  if value:find("%%[01]%x") or value:find("%%7[fF]") then return "contains a control character" end
  return nil, value
end

-- What ofox or the transport sets itself: a second word on the length of a
-- body would let one request be read as two.
local OWN_HEADERS = {
  ["content-length"] = "is set by ofox",
  ["transfer-encoding"] = "is set by ofox",
  ["expect"] = "is never sent",
  ["idempotency-key"] = "is the option idempotency_key of a call",
}

local function header_value(value)
  if value == false or callable(value) then return nil, value end
  if type(value) == "number" then
    local number = number_text(value)
    return not number and expected("a finite number", value) or nil, number
  end
  if type(value) ~= "string" then
    return expected_type("a string, a number, a function, or false to remove it", value)
  end
  if value:gsub("\t", ""):find(CONTROL) then
    return "contains a line break or another control character"
  end
  return nil, value:match("^[ \t]*(.-)[ \t]*$")
end

--- What a function has given for a header of one attempt.
---@param value any  nil and false: it is not sent
---@return string|nil problem
---@return string|false|nil text
function check.given_header(value)
  if value == nil then return nil, nil end
  if value ~= false and type(value) ~= "string" and type(value) ~= "number" then
    return expected_type("a string, a number, or nil for none", value)
  end
  return header_value(value)
end

--- Checks a table of headers.
---@param value any
---@return string|nil problem
---@return table<string, string|function|false>|nil headers  by lower-case name
function check.headers(value)
  if type(value) ~= "table" then return expected_type("a table of names and values", value) end
  local out = {}
  for name, field in pairs(value) do
    if type(name) ~= "string" then
      return "expected names and values, as in { [\"x-name\"] = \"value\" }, got a list"
    end
    if not name:find(TOKEN) then return "a name is no HTTP header name" end
    local key = name:lower()
    if OWN_HEADERS[key] then return "." .. key .. ": " .. OWN_HEADERS[key] end
    if out[key] ~= nil then return "." .. key .. ": is given twice" end
    local problem, kept = header_value(field)
    if problem then return "." .. key .. ": " .. problem end
    out[key] = kept
  end
  return nil, out
end

local function query_value(value)
  local kind = type(value)
  if kind == "string" or kind == "boolean" then return tostring(value) end
  return kind == "number" and number_text(value) or nil
end

-- Each value as a list of strings, or nil.
local function query_list(field)
  if type(field) ~= "table" then
    local value = query_value(field)
    return value and { value }
  end
  local list = {}
  for i = 1, #field do
    list[i] = query_value(field[i])
    if not list[i] then return nil end
  end
  return (#list > 0 or next(field) == nil) and list or nil
end

--- Checks a table of query parameters. Values are strings, numbers, booleans
-- or lists of them.
---@param value any
---@return string|nil problem
---@return table<string, string[]>|nil query
function check.query(value)
  if type(value) ~= "table" then return expected_type("a table of names and values", value) end
  local out = {}
  for name, field in pairs(value) do
    if type(name) ~= "string" or name == "" then
      return "expected names and values, as in { name = \"value\" }, got a list"
    end
    out[name] = query_list(field)
    if not out[name] then
      return (name:find("^[A-Za-z_][A-Za-z0-9_-]*$") and "." .. name .. ": " or "")
        .. "expected a string, a finite number, a boolean or a list of them"
    end
  end
  return nil, out
end

function check.fallback(value)
  if type(value) ~= "table" then return expected("a list of model ids", value) end
  local out = {}
  for i = 1, #value do
    if type(value[i]) ~= "string" or value[i] == "" then
      return ("[%d]: %s"):format(i, expected("a model id", value[i]))
    end
    out[i] = value[i]
  end
  for key in pairs(value) do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 or key > #out then
      return "expected a list of model ids, got a table with other keys"
    end
  end
  return nil, out
end

--- The fields of a policy.
check.POLICY = { "base", "factor", "max_delay", "max_server_delay", "jitter", "statuses", "seed" }

--- What the core said of a policy, with the name that an unknown field may have
-- meant.
---@param problem string
---@param names string[]  those that it could have
---@return string
function check.policy_problem(problem, names)
  local name = problem:match("^retry%.(.*): unknown field$")
  if not name then return problem end
  return describe.place("retry", describe.unknown(name, names, "field"))
end

-- The policy is read by the same C code that will use it.
function check.retry(value)
  if type(value) ~= "string" and type(value) ~= "table" then
    return expected("the name of a policy or a table", value)
  end
  local kept = value
  if type(value) == "table" then
    kept = {}
    for key, field in pairs(value) do kept[key] = field end
    if type(kept.statuses) == "table" then
      local statuses = {}
      for key, status in pairs(kept.statuses) do statuses[key] = status end
      kept.statuses = statuses
    end
  end
  local core = require "ofox.base.native" "core"
  local ok, message = try(core.retry_delay, kept, 0, { u = 0 })
  if ok then return nil, kept end
  message = check.policy_problem(tostring(message), check.POLICY)
  return (message:gsub("^retry(.-: )", "%1"):gsub("^: ", ""))
end

function check.idempotency_key(value, scope)
  if value == false then return nil, value end
  if scope == "client" then
    return "expected false (a key is given per call)"
  end
  if type(value) ~= "string" then return expected_type("a string, or false for none", value) end
  if value == "" or #value > 255 or value:find("[^\33-\126]") then
    return "expected 1 to 255 printable ASCII characters without blanks"
  end
  return nil, value
end

function check.cancel(value)
  if not reserve.require "ofox.task.cancel".is(value) then
    return expected("a token of ofox.cancel_token()", value)
  end
  return nil, value
end

function check.client_cert(value)
  if type(value) == "string" then
    local problem = check.path(value)
    return problem, { cert = value }
  end
  if type(value) ~= "table" then
    return expected_type("a path or a table with cert, key and password", value)
  end
  local out = {}
  for key, field in pairs(value) do
    if key ~= "cert" and key ~= "key" and key ~= "password" then
      return "expected a path or a table with cert, key and password, got another field"
    end
    local problem = text(key == "password" and "a string" or "a path")(field)
    if problem then return "." .. key .. ": " .. problem end
    out[key] = field
  end
  if not out.cert then return ".cert: expected a path, got nil" end
  return nil, out
end

function check.json(value)
  if value == "cjson" then
    local decode = require "ofox.json".cjson()
    if decode then return nil, decode end
    return "lua-cjson was not found (apt install lua-cjson, luarocks install lua-cjson)"
  end
  if callable(value) then return nil, value end
  if type(value) == "table" and callable(value.decode) then return nil, value.decode end
  local forms = "a function that decodes, or a table with one in decode"
  return expected(type(value) == "string" and '"cjson", ' .. forms or forms, value)
end

function check.transport(value)
  if type(value) == "table" or type(value) == "userdata" then
    local ok, able = try(function() return callable(value.start) and callable(value.step) end)
    if ok and able then return nil, value end
  end
  return expected("a transport with the methods start and step", value)
end

return check
