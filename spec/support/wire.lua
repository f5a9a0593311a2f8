--- Lua values as bytes, between a spec and the scripted server.
-- nil, booleans, numbers, strings of any bytes, and tables of these.
-- A message is `<length>\n` and so many bytes.
local wire = {}

local function put(out, value)
  local kind = type(value)
  if kind == "nil" then
    out[#out + 1] = "0"
  elseif kind == "boolean" then
    out[#out + 1] = value and "T" or "F"
  elseif kind == "number" then
    out[#out + 1] = ("n%.17g;"):format(value)
  elseif kind == "string" then
    out[#out + 1] = ("s%d;"):format(#value)
    out[#out + 1] = value
  elseif kind == "table" then
    out[#out + 1] = "t"
    for key, item in pairs(value) do
      put(out, key)
      put(out, item)
    end
    out[#out + 1] = "e"
  else
    error("a " .. kind .. " cannot be sent to the scripted server", 0)
  end
end

local get

local function get_table(bytes, at)
  local result = {}
  while bytes:sub(at, at) ~= "e" do
    local key
    key, at = get(bytes, at)
    result[key], at = get(bytes, at)
  end
  return result, at + 1
end

function get(bytes, at)
  local kind = bytes:sub(at, at)
  if kind == "t" then return get_table(bytes, at + 1) end
  if kind == "0" then return nil, at + 1 end
  if kind == "T" or kind == "F" then return kind == "T", at + 1 end
  local number, start = bytes:match("^([^;]*);()", at + 1)
  number = tonumber(number)
  if kind == "n" then return number, start end
  return bytes:sub(start, start + number - 1), start + number
end

--- Bytes that are written as hexadecimal digits.
---@param digits string
---@return string
function wire.unhex(digits)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

--- The bytes of one message.
---@param value any
---@return string
function wire.encode(value)
  local out = {}
  put(out, value)
  local body = table.concat(out)
  return #body .. "\n" .. body
end

--- The value of a message's bytes, its length line taken off.
---@param bytes string
---@return any
function wire.decode(bytes)
  return (get(bytes, 1))
end

return wire
