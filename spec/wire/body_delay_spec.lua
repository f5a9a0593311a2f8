-- How long to wait, as bodies of errors say it.
local parse = require("ofox.errors").parse
local parts = require("ofox.base.native")("core").parts

local function shown(text)
  if #text > 60 then text = text:sub(1, 60) .. "…" end
  return (text:gsub("[%z\1-\31\127-\255]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

describe("a delay in a body", function()
  local rows = { -- body, seconds
    { '{"error":{"retry_after":20}}', 20 }, { '{"error":{"retry_after":1.5}}', 1.5 }, { '{"retry_after":0}', 0 },
    { '{"retryAfter":7}', 7 }, { '{"error":{"message":"m"},"retry_after":3}', 3 }, { '{"retry_after":"30"}', 30 },
    { '{"retry_after":"1m30s"}', 90 }, { '{"retry_after_ms":250}', 0.25 }, { '{"retry_after_ms":"500"}', 0.5 },
    { '{"retry_after_ms":10,"retry_after":5}', 0.01 }, { '{"retryDelay":"52s"}', 52 },
    { '{"error":{"details":[{"@type":"x"},{"@type":"RetryInfo","retryDelay":"39.5s"}]}}', 39.5 },
    { '[{"error":{"details":[{"retryDelay":"2s"}]}}]', 2 },
    { '{"error":{"message":"Please retry after 1s"}}', 1 },
    { '{"error":{"message":"Limit reached. Please try again in 634ms. Visit …"}}', 0.634 },
    { "Please RETRY AFTER 20 seconds.", 20 }, { '{"message":"try again in 1 minute and 30 seconds"}', 90 },
    { '{"message":"Try again in 6m0s."}', 360 }, { '{"message":"Please try again in 1h2m3.5s"}', 3723.5 },
    { '{"message":"Please retry in 39.74s."}', 39.74 }, { '{"message":"Retry after: 2 hours"}', 7200 },
    { '{"message":"try again in 20s, 3 requests left"}', 20 }, { '{"message":"Please wait 5 seconds"}', 5 },
    { '{"message":"try again in 5 seconds, 2 minutes at most"}', 5 },
    { '{"message":"try again in 1 day"}', 86400 }, { '{"message":"retry after 5 tries or try again in 3s"}', 3 },
    { "<html><title>Try again in 3s</title>", 3 },
    -- nothing to go by
    { '{"error":{"retry_after":-1}}' }, { '{"retry_after":1e300}' }, { '{"retry_after":1795462157}' },
    { '{"retry_after":null}' }, { '{"retry_after":true}' }, { '{"retry_after":"soon"}' },
    { '{"retry_after":"10abc"}' },
    { '{"retry_after":"-5"}' },
    { '{"retry_after":"1e3"}' }, { '{"retry_after":"inf"}' }, { '{"retry_after":"nan"}' },
    { '{"retry_after":"2026-11-23T19:00:00Z"}' }, { '{"retry_after":"' .. ("9"):rep(35) .. '"}' },
    { '{"retry_after":{"seconds":5}}' }, { '{"retryDelay":["5s"]}' },
    { '{"retry_after":12' }, { '{"retry_after":"12' },
    { '{"message":"try again in a few minutes"}' }, { '{"message":"try again in 5 parsecs"}' },
    { '{"message":"retry after 20"}' }, { '{"message":"retry after -5s"}' }, { '{"message":"wait"}' },
    { '{"message":"try again in 2' }, { '{"message":"20s"}' }, { '{"message":"try again in 1.2.3s"}' },
    -- junk does not hide what follows
    { '{"retry_after":"soon","message":"try again in 4s"}', 4 },
  }
  for _, row in ipairs(rows) do
    it("[A15] " .. shown(row[1]), function()
      local err = parse(429, nil, row[1])
      assert.are.equal("rate_limit_error", err.type)
      if row[2] then
        assert.is_true(err.retry_after ~= nil and math.abs(err.retry_after - row[2]) < 1e-9, tostring(err.retry_after))
        assert.is_true(math.abs(err.retry_at - os.time() - row[2]) <= 2)
      else
        assert.is_nil(err.retry_after)
        assert.is_nil(err.retry_at)
      end
    end)
  end

  it("[A15] gives way to any header that speaks, and not to one that is junk", function()
    local body = '{"error":{"message":"Please retry after 1s"}}'
    assert.are.equal(20, parse(429, { ["Retry-After"] = "20" }, body).retry_after)
    assert.are.equal(12, parse(429, { ["x-ratelimit-reset-requests"] = "12s" }, body).retry_after)
    assert.are.equal(1, parse(429, { ["retry-after"] = "abc" }, body).retry_after)
    assert.are.equal(1, parse(429, {}, body).retry_after)
  end)
end)

describe("a delay that a body has from further up", function()
  local NOW = os.time()
  local function within(err, seconds)
    assert.is_true(err.retry_after ~= nil and math.abs(err.retry_after - seconds) < 2, tostring(err.retry_after))
  end
  local function openrouter(headers)
    return '{"error":{"message":"limited","code":429,"metadata":{"headers":{' .. headers
      .. '},"raw":"x","provider_name":"y"}},"user_id":"u"}'
  end

  it("[A15] is read in error.metadata.headers", function()
    within(parse(429, nil, openrouter '"Retry-After":"3"'), 3)
    within(parse(429, nil,
      openrouter '"X-RateLimit-Limit":"20","X-RateLimit-Remaining":"0","Retry-After":"3","X":"1"'), 3)
    within(parse(429, nil, openrouter '"retry-after-ms":2500'), 2.5)
    within(parse(429, nil, openrouter '"Retry-After":["4"]'), 4)
    within(parse(429, nil, openrouter('"X-RateLimit-Reset":"' .. NOW + 20 .. '000"')), 20)
    within(parse(429, nil, openrouter('"X-RateLimit-Reset":' .. NOW + 20)), 20)
    within(parse(429, nil, openrouter('"x-ratelimit-reset":"12"')), 12)
    within(parse(429, nil, openrouter '"X-RateLimit-Reset":"1741305600000"'), 0)
    within(parse(200, nil, openrouter '"Retry-After":"3"'), 3)
    assert.is_nil(parse(429, nil,
      openrouter '"X-RateLimit-Reset":"1741305600000","X-RateLimit-Remaining":"5"').retry_after)
    assert.is_nil(parse(429, nil, openrouter '"Retry-After":"soon"').retry_after)
    assert.is_nil(parse(429, nil, openrouter '"Retry-After":null,"":"5","a b":{}').retry_after)
    assert.is_nil(parse(429, nil, '{"error":{"metadata":{"headers":{"Retry-After":"12').retry_after)
    within(parse(429, { date = "Fri, 07 Mar 2025 00:00:00 GMT", ["x"] = "y" },
      openrouter '"X-RateLimit-Reset":"1741305609000"'), 9)
  end)

  it("[A15] or as retryDelay, or beside the headers", function()
    within(parse(429, nil, '{"error":{"details":[{"@type":"x"},{"retryDelay":"39s"}]}}'), 39)
    within(parse(429, nil, '{"error":{"metadata":{"retry_after_seconds":7}}}'), 7)
    within(parse(429, nil, '{"error":{"message":"m","resets_in_seconds":8}}'), 8)
    within(parse(429, nil, '{"error":{"message":"m"},"Retry-After":"5"}'), 5)
  end)

  it("[A9] x-ratelimit-reset is a header, too", function()
    local now = 1700000000
    for _, row in ipairs {
      { { ["x-ratelimit-reset"] = "12" }, 12 }, { { ["X-RateLimit-Reset"] = "1700000012" }, 12 },
      { { ["x-ratelimit-reset"] = "1700000012000" }, 12 }, { { ["x-ratelimit-reset"] = "1s" }, 1 },
      { { ["x-ratelimit-reset"] = "1700000012", ["x-ratelimit-remaining"] = "0" }, 12 },
      { { ["x-ratelimit-reset"] = "1600000000" }, 0 },
      { { ["x-ratelimit-reset"] = "1700000012", ["x-ratelimit-remaining"] = "3" } },
      { { ["x-ratelimit-reset"] = "soon" } }, { { ["x-ratelimit-reset"] = "500000000" } },
      { { ["x-ratelimit-reset"] = "9", ["x-ratelimit-remaining-requests"] = "1" } },
    } do
      local seconds, source = parts.delay(row[1], now)
      assert.same({ row[2] or "-", row[2] and "x-ratelimit-reset" or "none" }, { seconds or "-", source })
    end
    assert.same({ 30, "x-ratelimit-reset-tokens" }, { parts.delay({ ["x-ratelimit-reset"] = "5",
      ["x-ratelimit-reset-tokens"] = "30s" }, now) })
    assert.same({ 3, "retry-after" }, { parts.delay({ ["x-ratelimit-reset"] = "5", ["retry-after"] = "3" }, now) })
  end)
end)
