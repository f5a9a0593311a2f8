-- What single events of a stream say, and what is kept of them: bytes go into a
-- call by hand, cut in every way, and the reader and said() must agree.
local feed = require "support.feed"
local json = require "ofox.json"

local DONE = "data: [DONE]\n\n"
local STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'

-- An event of choice 0.
local function delta(members, more)
  return '{"id":"c","model":"m","choices":[{"index":0,"delta":{' .. members .. '}' .. (more or "") .. "}]}"
end

local function text(piece) return delta('"content":"' .. piece .. '"') end

-- Checks the text that events add up to, however it is read.
local function check_text(expected, list, opts)
  feed.each_way(feed.body(list) .. DONE, function(got)
    assert.is_nil(got.failure)
    assert.equal(expected, table.concat(got.texts))
    assert.equal(expected, got.text)
    assert.equal(#list, got.chunks)
  end, opts)
end

describe("[S1] what is kept of a stream", function()
  local function kept(list, dialect)
    local result
    feed.each_way(feed.body(list) .. DONE, function(got)
      local now = feed.kept(got)
      if result then assert.same(result, now) end
      result = now
    end, { dialect = dialect })
    return result
  end

  it("is an event whose text came with something else", function()
    for _, first in ipairs {
      '{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}',
      '{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"}}]}',
      '{"choices":[{"index":0,"delta":{"content":"Hel"}}],"citations":["http://a"]}',
      '{"choices":[{"index":0,"delta":{"content":"Hel"}}],"system_fingerprint":"f","service_tier":"s"}',
      '{"created":5,"model":"m","provider":"p","choices":[{"delta":{"content":"Hel"}}]}',
      '{"something":{"new":[1]},"choices":[{"delta":{"content":"Hel"}}]}',
    } do
      assert.same({ first, STOP }, kept { first, STOP })
      local bare = '{"choices":[{"index":0,"delta":{"content":"lo"}}]}'
      assert.same({ first, bare, STOP }, kept { first, bare, bare, bare, STOP })
    end
  end)

  it("is one event of those that differ in their text alone", function()
    assert.same({ text "a", STOP }, kept { text "a", text "b", text "b", text "\\n\\u00e9", text '\\"', STOP })
  end)

  it("is each change of what stands beside the text", function()
    local function of(model, piece)
      return '{"model":"' .. model .. '","choices":[{"delta":{"content":"' .. piece .. '"}}]}'
    end
    -- the second m is news: n stood between
    assert.same({ of("m", "a"), of("n", "c"), of("m", "e") },
      kept { of("m", "a"), of("m", "b"), of("n", "c"), of("n", "d"), of("m", "e"), of("m", "f") })
    local usage = '{"model":"n","choices":[],"usage":{"total_tokens":1}}'
    assert.same({ of("m", "a"), usage, of("m", "b") }, kept { of("m", "a"), usage, of("m", "b"), of("m", "c") })
  end)

  it("is all that adds up, even if it says the same again", function()
    for _, again in ipairs {
      delta '"content":"a","reasoning_content":"r"',
      delta '"content":"a","tool_calls":[{"index":0,"function":{"arguments":"x"}}]',
      delta('"content":"a"', ',"logprobs":{"content":[{"token":"a"}]}'),
      delta '"reasoning":"r"',
      '{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"b"}}]}',
      delta '"content":[{"type":"text","text":"a"}]',
    } do
      assert.same({ again, again, again }, kept { again, again, again })
    end
  end)

  it("is not the padding of single events", function()
    local function padded(i, where)
      local pad = '"obfuscation":"' .. ("x"):rep(i % 7) .. i .. '"'
      local choices = '"choices":[{"index":0,"delta":{"content":"' .. i % 10 .. '"}}]'
      return where == "first" and "{" .. pad .. "," .. choices .. ',"usage":null}'
        or '{"id":"c",' .. choices .. ',"usage":null,' .. pad .. "}"
    end
    for _, where in ipairs { "first", "last" } do
      local list = {}
      for i = 1, 12 do list[i] = padded(i, where) end
      assert.same({ padded(1, where), STOP }, kept { list[1], list[2], list[3], list[12], STOP })
    end
    local function numbered(i, item)
      return ('{"type":"response.output_text.delta","sequence_number":%d,"item_id":"%s","output_index":0,'
        .. '"content_index":0,"delta":"%d","logprobs":[],"obfuscation":"%s"}'):format(i, item, i % 10, ("y"):rep(i % 5))
    end
    assert.same({ numbered(1, "a"), numbered(3, "b") },
      kept({ numbered(1, "a"), numbered(2, "a"), numbered(3, "b"), numbered(20, "b") }, "responses"))
  end)

  it("does not grow with a long text", function()
    local list = {}
    for i = 1, 20000 do
      list[i] = '{"id":"c","choices":[{"index":0,"delta":{"content":"w "}}],"usage":null,"obfuscation":"'
        .. ("%x"):format(i * 7919 % 65536):rep(i % 4) .. '"}'
    end
    local body, pieces = feed.body(list) .. DONE, {}
    for i = 1, #body, 1000 do pieces[#pieces + 1] = body:sub(i, i + 999) end
    local got = feed.read(pieces, { settings = { max_response_bytes = 100000 } })
    assert.is_nil(got.failure and got.failure.message)
    assert.same({ 20000, ("w "):rep(20000), 1 }, { got.chunks, got.text, #got.said })
  end)

  it("is by its name, too", function()
    local data = '{"delta":"a"}'
    local got = feed.read({ feed.body { { "response.output_text.delta", data }, { "response.output_text.delta", data },
      { "response.reasoning_summary_text.delta", data }, { "response.function_call_arguments.delta", data },
      { "response.output_text.delta", data } } .. DONE }, { dialect = "responses" })
    local names = {}
    for i, event in ipairs(got.said) do names[i] = event[4] end
    assert.same({ "response.output_text.delta", "response.reasoning_summary_text.delta",
      "response.function_call_arguments.delta", "response.output_text.delta" }, names)
    assert.equal("aaa", got.text)
  end)

  it("has all members that ever were said, in any stream", function()
    local seed = 7
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return math.floor(seed / 65536) % n
    end
    local function pick(list) return list[random(#list) + 1] end
    for _ = 1, 60 do
      local list, last, all = {}, {}, {}
      for i = 1, 30 do
        local members = {}
        for _, name in ipairs { "id", "model", "service_tier", "x_new" } do
          if random(4) > 0 then members[#members + 1] = '"' .. name .. '":"' .. pick { "a", "a", "a", "b" } .. '"' end
        end
        local piece = pick { "", "x", "y", "\\u00e9" }
        members[#members + 1] = '"choices":[{"index":0,"delta":{"content":"' .. piece .. '"}}]'
        list[i] = "{" .. table.concat(members, ",") .. "}"
        all[i] = json.decode('"' .. piece .. '"')
        for key, value in pairs(json.decode(list[i])) do last[key] = value end
      end
      local got, seen = feed.read { feed.body(list) .. DONE }, {}
      for _, event in ipairs(got.said) do
        for key, value in pairs(json.decode(event[1])) do seen[key] = value end
      end
      last.choices, seen.choices = nil, nil
      assert.same(last, seen)
      assert.equal(table.concat(all), got.text)
    end
  end)
end)

describe("said() and event()", function()
  it("give the name of an event, and where its text stands", function()
    local body = feed.body { { "first", delta '"role":"assistant","content":"ab"' }, text "c", { "", text "d" },
      { "last", STOP } } .. DONE
    feed.each_way(body, function(got)
      assert.same({
        { delta '"role":"assistant","content":"ab"', 0, 2, "first" }, { text "c", 2, 3, "" }, { STOP, 4, 4, "last" },
      }, got.said)
      local names = {}
      for i, event in ipairs(got.events) do names[i] = event[3] end
      assert.same({ "first", "", "", "last" }, names)
      assert.same({ text "d", false, "" }, got.events[3])
    end, { events = true })
  end)

  it("give events of any dialect with their names", function()
    local got = feed.read({ feed.body { { "one", '{"a":1}' }, '{"b":2}' } }, { dialect = "any", events = true })
    assert.same({ { '{"a":1}', false, "one" }, { '{"b":2}', false, "" } }, got.events)
  end)
end)

describe("[S3] a message", function()
  local function both(piece, whole)
    return '{"choices":[{"index":0,"delta":{"content":"' .. piece .. '"},"message":{"role":"assistant","content":"'
      .. whole .. '"}}]}'
  end
  local function whole(content)
    return '{"choices":[{"index":0,"message":{"role":"assistant","content":' .. content .. '},"finish_reason":"stop"}]}'
  end
  for name, row in pairs {
    ["of the text so far beside each delta"] = { "Hello", { both("Hel", "Hel"), both("lo", "Hello"), STOP } },
    ["of the text that is further than the delta"] = { "Hello!", { both("Hel", "Hello"), both("!", "Hello!") } },
    ["of the whole at the end"] = { "Hello", { text "Hel", text "lo", whole '"Hello"' } },
    ["of the whole beside the last delta"] = { "Hello", { text "Hel", both("lo", "Hello") } },
    ["that is more than the deltas"] = { "Hello you", { text "Hel", text "lo", whole '"Hello you"' } },
    ["that is less than the deltas"] = { "Hello", { text "Hel", text "lo", whole '"Hell"' } },
    ["that is another text"] = { "Hello", { text "Hel", text "lo", whole '"Good day"' } },
    ["that is empty"] = { "Hello", { text "Hello", whole '""', whole "null" } },
    ["alone"] = { "Hello", { whole '"Hello"' } },
    ["alone, in parts"] = { "Hello", { whole '[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]' } },
    ["as pieces"] = { "Hello", { whole '"Hel"', whole '"lo"' } },
    ["as the text so far, without deltas"] = { "Hello", { whole '"Hel"', whole '"Hello"', whole '"Hello"' } },
    ["with escapes where the deltas had none"] = { "é\n", { text "é", text "\\n", whole '"\\u00e9\\u000a"' } },
    ["of another choice"] = { "a", { text "a", '{"choices":[{"index":1,"message":{"content":"abc"}}]}' } },
    ["that completes a character"] = { "a😀", { text "a\\ud83d", whole '"a\\ud83d\\ude00"' } },
    ["first in its choice"] = { "Hello", {
      '{"choices":[{"message":{"content":"Hel"},"delta":{"content":"Hel"}}]}', text "lo" } },
  } do
    it(name .. " does not say a text twice", function() check_text(row[1], row[2]) end)
  end
end)

describe("[S4] text", function()
  local function content(value) return delta('"content":' .. value) end
  local function part(piece, kind) return ('{"type":"%s","text":"%s"}'):format(kind or "text", piece) end
  local thinking = '{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}'
  for name, row in pairs {
    ["in a part"] = { "a", { content("[" .. part "a" .. "]") } },
    ["in several parts"] = { "abc", { content("[" .. part "a" .. "," .. part "b" .. "," .. part "c" .. "]") } },
    ["of the other kind"] = { "ab", { content("[" .. part("a", "output_text") .. "]"), text "b" } },
    ["in bare strings"] = { "abc", { content '["a","b"]', content '["c"]' } },
    ["beside thinking"] = { "ab", { content("[" .. thinking .. "," .. part "a" .. "]"), content("[" .. thinking .. "]"),
      content("[" .. part "b" .. "]") } },
    ["in strings, lists and strings"] = { "abcde", { text "a", content("[" .. part "b" .. "]"), text "c",
      content("[" .. part "d" .. "," .. thinking .. "]"), text "e" } },
    ["in numbers"] = { "1.50-2x", { content "1.5", content "0", content "-2", text "x" } },
    ["in a part that is no list"] = { "ab", { content(part "a"), text "b" } },
    ["of no type"] = { "a", { content '[{"text":"a"}]' } },
    ["beside what is none"] = { "ab", {
      content '[null,true,{},{"type":"image_url"},{"type":"reference","text":"r"},"a"]',
      content "false", content "{}", content "[]", content "[[]]", text "b" } },
    ["in several deltas of one event"] = { "abcd", {
      '{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"x"}},'
      .. '{"index":0,"delta":{"content":"b"}}]}', text "c",
      '{"choices":[{"index":2},{"index":0,"delta":{"content":"d"}}]}' } },
    ["spelt in escapes"] = { "ab", { '{"\\u0063hoices":[{"d\\u0065lta":{"c\\u006fntent":[{"typ\\u0065":"t\\u0065xt",'
      .. '"t\\u0065xt":"\\u0061"}]}}]}', text "b" } },
  } do
    it(name .. " is text, in order", function() check_text(row[1], row[2]) end)
  end

  it("of several parts is one range", function()
    local list = content("[" .. part "ab" .. "," .. thinking .. "," .. part "c" .. "]")
    local got = feed.read { feed.body { text "x", list, text "y" } .. DONE }
    assert.same({ { text "x", 0, 1, "" }, { list, 1, 4, "" }, { text "y", 4, 5, "" } }, got.said)
    assert.same({ "x", "abc", "y" }, got.texts)
  end)

  it("of an event that begins a stream opens it", function()
    assert.is_true(feed.read({ feed.body { content("[" .. thinking .. "]") } }).chunks == 1)
    local got = feed.read({ feed.body { content("[" .. part "a" .. "]") } }, { outcome = "RESET" })
    assert.equal("partial", got.reason)
  end)
end)

describe("[S8] a character that is cut", function()
  for name, row in pairs {
    ["between the halves of a pair"] = { "a😀b", { text "a\\ud83d", text "\\ude00b" } },
    ["at its beginning and end"] = { "😀😀", { text "\\ud83d", text "\\ude00\\ud83d", text "\\ude00" } },
    ["and continues an event later"] = { "a😀", { text "a\\uD83D", delta '"reasoning":"r"', text "", text "\\uDE00" } },
    ["within its bytes"] = { "a😀b", { text "a\240\159", text "\152\128b" } },
    ["byte by byte"] = { "😀é世", { text "\240", text "\159", text "\152", text "\128", text "\195", text "\169",
      text "\228\184", text "\150" } },
    ["and never continues"] = { "a�", { text "a\\ud83d" } },
    ["within its bytes and never continues"] = { "a�", { text "a\240\159\152" } },
    ["and is continued by another"] = { "�b�c�d", { text "\\ud83d", text "b\240\159", text "c\\ud83d", text "d" } },
    ["twice"] = { "��\240\159\152\128", { text "\\ud83d", text "\\ud83d", text "\\ud83d\\ude00" } },
    ["whose end comes alone"] = { "�a�", { text "\\ude00a", text "\152" } },
    ["and continued in the other form"] = { "��", { text "\240\159", text "\\ude00" } },
    ["by a byte that cannot continue it"] = { "�� ", { text "\224", text "\128 " } },
    ["in a list"] = { "a😀b", { delta '"content":["a\\ud83d","\\ude00"]', text "b" } },
    ["from a list to a string"] = { "a😀b", { delta '"content":[{"type":"text","text":"a\\ud83d"}]', text "\\ude00b" } },
  } do
    it(name .. " is put together", function() check_text(row[1], row[2]) end)
  end

  it("is broken where its choice ends", function()
    check_text("a��", { text "a\\uD83D", STOP, text "\\uDE00" })
  end)

  it("gives valid text to a reader, each piece of it", function()
    local list = { text "x\\ud83d", text "\\ude00\228", text "\184\150", text "\\ud83d", STOP }
    feed.each_way(feed.body(list) .. DONE, function(got)
      assert.same({ "x", "😀", "世", "�" }, got.texts)
      assert.same({ STOP, #"x😀世", #"x😀世�", "" }, got.said[#got.said])
    end)
  end)

  it("is broken when nothing follows, however that comes", function()
    for _, ending in ipairs { DONE, "data: [DONE]", feed.body { STOP }, feed.body { STOP } .. DONE } do
      local got = feed.read { feed.body { text "x\\ud83d" } .. ending }
      assert.same({ "x�", "x�", nil }, { got.text, table.concat(got.texts), got.failure })
    end
    for _, outcome in ipairs { "ANSWERED", "RESET", "TRUNCATED", "IDLE_TIMEOUT" } do
      local got = feed.read({ feed.body { text "x\\ud83d" } }, { outcome = outcome })
      assert.equal("x�", got.text)
      assert.is_table(got.failure)
    end
    local got = feed.read { feed.body { text "x\\ud83d", '{"error":{"message":"m"}}' } }
    assert.same({ "x�", "m" }, { got.text, got.failure.message })
  end)

  it("makes no event of its own", function()
    local got = feed.read({ feed.body { text "x\\ud83d" } .. DONE }, { events = true })
    assert.same({ 1, 1 }, { got.chunks, #got.events })
  end)

  it("is nothing between attempts", function()
    local core = require "ofox.base.native" "core"
    local template = core.template({ expect = "object", dialect = "chat" }, { max_retries = 1, retry = "ofox" })
    local call = core.call(template, 0)
    for attempt = 1, 2 do
      call:begin(0)
      for _, line in ipairs { "HTTP/1.1 200", "content-type: text/event-stream", "" } do call:head(line, 0) end
      if attempt == 1 then
        call:body(feed.body { '{"choices":[{"index":0,"delta":{"role":"assistant"}}]}' }, 0)
        call:finish("RESET", true, 0, 0)
        call:tick(100)
      else
        call:body(feed.body { text "\\ude00" } .. DONE, 0)
      end
    end
    assert.equal("�", (select(2, call:said())))
  end)
end)

describe("[S4] [S8] what was put into a stream comes out of it", function()
  local seed = 1
  local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return math.floor(seed / 65536) % n
  end
  local CHARS = { "a", " ", "é", "世", "😀", "🙂", "\n", '"', "\\" }

  -- The units in which a text may be cut, as JSON spells them.
  local function units_of(char)
    local escapes = { ["\n"] = "\\n", ['"'] = '\\"', ["\\"] = "\\\\", ["é"] = "\\u00e9" }
    if #char == 4 and random(2) == 0 then
      return char == "😀" and { "\\ud83d", "\\ude00" } or { "\\uD83D", "\\uDE42" }
    elseif escapes[char] and (char ~= "é" or random(2) == 0) then
      return { escapes[char] }
    end
    local units = {}
    for i = 1, #char do units[i] = char:sub(i, i) end
    return units
  end

  local function event_of(piece)
    local kind = random(5)
    if kind == 0 then return delta('"content":["' .. piece .. '"]') end
    if kind == 1 then
      return delta('"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"' .. piece .. '"}]')
    end
    if kind == 2 then return text(piece):gsub("}$", ',"obfuscation":"' .. random(1000) .. '"}') .. "" end
    return text(piece)
  end

  it("in 300 streams", function()
    for _ = 1, 300 do
      local all, list, piece = {}, {}, {}
      for _ = 1, random(30) do
        local char = CHARS[random(#CHARS) + 1]
        all[#all + 1] = char
        for _, unit in ipairs(units_of(char)) do
          piece[#piece + 1] = unit
          if random(3) == 0 then
            list[#list + 1] = event_of(table.concat(piece))
            piece = {}
          end
        end
      end
      list[#list + 1] = event_of(table.concat(piece))
      list[#list + 1] = STOP
      local body, pieces = feed.body(list) .. DONE, {}
      while body ~= "" do
        local n = random(90)
        pieces[#pieces + 1], body = body:sub(1, n), body:sub(n + 1)
      end
      local got = feed.read(pieces)
      assert.is_nil(got.failure)
      assert.equal(table.concat(all), table.concat(got.texts))
      assert.equal(table.concat(all), got.text)
      assert.equal(#list, got.chunks)
    end
  end)
end)
