-- Proxies and unix sockets: real tinyproxy in front of real servers, scripted
-- servers for what no proxy does on demand.
local ofox = require "ofox"
local calls = require "support.calls"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"
local stopwatch = require "support.stopwatch"

local KEY = "sk-of-proxy-0123456789abcdef"
local SECRET = "pass-of-proxy-1234"
local PARAMS = calls.PARAMS
local LUA = proc.LUA

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

-- tinyproxy takes seconds to end while a connection is kept through it.
local function tinyproxy(options)
  local proxy = keep(real.proxy(options))
  local stop = proxy.stop
  function proxy.stop(self)
    local pid = tonumber(proc.read(self.directory.path .. "/pid"))
    if pid then os.execute(("kill -9 %d"):format(pid)) end
    stop(self)
  end
  return proxy
end

local function client_of(url, opts)
  return calls.client({ api_key = KEY, base_url = url, timeout = 10 }, opts)
end

local function ok_server(options)
  local s = keep(server.start(options))
  s:script { { body = server.completion("ok") }, repeat_last = true }
  return s
end

-- All that an error and what was logged of it say.
local function everything(value, seen)
  seen = seen or {}
  if type(value) ~= "table" then return tostring(value) .. "\n" end
  if seen[value] then return "" end
  seen[value] = true
  local out = { tostring(value), "\n" }
  for key, item in pairs(value) do
    out[#out + 1] = everything(key, seen) .. everything(item, seen)
  end
  return table.concat(out)
end

local function with_user(proxy, userinfo)
  return (proxy.url:gsub("//", "//" .. userinfo:gsub("%%", "%%%%") .. "@", 1))
end

local function proxy_auth_error(res, err)
  assert.is_nil(res)
  assert.equal("authentication_error", err.type)
  assert.equal("proxy_authentication_required", err.code)
  assert.equal(1, err.attempts)
  assert.is_false(err.retryable)
  assert.equal("not_retryable", err.reason)
  return err
end

describe("the option proxy", function()
  it("[C15] leads a plain call through the proxy, and keeps the connection", function()
    local s, proxy = ok_server(), tinyproxy()
    local client = client_of(s.url, { proxy = proxy.url })
    for _ = 1, 3 do assert.equal("ok", client:chat(PARAMS):output_text()) end
    local log = s:log()
    assert.equal(3, #log)
    for _, entry in ipairs(log) do assert.matches("tinyproxy", entry.headers.via) end
  end)

  it("[C15] leads a TLS call through a tunnel, that carries the next one too", function()
    local front, proxy = keep(real.nginx { tls = true, http2 = true }), tinyproxy()
    local client = client_of(front.url, { proxy = proxy.url, ca_file = front.ca_file })
    for _ = 1, 3 do
      local res, err = client:chat(PARAMS)
      assert.is_truthy(res, tostring(err))
    end
    assert.equal(1, select(2, proxy:log():gsub("Request[^\n]*CONNECT 127.0.0.1:" .. front.port, "")))
  end)

  it("[C15] may be given to one call", function()
    local s, proxy = ok_server(), tinyproxy()
    local client = client_of(s.url, { proxy = false })
    assert.is_truthy(client:chat(PARAMS, { proxy = proxy.url }))
    assert.is_truthy(client:chat(PARAMS))
    local log = s:log()
    assert.matches("tinyproxy", log[1].headers.via)
    assert.is_nil(log[2].headers.via)
  end)

  it("[C15] asks for a tunnel without the key, and for nothing more when it is refused", function()
    local s = keep(server.start())
    s:script { { status = 503, body = "no tunnels today", close = true }, repeat_last = true }
    local res, err = client_of("https://127.0.0.1:9/v1", { proxy = s.url:sub(1, -4), max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.equal("connection_error", err.type)
    assert.equal("refused", err.code)
    assert.is_true(err.retryable)
    assert.is_false(err.ambiguous)
    assert.is_nil(err.status)
    assert.equal(3, err.attempts)
    local log = s:log()
    assert.equal(3, #log)
    for _, entry in ipairs(log) do
      assert.equal("CONNECT", entry.method)
      assert.is_nil(entry.raw_headers:find(KEY, 1, true))
      assert.is_nil(entry.headers.authorization)
      assert.is_nil(entry.headers["idempotency-key"])
    end
  end)

  it("[C15] that leads nowhere is a ConnectionError, refused", function()
    for _, url in ipairs { "http://127.0.0.1:9/v1", "https://127.0.0.1:9/v1" } do
      local proxy = server.refused_url():sub(1, -4)
      local res, err = client_of(url, { proxy = proxy, max_retries = 1 }):chat(PARAMS)
      assert.is_nil(res)
      assert.equal("connection_error", err.type)
      assert.equal("refused", err.code)
      assert.equal(2, err.attempts)
    end
  end)

  it("[C2][C15] through a tunnel, too, certificates count", function()
    local front, proxy = keep(real.nginx { tls = "wrong-host" }), tinyproxy()
    local client = client_of(front.url, { proxy = proxy.url, ca_file = front.ca_file })
    local res, err = client:chat(PARAMS)
    assert.is_nil(res)
    assert.equal("certificate", err.code)
    assert.equal(1, err.attempts)
  end)
end)

describe("a proxy that wants a password", function()
  local locked

  before_each(function() locked = tinyproxy { auth = "user:" .. SECRET } end)

  it("[C15] and gets none: one try, AuthenticationError", function()
    local s, front = ok_server(), keep(real.nginx { tls = true })
    local err = proxy_auth_error(client_of(s.url, { proxy = locked.url }):chat(PARAMS))
    assert.equal(407, err.status)
    proxy_auth_error(client_of(front.url, { proxy = locked.url, ca_file = front.ca_file }):chat(PARAMS))
    assert.same({}, s:log())
    assert.same({}, front:log())
  end)

  it("[C15] gets it from the URL", function()
    local s, front = ok_server(), keep(real.nginx { tls = true })
    local proxy = with_user(locked, "user:" .. SECRET)
    local res, err = client_of(s.url, { proxy = proxy }):chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    res, err = client_of(front.url, { proxy = proxy, ca_file = front.ca_file }):chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    assert.is_nil(s:log()[1].headers["proxy-authorization"])
  end)

  it("[C15] gets it from a URL that escapes it", function()
    local s = ok_server()
    local proxy = with_user({ url = s.url:sub(1, -4) }, "user:p%40ss%3Aof%2Fodd")
    local res, err = client_of("http://elsewhere.test/v1", { proxy = proxy }):chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    local entry = s:log()[1]
    assert.equal("http://elsewhere.test/v1/chat/completions", entry.path)
    assert.equal("Basic dXNlcjpwQHNzOm9mL29kZA==", entry.headers["proxy-authorization"])
  end)

  it("[C15][F3] never has it shown, whatever it echoes", function()
    local echo = ("user:%s dXNlcjpwYXNzLW9mLXByb3h5LTEyMzQ= %s"):format(SECRET, SECRET)
    local s = keep(server.start())
    local seen = {}
    local function note(...) seen[#seen + 1] = everything { ... } end
    for _, status in ipairs { 407, 503 } do
      for i, url in ipairs { "http://127.0.0.1:9/v1", "https://127.0.0.1:9/v1", "http://127.0.0.1:9/v1" } do
        s:script { { status = status, headers = { ["X-Echo"] = echo }, close = true,
          body = '{"error":{"message":"' .. echo .. '"}}' }, repeat_last = true }
        local client = client_of(url, {
          proxy = with_user({ url = s.url:sub(1, -4) }, "user:" .. SECRET):gsub(i == 3 and "^http://" or "^$", ""),
          max_retries = 1,
          logger = note, on_retry = note, on_error = note,
        })
        local res, err = client:chat(PARAMS)
        assert.is_nil(res)
        note(err)
        note(client)
      end
    end
    assert.equal("Basic dXNlcjpwYXNzLW9mLXByb3h5LTEyMzQ=", s:log()[1].headers["proxy-authorization"])
    local text = table.concat(seen)
    assert.is_true(#text > 1000)
    for _, secret in ipairs { SECRET, "dXNlcjpwYXNzLW9mLXByb3h5LTEyMzQ=", KEY } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
  end)

  it("[C15][F3] never has it shown where its URL is no good, however short it is", function()
    for _, host in ipairs { "bad:port", "[bad:80", "127.0.0.1:99999" } do
      local client = ofox.new { base_url = "http://gw.test/v1", api_key = "k-0123456789", errors = "return",
        insecure_http = true, max_retries = 0, proxy = "http://u:p4s@" .. host }
      local _, err = client:chat(calls.PARAMS)
      assert.matches("proxy", err.message)
      assert.is_nil(err.message:find("p4s", 1, true), err.message)
    end
  end)

  it("[C15] and gets a wrong one: one try, AuthenticationError", function()
    local s = ok_server()
    local proxy = with_user(locked, "user:wrong-password")
    local res, err = client_of(s.url, { proxy = proxy }):chat(PARAMS)
    assert.is_nil(res)
    assert.equal("authentication_error", err.type)
    assert.equal(1, err.attempts)
    assert.is_nil(everything(err):find("wrong-password", 1, true))
    assert.same({}, s:log())
  end)
end)

describe("the environment", function()
  local BARE = "env"
  for _, name in ipairs { "http_proxy", "https_proxy", "all_proxy", "no_proxy" } do
    BARE = BARE .. " -u " .. name .. " -u " .. name:upper()
  end

  -- What a program of its own, with these variables, gets for an answer.
  local function call(variables, url, options)
    local code = ([[
      local ofox = require "ofox"
      local options = { base_url = %q, api_key = "k-0123456789", errors = "return", max_retries = 0, timeout = 10,
        %s }
      local res, err = ofox.new(options):chat { model = "m", messages = {} }
      io.write(res and res:output_text() or err.type .. " " .. tostring(err.code))]]):format(url, options or "")
    local words = { BARE, "LUA_PATH=" .. proc.quote(package.path), "LUA_CPATH=" .. proc.quote(package.cpath) }
    for name, value in pairs(variables) do words[#words + 1] = name .. "=" .. proc.quote(value) end
    words[#words + 1] = LUA .. " -e " .. proc.quote(code) .. " 2>&1"
    local pipe = assert(io.popen(table.concat(words, " ")))
    local text = pipe:read("*a")
    pipe:close()
    return text
  end

  it("[C15] names the proxy: http_proxy, https_proxy, all_proxy", function()
    local proxy = tinyproxy()
    local s, front = ok_server(), keep(real.nginx { tls = true })
    assert.equal("ok", call({ http_proxy = proxy.url }, s.url))
    assert.equal("ok", call({ all_proxy = proxy.url }, s.url))
    for _, entry in ipairs(s:log()) do assert.matches("tinyproxy", entry.headers.via or "none") end
    assert.equal(2, #s:log())
    local trust = ("ca_file = %q"):format(front.ca_file)
    assert.equal("ok", call({ https_proxy = proxy.url }, front.url, trust))
    assert.equal("ok", call({ HTTPS_PROXY = proxy.url }, front.url, trust))
    assert.equal(2, select(2, proxy:log():gsub("Request[^\n]*CONNECT 127.0.0.1:" .. front.port, "")))
  end)

  it("[C15] has exceptions: no_proxy", function()
    local dead = server.refused_url():sub(1, -4)
    local s = ok_server()
    assert.equal("connection_error refused", call({ http_proxy = dead }, s.url))
    assert.equal("ok", call({ http_proxy = dead, no_proxy = "127.0.0.1" }, s.url))
    assert.equal("ok", call({ http_proxy = dead, NO_PROXY = "example.com,127.0.0.1" }, s.url))
    assert.equal("ok", call({ http_proxy = dead, no_proxy = "*" }, s.url))
    assert.equal("connection_error refused", call({ http_proxy = dead, no_proxy = "example.com" }, s.url))
  end)

  it("[C15] gives way to the option: false and another proxy", function()
    local dead = server.refused_url():sub(1, -4)
    local proxy, s = tinyproxy(), ok_server()
    assert.equal("ok", call({ http_proxy = dead, all_proxy = dead }, s.url, "proxy = false"))
    assert.equal("ok", call({ http_proxy = dead }, s.url, ("proxy = %q"):format(proxy.url)))
    local log = s:log()
    assert.is_nil(log[1].headers.via)
    assert.matches("tinyproxy", log[2].headers.via)
  end)

  it("[C15] may hold a password that is wrong", function()
    local locked, s = tinyproxy { auth = "user:" .. SECRET }, ok_server()
    assert.equal("ok", call({ http_proxy = with_user(locked, "user:" .. SECRET) }, s.url))
    assert.equal("authentication_error proxy_authentication_required", call({ http_proxy = locked.url }, s.url))
  end)

  it("[C15][F3] may hold a password that an echo must not show", function()
    local s = keep(server.start())
    for _, scheme in ipairs { "http://", "" } do
      s:script { { status = 502, body = "upstream of user:" .. SECRET .. " is down" } }
      local proxy = scheme .. "user:" .. SECRET .. s.url:sub(1, -4):gsub("^http://", "@")
      local text = call({ http_proxy = proxy }, "http://127.0.0.1:9/v1",
        "on_error = function(err) io.write(tostring(err), err.body, ' ') end")
      assert.matches("upstream_error", text)
      assert.is_nil(text:find(SECRET, 1, true), text)
    end
  end)

  it("[C15] does not matter to a unix socket", function()
    local directory = proc.directory()
    local s = ok_server { unix = directory.path .. "/s" }
    local dead = server.refused_url():sub(1, -4)
    assert.equal("ok", call({ http_proxy = dead, all_proxy = dead }, "http://localhost/v1",
      ("unix_socket = %q"):format(s.unix)))
    directory:remove()
  end)
end)

describe("a unix socket", function()
  local directory, s

  before_each(function()
    directory = proc.directory()
    s = keep(server.start { unix = directory.path .. "/s" })
  end)

  after_each(function() directory:remove() end)

  local function client(opts)
    return client_of("http://localhost/v1", calls.with({ unix_socket = s.unix }, opts))
  end

  it("[C15] carries one call after the other, errors too", function()
    s:script {
      { body = server.completion("1") }, { status = 400, body = "{}" }, { status = 503, body = "{}" },
      { body = server.completion("2") },
    }
    assert.equal("1", client():chat(PARAMS):output_text())
    assert.equal(400, select(2, client():chat(PARAMS)).status)
    assert.equal("2", client():chat(PARAMS):output_text())
    local log = s:log()
    assert.equal(4, #log)
    assert.equal(1, s:connections())
    assert.equal("localhost", log[1].headers.host)
    assert.equal("/v1/chat/completions", log[1].path)
  end)

  it("[C15] is not mixed up with the host of that name", function()
    s:script { { body = server.completion("ok") }, repeat_last = true }
    assert.is_truthy(client():chat(PARAMS))
    local other = ok_server()
    local url = ("http://localhost:%d/v1"):format(other.port)
    assert.is_truthy(client_of(url, { proxy = false }):chat(PARAMS))
    assert.is_truthy(client_of(url, { proxy = false, unix_socket = s.unix }):chat(PARAMS))
    assert.equal(1, #other:log())
    assert.equal(2, #s:log())
  end)

  for name, stray in pairs {
    ["a stray response"] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
      .. '{"stray":"yes!"}',
    ["a 408"] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    ["one byte"] = "H",
  } do
    it("[C15][C17] with " .. name .. " waiting on it is not used again", function()
      s:script { { body = server.completion("1"), stray = stray }, { body = server.completion("2") },
        { body = server.completion("3") } }
      assert.equal("1", client():chat(PARAMS):output_text())
      assert.is_true(s:wait { strays = 1 })
      local res, err = client():chat(PARAMS)
      assert.is_truthy(res, tostring(err))
      assert.equal("2", res:output_text())
      assert.equal(1, ofox.meta(res).attempts)
      assert.equal("3", client():chat(PARAMS):output_text())
      local log = s:log()
      assert.equal(3, #log)
      assert.are_not.equal(log[1].conn, log[2].conn)
      assert.equal(log[2].conn, log[3].conn)
    end)
  end

  it("[C15] that was closed elsewhere does not cost the others their connection", function()
    local other = keep(server.start { unix = directory.path .. "/other" })
    other:script { { body = server.completion("other") } }
    assert.is_truthy(client({ unix_socket = other.unix }):chat(PARAMS))
    other:stop()
    s:script { { body = server.completion("ok") }, repeat_last = true }
    for _ = 1, 3 do assert.is_truthy(client():chat(PARAMS)) end
    assert.equal(1, s:connections())
  end)

  it("[C4] that dies with no byte costs one counted attempt", function()
    s:script { { body = server.completion("1") }, { raw = "", close = true }, { body = server.completion("2") } }
    assert.equal("1", client():chat(PARAMS):output_text())
    local res, err = client():chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    assert.equal("2", res:output_text())
    assert.equal(2, ofox.meta(res).attempts)
    assert.equal(3, #s:log())
  end)

  it("[C15] that is not there is a ConnectionError, refused, and tried again", function()
    local took = stopwatch.start()
    local res, err = client({ unix_socket = directory.path .. "/none", max_retries = 2 }):chat(PARAMS)
    assert.is_nil(res)
    assert.equal("connection_error", err.type)
    assert.equal("refused", err.code)
    assert.equal(3, err.attempts)
    assert.is_true(select(2, took()) < 1)
  end)
end)
