local core = require("ofox.base.native")("core")
local parts = core.parts

-- RFC 4648, section 10
local VECTORS = {
  { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
  { "foobar", "Zm9vYmFy" }, { "\0", "AA==" }, { "\255\255\255", "////" }, { "\251\239\190", "++++" },
}

local seed = 42
local function random(n)
  seed = (seed * 16807) % 2147483647
  return seed % n
end

local function bytes(n)
  local t = {}
  for i = 1, n do t[i] = string.char(random(256)) end
  return table.concat(t)
end

describe("base64", function()
  it("is that of RFC 4648, both ways, with padding or without", function()
    for _, row in ipairs(VECTORS) do
      assert.are.equal(row[2], parts.base64_encode(row[1]))
      assert.are.equal(row[1], parts.base64_decode(row[2]))
      assert.are.equal(row[1], parts.base64_decode((row[2]:gsub("=", ""))))
    end
  end)

  it("brings all lengths back", function()
    for n = 0, 300 do
      local s = bytes(n)
      local text = parts.base64_encode(s)
      assert.are.equal(math.ceil(n / 3) * 4, #text)
      assert.are.equal(s, parts.base64_decode(text))
    end
  end)

  it("knows its letters and no other, in every place", function()
    local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for byte = 0, 255 do
      local c = string.char(byte)
      local known = letters:find(c, 1, true) ~= nil
      for _, text in ipairs { c .. "AAA", "A" .. c .. "AA", "AA" .. c .. "A", "AAA" .. c, "AAAA" .. c .. "A",
        "AAAAA" .. c, "AAAA" .. c .. "AA", "AAAAAA" .. c, c .. "AAAAAAA" } do
        local got, message = parts.base64_decode(text)
        -- "=" is fine as padding: the last of a whole quad
        if known or text == "AAA=" then
          assert.is_truthy(got, text)
        else
          assert.is_nil(got, ("%q"):format(text))
          assert.are.equal("not base64", message)
        end
      end
    end
  end)

  it("refuses lengths and paddings that cannot be", function()
    for _, text in ipairs { "A", "AAAAA", "=", "==", "===", "====", "A=", "A==", "A===", "AA=", "AAA==", "AAAA=",
      "AAAA==", "AAAA====", "AA==AA==", "AA=A", "=AAA", "AA==\n", " AAAA", "AA AA", "AAAA\n", "AA\0=" } do
      assert.is_nil((parts.base64_decode(text)), ("%q"):format(text))
    end
  end)
end)

describe("core.floats", function()
  local function text(hex)
    return parts.base64_encode((hex:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)))
  end

  it("reads little-endian float32", function()
    assert.are.same({ 1, -2, 0.5, 0 }, core.floats(text("0000803f" .. "000000c0" .. "0000003f" .. "00000000")))
    assert.are.same({ 0.15625, 16777215, -0.1015625 }, core.floats(text("0000203e" .. "ffff7f4b" .. "0000d0bd")))
    assert.are.same({ 2 ^ -149, 2 ^ -126, (2 - 2 ^ -23) * 2 ^ 127 }, core.floats(text("01000000" .. "00008000" ..
      "ffff7f7f")))
    local odd = core.floats(text("0000807f" .. "000080ff" .. "0000c07f" .. "00000080"))
    assert.are.equal(1 / 0, odd[1])
    assert.are.equal(-1 / 0, odd[2])
    assert.is_true(odd[3] ~= odd[3])
    assert.are.equal(-1 / 0, 1 / odd[4])
    assert.are.same({}, core.floats(""))
    local kind = rawget(math, "type")
    if kind then assert.are.equal("float", kind(core.floats(text("0000803f"))[1])) end
  end)

  it("reads any count of them, padded or not", function()
    local one = { "\0\0\128\63", "\0\0\0\64", "\0\0\64\64", "\0\0\128\64", "\0\0\160\64" }
    for _, n in ipairs { 1, 2, 3, 4, 5, 767, 768, 769, 1536, 1537, 7979, 7980, 8000, 8191, 8192, 8193, 10000 } do
      local t = {}
      for i = 1, n do t[i] = one[(i * 7 + math.floor(i / 11)) % 5 + 1] end
      local encoded = parts.base64_encode(table.concat(t))
      for _, s in ipairs { encoded, (encoded:gsub("=", "")) } do
        local list = core.floats(s)
        assert.are.equal(n, #list)
        for i = 1, n do
          if list[i] ~= (i * 7 + math.floor(i / 11)) % 5 + 1 then error(("%d of %d is %g"):format(i, n, list[i])) end
        end
      end
    end
  end)

  it("reads them in a coroutine, whose stack is small", function()
    local encoded = parts.base64_encode(("\0\0\128\63"):rep(4000))
    local list = coroutine.wrap(function() return core.floats(encoded) end)()
    assert.are.equal(4000, #list)
    assert.are.equal(1, list[4000])
  end)

  it("says nil and why to anything else", function()
    for _, s in ipairs { "A", "[1,2]", "AA", "AAA=", "AAAA", "AAAAAAAA", "AAAAA", "AAAAAAA=", "AAAAAA=",
      "\0\0\0\0\0\0", "AAAAA*==",
      ("A"):rep(5456) .. "AA!AA===", ("A"):rep(5460) .. "*A==" } do
      local list, message = core.floats(s)
      assert.is_nil(list, s)
      assert.is_truthy(message:find("^embedding is n"), message)
    end
    assert.has_error(function() core.floats({}) end)
    assert.has_error(function() core.floats() end)
  end)
end)
