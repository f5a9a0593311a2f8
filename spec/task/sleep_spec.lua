-- ofox.sleep outside of tasks: the engine goes on meanwhile, where there is one.
-- test: waits: for the time it sleeps
local socket = require "socket"
local ofox = require "ofox"
local calls = require "support.calls"
local child = require "support.child"
local server = require "support.server"

local PARAMS = calls.PARAMS
local EVENTS = { "Content-Type: text/event-stream" }

local s
local client = calls.against(function() return s end, "sk-of-sleep-0123456789")

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

describe("a plain ofox.sleep", function()
  it("[N8] closes the connection of a stream whose body does not end, within its second", function()
    s:script { { chunks = server.events { "a" }, last_chunk = false, stall = true, headers = EVENTS } }
    assert.equal("a", client():stream(PARAMS):collect():output_text())
    assert.equal(1, s:open())
    ofox.sleep(1.3)
    assert.is_true(s:wait({ open = 0 }, 1))
  end)

  it("[N8] reads ahead in a stream", function()
    local chunks = {}
    for _, event in ipairs(server.events { "a", "b", "c" }) do
      chunks[#chunks + 1] = event
      chunks[#chunks + 1] = { pause = 0.05 }
    end
    s:script { { chunks = chunks, headers = EVENTS } }
    local stream = client({ idle_timeout = 0.4 }):stream(PARAMS)
    ofox.sleep(0.8)
    assert.equal("abc", stream:collect():output_text())
  end)

  it("[N8] takes its time, no less and hardly more, whatever comes meanwhile", function()
    local chunks = {}
    for i, event in ipairs(server.events { "a", "b", "c", "d", "e", "f", "g", "h" }) do
      chunks[2 * i - 1], chunks[2 * i] = event, { pause = 0.03 }
    end
    s:script { { chunks = chunks, headers = EVENTS } }
    local stream = client():stream(PARAMS)
    local began, cpu = socket.gettime(), os.clock()
    ofox.sleep(0.6)
    local took, burnt = socket.gettime() - began, os.clock() - cpu
    assert.is_true(took >= 0.599, took)
    assert.is_true(burnt < 0.3, "it does not spin: " .. burnt)
    assert.equal("abcdefgh", stream:collect():output_text())
  end)

  it("[N8] loads no libcurl where there was no call", function()
    local result = child.run { code = [[
local ofox = require "ofox"
ofox.sleep(0.01)
print(package.loaded["ofox.engine"])
]] }
    assert.equal("nil\n", result.output, result.errors)
  end)
end)
