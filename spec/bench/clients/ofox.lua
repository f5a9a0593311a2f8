--- ofox, on any Lua.
local driver = require "driver"
local ofox = require "ofox"
local request = require "request"

local client = {}

local function open(base, settings)
  settings.base_url, settings.api_key, settings.proxy = base, request.KEY, false
  settings.stream_timeout, settings.max_response_bytes = 600, 128 * 1024 * 1024
  settings.timeout = 600
  return ofox.new(settings)
end

-- A server that asks twice for no wait at all is not believed; the waits of
-- our own are made nothing.
function client.open(base)
  return open(base, { retry = { jitter = "none", base = 1e-9 } })
end

function client.chat(session, params) return assert(session:chat(params)) end

client.errors = client.chat

function client.embeddings(session, params) return assert(session:embeddings(params)) end

function client.stream(session, params, on)
  for event in assert(session:stream(params)):chunks() do on(event) end
end

function client.text(session, params, on)
  for text in assert(session:stream(params)):text() do on(text) end
end

function client.flight(session, count, side, params, on)
  local left = count
  local function worker()
    while left > 0 do
      left = left - 1
      on(client.chat(session, params))
    end
  end
  ofox.run(function()
    for _ = 1, math.min(side, count) do ofox.go(worker) end
  end)
end

function client.streams(session, count, params, on)
  ofox.run(function()
    for _ = 1, count do ofox.go(client.stream, session, params, on) end
  end)
end

driver.main(client)
