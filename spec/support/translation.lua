--- Does a Chinese text say what the English one says, as far as that can be
-- seen without reading either: names, numbers, tables, programs.
local markdown = require "support.markdown"
local pages = require "support.pages"

local translation = {}

-- Lead bytes of Chinese characters and of their punctuation.
local CHINESE = "[\227-\239]"

-- Where the two stand: links are relative to that.
local ENGLISH, CHINESE_PATH = "README.md", "doc/README.zh-CN.md"

-- Where a link leads, seen from no file; of the READMEs themselves the headings
-- differ.
local function destination(target, from)
  local path, anchor = pages.follow(from, target)
  if path == ENGLISH or path == CHINESE_PATH then path, anchor = "README", anchor and "heading" end
  return (path or target) .. (anchor and "#" .. anchor or "")
end

-- What a section links to.
local function links(section, from)
  local list = {}
  for i, target in ipairs(pages.links { section }) do list[i] = destination(target, from) end
  return list
end

-- A cell with its links as destinations, and these alone.
local function linked(cell, from)
  local list = {}
  cell = cell:gsub("%]%(([^)%s]+)%)", function(target)
    list[#list + 1] = destination(target, from)
    return "](" .. list[#list] .. ")"
  end)
  return cell, list
end

-- What a text states in any language: code, addresses, numbers.
local function facts(text)
  local list = {}
  local function take(fact)
    list[#list + 1] = fact
    return " "
  end
  text = text:gsub("`[^`]+`", take):gsub("https?://[%w./-]+", take):gsub("%]%([^)]*%)", "]")
  for number, stop in text:gmatch("%f[%w.](%d+%.?%d*)()") do
    local unit = text:match("^ [KM]iB", stop) or ""
    take(number:gsub("%.$", "") .. unit)
  end
  return list
end

local function sorted(list)
  table.sort(list)
  return list
end

local function distinct(list)
  local seen, kept = {}, {}
  for _, item in ipairs(list) do
    if not seen[item] then kept[#kept + 1] = item end
    seen[item] = true
  end
  return kept
end

-- A program as pieces: code, string, code, …; without comments, blanks as one.
local function pieces(program)
  local list, code, at = {}, "", 1
  while at <= #program do
    local rest = program:sub(at)
    local comment = rest:match("^%-%-%[(=*)%[")
    comment = comment and rest:match("^.-%]" .. comment .. "%]") or rest:match("^%-%-[^\n]*")
    local quote = rest:match("^[\"']")
    local level = rest:match("^%[(=*)%[")
    if comment then
      at = at + #comment
    elseif quote or level then
      local stop = 2
      if level then
        stop = select(2, assert(rest:find("]" .. level .. "]", 1, true)))
      else
        while rest:sub(stop, stop) ~= quote do stop = stop + (rest:sub(stop, stop) == "\\" and 2 or 1) end
      end
      list[#list + 1], list[#list + 2] = code, rest:sub(1, stop)
      code, at = "", at + stop
    else
      code, at = code .. rest:sub(1, 1), at + 1
    end
  end
  list[#list + 1] = code
  for i = 1, #list, 2 do list[i] = list[i]:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "") end
  return list
end

local function lines(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do
    list[#list + 1] = (" " .. line):gsub("%s+# .*$", ""):gsub("%s+%-%- .*$", "")
  end
  return list
end

local function directives(text)
  local list = {}
  for directive in text:gmatch("%%[%d.]*%a") do list[#list + 1] = directive end
  return list
end

--- Every difference between the two, in words.
---@param english string  Markdown
---@param chinese string  Markdown
---@return string[]
function translation.differences(english, chinese)
  local found = {}
  local here = ""

  local function same(what, a, b)
    local function shown(value) return type(value) == "table" and table.concat(value, " ") or tostring(value) end
    if shown(a) ~= shown(b) then
      found[#found + 1] = ("%s, %s:\n    %s\n    %s"):format(here, what, shown(a), shown(b))
    end
  end

  local function equal_or_chinese(what, a, b)
    if not b:find(CHINESE) then same(what, a, b) end
  end

  local function each(what, a, b, fn)
    same(what .. ", how many", #a, #b)
    for i = 1, math.min(#a, #b) do fn(what .. " " .. i, a[i], b[i], i) end
  end

  local function code(what, a, b)
    same(what .. ", language", a.language, b.language)
    if a.language == "lua" then
      each(what .. ", piece", pieces(a.text), pieces(b.text), function(place, one, other, i)
        if i % 2 == 1 then return same(place, one, other) end
        equal_or_chinese(place, one, other)
        same(place, directives(one), directives(other))
      end)
    else
      each(what .. ", line", lines(a.text), lines(b.text), equal_or_chinese)
    end
  end

  -- One word in a column is always the same word in the other language.
  local function grid(what, a, b)
    local to, from = {}, {}
    each(what .. ", row", a, b, function(row, one, other)
      each(row .. ", cell", one, other, function(cell, left, right, column)
        local to_left, to_right
        left, to_left = linked(left, ENGLISH)
        right, to_right = linked(right, CHINESE_PATH)
        same(cell .. ", links", to_left, to_right)
        equal_or_chinese(cell, left, right)
        if column <= 2 then
          same(cell, facts(left), facts(right))
        else
          same(cell, sorted(facts(left)), sorted(facts(right)))
        end
        to[column], from[column] = to[column] or {}, from[column] or {}
        same(cell, to[column][left] or right, right)
        same(cell, from[column][right] or left, left)
        to[column][left], from[column][right] = right, left
      end)
    end)
  end

  each("section", markdown.parse(english), markdown.parse(chinese), function(what, a, b)
    here = a.title
    same(what .. ", level", a.level, b.level)
    equal_or_chinese(what .. ", title", a.title, b.title)
    same(what .. ", prose", sorted(distinct(facts(a.prose))), sorted(distinct(facts(b.prose))))
    same(what .. ", links", sorted(distinct(links(a, ENGLISH))), sorted(distinct(links(b, CHINESE_PATH))))
    each("code", a.code, b.code, code)
    each("table", a.tables, b.tables, grid)
  end)
  return found
end

return translation
