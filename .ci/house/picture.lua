--- Draws the house: its floors as bands from top to bottom, Lua above C, the
-- files in them, and between two floors an arrow with the number of requires
-- or includes that go that way.
local floors = require "floors"
local graph = require "graph"
local svg = require "svg"

local picture = {}

local MARGIN, GAP, LINE, PAD = 16, 8, 18, 8
local NAMES_X, NAMES_WIDTH = 124, 560 -- beside the names of rooms
local LANES_X, LANE = 710, 38 -- right of the names, where the arrows are

-- Names in lines that are no wider than the room for them.
local function wrapped(names)
  local lines, line = {}, ""
  for _, name in ipairs(names) do
    local longer = line == "" and name or line .. "  " .. name
    if svg.width(#longer) > NAMES_WIDTH then
      lines[#lines + 1], line = line, name
    else
      line = longer
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- Units of a half by room, without the room's name; a file beside the folders
-- is in no room: "".
local function units_of(house, half)
  local rooms, seen = {}, {}
  for _, file in ipairs(house.files) do
    local room, name = (file.unit or ""):match("^([^/]+)/(.+)$")
    if not room then room, name = "", file.unit end
    local key = room == "" and file.floor or room
    if file.half == half and file.floor and not seen[file.unit] then
      seen[file.unit] = true
      rooms[key] = rooms[key] or { inside = {} }
      if room == "" then
        rooms[key].beside = name
      else
        table.insert(rooms[key].inside, name)
      end
    end
  end
  return rooms
end

-- The paragraphs of a band: {label, lines}, first the files beside the folders.
local function paragraphs(names, rooms, prefix)
  local list, beside = {}, {}
  for _, name in ipairs(names) do
    local room = rooms[name] or { inside = {} }
    if room.beside then beside[#beside + 1] = room.beside end
    if #room.inside > 0 then list[#list + 1] = { label = prefix .. name .. "/", lines = wrapped(room.inside) } end
  end
  if #beside > 0 then table.insert(list, 1, { label = "", lines = wrapped(beside) }) end
  return list
end

-- The bands of a half, the highest floor first: {rank, paragraphs}.
local function bands_of(house, half, prefix)
  local rooms, bands = units_of(house, half), {}
  for rank = #floors[half], 1, -1 do
    local row = floors[half][rank]
    local list = paragraphs(type(row) == "table" and row or { row }, rooms, prefix)
    if #list > 0 then bands[#bands + 1] = { rank = rank, paragraphs = list } end
  end
  return bands
end

-- Draws the bands from 'y' on, and leaves in each where it is.
local function draw_bands(bands, y, width, out)
  for _, band in ipairs(bands) do
    local at = #out + 1
    band.top = y
    y = y + PAD
    for _, paragraph in ipairs(band.paragraphs) do
      out[#out + 1] = svg.text("floor", MARGIN + PAD, y + 13, paragraph.label)
      for _, line in ipairs(paragraph.lines) do
        out[#out + 1] = svg.text("file", NAMES_X, y + 13, line)
        y = y + LINE
      end
    end
    y = y + PAD
    table.insert(out, at, svg.box("band", MARGIN, band.top, width - 2 * MARGIN, y - band.top))
    band.middle = (band.top + y) // 2
    y = y + GAP
  end
  return y
end

-- The arrows of a half: {from, to, count}, by rank; the highest first.
local function arrows_of(edges, half)
  local count, list = {}, {}
  for _, edge in ipairs(edges) do
    local from, to = floors.rank[half][graph.floor(edge.from)], floors.rank[half][graph.floor(edge.to)]
    if from and to and from ~= to then
      local key = from .. ">" .. to
      if not count[key] then
        count[key] = { from = from, to = to, count = 0 }
        list[#list + 1] = count[key]
      end
      count[key].count = count[key].count + 1
    end
  end
  table.sort(list, function(a, b)
    if a.from ~= b.from then return a.from > b.from end
    return a.to > b.to
  end)
  return list
end

-- Gives each arrow the first lane where it meets no other; how many there are.
local function share_lanes(arrows, by_rank)
  local ends = {} -- lane -> how far down it is taken
  for _, arrow in ipairs(arrows) do
    local lane = 1
    while ends[lane] and ends[lane] >= by_rank[arrow.from].middle - LINE do lane = lane + 1 end
    arrow.lane, ends[lane] = lane, by_rank[arrow.to].top + PAD
  end
  return #ends
end

local function name_of(half, rank)
  local row = floors[half][rank]
  return type(row) == "table" and table.concat(row, ", ") or row
end

local function draw_arrows(arrows, by_rank, half, kind, out)
  for _, arrow in ipairs(arrows) do
    local x, from, to = LANES_X + (arrow.lane - 1) * LANE, by_rank[arrow.from].middle, by_rank[arrow.to].top + PAD
    local title = ("%s > %s: %d %s"):format(name_of(half, arrow.from), name_of(half, arrow.to), arrow.count, kind)
    out[#out + 1] = svg.arrow(x, from, to, title)
    out[#out + 1] = svg.text("count", x + 6, from + 4, tostring(arrow.count))
  end
end

-- What stands between the halves: who asks for which module of C.
local function meeting(house)
  local list = {}
  for name, module in pairs(floors.modules) do
    local askers = {}
    for _, file in ipairs(house.files) do
      if file.halves and file.halves[name:match("%.(.*)$")] then askers[#askers + 1] = file.unit end
    end
    if #askers > 0 then
      list[#list + 1] = { label = name, lines = wrapped(askers), opens = module.opens }
      table.insert(list[#list].lines, 1, ("opened by src/%s.c, asked for by"):format(module.opens))
    end
  end
  table.sort(list, function(a, b) return a.label < b.label end)
  return list
end

local function draw_meeting(house, y, out)
  for _, module in ipairs(meeting(house)) do
    out[#out + 1] = svg.text("floor", MARGIN + PAD, y + 13, module.label)
    for i, line in ipairs(module.lines) do
      out[#out + 1] = svg.text(i == 1 and "note" or "file", NAMES_X, y + 13, line)
      y = y + LINE
    end
  end
  return y + GAP
end

local function index(bands)
  local by_rank = {}
  for _, band in ipairs(bands) do by_rank[band.rank] = band end
  return by_rank
end

local HALVES = {
  { half = "lua", prefix = "", kind = "requires", title = "Lua: lua/ofox/", note = "arrows count requires" },
  { half = "c", prefix = "src/", kind = "includes", title = "C: src/", note = "arrows count includes" },
}

-- Draws one half from 'y' on; gives where it ends, how many lanes it took, and
-- its bands.
local function draw_half(house, of, y, width, out)
  out[#out + 1] = svg.text("title", MARGIN, y + 16, of.title)
  out[#out + 1] = svg.text("note", LANES_X, y + 16, of.note)
  local bands, arrows = bands_of(house, of.half, of.prefix), arrows_of(house[of.kind], of.half)
  y = draw_bands(bands, y + 26, width, out)
  local lanes = share_lanes(arrows, index(bands))
  draw_arrows(arrows, index(bands), of.half, of.kind, out)
  return y, lanes, bands
end

-- From the lowest floor of Lua to the highest of C.
local function draw_descent(upper, lower, out)
  if not upper or not lower then return end
  local x = LANES_X - 16
  out[#out + 1] = svg.arrow(x, upper.middle, lower.top + PAD, floors.loader .. " loads the modules of C")
  out[#out + 1] = svg.text("count", x + 6, upper.middle + 4, "loads")
end

local function draw_all(house, width)
  local out = {}
  local y, lua_lanes, lua = draw_half(house, HALVES[1], MARGIN, width, out)
  out[#out + 1] = svg.text("title", MARGIN, y + 16, "Where they meet: " .. floors.loader)
  y = draw_meeting(house, y + 24, out) + GAP
  local bottom, c_lanes, c = draw_half(house, HALVES[2], y, width, out)
  draw_descent(lua[#lua], c[1], out)
  return out, bottom + MARGIN - GAP, math.max(lua_lanes, c_lanes, 4)
end

--- The picture of a house, as SVG.
function picture.draw(house)
  local _, _, lanes = draw_all(house, 0) -- how wide it gets is known afterwards
  local width = LANES_X + lanes * LANE + MARGIN
  local elements, height = draw_all(house, width)
  return svg.document("The floors of ofox", width, height, elements)
end

return picture
