--- Text by columns: how wide it is, where it is cut, and how it breaks into
-- lines between words.
local text = {}

local CHARACTER = "[^\128-\191][\128-\191]*"

-- Those of East Asia and most pictures take two columns.
local function columns_of(character)
  local first, second = character:byte(1, 2)
  local is_wide = first >= 0xF0 or first >= 0xE3 and first <= 0xED or first == 0xEF and second >= 0xBC
  return is_wide and 2 or 1
end

--- How many columns a text takes.
function text.width(words)
  local width = 0
  for character in words:gmatch(CHARACTER) do width = width + columns_of(character) end
  return width
end

--- The beginning of a text that fits into so many columns, and what is left.
function text.cut(words, columns)
  local taken, width = 0, 0
  for character in words:gmatch(CHARACTER) do
    width = width + columns_of(character)
    if width > columns then break end
    taken = taken + #character
  end
  return words:sub(1, taken), words:sub(taken + 1)
end

--- Lines of at most so many columns. Only a word that is wider than a line is cut.
function text.wrap(words, columns)
  local lines, line = {}, ""
  for word in words:gmatch "%S+" do
    local longer = line == "" and word or line .. " " .. word
    if text.width(longer) > columns then
      if line ~= "" then lines[#lines + 1] = line end
      line = word
      while text.width(line) > columns do lines[#lines + 1], line = text.cut(line, columns) end
    else
      line = longer
    end
  end
  if line ~= "" or #lines == 0 then lines[#lines + 1] = line end
  return lines
end

--- A text without control characters, and without what is not in ASCII unless
-- that can be shown.
function text.clean(words, is_utf8)
  words = words:gsub("%c", " "):gsub("\194[\128-\159]", " ")
  return is_utf8 and words or (words:gsub("[\194-\244][\128-\191]+", "?"))
end

return text
