local core = require("ofox.base.native")("core")
local parts = core.parts

local KEY = "sk-of-AbC0123456789/+=xyz"

local function redact(text, ...)
  return parts.redact(text, { ... })
end

local function url(s, upper, all)
  return (s:gsub(all and "." or "[^%w%-_.~]", function(c)
    return (upper and "%%%02X" or "%%%02x"):format(c:byte())
  end))
end

local function url_safe(s)
  return (s:gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

-- Secrets with every kind of character that some encoding changes.
local SECRETS = {
  KEY, "12345678", "sk-ofox-aaaaaaaaaaaaaaaaaaaa", "p@ss word:100%/\\\"'<&>", "tab\tnew\nline\r\8\12\1\127end",
  "\228\189\160\229\165\189\229\175\134\231\160\129", "\240\159\148\145key\240\159\148\145", "%41%42%43%44",
  "\\u0041\\u0042", "\255\254\253\252\251\250\249\248", "aaaaaaaaaaaa", "abababababab", ("long"):rep(30),
}

-- How each may come back. JSON writers differ in what they escape.
local SHORT = { ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\""] = "\\\"",
  ["\\"] = "\\\\" }
local function json(s, slash)
  return (s:gsub("[%c\"\\/]", function(c)
    if c == "/" then return slash and "\\/" or "/" end
    return SHORT[c] or ("\\u%04x"):format(c:byte())
  end))
end
local function json_hex(s, upper)
  return (s:gsub("[^%w\128-\255]", function(c) return (upper and "\\u%04X" or "\\u%04x"):format(c:byte()) end))
end

-- As templates write into pages, from the bold to the careful.
local NAMED = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;", ["'"] = "&apos;" }
local function html(s, form)
  if not form then return (s:gsub("[&<>\"']", NAMED)) end
  return (s:gsub("[^%w\128-\255]", function(c) return form:format(c:byte()) end))
end

local ENCODINGS = {
  { "in a page", html },
  { "in a page by numbers", function(s) return html(s, "&#%d;") end },
  { "in a page by padded hex", function(s) return html(s, "&#x%04X;") end },
  { "raw", function(s) return s end },
  { "URL, upper case", function(s) return url(s, true) end },
  { "URL, lower case", function(s) return url(s, false) end },
  { "URL, each byte", function(s) return url(s, true, true) end },
  { "form", function(s) return (url(s, true):gsub("%%20", "+")) end },
  { "base64", parts.base64_encode },
  { "base64 for URLs", function(s) return url_safe(parts.base64_encode(s)) end },
  { "base64, URL-encoded", function(s) return url(parts.base64_encode(s), false) end },
  { "JSON", json },
  { "JSON with \\/", function(s) return json(s, true) end },
  { "JSON, all escaped", json_hex },
  { "JSON, all escaped in capitals", function(s) return json_hex(s, true) end },
}

describe("a secret", function()
  for _, encoding in ipairs(ENCODINGS) do
    it("[F3] is found " .. encoding[1], function()
      for _, secret in ipairs(SECRETS) do
        local text = encoding[2](secret)
        local got = redact("key=<" .. text .. ">.", secret)
        -- the last letter of base64 may hold nothing but a few bits of it
        assert.is_truthy(got:find("^key=<%*%*%*[%w+/_%-=%%]?[%w+/_%-=%%]*>%.$"), ("%q gave %q"):format(text, got))
        assert.is_true(#got <= #"key=<***>." + 7, got)
        assert.are.equal("***", (redact(text, secret):sub(1, 3)))
      end
    end)
  end

  it("[F3] is found in base64 behind and before anything", function()
    for before = 0, 8 do
      for after = 0, 8 do
        for _, secret in ipairs(SECRETS) do
          local plain = ("\195"):rep(before) .. secret .. ("\60"):rep(after)
          for _, text in ipairs { parts.base64_encode(plain), url_safe(parts.base64_encode(plain)) } do
            local got = redact(text, secret)
            local head, tail = got:match("^(.-)%*%*%*(.*)$")
            assert.is_truthy(head, text)
            -- at each end at most one letter that is partly the secret's
            assert.is_true(#head <= math.ceil(before * 4 / 3), got)
            assert.is_true(#tail <= math.ceil(after * 4 / 3) + 4, got)
          end
        end
      end
    end
  end)

  it("[F3] is found in UTF-16 escapes as Python and Java write them", function()
    assert.are.equal("\"***\"", redact("\"\\u4f60\\u597d\\u5bc6\\u7801\"", SECRETS[6]))
    assert.are.equal("\"***\"", redact("\"\\ud83d\\udd11key\\uD83D\\uDD11\"", SECRETS[7]))
    local lone = "\"\\ud83d\\u0041key\\uD83D\\uDD11\""
    assert.are.equal(lone, redact(lone, SECRETS[7]))
    assert.are.equal("\\ud83d\\ue011keykey", redact("\\ud83d\\ue011keykey", "\240\159\160\145keykey"))
  end)

  it("[F3] is found in JSON within JSON", function()
    local secret = "abc/def\"ghi<jkl"
    local once = json(secret, true)
    local twice = json(once)
    assert.are.equal("{\"e\":\"***\"}", redact("{\"e\":\"" .. once .. "\"}", secret))
    assert.are.equal("{\"e\":\"***\"}", redact("{\"e\":\"" .. twice .. "\"}", secret))
    assert.are.equal("{\"e\":\"***\"}", redact("{\"e\":\"" .. json(twice) .. "\"}", secret))
  end)

  it("[F3] is found as often as it stands there", function()
    assert.are.equal("*** and *** and ***", redact(KEY .. " and " .. KEY .. " and " .. url(KEY), KEY))
    assert.are.equal("***", redact(KEY .. KEY, KEY))
    assert.are.equal("x***", redact("x" .. KEY, KEY))
    assert.are.equal("***x", redact(KEY .. "x", KEY))
  end)

  it("[F3] leaves no tail of a longer one, nor of one it overlaps", function()
    for _, secrets in ipairs { { "abcdefgh", "abcdefghijkl" }, { "abcdefghijkl", "abcdefgh" } } do
      assert.are.equal("<***>", parts.redact("<abcdefghijkl>", secrets))
      assert.are.equal("<***ij>", parts.redact("<abcdefghij>", secrets))
    end
    assert.are.equal("<***>", redact("<abcdefghijklmnop>", "abcdefgh", "efghijklmnop"))
    assert.are.equal("<***>", redact("<abcdefghijklmnop>", "efghijklmnop", "abcdefgh"))
    assert.are.equal("<***>", redact("<abcdefghijklmnop>", "cdefghijk", "abcdefghijklmnop", "ijklmnop"))
    assert.are.equal("<***>", redact("<abcdefghijklmnop>", "cdefghijk", "abcdefghijklmnop"))
    assert.are.equal("<***>", redact("<" .. ("a"):rep(20) .. ">", ("a"):rep(12)))
    assert.are.equal("<***>", redact("<ababababababab>", "abababababab"))
    assert.are.equal("<***b>", redact("<abababababb>", "ababababab"))
  end)

  it("[F3] is found where the end of the text has cut it", function()
    local secret = "sk-of-0123/456789"
    for n = 8, #secret do
      assert.are.equal("key ***", redact("key " .. secret:sub(1, n), secret), secret:sub(1, n))
    end
    for n = 0, 7 do
      assert.are.equal("key " .. secret:sub(1, n), redact("key " .. secret:sub(1, n), secret))
    end
    for _, text in ipairs { "sk-of-0123%2F456789", "sk-of-0123\\/456789", "sk-of-0123\\u002f456789",
      "sk\\u002dof\\u002d0123\\u002f" } do
      for n = 22, #text do
        assert.are.equal("***", redact(text:sub(1, n), secret), text:sub(1, n))
      end
    end
    for _, text in ipairs { "sk-of-0123%", "sk-of-0123%2", "sk-of-0123\\", "sk-of-0123\\u", "sk-of-0123\\u002" } do
      assert.are.equal("***", redact(text, secret))
    end
    local encoded = parts.base64_encode("ab" .. secret)
    assert.are.equal("YWJ***", redact(encoded:sub(1, 14), secret))
  end)

  it("does not touch innocent text", function()
    for _, text in ipairs { "", "sk-of-", "sk-of-AbC0123456789", "sk-of-abc0123456789/+=xyz", "%", "%%", "\\", "\\u",
      "***", "%zz\\uzzzz" .. ("x"):rep(20), "sk-of-AbC0123456789x+=xyz", "sk-of-AbC0123456789%2", ("%"):rep(50),
      ("\\"):rep(50), "\\u002" } do
      assert.are.equal(text .. "!", redact(text .. "!", KEY))
    end
    assert.are.equal("abc", parts.redact("abc", {}))
  end)

  it("of less than 8 characters is none", function()
    assert.are.equal("1234567 abc", redact("1234567 abc", "1234567", "abc", ""))
    assert.are.equal("*** abc", redact("12345678 abc", "12345678", "12345678"))
  end)

  it("never makes a text longer, whatever it is", function()
    local seed = 11
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    local pieces = { "aaaaaaaa", "a", "%61", "%", "\\u0061", "\\", "\\\\", "b", "YWFh", "YWFhYWFhYWE", "%6", "\\u00",
      "\0", "\255", "+", " " }
    for _ = 1, 3000 do
      local t = {}
      for i = 1, random(20) do t[i] = pieces[random(#pieces)] end
      local text = table.concat(t)
      local got = redact(text, "aaaaaaaa", "aabaaaab", "a a a a a")
      assert(#got <= #text)
      assert(not got:find("aaaaaaaa", 1, true), text)
      assert.are.equal(got, redact(got, "aaaaaaaa", "aabaaaab", "a a a a a"))
    end
  end)

  it("costs little in hostile text", function()
    local text = ("\\"):rep(65536) .. ("%6"):rep(30000) .. ("a"):rep(65536)
    local start = os.clock()
    redact(text, "aaaaaaab" .. ("a"):rep(40), ("%6"):rep(20) .. "x")
    assert.is_true(os.clock() - start < 2)
  end)

  it("[R3] takes a time that grows with the text alone, however long it is and repeats itself", function()
    -- a search that starts anew at each byte would take minutes here
    local long = ("a"):rep(65535)
    local texts = { ("a"):rep(2 ^ 21), ("%61"):rep(2 ^ 19), ("\\u0061"):rep(2 ^ 18), ("\\\\u0061"):rep(2 ^ 18) }
    for _, text in ipairs(texts) do
      assert.are.equal(text, redact(text .. "!", long .. "c"):gsub("!$", ""), nil)
      assert.are.equal("***", redact(text, long))
    end
  end)

  it("[R3] is found in JSON as often within JSON as it comes, also where its own text looks escaped", function()
    for _, secret in ipairs {
      "abc\\def\"ghi", "C:\\new\\u0041\\key", "line\nbreak/\228\189\160\229\165\189", "tab\\ttab\\\\x",
    } do
      local text = secret
      for depth = 1, 6 do
        text = json(text, depth % 2 == 0)
        assert.are.equal("{***}", redact("{" .. text .. "}", secret), depth)
      end
    end
  end)

  it("longer than any key is refused", function()
    local long = {}
    for i = 1, 8192 do long[i] = ("%08d"):format(i) end
    long = table.concat(long)
    assert.are.equal("***", redact(long, long))
    assert.has_error(function() redact("x", long .. "x") end)
  end)
end)
