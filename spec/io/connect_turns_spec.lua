-- Many calls at once over HTTP/2: how many connections they need.
-- test: once waits: for limits of time, below Lua
local ofox = require "ofox"
local calls = require "support.calls"
local real = require "support.real"
local server = require "support.server"

local PARAMS = calls.PARAMS

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

local function scene(http2, delay)
  local backend = keep(server.start())
  backend:script { { body = server.completion("ok"), delay = delay }, repeat_last = true }
  local front = keep(real.nginx { tls = true, http2 = http2, backend = ("%s:%d"):format(backend.host, backend.port),
    http = "http2_max_concurrent_streams 128;" })
  local function client(opts)
    return calls.client({ api_key = "sk-of-crowd-0123456789", base_url = front.url, ca_file = front.ca_file,
      timeout = 20, max_retries = 0 }, opts)
  end
  return client, front, backend
end

-- Makes n calls at once; client_of(i) is whose.
local function all(n, client_of)
  local list = {}
  for i = 1, n do
    list[i] = function()
      local res, err = client_of(i):chat(PARAMS)
      if not res then error(err, 0) end
      return res:output_text()
    end
  end
  for i, result in ipairs(ofox.all(list)) do
    assert.same({ true, "ok" }, { result[1], result[2] }, ("call %d: %s"):format(i, tostring(result[2])))
  end
end

describe("calls at once to a server of 128 streams a connection", function()
  it("[N9] of 150 clients: two connections", function()
    local client, front = scene(true, 0.5)
    all(150, function() return client() end)
    assert.equal(2, real.connections(front:wait_log(150)))
  end)

  it("[N9] of 150 clients after a first call: two connections", function()
    local client, front = scene(true, 0.5)
    assert.is_truthy(client():chat(PARAMS))
    all(150, function() return client() end)
    assert.equal(2, real.connections(front:wait_log(151)))
  end)

  it("[N9] 330 of one client: four connections at most, and later ones need no other", function()
    local client, front = scene(true, 0.3)
    local one = client()
    for _ = 1, 2 do all(330, function() return one end) end
    assert.is_true(real.connections(front:wait_log(660)) <= 4)
  end)

  it("[N9] that are cancelled make room for those that wait", function()
    local client, front = scene(true, 0.5)
    local one, token = client(), ofox.cancel_token()
    local ended = {}
    ofox.run(function()
      for i = 1, 150 do
        ofox.go(function()
          local res, err = one:chat(PARAMS, i <= 120 and { cancel = token } or nil)
          ended[i] = res and "ok" or err.type
        end)
      end
      ofox.sleep(0.1)
      token:cancel()
    end)
    for i = 1, 150 do assert.equal(i <= 120 and "cancelled_error" or "ok", ended[i]) end
    assert.is_true(real.connections(front:wait_log(30)) <= 2)
  end)
end)

describe("calls at once to a server that speaks HTTP/1.1 only", function()
  it("[N9] do not wait for each other's connections", function()
    local client, front, backend = scene(false, 1.5)
    local one = client()
    ofox.run(function()
      for _ = 1, 20 do ofox.go(function() assert.is_truthy(one:chat(PARAMS)) end) end
      ofox.sleep(0)
      local together
      repeat
        ofox.sleep(0.01)
        together = #backend:log()
      until together == 20 or front:log()[1] -- an answer came before
      assert.equal(20, together)
    end)
    assert.equal(20, real.connections(front:wait_log(20)))
  end)
end)
