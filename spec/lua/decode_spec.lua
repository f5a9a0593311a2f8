-- JSON that comes in: what the core makes of it, and of other decoders' work.
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local cjson = require "cjson"
local child = require "support.child"

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

  it("reads containers of any size", function()
    for _, n in ipairs { 1, 2, 7, 8, 9, 999, 1000, 1001, 1999, 2000, 2001, 5000 } do
      local list, members, mixed = {}, {}, {}
      for i = 1, n do
        list[i], members[i] = i * 3, ('"n%d":%d'):format(i, i)
        mixed[i] = i % 2 == 0 and ("[%d]"):format(i) or ('{"a":"%d"}'):format(i)
      end
      assert.same(list, decoded("[" .. table.concat(list, ", ") .. "]"))
      local object = decoded("{" .. table.concat(members, ",") .. ',"last":null}')
      for i = 1, n do assert.equal(i, object["n" .. i]) end
      object.n1 = nil
      assert.equal(n > 1, next(object) ~= nil)
      local value = decoded("[" .. table.concat(mixed, ",") .. "]")
      assert.equal(n, #value)
      assert.equal(n % 2 == 0 and n or tostring(n), n % 2 == 0 and value[n][1] or value[n].a)
      assert.same({ nil, "no JSON: unexpected byte at 1" }, { json.decode("x" .. table.concat(mixed, ",")) })
    end
  end)

  it("reads wide containers in deep ones", function()
    local wide = {}
    for i = 1, 1500 do wide[i] = i end
    local inner = table.concat(wide, ",")
    local text = ("[" .. inner .. ',{"a":'):rep(400) .. "null" .. ("}]"):rep(400)
    local value = decoded(text)
    for _ = 1, 399 do
      assert.equal(1501, #value)
      assert.equal(1500, value[1500])
      value = value[1501].a
    end
    assert.same({}, value[1501])
    text = ('{"a":[1,2],"b":3,"c":'):rep(499) .. "[]" .. (',"a":4,"d":[5]}'):rep(499)
    value = decoded(text)
    for _ = 1, 498 do
      assert.equal("4 3 5", ("%d %d %d"):format(value.a, value.b, value.d[1]))
      value = value.c
    end
    assert.equal("[]", encoded(value.c))
  end)

  it("makes no more of a list than it is, where the rest is no JSON", function()
    local list = {}
    for i = 1, 3000 do list[i] = i end
    local start = "[" .. table.concat(list, ",")
    for _, rest in ipairs { (","):rep(100000), ",,]", ",[1,2", ",{]}", ',"]', "]]", "" } do
      assert.is_nil((json.decode(start .. rest)))
    end
    list[3001] = "a,b"
    assert.same(list, decoded(start .. ',"a,b"]'))
    list[3001] = { 1, 2 }
    assert.same(list, decoded(start .. ",[1,2]]"))
  end)

  it("reads strings and names of any length", function()
    for n = 0, 70 do
      local text = ("abcdefghijklmnopqrstuvwxyz0123456789"):rep(2):sub(1, n)
      local value = decoded(('{"%s":"%s","%s\\n":"\\t%s","é%s":"%s😀"}'):format(text, text, text, text, text, text))
      assert.same({ [text] = text, [text .. "\n"] = "\t" .. text, ["é" .. text] = text .. "😀" }, value)
    end
    local long = ("x"):rep(100000)
    assert.equal(long, decoded('"' .. long .. '"'))
    assert.same({ long .. "\n", long .. "é\n", "\n" .. long .. long },
      decoded(('["%s\\n","%s\\u00e9\\n","\\n%s%s"]'):format(long, long, long, long)))
  end)

  it("tells names apart that are alike", function()
    local names = {}
    for n = 1, 34 do
      for i = 1, n do names[#names + 1] = ("a"):rep(i - 1) .. "b" .. ("a"):rep(n - i) end
    end
    for _ = 1, 2 do
      local value = decoded('{"' .. table.concat(names, '":1,"') .. '":1}')
      for _, name in ipairs(names) do assert.equal(1, value[name]) end
    end
  end)

  it("gives the nearest double, whatever the digits", function()
    local rows = {
      ["9007199254740993.0"] = 2 ^ 53, ["9007199254740993." .. ("0"):rep(900) .. "1"] = 2 ^ 53 + 2,
      ["9007199254740995e0"] = 2 ^ 53 + 4, ["1e23"] = 1e23, ["2.4703282292062327e-324"] = 0,
      ["2.4703282292062328e-324"] = 2 ^ -1074, ["0.1"] = 0.1, ["123456789012345.678e-5"] = 1234567890.12345678,
      ["0." .. ("0"):rep(400) .. "1e401"] = 1, ["1" .. ("0"):rep(400) .. "e-400"] = 1, ["1e0000000000000000001"] = 10,
      ["1e99999999999999999999"] = math.huge, ["-1e400"] = -math.huge, ["-1e-99999999999999999999"] = 0,
      ["18446744073709551616"] = 2 ^ 64, ["17976931348623157" .. ("0"):rep(292)] = 1.7976931348623157e308,
    }
    for text, number in pairs(rows) do assert.equal(number, decoded("[" .. text .. "]")[1], text) end
    -- where the digits behind 64 bits decide
    for _, text in ipairs { "1265e-27", "6.8952702189554409", "2379.6694551436442", "490201.1636514424172",
      "91.10488650743563", "988107887.4446190", "4220751168219183910e-15", "27595187453031292e-24" } do
      assert.equal(tonumber(text), decoded(text), text)
    end
    assert.equal(-math.huge, 1 / decoded "-0.0")
    assert.equal(-math.huge, 1 / decoded "-0e5")
  end)

  it("is safe where a finalizer decodes, too", function()
    local result = child.run { code = [[
      local json = require "ofox.json"
      local new = newproxy and function(fn)
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = fn
      end or function(fn) setmetatable({}, { __gc = fn }) end
      collectgarbage("setpause", 1)
      collectgarbage("setstepmul", 10000)
      local runs = 0
      for i = 1, 300 do
        new(function()
          runs = runs + 1
          local text = '["inner\\n' .. i .. '",{"inner' .. i .. '":"' .. ("\\n"):rep(600) .. '"}]'
          assert(json.decode(text)[1] == "inner\n" .. i)
        end)
        local text = '{"outer' .. i .. '":"\\n' .. i .. ("\\t"):rep(600)
        text = text .. '","a":["x\\n' .. i .. '",{"b' .. i .. '":[]}]}'
        local value = json.decode(text)
        assert(value["outer" .. i] == "\n" .. i .. ("\t"):rep(600))
        assert(value.a[1] == "x\n" .. i and #value.a[2]["b" .. i] == 0)
      end
      print(runs > 100)]] }
    assert.same({ "true\n", "" }, { result.output, result.errors })
  end)

  it("needs no lua-cjson", function()
    local result = child.run { code = [[
      package.preload.cjson = function() error "no cjson here" end
      local transport = require "ofox.mock".new():reply { body = '{"choices":[{"message":{"content":"hi"}}],"x":[]}' }
      local client = require "ofox".new { api_key = "sk-of-secret-0123456789", transport = transport }
      local res = client:chat { model = "m", messages = {} }
      print(res:output_text(), require "ofox.json".encode(res.x))
      print(select(2, pcall(require "ofox".new, { api_key = "sk-of-secret-0123456789", json = "cjson" })))]] }
    assert.equal("", result.errors)
    assert.matches("^hi\t%[%]\nofox%.new: json: lua%-cjson was not found %(", result.output)
  end)

  it("takes 1000 levels and no more", function()
    local _, text = nested(1000)
    assert.equal("table", type(decoded(text)))
    assert.is_nil((json.decode("[" .. text .. "]")))
  end)

  it("wants a string, at the caller's level", function()
    local message = error_of(function() local _ = json.decode(nil) end)
    assert.matches("^[^:]*decode_spec%.lua:%d+: expected JSON as a string, got nil$", message)
  end)

  it("has lua-cjson decode, and leaves the shared one alone", function()
    cjson.decode_max_depth(5)
    cjson.decode_invalid_numbers(true)
    local own = json.cjson()
    local value = decoded('{"a":null,"b":[],"c":[null,3,"\\ud800"],"d":' .. select(2, nested(50)) .. "}", own)
    assert.is_nil(value.a)
    assert.equal('[[],[null,3,"' .. REPLACED .. '"]]', encoded { value.b, value.c })
    assert.same({ nil, "no JSON: unexpected byte at 2" }, { json.decode("[NaN]", own) })
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
