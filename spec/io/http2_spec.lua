-- HTTP/2 against real nginx and nghttpx: when it is spoken, that calls stay on
-- one connection, and that a server which says goodbye costs no request.
local socket = require "socket"
local ofox = require "ofox"
local calls = require "support.calls"
local real = require "support.real"
local server = require "support.server"

local PARAMS = calls.PARAMS

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local function client_of(front, opts)
  return calls.client({
    api_key = "sk-of-http2-0123456789abcdef", base_url = front.url, ca_file = front.ca_file, timeout = 10,
  }, opts)
end

-- A scripted server that says what it is asked to, and its address.
local function backend_of(steps)
  local backend = keep(server.start())
  backend:script(steps)
  return backend, backend.host .. ":" .. backend.port
end

local function always_ok()
  return backend_of { { body = server.completion("ok") }, repeat_last = true }
end

describe("the version of HTTP", function()
  local cases = {
    { what = "by default, over TLS", tls = true, http2 = true, spoken = "HTTP/2.0" },
    { what = "as \"2\", over TLS", tls = true, http2 = true, version = "2", spoken = "HTTP/2.0" },
    { what = "as \"1.1\", over TLS", tls = true, http2 = true, version = "1.1", spoken = "HTTP/1.1" },
    { what = "as \"2-prior-knowledge\", over TLS", tls = true, http2 = true, version = "2-prior-knowledge",
      spoken = "HTTP/2.0" },
    { what = "by default, where TLS offers no HTTP/2", tls = true, spoken = "HTTP/1.1" },
    { what = "as \"2\", where TLS offers no HTTP/2", tls = true, version = "2", spoken = "HTTP/1.1" },
    { what = "by default, without TLS", spoken = "HTTP/1.1" },
    { what = "as \"2\", without TLS", version = "2", spoken = "HTTP/1.1" },
    -- libcurl 7.88 cannot use such a connection twice, later ones do
    { what = "as \"2-prior-knowledge\", without TLS", http2 = true, version = "2-prior-knowledge",
      spoken = "HTTP/2.0", connections = 2 },
  }
  for _, case in ipairs(cases) do
    it("[C14] " .. case.what .. ", is " .. case.spoken, function()
      local front = keep(real.nginx { tls = case.tls, http2 = case.http2 })
      local client = client_of(front, { http_version = case.version })
      for _ = 1, 2 do
        local res, err = client:chat(PARAMS)
        assert.is_truthy(res, tostring(err))
        assert.equal("ok", res:output_text())
        assert.equal(200, ofox.meta(res).status)
        assert.equal(1, ofox.meta(res).attempts)
      end
      local log = front:wait_log(2)
      assert.equal(2, #log)
      for _, entry in ipairs(log) do assert.equal(case.spoken, entry.protocol) end
      assert.is_true(real.connections(log) <= (case.connections or 1))
    end)
  end

  it("[C14] without TLS asks for no upgrade", function()
    local backend = always_ok()
    for _, version in ipairs { "2", "1.1" } do
      assert.is_truthy(client_of({ url = backend.url }, { http_version = version }):chat(PARAMS))
    end
    assert.is_truthy(client_of({ url = backend.url }):chat(PARAMS))
    for _, entry in ipairs(backend:log()) do
      assert.equal("HTTP/1.1", entry.version)
      assert.is_nil(entry.headers.upgrade)
      assert.is_nil(entry.headers["http2-settings"])
      assert.is_nil(entry.headers.expect)
    end
  end)

  it("[C14] is 2 against nghttpx, whose backend gets all headers once", function()
    local backend, address = always_ok()
    local front = keep(real.nghttpx { backend = address })
    local res, err = client_of(front, { headers = { ["X-Mine"] = "1" } }):chat(PARAMS, { idempotency_key = "k-1" })
    assert.is_truthy(res, tostring(err))
    local headers = backend:log()[1].headers
    assert.equal("1", headers["x-mine"])
    assert.equal("k-1", headers["idempotency-key"])
    assert.equal("application/json", headers["content-type"])
    assert.equal("application/json", headers.accept)
    assert.equal("Bearer sk-of-http2-0123456789abcdef", headers.authorization)
    assert.matches("^2 ", headers.via)
  end)

  it("that is not the server's is a ConnectionError, tried again", function()
    local backend = backend_of { { on = "arrival", raw = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
      close = true }, repeat_last = true }
    local res, err = client_of({ url = backend.url }, { http_version = "2-prior-knowledge", max_retries = 1 })
      :chat(PARAMS)
    assert.is_nil(res)
    assert.equal("connection_error", err.type)
    assert.equal(2, err.attempts)
    assert.equal(2, backend:connections())
  end)
end)

describe("one HTTP/2 connection", function()
  it("[C14][C17] carries 64 calls", function()
    local front = keep(real.nginx { tls = true, http2 = true })
    local client = client_of(front)
    for _ = 1, 64 do assert.equal("ok", client:chat(PARAMS):output_text()) end
    local log = front:wait_log(64)
    assert.equal(64, #log)
    assert.equal(1, real.connections(log))
  end)

  it("[C17] carries the calls of several clients", function()
    local front = keep(real.nginx { tls = true, http2 = true })
    for _ = 1, 5 do assert.is_truthy(client_of(front):models()) end
    local log = front:wait_log(5)
    assert.equal(5, #log)
    assert.equal(1, real.connections(log))
  end)

  it("[C17] outlives error answers and answers that the server breaks off", function()
    local backend, address = backend_of {
      { status = 429, headers = { ["Retry-After"] = "0" }, body = "{}" },
      { body = server.completion("1") },
      { status = 400, body = "{}" },
      { body = server.completion("never whole"), cut = 150 },
      { body = server.completion("2") },
      { body = server.completion("3") },
    }
    local front = keep(real.nginx { tls = true, http2 = true, backend = address })
    local client = client_of(front, { max_retries = 1 })
    assert.equal("1", client:chat(PARAMS):output_text())
    assert.equal(400, select(2, client:chat(PARAMS)).status)
    local res, err = client:chat(PARAMS)
    assert.is_truthy(res, tostring(err))
    assert.equal("2", res:output_text())
    local meta = ofox.meta(res)
    assert.equal(2, meta.attempts)
    assert.equal("connection_error", meta.retries[1].type)
    assert.equal("3", client:chat(PARAMS):output_text())
    assert.equal(6, #backend:log())
    assert.equal(1, real.connections(front:wait_log(6)))
  end)

  it("[C18] takes a body of 3 MiB, the same on both attempts", function()
    local backend, address = backend_of {
      { status = 503, body = "{}" }, { body = server.completion("ok") },
    }
    local front = keep(real.nginx { tls = true, http2 = true, backend = address })
    local text = ("0123456789abcdef"):rep(3 * 65536)
    local res, err = client_of(front):chat { model = "m", messages = { { role = "user", content = text } } }
    assert.is_truthy(res, tostring(err))
    local log = backend:log()
    assert.equal(2, #log)
    assert.is_true(log[1].body == log[2].body)
    assert.is_true(log[1].body:find(text, 1, true) ~= nil)
    assert.equal(log[1].headers["idempotency-key"], log[2].headers["idempotency-key"])
  end)

  for _, version in ipairs { "1.1", "2" } do
    it("[C18] an early 413 is reported as 413 over HTTP/" .. version, function()
      local front = keep(real.nginx { tls = true, http2 = true, server = "client_max_body_size 1k;" })
      local client = client_of(front, { http_version = version })
      local res, err = client:chat { model = "m", messages = { { role = "user", content = ("x"):rep(4194304) } } }
      assert.is_nil(res)
      assert.equal(413, err.status, tostring(err))
      assert.equal("invalid_request_error", err.type)
      assert.equal(1, err.attempts)
      assert.equal("ok", client:chat(PARAMS):output_text())
    end)
  end
end)

describe("a server that says goodbye", function()
  local fronts = {
    ["nginx over HTTP/2"] = function(backend)
      return real.nginx { tls = true, http2 = true, requests = 2, backend = backend }
    end,
    ["nghttpx over HTTP/2"] = function(backend) return real.nghttpx { requests = 2, backend = backend } end,
    ["nginx over HTTP/1.1"] = function(backend) return real.nginx { tls = true, requests = 2, backend = backend } end,
  }
  for name, start in pairs(fronts) do
    it("[C14][C4] " .. name .. ": calls go on, and each attempt is one request", function()
      local backend, address = always_ok()
      local client = client_of(keep(start(address)))
      local attempts = 0
      for i = 1, 20 do
        local res, err = client:chat(PARAMS)
        assert.is_truthy(res, ("call %d: %s"):format(i, tostring(err)))
        attempts = attempts + ofox.meta(res).attempts
      end
      assert.equal(attempts, #backend:log())
      assert.is_true(attempts <= 22, attempts)
    end)
  end

  for _, http2 in ipairs { true, false } do
    it("[C14][C4] after each answer, over HTTP/" .. (http2 and "2" or "1.1"), function()
      local backend, address = always_ok()
      local front = keep(real.nginx { tls = true, http2 = http2, backend = address,
        server = "keepalive_timeout 1ms;" })
      local client = client_of(front)
      local attempts = 0
      for i = 1, 40 do
        local res, err = client:chat(PARAMS)
        assert.is_truthy(res, ("call %d: %s"):format(i, tostring(err)))
        attempts = attempts + ofox.meta(res).attempts
        -- the goodbye meets the next request at every stage of its way
        socket.select(nil, nil, (i % 8) * 0.0004)
      end
      local requests = #backend:log()
      assert.is_true(requests <= attempts, ("%d requests, %d attempts"):format(requests, attempts))
      assert.is_true(requests >= 40)
    end)
  end

  it("[C4] and is gone for good: one counted attempt at once, then a ConnectionError", function()
    local front = real.nginx { tls = true, http2 = true }
    local client = client_of(front, { max_retries = 2 })
    assert.is_truthy(client:chat(PARAMS))
    front:stop()
    local res, err = client:chat(PARAMS)
    assert.is_nil(res)
    assert.equal("connection_error", err.type)
    assert.equal("refused", err.code)
    assert.equal(3, err.attempts)
  end)
end)
