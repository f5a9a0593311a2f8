--- Texts drawn at random, and JSON as servers cut it: anywhere between the bytes of
-- a character and between the escapes of its halves.
local chance = require "support.chance"
local json = require "ofox.json"
local ofox = require "ofox"

local random_json = {}

local random, percent, pick = chance.random, chance.percent, chance.pick

--- A table with this key is written as the text that it holds.
random_json.RAW = {}
local RAW = random_json.RAW

--- JSON as servers write it: unlike ofox's own writer, it writes bytes that are no
-- UTF-8.
local function encode(value)
  if type(value) ~= "table" then return assert(json.encode(value)) end
  if value[RAW] then return value[RAW] end
  local out, list = {}, getmetatable(value) == getmetatable(ofox.array {}) or value[1] ~= nil
  if list then
    for i = 1, #value do out[i] = encode(value[i]) end
    return "[" .. table.concat(out, ",") .. "]"
  end
  for name, member in pairs(value) do out[#out + 1] = assert(json.encode(name)) .. ":" .. encode(member) end
  return "{" .. table.concat(out, ",") .. "}"
end
random_json.encode = encode

local CHARACTERS = { "a", "b", " ", '"', "\\", "\n", "é", "世", "😀", "𝒳", "\127", "/", "{", "}", "1" }

--- A text of at most so many characters, perhaps of none.
function random_json.text_of(most)
  local out = {}
  for i = 1, random(most) do out[i] = pick(CHARACTERS) end
  return table.concat(out)
end

-- What stands between the quotes, one string for each place where it may be cut.
local function units_of(text, whole)
  local units = {}
  for character in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    if #character == 4 and percent(50) then
      local a, b, c, d = character:byte(1, 4)
      local cp = (a % 8) * 262144 + (b % 64) * 4096 + (c % 64) * 64 + d % 64 - 65536
      local high = ("\\u%04x"):format(0xD800 + math.floor(cp / 1024))
      local low = ("\\u%04x"):format(0xDC00 + cp % 1024)
      if whole then
        units[#units + 1] = high .. low
      else
        units[#units + 1], units[#units + 2] = high, low
      end
    elseif #character > 1 and not whole then
      for byte in character:gmatch "." do units[#units + 1] = byte end
    else
      units[#units + 1] = json.encode(character):sub(2, -2)
    end
  end
  return units
end

--- Pieces of a text, as JSON. With 'whole' no character is cut.
function random_json.cut(text, whole)
  local pieces, piece = {}, {}
  for _, unit in ipairs(units_of(text, whole)) do
    piece[#piece + 1] = unit
    if percent(30) then pieces[#pieces + 1], piece = table.concat(piece), {} end
    if percent(5) then pieces[#pieces + 1] = "" end
  end
  pieces[#pieces + 1] = table.concat(piece)
  for i, bytes in ipairs(pieces) do pieces[i] = { [RAW] = '"' .. bytes .. '"' } end
  return pieces
end

return random_json
