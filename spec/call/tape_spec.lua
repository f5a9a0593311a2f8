-- What a call keeps of its attempts for ofox.mock.record, and how secrets are taken out
-- of bytes.
local core = require "ofox.base.native" "core"
local parts = core.parts

local KEY = "sk-of-AbC0123456789/+=xyz"

local function call_of()
  local template = core.template({ method = "POST", url = "http://127.0.0.1:9/", secrets = { KEY } }, {})
  return core.call(template, 0, "{}")
end

local function attempt(call, body, outcome)
  call:begin(1)
  call:connected(true, 2)
  call:head("HTTP/1.1 200 OK\r\n", 3)
  call:head("\r\n", 3)
  call:body(body, 4)
  call:finish(outcome, true, 5, 0, "why")
end

describe("[2.11] a call", function()
  it("keeps what a transport tells it, once it is asked to", function()
    local call = call_of()
    assert.same({}, call:taped())
    call:record()
    call:record()
    attempt(call, "\0\255{}", "TRUNCATED")
    assert.same({ { "begin", 1, false, "" }, { "connected", 2, true, "" },
      { "head", 3, false, "HTTP/1.1 200 OK\r\n" }, { "head", 3, false, "\r\n" }, { "body", 4, false, "\0\255{}" },
      { "end", 5, true, "why", "TRUNCATED" } }, call:taped())
    assert.same({}, call:taped())
    debug.getmetatable(call).__gc(call)
    assert.same({}, call:taped())
  end)

  it("keeps nothing that it is not asked for", function()
    local call = call_of()
    attempt(call, "{}")
    assert.same({}, call:taped())
  end)

  it("says nothing of what came before an attempt or after its end", function()
    local call = call_of()
    call:record()
    attempt(call, "{}")
    call:finish("RESET", true, 9, 0)
    assert.equal(6, #call:taped())
  end)

  it("hides secrets in any bytes, shorter or in their place", function()
    local call = call_of()
    for _, secret in ipairs { KEY, parts.base64_encode(KEY), parts.base64_encode("x" .. KEY), (KEY:gsub("/", "%%2F")),
      (KEY:gsub("/", "\\/")) } do
      local text = "\255\0 before " .. secret .. " after \254"
      local hidden = call:hide(text, true)
      assert.equal(#text, #hidden)
      assert.matches("^\255%z before [%w=]*%*+[%w=]* after \254$", hidden)
      assert.is_nil(hidden:find("0123456789", 1, true))
      assert.matches("^\255%z before [%w=]*%*%*%*[%w=]* after \254$", call:hide(text))
    end
    for _, text in ipairs { "", "abc" } do assert.same({ text, text }, { call:hide(text), call:hide(text, true) }) end
  end)
end)
