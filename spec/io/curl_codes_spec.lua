-- What a transport failure means: by what happened, with real programs, and
-- whatever release of libcurl and OpenSSL words it.
-- test: once: what names failures knows nothing of Lua, and is one object for all
local calls = require "support.calls"
local certs = require "support.certs"
local child = require "support.child"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"
local socks = require "support.socks"

local KEY = "sk-of-outcomes-0123456789"
local PARAMS = calls.PARAMS

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local function temporary()
  local made = proc.directory()
  keep { stop = function() made:remove() end }
  return made.path
end

local function shell(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function client_of(url, opts)
  return calls.client({ api_key = KEY, base_url = url, timeout = 10, max_retries = 1 }, opts)
end

local function failure(url, opts)
  local res, err = client_of(url, opts):chat(PARAMS)
  assert.is_nil(res)
  assert.is_nil(tostring(err):find(KEY, 1, true))
  return err
end

-- Permanent: one try, nothing may have been billed.
local function assert_final(kind, code, says, err)
  assert.same({ kind, code, 1, false, false, "not_retryable" },
    { err.type, err.code, err.attempts, err.retryable, err.ambiguous, err.reason }, tostring(err))
  assert.matches(says, err.message)
end

local function assert_retried(code, says, err)
  assert.same({ "connection_error", code, 2, true, false, "max_retries" },
    { err.type, err.code, err.attempts, err.retryable, err.ambiguous, err.reason }, tostring(err))
  assert.matches(says, err.message)
end

local function scripted(steps)
  local s = keep(server.start())
  steps.repeat_last = true
  s:script(steps)
  return s
end

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

local HTTPS = "https://127.0.0.1:9/v1"

describe("an HTTP proxy", function()
  local function with_login(proxy, login)
    return (proxy.url:gsub("//", "//" .. login .. "@", 1))
  end

  it("[N5] that refuses the login is one try, not a refused connection", function()
    local locked = tinyproxy { auth = "user:right-password" }
    local front = keep(real.nginx { tls = true })
    for _, login in ipairs { "user:wrong-password", "nobody:right-password" } do
      local err = failure(front.url, { proxy = with_login(locked, login), ca_file = front.ca_file })
      assert_final("authentication_error", "proxy_authentication_required", "the proxy refused the login.*401", err)
      assert.is_nil(err.message:find("password", 1, true))
      assert.matches("proxy", err:hint())
    end
    assert_final("authentication_error", "proxy_authentication_required", "the proxy requires authentication",
      failure(front.url, { proxy = locked.url, ca_file = front.ca_file }))
    assert.same({}, front:log())
  end)

  it("[N5] that forbids the host is a PermissionError of one try", function()
    local closed = tinyproxy { deny = true }
    local err = failure("https://gateway.test/v1", { proxy = closed.url })
    assert_final("permission_error", "proxy_refused", "the proxy does not allow this connection.*403", err)
    assert.is_nil(err.status)
    assert.matches("The proxy", err:hint())
    err = failure("http://gateway.test/v1", { proxy = closed.url, insecure_http = true })
    assert.same({ "permission_error", 403, 1 }, { err.type, err.status, err.attempts })
  end)

  for _, status in ipairs { 400, 404, 429, 500, 502, 503, 504, 599 } do
    it("[N5] that answers " .. status .. " to CONNECT could not connect, and says so", function()
      local proxy = scripted { { status = status, body = "no", close = true } }
      assert_retried("refused", "^the proxy could not connect: it answered " .. status .. " to CONNECT$",
        failure(HTTPS, { proxy = proxy.url:sub(1, -4) }))
    end)
  end

  for name, step in pairs {
    ["401 without a body"] = { status = 401, body = "", close = true },
    ["401 that asks for Basic"] = { status = 401, headers = { "WWW-Authenticate: Basic realm=x" }, body = "no" },
    ["401 in HTTP/1.0"] = { raw = "HTTP/1.0 401 Unauthorized\r\n\r\n<h1>no</h1>", close = true },
    ["407 that wants another scheme"] = { status = 407, headers = { "Proxy-Authenticate: Negotiate" }, body = "no" },
    ["407 without a scheme"] = { status = 407, body = "no", close = true },
  } do
    it("[N5] that answers " .. name .. " is one try, with a login and without", function()
      for _, login in ipairs { "", "user:secret-of-8@" } do
        local proxy = scripted { step }
        local err = failure(HTTPS, { proxy = "http://" .. login .. proxy.host .. ":" .. proxy.port })
        assert_final("authentication_error", "proxy_authentication_required", "the proxy", err)
        assert.is_nil(err.message:find("secret", 1, true))
      end
    end)
  end
end)

describe("a SOCKS proxy", function()
  local function through(scheme, raw, login)
    local proxy = scripted { { on = "arrival", raw = raw, close = true } }
    return failure("http://127.0.0.1:9/v1",
      { proxy = ("%s://%s%s:%d"):format(scheme, login or "", proxy.host, proxy.port), insecure_http = true })
  end
  local FINE = "\5\0"

  for name, row in pairs {
    ["that refuses the login"] = { "\5\2\1\1", "user:wrong-one@", "refused the login" },
    ["that wants a login"] = { "\5\255", "", "requires a login" },
    ["that takes no password"] = { "\5\255", "user:wrong-one@", "requires a login" },
  } do
    it("[N5] " .. name .. " is one try, as 407", function()
      local err = through("socks5h", row[1], row[2])
      assert_final("authentication_error", "proxy_authentication_required", row[3], err)
      assert.is_nil(err.message:find("wrong-one", 1, true))
    end)
  end

  it("[N5] that knows the login carries the call, and else nothing", function()
    local s = scripted { { body = server.completion("ok"), close = true } } -- the proxy has one at a time
    local url = s.url
    for _, scheme in ipairs { "socks5", "socks5h" } do
      local locked = keep(socks.start { user = "user", password = "right-one" })
      local function proxy(login) return ("%s://%s%s:%d"):format(scheme, login, locked.host, locked.port) end
      local res, err = client_of(url, { proxy = proxy "user:right-one@" }):chat(PARAMS)
      assert.is_truthy(res, tostring(err))
      for _, login in ipairs { "user:wrong-one@", "other:right-one@", "" } do
        assert_final("authentication_error", "proxy_authentication_required", "the SOCKS proxy",
          failure(url, { proxy = proxy(login) }))
      end
      local open = keep(socks.start())
      res, err = client_of(url, { proxy = ("%s://%s:%d"):format(scheme, open.host, open.port) }):chat(PARAMS)
      assert.is_truthy(res, tostring(err))
      assert_retried("refused", "the server refused the connection of the SOCKS proxy",
        failure(server.refused_url(), { proxy = ("%s://%s:%d"):format(scheme, open.host, open.port) }))
      local closed = keep(socks.start { deny = true })
      assert_final("permission_error", "proxy_refused", "the rules of the SOCKS proxy",
        failure(url, { proxy = ("%s://%s:%d"):format(scheme, closed.host, closed.port) }))
    end
    assert.equal(4, #s:log())
  end)

  it("[N5] of version 4 whose identd knows another is one try, too", function()
    for code = 92, 93 do
      assert_final("authentication_error", "proxy_authentication_required", "refused the login",
        through("socks4", "\0" .. string.char(code) .. "\0\0\0\0\0\0"))
    end
  end)

  it("[N5] whose rules forbid it is a PermissionError of one try", function()
    assert_final("permission_error", "proxy_refused", "rules of the SOCKS proxy",
      through("socks5", FINE .. "\5\2\0\1\0\0\0\0\0\0"))
  end)

  for code, says in pairs {
    [1] = "the SOCKS proxy failed", [3] = "network", [4] = "cannot reach the server", [5] = "the server refused",
    [6] = "too long", [7] = "does not support connections", [8] = "type of address",
  } do
    it("[N5] that answers " .. code .. " says what that is, and is tried again", function()
      assert_retried("refused", says, through("socks5", FINE .. "\5" .. string.char(code) .. "\0\1\0\0\0\0\0\0"))
    end)
  end

  it("[N5] of version 4 that could not connect is tried again", function()
    assert_retried("refused", "refused the connection, or could not connect",
      through("socks4", "\0\91\0\0\0\0\0\0"))
  end)

  it("[N5] that is none, or leaves, is a connection that broke", function()
    assert.equal("connection_error", through("socks5", "HTTP/1.1 400 Bad Request\r\n\r\n").type)
    for _, raw in ipairs { "", "\5", FINE, FINE .. "\5\0" } do
      assert_retried("reset", "", through("socks5", raw))
    end
  end)
end)

describe("a server that wants a client certificate", function()
  for name, flags in pairs { ["1.2"] = "-tls1_2", ["1.3"] = "-tls1_3" } do
    it("[N6] over TLS " .. name .. " is a TLSError of one try, whatever is sent", function()
      local front = keep(real.s_server("-Verify 1 -verify_return_error " .. flags))
      for _, size in ipairs { 1, 100000 } do
        local res, err = client_of(front.url, { ca_file = front.ca_file })
          :chat { model = "m", messages = {}, blob = ("x"):rep(size) }
        assert.is_nil(res)
        assert.same({ "tls_error", 1, "not_retryable", false },
          { err.type, err.attempts, err.reason, err.ambiguous }, tostring(err))
      end
    end)

    it("[N6] over TLS " .. name .. " gets one, or says that it does not like it", function()
      local front = keep(real.s_server("-Verify 1 -verify_return_error " .. flags))
      local own = { ca_file = front.ca_file, client_cert = { cert = front.client_cert, key = front.client_key } }
      local res, err = client_of(front.url, own):request { path = "/x", raw = true }
      assert.is_truthy(res, tostring(err))
      local other = certs.make()["self-signed"]
      own.client_cert = { cert = other.cert, key = other.key }
      assert_final("tls_error", "certificate", "the server did not accept the client certificate",
        failure(front.url, own))
    end)
  end

  it("[N6] says so, where TLS does", function()
    local front = keep(real.s_server "-Verify 1 -verify_return_error -tls1_3")
    assert_final("tls_error", "certificate", "^the server requires a client certificate %(option client_cert%)$",
      failure(front.url, { ca_file = front.ca_file }))
  end)
end)

describe("a file of certificates", function()
  local front, path
  before_each(function()
    front = keep(real.nginx { tls = true, client_cert = true })
    path = temporary()
  end)

  local function refused(opts, says)
    assert_final("tls_error", "certificate", says, failure(front.url, calls.with({ ca_file = front.ca_file }, opts)))
  end

  it("[N6] that is not there is named, with its option", function()
    local none = path .. "/none.pem"
    local at = none:gsub("%p", "%%%0")
    refused({ ca_file = none }, "^ca_file cannot be read %(No such file or directory%): " .. at .. "$")
    refused({ ca_file = path .. "/a/b" }, "^ca_file cannot be read")
    refused({ client_cert = none }, "^client_cert cannot be read %(No such file or directory%): " .. at .. "$")
    refused({ client_cert = { cert = front.client_cert, key = none } },
      "^client_cert.key cannot be read %(No such file or directory%): " .. at .. "$")
    assert_final("tls_error", "certificate", "^ca_path cannot be read %(No such file or directory%): " .. at .. "$",
      failure(front.url, { ca_path = none }))
  end)

  it("[N6] that holds something else is named", function()
    local junk = proc.write(path .. "/junk.pem", "no certificate\n")
    refused({ ca_file = junk }, "^ca_file contains no certificates: ")
    refused({ client_cert = junk }, "^client_cert contains no certificate: ")
    refused({ client_cert = { cert = front.client_cert, key = junk } }, "^client_cert.key contains no private key: ")
    refused({ client_cert = front.client_cert }, "^client_cert contains no private key: ")
    refused({ client_cert = { cert = front.client_cert, key = certs.make().good.key } },
      "^client_cert.key is not the key of the certificate: ")
  end)

  it("[N6] whose key has a password that is wrong or missing says that, and asks nobody", function()
    local locked = path .. "/locked.key"
    shell(("openssl pkey -in %s -aes128 -passout pass:open-sesame -out %s"):format(front.client_key, locked))
    local function own(password)
      return { client_cert = { cert = front.client_cert, key = locked, password = password } }
    end
    refused(own(nil), "^client_cert.key needs client_cert.password: ")
    refused(own "wrong-password", "^client_cert.key is not opened by client_cert.password")
    local res, err = client_of(front.url, calls.with(own "open-sesame", { ca_file = front.ca_file })):chat(PARAMS)
    assert.is_truthy(res, tostring(err))
  end)
end)

describe("a unix socket", function()
  it("[N6] that is not there, or where nobody listens, is named", function()
    local path = temporary()
    local err = failure("http://localhost/v1", { unix_socket = path .. "/none" })
    assert_retried("refused", "^unix_socket cannot be reached %(No such file or directory%): " .. path .. "/none$", err)
    proc.write(path .. "/file", "")
    err = failure("https://localhost/v1", { unix_socket = path .. "/file" })
    assert_retried("refused", "^unix_socket cannot be reached %(Connection refused%): " .. path .. "/file$", err)
    assert.matches("unix_socket", err:hint())
  end)
end)

describe("a handshake that the other side leaves", function()
  local HELLO = "\22\3\3\0\74\2\0\0\70" -- the beginning of an answer
  for name, row in pairs {
    ["before a byte, by FIN"] = { raw = "", close = true },
    ["before a byte, by RST"] = { raw = "", close = "rst" },
    ["after the first byte, by FIN"] = { raw = HELLO:sub(1, 1), close = true },
    ["in the middle, by FIN"] = { raw = HELLO, close = true },
    ["in the middle, by RST"] = { raw = HELLO, close = "rst" },
  } do
    it("[N10] " .. name .. ", is a connection that broke", function()
      row.on = "arrival"
      local s = scripted { row }
      local err = failure("https://127.0.0.1:" .. s.port .. "/v1")
      assert.same({ "connection_error", 2, false }, { err.type, err.attempts, err.ambiguous }, tostring(err))
      assert.is_truthy(("reset empty_reply"):find(err.code, 1, true), err.code)
    end)

    it("[N10] " .. name .. ", behind a proxy, is one, too", function()
      local s = scripted { { raw = "HTTP/1.1 200 OK\r\n\r\n" .. row.raw, close = row.close } }
      local err = failure(HTTPS, { proxy = s.url:sub(1, -4) })
      assert.same({ "connection_error", 2, false }, { err.type, err.attempts, err.ambiguous }, tostring(err))
      s = scripted { row }
      err = failure(HTTPS, { proxy = "https" .. s.url:sub(5, -4) })
      assert.same({ "connection_error", 2, false }, { err.type, err.attempts, err.ambiguous }, tostring(err))
    end)
  end

  for name, raw in pairs {
    ["an alert"] = "\21\3\3\0\2\2\40", ["an alert of its version"] = "\21\3\1\0\2\2\70",
    ["HTTP"] = "HTTP/1.1 400 Bad Request\r\n\r\n", ["SSH"] = "SSH-2.0-OpenSSH_9.2\r\n",
  } do
    it("[N10] with " .. name .. " was refused, once", function()
      local s = scripted { { on = "arrival", raw = raw, close = true } }
      assert_final("tls_error", "handshake", "", failure("https://127.0.0.1:" .. s.port .. "/v1"))
    end)
  end
end)

describe("an old TLS", function()
  local LAX = [[
openssl_conf = conf
[conf]
ssl_conf = ssl
[ssl]
system_default = lax
[lax]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
]]

  it("[R4] is not spoken, although the system's configuration allows it", function()
    local conf = proc.write(temporary() .. "/openssl.cnf", LAX)
    for _, flags in ipairs { "-tls1", "-tls1_1" } do
      local front = keep(real.s_server(flags .. " -cipher DEFAULT@SECLEVEL=0"))
      local allowed = shell(("OPENSSL_CONF=%s curl -sS -k --tlsv1.0 -o /dev/null -w '%%{http_code}' %s")
        :format(conf, front.url))
      assert.equal("200", allowed) -- so it would be spoken
      local run = child.run { env = { "OPENSSL_CONF=" .. conf }, args = { front.url, tostring(front.port) }, code = [[
        local ofox = require "ofox"
        local url, port = ...
        local function show(base, proxy)
          local client = ofox.new { base_url = base, api_key = "k-0123456789", verify = false, proxy = proxy,
            errors = "return", max_retries = 0 }
          local res, err = client:request { path = "/x", raw = true }
          print(res and "spoken" or err.type .. " " .. err.code)
        end
        show(url, false)
        show("https://127.0.0.1:9/v1", "https://127.0.0.1:" .. port) ]] }
      assert.equal("tls_error handshake\ntls_error handshake\n", run.output, run.errors)
    end
    local front = keep(real.s_server "-tls1_2")
    assert.is_truthy(client_of(front.url, { ca_file = front.ca_file }):request { path = "/x", raw = true })
  end)
end)
