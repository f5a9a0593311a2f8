--- The checks used by the rows of ofox.options. A check takes (value, scope) and
-- returns a problem in words, or nil and the value in its stored form, which never
-- changes. No text made here shows what may be a secret.
-- Those of tables and objects are in ofox.request.table_checks.
local describe = require "ofox.base.describe"
local reserve = require "ofox.base.reserve"

local check = {}

local expected, expected_type = describe.expected, describe.expected_type

-- Patterns that mean the same in every locale; %c, %s and %w do not.
local CONTROL = "[%z\1-\31\127]"
local BLANK = "[%z\1-\32\127]"
local TOKEN = "^[A-Za-z0-9!#$%%&'*+%-.^_`|~]+$" -- RFC 9110, 5.6.2

local NO_PART_OF_A_KEY = "[^\33-\126]"

check.CONTROL = CONTROL
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

--- Can the value be called?
---@param value any
---@return boolean
function check.callable(value)
  if type(value) == "function" then return true end
  local meta = getmetatable(value)
  return type(meta) == "table" and type(meta.__call) == "function"
end

function check.hook(value)
  if value == false or check.callable(value) then return nil, value end
  return expected("a function, or false for none", value)
end

--- Returns a check of a text that a C library takes as a string: not empty, no
-- control characters.
---@param what string  what is expected
---@return fun(value: any): string|nil, string|nil
function check.text(what)
  return function(value)
    if type(value) ~= "string" then return expected_type(what, value) end
    if value == "" then return ("expected %s, got an empty string"):format(what) end
    if value:find(CONTROL) then return "contains a control character" end
    return nil, value
  end
end

check.path = check.text "a path"

local SOCKET_PATH_MAX = 103 -- bytes; accepted by all systems

function check.socket(value)
  local problem = check.path(value)
  if problem then return problem end
  if #value > SOCKET_PATH_MAX then
    return ("expected a path of at most %d bytes, got %d"):format(SOCKET_PATH_MAX, #value)
  end
  return nil, value
end

--- Checks that a key can be sent; the problem does not show it.
---@param value any
---@return string|nil problem
---@return string|nil key
function check.key(value)
  if type(value) ~= "string" then return expected_type("a string", value) end
  if value == "" then return "expected a key, got an empty string" end
  if value:find("^[ \t\r\n]") or value:find("[ \t\r\n]$") then
    return "begins or ends with white space (a line break read from a file?)"
  end
  if not value:find(NO_PART_OF_A_KEY) then return nil, value end
  local character, place = reserve.require "ofox.base.character".find(value, NO_PART_OF_A_KEY)
  return ("contains a character that no key has: %s at character %d"):format(character, place)
end

function check.api_key(value)
  if value == false or type(value) == "function" then return nil, value end
  if type(value) ~= "string" then
    return expected_type("a string, a function or false", value)
  end
  return check.key(value)
end

--- Parses a URL as far as it must be valid; never shows its contents.
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
  -- libcurl reveals a URL that it cannot parse, or connects without a proxy
  if not (rest or value):find("^[^/?#\\]+/?$") then
    return "expected a host name after the password: /, ?, # and \\ in a password must be percent-encoded"
  end
  if value:find("%%[01]%x") or value:find("%%7[fF]") then return "contains a control character" end
  return nil, value
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

return check
