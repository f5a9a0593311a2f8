local core = require("ofox.base.native")("core")
local parts = core.parts

local BAD = "\239\191\189" -- U+FFFD

describe("UTF-8", function()
  -- From the standard's own table of broken pieces (Unicode, 3.9, U+FFFD
  -- substitution of maximal subparts) and the edges of each length.
  local rows = {
    { "", "" }, { "abc", "abc" }, { "\0", "\0" }, { "\127", "\127" },
    { "\194\128", "\194\128" }, { "\223\191", "\223\191" }, { "\224\160\128", "\224\160\128" },
    { "\228\189\160\229\165\189", "\228\189\160\229\165\189" }, { "\237\159\191", "\237\159\191" },
    { "\238\128\128", "\238\128\128" }, { "\239\191\191", "\239\191\191" },
    { "\240\144\128\128", "\240\144\128\128" }, { "\244\143\191\191", "\244\143\191\191" },
    { "\128", BAD }, { "\191\191", BAD .. BAD }, { "\192\128", BAD .. BAD }, { "\193\191", BAD .. BAD },
    { "\224\159\128", BAD .. BAD .. BAD }, { "\240\143\128\128", BAD .. BAD .. BAD .. BAD },
    { "\237\160\128", BAD .. BAD .. BAD }, { "\237\191\191", BAD .. BAD .. BAD },
    { "\244\144\128\128", BAD .. BAD .. BAD .. BAD }, { "\245\128\128\128", BAD .. BAD .. BAD .. BAD },
    { "\254\255", BAD .. BAD }, { "\226\130", BAD }, { "\226\130x", BAD .. "x" }, { "\240\159\152", BAD },
    { "\240\159\152x", BAD .. "x" }, { "\240\159x", BAD .. "x" }, { "\226", BAD }, { "\194", BAD },
    { "a\194b", "a" .. BAD .. "b" },
    { "\226\130\226\130\172", BAD .. "\226\130\172" }, { "\194\194\181", BAD .. "\194\181" },
    { "\97\241\128\128\225\128\194\98\128\99\128\191\100",
      "a" .. BAD .. BAD .. BAD .. "b" .. BAD .. "c" .. BAD .. BAD .. "d" },
  }

  it("is repaired, each broken piece to one U+FFFD", function()
    for _, row in ipairs(rows) do
      assert.are.equal(row[2], parts.utf8_clean(row[1]), ("%q"):format(row[1]))
      assert.are.equal("x" .. row[2] .. "y", parts.utf8_clean("x" .. row[1] .. "y"), ("%q"):format(row[1]))
    end
  end)

  it("once repaired is left alone", function()
    local seed = 3
    for _ = 1, 2000 do
      local t = {}
      for i = 1, 12 do
        seed = (seed * 16807) % 2147483647
        t[i] = string.char(seed % 3 == 0 and seed % 128 or 128 + seed % 128)
      end
      local once = parts.utf8_clean(table.concat(t))
      assert.are.equal(once, parts.utf8_clean(once))
    end
  end)

  it("grows with long texts", function()
    local n = 100000
    assert.are.equal(BAD:rep(n), parts.utf8_clean(("\255"):rep(n)))
    assert.are.equal(("a" .. BAD):rep(n), parts.utf8_clean(("a\255"):rep(n)))
  end)

  it("is cut between characters", function()
    local text = "a\194\181\226\130\172\240\159\152\128b" -- 1 + 2 + 3 + 4 + 1 bytes
    for max, expected in pairs { [0] = 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 } do
      assert.are.equal(text:sub(1, expected), parts.utf8_cut(text, max))
    end
    assert.are.equal("", parts.utf8_cut(text, -1))
    assert.are.equal("", parts.utf8_cut("", 5))
  end)
end)
