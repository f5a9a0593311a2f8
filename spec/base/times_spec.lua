local core = require("ofox.base.native")("core")
local parts = core.parts

-- Sun, 06 Nov 1994 08:49:37 GMT, the moment of RFC 9110's examples
local NOV = 784111777

local function finite(v)
  return type(v) == "number" and v == v and v < math.huge and v > -math.huge
end

local function each(rows, fn)
  for _, row in ipairs(rows) do
    local got = fn(row[1])
    local message = ("%q"):format(row[1])
    if row[2] == nil then
      assert.is_nil(got, message)
    else
      assert.are.equal(row[2], got, message)
    end
  end
end

-- What no reader of times may take, whatever it reads.
local JUNK = {
  "", " ", "abc", "nan", "NaN", "inf", "Infinity", "-inf", "-10", "-1s", "+7", "+7s", "10abc", "1e3", "1e0", "1E3",
  "0x10", "1, 2", "3 apples", "1 2", "1.", ".5", ".", "1..2", "1.2.3", "7,5", "\0", "7\0", "\0007", "7\0s",
  "１", "--7",
  ("1"):rep(35), ("0"):rep(35), ("9"):rep(400), "1_000", "7 s", "s", "12x", "1S", "1H", "12 ms", "1hour",
  "true", "null",
  "\"7\"", "7;", "0-7",
}

describe("seconds", function()
  it("[A1] [A2] [A4] reads plain decimals", function()
    each({
      { "20", 20 }, { "0", 0 }, { "0.0", 0 }, { "1.5", 1.5 }, { " 7 ", 7 }, { "\t7\r\n", 7 }, { "007", 7 },
      { "60", 60 }, { "61", 61 }, { "277403", 277403 }, { "0.1", 0.1 }, { "0.25", 0.25 }, { "1.1", 1.1 },
      { "999999999999999", 999999999999999 }, { "1.000000000000000000000000000000000001", 1 },
    }, parts.seconds)
  end)

  it("[A3] refuses everything else", function()
    for _, s in ipairs(JUNK) do
      assert.is_nil(parts.seconds(s), ("%q"):format(s))
    end
    each({ { "1s" }, { "1000000000000000" }, { "1994-11-06T08:49:37Z" }, { "2094-" } }, parts.seconds)
  end)
end)

describe("durations", function()
  it("[A9] reads units in order, each with decimals if need be", function()
    each({
      { "12s", 12 }, { "6m0s", 360 }, { "17ms", 0.017 }, { "1h2m3s", 3723 }, { "1s500ms", 1.5 }, { "0s", 0 },
      { "1.5s", 1.5 }, { "250ms", 0.25 }, { "1m30s", 90 }, { "2h", 7200 }, { "2m59.56s", 179.56 }, { "1.5h", 5400 },
      { "1d2h", 93600 }, { "0h0m0s", 0 }, { "634ms", 0.634 }, { "24h0m0s", 86400 }, { " 12s ", 12 },
      { "1h1ms", 3600.001 },
      { "500us", 0.0005 }, { "500\194\181s", 0.0005 }, { "500\206\188s", 0.0005 }, { "100ns", 1e-7 }, { "7.66s", 7.66 },
      { "60s", 60 }, { "90m", 5400 },
    }, parts.duration)
  end)

  it("[A9] refuses bare numbers, wrong order, repeats and unknown units", function()
    for _, s in ipairs(JUNK) do
      assert.is_nil(parts.duration(s), ("%q"):format(s))
    end
    each({
      { "12" }, { "1s1s" }, { "3s2m" }, { "1ms1s" }, { "1us1\194\181s" }, { "1h 2m" }, { "h1" }, { "1h2" }, { "1.s" },
      { "1\194s" }, { "1\181s" }, { "1sms" }, { "1w" }, { "1y" }, { "1mo" }, { "PT12S" }, { "00:12" }, { "1s-" },
      { "1m\0" }, { "1.5.5s" }, { "1234567890123456s" },
    }, parts.duration)
  end)
end)

describe("dates", function()
  it("[A5] reads the three forms of HTTP", function()
    each({
      { "Sun, 06 Nov 1994 08:49:37 GMT", NOV }, { "Sunday, 06-Nov-94 08:49:37 GMT", NOV },
      { "Sun Nov  6 08:49:37 1994", NOV }, { "Sun Nov 06 08:49:37 1994", NOV }, { "Sun, 6 Nov 1994 08:49:37 GMT", NOV },
      { "sun, 06 nov 1994 08:49:37 gmt", NOV }, { " Sun, 06 Nov 1994 08:49:37 GMT\r\n", NOV },
      { "Sun, 06-Nov-1994 08:49:37 GMT", NOV }, { "Sun, 06 Nov 1994 08:49:37 UTC", NOV },
      { "Thu, 01 Jan 1970 00:00:00 GMT", 0 }, { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
      { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 }, { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
      { "Friday, 01-Jan-70 00:00:00 GMT", 0 }, { "Monday, 01-Jan-69 00:00:00 GMT", 3124224000 },
      { "Thursday, 31-Dec-26 23:59:59 GMT", 1798761599 }, { "Wednesday, 07-Oct-26 00:00:00 GMT", 1791331200 },
      { "Saturday, 07-Nov-26 00:00:00 GMT", 1794009600 }, { "Tuesday, 03-Nov-26 00:00:00 GMT", 1793664000 },
    }, parts.date)
  end)

  it("[A6] reads RFC 3339", function()
    each({
      { "1994-11-06T08:49:37Z", NOV }, { "1994-11-06t08:49:37z", NOV }, { "1994-11-06 08:49:37Z", NOV },
      { "1994-11-06T08:49:37.25Z", NOV + 0.25 }, { "1994-11-06T09:49:37+01:00", NOV },
      { "1994-11-06T03:19:37-05:30", NOV }, { "1994-11-06T08:49:37.000000000Z", NOV },
      { "1994-11-07T08:48:37+23:59", NOV }, { "2094-01-01T00:00:00Z", 3913142400 },
      { "0001-01-01T00:00:00Z", -62135596800 }, { "2000-03-01T00:00:00-00:00", 951868800 },
    }, parts.date)
  end)

  it("count every day once", function()
    local lengths = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
    local expected = parts.date("1896-01-01T00:00:00Z")
    assert.are.equal(-2335219200, expected)
    for year = 1896, 2104 do
      for month = 1, 12 do
        local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
        for day = 1, lengths[month] + (month == 2 and leap and 1 or 0) do
          local text = ("%04d-%02d-%02dT00:00:00Z"):format(year, month, day)
          if parts.date(text) ~= expected then error(text) end
          expected = expected + 86400
        end
      end
    end
  end)

  it("[A6] takes the year 9999 for far away and refuses what no calendar has", function()
    assert.are.equal(253402300799, parts.date("Fri, 31 Dec 9999 23:59:59 GMT"))
    assert.are.equal(253402300799, parts.date("9999-12-31T23:59:59Z"))
    each({
      { "Sun, 32 Dec 1994 08:49:37 GMT" }, { "Sun, 00 Dec 1994 08:49:37 GMT" }, { "Thu, 31 Nov 1994 08:49:37 GMT" },
      { "Wed, 29 Feb 1995 08:49:37 GMT" }, { "Mon, 29 Feb 2100 08:49:37 GMT" }, { "1900-02-29T00:00:00Z" },
      { "Sun, 06 Nov 100000 08:49:37 GMT" }, { "Sun, 06 Nov 994 08:49:37 GMT" }, { "Sun Nov  6 08:49:37 100000" },
      { "100000-11-06T08:49:37Z" }, { "0000-01-01T00:00:00Z" }, { "Sun, 06 Nov 0000 08:49:37 GMT" },
      { "Sun, 06 Nov 1994 24:00:00 GMT" }, { "Sun, 06 Nov 1994 08:60:00 GMT" }, { "Sun, 06 Nov 1994 08:49:61 GMT" },
      { "1994-13-06T08:49:37Z" }, { "1994-00-06T08:49:37Z" }, { "1994-11-06T08:49:37+24:00" },
      { "1994-11-06T08:49:37+01:60" },
    }, parts.date)
  end)

  it("refuses dates that are broken or say no zone", function()
    for _, s in ipairs(JUNK) do
      assert.is_nil(parts.date(s), ("%q"):format(s))
    end
    each({
      { "Zun, 06 Nov 1994 08:49:37 GMT" }, { "Sun, 06 Nov 1994 08:49:37" }, { "Sun, 06 Nov 1994 08:49:37 PST" },
      { "Sun, 06 Nov 1994 08:49:37 GMT+1" }, { "Sun, 06 Nov 1994 8:49:37 GMT" },
      { "Sun, 06 Nov 1994 08:49:7 GMT" }, { "Sun, 06 Nov 1994 08:49:037 GMT" }, { "Sun, 06 Nov 1994 08:49: GMT" },
      { "Sun, 06 Nov 1994" },
      { "Sun 06 Nov 1994 08:49:37 GMT" }, { "Sun,06 Nov 1994 08:49:37 GMT" }, { "Sun, 06 Nov-1994 08:49:37 GMT" },
      { "Sun, 06-Nov 1994 08:49:37 GMT" }, { "Sun, 006 Nov 1994 08:49:37 GMT" }, { "Sun, 06 Foo 1994 08:49:37 GMT" },
      { "Sunda, 06 Nov 1994 08:49:37 GMT" }, { "06 Nov 1994 08:49:37 GMT" }, { "Sun Nov  6 08:49:37 94" },
      { "Sun Nov  6 08:49:37 1994 GMT" }, { "1994-11-06T08:49:37" }, { "1994-11-06" }, { "1994-11-06T08:49Z" },
      { "1994-11-06T08:49:37.Z" }, { "1994-11-06T08:49:37+0100" }, { "1994-11-06T08:49:37Zx" },
      { "94-11-06T08:49:37Z" },
      { "1994-11-06T08:49:37 Z" }, { "1994-1-6T08:49:37Z" }, { "Sun, 06 Nov 1994 08:49:37\0GMT" },
    }, parts.date)
  end)
end)

describe("Retry-After", function()
  local function read(now)
    return function(s) return parts.retry_after(s, now) end
  end

  it("[A1] [A2] [A4] is seconds", function()
    each({ { "20", 20 }, { "0", 0 }, { "1.5", 1.5 }, { " 7 ", 7 }, { "60", 60 }, { "277403", 277403 } }, read(NOV))
  end)

  it("[A3] is ignored if it is junk", function()
    each({ { "12s" }, { "1m" } }, read(NOV))
    for _, s in ipairs(JUNK) do
      assert.is_nil(parts.retry_after(s, NOV), ("%q"):format(s))
    end
  end)

  it("[A5] is a date, and 0 if that has passed", function()
    each({
      { "Sun, 06 Nov 1994 08:50:07 GMT", 30 }, { "Sunday, 06-Nov-94 08:50:07 GMT", 30 },
      { "Sun Nov  6 08:50:07 1994", 30 },
      { "1994-11-06T08:50:07Z", 30 }, { "1994-11-06T09:50:07.5+01:00", 30.5 }, { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
      { "Sun, 06 Nov 1994 08:49:36 GMT", 0 }, { "Thu, 01 Jan 1970 00:00:00 GMT", 0 }, { "1066-10-14T09:00:00Z", 0 },
    }, read(NOV))
  end)

  it("[A6] is far away in the year 9999, and never 2094 s", function()
    each({
      { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 - NOV }, { "2094-01-01T00:00:00Z", 3913142400 - NOV },
      { "2094-01-01" }, { "Sun, 32 Dec 1994 08:49:37 GMT" }, { "Sun, 06 Nov 100000 08:49:37 GMT" },
    }, read(NOV))
  end)

  it("wants a finite now", function()
    for _, now in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      assert.has_error(function() parts.retry_after("20", now) end)
      assert.has_error(function() parts.reset("20", now) end)
    end
  end)
end)

describe("resets", function()
  local now = 1700000000
  local function read(s) return parts.reset(s, now) end

  it("[A9] are durations, seconds, unix seconds, unix milliseconds or dates", function()
    each({
      { "12s", 12 }, { "6m0s", 360 }, { "17ms", 0.017 }, { "1h2m3s", 3723 }, { "1s500ms", 1.5 }, { "0s", 0 },
      { "1.5s", 1.5 }, { "12", 12 }, { "0", 0 }, { "0.5", 0.5 }, { "100000000", 1e8 }, { "1700000012", 12 },
      { "1700000012.5", 12.5 }, { "1699999999", 0 }, { "1000000000", 0 }, { "99999999999", 99999999999 - now },
      { "1700000012000", 12 }, { "1700000012345", 12.345000028610229 }, { "1000000000000", 0 },
      { "99999999999999", 99999999999.999 - now }, { "2023-11-14T22:13:32Z", 12 },
      { "Tue, 14 Nov 2023 22:13:32 GMT", 12 }, { "2023-11-14T22:13:00Z", 0 },
    }, read)
  end)

  it("[A9] are ignored if they are junk or could be two things", function()
    for _, s in ipairs(JUNK) do
      assert.is_nil(read(s), ("%q"):format(s))
    end
    each({
      { "100000001" }, { "999999999" }, { "100000000001" }, { "999999999999" }, { "100000000000001" },
      { "1700000012000000" },
    }, read)
  end)
end)

describe("any bytes", function()
  local alphabet = { "0", "1", "9", ".", "-", ":", ",", " ", "h", "m", "s", "\194\181", "\0", "\255", "T", "Z", "+",
    "Sun", "Nov", "GMT", "1994", "06", "e", "x", "\t", "\r\n", "99999999" }

  it("give nil or a finite number, not negative where it is a wait", function()
    local seed = 1
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    for _ = 1, 20000 do
      local t = {}
      for i = 1, random(12) do t[i] = alphabet[random(#alphabet)] end
      local s = table.concat(t)
      for name, v in pairs {
        seconds = parts.seconds(s) or 0,
        duration = parts.duration(s) or 0,
        retry_after = parts.retry_after(s, NOV) or 0,
        reset = parts.reset(s, NOV) or 0,
      } do
        if not (finite(v) and v >= 0) then
          error(("%s of %q is %s"):format(name, s, tostring(v)))
        end
      end
      assert(finite(parts.date(s) or 0), s)
    end
  end)

  it("that were cut out of a date are no date", function()
    for _, whole in ipairs { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.25+01:00" } do
      assert.is_truthy(parts.date(whole))
      for i = 1, #whole - 1 do
        assert.is_nil(parts.date(whole:sub(1, i)), whole:sub(1, i))
        assert.is_nil(parts.date(whole:sub(i + 1)), whole:sub(i + 1))
      end
    end
  end)
end)
