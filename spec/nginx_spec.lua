-- Inside real nginx: the example of examples/nginx, in its workers.
-- nginx's Lua module is for LuaJIT alone.
if not rawget(_G, "jit") then return end

local socket = require "socket"
local calls = require "support.calls"
local server = require "support.server"
local worker = require "support.worker"

local s
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function() s:reset() end)

local ASK = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

-- The chunks of a stream: tokens, each of them after a pause.
local function paced(tokens, pause)
  local list = server.events(tokens)
  local chunks = { list[1] }
  for i = 2, #tokens + 1 do
    chunks[#chunks + 1] = { pause = pause }
    chunks[#chunks + 1] = list[i]
  end
  chunks[#chunks + 1] = list[#list - 1]
  chunks[#chunks + 1] = list[#list]
  return chunks
end

describe("inside nginx", function()
  local keep, stop_kept = calls.keeper()
  after_each(stop_kept)

  local function start(options)
    return keep(worker.start(calls.with({ url = s.url }, options)))
  end

  it("[E7] a hundred streams on one worker do not hold up what is beside them", function()
    local PAUSE = 0.4
    local front = start()
    s:script { { chunks = paced({ "one ", "two ", "three ", "four ", "five" }, PAUSE) }, repeat_last = true }
    local streams = {}
    local waits, ping, due, all = {}, nil, 0, {}
    for i = 1, 100 do
      streams[i] = front:open("/chat", ASK)
      all[i] = streams[i]
    end
    local function is_done()
      local now, is_over = socket.gettime(), true
      for _, one in ipairs(streams) do is_over = is_over and one.is_over end
      if is_over then return true end
      if ping and ping.is_over then
        assert.equal("pong\n", select(2, ping:answer()))
        waits[#waits + 1], ping, due = ping.pieces[1].at - ping.began, nil, now + 0.01
      elseif not ping and now >= due then
        ping = front:open("/ping")
        all[101] = ping
      end
      return false
    end
    assert.is_true(worker.pump(all, is_done))
    for _, one in ipairs(streams) do
      local status, body = one:answer()
      assert.same({ 200, "one two three four five" }, { status, body })
    end
    assert.equal(100, s:connections())
    table.sort(waits)
    assert.is_true(#waits >= 10, "only so many pings: " .. #waits)
    assert.is_true(waits[math.ceil(#waits / 2)] < 0.005, "a usual ping took " .. waits[math.ceil(#waits / 2)])
    assert.is_true(waits[#waits] < PAUSE, "a ping took " .. waits[#waits])
    assert.equal("", front:log())
  end)

  for _, name in ipairs { "linger", "linger_in_nginx" } do
    it("[E7] threads of a request that was broken off are strangers to the next: " .. name, function()
      local front = start()
      for _ = 1, 5 do
        local lingering = {}
        for i = 1, 3 do lingering[i] = front:open("/case/" .. name) end
        assert.is_true(worker.pump(lingering, function()
          return lingering[1].text:find("here") and lingering[2].text:find("here") and lingering[3].text:find("here")
        end))
        for _, one in ipairs(lingering) do one:close() end
        local fresh = {}
        for i = 1, 20 do fresh[i] = front:open("/case/fresh") end
        assert.is_true(worker.pump(fresh))
        for _, one in ipairs(fresh) do assert.equal("strangers=0\n", select(2, one:answer())) end
      end
      assert.equal("", front:log())
    end)
  end
end)
