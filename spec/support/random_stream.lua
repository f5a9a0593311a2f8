--- Events as the bytes of a body, with all the freedom that its framing leaves to
-- servers, cut anywhere; and what a call reads of them.
local assert = require "luassert"
local chance = require "support.chance"
local collect = require "ofox.answer.collect"
local feed = require "support.feed"
local json = require "ofox.json"
local random_json = require "support.random_json"

local random_stream = {}

local random, percent, pick = chance.random, chance.percent, chance.pick

-- JSON on several lines: where a server may break it.
local function lines_of(data)
  if not percent(5) then return { data } end
  local at = data:find('[{,]"[%a_]+":')
  if not at then return { data } end
  return { data:sub(1, at), data:sub(at + 1) }
end

--- Writes events: each {data = table or JSON, name = its name or nil}.
---@return string
function random_stream.body(events)
  local line_end, out = pick { "\n", "\n", "\r\n", "\r" }, {}
  local function line(text) out[#out + 1] = text .. line_end end
  if percent(10) then out[1] = "\239\187\191" end
  for _, event in ipairs(events) do
    if percent(5) then line ": still here" end
    if percent(5) then line "" end
    if percent(5) then line "retry: 3000" end
    local data = type(event.data) == "table" and random_json.encode(event.data) or event.data
    local first = percent(80)
    if event.name and first then line("event: " .. event.name) end
    if percent(5) then line("id: " .. random(99)) end
    for _, text in ipairs(lines_of(data)) do line((percent(90) and "data: " or "data:") .. text) end
    if event.name and not first then line("event:" .. event.name) end
    line ""
  end
  return table.concat(out)
end

--- Writes events as the elements of one list.
---@return string
function random_stream.list(events)
  local list = {}
  for i, event in ipairs(events) do
    list[i] = random_json.encode(event):gsub('([{,])("%a+":)', percent(50) and "%1\r\n  %2" or "%1%2")
  end
  local before, between = pick { "[", " [\n", "\239\187\191[" }, pick { ",", ",\r\n", "\n,\n" }
  return before .. table.concat(list, between) .. pick { "]", "\n]\n" }
end

--- A body in pieces.
---@return string[]
function random_stream.cut(body)
  local how, pieces, at = pick { 1, 7, 60, 4000 }, {}, 1
  while at <= #body do
    local n = random(how)
    pieces[#pieces + 1] = body:sub(at, at + n - 1)
    at = at + n
  end
  return pieces
end

--- What a call makes of a body: fed in pieces, read as texts and as events.
---@return table {texts, text, chunks, answer, failure, events}
function random_stream.read(dialect, body, head)
  local read = {}
  for i, events in ipairs { false, true } do
    local got = feed.read(random_stream.cut(body), { dialect = dialect, events = events, head = head })
    read[i] = got
    got.answer = collect.answer(dialect, got.text, got.said, json.decode_piece)
  end
  local by_text, by_events = read[1], read[2]
  assert.same({ by_text.text, by_text.chunks, by_text.reason }, { by_events.text, by_events.chunks, by_events.reason })
  assert.equal(json.encode(by_text.answer), json.encode(by_events.answer))
  return { text = by_text.text, texts = table.concat(by_text.texts), answer = by_text.answer, failure = by_text.failure,
    events = by_events.events, chunks = by_text.chunks }
end

return random_stream
