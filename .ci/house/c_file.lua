--- What one file of C says: what it includes, the functions and objects that
-- it defines, and whose names with ofox_ it uses.
--
-- It knows as much C as this code base has: a function is a name, parentheses
-- and braces outside of all others.
local tokens = require "tokens"

local c_file = {}

local NOT_A_USE = { struct = true, union = true, enum = true, ["."] = true, ["->"] = true }
local OPENS = { ["("] = ")", ["["] = "]", ["{"] = "}" }

-- The index of what closes the bracket at 'at'.
local function closing(code, at)
  local open, close = code[at].text, OPENS[code[at].text]
  local depth = 0
  for i = at, #code do
    if code[i].kind == "sign" then
      if code[i].text == open then depth = depth + 1 end
      if code[i].text == close then depth = depth - 1 end
    end
    if depth == 0 then return i end
  end
  return #code
end

local function is_sign(token, text)
  return token ~= nil and token.kind == "sign" and token.text == text
end

local function note_uses(file, code, first, last)
  for i = first, last do
    local token = code[i]
    if token.kind == "name" and token.text:find("^ofox_") and not (code[i - 1] and NOT_A_USE[code[i - 1].text]) then
      file.uses[#file.uses + 1] = token
    end
  end
end

-- Reads one declaration or definition that begins at 'at' and stands outside
-- of all braces; gives the index after it.
local function read_outer(file, code, at)
  local start, is_static, last_name = code[at].line, false, nil
  local i = at
  while code[i] do
    local token = code[i]
    if token.kind == "name" then
      if token.text == "static" then is_static = true end
      last_name = token
    elseif is_sign(token, ";") then
      return i + 1
    elseif is_sign(token, "=") then
      local stop = i
      while code[stop] and not is_sign(code[stop], ";") do
        stop = is_sign(code[stop], "{") and closing(code, stop) + 1 or stop + 1
      end
      file.defines[last_name.text] = { is_static = is_static }
      note_uses(file, code, i + 1, math.min(stop, #code))
      return stop + 1
    elseif is_sign(token, "(") and is_sign(code[closing(code, i) + 1], "{") then
      local body = closing(code, i) + 1
      local stop = closing(code, body)
      file.defines[last_name.text] = { is_static = is_static }
      file.functions[#file.functions + 1] = { name = last_name.text, line = start, last = code[stop].line }
      note_uses(file, code, body, stop)
      return stop + 1
    elseif OPENS[token.text] and token.kind == "sign" then
      i = closing(code, i) -- a type, a bound, parameters of a mere declaration
    end
    i = i + 1
  end
  return i
end

-- In a macro all names but its own are uses.
local function read_directives(file, code)
  for i, token in ipairs(code) do
    if token.directive and token.kind == "name" and token.text:find("^ofox_") and code[i - 1].text ~= "define" then
      note_uses(file, code, i, i)
    end
  end
end

local function read_includes(file, text)
  local number = 0
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local quote, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)')
    if name then file.includes[#file.includes + 1] = { name = name, is_ours = quote == '"', line = number } end
  end
end

--- @return table {tokens, code, includes, functions, defines, uses}
function c_file.read(text)
  local all = tokens.c(text)
  local file = { tokens = all, code = tokens.code(all), includes = {}, functions = {}, defines = {}, uses = {} }
  local outer = {}
  for _, token in ipairs(file.code) do
    if not token.directive then outer[#outer + 1] = token end
  end
  local at = 1
  while outer[at] do at = read_outer(file, outer, at) end
  read_directives(file, file.code)
  read_includes(file, text)
  return file
end

return c_file
