local cancel = require "ofox.task.cancel"

local function noop() end

describe("a cancel token", function()
  it("is open, then cancelled for good, with the first reason", function()
    local t = cancel.new()
    assert.is_false(t:cancelled())
    assert.equal("ofox.cancel_token: open", tostring(t))
    assert.is_true(t:cancel("enough"))
    assert.is_false(t:cancel("again"))
    assert.same({ true, "enough" }, { t:cancelled() })
    assert.equal("ofox.cancel_token: cancelled", tostring(t))
  end)

  it("tells all who listen once, in their order, and those who come late at once", function()
    local t, heard = cancel.new(), {}
    local function listener(name)
      return function(reason) heard[#heard + 1] = name .. ":" .. tostring(reason) end
    end
    t:on_cancel(listener "a")
    local forget = t:on_cancel(listener "b")
    t:on_cancel(listener "c")
    forget()
    forget()
    t:cancel("r")
    t:cancel("s")
    t:on_cancel(listener "d")()
    assert.same({ "a:r", "c:r", "d:r" }, heard)
  end)

  it("tells the one that is left", function()
    local t, heard = cancel.new(), 0
    local forget = t:on_cancel(noop)
    t:on_cancel(function() heard = heard + 1 end)
    forget()
    t:cancel()
    assert.equal(1, heard)
  end)

  it("lets one listener forget another while it cancels", function()
    local t, heard = cancel.new(), {}
    local forget
    t:on_cancel(function() forget() end)
    forget = t:on_cancel(function() heard[#heard + 1] = "b" end)
    t:cancel()
    assert.same({}, heard)
  end)

  it("does not grow with the calls it outlives", function()
    local t = cancel.new()
    local stays = 0
    local keep = t:on_cancel(function() stays = stays + 1 end)
    for _ = 1, 1000 do t:on_cancel(noop)() end
    assert.is_true(next(t._listeners, (next(t._listeners))) == nil)
    keep()
    assert.equal(0, t._last)
    local stale = t:on_cancel(noop)
    stale()
    t:on_cancel(function() stays = stays + 10 end)
    stale()
    t:cancel()
    assert.equal(10, stays)
  end)

  it("tells the others although one fails, and hands the failure on", function()
    local t, heard = cancel.new(), 0
    local failure = {}
    t:on_cancel(function() error(failure) end)
    t:on_cancel(function() heard = heard + 1 end)
    local ok, err = pcall(t.cancel, t)
    assert.is_false(ok)
    assert.equal(failure, err)
    assert.equal(1, heard)
  end)

  it("is told from other values", function()
    assert.is_true(cancel.is(cancel.new()))
    for _, value in ipairs { 1, "x", {}, setmetatable({}, { __index = cancel.new() }) } do
      assert.is_false(cancel.is(value))
    end
    assert.is_false(cancel.is(nil))
  end)
end)
