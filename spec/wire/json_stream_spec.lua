-- Streams that are no event streams: lines of JSON, and the elements of one list.
local feed = require "support.feed"

local JSON = { "HTTP/1.1 200", "content-type: application/json; charset=UTF-8", "" }
local SSE = { "HTTP/1.1 200", "content-type: text/event-stream", "" }
local LINES = { "HTTP/1.1 200", "content-type: application/x-ndjson", "" }

local function event(text, rest)
  return ('{\n  "candidates": [{"content": {"parts": [{"text": "%s"}]}%s}]\r\n}'):format(text, rest or "")
end
local HEL, LO = event "H[e\\\"],l", event("lo}", ', "finishReason": "STOP"')
local BUSY = '{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}'

describe("a list of Gemini's events", function()
  it("is a stream of them, however it is cut and written", function()
    for _, list in ipairs { "[" .. HEL .. "\n,\r\n" .. LO .. "\n]\n", "\239\187\191 \n[\n" .. HEL .. "," .. LO .. "]",
      "[" .. HEL .. ",,\n\n" .. LO .. "\n]\n\n]}{ what" } do
      for _, head in ipairs { JSON, SSE } do
        feed.each_way(list, function(got)
          assert.same({ 'H[e"],llo}', { 'H[e"],l', "lo}" }, 2, "done" }, { got.text, got.texts, got.chunks, got.state })
          assert.is_nil(got.failure)
        end, { dialect = "gemini", head = head })
      end
    end
  end)

  it("may have failed in the middle, or at once", function()
    feed.each_way("[" .. HEL .. ",\n" .. BUSY .. "]", function(got)
      assert.same({ "service_unavailable", "busy", 'H[e"],l' }, { got.failure.type, got.failure.message, got.text })
    end, { dialect = "gemini", head = JSON })
    feed.each_way("[" .. BUSY .. "\n]", function(got)
      assert.same({ "service_unavailable", "busy", false }, { got.failure.type, got.failure.message, got.seen })
    end, { dialect = "gemini", head = JSON })
  end)

  it("is truncated where it ends before its answer, and else complete", function()
    for _, outcome in ipairs { "ANSWERED", "TRUNCATED" } do
      for _, list in ipairs { "[" .. HEL .. "]", "[" .. HEL, "[" .. HEL .. "," .. LO:sub(1, -2) } do
        local got = feed.read({ list }, { dialect = "gemini", head = JSON, outcome = outcome })
        assert.same({ "stream_error", "truncated", 'H[e"],l' }, { got.failure.type, got.failure.code, got.text })
      end
      local got = feed.read({ "[" .. HEL .. "," .. LO }, { dialect = "gemini", head = JSON, outcome = outcome })
      assert.is_nil(got.failure)
    end
  end)

  it("is none if its first element is far away, which is known without looking again and again", function()
    for blanks, texts in pairs { [64] = { 'H[e"],l', "lo}" }, [65] = {} } do
      local list = "[" .. (" "):rep(blanks) .. HEL .. "," .. LO .. "]"
      assert.same(texts, feed.read({ list }, { dialect = "gemini", head = JSON }).texts)
    end
  end)

  it("has objects in it", function()
    for _, junk in ipairs { "null", '"x"', "}", "{]", '{"a" 1}', "{'a':1}" } do
      local got = feed.read({ "[" .. HEL .. "," .. junk .. "," .. LO .. "]" }, { dialect = "gemini", head = JSON })
      assert.same({ "stream_error", "invalid_json", 'H[e"],l' }, { got.failure.type, got.failure.code, got.text })
    end
  end)

  it("is none of another protocol, nor without objects", function()
    for dialect, body in pairs { chat = '[{"choices":[]}]', messages = '[{"type":"message_stop"}]', gemini = "[]" } do
      local got = feed.read({ body }, { dialect = dialect, head = JSON })
      assert.equal("not_event_stream", got.failure.code)
    end
    assert.equal("truncated", feed.read({ "[ " }, { dialect = "gemini", head = JSON }).failure.code)
  end)
end)

describe("lines of JSON", function()
  it("are events, of which the last need not end", function()
    local hel, lo = HEL:gsub("%s", ""), LO:gsub("%s", "")
    for _, body in ipairs { hel .. "\n" .. lo .. "\n", "\239\187\191" .. hel .. "\r\n\n  " .. lo } do
      feed.each_way(body, function(got)
        assert.same({ 'H[e"],llo}', 2, "done" }, { got.text, got.chunks, got.state })
        assert.is_nil(got.failure)
      end, { dialect = "gemini", head = LINES })
    end
  end)
end)
