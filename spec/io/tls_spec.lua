-- TLS against real nginx: whom the client trusts, what it shows of itself,
-- and that nothing is said to a server that is not trusted.
local ofox = require "ofox"
local calls = require "support.calls"
local certs = require "support.certs"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"

local KEY = "sk-of-tls-0123456789abcdef"
local PARAMS = calls.PARAMS

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local function client_of(url, opts)
  return calls.client({ api_key = KEY, base_url = url, timeout = 10 }, opts)
end

local function shell(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1 && echo done"))
  local text = pipe:read("*a")
  pipe:close()
  assert(text:find("done\n$"), text)
  return (text:gsub("done\n$", ""):gsub("%s+$", ""))
end

local function refused(code, res, err)
  assert.is_nil(res)
  assert.equal("tls_error", err.type)
  assert.equal(code, err.code)
  assert.equal(1, err.attempts)
  assert.equal("not_retryable", err.reason)
  assert.is_false(err.retryable)
  assert.is_false(err.ambiguous)
  assert.same({}, err.retries)
  assert.is_nil(err.status)
  assert.is_nil(tostring(err):find(KEY, 1, true))
  return err
end

-- The log must be empty although what comes after it is there.
local function assert_only_the_last(front)
  assert.is_truthy(client_of(front.url, { verify = false }):models())
  local log = front:wait_log(1)
  assert.equal(1, #log)
  assert.equal("/v1/models", log[1].path)
end

describe("a certificate", function()
  local cases = {
    { what = "that is self-signed", tls = "self-signed", says = "self%-signed" },
    { what = "that has expired", tls = "expired", says = "expired" },
    { what = "for another host", tls = "wrong-host", says = "subject name" },
    { what = "of an authority that the system does not know", tls = true, untrusted = true, says = "issuer" },
  }
  for _, case in ipairs(cases) do
    it("[C2] " .. case.what .. ": one try, and no key is sent", function()
      local front = keep(real.nginx { tls = case.tls, http2 = true })
      local ca_file = not case.untrusted and front.ca_file or nil
      local retries = 0
      local client = client_of(front.url, {
        ca_file = ca_file, on_retry = function() retries = retries + 1 end,
      })
      local err = refused("certificate", client:chat(PARAMS))
      assert.matches(case.says, err.message)
      refused("certificate", client:chat(PARAMS, { fallback = { "a/b", "c/d" } }))
      refused("certificate", client:connect())
      assert.equal(0, retries)
      assert_only_the_last(front)
    end)
  end

  it("[C2] is judged for each client anew, although a connection is there", function()
    local front = keep(real.nginx { tls = "wrong-host", http2 = true })
    assert.is_truthy(client_of(front.url, { verify = false }):models())
    refused("certificate", client_of(front.url, { ca_file = front.ca_file }):chat(PARAMS))
    assert.equal(1, #front:wait_log(1))
  end)

  it("[C2] arrives as what 'errors' asks for", function()
    local front = keep(real.nginx { tls = "self-signed" })
    local res, err = client_of(front.url, { errors = "split" }):chat(PARAMS)
    refused("certificate", res, err)
    local ok, raised = pcall(function() return client_of(front.url, { errors = "raise" }):chat(PARAMS) end)
    assert.is_false(ok)
    refused("certificate", nil, raised)
    assert.is_true(ofox.errors.is(raised, "tls_error"))
    assert.is_true(ofox.errors.is(raised, ofox.errors.TLSError))
  end)
end)

describe("trust", function()
  it("comes from ca_file, also by host name", function()
    local front = keep(real.nginx { tls = true })
    assert.equal("ok", client_of(front.url, { ca_file = front.ca_file }):chat(PARAMS):output_text())
    local by_name = client_of(("https://localhost:%d/v1"):format(front.port), { ca_file = front.ca_file })
    assert.equal("ok", by_name:chat(PARAMS):output_text())
  end)

  it("comes from ca_path", function()
    local front = keep(real.nginx { tls = true })
    local directory = proc.directory()
    local hash = shell("openssl x509 -hash -noout -in " .. proc.quote(front.ca_file))
    proc.write(directory.path .. "/" .. hash .. ".0", proc.read(front.ca_file))
    local res, err = client_of(front.url, { ca_path = directory.path }):chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    directory:remove()
    local empty = proc.directory()
    refused("certificate", client_of(front.url, { ca_path = empty.path }):chat(PARAMS))
    empty:remove()
    assert.equal(1, #front:wait_log(1))
  end)

  it("is given to one call alone", function()
    local front = keep(real.nginx { tls = true })
    local client = client_of(front.url)
    assert.is_truthy(client:chat(PARAMS, { ca_file = front.ca_file }))
    refused("certificate", client:chat(PARAMS))
    assert.equal(1, #front:wait_log(1))
  end)

  it("is not wanted with verify = false", function()
    for _, tls in ipairs { "self-signed", "expired", "wrong-host" } do
      local front = keep(real.nginx { tls = tls })
      assert.equal("ok", client_of(front.url, { verify = false }):chat(PARAMS):output_text(), tls)
    end
  end)

  it("in a file that is not there, or no certificates, is a TLSError of one try", function()
    local front = keep(real.nginx { tls = true })
    local directory = proc.directory()
    local junk = proc.write(directory.path .. "/junk.pem", "no certificate\n")
    for _, path in ipairs { directory.path .. "/none.pem", junk } do
      refused("certificate", client_of(front.url, { ca_file = path }):chat(PARAMS))
    end
    directory:remove()
    assert_only_the_last(front)
  end)
end)

describe("client_cert", function()
  local front, directory, made

  before_each(function()
    made = certs.make()
    front = keep(real.nginx { tls = true, client_cert = true })
    directory = proc.directory()
  end)

  after_each(function() directory:remove() end)

  local function call(cert)
    return client_of(front.url, { ca_file = front.ca_file, client_cert = cert }):chat(PARAMS)
  end

  it("is shown: certificate and key in two files", function()
    local res, err = call { cert = made.client.cert, key = made.client.key }
    assert.is_truthy(res, tostring(err))
  end)

  it("is shown: both in one file", function()
    local both = proc.write(directory.path .. "/both.pem",
      proc.read(made.client.cert) .. proc.read(made.client.key))
    assert.is_truthy(call(both))
    assert.is_truthy(call { cert = both })
  end)

  it("opens a locked key, and a wrong password is unseen", function()
    local locked = directory.path .. "/locked.key"
    shell(("openssl pkey -in %s -aes128 -passout pass:open-sesame -out %s"):format(made.client.key, locked))
    local err = refused("certificate", call { cert = made.client.cert, key = locked, password = "close-sesame" })
    assert.is_nil((tostring(err) .. err.message):find("close-sesame", 1, true))
    refused("certificate", call { cert = made.client.cert, key = directory.path .. "/none.key" })
    local res
    res, err = call { cert = made.client.cert, key = locked, password = "open-sesame" }
    assert.is_truthy(res, tostring(err))
    assert.equal(1, #front:wait_log(1))
  end)

  it("missing is what the server says about it", function()
    local res, err = call(nil)
    assert.is_nil(res)
    assert.equal("invalid_request_error", err.type)
    assert.equal(400, err.status)
    assert.matches("SSL certificate was sent", err.message)
  end)

  it("keeps its connection from those who show none", function()
    assert.is_truthy(call { cert = made.client.cert, key = made.client.key })
    local res, err = call(nil)
    assert.is_nil(res)
    assert.equal(400, err.status)
    local log = front:wait_log(2)
    assert.are_not.equal(log[1].conn, log[2].conn)
  end)
end)

describe("a scheme that is not the server's", function()
  it("[C2] https to a server without TLS: one try, no key", function()
    local plain = keep(server.start())
    plain:script { { on = "arrival", raw = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", close = true },
      repeat_last = true }
    local client = client_of("https" .. plain.url:match("^http(.*)$"))
    refused("handshake", client:chat(PARAMS))
    assert.equal(1, plain:connections())
    local front = keep(real.nginx())
    refused("handshake", client_of("https" .. front.url:match("^http(.*)$")):chat(PARAMS))
  end)

  it("http to a server with TLS: what it answers", function()
    local front = keep(real.nginx { tls = true })
    local res, err = client_of("http" .. front.url:match("^https(.*)$")):chat(PARAMS)
    assert.is_nil(res)
    assert.equal("invalid_request_error", err.type)
    assert.equal(400, err.status)
    assert.matches("plain HTTP request was sent to HTTPS port", err.message)
    assert.equal(1, err.attempts)
  end)
end)

describe("a handshake", function()
  for _, how in ipairs { "rst", true } do
    local name = how == "rst" and "reset" or "closed"
    it("that is " .. name .. " is a connection that broke, and tried again", function()
      local s = keep(server.start())
      s:script { { on = "arrival", stall = false, raw = "", close = how }, repeat_last = true }
      local client = client_of("https" .. s.url:match("^http(.*)$"), { max_retries = 2 })
      local res, err = client:chat(PARAMS)
      assert.is_nil(res)
      assert.equal("connection_error", err.type)
      assert.equal("reset", err.code)
      assert.equal(3, err.attempts)
      assert.equal(3, s:connections())
      assert.is_false(err.ambiguous)
    end)
  end

  it("that stalls ends with connect_timeout", function()
    local s = keep(server.start())
    s:script { { on = "arrival", stall = true }, repeat_last = true }
    local client = client_of("https" .. s.url:match("^http(.*)$"), { max_retries = 1, connect_timeout = 0.1 })
    local res, err = client:chat(PARAMS)
    assert.is_nil(res)
    assert.equal("timeout_error", err.type)
    assert.equal("connect_timeout", err.code)
    assert.equal(2, err.attempts)
    assert.is_false(err.ambiguous)
    assert.is_true(err.elapsed >= 0.2 and err.elapsed < 0.6, err.elapsed)
  end)
end)

describe("a TLS connection", function()
  for _, version in ipairs { "1.1", "2" } do
    it("carries one call after the other, errors too, over HTTP/" .. version, function()
      local backend = keep(server.start())
      backend:script {
        { body = server.completion("1") }, { status = 404, body = "{}" }, { status = 503, body = "{}" },
        { body = server.completion("3") }, { body = server.completion("4") },
      }
      local front = keep(real.nginx { tls = true, http2 = true, backend = backend.host .. ":" .. backend.port })
      local client = client_of(front.url, { ca_file = front.ca_file, http_version = version })
      assert.equal("1", client:chat(PARAMS):output_text())
      assert.equal(404, select(2, client:chat(PARAMS)).status)
      local res = client:chat(PARAMS)
      assert.equal("3", res:output_text())
      assert.equal(2, ofox.meta(res).attempts)
      assert.equal("4", client:chat(PARAMS):output_text())
      local log = front:wait_log(5)
      assert.equal(5, #log)
      for _, entry in ipairs(log) do assert.equal(log[1].conn, entry.conn) end
    end)
  end

  it("is shared by clients that trust alike", function()
    local front = keep(real.nginx { tls = true, http2 = true })
    for _ = 1, 3 do assert.is_truthy(client_of(front.url, { ca_file = front.ca_file }):models()) end
    local log = front:wait_log(3)
    assert.equal(3, #log)
    for _, entry in ipairs(log) do assert.equal(log[1].conn, entry.conn) end
  end)

  it("is opened ahead by connect(), without the key", function()
    local front = keep(real.nginx { tls = true, http2 = true })
    local client = client_of(front.url, { ca_file = front.ca_file })
    assert.is_true(client:connect())
    assert.is_truthy(client:chat(PARAMS))
    local log = front:wait_log(2)
    assert.equal(2, #log)
    assert.equal("HEAD", log[1].method)
    assert.equal("", log[1].headers.authorization)
    assert.equal("Bearer " .. KEY, log[2].headers.authorization)
    assert.equal(log[1].conn, log[2].conn)
  end)
end)
