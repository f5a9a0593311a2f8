-- JSON that goes out: what the writer sends and refuses; and which decoder is
-- found in which host.
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local cjson = require "cjson"
local child = require "support.child"

local NAN, HUGE = 0 / 0, math.huge
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

  it("takes deep objects of many names", function()
    -- Lua 5.1 gives a C function 8,000 slots of its stack
    local value, text = json.object {}, "{}"
    for _ = 1, 900 do
      local around, names = { z = value }, {}
      for k = 10, 30 do
        around["k" .. k] = k
        names[#names + 1] = ('"k%d":%d,'):format(k, k)
      end
      value, text = around, "{" .. table.concat(names) .. '"z":' .. text .. "}"
    end
    assert.is_true(text == json.encode(value))
  end)

  for _, width in ipairs { 1, 23, 24, 40 } do
    it(("takes 1000 levels of %d names each"):format(width + 1), function()
      local value = { z = 1 }
      for _ = 2, 1000 do
        value = { z = value }
        for i = 1, width do value["a" .. i] = i end
      end
      local text = encoded(value)
      assert.equal(text, encoded(json.decode(text)))
    end)
  end

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

-- Other hosts' libraries, played: a fresh ofox.json that finds 'modules' and
-- the global 'vim'. The marks it leaves are taken back.
local function with_host(modules, vim, fn)
  local loaded, marks, was_vim = {}, {}, rawget(_G, "vim")
  local metatable = getmetatable(core.json_marks)
  for _, name in ipairs { "cjson", "ofox.json" } do
    loaded[name], package.loaded[name] = package.loaded[name], modules[name]
  end
  for key, value in pairs(core.json_marks) do marks[key] = value end
  local preload = package.preload.cjson
  package.preload.cjson = modules.preload or function() error "no cjson here" end
  rawset(_G, "vim", vim)
  local ok, message = pcall(function() fn(require "ofox.json") end)
  rawset(_G, "vim", was_vim)
  package.preload.cjson = preload
  setmetatable(core.json_marks, nil)
  for key in pairs(core.json_marks) do core.json_marks[key] = marks[key] end
  for key, value in pairs(marks) do core.json_marks[key] = value end
  setmetatable(core.json_marks, metatable)
  for name, module in pairs(loaded) do package.loaded[name] = module end
  if not ok then error(message, 0) end
end

describe("ofox.json and other libraries", function()
  local function openresty()
    return { array_mt = {}, empty_array_mt = {}, empty_array = io.stderr }
  end

  local function check_marks(fresh, fork)
    local value = fresh.decode '{"a":[],"n":1}'
    assert.equal(fork.array_mt, getmetatable(value.a))
    assert.equal(fork.array_mt, getmetatable(fresh.array {}))
    assert.equal('{"a":[]}', fresh.encode { a = value.a })
    assert.equal("[]", fresh.encode(setmetatable({}, fork.empty_array_mt)))
    assert.equal("[[]]", fresh.encode { fork.empty_array })
    assert.equal("[1]", fresh.encode(setmetatable({ 1 }, fork.array_mt)))
  end

  it("marks arrays as OpenResty's cjson does", function()
    local fork = openresty()
    with_host({ cjson = fork }, nil, function(fresh) check_marks(fresh, fork) end)
  end)

  it("loads cjson for the first empty array, and not before", function()
    local fork, count = openresty(), 0
    local function preload()
      count = count + 1
      return fork
    end
    with_host({ preload = preload }, nil, function(fresh)
      assert.same({ a = { 1 }, b = {} }, fresh.decode '{"a":[1],"b":{}}')
      assert.equal("[{}]", fresh.encode { setmetatable({}, {}) })
      assert.equal(0, count)
      check_marks(fresh, fork)
      assert.equal(1, count)
    end)
    with_host({ preload = preload }, nil, function(fresh)
      assert.equal(fork.array_mt, getmetatable(fresh.array {}))
      assert.equal(2, count)
    end)
  end)

  it("knows the marks of a cjson that the program loads later", function()
    local fork = openresty()
    with_host({}, nil, function(fresh)
      assert.equal("[{}]", fresh.encode { setmetatable({}, fork.empty_array_mt) })
      package.loaded.cjson = fork
      assert.equal("[[],[]]", fresh.encode { setmetatable({}, fork.empty_array_mt), fork.empty_array })
      check_marks(fresh, fork)
    end)
    with_host({}, nil, function(fresh)
      local own = fresh.decode "[]" -- marked before there was another mark
      package.loaded.cjson = fork
      assert.equal("[[],[],[]]", fresh.encode { own, setmetatable({}, fork.array_mt), fresh.array() })
    end)
  end)

  it("marks arrays without any cjson, and with one that has no marks", function()
    for _, modules in ipairs { {}, { cjson = {} }, { cjson = true } } do
      with_host(modules, nil, function(fresh)
        assert.equal('[[],{}]', fresh.encode(fresh.decode "[[],{}]"))
        assert.equal("[]", fresh.encode(fresh.array()))
        assert.is_nil(fresh.cjson())
      end)
    end
  end)

  it("writes what stands for null and for an object in Neovim", function()
    local dict, null = {}, io.stderr
    local vim = { NIL = null, empty_dict = function() return setmetatable({}, dict) end }
    with_host({}, vim, function(fresh)
      assert.equal(fresh.null, fresh.decode("[null]", function() return { null } end)[1])
      assert.equal("[null,{}]", fresh.encode { null, vim.empty_dict() })
      assert.equal('{"1":true}', fresh.encode(setmetatable({ true }, dict)))
    end)
  end)

  it("has null equal to cjson.null, whichever comes first", function()
    for _, order in ipairs { { "cjson", "ofox.json" }, { "ofox.json", "cjson" } } do
      local result = child.run { code = ([[
        require "%s"
        require "%s"
        local null = require "cjson".null
        io.write(tostring(null == require "ofox.json".null and require "ofox.json".decode("[null]")[1] == null))
      ]]):format(order[1], order[2]) }
      assert.same({ "true", "" }, { result.output, result.errors })
    end
  end)
end)
