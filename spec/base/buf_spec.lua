local core = require("ofox.base.native")("core")
local parts = core.parts

describe("buffers", function()
  it("[C13] hold what fits under their cap and keep it when more comes", function()
    -- a header block is the buffer with the smallest cap
    local cap = 300 * 1024
    local lines = { "HTTP/1.1 200 OK", "a: " .. ("x"):rep(cap - 15 - 4), "b:" }
    local h = parts.headers(lines)
    assert.are.equal(cap - 19, #h.map.a)
    assert.are.same({ 0, 0, -2 }, h.codes)
    assert.is_nil(h.map.b)
  end)
end)
