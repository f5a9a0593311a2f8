-- ofox.redis over TLS: who is trusted. Where this build has no TLS, that it says so.
-- test: waits: for a server without TLS, which does not know what it is asked
local certs = require "support.certs"
local client = require "support.redis_client"
local native = require "ofox.base.native"
local servers = require "support.redis"

local TLS = client.redis.TLS

describe("rediss://", function()
  local made, server
  setup(function() made = certs.make() end)
  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  local function start(name)
    server = servers.start({
      "tls-cert-file " .. made[name].cert, "tls-key-file " .. made[name].key, "tls-ca-cert-file " .. made.ca,
      "tls-auth-clients no", "requirepass sesame",
    }, { tls = true })
  end

  -- Value, problem and code of a script on it.
  local function eval(host, ca_file)
    local url = ("rediss://:sesame@%s:%d/1"):format(host, server.port)
    if not TLS then
      local connection, problem = client.redis.connect { engine = native("engine").new(), url = url, ca_file = ca_file }
      return connection, problem, "none"
    end
    return client.new({ url = url, ca_file = ca_file }):eval("return ARGV[1]", {}, { ("x"):rep(100000) })
  end

  -- What is expected where there is TLS.
  local function ends_as(code, pattern, value, problem, how)
    assert.is_nil(value)
    assert.equal(TLS and code or "none", how)
    assert.matches(TLS and pattern or "has no TLS", problem)
  end

  for _, host in ipairs { "127.0.0.1", "localhost" } do
    it("reaches a server whose certificate is for " .. host, function()
      start "good"
      local value, problem = eval(host, made.ca)
      if TLS then assert.equal(("x"):rep(100000), value, problem) else assert.matches("has no TLS", problem) end
    end)
  end

  it("is refused where the certificate is for another host", function()
    start "wrong-host"
    ends_as("down", "mismatch", eval("127.0.0.1", made.ca))
    ends_as("down", "mismatch", eval("localhost", made.ca))
  end)

  it("is refused where the certificate has expired", function()
    start "expired"
    ends_as("down", "expired", eval("127.0.0.1", made.ca))
  end)

  it("is refused where no authority has signed the certificate", function()
    start "self-signed"
    ends_as("down", "self.signed", eval("127.0.0.1", made.ca))
    ends_as("down", "self.signed", eval("127.0.0.1"))
  end)

  it("to a server without TLS ends with a problem", function()
    server = servers.start()
    local value, problem, code = eval("127.0.0.1", made.ca)
    assert.is_nil(value)
    assert.equal(TLS and "down" or "none", code)
    assert.is_true(#problem > 0)
  end)

  it("wants a file of authorities that is one", function()
    local connection, problem = client.redis.connect { engine = native("engine").new(), url = "rediss://host",
      ca_file = made["good"].key .. ".none" }
    assert.is_nil(connection)
    assert.matches(TLS and "^ca_file: no certificates could be read" or "has no TLS", problem)
  end)
end)
