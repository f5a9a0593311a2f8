-- What becomes of a store's answers, and what it is told: the store is scripted.
local limited = require "support.limited"
local mock = require "ofox.mock"
local ofox = require "ofox"
local shared = require "ofox.store.shared"

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local warnings, asks
before_each(function() warnings, asks = {}, {} end)

-- A client whose store answers what the function says: text, or nil and a problem.
local function client_of(answer, options)
  local transport = mock.new()
  transport:always { status = 200, body = limited.OK }
  local given = { api_key = "sk-of-the-store-0123456789", transport = transport, errors = "return",
    logger = function(level, _, fields)
      if level == "warn" then warnings[#warnings + 1] = fields.problem end
    end }
  for name, value in pairs(options or {}) do given[name] = value end
  given.store = shared.new { prefix = "", timeout = 0.1, name = function() return "scripted" end,
    ask = function(_, text, done)
      asks[#asks + 1] = text
      done(answer(text))
    end }
  return ofox.new(given), transport
end

local function always(answer)
  return function() return answer end
end

describe("a store", function()
  it("is asked for moments of the pace, and calls start at those", function()
    local client, transport = client_of(always "3000 0 1000 2000;", { pace = { rpm = 100, tpm = 5000, burst = 7 } })
    for _ = 1, 3 do assert.is_truthy(client:chat(PARAMS)) end
    local tokens = math.ceil(#transport.requests[1].body / 4)
    assert.equal(("100000 5000 7 350 1 %d 0 0 30000;"):format(tokens), asks[1])
    for i, moment in ipairs { 0, 1, 2 } do
      assert.is_true(math.abs(transport.requests[i].at - moment) < 0.01, transport.requests[i].at)
    end
  end)

  it("is told of a hold, and of starts that it was not asked for", function()
    local down = true
    local client, transport = client_of(function()
      if down then return nil, "down" end
      return "0 0;"
    end, { pace = { rpm = 6000 } })
    for _ = 1, 4 do assert.is_truthy(client:chat(PARAMS)) end
    down = false
    transport:advance(2)
    transport:reply { status = 429, body = limited.SLOW_DOWN, headers = { ["retry-after"] = "20" } }
    assert.equal(429, select(2, client:chat(PARAMS, { max_retries = 0 })).status)
    assert.matches("^6000000 0 600 0 3 %d+ 4 %d+ 30000;$", asks[2]) -- three, for it has been busy
    assert.matches("^6000000 0 600 0 0 %d+ 0 0 30000;0:20000:0:0,$", asks[#asks])
  end)

  it("is asked for many at once where many wait, and for no more than may be on their way", function()
    for _, concurrent in ipairs { 0, 3 } do
      asks = {}
      local pace = { rpm = 6000, concurrent = concurrent > 0 and concurrent or nil }
      local client, transport = client_of(always "200 100 100 100;", { pace = pace })
      local restore = transport:install()
      local list = {}
      for i = 1, 20 do list[i] = i end
      ofox.map(list, function() return assert(client:chat(PARAMS)) end)
      restore()
      local largest = 0
      for _, text in ipairs(asks) do largest = math.max(largest, tonumber(text:match "^%d+ %d+ %d+ %d+ (%d+)")) end
      assert.is_true(concurrent == 0 and largest > 10 or concurrent > 0 and largest <= 3, largest)
    end
  end)

  it("says that all are held", function()
    local client, transport = client_of(always "0;0:20000:0,77:1:1")
    local answer, err = client:chat(PARAMS, { deadline = 5 })
    assert.is_nil(answer)
    assert.same({ "held", 0, 0 }, { err.code, err.attempts, #transport.requests })
  end)

  it("whose answer is none leaves calls to their own limits", function()
    for _, answer in ipairs { "", " ", ";", "x;", "1", "1 ;", "1 x;", "-1;", "0 -5;", "0 0;x", "0 0;1:2", "0 0;1:2:",
      "0 0;1:2:1;", "0 0;99999999999:1:0", "0 99999;", "0 0 0", ("9"):rep(400) .. ";", "0 " .. ("9"):rep(400) .. ";",
      "0 0\0;", "nan inf;", "1e5 1;", "OK", false, {}, 5 } do
      warnings = {}
      local client, transport = client_of(always(answer), { pace = { rpm = 60, burst = 1 } })
      for _ = 1, 3 do assert.is_truthy(client:chat(PARAMS)) end
      assert.is_true(transport:now() >= 2 and transport:now() < 3, tostring(answer))
      assert.equal(1, #warnings, tostring(answer))
    end
  end)

  it("with too many moments in its answer gives those that there is room for", function()
    local client, transport = client_of(always("0" .. (" 0"):rep(500) .. ";"), { pace = { rpm = 6000 } })
    for _ = 1, 3 do assert.is_truthy(client:chat(PARAMS)) end
    assert.is_true(transport:now() < 1)
  end)

  it("that gives no moment is asked again, and refuses what cannot wait for it", function()
    local client, transport = client_of(function() return #asks < 4 and "35000;" or "0 0;" end, { pace = { rpm = 60 } })
    assert.is_nil((client:chat(PARAMS, { deadline = 20 })))
    assert.is_truthy(client:chat(PARAMS))
    assert.equal(4, #asks)
    assert.is_true(transport:now() > 14 and transport:now() < 16, transport:now())
  end)
end)
