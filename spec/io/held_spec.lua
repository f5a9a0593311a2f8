-- Calls that are held back, against a real server and in a real event loop:
-- waiting takes no connection and no time, and the next one is woken wherever
-- the one before it went.
-- test: waits: for the moment that the server named
local assert = require "luassert"
local calls = require "support.calls"
local host = require "support.host"
local ofox = require "ofox"
local server = require "support.server"

local OK = { body = server.completion("ok") }
local REFUSED = { status = 429, headers = { ["Retry-After"] = "1" },
  body = '{"error":{"message":"Slow down.","type":"rate_limit_error","code":"rate_limit_exceeded"}}' }

local s
setup(function() s = host.open() end)
teardown(host.close)
before_each(function() s:reset() end)

local function client_of(options)
  return calls.client({ api_key = "sk-held-0123456789", base_url = s.url, timeout = 30 }, options)
end

describe("calls that are held back", function()
  it("start from the moment on, and use connections only then", function()
    s:script { REFUSED, OK, repeat_last = true }
    local client = client_of { hold = true }
    assert.equal(429, select(2, client:chat(calls.PARAMS, { max_retries = 0 })).status)
    local began, connections = s:log()[1].at, s:connections()
    local tasks = {}
    for i = 1, 4 do tasks[i] = ofox.go(function() return client:chat(calls.PARAMS) end) end
    for _ = 1, 20 do ofox.step(0.01) end
    assert.equal(1, #s:log())
    assert.equal(connections, s:connections())
    for i = 1, 4 do assert.is_truthy(select(2, tasks[i]:wait())) end
    for i, entry in ipairs(s:log()) do assert.is_true(i == 1 or entry.at - began >= 0.99, entry.at - began) end
  end)

  it("are known when the client that was told is gone", function()
    s:script { REFUSED, OK, repeat_last = true }
    local options = { api_key = "sk-of-one-that-is-gone-0123456789" }
    client_of(options):chat(calls.PARAMS, { max_retries = 0 })
    collectgarbage()
    collectgarbage()
    assert.equal("held", select(2, client_of(options):chat(calls.PARAMS, { deadline = 0.5 })).code)
  end)

  it("are woken when the one before is dropped, though it is never read again", function()
    s:script { REFUSED, OK, repeat_last = true }
    local client = client_of()
    client:chat(calls.PARAMS, { max_retries = 0 })
    local token = ofox.cancel_token()
    local first = ofox.go(function() return client:chat(calls.PARAMS, { cancel = token }) end)
    local second = ofox.go(function() return client:chat(calls.PARAMS) end)
    ofox.step(0.01)
    token:cancel()
    assert.equal("cancelled_error", select(3, first:wait()).type)
    assert.is_truthy(select(2, second:wait()))
  end)

  it("hear of it no more than four times a second, in tasks, too", function()
    s:script { REFUSED, OK, repeat_last = true }
    local heard = 0
    local client = client_of { on_wait = function(_, err)
      heard = heard + 1
      assert.equal("held", err.code)
    end }
    client:chat(calls.PARAMS, { max_retries = 0 })
    ofox.map({ 1, 2 }, function() assert(client:chat(calls.PARAMS)) end)
    assert.is_true(heard >= 2 and heard <= 14, heard)
  end)

  it("do not wait for one that cannot go, for its stack is below that of another", function()
    s:script { REFUSED, OK, repeat_last = true }
    local client, ended = client_of(), {}
    client:chat(calls.PARAMS, { max_retries = 0 })
    local function in_place(i, seconds)
      return ofox.go(function()
        ofox.sleep(seconds)
        local res, err
        ("x"):gsub("x", function() res, err = client:chat(calls.PARAMS, { deadline = 60 }) end)
        ended[i] = res and "ok" or tostring(err)
      end)
    end
    local first, second = in_place(1, 0.1), in_place(2, 0.2)
    first:wait()
    second:wait()
    assert.same({ "ok", "ok" }, ended)
  end)

  it("10,000 of them take no time while they wait", function()
    s:script { { status = 429, headers = { ["Retry-After"] = "55" }, body = REFUSED.body } }
    local client = client_of { api_key = "sk-many-0123456789", max_retries = 0 }
    client:chat(calls.PARAMS)
    local token, request = ofox.cancel_token(), calls.PARAMS
    for _ = 1, 10000 do ofox.go(function() return client:chat(request, { cancel = token }) end) end
    ofox.step(0)
    local began = os.clock()
    for _ = 1, 1000 do ofox.step(0) end
    local with_many = os.clock() - began
    assert.equal(1, #s:log())
    token:cancel()
    while ofox.timeout() do ofox.step() end
    began = os.clock()
    for _ = 1, 1000 do ofox.step(0) end
    local with_none = os.clock() - began
    -- a scan of 10,000 in each step would be far more than that
    assert.is_true(with_many < 20 * with_none + 0.05, ("%.4f %.4f"):format(with_many, with_none))
  end)

  -- How many calls the engine looked at for each that started, of so many that a pace holds back.
  local function looks_of_a_start(count)
    s:reset()
    s:script { OK, repeat_last = true }
    local client = client_of { api_key = "sk-paced-" .. count, deadline = 600, pace = { rpm = 6000, burst = 1 } }
    local token, request, answered = ofox.cancel_token(), calls.PARAMS, 0
    for _ = 1, count do
      ofox.go(function()
        if client:chat(request, { cancel = token }) then answered = answered + 1 end
      end)
    end
    while answered < 10 do ofox.step() end
    local engine = require("ofox.task.engine").get()
    local began, before = engine:checks(), answered
    while answered < 40 do ofox.step() end
    local looks = (engine:checks() - began) / (answered - before)
    token:cancel()
    while ofox.timeout() do ofox.step() end
    return looks
  end

  it("one that starts out of 10,000 is looked at, not all of them", function()
    local of_few, of_many = looks_of_a_start(100), looks_of_a_start(10000)
    assert.is_true(of_few >= 3 and of_few < 50, of_few)
    assert.is_true(of_many >= 3 and of_many < 50, of_many)
  end)
end)

if pcall(require, "luv") then
  it("calls that are held back go on in an event loop", function()
    s:script { REFUSED, OK, repeat_last = true }
    assert.equal("429 cancelled ok ok 3\n", host.succeed [[
      local uv = require "luv"
      local ofox = require "ofox"
      ofox.use_loop(require "ofox.loop.uv")
      local client = ofox.new { base_url = URL, errors = "return", max_retries = 0 }
      local token, list, left = ofox.cancel_token(), {}, 4
      local function ask(i, options)
        ofox.go(function()
          local res, err = client:chat(PARAMS, options)
          list[i] = res and res:output_text() or tostring(err.status or err.code)
          left = left - 1
        end)
      end
      ask(1)
      local timer, ends = uv.new_timer(), uv.new_timer()
      local stage = 0
      timer:start(5, 5, function()
        if stage == 0 and left == 3 then
          stage = 1
          ask(2, { cancel = token })
          ask(3)
          ask(4)
          ends:start(100, 0, function() token:cancel() end)
        elseif left == 0 then
          timer:stop()
          uv.stop()
        end
      end)
      uv.run()
      say(table.concat(list, " ") .. " " .. #list - 1)]])
  end)
end
