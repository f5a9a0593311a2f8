--- The classes of errors, and the parser of error answers. An error is a plain table
-- whose metatable identifies its class; it can be encoded as JSON.
local core = require("ofox.base.native")("core")
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

--- The class tables by name: errors.RateLimitError and so on.
local errors = {}

---@class ofox.Error
---@field type string  "rate_limit_error" and so on, one per class
---@field class string  "RateLimitError" and so on
---@field message string  never empty
---@field retryable boolean  the same request may succeed later
---@field code? string
---@field status? integer  HTTP status as received
---@field param? string
---@field server_type? string  the server's type, if not one of ofox's
---@field retry_after? number  seconds
---@field retry_at? number  seconds since 1970
---@field request_id? string
---@field attempts? integer
---@field elapsed? number  seconds
---@field ratelimit? table
---@field headers? table<string, string>  names in lower case
---@field body? string  at most 64 KiB
---@field ambiguous? boolean  the model may have received (and billed) the request
---@field reason? string  why there was no retry
---@field retries? table[]  the earlier attempts
---@field cause? table
---@field model? string
---@field url? string
---@field partial? table
---@field video? table  of client:wait_video: the job as it was
---@field where? string  the program's own line that made the call, "file.lua:12"

local by_type = {} -- type -> metatable
local class_of_meta = {} -- metatable -> class
local is_class = {} -- class -> true

-- Returns the real metatable of a value, even if it is protected.
local real_metatable = type(debug) == "table" and debug.getmetatable or getmetatable

-- Returns the class of an error, or nil for any other value; runs no code of it.
local function class_of(value)
  if type(value) ~= "table" then return nil end
  local meta = real_metatable(value)
  return meta ~= nil and class_of_meta[meta] or nil
end

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape_byte(c)
  return NAMED[c] or ("\\x%02X"):format(c:byte())
end

-- U+2028 to U+202E and U+2066 to U+2069 break lines or reverse text.
local function escape_mark(c)
  local _, b2, b3 = c:byte(1, 3)
  return ("\\u%04X"):format(0x2000 + (b2 - 0x80) * 64 + (b3 - 0x80))
end

-- Escapes text so that it stays on one line and cannot control a terminal.
local function visible(text)
  return (text:gsub("[%z\1-\31\127]", escape_byte)
    :gsub("\194([\128-\159])", escape_byte)
    :gsub("\226\128[\168-\174]", escape_mark)
    :gsub("\226\129[\166-\169]", escape_mark))
end

local function is_finite(n)
  return type(n) == "number" and n == n and n < math.huge and n > -math.huge
end

-- At most three decimals without trailing zeros, whatever the locale.
local function seconds(n)
  return (("%.3f"):format(n):gsub(",", "."):gsub("%.?0+$", ""))
end

-- Returns "request req_1, 4 attempts, retry after 12s"; "" if nothing is known.
local function remarks(err)
  local list = {}
  if type(err.request_id) == "string" then list[1] = "request " .. visible(err.request_id) end
  if is_finite(err.attempts) and err.attempts > 0 then
    list[#list + 1] = ("%.0f attempt%s"):format(err.attempts, err.attempts == 1 and "" or "s")
  end
  if is_finite(err.retry_after) then list[#list + 1] = "retry after " .. seconds(err.retry_after) .. "s" end
  return table.concat(list, ", ")
end

-- One line: type, status, code if it adds something, message, remarks. Fields that a
-- program has set to values of another type are left out.
local function to_string(err)
  local head = { "ofox:", class_of(err).type }
  if is_finite(err.status) then head[3] = ("%.0f"):format(err.status) end
  if type(err.code) == "string" and err.code ~= head[3] then head[#head + 1] = visible(err.code) end
  local line = table.concat(head, " ")
  if type(err.message) == "string" then line = line .. ": " .. visible(err.message) end
  local more = remarks(err)
  return more == "" and line or line .. " (" .. more .. ")"
end

local LANGUAGES = { en = true, zh = true }

--- Returns what to do about this error, in a sentence or two.
---@param self ofox.Error
---@param lang? "en"|"zh"  "en" if absent
---@return string
local function hint(self, lang)
  local class = class_of(self)
  if not class then error("err:hint: expected an error before the colon", 2) end
  if lang == nil then lang = "en" end
  if not LANGUAGES[lang] then
    local got = type(lang) == "string" and '"' .. visible(lang) .. '"' or "a " .. type(lang)
    error('err:hint: lang: expected "en" or "zh", got ' .. got, 2)
  end
  local row = reserve.require "ofox.hints".find(class.type, self.code, self.status, self.body, self.url)
  local wait = self.retry_after
  if not (row.timed and is_finite(wait) and wait > 0) then return row[lang] end
  local text = seconds(wait)
  if lang == "en" then text = text .. (text == "1" and " second" or " seconds") end
  return (row.timed[lang]:gsub("%%s", text))
end

for _, row in ipairs(core.classes) do
  local class = { name = row.name, type = row.type, retryable = row.retryable, hint = hint }
  local meta = { __index = class, __tostring = to_string, __name = "ofox." .. row.name }
  by_type[row.type] = meta
  class_of_meta[meta] = class
  is_class[class] = true
  errors[row.name] = class
end

--- Turns a table into an error of the class that its type names.
---@param fields table  type and message at least; it becomes the error itself
---@return ofox.Error
function errors.new(fields)
  local meta = type(fields) == "table" and by_type[rawget(fields, "type")]
  if not meta then error("ofox.errors.new: expected a table with the type of a class", 2) end
  fields.class = meta.__index.name
  return setmetatable(fields, meta)
end

-- Level 3 is the caller of errors.is.
local function refuse_class(kind)
  local near = ""
  if type(kind) == "string" then
    local types = {}
    for _, row in ipairs(core.classes) do types[#types + 1] = row.type end
    near = require "ofox.base.describe".nearest(kind, types)
    near = near and "; did you mean " .. near .. "?" or ""
  end
  local got = require "ofox.base.describe".value(kind)
  error("ofox.errors.is: expected a type or a class of ofox.errors, got " .. got .. near, 3)
end

--- Is the value an error of ofox, and of that class? Accepts any value, and calls
-- nothing of it.
---@param value any
---@param ... string|table  a type ("rate_limit_error") or a class table; anything
--   else is misuse, including nil: a misspelt class
---@return boolean
function errors.is(value, ...)
  local class = class_of(value)
  if select("#", ...) == 0 then return class ~= nil end
  local kind = ...
  if not by_type[kind] and not is_class[kind] then refuse_class(kind) end
  return class ~= nil and (class.type == kind or rawequal(class, kind))
end

--- Parses an answer that a program received with another HTTP client.
---@param status integer
---@param headers? table  by name, or a list of {name, value} or of lines
---@param body? string
---@return ofox.Error|nil  nil if the answer is not a failure
function errors.parse(status, headers, body)
  local ok, fields = try(core.parse_error, status, headers, body)
  if not ok then
    if type(fields) ~= "string" then error(fields, 0) end
    local problem = fields:match("^bad argument #%d+ to '[^']*' %((.*)%)$") or fields
    error("ofox.parse_error: " .. problem, 2)
  end
  return fields and errors.new(fields) or nil
end

return errors
