local core = require("ofox.base.native")("core")
local parts = core.parts

local CAP = 300 * 1024
local ECAP = -2
local NOW = 1700000000 -- Tue, 14 Nov 2023 22:13:20 GMT
local DATE = "Tue, 14 Nov 2023 22:13:20 GMT"

-- The same headers as other servers, and libcurl, might hand them over.
local shapes = {
  { "with CRLF", function(line) return line .. "\r\n" end },
  { "with LF", function(line) return line .. "\n" end },
  { "without line ends", function(line) return line end },
  { "in upper case", function(line)
    local name, rest = line:match("^([%w-]+)(:.*)$")
    return (name and name:upper() .. rest or line) .. "\r\n"
  end },
  { "with blanks around values", function(line)
    local name, value = line:match("^([%w-]+):%s*(.-)%s*$")
    return (name and name .. ": \t " .. value .. " \t" or line) .. "\r\n"
  end },
  { "without a blank after the colon", function(line)
    local name, value = line:match("^([%w-]+):%s*(.-)%s*$")
    return (name and name .. ":" .. value or line) .. "\r\n"
  end },
  { "with a blank before the colon", function(line)
    return (line:gsub("^([%w-]+):", "%1 :")) .. "\r\n"
  end },
  { "with NUL after values", function(line)
    return (line:find("^[%w-]+:") and line .. "\0" or line) .. "\r\n"
  end },
}

-- Lines that no server should send, and that must change nothing.
local NOISE = { "no colon\r\n", ": no name\r\n", "\0: x\r\n", "bad name: x\r\n", "n\195\164me: x\r\n", "a(b): x\r\n",
  "\255\254\r\n", ":\r\n", "HTTP/: x\r\n", "HTTP/1.1\r\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 1000\r\n", "\r\r\n" }

local function parse(lines) return parts.headers(lines) end

local function shaped(lines, shape, noise)
  local all = {}
  for _, line in ipairs(lines) do
    all[#all + 1] = shape(line)
    if noise and line ~= "" then
      for _, n in ipairs(NOISE) do all[#all + 1] = n end
    end
  end
  return all
end

-- Calls fn with what the parser made of 'lines' in every shape.
local function in_every_shape(lines, fn)
  for _, shape in ipairs(shapes) do
    for _, noise in ipairs { false, true } do
      local ok, message = pcall(fn, parse(shaped(lines, shape[2], noise)))
      if not ok then error(shape[1] .. (noise and " and noise: " or ": ") .. tostring(message), 0) end
    end
  end
end

describe("headers of an answer", function()
  it("[A8] are found in any case, of duplicates the first", function()
    in_every_shape({ "HTTP/1.1 429 Too Many Requests", "rEtRy-aFtEr: 7", "Retry-After: 9", "X-Empty:", "" }, function(h)
      assert.is_true(h.complete)
      assert.are.same({ 429, 11, 3 }, { h.status, h.version, h.count })
      assert.are.same({ ["retry-after"] = "7", ["x-empty"] = "" }, h.map)
    end)
  end)

  it("are complete at the blank line only; then come trailers, which are ignored", function()
    local h = parse { "HTTP/1.1 200 OK\r\n", "a: 1\r\n", "\r\n", "b: 2\r\n", "HTTP/1.1 500 no\r\n", "\r\n" }
    assert.are.same({ 0, 0, 1, 1, 1, 1 }, h.codes)
    assert.are.same({ a = "1" }, h.map)
    assert.are.equal(200, h.status)
    h = parse { "HTTP/1.1 200 OK\r\n", "a: 1\r\n" }
    assert.is_false(h.complete)
    assert.are.equal(200, h.status)
  end)

  it("[C14] forget interim answers", function()
    in_every_shape({ "HTTP/1.1 100 Continue", "a: 0", "", "HTTP/1.1 103 Early Hints", "link: x", "", "HTTP/1.1 429 no",
      "a: 1", "" }, function(h)
      assert.are.same({ a = "1" }, h.map)
      assert.are.equal(429, h.status)
      assert.is_true(h.complete)
    end)
    local h = parse { "HTTP/1.1 100 Continue\r\n", "\r\n" }
    assert.are.same({ 0, 0 }, h.codes)
    assert.is_false(h.complete)
  end)

  it("start anew at a new status line", function()
    in_every_shape({ "HTTP/1.1 200 OK", "a: 0", "HTTP/2 503", "b: 1", "" }, function(h)
      assert.are.same({ b = "1" }, h.map)
      assert.are.same({ 503, 20 }, { h.status, h.version })
    end)
  end)

  it("need a status line before them", function()
    local h = parse { "a: 1\r\n", "\r\n", " x\r\n" }
    assert.are.same({ 0, 0, 0 }, h.codes)
    assert.are.same({ 0, 0 }, { h.status, h.count })
    assert.is_false(h.complete)
  end)

  it("keep odd statuses and know the versions", function()
    for line, expected in pairs {
      ["HTTP/1.1 200 OK\r\n"] = { 200, 11 }, ["HTTP/2 429 \r\n"] = { 429, 20 }, ["HTTP/3 200\r\n"] = { 200, 30 },
      ["HTTP/1.0 600 odd\r\n"] = { 600, 10 }, ["HTTP/1.1 999\r\n"] = { 999, 11 }, ["http/1.1 204"] = { 204, 11 },
      ["HTTP/1.1   503   x\r\n"] = { 503, 11 }, ["HTTP/2.0 200\n"] = { 200, 20 }, ["HTTP/1.1 101 x"] = { 101, 11 },
      ["HTTP/1.1 099 x"] = { 0, 0 }, ["HTTP/1.1 20 x"] = { 0, 0 }, ["HTTP/1.1 2000 x"] = { 0, 0 },
      ["HTTP/1.1 200x"] = { 0, 0 }, ["HTTP/1.1 -200"] = { 0, 0 }, ["HTTP/1.1 99999999999999999999"] = { 0, 0 },
      ["HTTP/x 200"] = { 0, 0 }, ["HTTP/1. 200"] = { 0, 0 }, ["HTTP/"] = { 0, 0 }, ["HTTP/1"] = { 0, 0 },
      ["HTTP/1.1200"] = { 0, 0 }, ["HTTP/1.1 "] = { 0, 0 }, ["HTTP 200"] = { 0, 0 },
    } do
      local h = parse { line }
      assert.are.same(expected, { h.status, h.version }, line)
    end
  end)

  it("go on where a line begins with a blank", function()
    for _, row in ipairs {
      { { "a: x", " y", "\tz " }, { a = "x y z" } },
      { { "a:", " y" }, { a = "y" } },
      { { "a: x", "  ", "b: 1" }, { a = "x", b = "1" } },
      { { " y", "a: x" }, { a = "x" } },
      { { "a: x", "junk", " y" }, { a = "x" } },
      { { "a: x", "b c: d", " y" }, { a = "x" } },
      { { "a: 1", "a: 2", " y" }, { a = "1" } },
      { { "a: x", " b: y" }, { a = "x b: y" } },
    } do
      local lines = { "HTTP/1.1 200 OK\r\n" }
      for i, line in ipairs(row[1]) do lines[i + 1] = line .. "\r\n" end
      assert.are.same(row[2], parse(lines).map)
    end
  end)

  it("have no NUL and no line end in a value", function()
    local h = parse { "HTTP/1.1 200 OK", "a: \0x\0y\rz\n\0\r\n" }
    assert.are.equal("x y z", h.map.a)
  end)

  it("are valid UTF-8 in tables", function()
    assert.are.equal("\239\191\189x", parse({ "HTTP/1.1 200 OK", "a: \255x" }).map.a)
    assert.are.equal("\228\189\160", parse({ "HTTP/1.1 200 OK", "a: \228\189\160" }).map.a)
  end)

  it("[C13] are refused for good when there are too many", function()
    local line = "a: " .. ("x"):rep(997) .. "\r\n" -- 1002 bytes
    local lines = { "HTTP/1.1 200 OK\r\n" }
    for i = 2, 310 do lines[i] = line end
    lines[#lines + 1] = "b: 1\r\n"
    local fit = math.floor((CAP - #lines[1]) / #line)
    local h = parse(lines)
    assert.are.same({ 0, ECAP, ECAP }, { h.codes[1 + fit], h.codes[2 + fit], h.codes[#lines] })
    assert.are.equal(fit, h.count)
    assert.is_false(h.complete)
    assert.are.equal(ECAP, parse({ "HTTP/1.1 200 OK\r\n", ("x"):rep(CAP) }).codes[2])
  end)

  it("[C13] count interim answers, so that these cannot go on for ever", function()
    local lines = {}
    for i = 1, 2 * 20000, 2 do
      lines[i], lines[i + 1] = "HTTP/1.1 100 Continue\r\n", "\r\n"
    end
    assert.are.equal(ECAP, parse(lines).codes[#lines])
  end)

  it("name the request id: the first that is not empty", function()
    local names = { "x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "cf-ray" }
    for first = #names, 1, -1 do
      local lines = { "HTTP/1.1 200 OK" }
      for i = #names, first, -1 do lines[#lines + 1] = names[i] .. ": id" .. i end
      lines[#lines + 1] = names[first] .. ": again"
      in_every_shape(lines, function(h) assert.are.equal("id" .. first, h.request_id) end)
    end
    assert.are.equal("2", parse({ "HTTP/1.1 200 OK", "x-request-id: ", "cf-ray: 2" }).request_id)
    assert.are.equal("", parse({ "HTTP/1.1 200 OK", "x-requestid: 1" }).request_id)
  end)

  it("[B2] say whether to try again only in two words", function()
    for value, expected in pairs { ["true"] = 1, ["TRUE"] = 1, ["false"] = 0, ["False"] = 0, ["1"] = -1, ["yes"] = -1,
      ["truex"] = -1, [""] = -1, ["true, false"] = -1 } do
      in_every_shape({ "HTTP/1.1 500 x", "x-should-retry: " .. value }, function(h)
        assert.are.equal(expected, h.should_retry)
      end)
    end
    assert.are.equal(-1, parse({ "HTTP/1.1 500 x" }).should_retry)
  end)
end)

describe("what headers say about waiting", function()
  local function delay(lines, wall)
    local v, source = parts.delay(lines, wall or NOW)
    return { v, source }
  end

  -- [cases] name, lines, seconds, source
  local rows = {
    { "[A1] seconds", { "Retry-After: 20" }, 20, "retry-after" },
    { "[A2] zero is a word", { "Retry-After: 0" }, 0, "retry-after" },
    { "[A4] decimals", { "Retry-After: 1.5" }, 1.5, "retry-after" },
    { "[A4] blanks", { "Retry-After:  7 " }, 7, "retry-after" },
    { "[A5] a date, by the answer's clock", { "Date: " .. DATE, "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT" }, 30,
      "retry-after" },
    { "[A5] RFC 850", { "Date: " .. DATE, "Retry-After: Tuesday, 14-Nov-23 22:13:50 GMT" }, 30, "retry-after" },
    { "[A5] asctime", { "Date: " .. DATE, "Retry-After: Tue Nov 14 22:13:50 2023" }, 30, "retry-after" },
    { "[A5] the past", { "Date: " .. DATE, "Retry-After: Tue, 14 Nov 2023 22:13:19 GMT" }, 0, "retry-after" },
    { "[A5] the order does not matter", { "Retry-After: 2023-11-14T22:13:50Z", "Date: " .. DATE }, 30, "retry-after" },
    { "[A6] the year 9999", { "Date: " .. DATE, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT" }, 253402300799 - NOW,
      "retry-after" },
    { "[A7] milliseconds first", { "Retry-After: 5", "retry-after-ms: 10" }, 0.01, "retry-after-ms" },
    { "[A7] zero milliseconds too", { "retry-after-ms: 0", "Retry-After: 5" }, 0, "retry-after-ms" },
    { "[A7] bad milliseconds, good seconds", { "retry-after-ms: abc", "Retry-After: 5" }, 5, "retry-after" },
    { "[A7] negative milliseconds", { "retry-after-ms: -10", "Retry-After: 5" }, 5, "retry-after" },
    { "[A7] empty milliseconds", { "retry-after-ms:", "Retry-After: 5" }, 5, "retry-after" },
    { "[A8] the first of two", { "Retry-After: 3", "Retry-After: 4" }, 3, "retry-after" },
    { "[A9] a reset alone", { "x-ratelimit-reset-requests: 12s" }, 12, "x-ratelimit-reset-requests" },
    { "[A9] minutes", { "x-ratelimit-reset-requests: 6m0s" }, 360, "x-ratelimit-reset-requests" },
    { "[A9] milliseconds", { "x-ratelimit-reset-requests: 17ms" }, 0.017, "x-ratelimit-reset-requests" },
    { "[A9] three units", { "x-ratelimit-reset-requests: 1h2m3s" }, 3723, "x-ratelimit-reset-requests" },
    { "[A9] two units", { "x-ratelimit-reset-requests: 1s500ms" }, 1.5, "x-ratelimit-reset-requests" },
    { "[A9] none left to wait", { "x-ratelimit-reset-requests: 0s" }, 0, "x-ratelimit-reset-requests" },
    { "[A9] decimals", { "x-ratelimit-reset-requests: 1.5s" }, 1.5, "x-ratelimit-reset-requests" },
    { "[A9] bare seconds", { "x-ratelimit-reset-requests: 12" }, 12, "x-ratelimit-reset-requests" },
    { "[A9] unix seconds, by the answer's clock", { "Date: " .. DATE, "x-ratelimit-reset-requests: 1700000012" }, 12,
      "x-ratelimit-reset-requests" },
    { "[A9] unix milliseconds", { "Date: " .. DATE, "x-ratelimit-reset-requests: 1700000012000" }, 12,
      "x-ratelimit-reset-requests" },
    { "[A9] junk", { "x-ratelimit-reset-requests: 12x" }, nil, "none" },
    { "[A9] tokens alone", { "x-ratelimit-reset-tokens: 2s" }, 2, "x-ratelimit-reset-tokens" },
    { "[A10] the longer where no count is known", { "x-ratelimit-reset-requests: 1s", "x-ratelimit-reset-tokens: 2s" },
      2, "x-ratelimit-reset-tokens" },
    { "[A10] that of the count which is 0", { "x-ratelimit-reset-requests: 1s", "x-ratelimit-reset-tokens: 30s",
      "x-ratelimit-remaining-tokens: 0" }, 30, "x-ratelimit-reset-tokens" },
    { "[A10] also if it is the shorter", { "x-ratelimit-reset-requests: 1s", "x-ratelimit-reset-tokens: 30s",
      "x-ratelimit-remaining-requests: 0", "x-ratelimit-remaining-tokens: 5" }, 1, "x-ratelimit-reset-requests" },
    { "[A10] the longer where both are 0", { "x-ratelimit-reset-requests: 31s", "x-ratelimit-reset-tokens: 30s",
      "x-ratelimit-remaining-requests: 0", "x-ratelimit-remaining-tokens: 0" }, 31, "x-ratelimit-reset-requests" },
    { "[A10] none where both are left", { "x-ratelimit-reset-requests: 1s", "x-ratelimit-reset-tokens: 30s",
      "x-ratelimit-remaining-requests: 1", "x-ratelimit-remaining-tokens: 5" }, nil, "none" },
    { "[A10] none where one is left and the other unknown", { "x-ratelimit-reset-requests: 1s",
      "x-ratelimit-reset-tokens: 30s", "x-ratelimit-remaining-requests: 1" }, nil, "none" },
    { "[A10] none where the reset of a 0 is junk", { "x-ratelimit-reset-requests: soon",
      "x-ratelimit-reset-tokens: 30s", "x-ratelimit-remaining-requests: 0" }, nil, "none" },
    { "[A10] the one good reset of two zeros", { "x-ratelimit-reset-requests: soon", "x-ratelimit-reset-tokens: 30s",
      "x-ratelimit-remaining-requests: 0", "x-ratelimit-remaining-tokens: 0" }, 30, "x-ratelimit-reset-tokens" },
    { "[A10] a junk count is no count", { "x-ratelimit-reset-requests: 1s", "x-ratelimit-remaining-requests: few" }, 1,
      "x-ratelimit-reset-requests" },
    { "[A10] a count without a reset", { "x-ratelimit-remaining-requests: 0" }, nil, "none" },
    { "[A11] Retry-After over a reset", { "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 30s",
      "Retry-After: 2" }, 2, "retry-after" },
    { "[A11] a bad Retry-After hides no reset", { "x-ratelimit-remaining-requests: 0",
      "x-ratelimit-reset-requests: 30s", "Retry-After: soon" }, 30, "x-ratelimit-reset-requests" },
    { "[A12] too long is handed on", { "Retry-After: 277403" }, 277403, "retry-after" },
    { "[A15] nothing said", { "Content-Type: application/json" }, nil, "none" },
    { "[A16] a bad date", { "Date: yesterday", "Retry-After: Sun, 32 Dec 1994 08:49:37 GMT" }, nil, "none" },
    { "[A16] a broken Date is as none", { "Date: yesterday", "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT" }, 30,
      "retry-after" },
  }
  for _, s in ipairs { "-10", "", "abc", "nan", "inf", ("1"):rep(35), "10abc", "1e3", "0x10", "1, 2", "3 apples",
    "1e0", "NaN", "Infinity", "+5", "\255", "Sun, 06 Nov 100000 08:49:37 GMT", "1m" } do
    rows[#rows + 1] = { ("[A3] [A16] junk is ignored: %q"):format(s), { "Retry-After: " .. s }, nil, "none" }
  end

  for _, row in ipairs(rows) do
    it(row[1], function()
      for _, shape in ipairs(shapes) do
        assert.are.same({ row[3], row[4] }, delay(shaped(row[2], shape[2], false)), shape[1])
        assert.are.same({ row[3], row[4] }, delay(shaped(row[2], shape[2], true)), shape[1] .. " and noise")
      end
    end)
  end

  it("[A5] does not depend on the local clock if the answer has a Date", function()
    for _, skew in ipairs { -3600, 0, 3600, -1e9, 1e9 } do
      for _, value in ipairs { "Tue, 14 Nov 2023 22:13:50 GMT", "Tuesday, 14-Nov-23 22:13:50 GMT",
        "Tue Nov 14 22:13:50 2023", "2023-11-14T23:13:50+01:00" } do
        assert.are.same({ 30, "retry-after" }, delay({ "Date: " .. DATE, "Retry-After: " .. value }, NOW + skew))
      end
    end
    assert.are.same({ 20, "retry-after" }, delay({ "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT" }, NOW + 10))
  end)

  it("is shown as numbers, absent ones not at all", function()
    local all = {
      "Date: " .. DATE,
      "x-ratelimit-limit-requests: 100", "x-ratelimit-remaining-requests: 95", "x-ratelimit-reset-requests: 12s",
      "x-ratelimit-limit-tokens: 30000000000", "x-ratelimit-remaining-tokens: 0",
      "x-ratelimit-reset-tokens: 1700000001500",
    }
    for _, shape in ipairs(shapes) do
      assert.are.same({
        limit_requests = 100, remaining_requests = 95, reset_requests = 12,
        limit_tokens = 30000000000, remaining_tokens = 0, reset_tokens = 1.5,
      }, parts.ratelimit(shaped(all, shape[2], true), 0))
    end
    assert.are.same({ remaining_requests = 0 }, parts.ratelimit({ "x-ratelimit-remaining-requests: 0",
      "x-ratelimit-limit-requests: unlimited", "x-ratelimit-reset-requests: -1s" }, NOW))
    assert.is_nil(parts.ratelimit({ "x-ratelimit-limit-requests: many" }, NOW))
    assert.is_nil(parts.ratelimit(nil, NOW))
    if rawget(math, "type") then
      local r = parts.ratelimit(all, NOW)
      assert.are.equal("95", tostring(r.remaining_requests))
      assert.are.equal("30000000000", tostring(r.limit_tokens))
    end
  end)
end)

describe("headers from Lua", function()
  it("[A8] may be a map, a list of pairs, of lines, or mixed", function()
    for i, h in ipairs {
      { ["Retry-After"] = "5" }, { ["RETRY-AFTER"] = 5 }, { ["retry-after"] = { "5", "6" } },
      { ["retry-after"] = { 5 } }, { { "Retry-After", "5" } }, { { "retry-after", 5 }, { "Retry-After", 6 } },
      { { "Retry-After", { "5", "6" } } },
      { "Retry-After: 5" }, { "HTTP/1.1 429 no\r\n", "Retry-After: 5\r\n", "\r\n" },
      { "HTTP/1.1 100 Continue", "Retry-After: 1", "", "HTTP/2 429", "Retry-After: 5", "" },
      { "x: y", { "Retry-After", " 5 " } }, { "x: y", ["Retry-After"] = "5" },
      { "x: y", " z", { "q", 1 }, "Retry-After:5" },
    } do
      local v, source = parts.delay(h, NOW)
      assert.are.same({ 5, "retry-after" }, { v, source }, tostring(i))
    end
    assert.are.same({ nil, "none" }, { parts.delay(nil, NOW) })
    assert.are.same({ nil, "none" }, { parts.delay({}, NOW) })
  end)

  it("leave the caller's table as it is", function()
    local h = { ["Retry-After"] = 5, { "a", 1 }, [2] = "b: 2" }
    parts.delay(h, NOW)
    assert.are.same({ ["Retry-After"] = 5, { "a", 1 }, "b: 2" }, h)
    assert.are.equal("number", type(h["Retry-After"]))
  end)

  it("are misuse if they are anything else", function()
    for _, h in ipairs { { a = true }, { a = {} }, { a = { {} } }, { a = print }, { 5 }, { true }, { {} }, { { "a" } },
      { { 1, 2 } }, { [2.5] = "a: 1" }, { [true] = "x" }, { "a: 1", [3] = "b: 2", [9] = "c: 3" },
      { "a: 1", "b: 2", [1.5] = "c: 3" }, { [0] = "a: 1" },
      { { "a", true } } } do
      local ok, message = pcall(parts.delay, h, NOW)
      assert.is_false(ok)
      assert.is_truthy(message:find("bad argument #1", 1, true), message)
    end
    for _, h in ipairs { "a: 1", 5, true, print } do
      assert.has_error(function() parts.delay(h, NOW) end)
    end
    local ok, message = pcall(parts.delay, { a = ("x"):rep(CAP + 1) }, NOW)
    assert.is_false(ok)
    assert.is_truthy(message:find("too large", 1, true), message)
  end)

  it("skip names that are none", function()
    assert.are.same({ 5, "retry-after" }, { parts.delay({ ["bad name"] = "1", [""] = "2", ["retry-after\n"] = "1",
      ["retry-after"] = "5" }, NOW) })
  end)
end)

describe("any bytes", function()
  it("[A16] leave the parser standing, with a delay that is nil or finite and not negative", function()
    local pieces = { "HTTP/1.1 429 x", "HTTP/2 100 ", "\r\n", "\n", "\r", "retry-after", "retry-after-ms", ":", " ",
      "\t", "x-ratelimit-reset-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens", "0",
      "12s", "-1", "1e999", "Date", DATE, "Fri, 31 Dec 9999 23:59:59 GMT", "\0", "\255", "nan", ("9"):rep(15), "." }
    local seed = 7
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    for _ = 1, 5000 do
      local lines = { "HTTP/1.1 429 x" }
      for i = 2, random(8) do
        local t = {}
        for k = 1, random(5) do t[k] = pieces[random(#pieces)] end
        lines[i] = table.concat(t)
      end
      local h = parse(lines)
      assert(h.status == 429 or h.status == 100)
      local v, source = parts.delay(lines, NOW)
      assert((v == nil) == (source == "none"))
      assert(v == nil or (v >= 0 and v < math.huge), v)
    end
  end)
end)
