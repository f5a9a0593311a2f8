--- An embedding that depends on the text only, as decimals or as base64.
local mime = require "mime"

local DIMENSIONS = { ["openai/text-embedding-3-large"] = 3072, ["bailian/text-embedding-v4"] = 1024 }

--- The vector as JSON: signed powers of two, which both forms hold exactly.
return function(text, params)
  local dimensions = tonumber(params.dimensions) or DIMENSIONS[params.model] or 1536
  local as_base64 = params.encoding_format == "base64"
  local seed, list = 7, {}
  for i = 1, #text do seed = (seed * 31 + text:byte(i)) % 65521 end
  for i = 1, dimensions do
    seed = (seed * 75 + 74) % 65537
    local sign, exponent = seed % 2, seed % 7 + 4
    local biased = 127 - exponent
    list[i] = as_base64 and string.char(0, 0, biased % 2 * 128, sign * 128 + math.floor(biased / 2))
      or ("%s%.10f"):format(sign == 1 and "-" or "", 2 ^ -exponent)
  end
  if as_base64 then return '"' .. mime.b64(table.concat(list)) .. '"' end
  return "[" .. table.concat(list, ",") .. "]"
end
