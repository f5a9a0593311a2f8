local core = require("ofox.base.native")("core")

describe("the machine", function()
  it("gives random bytes, as many as asked for", function()
    for _, n in ipairs { 0, 1, 16, 255, 256 } do
      assert.are.equal(n, #core.random(n))
    end
    assert.are_not.equal(core.random(16), core.random(16))
    for _, n in ipairs { -1, 257, 1e9 } do
      assert.has_error(function() core.random(n) end)
    end
  end)

  it("gives ids that no other has", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = core.id()
      assert.is_truthy(id:match("^[%w_-]+$"), id)
      assert.are.equal(22, #id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("has a wall clock and one that only goes on", function()
    assert.is_true(math.abs(core.wall() - os.time()) < 2)
    local last = core.now()
    for _ = 1, 100 do
      local now = core.now()
      assert.is_true(now >= last)
      last = now
    end
  end)

  it("pauses", function()
    for _, seconds in ipairs { 0, -1, -1 / 0, 0 / 0, 0.001 } do
      assert.is_true(core.pause(seconds))
    end
    local start = core.now()
    core.pause(0.002)
    assert.is_true(core.now() - start >= 0.002)
  end)
end)
