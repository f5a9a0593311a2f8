--- What one file of Lua says: what it requires, and which functions it has.
--
-- A require is read in each form that the code base has:
--   require "ofox.x"    require("ofox.x")    try(require, "ofox.x")    reserve.require "ofox.x"
--   for _, name in ipairs { "x", "y" } do require("ofox." .. name) end
--   require("ofox.x." .. name), require(name), require(row[1]): each string of
--   the file that completes the name of a module
-- Whether it runs at once or in a function makes no difference.
local tokens = require "tokens"

local lua_file = {}

local function is(token, kind, text)
  return token ~= nil and token.kind == kind and (text == nil or token.text == text)
end

-- The strings of the list that 'name' runs through in a for around 'at', or
-- nil: for _, name in ipairs { ... } do
local function strings_of_loop(code, at, name)
  for i = at, 4, -1 do
    if is(code[i], "name", "ipairs") and is(code[i - 1], "name", "in") and is(code[i - 2], "name", name) then
      local list = {}
      while code[i] and not is(code[i], "sign", "}") do
        if code[i].kind == "string" then list[#list + 1] = code[i].text end
        i = i + 1
      end
      return list
    end
  end
end

-- The strings of a file but those that a require says itself.
local function loose_strings(code)
  local list = {}
  for at, token in ipairs(code) do
    local before = code[at - 1]
    if is(before, "sign", "(") or is(before, "sign", ",") then before = code[at - 2] end
    if token.kind == "string" and not is(before, "name", "require") then list[#list + 1] = token.text end
  end
  return list
end

-- Those modules that exist and whose names are 'prefix' and one of 'endings'.
local function completed(prefix, endings, is_module)
  local list, seen = {}, {}
  for _, ending in ipairs(endings) do
    local name = prefix .. ending
    if is_module(name) and not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  return list
end

-- What the require at 'at' asks for: a list of names, empty if that cannot be
-- read.
local function names_asked(code, at, is_module)
  local i = at + 1
  if is(code[i], "sign", "(") or is(code[i], "sign", ",") then i = i + 1 end
  local prefix = ""
  if is(code[i], "string") then
    prefix = code[i].text
    if not is(code[i + 1], "sign", "..") then return { prefix } end
    i = i + 2
  end
  local listed = is(code[i], "name") and strings_of_loop(code, at, code[i].text)
  return completed(prefix, listed or loose_strings(code), is_module)
end

-- A require that is called or handed on, not one that is a field; that of what
-- is kept in reserve is no other.
local function is_require(code, at)
  if not is(code[at], "name", "require") then return false end
  local is_field = is(code[at - 1], "sign", ".") or is(code[at - 1], "sign", ":")
  if is_field and not is(code[at - 2], "name", "reserve") then return false end
  local after = code[at + 1]
  return is(after, "string") or is(after, "sign", "(") or is(after, "sign", ",")
end

local function skip_brackets(code, at)
  while is(code[at], "sign", "(") or is(code[at], "sign", ")") or is(code[at], "sign", ",") do at = at + 1 end
  return at
end

-- The halves of C that the loader is asked for right after the token at 'at':
-- loader "core", loader("core"), try(loader, "core"), loader(name) in a loop.
local function halves_after(code, at)
  local i = skip_brackets(code, at + 1)
  if is(code[i], "string") then return { code[i].text } end
  return is(code[i], "name") and strings_of_loop(code, at, code[i].text) or {}
end

-- The same from a require of the loader on, also where it got a name first.
local function note_halves(file, code, at)
  local name_at = skip_brackets(code, at + 1)
  for _, half in ipairs(halves_after(code, name_at)) do file.halves[half] = true end
  local alias = is(code[at - 1], "sign", "=") and is(code[at - 2], "name") and code[at - 2].text
  for i = name_at + 1, #code do
    if alias and is(code[i], "name", alias) then
      for _, half in ipairs(halves_after(code, i)) do file.halves[half] = true end
    end
  end
end

local function read_requires(file, code, is_module, loader)
  for at = 1, #code do
    if is_require(code, at) then
      local names = names_asked(code, at, is_module)
      if #names == 0 then file.unread[#file.unread + 1] = code[at] end
      for _, name in ipairs(names) do
        file.requires[#file.requires + 1] = { name = name, line = code[at].line }
        if name == loader then note_halves(file, code, at) end
      end
    end
  end
end

-- 'while' and 'for' end with the 'end' of their 'do'.
local OPENS = { ["function"] = "end", ["do"] = "end", ["if"] = "end", ["repeat"] = "until" }

local function function_name(code, at)
  local name = ""
  while is(code[at + 1], "name") or is(code[at + 1], "sign", ".") or is(code[at + 1], "sign", ":") do
    at = at + 1
    name = name .. code[at].text
  end
  return name ~= "" and name or "a function without a name"
end

local function read_functions(file, code)
  local open = {}
  for at, token in ipairs(code) do
    local word = token.kind == "name" and token.text
    local is_field = is(code[at - 1], "sign", ".") or is(code[at - 1], "sign", ":")
    if word and OPENS[word] and not is_field then
      open[#open + 1] = { word = word, at = at, line = token.line }
    elseif (word == "end" or word == "until") and not is_field then
      local block = table.remove(open)
      if block and block.word == "function" then
        file.functions[#file.functions + 1] =
          { name = function_name(code, block.at), line = block.line, last = token.line }
      end
    end
  end
end

--- Reads a file. 'is_module' tells of a name whether it is one of our modules;
-- 'loader' is the module that gives the C halves.
---@return table  {tokens, code, requires, unread, halves, functions}
function lua_file.read(text, is_module, loader)
  local all = tokens.lua(text)
  local file = { tokens = all, code = tokens.code(all), requires = {}, unread = {}, halves = {}, functions = {} }
  read_requires(file, file.code, is_module, loader)
  read_functions(file, file.code)
  return file
end

return lua_file
