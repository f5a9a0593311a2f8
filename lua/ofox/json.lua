--- JSON for the rest of ofox: the core decodes and encodes it. If the program wants
-- another decoder, the core normalizes its input and its result, because decoders
-- differ.
local core = require "ofox.base.native" "core"
local try = require "ofox.base.try"

local json = {}

--- JSON null inside arrays, and the null to send: the value of `cjson.null`.
json.null = core.null

-- metatable or userdata -> "array", "object", "null", "empty" (an array as
-- long as it is empty); marks.array is the metatable of decoded empty arrays
local marks = core.json_marks
json.marks = marks

local function is_table(value)
  return type(value) == "table"
end

-- OpenResty's lua-cjson has marks of its own: use them, so that a program that
-- encodes an answer with it gets [] again.
local function adopt_cjson(cjson)
  setmetatable(marks, nil)
  if is_table(cjson.array_mt) then
    marks[cjson.array_mt] = "array"
    marks.array = marks.array or cjson.array_mt
  end
  if is_table(cjson.empty_array_mt) then marks[cjson.empty_array_mt] = "empty" end
  if type(cjson.empty_array) == "userdata" then marks[cjson.empty_array] = "empty" end
end

local function adopt_vim()
  local vim = rawget(_G, "vim")
  if not is_table(vim) then return end
  if vim.NIL ~= nil then marks[vim.NIL] = "null" end
  local dict = vim.empty_dict and getmetatable(vim.empty_dict())
  if is_table(dict) then marks[dict] = "object" end
end

-- Looks up an unknown mark. lua-cjson is loaded for the first empty array; until then
-- only modules that the program has loaded can have set one.
local function find_mark(_, key)
  local found, cjson = true, package.loaded.cjson
  if key == "array" and not is_table(cjson) then found, cjson = try(require, "cjson") end
  if found and is_table(cjson) then adopt_cjson(cjson) end
  if key == "array" and not rawget(marks, key) then marks.array = core.array_mt end
  return rawget(marks, key)
end

marks.array = nil
setmetatable(marks, { __index = find_mark })
adopt_vim()

--- Returns a decoder: a private instance of lua-cjson, which other code does not
-- configure. Unlike the core it accepts numbers without digits on one side of the
-- point, and lets a null remove the value of an equal name, if one of them has an
-- escape.
---@return (fun(text: string): any)|nil decode  nil if lua-cjson is not installed
function json.cjson()
  local found, cjson = try(require, "cjson")
  if not found or not is_table(cjson) or not cjson.new then return nil end
  local function new()
    local own = cjson.new()
    own.decode_max_depth(1000)
    own.decode_invalid_numbers(false)
    return own.decode
  end
  local decode = new()
  return function(text)
    local ok, value = try(decode, text)
    if ok then return value end
    -- it reads the locale's decimal point when an instance is created
    decode = new()
    return decode(text)
  end
end

--- Decodes one JSON text. Null members of objects are absent, nulls in arrays
-- are json.null, empty arrays encode as [] again, whole numbers are integers
-- where Lua has them, lone surrogates and bad UTF-8 become U+FFFD.
---@param text string
---@param decoder? function|table  a decode function or a table that has one in `decode`
---@return any value  nil if the text cannot be decoded; json.null if it is null
---@return string|nil message  never contains a piece of the text that breaks the grammar
function json.decode(text, decoder)
  if type(text) ~= "string" then error("expected JSON as a string, got " .. type(text), 2) end
  if not decoder then return core.decode(text) end
  local value, message = core.decode_by(text, is_table(decoder) and decoder.decode or decoder)
  if value ~= nil then return value end
  local valid, _, _, problem = core.json_check(text)
  if not valid then return nil, problem end
  if not message and text:find("^%s*null%s*$") then return json.null end
  return nil, message or "the decoder failed"
end

--- Decodes JSON whose strings are pieces of longer ones: halves of characters stay
-- in them, for json.join to combine. A decoder that rejects them gets the text as
-- json.decode would pass it.
---@param text string
---@param decoder? function|table
---@return any value  as json.decode returns it
---@return string|boolean|nil rough  true if it may contain halves; a message if there is no value
function json.decode_piece(text, decoder)
  if not decoder then return core.decode(text, true) end
  local value, rough = core.decode_by(text, is_table(decoder) and decoder.decode or decoder, true)
  if value == nil then return json.decode(text, decoder) end
  return value, rough
end

--- Returns text that was joined from pieces as valid UTF-8: remaining halves of
-- characters become U+FFFD.
---@param text string
---@return string
json.join = core.json_join

--- Encodes a value. Numbers keep their digits; an empty table is {} unless marked;
-- tables are read raw and never changed.
---@param value any
---@return string|nil bytes
---@return string|nil message  what cannot be encoded, after the path to it
json.encode = core.encode

-- The same for request bodies: lists that the API knows by name are encoded as []
-- even if they are empty.
json.encode_request = core.encode_request

local function mark(name, metatable, value)
  if value == nil then value = {} end
  if not is_table(value) then
    error(("ofox.%s: expected a table, got %s"):format(name, require "ofox.base.describe".value(value)), 3)
  end
  return setmetatable(value, metatable)
end

--- Marks a table as an array; needed for empty ones.
---@generic T: table
---@param value? T  a new table if absent
---@return T value  the same table
function json.array(value)
  return (mark("array", marks.array, value)) -- no tail call, which would change the error level
end

--- Marks a list of ofox itself, without loading lua-cjson.
---@generic T: table
---@param value T
---@return T value  the same table
function json.list(value)
  local known = is_table(package.loaded.cjson) or rawget(marks, "array")
  return setmetatable(value, known and marks.array or core.array_mt)
end

--- Marks a table as an object: its numeric keys are encoded as names.
---@generic T: table
---@param value? T  a new table if absent
---@return T value  the same table
function json.object(value)
  return (mark("object", core.object_mt, value))
end

return json
