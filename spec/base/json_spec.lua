-- The scanner of JSON: the strict check, and strings that are cut.
local core = require("ofox.base.native")("core")
local json = require "ofox.json"

local BOM = "\239\187\191"

describe("core.json_check", function()
  local rows = {
    -- text, true | what, position
    { "{}", true }, { " [1, -0, 0.5e-3, 1E+2] ", true }, { "-0", true }, { BOM .. "null", true },
    { '"\\u00e9\\/"', true }, { '"\239\191\189\255"', true }, { '{"a":{"b":[[],{}]}}', true },
    { "", "incomplete", 1 }, { " ", "incomplete", 2 }, { BOM, "incomplete", 1 }, { "\239", "incomplete", 1 },
    { "[", "incomplete", 2 }, { '{"a"', "incomplete", 5 }, { '"\\', "incomplete", 3 }, { '"\\u12', "incomplete", 6 },
    { "-", "incomplete", 2 }, { "1.", "incomplete", 3 }, { "1e", "incomplete", 3 }, { "tru", "incomplete", 4 },
    { "[1,]", "broken", 4 }, { "{,}", "broken", 2 }, { "[}", "broken", 2 }, { "{a:1}", "broken", 2 },
    { '{"a" 1}', "broken", 6 }, { "01", "broken", 2 }, { ".5", "broken", 1 }, { "+1", "broken", 1 },
    { "1.e3", "broken", 3 }, { "nulL", "broken", 4 }, { "[1] 2", "broken", 5 }, { '"\\x"', "broken", 3 },
    { '"\\u12g4"', "broken", 6 }, { '"a\0b"', "broken", 3 }, { "[] \0", "broken", 4 }, { "NaN", "broken", 1 },
    { ("["):rep(1001), "broken", 1001 },
  }
  for _, row in ipairs(rows) do
    it(("judges %q"):format(row[1]:sub(1, 30)), function()
      local valid, what, position = core.json_check(row[1])
      if row[2] == true then
        assert.is_true(valid)
      else
        assert.is_nil(valid)
        assert.equal(row[2], what)
        assert.equal(row[3], position)
      end
    end)
  end

  it("calls no beginning of a JSON text broken", function()
    local text = BOM .. [[ {"a\u00e9\n":[1.5e-3,-0,true,false,null,{"b":[]}],"c":"\ud83d\ude00"} ]]
    assert.is_true(core.json_check(text))
    for i = 0, #text - 2 do
      local valid, what = core.json_check(text:sub(1, i))
      assert.is_nil(valid)
      assert.equal("incomplete", what)
    end
  end)
end)

describe("a long string", function()
  -- The last bytes are looked at one by one, those before in words, in runs.
  local function check(text, what, position)
    local valid, told, at = core.json_check(text)
    if what == true then return assert.is_true(valid) end
    assert.are.same({ what, position }, { told, at }, #text)
  end

  it("ends at its quote, wherever that is", function()
    for n = 0, 700 do
      local text = ('["%s","x"]'):format(("a"):rep(n))
      check(text, true)
      check(text:sub(1, n + 2), "incomplete", n + 3)
      check(text:gsub('",', '"x', 1), "broken", n + 4)
    end
  end)

  it("has escapes, wherever they are", function()
    for n = 0, 700, 3 do
      for _, rest in ipairs { 0, 1, 7, 64, 200 } do
        check(('["%s\\"%s"]'):format(("a"):rep(n), ("b"):rep(rest)), true)
        check(('["%s\\\\"]'):format(("\230"):rep(n)), true)
        check(('["%s\\x%s"]'):format(("a"):rep(n), ("b"):rep(rest)), "broken", n + 4)
      end
    end
  end)
end)

describe("[S8] pieces of strings", function()
  local REPLACEMENT = "\239\191\189"

  it("keep their halves until they are joined", function()
    for _, pair in ipairs { { '"a\\ud83d"', '"\\ude00b"', "a😀b" }, { '"a\\uD83D"', '"\\uDE00b"', "a😀b" },
      { '"a\228\184"', '"\150b"', "a世b" }, { '"a\240\159\152"', '"\128b"', "a😀b" }, { '"a"', '"b"', "ab" } } do
      local first, rough = json.decode_piece(pair[1])
      local second = json.decode_piece(pair[2])
      assert.equal(#pair[1] > 3, rough)
      assert.equal(pair[3], json.join(first .. second))
      for _, text in ipairs { pair[1], pair[2] } do
        assert.equal(json.decode(text), json.join((json.decode_piece(text))))
      end
    end
  end)

  it("that never meet are replaced: each half of a pair once", function()
    for text, expected in pairs {
      ['"\\ud83d"'] = "?", ['"\\ude00"'] = "?", ['"\\ude00\\ud83d"'] = "??", ['"\\ud83d\\ud83d\\ude00"'] = "?😀",
      ['"\\ud83d \\ude00"'] = "? ?", ['"\\ud83d\228\184"'] = "??", ['"\228\184\\ud83d"'] = "??", ['"\255a"'] = "?a",
      ['"\237\160\189"'] = "?", ['"\237\160"'] = "??", ['"\237"'] = "?", ['"\237\160\189\237\184"'] = "???",
    } do
      assert.equal((expected:gsub("%?", REPLACEMENT)), json.join((json.decode_piece(text))))
    end
    for _, text in ipairs { "", "a", "世界😀", "\237\159\191" } do assert.equal(text, json.join(text)) end
  end)

  it("are rough in names and deep inside, and valid text is not", function()
    assert.is_true(select(2, json.decode_piece '{"\\ud83d":1}'))
    assert.is_true(select(2, json.decode_piece '[[["\\ud83d"]]]'))
    assert.is_false(select(2, json.decode_piece '{"a":"世\\ud83d\\ude00\\\\ud83d"}'))
    assert.same({ nil, "no JSON: unexpected byte at 1" }, { json.decode_piece "x" })
    assert.same({ a = 1 }, (json.decode_piece '{"a":1,"b":null}'))
  end)
end)
