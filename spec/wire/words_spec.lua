-- The tables of servers' words (src/wire/class_words.c, member_names.h): they
-- are searched by halves, so that a row in the wrong place is never found.
local core = require("ofox.base.native")("core")

local function content(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Class id -> type, as classes.h has it.
local types = {}
for id, type in content("src/wire/classes.h"):gmatch 'X%(([%u_]+), "%a+", "([%l_]+)"' do types[id] = type end

-- The rows of a file as {word, what}.
local function rows(path, pattern)
  local list = {}
  for a, b in content(path):gmatch(pattern) do list[#list + 1] = { a, b } end
  return list
end

local words = rows("src/wire/class_words.c", '{"([%l%d_]+)", OFOX_CLASS_([%u_]+)}')

local function type_of(word)
  local e = core.parse_error(200, nil, ('{"error":{"message":"m","type":"%s"}}'):format(word))
  return e and e.type
end

describe("words of servers:", function()
  it("each names its class, however it is spelt", function()
    assert.is_true(#words > 100)
    for _, row in ipairs(words) do
      local word, type = row[1], types[row[2]]
      assert.are.equal(type, type_of(word), word)
      assert.are.equal(type, type_of((word:upper():gsub("_", "-"))), word)
      assert.are.equal(type, type_of((word:gsub("_", ""))), word)
      assert.are.equal(type, type_of((" %s. "):format(word:gsub("_", ". "))), word)
    end
  end)

  it("a class is called by its type, and by nothing that only begins or ends like a word", function()
    for _, type in pairs(types) do assert.are.equal(type, type_of(type:upper()), type) end
    for _, row in ipairs(words) do
      assert.are.equal("internal_error", type_of(row[1] .. "x"), row[1])
      assert.are.equal("internal_error", type_of("x" .. row[1]), row[1])
    end
  end)

  it("the names of members are in order", function()
    local names = rows("src/wire/member_names.h", 'X%(([%u_]+), "([%l_]+)"%)')
    assert.is_true(#names > 60)
    for i, row in ipairs(names) do
      assert.are.equal(row[1], row[2]:upper())
      if i > 1 then
        local before, this = names[i - 1][2]:gsub("_", ""), row[2]:gsub("_", "")
        assert.is_true(before <= this, row[2])
      end
    end
  end)
end)
