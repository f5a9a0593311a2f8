-- Streams of HTTP/2 that the server refuses: a request that it has not looked
-- at is no request that may have been paid for.
-- test: once: what refuses is below Lua, and one object for all
local ofox = require "ofox"
local calls = require "support.calls"
local peer2 = require "support.peer2"
local real = require "support.real"

local PARAMS = calls.PARAMS

local keep, stop_kept = calls.keeper()
after_each(stop_kept)

-- Over TLS a connection is used again; without, not by each libcurl.
local function scene(tls, words, opts)
  local peer = keep(peer2.start(words))
  local front = tls and keep(real.tls { port = peer.port })
  return calls.client({
    api_key = "sk-of-refused-0123456789", base_url = (front or peer).url, ca_file = front and front.ca_file or nil,
    http_version = not tls and "2-prior-knowledge" or nil, max_retries = 0,
  }, opts), peer
end

local function answered(res, err)
  assert.is_truthy(res, tostring(err))
  assert.equal("ok", res:output_text())
  return ofox.meta(res)
end

for _, tls in ipairs { true, false } do
  describe("a stream that is refused, " .. (tls and "over TLS" or "without TLS"), function()
    for _, word in ipairs { "refuse", "goaway", "goaway-close" } do
      it("[N4] by " .. word .. " is not ambiguous", function()
        local client, peer = scene(tls, { word, "ok" })
        local _, err = client:chat(PARAMS)
        assert.same({ "connection_error", "reset", "-", false }, calls.summary(err))
        assert.same({ true, 1 }, { err.retryable, err.attempts })
        assert.equal(1, peer:requests())
        answered(client:chat(PARAMS))
      end)

      it("[N4] by " .. word .. " is tried again", function()
        local client, peer = scene(tls, { word, word, "ok" }, { max_retries = 3 })
        local meta = answered(client:chat(PARAMS))
        assert.same({ "reset", "reset" }, calls.each_retry(meta.retries, "code"))
        assert.same({ "connection_error", "connection_error" }, calls.each_retry(meta.retries, "type"))
        assert.equal(3, meta.attempts)
        assert.equal(3, peer:requests())
      end)
    end

    for _, word in ipairs { "internal", "late-goaway", "close" } do
      it("[N4] unlike one that ends by " .. word .. ", which is ambiguous", function()
        local client, peer = scene(tls, { word, "ok" })
        local _, err = client:chat(PARAMS)
        assert.equal("connection_error", err.type)
        assert.is_true(err.ambiguous, tostring(err))
        assert.equal(1, peer:requests())
      end)
    end
  end)
end

describe("a stream that is refused on a connection used before", function()
  for _, word in ipairs { "refuse", "goaway", "goaway-close" } do
    it("[N4] by " .. word .. " is not ambiguous", function()
      local client, peer = scene(true, { "ok", word, "ok" })
      answered(client:chat(PARAMS))
      local _, err = client:chat(PARAMS)
      assert.same({ "connection_error", "reset", "-", false }, calls.summary(err))
      assert.equal(2, peer:requests())
      answered(client:chat(PARAMS))
    end)

    it("[N4] by " .. word .. " is tried again at once", function()
      local client, peer = scene(true, { "ok", word, "ok" }, { max_retries = 1, retry = "ofox" })
      answered(client:chat(PARAMS))
      local meta = answered(client:chat(PARAMS))
      assert.same({ "immediate" }, calls.each_retry(meta.retries, "delay_source"))
      assert.equal(3, peer:requests())
    end)
  end

  for _, word in ipairs { "internal", "late-goaway", "close" } do
    it("[N4] unlike one that ends by " .. word .. ", which is ambiguous", function()
      local client, peer = scene(true, { "ok", word, "ok" })
      answered(client:chat(PARAMS))
      local _, err = client:chat(PARAMS)
      assert.equal("connection_error", err.type)
      assert.is_true(err.ambiguous, tostring(err))
      assert.equal(2, peer:requests())
    end)
  end
end)
