-- JSON texts by chance, and what another decoder makes of them held against
-- what the core does. All chance comes from a seed. On purpose they differ in
-- this: the core takes bad UTF-8 and lone surrogates as U+FFFD; leaves null
-- members out, so that they take no equal name's value away; has integers; and
-- refuses `1.`, `-.5` and a NUL, which lua-cjson may take.
require "ofox.base.uncompiled" ()
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local chance = require "support.chance"

local json_texts = {}

local Texts = {}
Texts.__index = Texts

-- Pieces of strings, and how a decoder that repairs nothing has to be told the
-- same.
local PIECES = {
  { "a" }, { "of the" }, { " longer than a word of eight bytes" }, { "/" }, { "é" }, { "世界" }, { "😀" }, { "\127" },
  { "\1" },
  { "\31\t" }, { "\\n" }, { "\\\"" }, { "\\\\" }, { "\\/" }, { "\\b\\f\\r\\t" }, { "\\u0041" },
  { "\\u0000" },
  { "\\u00e9" }, { "\\uD83D\\uDE00" }, { "\\ud83d\\ude00" }, { "\\uFFFF" }, { "{\\\"a\\\":[1,null]}" }, { "null" },
  { "]" },
  { "\\ud800", "\\ufffd" }, { "\\uDFFF", "\\ufffd" }, { "\\ud83d\\ud83d\\ude00", "\\ufffd\\ud83d\\ude00" },
  { "\255", "\239\191\189" }, { "\192\128", ("\239\191\189"):rep(2) }, { "\237\160\128", ("\239\191\189"):rep(3) },
  { "\240\159\152_", "\239\191\189_" }, { "\228\189\\n", "\239\191\189\\n" },
  { "\128", "\239\191\189" },
}
local NAMES = { "id", "object", "created", "model", "choices", "system_fingerprint", "index", "delta", "content", "",
  "completion_tokens_details", "rejected_prediction_tokens_details",
  "a name of more than thirty-two bytes, not kept" }
local BLANKS = { "", "", "", "", "", " ", "\n", "\t", " \r\n  " }
local NUMBERS = { "0", "-0", "-0.0", "0e0", "1e400", "-1e400", "1e-400",
  "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
  "18446744073709551615", "18446744073709551616",
  "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308",
  "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740992.5", "9007199254740993.0", "1e23", "8.5e-22",
  "9007199254740993." .. ("0"):rep(900) .. "1", "0." .. ("0"):rep(400) .. "1e400", ("1"):rep(1000), "1e0000000000001",
  "1e99999999999999999999", "-1E-99999999999999999999", "0.1", "0.30000000000000004" }

function Texts:digits(n)
  local list = {}
  for i = 1, n do list[i] = self.pick(10) - 1 end
  return table.concat(list)
end

--- A number, in one of its forms.
---@return string
function Texts:number()
  local pick = self.pick
  if pick(6) == 1 then return NUMBERS[pick(#NUMBERS)] end
  local whole = pick(3) == 1 and "0" or pick(9) .. self:digits(pick(3) == 1 and pick(24) or pick(4) - 1)
  local text = (pick(3) == 1 and "-" or "") .. whole
  if pick(2) == 1 then
    text = text .. "." .. ("0"):rep(pick(4) == 1 and pick(30) or 0)
    text = text .. self:digits(pick(4) == 1 and pick(60) or pick(18))
  end
  if pick(4) == 1 then
    text = text .. (pick(2) == 1 and "e" or "E") .. ({ "", "+", "-" })[pick(3)] .. pick(pick(2) == 1 and 30 or 340)
  end
  return text
end

-- Each of these returns the text, and the text for a decoder that repairs
-- nothing.

function Texts:string()
  local pick, all, clean = self.pick, {}, {}
  for i = 1, pick(6) - 1 do
    local piece = PIECES[pick(#PIECES)]
    local n = pick(30) == 1 and 40 or 1
    all[i], clean[i] = piece[1]:rep(n), (piece[2] or piece[1]):rep(n)
  end
  -- what is broken must not meet what would complete it
  return '"' .. table.concat(all, "_") .. '"', '"' .. table.concat(clean, "_") .. '"'
end

function Texts:array(depth)
  local pick, all, clean = self.pick, {}, {}
  local numbers = pick(5) == 1
  for i = 1, numbers and pick(40) or pick(5) - 1 do
    local blank = BLANKS[pick(#BLANKS)]
    local text, other = self:number(), nil
    if not numbers then text, other = self:value(depth) end
    all[i], clean[i] = blank .. text .. blank, other or text
  end
  return "[" .. table.concat(all, ",") .. "]", "[" .. table.concat(clean, ",") .. "]"
end

function Texts:object(depth)
  local pick, all, clean, seen = self.pick, {}, {}, {}
  for i = 1, pick(8) - 1 do
    local name = '"' .. NAMES[pick(#NAMES)] .. '"'
    local other_name = name
    local text, other = self:value(depth)
    local odd = pick(6) == 1
    if odd then name, other_name = self:string() end
    -- of two equal names the last counts, but not with us if it is null
    if (odd or seen[other_name]) and text == "null" then text, other = "1", "1" end
    seen[other_name] = true
    local blank = BLANKS[pick(#BLANKS)]
    all[i], clean[i] = blank .. name .. blank .. ":" .. blank .. text, other_name .. ":" .. other
  end
  return "{" .. table.concat(all, ",") .. "}", "{" .. table.concat(clean, ",") .. "}"
end

function Texts:value(depth)
  local pick = self.pick
  local kind = pick(depth > 0 and 10 or 6)
  if kind == 1 then return "null", "null" end
  if kind == 2 then return "true", "true" end
  if kind == 3 then return "false", "false" end
  if kind == 4 then
    local text = self:number()
    return text, text
  end
  if kind <= 6 then return self:string() end
  if kind <= 8 then return self:array(depth - 1) end
  return self:object(depth - 1)
end

--- A text of JSON, and the same for a decoder that repairs nothing.
---@return string text
---@return string clean
function Texts:text()
  local text, clean = self:value(self.pick(7) - 1)
  if self.pick(40) == 1 then
    local n = self.pick(1100)
    local open, close = ("["):rep(n), ("]"):rep(n)
    text, clean = open .. text .. close, open .. clean .. close
  end
  local bom = self.pick(20) == 1 and "\239\187\191" or ""
  return bom .. BLANKS[self.pick(#BLANKS)] .. text .. BLANKS[self.pick(#BLANKS)], clean
end

local SPLINTERS = { "{", "}", "[", "]", ",", ":", '"', "\\", "null", "n", "t", "-", ".", "e", "0", "1", "\0", "\1",
  "\255", "\\u", "\\ud800", " ", "\239\187\191", "NaN", "Infinity", "0x1", "'", "/**/", "+1", "\12" }

--- The text with a few changes, or cut.
---@param text string
---@return string
function Texts:mutated(text)
  local pick = self.pick
  if pick(4) == 1 then return text:sub(1, pick(#text + 1) - 1) end
  for _ = 1, pick(3) do
    local at = pick(#text + 1) - 1
    local splinter = pick(2) == 1 and SPLINTERS[pick(#SPLINTERS)] or ""
    text = text:sub(1, at) .. splinter .. text:sub(at + (pick(2) == 1 and 1 or 2))
  end
  return text
end

local function is_integer(number)
  return math.type and math.type(number) == "integer"
end

-- Does 'own' say what 'other' does? Where not, the place.
local function difference(own, other, is_null, place)
  if is_null(other) then return own ~= json.null and place .. ": no null" or nil end
  if type(own) ~= type(other) then return ("%s: %s, not %s"):format(place, type(own), type(other)) end
  if type(own) ~= "table" then
    local same = own == other and (own ~= 0 or is_integer(own) or 1 / own == 1 / other)
      or is_integer(own) and own + 0.0 == other -- which has rounded it
    return not same and ("%s: %s, not %s"):format(place, tostring(own), tostring(other)) or nil
  end
  for key, value in pairs(other) do
    local absent = type(key) == "string" and is_null(value)
    if absent and own[key] ~= nil then return ("%s.%s: a null that is there"):format(place, key) end
    local found = not absent and difference(own[key], value, is_null, place .. "." .. tostring(key))
    if found then return found end
  end
  for key in pairs(own) do
    if other[key] == nil then return ("%s.%s: too much"):format(place, tostring(key)) end
  end
end

-- The C library reads numbers for other decoders, and needs no digits on both
-- sides of a point. A NUL may be an end to them.
local function is_taken_by_others(text)
  return text:find("%.%D") or text:find("%.$") or text:find("%D%.") or text:find("\0", 1, true)
end

--- Holds the decoder against another one.
---@param text string
---@param clean string|nil  the same for that decoder; nil: the text may be broken
---@param other {decode: fun(text: string): any, is_null: fun(value: any): boolean, lenient?: boolean}
---@return string|nil problem
function json_texts.problem(text, clean, other)
  local own, message = json.decode(text)
  local valid, _, _, expected = core.json_check(text)
  if (own ~= nil) ~= (valid == true) then return "the check says otherwise" end
  if message ~= expected then return "another message: " .. tostring(message) end
  local piece, rough = json.decode_piece(text)
  if (piece ~= nil) ~= (own ~= nil) then return "not so as a piece" end
  if own == nil then
    local ok = not other.lenient and pcall(other.decode, text)
    return ok and not is_taken_by_others(text) and "the other decoder takes it" or nil
  end
  local bytes, why = json.encode(own)
  if not bytes and not why:find "infinity" then return "does not encode: " .. why end
  if bytes and json.encode(json.decode(bytes)) ~= bytes then return "does not come back" end
  if not clean then
    if rough or text:find("^\239\187\191") then return nil end
    clean = text
  end
  local ok, value = pcall(other.decode, clean)
  if not ok then return "the other decoder refuses it: " .. tostring(value) end
  return difference(own, value, other.is_null, "value")
end

--- Texts from a seed.
---@param seed integer  not 0
function json_texts.new(seed)
  chance.seed(seed)
  return setmetatable({ pick = chance.random }, Texts)
end

--- Makes so many texts, each of them whole and broken in several ways.
---@param rounds integer
---@param seed integer
---@param other table  as of problem
---@return string|nil problem  with the text
function json_texts.run(rounds, seed, other)
  local texts = json_texts.new(seed)
  for _ = 1, rounds do
    local text, clean = texts:text()
    local problem = json_texts.problem(text, clean, other)
    for _ = 1, 6 do
      if problem then return problem .. ": " .. text end
      text = texts:mutated(text)
      problem = json_texts.problem(text, nil, other)
    end
    if problem then return problem .. ": " .. text end
  end
end

return json_texts
