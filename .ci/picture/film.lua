--- A recording as lines, each with all that stood in it and from when to when.
local Screen = require "screen"

local film = {}

local QUIET = 0.015 -- seconds without output: what is on the screen is whole
local STEP = 0.2 -- seconds between two frames, at least

local function same(one, other)
  if #one ~= #other then return false end
  for i, cell in ipairs(one) do
    if cell[1] ~= other[i][1] or cell[2] ~= other[i][2] then return false end
  end
  return true
end

-- The moments at which the screen is looked at: {number of pieces, seconds}.
local function moments_of(pieces)
  local list = {}
  for i, piece in ipairs(pieces) do
    local following = pieces[i + 1]
    if not following or following[1] - piece[1] >= QUIET then
      local last = list[#list]
      if last and piece[1] - last[2] < STEP then list[#list] = nil end
      list[#list + 1] = { i, last and piece[1] - last[2] < STEP and last[2] or piece[1] }
    end
  end
  return list
end

-- Takes down what has changed since the frame before.
local function note(lines, screen, now)
  for row, cells in ipairs(screen.lines) do
    lines[row] = lines[row] or {}
    local last = lines[row][#lines[row]]
    if not last or not same(last.cells, cells) then
      if last then last.to = now end
      local copy = {}
      for i, cell in ipairs(cells) do copy[i] = cell end
      table.insert(lines[row], { cells = copy, from = now })
    end
  end
end

-- How many lines there are, without empty ones at the end.
local function count_of(screen)
  local count = #screen.lines
  while count > 0 and screen:text(count) == "" do count = count - 1 end
  return count
end

--- Plays a recording.
---@param pieces table[]  of recording.read
---@param width integer  columns
---@param height integer  rows
---@return table film  lines: for each a list of {cells, from, to}; frames: a list
-- of {at, count} with the number of lines; seconds
function film.play(pieces, width, height)
  local screen, fed = Screen.new(width, height), 0
  local result = { lines = {}, frames = {}, seconds = pieces[#pieces][1] }
  for _, moment in ipairs(moments_of(pieces)) do
    for i = fed + 1, moment[1] do screen:feed(pieces[i][2]) end
    fed = moment[1]
    note(result.lines, screen, moment[2])
    table.insert(result.frames, { at = moment[2], count = count_of(screen) })
  end
  return result
end

return film
