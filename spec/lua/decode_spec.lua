-- JSON that comes in: what the core makes of it, and of other decoders' work.
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local cjson = require "cjson"

local BOM = "\239\187\191"
local REPLACED = "\239\191\189"
local INTEGERS = rawget(math, "tointeger") ~= nil
local MAX = rawget(math, "maxinteger")

-- A JSON array of n levels, as a value and as text.
local function nested(n)
  local value = {}
  for _ = 2, n do value = { value } end
  return value, ("["):rep(n) .. ("]"):rep(n)
end

local function encoded(value)
  local bytes, message = json.encode(value)
  assert.is_nil(message)
  return bytes
end

local function decoded(text, decoder)
  local value, message = json.decode(text, decoder)
  assert.is_nil(message)
  return value
end

local function error_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("json.decode", function()
  it("leaves null members out and keeps nulls in arrays", function()
    local value = decoded '{"a":null,"b":1,"c":{"d":null},"e":[null,{"f":null},null] , "g" : null }'
    assert.is_nil(value.a)
    assert.same({ b = 1, c = {}, e = { json.null, {}, json.null } }, value)
    assert.equal(3, #value.e)
    assert.equal("{}", encoded(value.c))
    assert.equal(json.null, cjson.null)
  end)

  it("knows null from the word in a string, and names with escapes", function()
    assert.same({ a = "null", ["b\""] = "x:null,", ["c\n"] = false },
      decoded [[{"a":"null","b\"":"x:null,","c\n":false,"d\u0065":null,"\"":null}]])
  end)

  it("keeps nulls out at any depth", function()
    local text = ('{"n":null,"a":'):rep(200) .. '{"z":null}' .. ("}"):rep(200)
    local value, depth = decoded(text), 0
    while value.a do
      assert.is_nil(value.n)
      value, depth = value.a, depth + 1
    end
    assert.equal(200, depth)
    assert.same({}, value)
  end)

  it("tells empty arrays from empty objects", function()
    local text = '[[],{},[[]],[{}],{"a":[]}]'
    assert.equal(text, encoded(decoded(text)))
    assert.equal("[]", encoded(decoded " [ ] "))
    assert.equal("{}", encoded(decoded "{ }"))
    assert.equal('{"\\"x":[]}', encoded(decoded [[{"\u0022x":[]}]]))
  end)

  it("marks by the last of two equal names", function()
    assert.equal('{"a":{}}', encoded(decoded '{"a":[],"a":{}}'))
    assert.equal('{"a":[]}', encoded(decoded '{"a":{},"a":[]}'))
    assert.same({ a = 1 }, decoded '{"a":null,"a":1}')
    assert.same({ a = { 1 } }, decoded '{"a":[null,null],"a":[1]}')
  end)

  if INTEGERS then
    it("gives integers where the text has them", function()
      local value = decoded '{"n":1,"list":[0,-7,1.0,1e2],"seed":1234567890123456,"z":-0}'
      for _, number in ipairs { value.n, value.list[1], value.list[2], value.seed, value.z } do
        assert.equal("integer", math.type(number))
      end
      assert.equal("1234567890123456", tostring(value.seed))
      assert.equal("float", math.type(value.list[3]))
      assert.equal(100.0, value.list[4])
      assert.equal("integer", math.type(decoded "1"))
    end)

    it("gives them exactly, up to 64 bits", function()
      local text = "[9007199254740993,9223372036854775807,-9223372036854775808]"
      assert.equal(text, encoded(decoded(text)))
      assert.equal(2.0 ^ 63, decoded("[9223372036854775808]")[1])
      assert.equal(1e20, decoded("[100000000000000000000]")[1])
    end)

    it("mends another decoder that clips integers", function()
      local value = decoded("[18446744073709551616]", function() return { MAX } end)
      assert.equal(2.0 ^ 64, value[1])
    end)

    it("leaves alone what does not fit the text", function()
      assert.same({ 2.5 }, decoded("[1]", function() return { 2.5 } end))
    end)
  else
    it("gives doubles", function()
      assert.equal(2 ^ 53, decoded("[9007199254740992]")[1])
    end)
  end

  local repairs = {
    { "[C10] a lone high surrogate", [["a\ud800b"]], "a" .. REPLACED .. "b" },
    { "[C10] a lone low surrogate", [["\udc00"]], REPLACED },
    { "[C10] two high halves", [["\ud83d\ud83d\ude00"]], REPLACED .. "😀" },
    { "[C10] halves in the wrong order", [["\ude00\ud83d"]], REPLACED .. REPLACED },
    { "[C10] a high half before another escape", [["\ud83d\n"]], REPLACED .. "\n" },
    { "[C10] an escaped backslash before u", [["\\ud800"]], [[\ud800]] },
    { "a pair", [["\ud83d\ude00"]], "😀" },
    { "[C10] NUL", [["a\u0000b"]], "a\0b" },
    { "[C10] bad bytes", '"a\255\254b"', "a" .. REPLACED .. REPLACED .. "b" },
    { "[C10] a cut character", '"\228\189"', REPLACED },
    { "[C10] bad bytes and a lone surrogate", '"\255\\ud800"', REPLACED .. REPLACED },
    { "control characters", '"a\n\1"', "a\n\1" },
  }
  for _, row in ipairs(repairs) do
    it("takes " .. row[1], function()
      assert.equal(row[3], decoded(row[2]))
      assert.equal(row[3], decoded("[" .. row[2] .. "]")[1])
    end)
  end

  it("[C10] repairs names as well", function()
    assert.same({ ["k" .. REPLACED] = 1 }, decoded [[{"k\ud800":1}]])
  end)

  it("takes scalars", function()
    assert.equal("x", decoded(BOM .. '"x"'))
    assert.equal(json.null, decoded " null ")
    assert.equal(false, decoded "false")
    assert.equal(1.5, decoded "1.5")
    assert.equal("x", decoded '"x"')
  end)

  local broken = {
    { "", "the JSON ends too early" }, { BOM, "the JSON ends too early" }, { "[1", "the JSON ends too early" },
    { '{"a":nul', "the JSON ends too early" }, { '"\\ud8', "the JSON ends too early" },
    { "<html>", "no JSON: unexpected byte at 1" }, { "[1,]", "no JSON: unexpected byte at 4, a comma too many" },
    { '{"a":null,}', "no JSON: unexpected byte at 11, a comma too many" },
    { '{,"a":null}', "no JSON: unexpected byte at 2" },
    { '{"a"::null}', "no JSON: unexpected byte at 6" }, { '{"b":1 "a":null}', "no JSON: unexpected byte at 8" },
    { '{"b":1,,"a":null}', "no JSON: unexpected byte at 8" }, { '["a":null]', "no JSON: unexpected byte at 5" },
    { '{"a":nullx}', "no JSON: unexpected byte at 10" }, { '{"\\q":null}', "no JSON: unexpected byte at 4" },
    { "[NaN]", "no JSON: unexpected byte at 2" }, { "[0x10]", "no JSON: unexpected byte at 3" },
    { "[1]\0", "no JSON: unexpected byte at 4, a NUL" },
    { '{"a\0":null}', "no JSON: unexpected byte at 4, a NUL" },
  }
  for _, row in ipairs(broken) do
    it(("refuses %q"):format(row[1]), function()
      local value, message = json.decode(row[1])
      assert.is_nil(value)
      assert.equal(row[2], message)
    end)
  end

  it("takes 1000 levels and no more", function()
    local _, text = nested(1000)
    assert.equal("table", type(decoded(text)))
    assert.is_nil((json.decode("[" .. text .. "]")))
  end)

  it("wants a string, at the caller's level", function()
    local message = error_of(function() local _ = json.decode(nil) end)
    assert.matches("^[^:]*decode_spec%.lua:%d+: expected JSON as a string, got nil$", message)
  end)

  it("leaves the shared cjson alone", function()
    cjson.decode_max_depth(5)
    cjson.decode_invalid_numbers(true)
    assert.equal("table", type(decoded((select(2, nested(50))))))
    assert.has_error(function() cjson.decode((select(2, nested(50)))) end)
    assert.is_true(cjson.decode_invalid_numbers())
    cjson.decode_max_depth(1000)
  end)

  it("uses the decoder given, a function or a table with one", function()
    local own = function(text) return { text = text } end
    assert.same({ text = "[1]" }, decoded("[1]", own))
    assert.same({ text = "[1]" }, decoded("[1]", { decode = own }))
  end)

  it("gives that decoder text that it can take", function()
    local seen
    decoded(BOM .. '{"a":null,"b":"\255\\ud800","c":[null]}', function(text) seen = text return {} end)
    assert.equal('{"b":"' .. REPLACED .. '\\ufffd","c":[null]}', seen)
  end)

  it("turns another null into ofox.null", function()
    local null = io.tmpfile()
    core.json_marks[null] = "null"
    local value = decoded("[null,1]", function() return { null, 1 } end)
    core.json_marks[null] = nil
    null:close()
    assert.equal(json.null, value[1])
  end)

  local failures = {
    { "raises", function() error("no!", 0) end, "no!" },
    { "raises a table", function() error {} end, "the decoder failed" },
    { "returns nil and a message", function() return nil, "bad" end, "bad" },
    { "returns nil, a position and a message", function() return nil, 3, "worse" end, "worse" },
    { "returns nothing", function() end, "the decoder failed" },
  }
  for _, row in ipairs(failures) do
    it("reports a decoder that " .. row[1], function()
      local value, message = json.decode("[1]", row[2])
      assert.is_nil(value)
      assert.equal(row[3], message)
    end)
  end

  it("takes a decoder whose null is nil", function()
    assert.equal(json.null, decoded("null", function() end))
  end)

  it("round-trips a whole reply", function()
    local text = [[{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":null,
      "tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"a\":[]}"}}],"annotations":[]},
      "finish_reason":"tool_calls","logprobs":null}],"usage":{"total_tokens":12,"cost":0.00015}}]]
    local value = decoded(text)
    assert.same(value, decoded(encoded(value)))
    assert.equal("[]", encoded(value.choices[1].message.annotations))
    assert.is_nil(value.choices[1].message.content)
  end)
end)

-- Texts mutated by chance: decoding agrees with lua-cjson on what is JSON, but
-- for what it repairs, and with itself on what the text says.
describe("json.decode against lua-cjson", function()
  local own = cjson.new()
  own.decode_invalid_numbers(false)
  local seeds = {
    '{"id":"x","a":null,"b":[1,null,{}],"c":{"d":null,"e":null},"f":[],"g":1.5e3,"n":null}',
    '[null,{"a":null,"b":null,"c":1}]', '{"a" : null , "b" : [ ] , "c":{ } }',
    '{"a\\"b":null,"\\u0061":"\\\\","x":"null","y":"[]"}',
  }
  local pieces = { "{", "}", "[", "]", ",", ":", '"', "\\", "null", "n", " ", "1", "t", '"a":null', ',"a":null' }

  it("agrees on 20,000 of them", function()
    local state = 7
    local function pick(n)
      state = (state * 16807) % 2147483647
      return state % n + 1
    end
    for _ = 1, 20000 do
      local text = seeds[pick(#seeds)]
      for _ = 1, pick(3) do
        local at = pick(#text + 1) - 1
        local what = pick(2) == 1 and pieces[pick(#pieces)] or ""
        text = text:sub(1, at) .. what .. text:sub(at + (what == "" and 2 or 1))
      end
      local expected = pcall(own.decode, text)
      local value, message = json.decode(text)
      if expected and value == nil then
        -- lua-cjson has the C library read numbers
        assert.matches("a number without digits behind its point$", message, 1, text)
      else
        assert.equal(expected, value ~= nil, text)
      end
      if value ~= nil then assert.is_truthy(json.encode(value), text) end
    end
  end)
end)

describe("core.polish", function()
  it("repairs a value along its text", function()
    local value = core.polish({ a = json.null, b = {}, c = { json.null }, n = 3.0 },
      '{"a":null,"b":[],"c":[null],"n":3}')
    assert.is_nil(value.a)
    assert.equal("[]", encoded(value.b))
    assert.equal(json.null, value.c[1])
    if INTEGERS then assert.equal("integer", math.type(value.n)) end
  end)

  it("is safe where value and text do not fit", function()
    for _, text in ipairs { "", "{", '{"a', '{"a":', "[[[", "]]", '"', "[1,2", "{{{{", "[{]}" } do
      core.polish({ { {} }, a = 1 }, text)
      core.polish(1, text)
    end
  end)
end)
