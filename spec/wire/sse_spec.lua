-- The parser of event streams. Every case runs whole, byte by byte and cut in
-- two at every point: the events are the same.
local core = require "ofox.base.native" "core"
local ofox = require "ofox"

-- What the parser makes of pieces: events as "event|data|id", then what it
-- says when it is finished, and the error.
local function parse(pieces, cap)
  local parser = core.sse(cap)
  local list, problem = {}, nil
  local function take()
    while true do
      local event, why = parser:next()
      if not event then
        problem = problem or why
        return
      end
      list[#list + 1] = event.event .. "|" .. event.data .. "|" .. (event.id or "-")
    end
  end
  for _, piece in ipairs(pieces) do
    parser:feed(piece)
    take()
  end
  parser:finish()
  take()
  return list, problem
end

local function bytes_of(text)
  local list = {}
  for i = 1, #text do list[i] = text:sub(i, i) end
  return list
end

-- The same for every way of cutting.
local function each_way(text, check, cap)
  check(parse({ text }, cap))
  check(parse(bytes_of(text), cap))
  check(parse({ "", text, "" }, cap))
  for i = 1, #text - 1 do check(parse({ text:sub(1, i), text:sub(i + 1) }, cap)) end
end

local CASES = {
  { "one event", "data: hello\n\n", { "message|hello|-" } },
  { "several", "data: a\n\ndata: b\n\ndata: c\n\n", { "message|a|-", "message|b|-", "message|c|-" } },
  { "no space after the colon", "data:a\n\n", { "message|a|-" } },
  { "two spaces", "data:  a\n\n", { "message| a|-" } },
  { "a tab is no space", "data:\ta\n\n", { "message|\ta|-" } },
  { "several lines", "data: a\ndata: b\ndata\ndata: \ndata: c\n\n", { "message|a\nb\n\n\nc|-" } },
  { "an empty data line", "data\n\n", { "message||-" } },
  { "an empty value", "data:\n\n", { "message||-" } },
  { "two empty ones", "data\ndata\n\n", { "message|\n|-" } },
  { "no data is no event", "event: x\n\nid: 1\n\n: hi\n\ndata: a\n\n", { "message|a|1" } },
  { "types", "event: x\ndata: a\n\ndata: b\n\n", { "x|a|-", "message|b|-" } },
  { "the last type counts", "event: x\nevent: y\ndata: a\n\n", { "y|a|-" } },
  { "an empty type", "event: x\nevent:\ndata: a\n\n", { "message|a|-" } },
  { "ids stay", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", { "message|a|1", "message|b|1", "message|c|-" } },
  { "an id with NUL is none", "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", { "message|a|1", "message|b|1" } },
  { "comments", ": hi\ndata: a\n:\n: x\ndata: b\n\n:\n\n", { "message|a\nb|-" } },
  { "unknown fields", "retry: 5\nfoo: bar\nDATA: x\n data: y\ndata: a\ndatax: b\n\n", { "message|a|-" } },
  { "blank lines", "\n\n\ndata: a\n\n\n\n", { "message|a|-" } },
  { "an end without a blank line", "data: a\n\ndata: b\n", { "message|a|-", "message|b|-" } },
  { "an end without a line end", "data: a\n\ndata: b", { "message|a|-", "message|b|-" } },
  { "an end in a field name", "data: a\n\ndat", { "message|a|-" } },
  { "a BOM", "\239\187\191data: a\n\n", { "message|a|-" } },
  { "a BOM, later", "data: a\n\n\239\187\191data: b\n\n", { "message|a|-" } },
  { "a BOM and nothing", "\239\187\191", {} },
  { "half a BOM", "\239\187data: a\n\n", {} },
  { "UTF-8", "data: 你好 🙂\n\n", { "message|你好 🙂|-" } },
  { "bytes that are no UTF-8", "data: \255\254\n\n", { "message|\255\254|-" } },
  { "NUL in data", "data: a\0b\n\n", { "message|a\0b|-" } },
  { "nothing", "", {} },
}

describe("the parser of event streams", function()
  for _, case in ipairs(CASES) do
    local name, text, expected = case[1], case[2], case[3]
    for end_name, line_end in pairs { LF = "\n", CR = "\r", CRLF = "\r\n" } do
      it(("[D2] %s, %s"):format(name, end_name), function()
        each_way((text:gsub("\n", line_end)), function(list, problem)
          assert.same(expected, list)
          assert.is_nil(problem)
        end)
      end)
    end
  end

  it("[D2] mixed line ends", function()
    each_way("data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r\ndata: e\n\rdata: f\r\n\r", function(list)
      assert.same({ "message|a\nb\nc|-", "message|d|-", "message|e|-", "message|f|-" }, list)
    end)
  end)

  it("[D2] gives an event as soon as its blank line ends, be it by a CR", function()
    local parser = core.sse():feed "data: a\r\r"
    assert.equal("a", parser:next().data)
    assert.equal("b", parser:feed "\ndata: b\r\n\r":next().data)
    assert.equal("c", parser:feed "\ndata: c\n\n":next().data)
  end)

  it("[D2] takes an event of a megabyte, in any pieces", function()
    local big = ("0123456789abcdef"):rep(65536)
    for _, size in ipairs { 1, 1000, 16384, 2000000 } do
      local parser, text = core.sse(), "data: " .. big .. "\n\n"
      for i = 1, #text, size do parser:feed(text:sub(i, i + size - 1)) end
      assert.is_true(parser:next().data == big)
    end
  end)

  it("[D2] stops at an event that is larger than the cap, after those before it", function()
    local line = "data: " .. ("x"):rep(50) .. "\n"
    for _, text in ipairs {
      "data: a\n\n" .. line .. line .. "\n", "data: a\n\n" .. ("x"):rep(200),
      "data: a\n\n: " .. ("x"):rep(200) .. "\n\n", "data: a\n\nid: " .. ("x"):rep(90) .. "\ndata: b\n\n",
    } do
      each_way(text, function(list, problem)
        assert.same({ "message|a|-" }, list)
        assert.matches("^an event is larger than the cap, at byte %d+$", problem)
        assert.is_nil(problem:find("xxx", 1, true))
      end, 90)
    end
  end)

  it("[D2] lets comments pass that are no event", function()
    each_way((": 0123456789\n"):rep(30) .. "data: a\n\n", function(list, problem)
      assert.same({ "message|a|-" }, list)
      assert.is_nil(problem)
    end, 20)
  end)

  it("stays broken", function()
    local parser = core.sse(10):feed(("x"):rep(100))
    local _, why = parser:next()
    assert.is_string(why)
    parser:feed "\n\ndata: a\n\n"
    assert.same({ nil, why }, { parser:next() })
    assert.same({ nil, why }, { parser:finish():next() })
  end)

  it("takes many pieces before anything is asked of it", function()
    local parser = core.sse()
    for i = 1, 1000 do parser:feed("data: " .. i .. "\n"):feed "\n" end
    for i = 1, 1000 do assert.equal(tostring(i), parser:next().data) end
    assert.is_nil(parser:next())
  end)

  it("may be collected at any time", function()
    for i = 1, 200 do
      local parser = core.sse():feed(("data: abc\n\nid: 5\ndata: x\ndata: y"):sub(1, i % 34))
      if i % 3 == 0 then parser:next() end
    end
    collectgarbage() collectgarbage()
  end)

  it("is ofox.sse, which checks what it is given", function()
    assert.equal("a", ofox.sse(100):feed "data: a\n\n":next().data)
    for value, got in pairs { [0] = "0", [1.5] = "1.5", ["1"] = '"1"' } do
      local _, message = pcall(function() ofox.sse(value) end)
      assert.matches("spec/wire/sse_spec%.lua:%d+: ofox%.sse: max_event_bytes: expected a number of bytes.*got "
        .. got:gsub("%p", "%%%0") .. "$", message)
    end
  end)

  it("tells misuse at the caller's line", function()
    local done = ofox.sse():finish()
    local function dot(name)
      return ("parser:%s: expected a parser before the dot; call it with a colon, parser:%s(…)"):format(name, name)
    end
    for i, row in ipairs {
      { "parser:feed: the parser was finished", function() done:feed "x" end },
      { "parser:feed: bytes: expected a string, got nil", function() ofox.sse():feed() end },
      { "parser:feed: bytes: expected a string, got nil", function() ofox.sse():feed(nil) end },
      { "parser:feed: bytes: expected a string, got 5", function() ofox.sse():feed(5) end },
      { "parser:feed: bytes: expected a string, got a table", function() ofox.sse():feed {} end },
      { dot "feed", function() ofox.sse().feed "x" end },
      { dot "feed", function() ofox.sse().feed({}, "x") end },
      { dot "feed", function() ofox.sse().feed(io.stdout, "x") end },
      { dot "next", function() ofox.sse().next() end },
      { dot "finish", function() ofox.sse().finish() end },
    } do
      local ok, message = pcall(row[2])
      assert.is_false(ok)
      assert.equal(row[1], message:match("^[^\n]*sse_spec%.lua:%d+: (.*)$"), i)
    end
    assert.is_true(done:finish() == done)
  end)
end)
