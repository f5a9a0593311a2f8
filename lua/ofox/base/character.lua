--- Names a character that should not be in a text.
local odd = {}

-- Characters that are invisible, or look like something else.
local NAMES = { ["\0"] = "a NUL", ["\t"] = "a tab", ["\n"] = "a line break", ["\r"] = "a carriage return",
  [" "] = "a space" }

-- First and last code point of a range, and its name.
local RANGES = {
  { 0xA0, 0xA0, "a no-break space" }, { 0x2000, 0x200A, "a space" }, { 0x200B, 0x200F, "a zero-width character" },
  { 0x2010, 0x2015, "a dash" }, { 0x2018, 0x201F, "a typographic quote" }, { 0x2026, 0x2026, "an ellipsis" },
  { 0x202A, 0x202E, "a zero-width character" }, { 0x2060, 0x2064, "a zero-width character" },
  { 0x3000, 0x3000, "a full-width space" }, { 0xFEFF, 0xFEFF, "a byte order mark" },
  { 0xFF01, 0xFF5E, "a full-width character" },
}

-- The code point of a complete UTF-8 character, else nil.
local function code_point(text)
  local first = text:byte()
  local lead = #text == 2 and 0xC0 or #text == 3 and 0xE0 or 0xF0
  local code = first - lead
  for i = 2, #text do code = code * 64 + text:byte(i) - 0x80 end
  return code
end

--- Returns the name of the first character that a single-byte pattern finds, and
-- its position, counted in characters from 1.
---@param text string
---@param pattern string
---@return string|nil name  nil if there is none
---@return integer|nil place
function odd.find(text, pattern)
  local at = text:find(pattern)
  if not at then return nil end
  local _, inside = text:sub(1, at - 1):gsub("[\128-\191]", "")
  local byte, place = text:sub(at, at), at - inside
  if NAMES[byte] then return NAMES[byte], place end
  if byte:byte() < 128 then return ("the control character %02X"):format(byte:byte()), place end
  local whole = text:match("^[\194-\223][\128-\191]", at) or text:match("^[\224-\239][\128-\191][\128-\191]", at)
    or text:match("^[\240-\244][\128-\191][\128-\191][\128-\191]", at)
  if not whole then return ("the byte %02X"):format(byte:byte()), place end
  local code = code_point(whole)
  for _, range in ipairs(RANGES) do
    if code >= range[1] and code <= range[2] then return ("%s (U+%04X)"):format(range[3], code), place end
  end
  return ("U+%04X"):format(code), place
end

return odd
