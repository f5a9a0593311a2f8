--- What a key alone shows. Pure; returns ids of the problems found, never a piece
-- of the key.
local odd = require "ofox.base.character"

local key = {}

-- Keys of other providers, by prefix.
local FOREIGN = { "^sk%-ant%-", "^sk%-proj%-", "^sk%-or%-", "^sk%-svcacct%-", "^AIza", "^gsk_", "^hf_", "^xai%-" }

-- Placeholders used in documentation.
local STAND_INS = { "your", "xxxx", "%*%*%*", "%.%.%.", "\226\128\166", "placeholder", "change[_-]?me", "^<", "^%${?%a",
  "^%%%a[%w_]*%%$" }

local SHORT = 20 -- characters; keys of the gateway have 40 and more

local function is_stand_in(text)
  local lower = text:lower()
  for _, pattern in ipairs(STAND_INS) do
    if lower:find(pattern) then return true end
  end
  return false
end

local function is_foreign(text)
  for _, pattern in ipairs(FOREIGN) do
    if text:find(pattern) then return true end
  end
  return false
end

-- Why it cannot be a key in this form, and the offending character; or nil.
local function fault(text)
  if text:find("^[\"'`].*[\"'`]$") then return "quotes" end
  if text:find("^\226\128[\152-\159]") then return "quotes" end
  if text:find("^[Bb][Ee][Aa][Rr][Ee][Rr]") then return "bearer" end
  if text:find("^[A-Z][A-Z0-9_]*=") or text:find("^export ") then return "assignment" end
  if text:find("[\r\n]") then return "line_end", odd.find(text, "[\r\n]") end
  if text:find("[ \t]") then return "blanks", odd.find(text, "[ \t]") end
  if text:find("[^\33-\126]") then return "odd_bytes", odd.find(text, "[^\33-\126]") end
  if text == "" then return "empty" end
  return nil
end

--- Returns what is suspicious about a key.
---@param raw string  as it was found, white space around it included
---@param elsewhere? boolean  it is for a server that is not OfoxAI's, whose keys
--   may look like anything
---@return {id: string, level: "warn"|"error"}[] problems  id: a row of ofox.doctor.text
function key.judge(raw, elsewhere)
  local text, problems = raw:match("^[ \t\r\n]*(.-)[ \t\r\n]*$"), {}
  local function found(id, level, character, place)
    problems[#problems + 1] = { id = id, level = level, character = character, place = place }
  end
  local wrong, character, place = fault(text)
  if is_stand_in(text) then
    found("stand_in", wrong and "error" or "warn")
  elseif wrong then
    found(wrong, "error", character, place)
  elseif not elsewhere and text:find("^eyJ[%w_-]+%.") then
    found("token", "warn")
  elseif not elsewhere and is_foreign(text) then
    found("foreign", "warn")
  elseif not elsewhere then
    if not text:find("^sk%-") then found("prefix", "warn") end
    if #text < SHORT then found("short", "warn") end
  end
  if text ~= raw then found("around", "warn") end
  return problems
end

return key
