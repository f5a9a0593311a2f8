-- What a server may make us read, hold and write: bounded, whatever it sends.
local calls = require "support.calls"
local child = require "support.child"
local server = require "support.server"
local stopwatch = require "support.stopwatch"
local wire = require "support.wire"

local KEY = "sk-of-limits-0123456789"
local OK = server.completion("hello")
local MIB = 1024 * 1024
local LITTLE = 64 * MIB -- against 100 MB and more; a sanitizer keeps freed memory for a while
local HUNDRED_MB = { bytes = (" "):rep(65536), times = 1600 }

local s

local function ask(step, opts)
  s:script { step }
  return calls.client({ api_key = KEY, base_url = s.url, max_retries = 0, max_response_bytes = MIB }, opts)
    :chat(calls.PARAMS)
end

-- The most memory that this process ever held, in bytes.
local function peak()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmHWM:%s*(%d+) kB")
    if kb then return tonumber(kb) * 1024 end
  end
end

-- An item for the server: gzip of zeros without end, 2,064 of them for 13
-- bytes. Deflate with fixed codes (RFC 1951, 3.2.6): a literal 0, then copies
-- of 258 bytes from distance 1, each 11000101 00000; eight are 13 bytes.
local function gzip_bomb(times)
  local bits = { "1", "10", "00110000" } -- last block; fixed codes; literal 0
  local copies = ("1100010100000"):rep(8)
  local function pack(text)
    return (text:gsub(("."):rep(8), function(octet) return string.char(tonumber(octet:reverse(), 2)) end))
  end
  local head = table.concat(bits)
  -- the copies begin inside the second byte and go round in it
  local first = pack((head .. copies):sub(1, 16))
  local round = pack((copies .. copies):sub(16 - #head + 1, 16 - #head + #copies))
  return {
    "\31\139\8\0\0\0\0\0\0\3" .. first,
    { bytes = round:rep(1024), times = times },
  }
end

-- 100 MiB of zeros; node: zlib.brotliCompressSync(Buffer.alloc(100 * 2 ** 20))
local BROTLI_BOMB = wire.unhex(
  "cbffff3ff82700e2b14020f7fe8fffff7ff04f00c4611180eefd1fffffffe09f0088c30200ddfb3ffeffffc13f011087"
  .. "0500baf77ffcffff837f02200e0b0074effff8ffff07ff04401c1600e8defff1ffff0ffe0980382c00d0bdffe3ffff1f"
  .. "fc1300715800a07bffc7ffff3ff82700e2b00040f7fe8fffff7ff04f00c4610180eefd1fffffffe09f0088c30200ddfb"
  .. "3ffeffffc13f0110870500baf77ff9ffff837f02200e0b0074ef7f00")

local function with_coding(items, coding)
  local raw = { "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: " .. coding .. "\r\n\r\n" }
  for _, item in ipairs(items) do raw[#raw + 1] = item end
  return { raw = raw, close = true }
end

local function assert_too_large(err, status)
  assert.same({ "response_error", "too_large", status, false, "not_retryable" },
    { err.type, err.code, err.status, err.retryable, err.reason })
  assert.is_true(#(err.body or "") <= 65536)
  assert.is_true(#err.message > 0 and #err.message <= 1024)
end

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("max_response_bytes", function()
  it("[C13] holds to the byte, in each framing", function()
    local limit = #OK
    for _, framing in ipairs { "length", "chunked", "close" } do
      local res = assert(ask({ framing = framing, body = OK, close = framing == "close" },
        { max_response_bytes = limit }))
      assert.equal("hello", res:output_text())
      local _, err = ask({ framing = framing, body = OK, close = framing == "close" },
        { max_response_bytes = limit - 1 })
      assert_too_large(err, 200)
      assert.is_true(err.ambiguous, framing)
    end
  end)

  for name, step in pairs {
    ["with a length"] = { body = HUNDRED_MB.bytes:rep(1), chunks = { HUNDRED_MB }, framing = "length" },
    ["in chunks"] = { chunks = { HUNDRED_MB }, headers = { "Content-Type: application/json" } },
    ["ended by the connection"] = { chunks = { HUNDRED_MB }, framing = "close" },
  } do
    it("[C13] stops 100 MB " .. name .. " early, and the server with it", function()
      local before = peak()
      local took = stopwatch.start()
      local _, err = ask(step)
      assert_too_large(err, 200)
      assert.is_true(select(2, took()) < 1)
      assert.is_true(peak() - before < LITTLE)
      assert.is_true(s:wait { open = 0 }, "the connection lives on")
    end)
  end

  it("[C13] stops a gzip bomb after decompression", function()
    local before = peak()
    local _, err = ask(with_coding(gzip_bomb(400), "gzip")) -- 800 MiB
    assert_too_large(err, 200)
    assert.is_true(peak() - before < LITTLE)
    assert.is_true(s:wait { open = 0 })
  end)

  it("[C13] the bomb is one: below the limit it is zeros, and no JSON", function()
    local _, err = ask(with_coding(gzip_bomb(1), "gzip"), { max_response_bytes = 4 * MIB })
    assert.same({ "response_error", "invalid_json" }, { err.type, err.code })
    assert.equal(65536, #err.body)
    assert.is_nil(err.body:find("[^%z]"))
  end)

  it("[C13] stops a brotli bomb after decompression", function()
    local before = peak()
    local _, err = ask(with_coding({ BROTLI_BOMB }, "br"))
    assert_too_large(err, 200)
    assert.is_true(peak() - before < LITTLE)
  end)

  it("[C13] codings upon codings are bounded too", function()
    local codings = ("gzip, "):rep(100) .. "gzip"
    local _, err = ask(with_coding({ "\31\139\8\0\0\0\0\0\0\3" }, codings))
    assert.same({ "response_error", "encoding" }, { err.type, err.code })
  end)

  it("[C13] an error's endless page does not hide the error", function()
    local step = { status = 503, chunks = { HUNDRED_MB }, headers = { "Content-Type: text/html" } }
    local took = stopwatch.start()
    local _, err = ask(step, { max_response_bytes = 64 * MIB })
    assert.same({ "service_unavailable", 503, true, "max_retries" },
      { err.type, err.status, err.retryable, err.reason })
    assert.is_true(#err.body <= 65536)
    assert.is_true(select(2, took()) < 1)
    local bomb = with_coding(gzip_bomb(400), "gzip")
    bomb.raw[1] = bomb.raw[1]:gsub("200 OK", "500 X")
    _, err = ask(bomb)
    assert.same({ "internal_error", 500 }, { err.type, err.status })
  end)

  it("[C13] an error page longer than it does not hide the error either", function()
    local _, err = ask({ status = 404, body = '{"error":{"message":"no such model"}}' .. (" "):rep(1000) },
      { max_response_bytes = 100 })
    assert.same({ "not_found_error", 404, "no such model" }, { err.type, err.status, err.message })
  end)

  it("holds the body of an error to 64 KiB, cut between characters", function()
    local _, err = ask { status = 400, body = "x" .. ("\228\189\160"):rep(30000) }
    assert.is_true(#err.body <= 65536 and #err.body > 65530)
    assert.equal("\228\189\160", err.body:sub(-3))
  end)
end)

describe("headers", function()
  local function head(items, status)
    local raw = { "HTTP/1.1 " .. (status or "200 OK") .. "\r\nContent-Length: " .. #OK .. "\r\n" }
    for _, item in ipairs(items) do raw[#raw + 1] = item end
    raw[#raw + 1] = "\r\n" .. OK
    return { raw = raw, close = true }
  end

  for name, items in pairs {
    ["1 MB in lines of 1 KB"] = { { bytes = "X-Filler: " .. ("a"):rep(1000) .. "\r\n", times = 1024 } },
    ["1 MB in short lines"] = { { bytes = ("a: b\r\n"):rep(1000), times = 175 } },
    ["one line of 400 KB"] = { "X-Filler: " .. ("a"):rep(400 * 1024) .. "\r\n" },
    ["one line without end"] = { { bytes = ("a"):rep(65536), times = 2000 } },
    ["lines without end"] = { { bytes = ("X-F: b\r\n"):rep(5000), times = 4000 } },
    ["one line folded without end"] = { "X-Filler: a\r\n",
      { bytes = (" " .. ("a"):rep(1000) .. "\r\n"):rep(10), times = 20000 } },
  } do
    it("[C13] of " .. name .. " are refused", function()
      local before = peak()
      local _, err = ask(head(items))
      assert.same({ "response_error", "too_large", false }, { err.type, err.code, err.retryable })
      assert.is_true(peak() - before < LITTLE)
      assert.is_true(s:wait { open = 0 })
    end)
  end

  it("[C13] after an error status are refused all the same, in time", function()
    local _, err = ask(head({ { bytes = ("X-F: b\r\n"):rep(5000), times = 1000 } }, "503 X"))
    assert.is_true(err.type == "response_error" or err.status == 503)
  end)

  it("[C13] of 1xx without end are no way around", function()
    local hint = "HTTP/1.1 103 Early Hints\r\nLink: </" .. ("x"):rep(1000) .. ">\r\n\r\n"
    local before = peak()
    local took = stopwatch.start()
    local _, err = ask({ raw = { { bytes = hint:rep(50), times = 20000 } }, close = true }, { timeout = 1 })
    assert.is_truthy(("response_error timeout_error connection_error"):find(err.type, 1, true))
    assert.is_true(select(2, took()) < 1.3)
    assert.is_true(peak() - before < LITTLE)
  end)

  it("of 100 KB in all are read", function()
    local res = assert(ask(head { { bytes = "X-Filler: " .. ("a"):rep(1000) .. "\r\n", times = 100 },
      "X-Request-Id: behind\r\n" }))
    assert.equal("behind", res:meta().request_id)
  end)
end)

describe("a write to a connection that is gone", function()
  -- SIGPIPE has its deadly default in the child, whatever it is here.
  local CODE = [[
    local url, seconds = ...
    local function signals()
      local text = {}
      for line in io.lines("/proc/self/status") do
        local name, mask = line:match("^(Sig%a+):%s*(%x+)")
        if name == "SigIgn" or name == "SigBlk" or name == "SigPnd" then
          local digit = tonumber(mask:sub(-4, -4), 16) -- SIGPIPE is the bit 12
          text[#text + 1] = name .. (digit % 2 == 1 and "+" or "-")
        end
      end
      return table.concat(text, " ")
    end
    print(signals())
    local ofox = require "ofox"
    local c = ofox.new {
      api_key = "sk-of-limits-0123456789", base_url = url, errors = "return", max_retries = 2, timeout = 5,
      retry = { base = 0.01, factor = 1, max_delay = 0.01, jitter = "none" }, proxy = false,
    }
    local res, err = c:chat { model = "m", messages = {}, blob = ("x"):rep(8 * 1024 * 1024) }
    print(res and "answered" or err.type, err and err.attempts)
    print(signals())
    print("alive")
  ]]

  for name, step in pairs {
    ["hard"] = { on = "arrival", raw = "", close = "hard" },
    ["with RST"] = { on = "arrival", raw = "", close = "rst" },
    ["with FIN, and hard a little later"] = { on = "headers", raw = { { pause = 0.02 } }, close = "hard" },
  } do
    it("[C16] does not kill the host, closed " .. name, function()
      s:script { step, repeat_last = true }
      local run = child.run { code = CODE, args = { s.url }, env = { "--default-signal=PIPE" } }
      assert.equal(0, run.status, run.errors)
      assert.equal("SigPnd- SigBlk- SigIgn-\nconnection_error\t3\nSigPnd- SigBlk- SigIgn-\nalive\n", run.output)
    end)
  end

  it("[C16] the child of these specs would die of SIGPIPE", function()
    local run = child.run { env = { "--default-signal=PIPE" }, code = [[
      local pipe = io.popen("exit 0", "w")
      os.execute("sleep 0.05")
      for _ = 1, 100 do pipe:write(("x"):rep(10000)) pipe:flush() end
      print("alive") ]] }
    assert.same({ 141, "" }, { run.status, run.output })
  end)
end)
