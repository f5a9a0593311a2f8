-- What the doctor says of the key, which is never shown.
local doctor = require "support.doctor"
local judge_key = require "ofox.doctor.key".judge
local mocks = require "ofox.mock"
local ofox = require "ofox"
local server = require "support.server"

local KEY, LIST, LACKS, NO_KEY = doctor.KEY, doctor.LIST, doctor.LACKS, doctor.NO_KEY
local examine, expect = doctor.examine, doctor.expect

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

describe("the doctor and the key", function()
  local REPLIES = { LIST, LACKS, NO_KEY }

  -- 'raw' is what a variable holds.
  local function with_variable(raw)
    doctor.environment = { OFOX_API_KEY = raw, OFOX_BASE_URL = server.refused_url() }
    local report = ofox.doctor()
    local secret = raw:match("%w[%w-]*%w%f[^%w-]%W*$") or raw
    assert.is_nil(tostring(report):find(secret, 1, true), tostring(report))
    return report
  end

  for _, case in ipairs {
    { "quotes", '"' .. KEY .. '"', "error", "quotes" },
    { "single quotes", "'" .. KEY .. "'", "error", "quotes" },
    { "typographic quotes", "\226\128\156" .. KEY .. "\226\128\157", "error", "quotes" },
    { "Bearer in front", "Bearer " .. KEY, "error", "Bearer" },
    { "bearer in front", "bearer:" .. KEY, "error", "Bearer" },
    { "the whole assignment", "OFOX_API_KEY=" .. KEY, "error", "NAME=value" },
    { "a line break inside", "sk-of-doctor\n" .. KEY, "error", "a line break at character 13" },
    { "a space inside", "sk-of-doctor " .. KEY, "error", "a space at character 13" },
    { "a byte that is none of a key's", "sk-of-\195\169" .. KEY, "error", "no key has: U+00E9 at character 7" },
    { "a full-width letter", "sk-\239\188\161" .. KEY, "error", "(U+FF21) at character 4" },
    { "a placeholder", "your-api-key-goes-in-here", "warn", "placeholder" },
    { "a placeholder in brackets", "<put the key here>", "error", "placeholder" },
    { "a variable that was not expanded", "${THE_REAL_KEY_OF_OFOX}", "warn", "placeholder" },
    { "a login token", "eyJhbGciOiJIUzI1NiIs.eyJzdWIiOiIx.c2ln", "warn", "login token", true },
    { "another provider's key", "sk-ant-0123456789abcdefghij", "warn", "another provider", true },
    { "another prefix", "ofox_0123456789abcdefghij", "warn", "sk-", true },
    { "a piece of a key", "sk-of-012", "warn", "short", true },
    { "a line end behind", KEY .. "\n", "warn", "ignored" },
  } do
    it("sees " .. case[1] .. ", unseen by others", function()
      local at_gateway = case[5] and examine(REPLIES, { base_url = "https://api.ofox.ai/v1", api_key = case[2] })
      expect(at_gateway or with_variable(case[2]), "key", case[3], case[4])
    end)
  end

  it("[P6] may look like anything where the server is not OfoxAI's", function()
    for _, key in ipairs { "none", "gsk_0123456789abcdefghij", "sk-ant-0123456789abcdefghij", "eyJhbGci.e30.c2ln" } do
      expect(examine(REPLIES, { api_key = key }), "key", "ok", "the option api_key", false)
      assert.is_not.same({}, judge_key(key))
      assert.same({}, judge_key(key, true))
    end
    expect(examine(REPLIES, { api_key = "your-key-goes-here" }), "key", "warn", "placeholder")
  end)

  it("has nothing to say against a good one", function()
    assert.same({}, judge_key(KEY))
    assert.same({ { id = "empty", level = "error" } }, judge_key(""))
  end)

  it("sees that none is set", function()
    local mock = mocks.new():reply(LIST)
    local report = ofox.doctor(ofox.new { transport = mock, base_url = "https://gw.test/v1" })
    expect(report, "key", "error", "no API key", "OFOXAI_API_KEY")
    expect(report, "models", "ok")
    expect(report, "key_accepted", "skipped", "no key")
    assert.equal(1, #mock.requests)
    assert.is_false(report.ok)
  end)

  it("sees a second variable that says something else", function()
    doctor.environment = { OFOXAI_API_KEY = KEY, OFOX_API_KEY = KEY .. "x", OFOX_BASE_URL = server.refused_url() }
    expect(ofox.doctor(), "key", "warn", "$OFOX_API_KEY is set to another key", "unset")
    doctor.environment.OFOX_API_KEY = KEY
    expect(ofox.doctor(), "key", "ok", "$OFOXAI_API_KEY", false)
  end)

  it("asks the program's function once, and outlives its errors", function()
    local count = 0
    local report = examine(REPLIES, { api_key = function() count = count + 1 return KEY end })
    assert.equal(1, count)
    expect(report, "key", "ok", "the api_key function, " .. #KEY .. " characters")
    expect(report, "key_accepted", "ok")
    for _, case in ipairs {
      { function() error("the vault is\nlocked", 0) end, "error", "the vault is" },
      { function() error(setmetatable({}, { __tostring = function() error("odd") end })) end, "error", "failed" },
      { function() return 5 end, "error", "got a number" },
      { function() return nil end, "error", "no API key" },
      { function() return false end, "skipped", "no key is sent" },
      { function() return KEY .. "\n" end, "error", "white space" },
    } do
      report = examine({ LIST }, { api_key = case[1] })
      expect(report, "key", case[2], case[3])
      expect(report, "key_accepted", "skipped", "no key")
    end
  end)

  it("sees that none is wanted", function()
    expect(examine({ LIST }, { api_key = false }), "key", "skipped", "api_key = false")
    expect(examine({ LIST }, { headers = { authorization = false } }), "key", "skipped")
  end)

  it("sees the program's own header", function()
    local report, mock = examine(REPLIES, { headers = { Authorization = "Bearer " .. KEY } })
    expect(report, "key", "ok", "authorization")
    expect(report, "key_accepted", "ok")
    assert.equal("Bearer " .. KEY, mock.requests[2].headers.authorization)
    assert.is_nil(mock.requests[3].headers.authorization)
    expect(examine(REPLIES, { headers = { authorization = KEY } }), "key", "warn", "Bearer", "api_key")
    expect(examine(REPLIES, { headers = { ["x-api-key"] = KEY } }), "key", "ok", "x-api-key")
  end)
end)
