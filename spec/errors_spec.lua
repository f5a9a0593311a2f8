-- The error value that a program gets: all pure, no sockets.
local cjson = require "cjson"
local core = require("ofox.base.native")("core")
local errors = require "ofox.errors"
local json = require "ofox.json"

local parse = errors.parse

local function shown(text)
  if #text > 60 then text = text:sub(1, 60) .. "…" end
  return (text:gsub("[%z\1-\31\127-\255]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

-- Valid for every JSON writer: ofox's own refuses bad UTF-8 and says where.
local function encode_both(err)
  assert(json.encode(err))
  return cjson.decode(cjson.encode(err))
end

describe("ofox.parse_error", function()
  it("takes headers as a map, pairs or lines, in any case", function()
    for _, headers in ipairs {
      { ["X-Request-ID"] = "req_1", ["X-RateLimit-Remaining-Requests"] = 0, ["x-ratelimit-reset-requests"] = "1s" },
      { { "x-request-id", "req_1" }, { "X-Ratelimit-Remaining-Requests", "0" },
        { "x-ratelimit-reset-requests", "1s" } },
      { "x-request-id: req_1", "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 1s" },
    } do
      local err = parse(429, headers, '{"error":{"message":"m","request_id":"body"}}')
      assert.are.equal("req_1", err.request_id)
      assert.are.equal("req_1", err.headers["x-request-id"])
      assert.are.equal(0, err.ratelimit.remaining_requests)
      assert.are.equal(1, err.retry_after)
    end
    assert.are.equal("body", parse(429, {}, '{"error":{"request_id":"body"}}').request_id)
    assert.is_nil(parse(429, nil, "").headers)
    assert.is_nil(parse(429, {}, "").body)
  end)

  it("cleans a request id", function()
    local err = parse(500, { ["x-request-id"] = "\255" .. ("é"):rep(300) }, "")
    assert.is_true(#err.request_id <= 256)
    encode_both(err)
  end)

  local misuses = {
    { { "429" }, 'status: expected an integer from 100 to 999, got "429"' },
    { { nil }, "status: expected an integer from 100 to 999, got nil" },
    { { 99 }, "status: expected an integer from 100 to 999, got 99" },
    { { 1000 }, "status: expected an integer from 100 to 999, got 1000" },
    { { 400.5 }, "status: expected an integer from 100 to 999, got 400.5" },
    { { 0 / 0 }, "status: expected an integer from 100 to 999, got NaN" },
    { { 429, "x" }, "headers: expected a table, got a string" },
    { { 429, 5 }, "headers: expected a table, got 5" },
    { { 429, { 1 } }, "headers" },
    { { 429, nil, {} }, "body: expected a string, got a table" },
    { { 429, nil, 5 }, "body: expected a string, got 5" },
  }
  for i, row in ipairs(misuses) do
    it("refuses wrong arguments at the caller's line, " .. i, function()
      local ok, message = pcall(function() parse(row[1][1], row[1][2], row[1][3]) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("^[^\n]*errors_spec%.lua:%d+: ofox%.parse_error: "), message)
      assert.is_truthy(message:find(row[2], 1, true), message)
    end)
  end
end)

describe("the error value", function()
  local function rate_limit()
    return errors.new {
      type = "rate_limit_error", status = 429, code = "rate_limit_exceeded", message = "Rate limit reached …",
      request_id = "req_1", attempts = 4, retry_after = 12, retryable = true,
    }
  end

  local function line(fields)
    fields.type = fields.type or "internal_error"
    return tostring(errors.new(fields))
  end

  it("[F1] prints as one line, in order", function()
    assert.are.equal("ofox: rate_limit_error 429 rate_limit_exceeded: Rate limit reached … "
      .. "(request req_1, 4 attempts, retry after 12s)", tostring(rate_limit()))
  end)

  for _, row in ipairs {
    { {}, "ofox: internal_error" },
    { { message = "m" }, "ofox: internal_error: m" },
    { { status = 500 }, "ofox: internal_error 500" },
    { { status = 500.0, message = "m" }, "ofox: internal_error 500: m" },
    { { code = "c", message = "m" }, "ofox: internal_error c: m" },
    { { message = "m", attempts = 1 }, "ofox: internal_error: m (1 attempt)" },
    { { message = "m", attempts = 2.0 }, "ofox: internal_error: m (2 attempts)" },
    { { message = "m", attempts = 0 }, "ofox: internal_error: m" },
    { { message = "m", request_id = "r" }, "ofox: internal_error: m (request r)" },
    { { message = "m", retry_after = 0 }, "ofox: internal_error: m (retry after 0s)" },
    { { message = "m", retry_after = 0.6344 }, "ofox: internal_error: m (retry after 0.634s)" },
    { { message = "m", retry_after = 1.5 }, "ofox: internal_error: m (retry after 1.5s)" },
    { { message = "m", retry_after = 100 }, "ofox: internal_error: m (retry after 100s)" },
    { { message = "m", retry_after = 277403 }, "ofox: internal_error: m (retry after 277403s)" },
    { { message = "m", retry_after = math.huge }, "ofox: internal_error: m" },
    { { message = "m", retry_after = 0 / 0 }, "ofox: internal_error: m" },
    { { message = "a\nb\r\tc\0\27[0m\127" }, "ofox: internal_error: a\\nb\\r\\tc\\x00\\x1B[0m\\x7F" },
    { { message = "a\194\133b\194\155\194\160" }, "ofox: internal_error: a\\x85b\\x9B\194\160" },
    { { message = "a\226\128\168b\226\128\169\226\128\174\226\129\166…" },
      "ofox: internal_error: a\\u2028b\\u2029\\u202E\\u2066…" },
    { { message = "m", code = "a\nb", request_id = "c\nd" }, "ofox: internal_error a\\nb: m (request c\\nd)" },
    { { message = {}, code = 5, status = "x", request_id = true, attempts = {}, retry_after = "1" },
      "ofox: internal_error" },
    { { message = ("é"):rep(512) }, "ofox: internal_error: " .. ("é"):rep(512) },
  } do
    it("[F1] " .. shown(row[2]), function() assert.are.equal(row[2], line(row[1])) end)
  end

  it("[F2] has a metatable per class, from which class and methods come", function()
    local seen = {}
    for _, row in ipairs(core.classes) do
      local err = errors.new { type = row.type, message = "m" }
      local meta = getmetatable(err)
      assert.is_nil(seen[meta])
      seen[meta] = true
      assert.are.equal(errors[row.name], meta.__index)
      assert.are.equal(row.name, err.class)
      assert.are.equal(row.retryable, err.retryable)
      assert.are.equal("string", type(err:hint()))
      assert.are.equal(meta, getmetatable(errors.new { type = row.type }))
      for _, other in ipairs(core.classes) do
        assert.are.equal(other == row, errors.is(err, other.type))
        assert.are.equal(other == row, errors.is(err, errors[other.name]))
      end
      assert.is_true(errors.is(err))
    end
  end)

  it("[F2] errors.is is false and silent on everything else", function()
    local function boom() error("called") end
    local hostile = setmetatable({}, { __index = boom, __eq = boom, __newindex = boom, __call = boom,
      __tostring = boom, __len = boom, __pairs = boom, __metatable = "locked" })
    local proxy = setmetatable({}, { __metatable = getmetatable(rate_limit()), __index = rate_limit() })
    local values = { 0, 1.5, 0 / 0, "", "rate_limit_error", true, false, print, coroutine.create(function() end),
      io.stdout, {}, { type = "rate_limit_error", class = "RateLimitError" }, hostile, proxy, setmetatable({}, {}),
      errors.RateLimitError, errors, getmetatable(rate_limit()), setmetatable({}, { __index = errors.RateLimitError }) }
    for i, value in ipairs(values) do
      assert.is_false(errors.is(value), i)
      assert.is_false(errors.is(value, "rate_limit_error"), i)
      assert.is_false(errors.is(value, errors.RateLimitError), i)
      local known = value == "rate_limit_error" or rawequal(value, errors.RateLimitError)
      assert.are.equal(known, (pcall(errors.is, rate_limit(), value)), i .. " as the class")
    end
    assert.is_false(errors.is())
    assert.is_false(errors.is(nil))
    assert.is_false(errors.is(nil, "rate_limit_error"))
  end)

  it("[F2] errors.is refuses what is no class at the caller's line, whatever is asked about", function()
    local start = "ofox.errors.is: expected a type or a class of ofox.errors, got "
    for _, value in ipairs { rate_limit(), 5, {}, "x" } do
      for _, row in ipairs {
        { errors.RateLimitEror, "nil" }, -- luacheck: ignore
        { "rate_limit_eror", '"rate_limit_eror"; did you mean rate_limit_error?' },
        { "RateLimitError", '"RateLimitError"; did you mean rate_limit_error?' },
        { "x", '"x"' }, { 429, "429" }, { false, "false" }, { {}, "a table" }, { value, nil },
      } do
        local here = debug.getinfo(1, "l").currentline + 1
        local ok, message = pcall(function() errors.is(value, row[1]) end)
        assert.is_false(ok)
        local text = ("errors_spec.lua:%d: %s%s"):format(here, start, row[2] or "")
        assert.is_truthy(message:find(text, 1, true), message)
      end
    end
  end)

  it("[F4] survives JSON, pcall and coroutines", function()
    local err = parse(429, { ["x-request-id"] = "r", ["x-ratelimit-limit-requests"] = "100" },
      '{"error":{"code":"c","message":"m","param":"p","type":"t"}}')
    err.cause, err.retries = rate_limit(), { { type = "internal_error", delay = 1.25 } }
    local copy = encode_both(err)
    for _, name in ipairs { "type", "class", "code", "message", "param", "server_type", "request_id", "retryable",
      "status", "ambiguous", "body" } do
      assert.are.equal(err[name], copy[name], name)
    end
    assert.are.equal("req_1", copy.cause.request_id)
    assert.are.equal(100, copy.ratelimit.limit_requests)
    assert.are.equal(1.25, copy.retries[1].delay)
    local _, raised = pcall(error, err)
    assert.are.equal(err, raised)
    _, raised = coroutine.resume(coroutine.create(function() error(err, 0) end))
    assert.are.equal(err, raised)
    assert.is_true(errors.is(raised, "rate_limit_error"))
  end)

  it("is made of a table with a known type only", function()
    local fields = { type = "billing_error" }
    assert.are.equal(fields, errors.new(fields))
    for _, wrong in ipairs { false, "billing_error", {}, { type = "x" }, { type = 5 }, { type = 0 / 0 } } do
      assert.has_error(function() errors.new(wrong) end)
    end
  end)
end)
