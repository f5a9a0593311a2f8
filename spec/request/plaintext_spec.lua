-- A key that goes over http:// to another machine: said once, to who hears it.
local ofox = require "ofox"
local calls = require "support.calls"
local child = require "support.child"
local mock = require "ofox.mock"
local options = require "ofox.request.options"
local plaintext = require "ofox.request.plaintext"
local server = require "support.server"

local KEY = "sk-of-plaintext-0123456789"
local PARAMS = calls.PARAMS

-- A client whose transport answers everything, and what its logger was warned of.
local function client_of(url, opts)
  local transport = mock.new()
  for _ = 1, 10 do transport:reply { body = server.completion("ok") } end
  local warned = {}
  local client = ofox.new(calls.with({
    base_url = url, api_key = KEY, transport = transport, errors = "return",
    logger = function(level, message, fields)
      if level == "warn" then warned[#warned + 1] = { message = message, host = fields.host } end
    end,
  }, opts))
  return client, warned
end

describe("a key over http:// to another machine", function()
  it("[R4] is said to the logger, once for each host, and without the key", function()
    local client, warned = client_of "http://gateway.test:8080/v1"
    for _ = 1, 3 do assert.is_truthy(client:chat(PARAMS)) end
    assert.is_truthy(client:models())
    assert.is_truthy(client:chat(PARAMS, { timeout = 1 }))
    assert.equal(1, #warned)
    assert.equal("gateway.test", warned[1].host)
    assert.matches("http://", warned[1].message, 1, true)
    assert.matches("insecure_http = true", warned[1].message, 1, true)
    assert.is_nil((warned[1].message .. warned[1].host):find(KEY, 1, true))
    local _, other = client_of("http://gateway.test:8080/v1")
    assert.same({}, other)
  end)

  for _, url in ipairs {
    "http://gateway.test/v1", "HTTP://gateway.test/v1", "http://10.0.0.1/v1", "http://[fe80::1]:80/v1",
    "http://localhost.example.com/v1", "http://127.example.com/v1", "http://127.0.0.1.example.com/v1",
    "http://notlocalhost/v1", "http://localhost@gateway.test/v1", "http://128.0.0.1/v1", "http://[::2]/v1",
    "http://0.0.0.0/v1", "http://gateway.test",
  } do
    it("[R4] is said: " .. url, function()
      local client, warned = client_of(url)
      client:chat(PARAMS)
      assert.equal(1, #warned)
    end)
  end

  for _, url in ipairs {
    "https://gateway.test/v1", "http://localhost/v1", "http://LocalHost:80/v1", "http://localhost./v1",
    "http://api.localhost/v1", "http://127.0.0.1:8080/v1", "http://127.255.255.254/v1", "http://127.1/v1",
    "http://[::1]/v1", "http://[::1]:8080/v1", "http://[0:0:0:0:0:0:0:1]/v1", "http://user:pw@127.0.0.1/v1",
    "http://[::ffff:127.0.0.1]/v1",
  } do
    it("[R4] is not said of this machine, or of TLS: " .. url, function()
      local client, warned = client_of(url)
      assert.is_truthy(client:chat(PARAMS))
      assert.same({}, warned)
    end)
  end

  it("[R4] is not said where no key goes, or none of it to another machine", function()
    for _, opts in ipairs { { api_key = false }, { unix_socket = "/none" }, { insecure_http = true },
      { headers = { Authorization = false } } } do
      local client, warned = client_of("http://gateway.test/v1", opts)
      assert.is_truthy(client:chat(PARAMS))
      assert.same({}, warned)
    end
    local client, warned = client_of "http://gateway.test/v1"
    assert.is_truthy(client:connect())
    assert.is_truthy(client:chat(PARAMS, { insecure_http = true }))
    assert.is_truthy(client:chat(PARAMS, { api_key = false }))
    assert.same({}, warned)
    assert.is_truthy(client:chat(PARAMS))
    assert.equal(1, #warned)
  end)

  it("[R4] is said of a program's own words, too", function()
    for _, opts in ipairs {
      { headers = { Authorization = "Bearer own" } }, { headers = { ["X-API-Key"] = "own" } },
      { headers = { ["x-goog-api-key"] = "own" } }, { base_url = "http://user:password@gateway.test/v1" },
    } do
      local client, warned = client_of("http://gateway.test/v1", calls.with({ api_key = false }, opts))
      assert.is_truthy(client:chat(PARAMS))
      assert.equal(1, #warned)
      assert.is_nil(warned[1].host:find("password", 1, true))
    end
  end)

  it("[R4] is said of a function's key, when there is one", function()
    local key = false
    local client, warned = client_of("http://gateway.test/v1", { api_key = function() return key end })
    client:chat(PARAMS)
    assert.same({}, warned)
    key = KEY
    client:chat(PARAMS)
    assert.equal(1, #warned)
  end)

  it("[R4] is said on stderr where there is no logger, before anything is sent", function()
    local CODE = [[
      local ofox = require "ofox"
      local mock = require "ofox.mock".new()
      for _ = 1, 9 do mock:reply { body = '{"choices":[]}' } end
      local function client(logger)
        return ofox.new { base_url = "http://gateway.test/v1", api_key = "k-0123456789", transport = mock,
          logger = logger }
      end
      client(false):chat { model = "m", messages = {} }
      io.stderr:write("silent\n")
      for _ = 1, 2 do client():chat { model = "m", messages = {} } end ]]
    local run = child.run { code = CODE, env = { "-u", "OFOX_LOG" } }
    assert.matches("^silent\nofox warn: the key is sent unencrypted[^\n]* host=gateway%.test\n$", run.errors)
  end)

  it("[R4] is an option that defaults to a warning", function()
    assert.is_false(options.settings({}, {}).insecure_http)
    assert.same({ "h", false }, { plaintext.host "http://h/x" })
    assert.same({ "h", true }, { plaintext.host "http://u:p@h:1" })
    assert.is_nil(plaintext.host "https://h/x")
  end)
end)
