--- Draws results as SVG: a panel for each measure, in it a dot for each client,
-- on a logarithmic scale of the ratio to bare libcurl. It follows the reader's
-- light or dark scheme.
local peers = require "peers"
local tables = require "tables"
local rows = require "rows"

local plot = {}

local WIDTH, MARGIN, GAP = 800, 20, 28
local PANEL = (WIDTH - 2 * MARGIN - GAP) / 2
local NAMES, VALUES = 126, 40 -- left and right of the scale
local HEAD, LINE, FOOT = 62, 19, 30
local TITLE = 44 -- of a panel, with its unit

local STYLE = [[
  text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #424a53; }
  .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
  .panel { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .note, .tick { font-size: 11px; fill: #6e7781; }
  .name { text-anchor: end; }
  .tick { text-anchor: middle; }
  .ours { font-weight: 600; fill: #0b5cad; }
  .ground { fill: #ffffff; }
  .grid { stroke: #e4e8ec; stroke-width: 1; }
  .floor { stroke: #8c959f; stroke-width: 1.5; }
  .stem { stroke: #b6bec7; stroke-width: 2; }
  .dot { fill: #8c959f; }
  .dot.ours { fill: #0b5cad; }
  .stem.ours { stroke: #0b5cad; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #b4bdc7; }
    .title, .panel { fill: #f0f3f6; }
    .note, .tick { fill: #8b949e; }
    .ours { fill: #6cb2ff; }
    .ground { fill: #0d1117; }
    .grid { stroke: #21262d; }
    .floor { stroke: #7d8590; }
    .stem { stroke: #484f58; }
    .dot { fill: #7d8590; }
    .dot.ours { fill: #6cb2ff; }
    .stem.ours { stroke: #6cb2ff; }
  }
]]

-- The rows that are drawn.
local DRAWN = { "call CPU", "among 64 CPU", "errors CPU", "script CPU", "event CPU", "first", "streams CPU",
  "streams memory" }

local function text(class, x, y, words)
  local escaped = words:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })
  return ('<text class="%s" x="%.1f" y="%.1f">%s</text>'):format(class, x, y, escaped)
end

local function line(class, x1, y1, x2, y2)
  return ('<path class="%s" d="M%.1f %.1fL%.1f %.1f"/>'):format(class, x1, y1, x2, y2)
end

local function dot(class, x, y)
  return ('<circle class="%s" cx="%.1f" cy="%.1f" r="5"/>'):format(class, x, y)
end

-- What a panel shows: its row, the floor's figure, and {peer, ratio}, the least
-- first.
local function read_panel(all, row)
  local found, list, floor = all.rows[row.id] or {}, {}, nil
  for _, peer in ipairs(peers.list) do
    local entry = found[peer.id]
    if entry and peer.is_floor then
      floor = entry[1]
    elseif entry and entry[2] then
      list[#list + 1] = { peer = peer, ratio = entry[2] }
    end
  end
  table.sort(list, function(a, b) return a.ratio < b.ratio end)
  return { row = row, floor = floor, list = list }
end

local function read_panels(all)
  local by_id, list = {}, {}
  for _, row in ipairs(rows.list) do by_id[row.id] = row end
  for _, id in ipairs(DRAWN) do
    local panel = read_panel(all, by_id[id])
    if panel.floor then list[#list + 1] = panel end
  end
  return list
end

-- A function from a ratio to a place on the scale, the same for all panels; and
-- the ratios that are marked.
local function scale_of(panels)
  local least, most = 1, 1
  for _, panel in ipairs(panels) do
    for _, entry in ipairs(panel.list) do
      least, most = math.min(least, entry.ratio), math.max(most, entry.ratio)
    end
  end
  least = least < 1 and math.min(least, 0.8) or 0.9
  local marks = {}
  for _, mark in ipairs { 0.3, 1, 3, 10, 30, 100, 300, 1000 } do
    if mark >= least and mark <= most * 1.05 then marks[#marks + 1] = mark end
  end
  local width = PANEL - NAMES - VALUES
  return function(ratio) return NAMES + width * math.log(ratio / least) / math.log(most / least) end, marks
end

local function height_of(panel) return TITLE + #panel.list * LINE + FOOT end

local function draw_scale(panel, x, y, at, marks, out)
  local top, bottom = y + TITLE - 10, y + TITLE + #panel.list * LINE - 4
  for _, mark in ipairs(marks) do
    out[#out + 1] = line(mark == 1 and "floor" or "grid", x + at(mark), top, x + at(mark), bottom)
    out[#out + 1] = text("tick", x + at(mark), bottom + 13, ("%g"):format(mark))
  end
end

local function draw_entry(entry, x, y, at, out)
  local ours = entry.peer.is_ours and " ours" or ""
  out[#out + 1] = text("name" .. ours, x + NAMES - 12, y + 4, entry.peer.title)
  out[#out + 1] = line("stem" .. ours, x + at(1), y, x + at(entry.ratio), y)
  out[#out + 1] = dot("dot" .. ours, x + at(entry.ratio), y)
  out[#out + 1] = text("value" .. ours, x + math.max(at(entry.ratio), at(1)) + 9, y + 4, tables.ratio(entry.ratio))
end

local function draw_panel(panel, x, y, at, marks, out)
  out[#out + 1] = text("panel", x, y + 12, (panel.row.en:gsub("`", "")))
  out[#out + 1] = text("note", x, y + 27, ("%s; libcurl alone: %s"):format(panel.row.unit, tables.figure(panel.floor)))
  draw_scale(panel, x, y, at, marks, out)
  for i, entry in ipairs(panel.list) do draw_entry(entry, x, y + TITLE + (i - 1) * LINE + 2, at, out) end
end

--- The picture of a run's results.
function plot.draw(all)
  local panels = read_panels(all)
  local at, marks = scale_of(panels)
  local out, y = {}, HEAD + MARGIN
  for i = 1, #panels, 2 do
    local left, right = panels[i], panels[i + 1]
    draw_panel(left, MARGIN, y, at, marks, out)
    if right then draw_panel(right, MARGIN + PANEL + GAP, y, at, marks, out) end
    y = y + math.max(height_of(left), right and height_of(right) or 0)
  end
  local note = "Left is better; the scale is logarithmic. Bare libcurl touches no JSON; all others read and write it. "
  local head = { '<rect class="ground" width="100%" height="100%"/>',
    text("title", MARGIN, MARGIN + 16, "What a call costs, as a ratio to C on bare libcurl"),
    text("note", MARGIN, MARGIN + 36, note .. all.date .. ".") }
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">\n'
    .. "<title>What a call costs</title>\n<style>\n%s</style>\n%s\n%s\n</svg>\n"):format(WIDTH, y, WIDTH, y, STYLE,
      table.concat(head, "\n"), table.concat(out, "\n"))
end

return plot
