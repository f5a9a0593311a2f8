-- Values that arrive under their paths.
local json = require "ofox.json"
local paths = require "ofox.answer.paths"
local pieces = require "ofox.answer.pieces"

-- What pieces come to, each {path, value}.
local function built(list, root)
  local state, known = pieces.begin(), {}
  root = root or json.object()
  for _, piece in ipairs(list) do paths.put(state, root, known, piece[1], piece[2]) end
  return json.encode(pieces.join(state, root))
end

describe("a path", function()
  it("has names and positions, however they are written", function()
    for path, keys in pairs {
      ["$.a"] = { "a" }, a = { "a" }, [".a.b"] = { "a", "b" }, ["$.a[0].b"] = { "a", 0, "b" },
      ["$.a[12][3]"] = { "a", 12, 3 }, ["$['a b'].c"] = { "a b", "c" }, ['$["a.b[0]"]'] = { "a.b[0]" },
      ["$['it\\'s']"] = { "it's" }, ['$["\\u00e9\\"\\\\"]'] = { 'é"\\' }, ["$['\"']"] = { '"' },
      ["$.größe"] = { "größe" }, ["$.a-b c"] = { "a-b c" }, ["$['\n']"] = { "\n" },
    } do
      assert.same(keys, paths.keys(path), path)
    end
  end)

  it("that cannot be read has none", function()
    for _, path in ipairs { "", "$", "$[", "$['a'", "$['a'x]", "$[a]", "$[-1]", "$..", "$.", "$[*]", "$.a[", "$['a\\",
      "$" .. (".a"):rep(101) } do
      assert.is_nil(paths.keys(path), path)
    end
    assert.equal(100, #paths.keys("$" .. (".a"):rep(100)))
  end)
end)

describe("values under paths", function()
  it("make the table that they are of", function()
    assert.equal('{"a":{"b":["x",2,[true]]},"c":false}', built { { "$.a.b[0]", "x" }, { "$.a.b[1]", 2 },
      { "$.a.b[2][0]", true }, { "$.c", false } })
  end)

  it("are joined where they are strings, one after the other or in turn", function()
    assert.equal('{"a":"one","b":"two"}', built { { "$.a", "o" }, { "$.b", "t" }, { "$.a", "ne" }, { "$.b", "" },
      { "$.b", "wo" }, { "$.a" }, { "$.a", "" } })
    assert.equal('{"a":["xy"]}', built { { "$.a[7]", "x" }, { "$.a[7]", "y" } })
  end)

  it("replace what is no string", function()
    assert.equal('{"a":"x"}', built { { "$.a", 1 }, { "$.a", "x" } })
    assert.equal('{"a":2}', built { { "$.a", "x" }, { "$.a", 2 } })
    assert.equal('{"a":{"b":1}}', built { { "$.a", "x" }, { "$.a", "y" }, { "$.a.b", 1 } })
  end)

  it("are null in a list, and not there in an object", function()
    assert.equal('{"a":[null,1]}', built { { "$.a[0]", json.null }, { "$.a[1]", 1 }, { "$.b", json.null } })
  end)

  it("that lead nowhere change nothing", function()
    for _, path in ipairs { "$", "$[0]", "$.list.x", "$.object[0]", 7, "$.a..b" } do
      assert.equal('{"list":[1],"object":{"x":1}}', built({ { path, "no" } }, { list = { 1 }, object = { x = 1 } }))
    end
    assert.equal('{"a":["x","y"]}', built { { "$.a[4000000000]", "x" }, { "$.a[99999999999999999999]", "y" } })
  end)
end)
