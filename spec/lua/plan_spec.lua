-- Chunks of a stream as the core decodes them: those that are made by a plan
-- are what json.decode makes of their JSON.
local chance = require "support.chance"
local core = require "ofox.base.native" "core"
local feed = require "support.feed"
local json = require "ofox.json"

local HEAD = { "HTTP/1.1 200", "content-type: text/event-stream", "" }

local STRINGS = { "", "a", " word", '\\"', "\\ud83d", "\\ude00\\ud83d", "\\ud83d\\ude00", "世", "\228\184", "\255",
  ("x"):rep(50), ("long "):rep(900), "\\u0000", "0", "a0", "b1", "\\/", "\127", "\t" }
local NUMBERS = { "0", "-1", "17", "1e3", "2.50", "-0.0", "12345678901234567890", "9007199254740993", "101", "201" }

-- A value of any shape, in JSON.
local function value(depth)
  local kind = chance.random(depth > 4 and 6 or 8)
  if kind == 1 then return '"' .. chance.pick(STRINGS) .. '"' end
  if kind == 2 then return chance.pick(NUMBERS) end
  if kind <= 6 then return chance.pick { "null", "true", "false", "[]", "{}", "[null]" } end
  local list = {}
  for i = 1, chance.random(5) - 1 do
    local name = chance.pick { "a", "b", "é", "\\u0061", "10", "" }
    list[i] = (kind == 7 and "" or '"' .. name .. '":') .. value(depth + 1)
  end
  return (kind == 7 and "[" or "{") .. table.concat(list, ",") .. (kind == 7 and "]" or "}")
end

-- An event with holes, '@' for a string and '#' for a number.
local function chat_model()
  local members = { '"choices":[{"index":0,"delta":{"content":"@"' .. chance.pick { "", ',"role":"assistant"' }
    .. '},"content_filter_results":' .. value(0) .. ',"logprobs":' .. chance.pick { "null", "{}" } .. "}]" }
  for _, name in ipairs { "id", "created", "model", "provider", "usage", "obfuscation", "citations", "id" } do
    local member = name == "obfuscation" and '"@"' or name == "usage" and "null" or value(0)
    if chance.percent(50) then
      table.insert(members, chance.random(#members + 1), ('"%s":%s'):format(name, member))
    end
  end
  return "", "{" .. table.concat(members, ",") .. "}"
end

local function response_model()
  local members = { '"delta":"@"', '"sequence_number":#' }
  for _, name in ipairs { "item_id", "obfuscation", "output_index", "logprobs", "more", "sequence_number" } do
    local member = name == "obfuscation" and '"@"' or name == "sequence_number" and "#"
      or name == "logprobs" and "[]" or value(0)
    if chance.percent(50) then
      table.insert(members, chance.random(#members + 1), ('"%s":%s'):format(name, member))
    end
  end
  local name = "response.output_text.delta"
  local typed = chance.random(3)
  if typed < 3 then members[#members + 1] = '"type":"' .. name .. '"' end
  return typed > 1 and name or "", "{" .. table.concat(members, ",") .. "}"
end

local function filled(model)
  return (model:gsub("[@#]", function(hole) return chance.pick(hole == "@" and STRINGS or NUMBERS) end))
end

local function open(dialect, body)
  local call = core.call(core.template({ dialect = dialect }, {}), 0)
  call:begin(0)
  for _, line in ipairs(HEAD) do call:head(line, 0) end
  assert.is_true(call:body(body, 0))
  return call
end

-- As the writer shows it: with its numbers' digits, marks and all.
local function shown(chunk) return assert(json.encode(chunk)) end

describe("a chunk that the core decodes", function()
  for dialect, model_of in pairs { chat = chat_model, responses = response_model } do
    it("is what json.decode makes of it, " .. dialect, function()
      chance.seed(7)
      for _ = 1, 3 * chance.ROUNDS do
        local sent, expected = {}, {}
        for _ = 1, 2 do
          local name, model = model_of()
          for _ = 1, 9 do
            local text = filled(model)
            sent[#sent + 1] = { name, text }
            local chunk = assert(json.decode(text))
            if chunk.type == nil and name ~= "" then chunk.type = name end
            expected[#expected + 1] = shown(chunk)
          end
        end
        local call = open(dialect, feed.body(sent))
        local take = call:chunks()
        for i = 1, #sent do
          local chunk, rest = take()
          assert.is_nil(rest)
          assert.equal(expected[i], shown(chunk), sent[i][2])
        end
        assert.is_nil((take()))
      end
    end)
  end

  local function words(n)
    local list = {}
    for i = 1, n do
      list[i] = ('{"id":"c","choices":[{"index":0,"delta":{"content":"%d"}}],"n":[1,[]],"usage":null}'):format(i)
    end
    return list
  end

  it("is the program's own", function()
    local take = open("chat", feed.body(words(12))):chunks()
    for i = 1, 12 do
      local chunk = take()
      assert.same({ id = "c", n = { 1, {} }, choices = { { index = 0, delta = { content = tostring(i) } } } }, chunk)
      assert.equal("[1,[]]", json.encode(chunk.n))
      chunk.choices[1].delta.content, chunk.n[2][1], chunk.id, chunk.more = nil, 1, 2, 3
    end
  end)

  it("may be taken between texts and JSON", function()
    local list = words(30)
    local call = open("chat", feed.body(list))
    local take, next_text = call:chunks(), call:texts()
    for i = 1, 30, 3 do
      assert.equal(shown(json.decode(list[i])), shown(take()))
      assert.equal(tostring(i + 1), next_text())
      assert.equal(list[i + 2], (call:event()))
    end
  end)

  it("leaves nothing behind", function()
    local list = words(200)
    local before
    for round = 1, 20 do
      local take = open("chat", feed.body(list)):chunks()
      for _ = 1, #list do assert.is_table(take()) end
      take = nil -- luacheck: ignore 311
      collectgarbage() collectgarbage()
      if round == 5 then before = collectgarbage "count" end
    end
    assert.is_true(collectgarbage "count" - before < 10, collectgarbage "count" - before)
  end)

  it("is made although a finalizer reads on meanwhile", function()
    local list = words(400)
    local call = open("chat", feed.body(list))
    local take, seen, reading = call:chunks(), {}, true
    local function note(chunk)
      if chunk then seen[tonumber(chunk.choices[1].delta.content)] = true end
    end
    local function plant()
      local proxy = rawget(_G, "newproxy") and newproxy(true) -- luacheck: ignore 113
      local object = proxy or setmetatable({}, { __gc = true })
      getmetatable(object).__gc = function()
        if not reading then return end
        note(take())
        plant()
      end
    end
    for _ = 1, 20 do plant() end
    local pause = collectgarbage("setpause", 1)
    local chunk = take()
    while chunk do
      note(chunk)
      chunk = take()
    end
    reading = false
    collectgarbage("setpause", pause)
    for i = 1, #list do assert.is_true(seen[i], i) end
  end)
end)
