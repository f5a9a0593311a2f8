-- The ledger that processes share: what it gives, on any clock. Redis' own Lua is
-- asked the same in store/redis_spec.
local chance = require "support.chance"
local ledger = require "ofox.store.ledger"

local SPAN, LIFE = ledger.SPAN * 1000, ledger.LIFE * 1000
local START = 1764350000123

local function draw(from, to) return from - 1 + chance.random(to - from + 1) end

before_each(function() chance.seed(12) end)

-- A store whose clock is moved by hand. Fields of an ask: see ledger.TEXT.
local function new()
  local run = ledger.load()
  local self = { now = START, largest = 0 }
  function self.ask(fields, told)
    local f = { rpm = 0, tpm = 0, burst = 1, token_burst = 1, wanted = 0, tokens = 0, spent = 0, owed = 0,
      patience = 30000 }
    for name, value in pairs(fields) do f[name] = value end
    local text = ("%.0f %.0f %d %d %d %d %d %d %d;%s"):format(f.rpm * 1000, f.tpm, f.burst, f.token_burst, f.wanted,
      f.tokens, f.spent, f.owed, f.patience, told or "")
    local state, reply, expiry = run(self.state, self.now, text)
    if state then self.state, self.expiry = state, expiry end
    self.largest = math.max(self.largest, #(self.state or ""))
    local numbers, holds = reply:match "^([%d ]+);(.*)$"
    local moments = {}
    for number in numbers:gmatch "%d+" do moments[#moments + 1] = tonumber(number) end
    self.holds = holds
    return moments, table.remove(moments, 1)
  end
  -- Tells holds, "" for none, and returns those in force.
  function self.tell(told)
    self.ask({}, told)
    return self.holds
  end
  return self
end

-- The most that one SPAN sees of a list of {at, amount}, in order.
local function most(list)
  local sum, first, largest = 0, 1, 0
  for _, one in ipairs(list) do
    sum = sum + one[2]
    while list[first][1] <= one[1] - SPAN do
      sum, first = sum - list[first][2], first + 1
    end
    largest = math.max(largest, sum)
  end
  return largest
end

describe("the ledger", function()
  it("gives a burst at once, then evenly spaced moments", function()
    local s = new()
    assert.same({ { 0, 0, 0 }, 625 }, { s.ask { rpm = 100, burst = 3, wanted = 3 } })
    assert.same({ { 625, 1250, 1875 }, 2500 }, { s.ask { rpm = 100, burst = 3, wanted = 9 } })
    s.now = s.now + 625
    assert.same({ 1875 }, (s.ask { rpm = 100, burst = 3, wanted = 1 }))
  end)

  it("gives the first moment to each that asks, in the order in which they ask, and no far ones besides", function()
    local s = new()
    for i = 0, 3 do
      assert.same({ { i * 6250 }, (i + 1) * 6250 }, { s.ask { rpm = 10, burst = 1, wanted = 5 } })
    end
    s.ask { rpm = 10, burst = 1, wanted = 1 }
    assert.same({ {}, 31250 }, { s.ask { rpm = 10, burst = 1, wanted = 5 } })
  end)

  it("gives a burst again once it has been quiet", function()
    local s = new()
    s.ask { rpm = 100, burst = 10, wanted = 10 }
    s.now = s.now + 6250
    assert.same({ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 625, 1250, 1875 }, (s.ask { rpm = 100, burst = 10, wanted = 20 }))
  end)

  it("spaces rates below one a minute, whatever else is forgotten", function()
    local s = new()
    assert.same({ { 0 }, 250000 }, { s.ask { rpm = 0.25, wanted = 2 } })
    assert.is_true(s.expiry > 250000)
    s.now = s.now + 240000
    assert.same({ { 10000 }, 260000 }, { s.ask { rpm = 0.25, wanted = 2 } })
  end)

  it("counts tokens: by their rate, and what costs more than all of it goes alone", function()
    local s = new()
    assert.same({ { 0, 0 }, 625 }, { s.ask { tpm = 10000, token_burst = 200, wanted = 2, tokens = 100 } })
    local moments = s.ask { tpm = 10000, token_burst = 200, wanted = 2, tokens = 100 }
    assert.same({ 625, 1250 }, moments)
    s.now = s.now + 100000
    assert.same({ { 0 }, SPAN }, { s.ask { tpm = 1000, token_burst = 100, wanted = 2, tokens = 5000 } })
  end)

  it("hears by how many tokens earlier guesses were wrong", function()
    local s = new()
    local ask = { tpm = 1000, token_burst = 1000, wanted = 1, tokens = 400 }
    local function with(owed)
      ask.owed = owed
      return (s.ask(ask))
    end
    assert.same({ 0 }, with(0))
    assert.same({ 0 }, with(0))
    assert.same({}, with(0)) -- 800 of 1000 are used
    assert.same({ 0 }, with(-300))
    s.now = s.now + SPAN
    assert.same({}, with(5000))
    s.now = s.now + SPAN
    assert.same({ 0 }, with(0))
  end)

  it("hears of starts that were made without asking", function()
    local s = new()
    s.ask { rpm = 10, burst = 10, spent = 8 }
    assert.same({ { 0, 0 }, SPAN }, { s.ask { rpm = 10, burst = 10, wanted = 5 } })
  end)

  it("keeps the rate of each that asks, and counts what others were given", function()
    local s = new()
    for _ = 1, 5 do s.ask { rpm = 20, burst = 5, wanted = 1 } end
    assert.same({}, (s.ask { rpm = 5, burst = 5, wanted = 1 }))
    assert.same({ 3125 }, (s.ask { rpm = 20, burst = 5, wanted = 1 }))
  end)

  it("stands still while the clock goes back", function()
    local s = new()
    s.ask { rpm = 60, burst = 1, wanted = 1 }
    s.now = s.now - 3600000
    assert.same({ 1042 }, (s.ask { rpm = 60, burst = 1, wanted = 1 }))
  end)

  it("takes a state that is none for an empty one", function()
    for _, state in ipairs { "", "x", "2 1 1:1 0 0;;", "1 5 1:1 0 0;;;", ("9"):rep(5000) } do
      local s = new()
      s.state = state
      assert.same({ 0 }, (s.ask { rpm = 60, wanted = 1 }))
    end
  end)

  it("makes no process wait for long, whatever the state says", function()
    for _, state in ipairs { "1 1764350000000 60000:0 900000000000 900000000000;;",
      "1 1764350000000 60000:0 900000000000 0;900000000000:1:1;", "1 9999999999999 60000:0 0 0;-5:999999:1;" } do
      local s = new()
      s.state = state
      local moments, next_one = s.ask { rpm = 60, wanted = 1 }
      assert.is_true(#moments == 1 or next_one <= 125000, next_one)
      s.now = s.now + 125000
      assert.equal(1, #(s.ask { rpm = 60, wanted = 1 }))
    end
  end)

  it("keeps nothing for one that only looks", function()
    local s = new()
    assert.same({ {}, 0 }, { s.ask {} })
    assert.is_nil(s.state)
  end)

  it("passes holds on: the latest moment, or what a probe has heard", function()
    local s = new()
    assert.equal("0:5000:0,77:9000:1", s.tell("0:5000:0:0,77:9000:1:0"))
    s.now = s.now + 1000
    assert.equal("0:4000:0,77:8000:1", s.tell("77:500:0:0"))
    assert.equal("0:4000:0,77:500:0", s.tell("77:500:0:1"))
    assert.equal("0:4000:0", s.tell("77:0:0:1"))
    s.now = s.now + 4000
    assert.equal("", s.tell "")
  end)

  it("keeps holds beside moments, and no more than 65 of them", function()
    local s = new()
    for lane = 0, 200 do s.ask({ rpm = 60, wanted = 1 }, lane .. ":600000:1:0") end
    assert.equal(65, select(2, s.tell(""):gsub("%d+:%d+:1", "")))
    assert.is_true(s.expiry >= 600000)
  end)

  -- Processes that ask for as much as they can use, at odd moments.
  local function saturate(s, ask, seconds, step)
    local given, due = {}, {}
    for i = 1, 10 do due[i] = s.now end
    local till = s.now + seconds * 1000
    while s.now < till do
      s.now = s.now + step()
      for i = 1, 10 do
        if s.now >= due[i] then
          local moments, next_one = s.ask(ask)
          for _, moment in ipairs(moments) do
            given[#given + 1] = { s.now + moment, 1 }
            due[i] = s.now + moment
          end
          if #moments == 0 then due[i] = s.now + math.max(1, next_one - ask.patience) end
        end
      end
    end
    return given
  end

  for _, rpm in ipairs { 3, 20, 100, 1000, 20000 } do
    it(("gives ten that ask for more no more than %d in any minute, and no less than 95 %%"):format(rpm), function()
      local s = new()
      local burst = math.max(1, math.floor(rpm / 10))
      local ask = { rpm = rpm, burst = burst, wanted = 64, patience = 30000 }
      local given = saturate(s, ask, 130, function() return draw(1, 120) end)
      for i = 2, #given do assert.is_true(given[i][1] >= given[i - 1][1]) end
      assert.is_true(most(given) <= rpm, most(given))
      local seconds = math.max(1, given[#given][1] - START) / 1000
      assert.is_true(#given - burst >= 0.95 * (seconds * rpm / 60 - burst - 1), #given)
      assert.is_true(s.largest < 4000, s.largest)
    end)
  end

  it("never gives more than any limit allows, whatever is asked, and when", function()
    for _ = 1, 30 do
      local s, requests, tokens = new(), {}, {}
      local rpm, tpm = draw(0, 1) * draw(1, 300), draw(1, 20000)
      for _ = 1, 150 do
        s.now = s.now + draw(0, 3) * draw(0, 3000)
        local size = draw(0, tpm)
        local spent = draw(0, 9) == 0 and draw(0, 3) or 0
        for _, moment in ipairs((s.ask { rpm = rpm, tpm = tpm, burst = draw(1, 300), wanted = draw(0, 70),
          token_burst = draw(1, tpm), tokens = size, patience = draw(0, 30000) })) do
          requests[#requests + 1] = { s.now + moment, 1 }
          tokens[#tokens + 1] = { s.now + moment, size }
        end
        if spent > 0 then s.ask { rpm = rpm, tpm = tpm, spent = spent } end
        assert.is_true(s.largest < 8000)
      end
      if rpm > 0 then assert.is_true(most(requests) <= rpm) end
      assert.is_true(most(tokens) <= tpm)
    end
  end)

  it("gives moments that are good for as long as LIFE says", function()
    local s = new()
    local moments = s.ask { rpm = 600, burst = 1, wanted = 64 }
    assert.equal(20, #moments) -- within LIFE, after the first
    assert.is_true(moments[#moments] <= LIFE)
  end)
end)
