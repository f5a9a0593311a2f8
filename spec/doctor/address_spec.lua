-- What the doctor says of base_url.
local address = require "ofox.doctor.address"
local doctor = require "support.doctor"
local mocks = require "ofox.mock"
local ofox = require "ofox"
local text = require "ofox.doctor.text"

local KEY, LIST, LACKS, NO_KEY, PAGE = doctor.KEY, doctor.LIST, doctor.LACKS, doctor.NO_KEY, doctor.PAGE
local examine, expect = doctor.examine, doctor.expect

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

describe("the doctor and base_url", function()
  for _, case in ipairs {
    { "https://api.ofox.ai/v1" },
    { "http://localhost:8080/v1" },
    { "http://127.0.0.1:8080/v1" },
    { "http://[::1]:8080/v1" },
    { "https://gw.test/openai/v1" },
    { "https://gw.test/v1beta2" },
    { "https://gw.test/v1/account/gateway" },
    { "https://api.ofox.ai", "no_version error", "https://api.ofox.ai/v1" },
    { "https://api.ofox.io", "no_version error", "https://api.ofox.io/v1" },
    { "https://gw.test", "no_version warn", "https://gw.test/v1" },
    { "https://gw.test:8443/api", "no_version warn", "https://gw.test:8443/api/v1" },
    { "https://api.ofox.ai/v1/chat/completions", "endpoint error", "https://api.ofox.ai/v1" },
    { "https://gw.test/chat/completions", "endpoint error", "https://gw.test/v1" },
    { "https://gw.test/v1/models", "endpoint error", "https://gw.test/v1" },
    { "https://u:p@gw.test/v1/embeddings", "endpoint error", "https://u:p@gw.test/v1" },
    { "https://ofox.ai", "website error", "https://api.ofox.ai/v1" },
    { "https://www.ofox.ai/v1", "website error", "https://api.ofox.ai/v1" },
    { "https://docs.ofox.io/api", "website error", "https://api.ofox.io/v1" },
    { "https://notofox.ai/v1" },
    { "https://api.ofox.ai/anthropic", "protocol error", "https://api.ofox.ai/v1" },
    { "https://api.ofox.ai/gemini/v1beta", "protocol error", "https://api.ofox.ai/v1" },
    { "https://api.ofox.ai/v1/v1", "doubled error", "https://api.ofox.ai/v1" },
    { "https://api.ofox.ai/v1.", "trailing error", "https://api.ofox.ai/v1" },
    { "https://gw.test/v1/;", "trailing error", "https://gw.test/v1" },
    { "http://api.ofox.ai/v1", "plain_http warn", "https://api.ofox.ai/v1" },
    { "http://gw.test/v1", "plain_http warn" },
    { "http://gw.test", "no_version warn, plain_http warn", "http://gw.test/v1" },
    { "https://gw.test:80/v1", "port warn" },
    { "http://localhost:443/v1", "port warn" },
  } do
    it("judges " .. case[1], function()
      local problems, better = address.judge(case[1])
      local seen = {}
      for i, problem in ipairs(problems) do
        seen[i] = problem.id .. " " .. problem.level
        assert.is_table(text.rows[problem.id])
      end
      assert.equal(case[2] or "", table.concat(seen, ", "))
      assert.equal(case[3], better)
    end)
  end

  it("says where it is from and what to write there", function()
    doctor.environment.OFOX_BASE_URL = "https://gw.test/v1/chat/completions/"
    local mock = mocks.new():reply(PAGE):reply(LIST):reply(LACKS):reply(NO_KEY)
    local report = ofox.doctor(ofox.new { api_key = KEY, transport = mock })
    expect(report, "base_url", "error", "https://gw.test/v1/chat/completions, $OFOX_BASE_URL",
      "Set $OFOX_BASE_URL to https://gw.test/v1.")
    expect(report, "models", "error", "html", "Set base_url to https://gw.test/v1 ($OFOX_BASE_URL)")
    doctor.environment.OFOXAI_BASE_URL = "https://gw.test/v1"
    mock = mocks.new():reply(LIST):reply(LACKS):reply(NO_KEY)
    report = ofox.doctor(ofox.new { api_key = KEY, transport = mock })
    expect(report, "base_url", "warn", "$OFOX_BASE_URL is set to another URL")
    doctor.environment = {}
    mock = mocks.new():reply(LIST):reply(LACKS):reply(NO_KEY)
    expect(ofox.doctor(ofox.new { api_key = KEY, transport = mock }), "base_url", "ok", "the default", false)
  end)

  for _, case in ipairs {
    { '"https://api.ofox.ai/v1"', "begins with https" },
    { "api.ofox.ai/v1", "begins with https" },
    { "https://api.ofox.ai/v1?a=b", "query" },
    { "https://api.ofox.ai /v1", "white space" },
  } do
    it("says what ofox.new refuses in the environment: " .. case[1], function()
      doctor.environment = { OFOX_BASE_URL = case[1], OFOX_API_KEY = "Bearer " .. KEY }
      local report = ofox.doctor()
      expect(report, "base_url", "error", "$OFOX_BASE_URL: ", "https://api.ofox.ai/v1")
      expect(report, "base_url", "error", case[2])
      expect(report, "key", "error", "Bearer")
      for _, name in ipairs { "proxy", "name", "models", "key_accepted", "clock" } do
        expect(report, name, "skipped", "base_url")
      end
    end)
  end

  it("does not mind plain http on a unix socket", function()
    local report = examine({ LIST, LACKS, NO_KEY }, { base_url = "http://gw.test/v1", unix_socket = "/tmp/x" })
    expect(report, "base_url", "ok")
    expect(report, "name", "skipped", "unix_socket")
    expect(report, "connection", "ok", "socket")
    expect(examine({ LIST, LACKS, NO_KEY }, { base_url = "http://gw.test/v1" }), "base_url", "warn", "unencrypted")
  end)

  it("is content with a URL without /v1 that works", function()
    local report = examine({ LIST, LACKS, NO_KEY }, { base_url = "https://gw.test" })
    assert.equal("https://gw.test, the option base_url", expect(report, "base_url", "ok", nil, false).message)
    assert.is_true(report.ok)
  end)

  it("keeps passwords to itself", function()
    local report = examine({ LIST, LACKS, NO_KEY },
      { base_url = "https://user:hunter22@gw.test", proxy = "http://me:hunter22@127.0.0.1:3128" })
    assert.is_nil(tostring(report):find("hunter22", 1, true), tostring(report))
    expect(report, "proxy", "ok", "http://127.0.0.1:3128, from the option proxy")
  end)
end)
