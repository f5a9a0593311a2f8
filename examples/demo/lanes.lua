--- What a row shows of one stream among many: a mark, a name, the words that
-- came, and how it ended.
local text = require "demo.text"

local lanes = {}

local NAME, STATE = 9, 10 -- columns left and right of the words

-- The mark, its colour, and how the stream ended.
local function state_of(lane, stage)
  local err = lane.err
  if err and err.type == "cancelled_error" then return "stop", "orange", "cancelled" end
  if err then return "fail", "red", tostring(err.code) end
  if lane.seconds then return "ok", "green", ("%.1f s"):format(lane.seconds) end
  if lane.watch.wait then return "wait", "orange", "" end
  return stage.terminal:spinner(stage.frame), "blue", ""
end

-- The last words that fit.
local function tail(words, columns)
  while text.width(words) > columns and words:find " " do words = words:gsub("^%s*%S+%s+", "") end
  return words
end

local function blanks(columns)
  return { nil, (" "):rep(columns) }
end

-- The columns for the words.
local function room_of(stage)
  return stage.terminal.line - 4 - NAME - STATE
end

-- The row of a stream.
-- lane: name, said, watch; when it has ended, seconds and perhaps err
local function row_of(lane, stage)
  local room = room_of(stage)
  local mark, colour, state = state_of(lane, stage)
  local words = tail(lane.said, room)
  local spans = { { colour, "  " .. (stage.terminal.glyphs[mark] or mark) .. " " },
    { "bold", lane.name }, blanks(NAME - #lane.name) }
  if lane.watch.wait and mark == "wait" then
    for _, span in ipairs((lane.watch:draw_wait(room, lane.watch.wait.reason))) do spans[#spans + 1] = span end
  else
    spans[#spans + 1] = { nil, words }
    spans[#spans + 1] = blanks(room - text.width(words) + STATE - #state)
    spans[#spans + 1] = { "grey", state }
  end
  return spans
end

function lanes.rows(list, stage)
  local rows = {}
  for i, lane in ipairs(list) do rows[i] = row_of(lane, stage) end
  return rows
end

--- Keeps the rows as they are, or where they are too narrow, what they say.
function lanes.keep(list, stage)
  local widest = 0
  for _, lane in ipairs(list) do widest = math.max(widest, text.width(lane.said)) end
  for _, lane in ipairs(list) do
    local mark, _, state = state_of(lane, stage)
    if widest <= room_of(stage) then
      stage:keep(row_of(lane, stage))
    else
      stage:say(("%s (%s): %s"):format(lane.name, state, lane.said), mark)
    end
  end
end

return lanes
