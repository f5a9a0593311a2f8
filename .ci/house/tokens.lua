--- The tokens of C and of Lua: a list of {kind, text, line}, where the kind is
-- name, number, string, comment or sign. A string's text is what it says,
-- escapes left as they are. A token of a C directive has 'directive' = true.
local tokens = {}

-- The end of a quoted text that begins at 'at'.
local function quoted(text, at)
  local quote, stop = text:sub(at, at), at
  repeat
    stop = text:find("[\\\n" .. quote .. "]", stop + 1) or #text
    local escaped = text:sub(stop, stop) == "\\"
    if escaped then stop = stop + 1 end
  until not escaped
  return stop
end

-- The end of a long bracket of Lua that begins at 'at', or nil.
local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  return select(2, text:find("]" .. level .. "]", at, true)) or #text
end

local function line_end(text, at)
  return (text:find("\n", at, true) or #text + 1) - 1
end

-- Each gives the kind, where the token ends, and what it says if that is not
-- simply its text; nil for what is no comment and no string.
local special = {}

function special.c(text, at, first)
  if first == '"' or first == "'" then
    local stop = quoted(text, at)
    return "string", stop, text:sub(at + 1, stop - 1)
  elseif text:find("^/%*", at) then
    return "comment", select(2, text:find("*/", at + 2, true)) or #text
  elseif text:find("^//", at) then
    return "comment", line_end(text, at)
  end
end

function special.lua(text, at, first)
  if first == '"' or first == "'" then
    local stop = quoted(text, at)
    return "string", stop, text:sub(at + 1, stop - 1)
  elseif first == "[" and long_bracket(text, at) then
    local stop = long_bracket(text, at)
    local width = #text:match("^%[=*%[", at)
    return "string", stop, text:sub(at + width, stop - width)
  elseif text:find("^%-%-", at) then
    return "comment", long_bracket(text, at + 2) or line_end(text, at)
  end
end

local function plain(text, at)
  local stop = select(2, text:find("^[%a_][%w_]*", at))
  if stop then return "name", stop end
  stop = select(2, text:find("^%d[%w_.]*", at))
  if stop then return "number", stop end
  return "sign", select(2, text:find("^%.+", at)) or select(2, text:find("^%->", at)) or at
end

local function read(text, look)
  local list, line = {}, 1
  local at = text:find("^#!") and line_end(text, 1) + 1 or 1
  while true do
    local stop = text:find("%S", at)
    if not stop then return list end
    line = line + select(2, text:sub(at, stop - 1):gsub("\n", ""))
    at = stop
    local kind, said
    kind, stop, said = look(text, at, text:sub(at, at))
    if not kind then kind, stop = plain(text, at) end
    local whole = text:sub(at, stop)
    list[#list + 1] = { kind = kind, text = said or whole, line = line }
    if kind == "comment" or kind == "string" then line = line + select(2, whole:gsub("\n", "")) end
    at = stop + 1
  end
end

-- A directive goes from a # that begins a line to the first line that does
-- not end in a backslash.
local function mark_directives(list)
  local last, inside = nil, false
  for _, token in ipairs(list) do
    local is_next_line = not last or last.line < token.line
    if is_next_line and not (last and inside and last.text == "\\") then
      inside = token.text == "#" and token.kind == "sign"
    end
    token.directive = inside or nil
    last = token
  end
end

--- The tokens of a C file.
function tokens.c(text)
  local list = read(text, special.c)
  mark_directives(list)
  return list
end

--- The tokens of a Lua file.
function tokens.lua(text)
  return read(text, special.lua)
end

--- The same without comments.
function tokens.code(list)
  local code = {}
  for _, token in ipairs(list) do
    if token.kind ~= "comment" then code[#code + 1] = token end
  end
  return code
end

return tokens
