-- How the engine connects: public API, real sockets, a server that plays exactly
-- what each row says.
local ofox = require "ofox"
local calls = require "support.calls"
local proc = require "support.proc"
local server = require "support.server"

local KEY = "sk-of-transport-0123456789"
local PARAMS = calls.PARAMS
local OK = server.completion("hello")

local s
local client, ask = calls.against(function() return s end, KEY)
local summary, each_retry, framed = calls.summary, calls.each_retry, server.framed

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("connecting", function()
  it("[C1] says dns for a name that is not found, after all attempts", function()
    -- a label of 64 characters can be in no DNS: no network is asked
    local base = "http://" .. ("x"):rep(64) .. ".invalid/v1"
    local res, err = client({ base_url = base, max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.same({ "connection_error", "dns", "-", false }, summary(err))
    assert.same({ true, "max_retries", 3 }, { err.retryable, err.reason, err.attempts })
    assert.same({ "dns", "dns" }, each_retry(err.retries, "code"))
    assert.is_true(ofox.errors.is(err, ofox.errors.ConnectionError))
  end)

  it("[C1] says refused where nobody listens, after all attempts", function()
    local res, err = client({ base_url = server.refused_url(), max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
    assert.same({ true, "max_retries", 3 }, { err.retryable, err.reason, err.attempts })
    assert.same({ "refused", "refused" }, each_retry(err.retries, "code"))
  end)

  it("[C1] succeeds when the server is there again", function()
    s:listen(false)
    s:script { { body = OK } }
    local res, err = client({ on_retry = function() s:listen(true) end }):chat(PARAMS)
    s:listen(true)
    assert.is_nil(err)
    assert.equal("hello", res:output_text())
    assert.equal(2, res:meta().attempts)
  end)

  local function misuses()
    local here = s.url
    return {
      { "a scheme that is not HTTP", { base_url = "ftp://127.0.0.1/v1" } },
      { "a file", { base_url = "file:///etc/passwd" } },
      { "no scheme", { base_url = "127.0.0.1/v1" } },
      { "no host", { base_url = "http:///v1" } },
      { "a port out of range", { base_url = "http://127.0.0.1:99999/v1" } },
      { "a line end in the URL", { base_url = here .. "\r\nX-Injected: 1" } },
      { "a blank in the URL", { base_url = here .. " x" } },
      { "a NUL in the URL", { base_url = here .. "\0" } },
      { "CR LF in a header", { headers = { ["X-A"] = "a\r\nX-Injected: 1" } } },
      { "LF in a header", { headers = { ["X-A"] = "a\nX-Injected: 1" } } },
      { "CR in a header", { headers = { ["X-A"] = "a\rX-Injected: 1" } } },
      { "a NUL in a header", { headers = { ["X-A"] = "a\0b" } } },
      { "CR LF in a header's name", { headers = { ["X-A\r\nX-Injected"] = "1" } } },
      { "a colon in a header's name", { headers = { ["X-A: 1"] = "1" } } },
      { "a header without a name", { headers = { [""] = "1" } } },
      { "CR LF in the key", { api_key = KEY .. "\r\nX-Injected: 1" } },
      { "a blank in the key", { api_key = KEY .. " x" } },
      { "CR LF in the idempotency key", { idempotency_key = "a\r\nX-Injected: 1" }, "call" },
    }
  end

  it("[C3] never takes place for what cannot be sent, and the key is not shown", function()
    for _, row in ipairs(misuses()) do
      local name, opts, only = row[1], row[2], row[3]
      local function attempt()
        if only == "call" then return client():chat(PARAMS, opts) end
        return client(opts):chat(PARAMS)
      end
      local ok, message = pcall(attempt)
      assert.is_false(ok, name)
      assert.equal("string", type(message), name)
      assert.matches("ofox%.new: %.?[%a_]+%.?[^%c]*$", (message:gsub("client:chat: opts", "ofox.new: opts")), name)
      assert.is_nil(message:find(KEY, 1, true), name)
      assert.is_nil(message:find("0123456789", 1, true), name)
      assert.is_nil(message:find("X-Injected: 1", 1, true), name)
    end
    for _, path in ipairs { "/x\r\nX-Injected: 1", "/x\ny", "/x y HTTP/1.1", "x\0" } do
      local ok, message = pcall(client().request, client(), { path = path })
      assert.is_false(ok, path)
      assert.equal("string", type(message))
    end
    local ok = pcall(client().request, client(), { path = "/x", method = "GET /y HTTP/1.1\r\nX: y" })
    assert.is_false(ok)
    assert.same({ 0, 0 }, { s:connections(), #s:log() })
  end)

  it("[C3] a misuse is blamed on the line that did it", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() ofox.new { base_url = "ftp://127.0.0.1/v1" } end)
    assert.matches("engine_spec%.lua:" .. line .. ": ofox%.new", message)
  end)
end)

describe("a proxy that is asked for a tunnel", function()
  local function through(scheme, step, opts)
    local all = { base_url = "https://gateway.test/v1", max_retries = 1, connect_timeout = 0.3,
      proxy = ("%s://%s:%d"):format(scheme, s.host, s.port) }
    for name, value in pairs(opts or {}) do all[name] = value end
    local res, err = ask({ step, repeat_last = true }, all)
    assert.is_nil(res)
    for _, entry in ipairs(s:log()) do
      assert.is_nil((entry.raw_headers or ""):find(KEY, 1, true), "the key went to the proxy")
    end
    return err
  end

  for _, row in ipairs {
    -- answer to CONNECT, type, code, attempts
    { { status = 407, headers = { "Proxy-Authenticate: Basic realm=x" }, body = "<html>no</html>" },
      "authentication_error", "proxy_authentication_required", 1 },
    { { raw = "HTTP/1.1 407 No\r\nContent-Length: 100\r\n\r\nhalf", close = true },
      "authentication_error", "proxy_authentication_required", 1 },
    { { status = 503, body = "busy" }, "connection_error", "refused", 2 },
    { { status = 401, body = "no" }, "authentication_error", "proxy_authentication_required", 1 },
    { { status = 403, body = "no" }, "permission_error", "proxy_refused", 1 },
    { { status = 502, body = "no" }, "connection_error", "refused", 2 },
    { { status = 504, body = "no" }, "connection_error", "refused", 2 },
    { { raw = "", close = true }, "connection_error", nil, 2 },
    { { raw = "", close = "rst" }, "connection_error", nil, 2 },
    { { raw = "SSH-2.0-OpenSSH_9.2\r\n", close = true }, "connection_error", nil, 2 },
    { { raw = "HTTP/1.1 200 OK\r\n\r\n", close = true }, "connection_error", nil, 2 },
    { { stall = true }, "timeout_error", "connect_timeout", 2 },
    { { raw = "HTTP/1.1 200 OK\r\n\r\n", stall = true }, "timeout_error", "connect_timeout", 2 },
  } do
    local step = row[1]
    local said = step.status or step.raw and step.raw:match("^%C+") or "nothing"
    local ends = step.stall and "is silent" or step.close and "leaves" .. (step.close == "rst" and " by RST" or "")
    it(("[C15] and says %s%s: %s"):format(said, ends and " and " .. ends or "", row[3] or row[2]), function()
      local err = through("http", step)
      assert.same({ row[2], row[4], false }, { err.type, err.attempts, err.ambiguous })
      if row[3] then assert.equal(row[3], err.code) end
      local request = s:log()[1]
      assert.same({ "CONNECT", "gateway.test:443" }, { request.method, request.path })
      assert.equal(row[4], #s:log())
    end)
  end

  for name, row in pairs {
    ["SOCKS5 that refuses"] = { "socks5h", "\5\0" .. "\5\5\0\1\0\0\0\0\0\0" },
    ["SOCKS4 that refuses"] = { "socks4a", "\0\91\0\0\0\0\0\0" },
  } do
    it("[C15] and is a " .. name .. ": refused", function()
      local err = through(row[1], { on = "arrival", raw = row[2], close = true },
        { base_url = "http://gateway.test/v1" })
      assert.same({ "connection_error", "refused", "-", false }, summary(err))
      assert.equal(2, err.attempts)
    end)
  end
end)

describe("TLS to a port that speaks none", function()
  for _, row in ipairs {
    { "an HTTP error", { raw = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", close = true },
      "tls_error", "handshake", 1 },
    { "a TLS alert", { raw = "\21\3\1\0\2\2\40", close = true }, "tls_error", "handshake", 1 },
    { "FIN", { raw = "", close = true }, "connection_error", nil, 2 },
    { "RST", { raw = "", close = "rst" }, "connection_error", nil, 2 },
    { "silence", { stall = true }, "timeout_error", "connect_timeout", 2 },
  } do
    it(("%s: %s, and no key was sent"):format(row[1], row[3]), function()
      row[2].on = "arrival"
      local _, err = ask({ row[2], repeat_last = true },
        { base_url = (s.url:gsub("^http:", "https:")), max_retries = 1, connect_timeout = 0.2 })
      assert.same({ row[3], row[5], false }, { err.type, err.attempts, err.ambiguous })
      if row[4] then assert.equal(row[4], err.code) end
      assert.equal(row[5], s:connections())
    end)
  end
end)

describe("a unix socket", function()
  local directory, other

  setup(function()
    directory = proc.directory()
    other = server.start { unix = directory.path .. "/socket" }
  end)
  teardown(function()
    other:stop()
    directory:remove()
  end)
  after_each(function() other:reset() end)

  local function unix_client(opts)
    local all = { base_url = "http://gateway.test/v1", unix_socket = other.unix }
    for name, value in pairs(opts or {}) do all[name] = value end
    return client(all)
  end

  it("[C15] serves call after call over one connection", function()
    other:script { { body = OK }, repeat_last = true }
    for _ = 1, 3 do assert(unix_client():chat(PARAMS)) end
    assert.same({ 1, 3 }, { other:connections(), #other:log() })
    assert.equal("gateway.test", other:log()[1].headers.host)
  end)

  it("[C17] a stray answer answers nobody", function()
    other:script { { body = OK, stray = framed(server.completion("stray")) }, { body = server.completion("second") } }
    local c = unix_client()
    assert(c:chat(PARAMS))
    assert.is_true(other:wait { strays = 1 })
    local res = assert(c:chat(PARAMS))
    assert.same({ "second", 1, 2 }, { res:output_text(), res:meta().attempts, other:connections() })
  end)

  it("[C4] that breaks when reused: one attempt at once, each of them counted", function()
    other:script { { body = OK }, { raw = "", close = true }, { body = OK } }
    local c = unix_client()
    assert(c:chat(PARAMS))
    local meta = assert(c:chat(PARAMS)):meta()
    assert.same({ "immediate" }, each_retry(meta.retries, "delay_source"))
    assert.same({ 2, 3, 2 }, { meta.attempts, #other:log(), other:connections() })
  end)

  it("[C1] that is not there: refused", function()
    local _, err = unix_client({ unix_socket = directory.path .. "/none", max_retries = 1 }):chat(PARAMS)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
    assert.equal(2, err.attempts)
  end)
end)

it("a retry that is planned for now, and delayed by on_retry, is made", function()
  s:script { { status = 503, headers = { ["Retry-After"] = "0" }, body = "{}" }, { body = OK } }
  local waiting = client { on_retry = function() return 0.01 end }
  local task = ofox.go(function() return waiting:chat(PARAMS) end)
  while ofox.timeout() do ofox.step() end
  assert.equal(2, #s:log())
  assert(select(2, task:wait()))
end)

describe("client:connect", function()
  it("opens the connection that the first call uses, and sends no key", function()
    s:script { { raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n" }, { body = OK } }
    local c = client()
    assert.is_true(c:connect())
    assert(c:chat(PARAMS))
    assert.same({ 1, 2 }, { s:connections(), #s:log() })
    assert.is_nil(s:log()[1].headers.authorization)
  end)

  it("fails like any call", function()
    local ok, err = client({ base_url = server.refused_url(), max_retries = 0 }):connect()
    assert.is_nil(ok)
    assert.same({ "connection_error", "refused", "-", false }, summary(err))
  end)
end)
