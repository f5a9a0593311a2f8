-- ofox.doctor: the report as a whole; nothing is raised but misuse.
local doctor = require "support.doctor"
local ofox = require "ofox"
local server = require "support.server"

local KEY, LIST, LACKS, NO_KEY, PAGE = doctor.KEY, doctor.LIST, doctor.LACKS, doctor.NO_KEY, doctor.PAGE
local examine, examine_at, expect, levels = doctor.examine, doctor.examine_at, doctor.expect, doctor.levels

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

describe("ofox.doctor", function()
  it("finds nothing to fix where all is well", function()
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
    doctor.environment = { OFOX_API_KEY = KEY, OFOX_BASE_URL = server.refused_url() }
    local report = ofox.doctor()
    expect(report, "key", "ok", "$OFOX_API_KEY, " .. #KEY .. " characters")
    expect(report, "base_url", "ok", "$OFOX_BASE_URL")
    expect(report, "connection", "error", "refused", "Nothing is listening")
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
end)
