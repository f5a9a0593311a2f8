-- What a call takes while nothing rare has happened to it, and that what it
-- lacks then is missed by none of its methods.
local core = require "ofox.base.native" "core"

describe("the footprint of a call", function()
  local function call_of(dialect)
    local template = core.template({ method = "POST", url = "http://127.0.0.1:9/", dialect = dialect }, {})
    return core.call(template, 0, "{}")
  end

  local function answer(call, status, body)
    assert.is_true(call:begin(0))
    assert.is_true(call:head("HTTP/1.1 " .. status .. " x\r\n", 0))
    assert.is_true(call:head("Content-Length: " .. #body .. "\r\n", 0))
    assert.is_true(call:head("\r\n", 0))
    call:body(body, 0)
    call:finish(nil, true, 0, 0)
  end

  -- Lua adds up to 56 bytes; glibc's malloc has a fast way for up to 1032.
  it("[E6] is less than a kilobyte, to which events and failures add", function()
    assert.is_true(core.call_size <= 976, core.call_size)
  end)

  it("[E6] has no events where none came", function()
    for _, dialect in ipairs { false, "chat", "responses", "any" } do
      local call = call_of(dialect or nil)
      assert.is_nil((call:event()))
      assert.is_nil((call:texts()()))
      assert.is_nil((call:chunks()()))
      assert.equal(0, call:pass())
      assert.same({ 0, "", {} }, { call:said() })
      call:abort("CANCELLED", 0)
      assert.equal("done", call:state())
      assert.equal("cancelled", call:failure(0).code)
      assert.is_nil(call:cause())
    end
  end)

  it("[E6] is nothing after its end, and its methods know", function()
    for _, status in ipairs { 200, 401 } do
      local call = call_of()
      answer(call, status, '{"id":"x"}')
      assert.equal(status ~= 200, call:failed())
      for _ = 1, 2 do debug.getmetatable(call).__gc(call) end
      assert.equal("done", call:state())
      assert.equal(status ~= 200, call:failed())
      assert.equal(status ~= 200 and "table" or "nil", type((call:failure(0))))
      assert.is_nil((call:event()))
    end
  end)
end)
