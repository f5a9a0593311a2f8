-- What the doctor learns from the server, and how it asks.
local socket = require "socket"
local calls = require "support.calls"
local doctor = require "support.doctor"
local ofox = require "ofox"
local real = require "support.real"
local server = require "support.server"
local simulator = require "support.simulator"
local stopwatch = require "support.stopwatch"

local KEY, LIST, LACKS, NO_KEY, PAGE = doctor.KEY, doctor.LIST, doctor.LACKS, doctor.NO_KEY, doctor.PAGE
local with = calls.with
local examine, examine_at, expect = doctor.examine, doctor.examine_at, doctor.expect

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

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

  it("recognizes a port that requires https", function()
    local front = keep(real.nginx { tls = true, location = [[return 200 '{"data":[{"id":"a"}]}';]] })
    local report = examine_at((front.url:gsub("^https", "http")), { ca_file = front.ca_file })
    expect(report, "tls", "skipped")
    expect(report, "models", "error", "requires https", "Set base_url to " .. front.url)
    -- another: libcurl 8.14 takes a connection with TLS for http:// as well
    front = keep(real.nginx { tls = true })
    report = examine_at((front.url:gsub("^https", "http")))
    expect(report, "models", "error", "requires https", "Use https://")
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
    { "404", answer(404, "no such path"), "warn", "/chat/completions does not exist" },
    { "a page", with(PAGE, { status = 403 }), "warn", "/chat/completions does not exist", "something in front of it" },
    { "a success", { body = {} }, "ok", "accepts the key (it answered even an empty request)" },
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
    expect(examine { LIST, LACKS, LACKS }, "key_accepted", "skipped", "rejected the same way")
    expect(examine { LIST, LACKS, reset, reset }, "key_accepted", "skipped", "rejected the same way")
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
    expect(report, "key_accepted", "skipped", "rejected the same way")
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
      local took = stopwatch.start()
      ofox.step(0)
      assert.is_true(select(2, took()) < 0.1)
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
