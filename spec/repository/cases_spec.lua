-- The tags in the names of specs, like the A7 in brackets, and the page that
-- explains them agree: no tag is unknown, and no case is without a spec.
-- test: once: it reads pages and names of specs
local lfs = require "lfs"
local proc = require "support.proc"

local PAGE = "spec/cases.md"

-- The files of specs in a folder and in those below it.
local function spec_files(folder, list)
  list = list or {}
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    local hidden = name:sub(1, 1) == "." -- and so are the folder itself and the one above
    if not hidden and lfs.attributes(path, "mode") == "directory" then
      spec_files(path, list)
    elseif not hidden and name:find("_spec%.lua$") then
      list[#list + 1] = path
    end
  end
  table.sort(list)
  return list
end

-- Behind a long bracket that opens at a position; nil if none does.
local function behind_long(program, from)
  local level = program:match("^%[(=*)%[", from)
  if not level then return nil end
  local _, stop = program:find("]" .. level .. "]", from, true)
  return assert(stop, "a long bracket that is left open") + 1
end

-- The place of the quote that ends a string.
local function closing(program, from)
  local quote, at = program:sub(from, from), from
  repeat
    at = assert(program:find("[\\" .. quote .. "]", at + 1), "a string that is left open")
    local escaped = program:sub(at, at) == "\\"
    if escaped then at = at + 1 end
  until not escaped
  return at
end

-- The strings in quotes of a program in Lua; names of specs are among them.
local function strings(program)
  local list, at = {}, 1
  while true do
    local from = program:find("[-\"'%[]", at)
    if not from then return list end
    if program:find("^%-%-", from) then
      at = behind_long(program, from + 2) or program:find("\n", from, true) or #program + 1
    elseif program:find("^[\"']", from) then
      at = closing(program, from) + 1
      list[#list + 1] = program:sub(from + 1, at - 2)
    else
      at = behind_long(program, from) or from + 1
    end
  end
end

-- The tags of a name: brackets that stand apart, with a letter and a number,
-- or several of these. A number with a point is one at the beginning only,
-- before words: elsewhere it is JSON.
local function tags(name)
  local list = {}
  local padded = " " .. name .. " "
  for from, inner, behind in padded:gmatch("()%[(%u+%d[%w%s,]*)%]()") do
    if padded:find("^[%s%]]", from - 1) and padded:find("^[%s%p]", behind) then
      for word in inner:gmatch("[^%s,]+") do list[#list + 1] = word end
    end
  end
  local first = name:match("^[%[%]%u%d%s]*%[(%d+%.%d+)%] %a")
  list[#list + 1] = first
  return list
end

-- Which files carry a tag, by the tag.
local function carried(programs)
  local files = {}
  for path, program in pairs(programs) do
    for _, name in ipairs(strings(program)) do
      for _, tag in ipairs(tags(name)) do
        files[tag] = files[tag] or {}
        files[tag][path] = true
      end
    end
  end
  return files
end

-- The kinds of a page, {kind, about, cases}, each case {tag, text}.
local function kinds(page)
  local list, case = {}, nil
  for line in (page .. "\n"):gmatch("([^\n]*)\n") do
    local kind = list[#list]
    local name = line:match("^## (%w+)%. %S")
    local tag, text = line:match("^%- `%[([^%]]+)%]`(.*)$")
    local more = line:match("^  (%S.*)$")
    if name then
      list[#list + 1] = { kind = name, about = "", cases = {} }
    elseif tag and kind then
      case = { tag = tag, text = text }
      kind.cases[#kind.cases + 1] = case
    elseif more and case then
      case.text = case.text .. " " .. more
    elseif kind and #kind.cases == 0 then
      kind.about = kind.about .. line
    elseif line ~= "" and kind then
      error("a line that belongs to no case: " .. line)
    end
  end
  return list
end

-- What is wrong with a page in itself, in its order.
local function disorder(page)
  local list, seen = {}, {}
  for _, kind in ipairs(kinds(page)) do
    if not kind.about:find("%S") then list[#list + 1] = kind.kind .. ": what is it?" end
    for i, case in ipairs(kind.cases) do
      local expected = kind.kind .. i
      if kind.kind:find("^%u+$") and case.tag ~= expected then
        list[#list + 1] = ("%s in the place of %s"):format(case.tag, expected)
      end
      if seen[case.tag] then list[#list + 1] = case.tag .. " twice" end
      seen[case.tag] = true
      if not case.text:find("^ %S") then list[#list + 1] = case.tag .. " without words" end
    end
  end
  return list
end

-- Where a page and programs differ, sorted.
local function differences(page, programs)
  local list, known, files = {}, {}, carried(programs)
  for _, kind in ipairs(kinds(page)) do
    for _, case in ipairs(kind.cases) do
      local reason = case.text:match("No spec:(.*)$")
      known[case.tag] = true
      if reason and files[case.tag] then
        list[#list + 1] = case.tag .. " has a spec, although it says that it has none"
      elseif reason and not reason:find("%a") then
        list[#list + 1] = case.tag .. " has no spec, and does not say why"
      elseif not reason and not files[case.tag] then
        list[#list + 1] = case.tag .. " has no spec"
      end
    end
  end
  for tag, paths in pairs(files) do
    for path in pairs(known[tag] and {} or paths) do
      list[#list + 1] = ("%s, in %s, is not explained"):format(tag, path)
    end
  end
  table.sort(list)
  return list
end

describe("the tags in the names of all specs", function()
  it("are explained, and each case has a spec", function()
    local programs = {}
    for _, path in ipairs(spec_files "spec") do programs[path] = proc.read(path) end
    assert.is_truthy(next(carried(programs)))
    assert.same({}, differences(assert(proc.read(PAGE)), programs))
  end)

  it("are explained in order, by kinds that say what they are", function()
    local page = proc.read(PAGE)
    assert.is_true(#kinds(page) > 0)
    assert.same({}, disorder(page))
  end)
end)

-- A tag in brackets, so that no string here has one.
local function tagged(text) return (text:gsub("<(.-)>", "[%1]")) end

local SAMPLE = tagged [[
# A page

## Q. Questions

What is asked.

- `<Q1>` The first
  one.
- `<Q2>` The second.
]]

describe("a page of cases", function()
  for name, row in pairs {
    ["that agrees with the specs"] = { "it('<Q1> a') it('b <Q2>')" },
    ["with a tag that is unknown"] = { "it('<Q1> <Q2> a') it('<Q3> b')", nil, "Q3, in x_spec.lua, is not explained" },
    ["with an unknown one beside a known one"] = { "it('<Q1><Q9> <Q2> a')", nil,
      "Q9, in x_spec.lua, is not explained" },
    ["with an unknown one in a list"] = { "it('<Q1, Q2 Q7> a')", nil, "Q7, in x_spec.lua, is not explained" },
    ["with an unknown number"] = { "it('<Q1> <Q2> <7.5> a')", nil, "7.5, in x_spec.lua, is not explained" },
    ["with a case that no spec carries"] = { "it('<Q2> a')", nil, "Q1 has no spec" },
    ["with a case that only a comment and code carry"] = { "it('<Q2> a') -- <Q1> b\nx <Q1> y(<<\n<Q1> c\n>>)", nil,
      "Q1 has no spec" },
    ["with a case that has none, and says why"] = { "it('<Q1> a')", " No spec: it takes a year." },
    ["with a case that has none, and does not say why"] = { "it('<Q1> a')", " No spec:",
      "Q2 has no spec, and does not say why" },
    ["with a case that has one, and denies it"] = { "it('<Q1><Q2> a')", " No spec: it takes a year.",
      "Q2 has a spec, although it says that it has none" },
  } do
    it(name .. " is judged", function()
      local program = tagged(row[1]:gsub("<<", "[["):gsub(">>", "]]"))
      assert.same({ row[3] }, differences(SAMPLE:gsub("\n$", (row[2] or "") .. "\n"), { ["x_spec.lua"] = program }))
    end)
  end

  for name, row in pairs {
    ["with a gap"] = { "<Q2>", "<Q3>", "Q3 in the place of Q2" },
    ["with a case of another kind"] = { "<Q2>", "<R2>", "R2 in the place of Q2" },
    ["with a case twice"] = { "<Q2>", "<Q1>", "Q1 in the place of Q2", "Q1 twice" },
    ["with a case that says nothing"] = { "The second.", "", "Q2 without words" },
    ["with a kind that says nothing"] = { "What is asked.", "", "Q: what is it?" },
  } do
    it(name .. " is not in order", function()
      local from, to = SAMPLE:find(tagged(row[1]), 1, true)
      local page = SAMPLE:sub(1, from - 1) .. tagged(row[2]) .. SAMPLE:sub(to + 1)
      assert.same({ row[3], row[4] }, disorder(page))
    end)
  end
end)

describe("a name", function()
  for name, expected in pairs {
    ["<A1> a"] = { "A1" }, ["<A1> <B22> a"] = { "A1", "B22" }, ["<A1><B22> a"] = { "A1", "B22" },
    ["a <A1>"] = { "A1" }, ["a <A1> <B2>"] = { "A1", "B2" }, ["a <A1> b"] = { "A1" }, ["<A1 B2> a"] = { "A1", "B2" },
    ["<A1, B2> a"] = { "A1", "B2" }, ["<A1 B> a"] = { "A1", "B" }, ["<2.6> a"] = { "2.6" },
    ["<E7> <2.6> a"] = { "E7", "2.6" }, ["<2.6>"] = {}, ["a <2.6> b"] = {}, ["<1,2> a"] = {}, ["<DONE> a"] = {},
    ["a <A1>: b, <B2>."] = { "A1", "B2" }, ["t<A1> a"] = {}, ["^%<A1%>"] = {}, ["<A1>x"] = {}, ["a"] = {}, ["<A1"] = {},
  } do
    it(("has its tags: %q"):format(name), function()
      assert.same(expected, tags(tagged(name)))
    end)
  end
end)
