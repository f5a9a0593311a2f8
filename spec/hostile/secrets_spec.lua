-- A server that shows back all it was told, in every place and encoding: no
-- secret comes through to where a program, a log or a person would see it.
local mime = require "mime"
local calls = require "support.calls"
local child = require "support.child"
local ofox = require "ofox"
local server = require "support.server"

-- With characters that URLs, JSON and base64 each write in their own way.
local KEY = 'sk-of/s3cr3t+pa="ss\\w0rd-0123456789'
local PARAMS = calls.PARAMS
local OK = server.completion("hello")

local s

-- How a secret may be written.

local function percent(text, format, all)
  return (text:gsub(all and "." or "[^%w%-._~]", function(c) return format:format(c:byte()) end))
end

local function json_escape(text)
  return (text:gsub('["\\/]', "\\%0"))
end

local function base64_url(text)
  return ((mime.b64(text)):gsub("[+/]", { ["+"] = "-", ["/"] = "_" }):gsub("=", ""))
end

local ENCODINGS = {
  { "raw", function(text) return text end },
  { "URL-encoded", function(text) return percent(text, "%%%02X") end },
  { "URL-encoded in lower case", function(text) return percent(text, "%%%02x") end },
  { "URL-encoded throughout", function(text) return percent(text, "%%%02X", true) end },
  { "JSON-escaped", json_escape },
  { "JSON-escaped twice", function(text) return json_escape(json_escape(text)) end },
  { "JSON-escaped throughout", function(text) return percent(text, "\\u%04x", true) end },
  { "base64", function(text) return (mime.b64(text)) end },
  { "base64, one byte on", function(text) return (mime.b64("x" .. text)) end },
  { "base64, two bytes on", function(text) return (mime.b64("xx" .. text .. "yy")) end },
  { "base64 for URLs", base64_url },
}

-- How it is found again: any way of reading the text that shows enough of it.

local function unbase64(text)
  local found = {}
  for run in text:gsub("[-_]", { ["-"] = "+", ["_"] = "/" }):gmatch("[%w+/]+") do
    for skip = 1, 4 do
      found[#found + 1] = #run >= 12 and mime.unb64(run:sub(skip)) or ""
    end
  end
  return table.concat(found, " ")
end

local function decode_hex(hex) return string.char(tonumber(hex, 16)) end

local function readings(text)
  local url = text:gsub("%%(%x%x)", decode_hex)
  local json = text:gsub("\\+u00(%x%x)", decode_hex)
  return { text, url, json, (json:gsub("\\+(.)", "%1")), (json:gsub("\\+/", "/"):gsub('\\+"', '"')), unbase64(text) }
end

-- Any 8 characters in a row that are in the secret and in nothing else here.
local function assert_hidden(secret, text, what)
  for _, reading in ipairs(readings(text)) do
    for i = 1, #secret - 7 do
      if reading:find(secret:sub(i, i + 7), 1, true) then
        error(("%s shows %q of the secret: %s"):format(what, secret:sub(i, i + 7), text:sub(1, 300)), 2)
      end
    end
  end
end

local function dump(value, out, seen)
  if type(value) ~= "table" then
    out[#out + 1] = tostring(value)
  elseif not seen[value] then
    seen[value] = true
    for key, item in pairs(value) do
      dump(key, out, seen)
      dump(item, out, seen)
    end
    local meta = getmetatable(value)
    if type(meta) == "table" and meta.__tostring then out[#out + 1] = tostring(value) end
  end
  return out
end

local function shown(value)
  return table.concat(dump(value, {}, {}), "\n")
end

-- A client that notes all that its program could see.
local function watched(opts)
  local notes = {}
  local function note(...) notes[#notes + 1] = { ... } end
  local c = calls.client({
    api_key = KEY, base_url = s.url, max_retries = 1,
    logger = note, on_retry = note, on_error = note, on_response = note, on_wait = note,
  }, opts)
  notes[1] = { c, tostring(c) }
  return c, notes
end

local function assert_secret(secret, steps, opts)
  steps.repeat_last = true
  s:script(steps)
  local c, notes = watched(opts)
  local res, err = c:chat(PARAMS)
  assert.is_nil(res)
  local text = shown { err, notes, tostring(err) }
  assert_hidden(secret, text, err.type)
  assert.is_true(#notes >= 4, "nothing was noted")
  return err
end

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("the means of this spec", function()
  it("find every encoding of a secret", function()
    for _, row in ipairs(ENCODINGS) do
      local ok = pcall(assert_hidden, KEY, "before " .. row[2](KEY) .. " after", "text")
      assert.is_false(ok, row[1])
    end
    assert_hidden(KEY, "before sk-*** after", "text")
  end)
end)

describe("the key", function()
  it("does go out, as it is", function()
    s:script { { body = OK } }
    assert((watched()):chat(PARAMS))
    assert.equal("Bearer " .. KEY, s:log()[1].headers.authorization)
  end)

  for _, row in ipairs(ENCODINGS) do
    local name, encoded = row[1], row[2](KEY)
    local quoted = (name == "raw" and json_escape(encoded)) or encoded

    it("[F3] echoed " .. name .. " is hidden in every place", function()
      local err = assert_secret(KEY, { { status = 500, body = "Bad key: " .. encoded .. " (really)" } })
      assert.is_truthy(err.message:find("***", 1, true), err.message)
      assert.is_truthy(err.body:find("***", 1, true), err.body)
      assert.matches("^Bad key: .*%(really%)$", err.message)

      err = assert_secret(KEY, { { status = 401, body = '{"error":{"message":"Incorrect API key provided: ' .. quoted
        .. '.","type":"x' .. quoted .. '","code":"' .. quoted .. '","param":"' .. quoted .. '"}}' } })
      assert.is_truthy(err.message:find("***", 1, true), err.message)
      assert.is_truthy(err.body:find("***", 1, true), err.body)

      err = assert_secret(KEY, { { status = 502, body = "<html><title>No " .. encoded .. "</title><h1>" .. encoded
        .. "</h1></html>" } })
      assert.is_truthy(err.message:find("***", 1, true), err.message)

      err = assert_secret(KEY, { { status = 503, body = "{}", headers = { { "X-Echo", encoded },
        { "X-Request-Id", encoded }, { "Set-Cookie", "a=" .. encoded .. "; path=/" } } } })
      assert.is_truthy(err.headers["x-echo"]:find("***", 1, true), err.headers["x-echo"])
      assert.is_truthy(err.request_id:find("***", 1, true))

      err = assert_secret(KEY, { { status = 200, body = '{"error":{"code":429,"message":"' .. quoted .. '"}}' } })
      assert.is_truthy(err.message:find("***", 1, true), err.message)

      assert_secret(KEY, { { status = 200, body = "broken " .. encoded } })
      assert_secret(KEY, { { raw = "HTTP/1.1 200 OK\r\nX-Echo: " .. encoded .. "\r\nContent-Length: 1000\r\n\r\n"
        .. encoded, close = true } })

      err = assert_secret(KEY, { { status = 307,
        headers = { { "Location", "https://elsewhere.test/?key=" .. encoded .. "&x=1" } } } })
      assert.same({ "redirect", true }, { err.code, err.message:find("elsewhere.test", 1, true) ~= nil })
      assert.is_truthy(err.message:find("***", 1, true), err.message)
    end)

    it("[F3] echoed " .. name .. " is hidden when it comes in pieces", function()
      local chunks = { "Bad key: " }
      for c in encoded:gmatch(".") do chunks[#chunks + 1] = c end
      chunks[#chunks + 1] = " (really)"
      local err = assert_secret(KEY, { { status = 500, chunks = chunks, drip = 0.0001, drip_size = 7 } })
      assert.matches("^Bad key: .*%*%*%*.*%(really%)$", err.body)
    end)

    it("[F3] echoed " .. name .. " is hidden where text is cut", function()
      for n = 1000, 1024, 3 do
        assert_secret(KEY, { { status = 500, body = ("x"):rep(n) .. encoded .. ("y"):rep(100) } }, { max_retries = 0 })
      end
      for n = 65536 - #encoded, 65536, 5 do
        assert_secret(KEY, { { status = 500, body = ("x"):rep(n) .. encoded .. ("y"):rep(100) } }, { max_retries = 0 })
      end
    end)

    it("[F3] echoed " .. name .. " is hidden when its end never comes", function()
      for n = 8, #encoded - 1, 3 do
        assert_secret(KEY, { { raw = "HTTP/1.1 500 X\r\nContent-Length: 1000\r\n\r\nkey: " .. encoded:sub(1, n),
          close = true } }, { max_retries = 0 })
        assert_secret(KEY, { { status = 500, body = ("x"):rep(100) .. encoded .. "yy" } },
          { max_retries = 0, max_response_bytes = 100 + n })
      end
    end)

    it("[F3] echoed " .. name .. " beside a success is hidden in its meta", function()
      s:script { { body = OK, headers = { { "X-Echo", encoded }, { "X-Request-Id", encoded } } } }
      local c, notes = watched()
      local res = assert(c:chat(PARAMS))
      assert.is_truthy(res:meta().headers["x-echo"]:find("***", 1, true))
      assert_hidden(KEY, shown { res:meta(), ofox.meta(res), res, notes }, "meta")
    end)
  end

  it("[F3] of an earlier attempt is hidden too", function()
    local first, second = "sk-first-0123456789", "sk-second-9876543210"
    local keys = { first, second }
    local echo = { status = 500, body = first .. " or " .. second }
    local err = assert_secret(first, { echo }, { api_key = function() return table.remove(keys, 1) end })
    assert_hidden(second, shown(err), "the error")
    assert.equal("*** or ***", err.message)
  end)

  it("[F3] is in nothing that a failing connection says", function()
    for _, step in ipairs { { raw = "", close = true }, { raw = "", close = "rst" },
      { raw = KEY .. "\r\n", close = true },
      { raw = "HTTP/1.1 200 " .. KEY .. "\r\nContent-Length: " .. KEY .. "\r\n\r\n", close = true },
      { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. KEY .. "\r\n", close = true },
      { raw = "HTTP/1.1 200 OK\r\nContent-Encoding: " .. KEY .. "\r\nContent-Length: 2\r\n\r\n{}", close = true } } do
      assert_secret(KEY, { step })
    end
  end)

  it("[F3] is in no log of the environment, traceback or message of an uncaught error", function()
    s:script { { status = 503, body = "echo " .. KEY, headers = { { "X-Echo", KEY } } }, repeat_last = true }
    local code = [[
      local url, key = ...
      local client = require "ofox".new {
        api_key = key, base_url = url, max_retries = 1, proxy = false,
        retry = { base = 0.01, factor = 1, max_delay = 0.01, jitter = "none" },
      }
      local function call() client:chat { model = "m", messages = {} } end
      print(xpcall(call, function(err) return debug.traceback(tostring(err)) end))
      local _, err = pcall(call)
      print(err)
      local _, misuse = pcall(client.chat, client, { model = "m" }, { headers = { [key .. "\n"] = key .. "\n" } })
      print(misuse)
      call()
    ]]
    local run = child.run { code = code, args = { s.url, KEY }, env = { "OFOX_LOG=debug" } }
    assert.equal(1, run.status)
    assert.matches("ofox debug: ", run.errors)
    assert.matches("service_unavailable", run.output)
    assert_hidden(KEY, run.output .. run.errors, "a child")
  end)
end)

describe("other secrets", function()
  local PASSWORD = "passw0rd-long"

  local function echo_of(text)
    return { status = 500, body = "got " .. text .. " and basic " .. mime.b64("user:" .. text),
      headers = { { "X-Echo", text }, { "X-Basic", mime.b64("user:" .. text) } } }
  end

  local function with_user(userinfo)
    return (s.url:gsub("^http://", "http://" .. userinfo:gsub("%%", "%%%%") .. "@"))
  end

  it("[F3] a password in the URL: sent, and shown nowhere", function()
    local err = assert_secret(PASSWORD, { echo_of(PASSWORD) },
      { base_url = with_user("user:" .. PASSWORD), api_key = false })
    assert.is_truthy(err.message:find("***", 1, true))
    assert.is_truthy(err.url:find("127.0.0.1", 1, true))
    assert.equal("Basic " .. mime.b64("user:" .. PASSWORD), s:log()[1].headers.authorization)
  end)

  it("[F3] a password in the URL, with a key: the key is sent", function()
    assert_secret(PASSWORD, { echo_of(PASSWORD) }, { base_url = with_user("user:" .. PASSWORD) })
    assert.equal("Bearer " .. KEY, s:log()[1].headers.authorization)
  end)

  it("[F3] a password in the URL that is percent-encoded: hidden in both ways", function()
    local meant, written = "p@ss/word:0123", "p%40ss%2Fword:0123"
    local opts = { base_url = with_user("user:" .. written), api_key = false }
    assert_secret(meant, { echo_of(meant) }, opts)
    assert.equal("Basic " .. mime.b64("user:" .. meant), s:log()[1].headers.authorization)
    assert_secret(written, { echo_of(written) }, opts)
  end)

  it("[F3] a password in the URL: not in what failing connections say", function()
    for _, base in ipairs { server.refused_url(), "http://" .. ("x"):rep(64) .. ".invalid/v1" } do
      assert_secret(PASSWORD, {}, { base_url = (base:gsub("://", "://user:" .. PASSWORD .. "@")) })
    end
    local redirect = { status = 302, headers = { { "Location", with_user("user:" .. PASSWORD) .. "/x" } } }
    local err = assert_secret(PASSWORD, { redirect }, { base_url = with_user("user:" .. PASSWORD) })
    assert.equal("redirect", err.code)
  end)

  it("[F3] a proxy's password: sent to it, and shown nowhere", function()
    local proxy = ("http://user:%s@%s:%d"):format(PASSWORD, s.host, s.port)
    local opts = { proxy = proxy, base_url = "http://gateway.test/v1" }
    local err = assert_secret(PASSWORD, { echo_of(PASSWORD) }, opts)
    assert.is_truthy(err.message:find("***", 1, true))
    local request = s:log()[1]
    assert.equal("Basic " .. mime.b64("user:" .. PASSWORD), request.headers["proxy-authorization"])
    assert.equal("http://gateway.test/v1/chat/completions", request.path)
    assert_secret(KEY, { echo_of(KEY) }, opts)
  end)

  it("[F3] a proxy that answers 407 says no secret", function()
    local denied = echo_of(PASSWORD)
    denied.status = 407
    denied.headers[3] = "Proxy-Authenticate: Basic realm=x"
    local err = assert_secret(PASSWORD, { denied }, {
      proxy = ("http://user:%s@%s:%d"):format(PASSWORD, s.host, s.port), base_url = "http://gateway.test/v1",
      max_retries = 3,
    })
    assert.same({ "authentication_error", "proxy_authentication_required", 407, 1 },
      { err.type, err.code, err.status, err.attempts })
  end)

  it("[F3] a proxy that cannot be reached says no secret", function()
    local refused = server.refused_url():gsub("/v1$", ""):gsub("://", "://user:" .. PASSWORD .. "@")
    local err = assert_secret(PASSWORD, {}, { proxy = refused })
    assert.same({ "connection_error", "refused" }, { err.type, err.code })
    err = assert_secret(PASSWORD, {}, { proxy = ("http://user:%s@%s.invalid:1"):format(PASSWORD, ("x"):rep(64)) })
    assert.same({ "connection_error", "dns" }, { err.type, err.code })
  end)

  for _, row in ipairs {
    { "Authorization", "Bearer %s" }, { "Authorization", "Basic %s" }, { "Authorization", "%s" }, { "X-Api-Key", "%s" },
    { "api-key", "%s" }, { "Cookie", "%s" }, { "X-Goog-Api-Key", "%s" }, { "X-Auth-Token", "%s" },
    { "X-Client-Secret", "%s" },
  } do
    it(("[F3] the program's own %s: %s"):format(row[1], row[2]:format("…")), function()
      local own = "own-secret/0123456789"
      local err = assert_secret(own, { echo_of(own) }, { headers = { [row[1]] = row[2]:format(own) } })
      assert.is_truthy(err.message:find("***", 1, true))
      assert.equal(row[2]:format(own), s:log()[1].headers[row[1]:lower()])
    end)
  end

  it("a short word is no secret: it would tear texts apart", function()
    s:script { { status = 400, body = '{"error":{"message":"model user is unknown"}}' } }
    local _, err = (watched { api_key = false, base_url = with_user("user:abc") }):chat(PARAMS)
    assert.equal("model user is unknown", err.message)
  end)
end)

-- What a recording is for is shown to others: it is kept beside a program's tests.
describe("a recording", function()
  local json = require "ofox.json"
  local mock = require "ofox.mock"
  local parts = require "ofox.base.native" "core".parts
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  -- What stands in the file, line by line: as it is, and what each line says, with the pieces of a body in a row.
  local function texts()
    local list = {}
    for line in io.lines(path) do
      list[#list + 1] = line
      local value, pieces = json.decode(line), {}
      for _, moment in ipairs(value.moments or {}) do
        local text = moment[3]
        if type(text) == "table" then text = parts.base64_decode(text.base64) end
        if moment[2] == "body" then pieces[#pieces + 1] = text else list[#list + 1] = tostring(text) end
        list[#list + 1] = tostring(moment[5])
      end
      local body = value.body
      if type(body) == "table" then body = parts.base64_decode(body.base64) end
      list[#list + 1] = body
      list[#list + 1] = table.concat(pieces)
    end
    return list
  end

  -- Calls, and looks for the secret in all of the file. Returns the file.
  local function record(secret, steps, call, opts)
    steps.repeat_last = true
    s:script(steps)
    local c = watched(calls.with({ transport = mock.record(path), max_retries = 1 }, opts))
    call(c)
    local list = texts()
    for _, text in ipairs(list) do assert_hidden(secret, text, "the recording") end
    return table.concat(list, "\n")
  end

  local function chat(c) c:chat(PARAMS) end

  for _, row in ipairs(ENCODINGS) do
    it("has no key, where the server says it " .. row[1], function()
      local said = row[2](KEY)
      local echo = { status = 503, body = "got " .. said .. " here", headers = { { "X-Echo", said } } }
      local file = record(KEY, { echo }, chat)
      assert.matches("got [^*]*%*%*%*", file)
    end)

    it("has no key that comes in pieces, " .. row[1], function()
      local said = "\255 got " .. row[2](KEY) .. " here"
      local chunks = {}
      for i = 1, #said, 3 do
        chunks[#chunks + 1] = said:sub(i, i + 2)
        chunks[#chunks + 1] = { pause = 0.001 }
      end
      record(KEY, { { chunks = chunks, headers = { ["content-type"] = "audio/wav" } } },
        function(c) c:request { path = "/x", body = "\254" .. said, raw = true } end)
    end)
  end

  it("has no key that a function returns, and none in what is sent", function()
    record(KEY, { { body = OK } }, function(c)
      c:chat { model = KEY, messages = { { role = "user", content = "my key is " .. KEY } } }
      c:request { path = "/x", query = { token = "tiny", q = KEY } }
    end, { api_key = function() return KEY end })
    for line in io.lines(path) do assert.is_nil(line:find("tiny", 1, true)) end
  end)

  it("has no cookie of the server, and no secret of the program's own", function()
    local own = "own-secret/0123456789"
    record(own, { { body = '{"x":"' .. own .. '"}', headers = { { "X-Echo", own } } } }, chat,
      { headers = { Cookie = "a=" .. own } })
    local file = record("s3ss10n-of-the-server", { { body = OK,
      headers = { { "Set-Cookie", "a=s3ss10n-of-the-server; Secure" } } } }, chat)
    assert.matches("Set%-Cookie: %*%*%*\\r\\n", file)
  end)

  it("has no password of a URL", function()
    local password = "passw0rd-long"
    record(password, { { body = OK, headers = { { "X-Echo", "user:" .. password } } } }, chat,
      { base_url = s.url:gsub("^http://", "http://user:" .. password .. "@") })
  end)
end)
