-- JSON both ways: what the writer sends and refuses, what the codec makes of
-- lua-cjson's work, and the strict check.
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local cjson = require "cjson"
local child = require "support.child"

local NAN, HUGE = 0 / 0, math.huge
local BOM = "\239\187\191"
local REPLACED = "\239\191\189"
local tointeger, MAX = rawget(math, "tointeger"), rawget(math, "maxinteger")
local INTEGERS = tointeger ~= nil

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

local function refused(expected, value)
  local bytes, message = json.encode(value)
  assert.is_nil(bytes)
  assert.equal(expected, message)
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

describe("json.encode", function()
  local scalars = {
    { true, "true" }, { false, "false" }, { json.null, "null" }, { cjson.null, "null" },
    { "", '""' }, { "你好 😀", '"你好 😀"' }, { "/", '"/"' }, { "\127", '"\127"' },
    { '"\\\b\f\n\r\t', [["\"\\\b\f\n\r\t"]] },
    { "\0\1\31", [["\u0000\u0001\u001f"]] },
    { ("x"):rep(7) .. '"' .. ("y"):rep(9) .. "\n", '"' .. ("x"):rep(7) .. '\\"' .. ("y"):rep(9) .. '\\n"' },
    { 0, "0" }, { -0.0, "0" }, { 1, "1" }, { 100.0, "100" }, { -42, "-42" },
    { 1234567890123456, "1234567890123456" }, { 2 ^ 53, "9007199254740992" }, { -2 ^ 53, "-9007199254740992" },
    { 0.7, "0.7" }, { -0.5, "-0.5" }, { 1.1, "1.1" }, { 3.14159, "3.14159" }, { 12345678.125, "12345678.125" },
    { 0.1 + 0.2, "0.30000000000000004" }, { 1e-7, "0.0000001" }, { 1.5e-20, "15e-21" }, { 1e300, "1e+300" },
  }
  for _, row in ipairs(scalars) do
    it("writes " .. row[2]:sub(1, 40), function()
      assert.equal(row[2], encoded(row[1]))
    end)
  end

  it("keeps every double: what it writes reads back as the same", function()
    local seed = 42
    for _ = 1, 4000 do
      seed = (seed * 16807) % 2147483647
      local number = (seed / 2147483647 - 0.5) * 10 ^ (seed % 613 - 306)
      assert.equal(number, tonumber(encoded(number)))
    end
    for _, number in ipairs { 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3, 2 ^ 53 + 2 } do
      assert.equal(number, tonumber(encoded(number)))
    end
  end)

  if INTEGERS then
    it("keeps integers of 64 bits", function()
      for _, digits in ipairs { "9007199254740993", "9223372036854775807", "-9223372036854775808" } do
        assert.equal(digits, encoded(tointeger(tonumber(digits))))
      end
    end)
  end

  it("does not heed the locale's decimal comma", function()
    local was = os.setlocale(nil, "numeric")
    for _, name in ipairs { "de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8" } do
      if os.setlocale(name, "numeric") then break end
    end
    local bytes, odd = json.encode(0.5), json.encode(0.1 + 0.2)
    local value = json.decode("[0.5]")
    os.setlocale(was, "numeric")
    assert.equal("0.5", bytes)
    assert.equal("0.30000000000000004", odd)
    assert.equal(0.5, value[1])
  end)

  local tables = {
    { "an empty table", {}, "{}" },
    { "a list", { 1, "a", false }, '[1,"a",false]' },
    { "an object", { a = { b = { 1 } } }, '{"a":{"b":[1]}}' },
    { "an empty array by mark", json.array {}, "[]" },
    { "a full array by mark", json.array { 1, 2 }, "[1,2]" },
    { "a new array", json.array(), "[]" },
    { "an object by mark", json.object {}, "{}" },
    { "a new object", json.object(), "{}" },
    { "numbers as names by mark", json.object { [50256] = -100 }, '{"50256":-100}' },
    { "nulls in a list", { json.null, 1, json.null }, "[null,1,null]" },
    { "a null member", { stop = json.null }, '{"stop":null}' },
  }
  for _, row in ipairs(tables) do
    it("writes " .. row[1], function() assert.equal(row[3], encoded(row[2])) end)
  end

  it("writes lists whose items came in any order", function()
    local list = {}
    for i = 20, 1, -1 do list[i] = i end
    assert.equal("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", encoded(list))
  end)

  local NAMES = { "", "\0", "\0\0", "\"", "1", "10", "2", "A", "\\", "_", "a", "a\0", "aa", "ab", "b",
    ("k"):rep(50), ("k"):rep(50) .. "l", "model", "é", "😀" }

  it("writes members by the bytes of their names, whatever order they came in", function()
    for count = 1, #NAMES do
      local members = {}
      for i = 1, count do members[i] = encoded(NAMES[i]) .. ":" .. i end
      local expected = "{" .. table.concat(members, ",") .. "}"
      for shift = 0, count - 1 do
        for step = -1, 1, 2 do
          local object = {}
          for i = 1, count do
            local k = (shift + i * step) % count + 1
            object[NAMES[k]] = k
          end
          assert.equal(expected, encoded(object))
        end
      end
    end
  end)

  it("writes numbers among the names where they belong, 1 before its name", function()
    local object = json.object {
      [10] = 1, [9] = 2, [-1] = 3, [0.5] = 4, [1] = 5, ["1"] = 6, ["0"] = 7, a = 8, [1e300] = 9,
    }
    assert.equal('{"-1":3,"0":7,"0.5":4,"1":5,"1":6,"10":1,"1e+300":9,"9":2,"a":8}', encoded(object))
    if INTEGERS then
      assert.equal('{"9223372036854775806":1,"9223372036854775807":2}',
        encoded(json.object { [MAX] = 2, [MAX - 1] = 1 }))
    end
  end)

  it("writes members of members in order, at every level", function()
    local value, text = {}, "{}"
    for i = 1, 100 do
      value = { z = i, [("n"):rep(i)] = value, a = { d = 1, c = { 2 } }, y = true }
      text = '{"a":{"c":[2],"d":1},"' .. ("n"):rep(i) .. '":' .. text .. ',"y":true,"z":' .. i .. "}"
    end
    assert.equal(text, encoded(value))
  end)

  it("writes many members in order", function()
    local object, expected = {}, {}
    for i = 1, 20000 do
      local k = i * 7919 % 20000
      object[("%05d"):format(k)] = k
      expected[k + 1] = ('"%05d":%d'):format(k, k)
    end
    assert.equal("{" .. table.concat(expected, ",") .. "}", encoded(object))
  end)

  it("writes the same bytes in every process", function()
    local interpreter, i = "lua", -1
    while arg and arg[i] do interpreter, i = arg[i], i - 1 end
    local script = os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write(([[
      package.path, package.cpath = %q, %q
      local tool = { type = "object", properties = { city = { type = "string" }, unit = { enum = { "c", "f" } } } }
      io.write((require("ofox.json").encode { model = "m", stream = true, seed = 1, tools = { tool }, top_p = 0.5,
        messages = { { role = "user", content = "hi", name = "n" } }, stop = { "x" }, user = "u", n = 1 }))
    ]]):format(package.path, package.cpath))
    file:close()
    for _ = 1, 5 do
      local process = assert(io.popen(("'%s' '%s'"):format(interpreter, script)))
      local bytes = process:read("*a")
      process:close()
      assert.equal('{"messages":[{"content":"hi","name":"n","role":"user"}],"model":"m","n":1,"seed":1,"stop":["x"],'
        .. '"stream":true,"tools":[{"properties":{"city":{"type":"string"},"unit":{"enum":["c","f"]}},'
        .. '"type":"object"}],"top_p":0.5,"user":"u"}', bytes)
    end
    os.remove(script)
  end)

  it("is safe where a collection takes members away", function()
    -- in a process of its own, whose heap is small: each step collects all of it
    local result = child.run { code = [[
      local json = require "ofox.json"
      collectgarbage("setpause", 1)
      collectgarbage("setstepmul", 10000)
      for round = 1, 50 do
        local object = setmetatable({}, { __mode = "v" })
        for i = 1, 100 do object[("k"):rep(60) .. round .. "." .. i] = i % 2 == 0 and {} or 0.1 + 0.2 end
        assert(json.encode(object):sub(1, 1) == "{")
      end
      print "whole"]] }
    assert.equal("whole\n", result.output)
    assert.equal(0, result.status, result.errors)
  end)

  it("reads tables raw and leaves them alone", function()
    local inherited = setmetatable({ a = 1 }, { __index = { b = 2 }, __pairs = error, __len = error })
    assert.equal('{"a":1}', encoded(inherited))
    assert.same({ a = 1 }, inherited)
  end)

  it("writes a table twice if it is there twice", function()
    local part = { 1 }
    assert.equal("[[1],[1]]", encoded { part, part })
  end)

  it("honours marks that others have set", function()
    local list, dict, null = {}, {}, io.tmpfile()
    core.json_marks[list], core.json_marks[dict], core.json_marks[null] = "empty", "object", "null"
    assert.equal("[]", encoded(setmetatable({}, list)))
    assert.equal('{"a":1}', encoded(setmetatable({ a = 1 }, list)))
    assert.equal('{"7":1}', encoded(setmetatable({ [7] = 1 }, dict)))
    assert.equal("[null]", encoded { null })
    core.json_marks[list], core.json_marks[dict], core.json_marks[null] = nil, nil, nil
    null:close()
  end)

  local cycle = { a = {} }
  cycle.a.b = cycle
  local HOLES = "a list with holes (ofox.object{} makes it an object)"
  local MIXED = "a table with both list items and named fields"
  local refusals = {
    { "[C10] invalid UTF-8", { messages = { { content = "a" }, { content = "a\255" } } },
      "messages[2].content: invalid UTF-8" },
    { "[C10] an encoded surrogate", { "\237\160\128" }, "[1]: invalid UTF-8" },
    { "[C10] a cut character", { "12345678\228\189" }, "[1]: invalid UTF-8" },
    { "[C10] an overlong form", "\192\128", "invalid UTF-8" },
    { "[C10] a name of invalid UTF-8", { ["a\255b"] = 1 }, '["a' .. REPLACED .. 'b"]: invalid UTF-8' },
    { "cycles", { root = cycle }, "root.a.b: a table that contains itself" },
    { "NaN", { temperature = NAN }, "temperature: NaN has no JSON form" },
    { "infinity", { 1, { -HUGE } }, "[2][1]: infinity has no JSON form" },
    { "holes", { stop = { "a", nil, "c" } }, "stop: " .. HOLES },
    { "lists from 0", { [0] = 1 }, HOLES },
    { "lists with fractions", { [1.5] = 1 }, HOLES },
    { "far keys", { logit_bias = { [50256] = -100 } }, "logit_bias: " .. HOLES },
    { "mixed tables", { x = { 1, 2, n = 2 } }, "x: " .. MIXED },
    { "names in an array", { x = json.array { a = 1 } }, "x: " .. MIXED },
    { "names that are no strings", { x = { [true] = 1 } }, "x: a key that is no string" },
    { "functions", { tools = { { call = print } } }, "tools[1].call: a function has no JSON form" },
    { "coroutines", { coroutine.create(function() end) }, "[1]: a coroutine has no JSON form" },
    { "userdata", { file = io.stdout }, "file: a userdata has no JSON form" },
    { "nil", nil, "nil has no JSON form" },
    { "odd names in the path", { ["a b"] = { ["c\nd"] = NAN } }, '["a b"]["c?d"]: NaN has no JSON form' },
    { "1001 levels", { (nested(1000)) }, ("[1]"):rep(43) .. "...: nested too deeply" },
  }
  for _, row in ipairs(refusals) do
    it("refuses " .. row[1], function() refused(row[3], row[2]) end)
  end

  it("bounds the path in a message", function()
    local _, message = json.encode { [("k"):rep(1e6)] = { [("é"):rep(1000)] = NAN } }
    assert.is_true(#message < 300, #message)
    assert.truthy(json.encode(message))
  end)

  it("takes 1000 levels", function()
    local value, text = nested(1000)
    -- the innermost table is empty and unmarked
    assert.equal((text:gsub("%[%]", "{}")), encoded(value))
  end)

  it("works after a refusal and inside a coroutine", function()
    refused("NaN has no JSON form", NAN)
    assert.equal("[1]", coroutine.wrap(function() return encoded { 1 } end)())
  end)
end)

describe("json.array and json.object", function()
  it("mark the given table and return it", function()
    local list, object = {}, {}
    assert.equal(list, json.array(list))
    assert.equal(object, json.object(object))
  end)

  it("take tables only, at the caller's level", function()
    local message = error_of(function() local _ = json.array "x" end)
    assert.matches("^[^:]*json_spec%.lua:%d+: ofox%.array: expected a table, got \"x\"$", message)
    message = error_of(function() local _ = json.object(1) end)
    assert.matches("^[^:]*json_spec%.lua:%d+: ofox%.object: expected a table, got 1$", message)
  end)
end)

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

    it("mends a decoder that clips integers", function()
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
    assert.matches("^[^:]*json_spec%.lua:%d+: expected JSON as a string, got nil$", message)
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

-- Other hosts' decoders, played: a fresh ofox.json that finds 'modules' and
-- the global 'vim'. The marks it leaves are taken back.
local function with_host(modules, vim, fn)
  local loaded, marks, was_vim = {}, {}, rawget(_G, "vim")
  for _, name in ipairs { "cjson", "ofox.json" } do
    loaded[name], package.loaded[name] = package.loaded[name], modules[name]
  end
  for key, value in pairs(core.json_marks) do marks[key] = value end
  local preload = package.preload.cjson
  package.preload.cjson = function() error "no cjson here" end
  rawset(_G, "vim", vim)
  local ok, message = pcall(function() fn(require "ofox.json") end)
  rawset(_G, "vim", was_vim)
  package.preload.cjson = preload
  for key in pairs(core.json_marks) do core.json_marks[key] = marks[key] end
  for key, value in pairs(marks) do core.json_marks[key] = value end
  for name, module in pairs(loaded) do package.loaded[name] = module end
  if not ok then error(message, 0) end
end

describe("ofox.json finds its decoder", function()
  local function openresty(decode)
    local fork = { array_mt = {}, empty_array_mt = {}, empty_array = io.stderr }
    function fork.new()
      return { decode = decode, decode_max_depth = function() end, decode_invalid_numbers = function() end }
    end
    return fork
  end

  it("in OpenResty's cjson, and marks arrays as that does", function()
    local fork = openresty(function(text) return text == "1" and 1 or { a = {}, n = 1 } end)
    with_host({ cjson = fork }, nil, function(fresh)
      local value = fresh.decode '{"a":[],"n":1}'
      assert.equal(fork.array_mt, getmetatable(value.a))
      assert.equal(fork.array_mt, getmetatable(fresh.array {}))
      assert.equal('{"a":[]}', fresh.encode { a = value.a })
      assert.equal("[]", fresh.encode(setmetatable({}, fork.empty_array_mt)))
      assert.equal("[[]]", fresh.encode { fork.empty_array })
      assert.equal("[1]", fresh.encode(setmetatable({ 1 }, fork.array_mt)))
    end)
  end)

  if INTEGERS then
    it("and leaves that decoder's integers to it, long ones aside", function()
      local fork = openresty(function(text) return text == "1" and 1 or { 7.0, MAX } end)
      with_host({ cjson = fork }, nil, function(fresh)
        assert.equal("float", math.type(fresh.decode("[7]")[1]))
        assert.equal(2.0 ^ 63, fresh.decode("[7,9223372036854775808]")[2])
      end)
    end)
  end

  it("in vim.json where there is no cjson", function()
    local dict, null = {}, io.stderr
    local vim = {
      NIL = null,
      empty_dict = function() return setmetatable({}, dict) end,
      json = {
        decode = function(text)
          if text == "[null]" then return { null } end
          return { a = null, d = setmetatable({}, dict) }
        end,
      },
    }
    with_host({}, vim, function(fresh)
      assert.equal(fresh.null, fresh.decode("[null]")[1])
      local value = fresh.decode '{"a":null,"d":{}}'
      assert.equal("{}", fresh.encode(value.d))
      assert.equal("[null,{}]", fresh.encode { null, vim.empty_dict() })
      assert.equal('{"1":true}', fresh.encode(setmetatable({ true }, dict)))
    end)
  end)

  it("or says that there is none", function()
    with_host({}, nil, function(fresh)
      local value, message = fresh.decode "[1]"
      assert.is_nil(value)
      assert.equal("there is no JSON decoder: install lua-cjson, or set the option json", message)
      assert.same({ 1 }, fresh.decode("[1]", function() return { 1 } end))
      assert.equal("[1]", fresh.encode { 1 })
    end)
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
      local value = json.decode(text)
      assert.equal(expected, value ~= nil, text)
      if expected then assert.is_truthy(json.encode(value), text) end
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
