-- What the doctor says of proxies.
local calls = require "support.calls"
local doctor = require "support.doctor"
local proxies = require "ofox.doctor.proxy"
local server = require "support.server"

local LIST, LACKS, NO_KEY = doctor.LIST, doctor.LACKS, doctor.NO_KEY
local examine, examine_at, expect = doctor.examine, doctor.examine_at, doctor.expect

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

describe("the doctor and proxies", function()
  local function proxy(scheme, host, variables)
    return { proxies.find(scheme, host, function(name) return variables[name] end) }
  end

  it("finds the one that libcurl takes", function()
    assert.same({}, proxy("https", "gw.test", { http_proxy = "p", HTTPS_PROXY = "" }))
    assert.same({ "https_proxy", "p" }, proxy("https", "gw.test", { https_proxy = "p", HTTPS_PROXY = "q" }))
    assert.same({ "ALL_PROXY", "p" }, proxy("http", "gw.test", { HTTP_PROXY = "q", ALL_PROXY = "p" }))
    for _, list in ipairs { "*", "gw.test", "a, .test", "x test.", "GW.TEST" } do
      assert.same({ "https_proxy", "p", "no_proxy" }, proxy("https", "gw.test", { https_proxy = "p", no_proxy = list }))
    end
    for _, list in ipairs { "w.test", "gw.test.org", ".", "a b" } do
      assert.same({ "https_proxy", "p" }, proxy("https", "gw.test", { https_proxy = "p", NO_PROXY = list }))
    end
    assert.equal("NO_PROXY", proxy("http", "10.1.2.3", { http_proxy = "p", NO_PROXY = "10.0.0.0/8" })[3])
    assert.equal("no_proxy", proxy("http", "[::1]", { http_proxy = "p", no_proxy = "::1" })[3])
    assert.is_nil(proxy("http", "11.1.2.3", { http_proxy = "p", NO_PROXY = "10.0.0.0/8,1.2.3" })[3])
  end)

  it("shows no password", function()
    for given, shown in pairs {
      ["http://u:p@h:1/"] = "http://h:1", ["h:1"] = "h:1", ["socks5h://[::1]:9"] = "socks5h://[::1]:9",
      ["u:p@ss/word@h"] = "h", ["http://u:secret"] = "http://…", ["u:p/x@y:z"] = "…",
    } do
      assert.equal(shown, proxies.shown(given))
    end
  end)

  it("[P8] names the variable, and warns of one that takes this machine's own addresses along", function()
    local replies = { LIST, LACKS, NO_KEY }
    doctor.environment = { https_proxy = "http://u:hunter22@proxy.test:3128" }
    local report = examine(replies)
    expect(report, "proxy", "ok", "http://proxy.test:3128, from $https_proxy")
    expect(report, "name", "ok", "the proxy resolves gw.test")
    assert.is_nil(tostring(report):find("hunter22", 1, true))
    doctor.environment.no_proxy = ".test"
    expect(examine(replies), "proxy", "ok", "because of $no_proxy")
    expect(examine(replies, { proxy = false }), "proxy", "ok", "proxy = false")
    doctor.environment = { http_proxy = "http://proxy.test:3128" }
    for _, base in ipairs { "http://localhost:8080/v1", "http://127.0.0.1:11434/v1", "http://[::1]/v1" } do
      expect(examine(replies, { base_url = base }), "proxy", "warn", "which is this machine", "no_proxy")
    end
    doctor.environment.no_proxy = "localhost"
    expect(examine(replies, { base_url = "http://localhost:8080/v1" }), "proxy", "ok", "because of $no_proxy")
    doctor.environment = { HTTP_PROXY = "http://proxy.test" }
    expect(examine(replies, { base_url = "http://localhost/v1" }), "proxy", "ok", "HTTP_PROXY", "http_proxy")
  end)

  it("says that the proxy wants a password", function()
    local proxy_server = keep(server.start())
    proxy_server:script { { status = 407, body = "" }, repeat_last = true }
    local report = examine_at("http://gw.test/v1", { proxy = "http://127.0.0.1:" .. proxy_server.port })
    expect(report, "connection", "error", "proxy", "proxy option")
    expect(report, "models", "skipped")
  end)
end)
