-- A dialect is one file: a made-up one is read, put together and told apart by what
-- its file returns, and no other file has heard of it.
local collect = require "ofox.answer.collect"
local core = require "ofox.base.native" "core"
local json = require "ofox.json"
local response = require "ofox.answer.response"

local madeup = { typed = true }
function madeup.owns(answer) return type(answer.words) == "table" end
function madeup.text(answer) return table.concat(answer.words, " ") end
function madeup.reasoning(answer) return answer.mused or "" end
function madeup.calls(answer) return answer.wishes or {} end
function madeup.reason(answer) return answer.why end
function madeup.answer(text, events, decode)
  local answer = { words = { text } }
  for _, event in ipairs(events) do answer.why = decode(event[1]).why or answer.why end
  return answer
end
function madeup.chunk(answer) return { words = answer.words, chunk = true } end

describe("a made-up dialect", function()
  setup(function()
    package.loaded["ofox.answer.dialect.madeup"] = madeup
    core.dialects[#core.dialects + 1] = "madeup"
  end)
  teardown(function()
    package.loaded["ofox.answer.dialect.madeup"] = nil
    core.dialects[#core.dialects] = nil
  end)

  it("is read by the methods of every answer", function()
    local res = response.wrap({ words = { "a", "b" }, why = "END_TURN", wishes = { { name = "f", arguments = "{}" } } },
      function() return {} end)
    assert.same({ "a b", "tool_calls", "f" }, { res:output_text(), res:finish_reason(), res:tool_calls()[1].name })
    assert.equal("hm", response.reasoning { words = {}, mused = "hm" })
  end)

  it("puts its own events together", function()
    local events = { { '{"why":"length"}', 0, 2 } }
    assert.same({ words = { "hi" }, why = "length" }, collect.answer("madeup", "hi", events, json.decode_piece))
    local partial = collect.partial("madeup", 3, "hi", events, json.decode_piece, function(text) return text end)
    assert.same({ "hi", "length", 3 }, { partial.text, partial.finish_reason, partial.chunks })
    assert.same({ words = { "x" }, chunk = true }, collect.chunk("madeup", { words = { "x" } }))
    assert.equal("t", collect.named("madeup", {}, "t").type)
  end)
end)

describe("each dialect of the core", function()
  for _, name in ipairs(core.dialects) do
    it("has a file that answers what is asked, " .. name, function()
      local dialect = require("ofox.answer.dialect." .. name)
      for _, what in ipairs { "owns", "text", "reasoning", "calls", "reason", "answer", "chunk" } do
        assert.is_function(dialect[what], what)
      end
      local empty = dialect.answer("", {}, json.decode_piece)
      assert.same({ "", "", {} }, { dialect.text(empty), dialect.reasoning(empty), dialect.calls(empty) })
      assert.is_nil(dialect.reason(empty))
    end)
  end
end)
