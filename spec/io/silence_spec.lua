-- A connection that has fallen silent without a word, as networks, proxies and
-- sleeping laptops make them: real nginx behind a forwarder that stops passing
-- bytes on one connection, while new ones work.
-- test: waits long: for limits of time
local ofox = require "ofox"
local calls = require "support.calls"
local forwarder = require "support.forwarder"
local real = require "support.real"
local server = require "support.server"

local PARAMS = calls.PARAMS

-- Of a call that is to be answered at once, however busy the machine is.
local PATIENT = { timeout = 30 }

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

-- nginx behind a forwarder, and a client of it. 'steps': of a scripted server
-- behind nginx; else it answers by itself.
local function scene(opts, steps, http2)
  local backend
  if steps then
    backend = keep(server.start())
    backend:script(steps)
  end
  local front = keep(real.nginx { tls = true, http2 = http2 ~= false,
    backend = backend and ("%s:%d"):format(backend.host, backend.port) })
  local path = keep(forwarder.start(front.port))
  local client = calls.client({
    api_key = "sk-of-silence-0123456789", base_url = ("https://127.0.0.1:%d/v1"):format(path.port),
    ca_file = front.ca_file, timeout = 0.5, max_retries = 1,
  }, opts)
  return client, path, front, backend
end

local function answered(res, err)
  assert.is_truthy(res, tostring(err))
  assert.equal("ok", res:output_text())
  return ofox.meta(res)
end

-- The next piece of text of a stream, or nil and why there is none.
local function read(stream)
  while true do
    local chunk, err = stream:next()
    if not chunk then return nil, err end
    local content = chunk.choices[1] and chunk.choices[1].delta.content
    if content then return content end
  end
end

local function ok_steps()
  return { { body = server.completion("ok") }, repeat_last = true }
end

for _, http2 in ipairs { true, false } do
  local name = http2 and "over HTTP/2" or "over HTTP/1.1"

  describe("a connection that fell silent, " .. name .. ",", function()
    it("[N1] is left by the next attempt and by all later calls", function()
      local client, path = scene(nil, nil, http2)
      answered(client:chat(PARAMS, PATIENT))
      assert.equal(1, path:freeze())
      local meta = answered(client:chat(PARAMS))
      assert.equal(2, meta.attempts)
      assert.same({ "timeout" }, calls.each_retry(meta.retries, "code"))
      for _ = 1, 5 do assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts) end
      assert.equal(2, path:connections())
    end)

    it("[N1] is left by the next call where there is no further attempt", function()
      local client, path = scene({ max_retries = 0 }, nil, http2)
      answered(client:chat(PARAMS, PATIENT))
      path:freeze()
      local _, err = client:chat(PARAMS)
      assert.same({ "timeout_error", "timeout", 1 }, { err.type, err.code, err.attempts })
      assert.is_true(err.ambiguous)
      assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts)
      assert.equal(2, path:connections())
    end)

    it("[N1] is left after a deadline, too", function()
      local client, path = scene({ max_retries = 0 }, nil, http2)
      answered(client:chat(PARAMS, PATIENT))
      path:freeze()
      local _, err = client:chat(PARAMS, { deadline = 0.3 })
      assert.equal("deadline", err.code)
      assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts)
    end)

    it("[N1] is left by a hedge, and by all later calls", function()
      local client, path = scene(nil, nil, http2)
      answered(client:chat(PARAMS, PATIENT))
      path:freeze()
      local meta = answered(client:chat(PARAMS, { timeout = 30, hedge = 0.05 }))
      assert.equal(2, meta.attempts)
      assert.same({ "cancelled" }, calls.each_retry(meta.retries, "code"))
      for _ = 1, 5 do assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts) end
      assert.equal(2, path:connections())
    end)

    it("[N1] gets no request more than there are attempts", function()
      local client, path, _, backend = scene(nil, ok_steps(), http2)
      answered(client:chat(PARAMS, PATIENT))
      path:mute()
      assert.equal(2, answered(client:chat(PARAMS)).attempts)
      assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts)
      assert.equal(4, #backend:log())
      assert.equal(2, path:connections())
    end)

    it("[N1] falls silent again and again: each attempt opens one", function()
      local client, path = scene({ max_retries = 2 }, nil, http2)
      answered(client:chat(PARAMS, PATIENT))
      path:freeze()
      local meta = answered(client:chat(PARAMS, { on_retry = function(_, _, attempt)
        if attempt == 1 then path:freeze() end
      end }))
      assert.equal(2, meta.attempts)
      path:freeze()
      assert.equal(2, answered(client:chat(PARAMS)).attempts)
      assert.equal(3, path:connections())
    end)

    -- behind nginx, which by itself answers before it has the whole request:
    -- that breaks some uploads in libcurl 7.88
    it("[N1] is left by many calls at once", function()
      local client, path = scene(nil, ok_steps(), http2)
      answered(client:chat(PARAMS, PATIENT))
      path:freeze()
      local list = {}
      for i = 1, 20 do list[i] = function() return client:chat(PARAMS) end end
      local attempts = 0
      for _, result in ipairs(ofox.all(list)) do
        assert.is_true(result[1], tostring(result[2]))
        attempts = attempts + answered(result[2], result[3]).attempts
      end
      if http2 then
        assert.equal(40, attempts)
        assert.equal(2, path:connections())
      else
        assert.is_true(attempts <= 21)
      end
      assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts)
    end)

    it("[N1] in the middle of a stream: idle_timeout, and the next call has another", function()
      local events = server.events { "a", "b" }
      local client, path = scene({ idle_timeout = 0.4, timeout = 5 }, {
        { chunks = { events[1], events[2], { pause = 0.1 }, { bytes = ": beat\n\n", times = 100, pause = 0.05 } },
          headers = { "Content-Type: text/event-stream" } },
        { body = server.completion("ok") }, repeat_last = true,
      }, http2)
      local stream = client:stream(PARAMS)
      assert.equal("a", read(stream))
      path:freeze()
      local piece, err
      repeat piece, err = read(stream) until not piece
      assert.equal("idle_timeout", err.code)
      assert.equal("a", err.partial.text)
      assert.equal(1, answered(client:chat(PARAMS, PATIENT)).attempts)
      assert.equal(2, path:connections())
    end)

    it("[N1] before a stream says anything: another attempt gets it", function()
      local events = server.events { "ok" }
      local client, path, _, backend = scene(nil, {
        { body = server.completion("ok") },
        { chunks = events, headers = { "Content-Type: text/event-stream" } }, repeat_last = true,
      }, http2)
      answered(client:chat(PARAMS, PATIENT))
      path:mute()
      local stream = client:stream(PARAMS)
      assert.equal("ok", stream:collect():output_text())
      assert.equal(2, stream:meta().attempts)
      assert.equal(3, #backend:log())
    end)
  end)
end

describe("a connection that is only slow", function()
  it("[N1] is kept where others on it are answered", function()
    local events = server.events { "a" }
    local client, path = scene({ max_retries = 0 }, {
      { chunks = { events[1], events[2], { bytes = ": beat\n\n", times = 400, pause = 0.005 } },
        headers = { "Content-Type: text/event-stream" } },
      { stall = true }, { body = server.completion("ok") },
    })
    local stream = client:stream(PARAMS)
    assert.equal("a", read(stream))
    local _, err = client:chat(PARAMS, { timeout = 1 })
    assert.equal("timeout", err.code)
    answered(client:chat(PARAMS, PATIENT))
    stream:close()
    assert.equal(1, path:connections())
  end)

  it("[N1] lets those on it go on to their own limits, and takes no new calls", function()
    local client, path, _, backend = scene({ timeout = 30 }, {
      { after = 4, body = server.completion("ok") }, { stall = true },
      { body = server.completion("ok") }, repeat_last = true,
    })
    local long, short
    ofox.run(function()
      local task = ofox.go(function() long = answered(client:chat(PARAMS)) end)
      repeat ofox.sleep(0.005) until backend:wait({ requests = 1 }, 0)
      short = answered(client:chat(PARAMS, { timeout = 2 }))
      assert.is_nil(long)
      answered(client:chat(PARAMS, PATIENT))
      task:wait()
    end)
    assert.same({ 1, 2 }, { long.attempts, short.attempts })
    answered(client:chat(PARAMS, PATIENT))
    assert.equal(2, path:connections())
    assert.equal(5, #backend:log())
  end)
end)

describe("a call that the program cancels", function()
  local function cancelled(client, seconds)
    local token = ofox.cancel_token()
    ofox.run(function()
      ofox.go(function()
        ofox.sleep(seconds)
        token:cancel()
      end)
      local _, err = client:chat(PARAMS, { cancel = token, timeout = 10 })
      assert.equal("cancelled", err.code)
    end)
  end

  it("[N1] soon leaves its connection as it is", function()
    local client, path = scene({ connect_timeout = 5 }, {
      { body = server.completion("ok") }, { stall = true }, { body = server.completion("ok") }, repeat_last = true,
    })
    answered(client:chat(PARAMS, PATIENT))
    cancelled(client, 0.1)
    answered(client:chat(PARAMS, PATIENT))
    assert.equal(1, path:connections())
  end)

  it("[N1] after longer silence than connect_timeout has waited for nothing: it is left", function()
    local client, path = scene({ connect_timeout = 0.3 })
    answered(client:chat(PARAMS, PATIENT))
    path:freeze()
    cancelled(client, 0.5)
    assert.equal(1, answered(client:chat(PARAMS, { connect_timeout = 30, timeout = 30 })).attempts)
    assert.equal(2, path:connections())
  end)
end)
