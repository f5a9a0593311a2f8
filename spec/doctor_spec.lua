-- ofox.doctor: each finding in its bad case; the key is never shown; nothing
-- is raised but misuse, and no event loop is held up.
local socket = require "socket"
local address = require "ofox.doctor.address"
local calls = require "support.calls"
local judge_key = require "ofox.doctor.key".judge
local mocks = require "ofox.mock"
local ofox = require "ofox"
local proxies = require "ofox.doctor.proxy"
local real = require "support.real"
local server = require "support.server"
local simulator = require "support.simulator"
local text = require "ofox.doctor.text"

local KEY = "sk-of-doctor-0123456789abcdefghij"
local LIST = { body = { object = "list", data = { { id = "a/b" }, { id = "c/d" } } } }
local LACKS = { status = 400, body = { error = { message = "model is required" } } }
local NO_KEY = { status = 401, body = { error = { code = "invalid_api_key", message = "no key" } } }
local PAGE = {
  headers = { ["content-type"] = "text/html" }, body = "<!DOCTYPE html><html><title>OfoxAI</title></html>",
}

local environment = {}
local getenv = os.getenv
setup(function() os.getenv = function(name) return environment[name] end end) -- luacheck: ignore 122
teardown(function() os.getenv = getenv end) -- luacheck: ignore 122
before_each(function() environment = {} end)

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local function finding(report, name)
  for _, one in ipairs(report) do
    if one.check == name then return one end
  end
  error("no finding of " .. name .. " in\n" .. tostring(report))
end

-- What the finding is like; 'says' and 'advises' are plain pieces of text.
local function expect(report, name, level, says, advises)
  local one = finding(report, name)
  local all = tostring(report)
  assert.equal(level, one.level, all)
  if says then assert.is_truthy(one.message:find(says, 1, true), all) end
  if advises then assert.is_truthy((one.advice or ""):find(advises, 1, true), all) end
  if advises == false then assert.is_nil(one.advice, all) end
  return one
end

local function with(reply, more)
  return calls.with(reply, more)
end

-- A report of a client whose requests get these replies in turn.
local function examine(replies, opts, lang)
  local mock = mocks.new()
  for _, reply in ipairs(replies) do mock:reply(reply) end
  local client = ofox.new(calls.with({ api_key = KEY, base_url = "https://gw.test/v1", transport = mock }, opts))
  return ofox.doctor(client, { lang = lang }), mock
end

-- Of a client of the real engine.
local function examine_at(url, opts)
  return ofox.doctor(ofox.new(calls.with({ api_key = KEY, base_url = url, proxy = false }, opts)))
end

local function levels(report)
  local list = {}
  for i, one in ipairs(report) do list[i] = one.check .. " " .. one.level end
  return list
end

describe("ofox.doctor", function()
  it("finds nothing to mend where all is well", function()
    local report, mock = examine({ LIST, LACKS, NO_KEY })
    assert.same({ "versions ok", "key ok", "base_url ok", "proxy ok", "name ok", "connection ok", "tls ok", "models ok",
      "key_accepted ok", "clock skipped" }, levels(report))
    assert.is_true(report.ok)
    for _, one in ipairs(report) do assert.is_nil(one.advice) end
    expect(report, "models", "ok", "2 at https://gw.test/v1/models")
    assert.equal(3, #mock.requests)
    assert.equal("/v1/models", mock.requests[1].path)
    assert.is_nil(mock.requests[1].headers.authorization)
    assert.equal("POST", mock.requests[2].method)
    assert.equal("/v1/chat/completions", mock.requests[2].path)
    assert.equal("{}", mock.requests[2].body)
    assert.equal("Bearer " .. KEY, mock.requests[2].headers.authorization)
    assert.is_nil(mock.requests[3].headers.authorization)
  end)

  it("gives a line for each finding", function()
    local report = examine({ PAGE, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test" })
    local lines = {}
    for line in (tostring(report) .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
    assert.equal(#report, #lines)
    for i, line in ipairs(lines) do
      assert.equal(1, (line:find(("%-7s  %-12s  "):format(report[i].level, report[i].check), 1, true)))
      if report[i].advice then assert.is_truthy(line:find(" -> " .. report[i].advice, 1, true)) end
    end
    assert.is_false(report.ok)
  end)

  it("raises for misuse at the caller's line, and the key is not shown", function()
    for _, case in ipairs {
      { { KEY }, "ofox.doctor: client: expected a client of ofox.new, got a string" },
      { { { lang = "en" } }, "ofox.doctor: client: expected a client of ofox.new, got a table" },
      { { nil, "zh" }, "ofox.doctor: opts: expected a table of options, got a string" },
      { { nil, { lang = "fr" } }, 'ofox.doctor: opts.lang: expected "en" or "zh", got "fr"' },
      { { nil, { lan = "en" } }, "ofox.doctor: opts.lan: unknown option; did you mean lang?" },
      { { nil, { "en" } }, "ofox.doctor: opts: expected named options, got a list" },
    } do
      local ok, message = pcall(function()
        local report = ofox.doctor(case[1][1], case[1][2])
        return report
      end)
      assert.is_false(ok)
      assert.matches("doctor_spec%.lua:%d+: ", message)
      assert.equal(case[2], (message:gsub("^.-:%d+: ", "")))
    end
  end)

  it("examines a client of the environment by itself", function()
    environment = { OFOX_API_KEY = KEY, OFOX_BASE_URL = server.refused_url() }
    local report = ofox.doctor()
    expect(report, "key", "ok", "$OFOX_API_KEY, " .. #KEY .. " characters")
    expect(report, "base_url", "ok", "$OFOX_BASE_URL")
    expect(report, "connection", "error", "refused", "Nobody listens")
  end)

  it("says the versions", function()
    local report = examine_at(server.refused_url())
    local one = expect(report, "versions", "ok", "ofox " .. ofox.VERSION)
    assert.matches("libcurl/%d+%.%d+", one.message)
    assert.matches("nghttp2/", one.message, 1, true)
    expect(examine({ LIST, LACKS, NO_KEY }), "versions", "ok", "transport")
  end)

  for _, case in ipairs {
    { "libcurl/7.68.0 OpenSSL/1.1 nghttp2/1.40", "warn", "too old", "7.87" },
    { "libcurl/8.5.0 GnuTLS/3.8", "warn", "no HTTP/2", "nghttp2" },
    { "libcurl/8.5.0 GnuTLS/3.8 nghttp2/1.59", "ok" },
  } do
    it("knows what is weak about " .. case[1], function()
      local engine = require "ofox.base.native" "engine"
      package.loaded["ofox.engine"] = setmetatable({ curl = function() return case[1] end }, { __index = engine })
      local report = examine_at(server.refused_url())
      package.loaded["ofox.engine"] = engine
      expect(report, "versions", case[2], case[3], case[4])
    end)
  end

  it("says that the C module cannot be loaded, and tries no call", function()
    local native = package.loaded["ofox.base.native"]
    package.loaded["ofox.base.native"] = function(name)
      if name == "engine" then error("ofox.engine is not built; build it with: make LUA=jit", 0) end
      return native(name)
    end
    local report = examine_at("http://127.0.0.1:9/v1")
    package.loaded["ofox.base.native"] = native
    expect(report, "versions", "error", "make LUA=jit", "C modules")
    for _, name in ipairs { "name", "connection", "tls", "models", "key_accepted", "clock" } do
      expect(report, name, "skipped", "versions")
    end
  end)

  it("says that no engine can be made", function()
    local transport = require "ofox.task.engine"
    local get = transport.get
    transport.get = function() error("no engine: Too many open files", 0) end
    local report = examine_at("http://127.0.0.1:9/v1")
    transport.get = get
    expect(report, "versions", "error", "Too many open files")
    expect(report, "models", "skipped", "versions")
  end)

  it("says that there is no JSON decoder", function()
    local json = require "ofox.json"
    json.can_decode = false
    local report = examine_at("http://127.0.0.1:9/v1")
    json.can_decode = true
    expect(report, "json", "error", nil, "lua-cjson")
    expect(report, "models", "skipped", "json")
  end)
end)

describe("the doctor and the key", function()
  local REPLIES = { LIST, LACKS, NO_KEY }

  -- 'raw' is what a variable holds.
  local function with_variable(raw)
    environment = { OFOX_API_KEY = raw, OFOX_BASE_URL = server.refused_url() }
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
    { "a line end inside", "sk-of-doctor\n" .. KEY, "error", "line end inside, at character 13" },
    { "a blank inside", "sk-of-doctor " .. KEY, "error", "a blank inside, at character 13" },
    { "a byte that is none of a key's", "sk-of-\195\169" .. KEY, "error", "no key has: U+00E9 at character 7" },
    { "a full-width letter", "sk-\239\188\161" .. KEY, "error", "(U+FF21) at character 4" },
    { "a stand-in", "your-api-key-goes-in-here", "warn", "stand-in" },
    { "a stand-in in brackets", "<put the key here>", "error", "stand-in" },
    { "a variable that was not expanded", "${THE_REAL_KEY_OF_OFOX}", "warn", "stand-in" },
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
    expect(examine(REPLIES, { api_key = "your-key-goes-here" }), "key", "warn", "stand-in")
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
    environment = { OFOXAI_API_KEY = KEY, OFOX_API_KEY = KEY .. "x", OFOX_BASE_URL = server.refused_url() }
    expect(ofox.doctor(), "key", "warn", "$OFOX_API_KEY is set to another key", "unset")
    environment.OFOX_API_KEY = KEY
    expect(ofox.doctor(), "key", "ok", "$OFOXAI_API_KEY", false)
  end)

  it("asks the program's function once, and outlives its errors", function()
    local count = 0
    local report = examine(REPLIES, { api_key = function() count = count + 1 return KEY end })
    assert.equal(1, count)
    expect(report, "key", "ok", "the function in api_key, " .. #KEY .. " characters")
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
    environment.OFOX_BASE_URL = "https://gw.test/v1/chat/completions/"
    local mock = mocks.new():reply(PAGE):reply(LIST):reply(LACKS):reply(NO_KEY)
    local report = ofox.doctor(ofox.new { api_key = KEY, transport = mock })
    expect(report, "base_url", "error", "https://gw.test/v1/chat/completions, $OFOX_BASE_URL",
      "Write https://gw.test/v1 into $OFOX_BASE_URL.")
    expect(report, "models", "error", "html", "Set base_url to https://gw.test/v1 ($OFOX_BASE_URL)")
    environment.OFOXAI_BASE_URL = "https://gw.test/v1"
    mock = mocks.new():reply(LIST):reply(LACKS):reply(NO_KEY)
    report = ofox.doctor(ofox.new { api_key = KEY, transport = mock })
    expect(report, "base_url", "warn", "$OFOX_BASE_URL is set to another URL")
    environment = {}
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
      environment = { OFOX_BASE_URL = case[1], OFOX_API_KEY = "Bearer " .. KEY }
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
    environment = { https_proxy = "http://u:hunter22@proxy.test:3128" }
    local report = examine(replies)
    expect(report, "proxy", "ok", "http://proxy.test:3128, from $https_proxy")
    expect(report, "name", "ok", "the proxy looks gw.test up")
    assert.is_nil(tostring(report):find("hunter22", 1, true))
    environment.no_proxy = ".test"
    expect(examine(replies), "proxy", "ok", "as $no_proxy says")
    expect(examine(replies, { proxy = false }), "proxy", "ok", "proxy = false")
    environment = { http_proxy = "http://proxy.test:3128" }
    for _, base in ipairs { "http://localhost:8080/v1", "http://127.0.0.1:11434/v1", "http://[::1]/v1" } do
      expect(examine(replies, { base_url = base }), "proxy", "warn", "which is this machine", "no_proxy")
    end
    environment.no_proxy = "localhost"
    expect(examine(replies, { base_url = "http://localhost:8080/v1" }), "proxy", "ok", "as $no_proxy says")
    environment = { HTTP_PROXY = "http://proxy.test" }
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

describe("the doctor and the way to the server", function()
  local REST = { "models", "key_accepted" }

  local function skipped(report, ...)
    for _, name in ipairs { ... } do expect(report, name, "skipped") end
    for _, name in ipairs(REST) do expect(report, name, "skipped", "not reached") end
    expect(report, "clock", "skipped")
    assert.is_false(report.ok)
  end

  it("tells a name that is unknown", function()
    local report = examine { { fail = "dns" } }
    expect(report, "name", "error", "dns", "DNS")
    skipped(report, "connection", "tls")
  end)

  it("tells a port where nobody listens", function()
    local report = examine_at(server.refused_url())
    expect(report, "name", "ok")
    expect(report, "connection", "error", "refused", "port")
    skipped(report, "tls")
  end)

  it("tells a host that is silent", function()
    local report, mock = examine { { fail = "connect_timeout" } }
    expect(report, "name", "skipped", "not known")
    expect(report, "connection", "error", "connect_timeout", "firewall")
    skipped(report, "tls")
    assert.equal(5, mock:now())
  end)

  for _, code in ipairs { "reset", "empty_reply", "truncated", "protocol" } do
    it("tells a connection that ends with " .. code, function()
      local report = examine { { fail = code }, { fail = code } }
      expect(report, "name", "ok")
      expect(report, "connection", "error", code)
      skipped(report, "tls")
    end)
  end

  it("[P7] asks once more where a connection was dropped, before that is a finding", function()
    for _, code in ipairs { "reset", "empty_reply", "truncated" } do
      local drop = { fail = code }
      local report, mock = examine { drop, LIST, drop, LACKS, NO_KEY }
      assert.is_true(report.ok, tostring(report))
      assert.equal(5, #mock.requests)
    end
    local report, mock = examine { { fail = "refused" } }
    expect(report, "connection", "error", "refused")
    assert.equal(1, #mock.requests)
  end)

  it("tells what speaks no HTTP", function()
    local s = keep(server.start())
    s:script { { raw = "SSH-2.0-OpenSSH_9.2\r\n", close = true } }
    expect(examine_at(s.url), "connection", "error", "protocol", "port")
  end)

  for _, tls in ipairs { "expired", "self-signed", "wrong-host" } do
    it("tells a certificate that is " .. tls, function()
      local front = keep(real.nginx { tls = tls })
      local report = examine_at(front.url, { ca_file = front.ca_file })
      expect(report, "connection", "ok")
      local one = expect(report, "tls", "error", "certificate", "clock")
      assert.matches("this machine's clock says %d%d%d%d%-%d%d%-%d%dT", one.message)
      skipped(report)
      assert.same({}, front:log())
    end)
  end

  it("tells a server without TLS", function()
    local s = keep(server.start())
    s:script { { on = "arrival", status = 400, body = "", close = true }, repeat_last = true }
    expect(examine_at((s.url:gsub("^http", "https"))), "tls", "error", "handshake", "http://")
  end)

  it("minds verify = false", function()
    local front = keep(real.nginx { tls = "self-signed" })
    expect(examine_at(front.url, { verify = false }), "tls", "warn", "verify = false", "ca_file")
  end)

  it("tells a port that wants https", function()
    local front = keep(real.nginx { tls = true, location = [[return 200 '{"data":[{"id":"a"}]}';]] })
    local report = examine_at((front.url:gsub("^https", "http")), { ca_file = front.ca_file })
    expect(report, "tls", "skipped")
    expect(report, "models", "error", "wants https", "Set base_url to " .. front.url)
    -- another: libcurl 8.14 takes a connection with TLS for http:// as well
    front = keep(real.nginx { tls = true })
    report = examine_at((front.url:gsub("^https", "http")))
    expect(report, "models", "error", "wants https", "Write https://")
  end)

  it("sees the time run out", function()
    local report, mock = examine { { delay = 60, body = "{}" } }
    expect(report, "connection", "ok")
    expect(report, "models", "error", "timeout")
    expect(report, "key_accepted", "skipped", "models")
    assert.equal(10, mock:now())
  end)
end)

describe("the doctor and the list of models", function()
  it("names the base URL that works, and tries the key there", function()
    for _, first in ipairs {
      PAGE, with(PAGE, { status = 404 }), with(PAGE, { status = 405 }), { body = { data = "none" } },
      { status = 404, body = { error = { message = "no such path" } } }, { body = "" }, { body = "hello" },
      { status = 301, headers = { location = "https://gw.test/v1/models" } },
    } do
      local report, mock = examine({ first, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test" })
      expect(report, "models", "error", "https://gw.test/models",
        "Set base_url to https://gw.test/v1 (the option base_url)")
      expect(report, "key_accepted", "ok", "at https://gw.test/v1")
      assert.equal("https://gw.test/v1/models", mock.requests[2].url)
      assert.equal("https://gw.test/v1/chat/completions", mock.requests[3].url)
    end
  end)

  it("has tried the simulator's website", function()
    local sim = simulator.start()
    local report = examine_at((sim.url:gsub("/v1$", "")), { api_key = "sk-sim-0123456789abcdef" })
    expect(report, "models", "error", "html", "Set base_url to " .. sim.url)
    expect(report, "key_accepted", "ok")
    expect(examine_at(sim.url, { api_key = "sk-wrong-0123456789abcdef" }), "key_accepted", "error", "401")
    sim:stop()
  end)

  it("follows where a redirect points, itself only", function()
    local moved = { status = 308, headers = { location = "https://gw.test/api/v3/models?x" } }
    local report = examine({ moved, LIST, LACKS, NO_KEY }, { base_url = "http://gw.test/api" })
    expect(report, "models", "error", "redirect", "Set base_url to https://gw.test/api/v3")
    moved.headers.location = "/v1/models"
    report = examine({ moved, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test/x/v1" })
    expect(report, "models", "error", "redirect", "Set base_url to https://gw.test/v1")
    moved.headers.location = "https://gw.test/login"
    expect(examine({ moved }), "models", "error", "redirect", "base_url")
  end)

  it("takes no key where anybody can listen, nor to another port", function()
    for _, location in ipairs { "http://gw.test/v1/models", "https://gw.test:8443/v1/models" } do
      local moved = { status = 301, headers = { location = location } }
      local _, mock = examine({ moved, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test/x/v1",
        headers = { ["x-secret"] = "s" } })
      for i, request in ipairs(mock.requests) do
        if not request.url:find("^https://gw.test/x/") then
          assert.is_nil(request.headers.authorization, i)
          assert.is_nil(request.headers["x-secret"], i)
        end
      end
    end
  end)

  it("tells another host nothing of what was meant for this one", function()
    local report, mock = examine({ PAGE, LIST }, {
      base_url = "https://ofox.ai/v1", headers = { ["x-secret"] = "s" }, query = { token = "t" },
    })
    expect(report, "models", "error", "html", "Set base_url to https://api.ofox.ai/v1")
    expect(report, "key_accepted", "skipped", "models")
    assert.equal("https://api.ofox.ai/v1/models", mock.requests[2].url)
    assert.is_nil(mock.requests[2].headers["x-secret"])
    assert.equal("s", mock.requests[1].headers["x-secret"])
    for _, request in ipairs(mock.requests) do assert.is_nil(request.headers.authorization) end
  end)

  it("says what it knows if no other works either", function()
    local report, mock = examine({ PAGE, PAGE }, { base_url = "https://gw.test" })
    expect(report, "models", "error", "html", "/v1")
    expect(report, "key_accepted", "skipped", "models")
    assert.equal(2, #mock.requests)
    expect(examine({ { body = { data = 5 } } }), "models", "error", "not with a list", "base_url")
  end)

  it("minds an empty one", function()
    expect(examine({ { body = '{"data":[]}' }, LACKS, NO_KEY }), "models", "warn", "empty", "console")
  end)

  it("can do without one", function()
    local none = { status = 404, body = { error = { message = "no such path" } } }
    local report = examine { none, LACKS, NO_KEY }
    expect(report, "models", "warn", "no such path")
    expect(report, "key_accepted", "ok")
    assert.is_true(report.ok)
    expect(examine { none, none }, "models", "error", "no such path")
  end)

  it("takes what a decoder of the program's cannot read for no list", function()
    local report = examine({ LIST, LACKS, NO_KEY }, { json = function() error("no", 0) end })
    expect(report, "models", "error", "could not be decoded")
  end)

  it("shows the key to a server that wants it for that", function()
    local report, mock = examine { NO_KEY, LIST, LACKS, NO_KEY }
    expect(report, "models", "ok")
    assert.equal("Bearer " .. KEY, mock.requests[2].headers.authorization)
  end)

  it("goes on to the key where the API has refused", function()
    local report, mock = examine { { status = 503, body = {} }, LACKS, NO_KEY }
    expect(report, "models", "error", "503", "overloaded")
    expect(report, "key_accepted", "ok")
    assert.equal(3, #mock.requests)
  end)
end)

describe("the doctor and what the server thinks of the key", function()
  local function answer(status, message, code)
    return { status = status, body = { error = { message = message or "m", code = code } } }
  end

  for _, case in ipairs {
    { "401", answer(401, "bad key", "invalid_api_key"), "error", "bad key", "belongs to this server" },
    { "a key of another kind", answer(403, "missing scope llm.invoke"), "error", "llm.invoke", "login token" },
    { "403", answer(403, "not yours"), "error", "not yours", "console" },
    { "402", answer(402, "empty"), "error", "empty", "top up" },
    { "429", answer(429, "slow down"), "warn", "not known", "wait" },
    { "503", answer(503, "down"), "warn", "not known", "later" },
    { "404", answer(404, "no such path"), "warn", "/chat/completions is not there" },
    { "a page", with(PAGE, { status = 403 }), "warn", "/chat/completions is not there", "something in front of it" },
    { "a success", { body = {} }, "ok", "takes the key (it answered even an empty request)" },
  } do
    it("reads " .. case[1], function()
      local report, mock = examine { LIST, case[2] }
      expect(report, "key_accepted", case[3], case[4], case[5])
      assert.equal(2, #mock.requests)
    end)
  end

  it("reads a connection that breaks twice", function()
    expect(examine { LIST, { fail = "reset" }, { fail = "reset" } }, "key_accepted", "warn", "not known")
  end)

  it("[P7] says of a request that was answered neither that it was refused nor what it cost", function()
    local said = expect(examine { LIST, { body = {} } }, "key_accepted", "ok").message
    assert.is_nil(said:find("refused", 1, true) or said:find("cost", 1, true), said)
  end)

  it("is not sure where keys are judged late or not at all", function()
    local reset = { fail = "reset" }
    expect(examine { LIST, LACKS, LACKS }, "key_accepted", "skipped", "refused alike")
    expect(examine { LIST, LACKS, reset, reset }, "key_accepted", "skipped", "refused alike")
  end)
end)

describe("the doctor and the clock", function()
  -- the mock's clock starts at 2026-01-01T00:00:00Z
  local function dated(date, age)
    return with(LIST, { headers = { date = date, age = age } })
  end

  for _, case in ipairs {
    { "Thu, 01 Jan 2026 00:00:00 GMT", nil, "ok", "within 1 s" },
    { "Thu, 01 Jan 2026 00:00:59 GMT", nil, "ok", "within 60 s" },
    { "Thu, 01 Jan 2026 00:02:00 GMT", nil, "warn", "121 s behind" },
    { "Wed, 31 Dec 2025 23:57:30 GMT", nil, "warn", "150 s ahead" },
    { "Wed, 31 Dec 2025 23:00:00 GMT", nil, "warn", "60 min ahead" },
    { "Wed, 31 Dec 2025 12:00:00 GMT", nil, "warn", "12 h ahead" },
    { "Fri, 01 Jan 2027 00:00:00 GMT", nil, "warn", "365 d behind" },
    { "Wed, 31 Dec 2025 23:00:00 GMT", "3600", "ok", "within" },
    { "Wed, 31 Dec 2025 23:00:00 GMT", "x", "warn", "ahead" },
    { "yesterday", nil, "skipped", "no answer had a date" },
  } do
    it(("reads %s %s"):format(case[1], case[2] or ""), function()
      local report = examine { dated(case[1], case[2]), LACKS, NO_KEY }
      expect(report, "clock", case[3], case[4], case[3] == "warn" and "NTP" or nil)
    end)
  end

  it("takes the date of an error, too", function()
    local late = with(PAGE, { headers = { ["content-type"] = "text/html", date = "Thu, 01 Jan 2026 01:00:00 GMT" } })
    expect(examine { late }, "clock", "warn", "60 min behind")
  end)

  it("agrees with a real server", function()
    local front = keep(real.nginx { location = [[return 200 '{"data":[{"id":"a"}]}';]] })
    expect(examine_at(front.url), "clock", "ok")
  end)
end)

describe("the doctor's calls", function()
  it("are few and short, whatever happens", function()
    local slow = { delay = 9 }
    local report, mock = examine({
      with(NO_KEY, slow), with(PAGE, slow), with(LIST, slow), with(LACKS, slow), with(LACKS, slow),
    }, { base_url = "https://gw.test", timeout = math.huge, max_retries = 9, deadline = math.huge, errors = "raise" })
    expect(report, "key_accepted", "skipped", "alike")
    assert.equal(5, #mock.requests)
    assert.is_true(mock:now() <= 50)
  end)

  it("are none of the hooks' and the logger's business", function()
    local function never() error("a hook was called") end
    local report = examine({ { status = 503, body = {} }, LACKS, NO_KEY }, {
      on_retry = never, on_wait = never, on_error = never, on_response = never, logger = never, errors = "raise",
    })
    expect(report, "models", "error", "503")
  end)

  it("let others run in a task", function()
    local s = keep(server.start())
    s:script {
      { body = '{"data":[{"id":"a"}]}', delay = 0.1 }, { status = 400, body = "{}", delay = 0.1 }, { status = 401 },
    }
    local ticks, report = 0, nil
    ofox.run(function()
      ofox.go(function()
        while not report do
          ofox.sleep(0.01)
          ticks = ticks + 1
        end
      end)
      report = examine_at(s.url)
    end)
    expect(report, "key_accepted", "ok")
    assert.is_true(ticks >= 5, tostring(ticks))
  end)

  it("never block a program that steps", function()
    local s = keep(server.start())
    s:script { { body = "{}", delay = 0.2 }, repeat_last = true }
    local task = ofox.go(function() return examine_at(s.url) end)
    while task:status() == "running" do
      local began = socket.gettime()
      ofox.step(0)
      assert.is_true(socket.gettime() - began < 0.1)
      socket.select(nil, nil, 0.005)
    end
    local ok, report = task:wait()
    assert.is_true(ok)
    expect(report, "models", "error", "not with a list")
  end)

  it("end with the task that is cancelled", function()
    local s = keep(server.start())
    s:script { { body = "{}", delay = 5 }, repeat_last = true }
    local task = ofox.go(function() return examine_at(s.url) end)
    ofox.step(0.05)
    task:cancel()
    local ok, err = task:wait(2)
    assert.is_false(ok)
    assert.is_true(ofox.errors.is(err, "cancelled_error"))
  end)
end)

describe("the doctor's words", function()
  local function blanks(sentence)
    local list = {}
    for name in sentence:gmatch("{(%w+)}") do list[#list + 1] = name end
    table.sort(list)
    return list
  end

  it("are there in both languages, with the same blanks", function()
    for id, row in pairs(text.rows) do
      for _, both in ipairs { row, row.advice } do
        assert.is_string(both.en, id)
        assert.is_string(both.zh, id)
        assert.is_nil(both.en:find("[\128-\255\n]") and both.en:gsub("…", ""):find("[\128-\255\n]"), id)
        assert.same(blanks(both.en), blanks(both.zh), id)
      end
      if row.advice then
        assert.matches("^%u.*%.$", row.advice.en, nil, id)
        assert.matches("。$", row.advice.zh, nil, id)
      end
    end
  end)

  it("are Chinese where that is asked for", function()
    local report = examine({ PAGE, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test" }, "zh")
    for _, one in ipairs(report) do
      if one.check ~= "versions" and one.check ~= "models" then assert.matches("[\228-\233]", one.message) end
      if one.advice then assert.matches("[\228-\233]", one.advice) end
    end
    expect(report, "models", "error", nil, "请把 base_url 设为 https://gw.test/v1")
  end)

  it("stay on their line whatever a server says", function()
    local rude = { status = 503, body = { error = { message = "a\r\nb\27[2J\226\128\174c" } } }
    local report = examine { rude, LACKS, NO_KEY }
    assert.is_nil(tostring(report):find("[\r\27]"))
    local _, ends = tostring(report):gsub("\n", "")
    assert.equal(#report - 1, ends)
  end)
end)
