-- Errors in a stream that do not look like one: told by the name of an event,
-- by fields and lines that are no event, inside a choice; and what is none.
-- test: once: what reads the lines knows nothing of Lua, and is one object for all
local feed = require "support.feed"

local DONE = "data: [DONE]\n\n"
local STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'

local function text(piece) return '{"choices":[{"index":0,"delta":{"content":"' .. piece .. '"}}]}' end

-- Every way of cutting the body; 'expected': message (of words that are no JSON:
-- body, which goes to the reader of errors as it is), type, text.
local function check_error(body, expected, opts)
  feed.each_way(body, function(got)
    assert.is_table(got.failure, "no error in " .. body)
    for _, field in ipairs { "message", "body", "code", "type" } do
      if expected[field] then assert.equal(expected[field], got.failure[field], field .. " of " .. body) end
    end
    assert.equal(expected.text or "", got.text)
    assert.equal(expected.text or "", table.concat(got.texts))
    assert.not_equal("invalid_json", got.failure.code)
  end, opts)
end

local function check_success(body, expected, opts)
  feed.each_way(body, function(got)
    assert.is_nil(got.failure and got.failure.message, body)
    assert.equal(expected, got.text)
  end, opts)
end

describe("[X1] an error outside of data", function()
  local nested = '{"error":{"message":"out of memory","code":"oom"}}'
  local flat = '{"code":500,"message":"out of memory","type":"server_error"}'
  local pretty = '{\n  "error": {\n    "message": "out of memory",\n\n    "code": "oom"\n  }\n}'
  local WORDS = { ["a field with words"] = true, ["a field in capitals"] = true }
  local before = feed.body { text "a" }
  for name, lines in pairs {
    ["a field with an object"] = "error: " .. flat .. "\n\n",
    ["a field with an error object"] = "error: " .. nested .. "\n\n",
    ["a field without a blank"] = "error:" .. flat .. "\n",
    ["a field with words"] = "error: out of memory\n\n",
    ["a field with a string"] = 'error: "out of memory"\n\n',
    ["a field in capitals"] = "Error: out of memory\n",
    ["a field with JSON over lines"] = 'error: {\n "message": "out of memory",\n "code": 5\n}\n\n',
    ["a bare line"] = nested .. "\n",
    ["a bare line, indented"] = "   " .. nested .. "  \n\n",
    ["a bare line behind a comment"] = ": ping\n" .. nested .. "\n: ping\n",
    ["bare lines"] = pretty .. "\n\n",
    ["bare lines with comments between"] = (pretty:gsub("\n", "\n: ping\n")) .. "\n",
    ["a line of two"] = '{"note":1}' .. nested .. "\n",
    ["a line behind another"] = '{"note":"}{"}\n' .. nested .. "\n",
    ["a line behind one that is cut"] = "{\"a\n\ndata: " .. text "" .. "\n\n" .. nested .. "\n",
    ["a bare list"] = "[" .. nested .. "]\n",
    ["in words with brackets"] = '{"error":{"message":"out of memory","param":"a } \\" { b"}}\n',
    ["an error in a line that says id, event, retry"] = "id: 5\nretry: 7\n" .. nested .. "\n",
  } do
    local field = WORDS[name] and "body" or "message"
    local OOM, ALONE = { [field] = "out of memory", text = "a" }, { [field] = "out of memory" }
    it(name .. " is one, after text", function() check_error(before .. lines .. DONE, OOM) end)
    it(name .. " is one, after the end of the choice", function()
      check_error(before .. feed.body { STOP } .. lines, OOM)
    end)
    it(name .. " is one, with other line ends", function()
      check_error((before .. lines .. DONE):gsub("\n", "\r\n") .. "", OOM)
      check_error((before .. lines .. DONE):gsub("\n", "\r") .. "", OOM)
    end)
    it(name .. " is one before anything else", function()
      check_error(": hi\n\n" .. lines .. DONE, ALONE)
    end)
    it(name .. " is one at the end, without its line end", function()
      check_error(before .. lines:gsub("%s+$", ""), OOM)
    end)
    it(name .. " is one in an event, behind its data", function()
      check_error("data: " .. text "a" .. "\n" .. lines .. "\n" .. DONE, OOM)
    end)
    it(name .. " is one in an event, before its data", function()
      check_error(": hi\n" .. lines:gsub("\n+$", "\n") .. "data: " .. text "a" .. "\n\n" .. DONE, ALONE)
    end)
  end

  it("counts as soon as it is whole, whatever the server does then", function()
    for _, lines in ipairs { "error: no\n", nested .. "\n", pretty .. "\n" } do
      local core = require "ofox.base.native" "core"
      local call = core.call(core.template({ expect = "object", dialect = "chat" }, {}), 0)
      call:begin(0)
      for _, line in ipairs { "HTTP/1.1 200", "content-type: text/event-stream", "" } do call:head(line, 0) end
      assert.is_true(call:body(before, 0))
      assert.is_false(call:body(lines, 0))
    end
  end)

  it("that is cut is told, too", function()
    local OOM = { message = "out of memory", text = "a" }
    check_error(before .. '{"error":{"message":"out of memory","x', OOM)
    check_error(before .. 'error: {"message":"out of memory","x', OOM)
    check_error(before .. nested, OOM, { outcome = "RESET" })
    check_error(before .. nested .. "\n", OOM, { outcome = "TRUNCATED" })
  end)

  it("names its class", function()
    check_error(before .. 'error: {"code":429,"message":"slow down"}\n\n', {
      type = "rate_limit_error", message = "slow down", text = "a" })
    check_error('error: {"code":400,"message":"bad"}\n\n' .. DONE, { type = "invalid_request_error" })
  end)

  it("is one of the Responses protocol, and of any, as well", function()
    for _, dialect in ipairs { "responses", "any" } do
      check_error(": hi\n\n" .. nested .. "\n", { message = "out of memory" }, { dialect = dialect })
      check_error("error: " .. flat .. "\n\n" .. DONE, { message = "out of memory" }, { dialect = dialect })
    end
  end)

  it("is a page in the middle", function()
    for _, page in ipairs { "<html><head><title>Bad gateway</title></head>\n\n<body></body></html>\n",
      "<!DOCTYPE html>\n<html>\n<title>Bad gateway</title>\n\n",
      '<?xml version="1.0"?>\n<html>\n<title>Bad gateway</title>' } do
      local expected = { type = "response_error", code = "html", text = "a" }
      check_error(before .. page, expected)
      check_error(before .. page .. "\n" .. DONE, expected)
      assert.is_truthy(feed.read({ before, page }).failure.message:find("Bad gateway", 1, true))
    end
  end)

  for name, noise in pairs {
    ["an unknown field"] = "foo: bar\n\nx-error: no\nerrors: no\n\n",
    ["words"] = "Internal Server Error\n\nerror\n",
    ["a hollow field"] = 'error:\nerror: \nerror: null\nerror: ""\n\n',
    ["JSON that says something else"] = '{"note":"error"}\n[1,2]\n{}\n[]\n{"choices":[]}\n',
    ["JSON that never ends"] = '{"note":{"a":1}\n\n',
    ["brackets"] = "}}]]\n{{{{\n[[\n",
    ["elements that are no page"] = "<ping/>\n<p>hi</p>\n\n",
    ["comments that look like it"] = ': {"error":{"message":"no"}}\n:error: no\n',
  } do
    it("is not " .. name, function()
      check_success(before .. noise .. feed.body { text "b", STOP } .. noise .. DONE, "ab")
      check_success(": hi\n" .. noise .. "\n" .. before .. noise .. DONE, "a")
    end)
  end

  it("is nothing that comes after the end", function()
    for _, late in ipairs { nested .. "\n", "error: no\n\n", "event: error\ndata: no\n\n", "<html>\n" } do
      check_success(before .. DONE .. late, "a")
      check_success(before .. "data: [DONE]\n" .. (late:find "^event" and "" or late), "a")
    end
    check_success(before .. feed.body { STOP } .. "<html>\n<title>x</title>\n", "a")
  end)

  it("costs as much as it has bytes", function()
    local piece, many = "{\n", 20000
    -- seconds of the processor, the least of three
    local function cost(n)
      local least, chunks = math.huge, { before, piece:rep(n), ("}\n"):rep(n), DONE }
      for _ = 1, 3 do
        local began = os.clock()
        feed.read(chunks)
        least = math.min(least, os.clock() - began)
      end
      return least
    end
    local once = cost(many)
    assert.is_true(cost(4 * many) < 9 * once + 0.05)
  end)

  it("leaves the parser of programs alone", function()
    local parser = require "ofox".sse():feed("error: no\n\n{}\n\nevent: error\n\nfoo\ndata: a\nerror: x\n\n"):finish()
    assert.same({ data = "a", event = "message" }, parser:next())
    assert.is_nil(parser:next())
  end)
end)

describe("[S10] the name of an event", function()
  it("error is one whatever its data", function()
    local before = feed.body { text "a" }
    for _, dialect in ipairs { "chat", "responses", "any" } do
      for data, message in pairs {
        ["overloaded"] = false, ['{"message":"no"}'] = "no", ['{"error":{"message":"no"}}'] = "no",
        ['"in quotes"'] = false, ['{"code":400,"details":"no room"}'] = false, [""] = false, ["[DONE]"] = false,
        ["null"] = false, ["{broken"] = false, [text "b"] = false, ["two\nlines"] = false,
      } do
        for _, form in ipairs { { "error", data } } do
          check_error(feed.body { form } .. DONE, { message = message }, { dialect = dialect })
        end
      end
      check_error("event: error\n\n" .. DONE, {}, { dialect = dialect })
      check_error("event: error\ndata\n\n" .. DONE, {}, { dialect = dialect })
      check_error("data: x\nevent: error\n\n" .. DONE, {}, { dialect = dialect })
    end
    -- also where the event before looks the same
    for _, name in ipairs { "error", "response.error" } do
      check_error(before .. feed.body { { name, text "b" } } .. DONE, { text = "a" })
    end
    check_error(before .. feed.body { { "error", "plain words" } } .. DONE, { text = "a", body = "plain words" })
  end)

  it("error has no sentinel in it", function()
    check_error("event: error\ndata: [DONE]\n", {})
  end)

  it("ping says nothing, whatever its data", function()
    local before = feed.body { text "a" }
    for _, data in ipairs { text "b", "", "x", "{}", '{"type":"ping"}' } do
      check_success(before .. feed.body { { "ping", data }, text "c" } .. DONE, "ac")
    end
    check_success(before .. "event: ping\n\n" .. feed.body { '{"type":"ping"}' } .. DONE, "a")
    local failing = feed.body { { "ping", '{"error":{"message":"no"}}' } }
    check_error(before .. failing .. DONE, { text = "a", message = "no" })
  end)

  it("of any other kind changes nothing in a chat", function()
    check_success(feed.body { { "message", text "a" }, { "x", text "b" }, text "c", { "message", text "d" } } .. DONE,
      "abcd")
  end)

  it("stands in for a type", function()
    local function event(name, piece) return { "response." .. name, '{"item_id":"i","delta":"' .. piece .. '"}' } end
    local list = { event("created", "x"), event("output_text.delta", "a"), event("reasoning_text.delta", "r"),
      event("output_text.delta", "b"), event("function_call_arguments.delta", "{"), event("output_text.delta", "c"),
      { "", '{"item_id":"i","delta":"d"}' }, { "response.completed", '{"response":{"id":"r"}}' } }
    check_success(feed.body(list), "abc", { dialect = "responses" })
    list[#list] = { "response.failed", '{"response":{"error":{"code":"server_error","message":"no"}}}' }
    check_error(feed.body(list), { message = "no", text = "abc" }, { dialect = "responses" })
  end)

  it("gives way to a type", function()
    local list = feed.body {
      { "response.reasoning_text.delta", '{"type":"response.output_text.delta","delta":"a"}' },
      { "response.output_text.delta", '{"type":"response.reasoning_text.delta","delta":"b"}' },
      { "response.output_text.delta", '{"type":"ping","delta":"c"}' },
      { "x", '{"type":"response.completed","response":{}}' } }
    check_success(list, "a", { dialect = "responses" })
  end)
end)

describe("[X3] an error in an event", function()
  local before = feed.body { text "a" }
  for name, data in pairs {
    ["beside choices"] = '{"choices":[{"index":0,"delta":{"content":"b"}}],"error":{"message":"no"}}',
    ["beside no choices"] = '{"id":"c","choices":[],"error":{"message":"no"}}',
    ["with an id"] = '{"id":"c","error":{"message":"no"}}',
    ["of a flat kind"] = '{"object":"error","message":"no"}',
    ["by its type"] = '{"type":"error","message":"no","choices":[]}',
    ["in a list"] = '[{"error":{"message":"no"}}]',
    ["by its reason"] = '{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"no"}}]}',
    ["by the reason of another choice"] = '{"choices":[{"index":0,"delta":{}},{"index":1,"finish_reason":"error",'
      .. '"error":{"message":"no"}}]}',
    ["spelt in escapes"] = '{"choices":[],"\\u0065rror":{"message":"no"}}',
  } do
    it(name .. " is one", function()
      check_error(before .. feed.body { data } .. DONE, { message = "no", text = "a" })
    end)
  end

  it("by its reason is the upstream's", function()
    local data = '{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}'
    check_error(feed.body { data }, { type = "upstream_error" })
  end)

  for name, data in pairs {
    ["null"] = '{"choices":[{"index":0,"delta":{"content":"b"},"error":null}],"error":null}',
    ["empty"] = '{"choices":[{"index":0,"delta":{"content":"b"},"error":{}}],"error":{}}',
    ["no text"] = '{"choices":[{"index":0,"delta":{"content":"b"},"error":""}],"error":""}',
  } do
    it("that is " .. name .. " says nothing", function()
      check_success(before .. feed.body { data, STOP } .. DONE, "ab")
    end)
  end

  it("is what a response that ended has in it", function()
    local function ended(kind, inner)
      return feed.body { '{"type":"response.' .. kind .. '","response":{"id":"r"' .. inner .. "}}" }
    end
    local opts = { dialect = "responses" }
    for _, kind in ipairs { "completed", "incomplete", "failed" } do
      check_error(ended(kind, ',"error":{"code":"server_error","message":"no"}'), { message = "no" }, opts)
    end
    check_success(ended("completed", ',"error":null'), "", opts)
    check_success(ended("incomplete", ',"error":null,"incomplete_details":{"reason":"max_output_tokens"}'), "", opts)
    check_error(ended("failed", ""), {}, opts)
  end)
end)

describe("[X1] an event with a name of its own", function()
  it("is no error for a message in it, unless that is beyond doubt", function()
    for _, data in ipairs { '{"message":"loading the model"}', '{"reason":"idle"}' } do
      check_success("event: status\ndata: " .. data .. "\n\n" .. feed.body { text "a", STOP }, "a")
    end
    check_error(feed.body { text "a" } .. 'event: status\ndata: {"code":500,"message":"out of memory"}\n\n' .. DONE,
      { message = "out of memory", text = "a" })
    check_error(feed.body { text "a" } .. 'event: message\ndata: {"detail":"gone"}\n\n' .. DONE,
      { message = "gone", text = "a" })
  end)
end)
