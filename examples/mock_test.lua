-- How to test a program that uses ofox: answers are scripted, nothing is sent, no time passes.
-- lua5.4 /usr/bin/busted examples/mock_test.lua; needs lua-busted.
-- luacheck: std +busted
local here = debug.getinfo(1, "S").source:match "^@(.*/)" or "" -- where ofox is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"
local mock = require "ofox.mock"

-- The program under test: the model's headline for a text, or the text's first words if there is none.
local function headline(client, text)
  local ok, res = pcall(client.chat, client, {
    model = "openai/gpt-4o-mini",
    messages = { { role = "user", content = "A headline for: " .. text } },
  })
  if ok and res then return res:output_text(), "model" end
  return text:match("^%S+ %S+ %S+") .. " …", "own"
end

describe("a headline", function()
  local server, client

  before_each(function()
    server = mock.new()
    client = ofox.new { api_key = "sk-test", transport = server, retry = { jitter = "none" } }
  end)

  local ANSWER = { choices = { { message = { role = "assistant", content = "Rain at last" } } } }

  it("comes from the model", function()
    server:reply { body = ANSWER }
    assert.same({ "Rain at last", "model" }, { headline(client, "It rained all day.") })
    assert.matches("It rained all day", server.requests[1].body)
    assert.equal("Bearer sk-test", server.requests[1].headers.authorization)
  end)

  it("is asked for again after 1 s, after 2 s, then when the server says", function()
    server:reply { status = 503 }
    server:reply { fail = "reset" }
    server:reply { status = 429, headers = { ["x-ratelimit-reset-requests"] = "12s" } }
    server:reply { body = ANSWER }
    assert.equal("Rain at last", (headline(client, "It rained all day.")))
    assert.is_true(server:now() >= 15 and server:now() < 16)
  end)

  it("is made of the text if every attempt fails", function()
    for _ = 1, 4 do server:reply { status = 503 } end
    assert.same({ "It rained all …", "own" }, { headline(client, "It rained all day.") })
    assert.equal(4, #server.requests)
  end)

  it("is asked for once if the key is wrong", function()
    server:reply { status = 401 }
    assert.equal("own", select(2, headline(client, "It rained all day.")))
    assert.equal(1, #server.requests)
  end)
end)
