--- Zip files, as LÖVE reads its games from. LuaJIT only.
local bit = require "bit"

local zip = {}

local function crc32(text)
  local crc = -1
  for i = 1, #text do
    crc = bit.bxor(crc, text:byte(i))
    for _ = 1, 8 do
      crc = bit.bxor(bit.rshift(crc, 1), bit.band(0xEDB88320, -bit.band(crc, 1)))
    end
  end
  return bit.bnot(crc) % 2 ^ 32
end

-- Little-endian numbers of two or four bytes, as "24" says.
local function numbers(widths, ...)
  local bytes = {}
  for i = 1, #widths do
    local rest = select(i, ...)
    for _ = 1, tonumber(widths:sub(i, i)) do
      bytes[#bytes + 1] = string.char(rest % 256)
      rest = math.floor(rest / 256)
    end
  end
  return table.concat(bytes)
end

--- A zip file of files that are stored as they are.
---@param files table<string, string>  name -> content
---@return string
function zip.pack(files)
  local parts, directory, size, count = {}, {}, 0, 0
  for name, content in pairs(files) do
    -- version, flags, method, time, date, CRC, sizes, length of the name, extra
    local entry = numbers("22222444" .. "22", 10, 0, 0, 0, 0x21, crc32(content), #content, #content, #name, 0)
    local part = "PK\3\4" .. entry .. name .. content
    directory[#directory + 1] = "PK\1\2" .. numbers("2", 10) .. entry .. numbers("22244", 0, 0, 0, 0, size) .. name
    parts[#parts + 1] = part
    size, count = size + #part, count + 1
  end
  local list = table.concat(directory)
  return table.concat(parts) .. list .. "PK\5\6" .. numbers("2222442", 0, 0, count, count, #list, size, 0)
end

return zip
