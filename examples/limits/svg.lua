--- Draws results as an SVG that follows the reader's light or dark scheme.
local svg = {}

local WIDTH, MARGIN, GAP = 800, 20, 22
local AXIS, PANEL, TICKS, ROW = 22, 62, 26, 42 -- left of a panel; heights: its plot, below, above with the titles
local HEAD = 90

local STYLE = [[
  text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #424a53; }
  .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
  .row { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .note, .tick, .value { font-size: 11px; fill: #59636e; }
  .note { font-weight: 400; }
  .value { text-anchor: end; }
  .tick { text-anchor: middle; }
  .ground { fill: #ffffff; }
  .shade { fill: #e9edf1; }
  .base { stroke: #8c959f; stroke-width: 1; }
  .line { stroke: #1f2328; stroke-width: 1; stroke-dasharray: 4 3; }
  .good { fill: #2f7fd1; }
  .bad { fill: #d9622b; }
  @media (prefers-color-scheme: dark) {
    text { fill: #b4bdc7; }
    .title, .row { fill: #f0f3f6; }
    .note, .tick, .value { fill: #9198a1; }
    .ground { fill: #0d1117; }
    .shade { fill: #1f262e; }
    .base { stroke: #7d8590; }
    .line { stroke: #f0f3f6; }
    .good { fill: #4a94e0; }
    .bad { fill: #ee8350; }
  }
]]

-- A number as a picture has it; the same on every Lua, whatever its printf does with halves.
local function place(value) return ("%g"):format(math.floor(value * 10 + 0.5) / 10) end

local function text(class, x, y, words)
  local escaped = tostring(words):gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })
  return ('<text class="%s" x="%s" y="%s">%s</text>'):format(class, place(x), place(y), escaped)
end

local function box(class, x, y, width, height)
  return ('<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>'):format(class, place(x), place(y), place(width),
    place(height))
end

local function level(class, x, y, width)
  return ('<path class="%s" d="M%s %sh%s"/>'):format(class, place(x), place(y), place(width))
end

-- One side of the outline of bars, from bar 'first' to 'last': a step where the height changes.
local function side(heights, x, width, first, last)
  local steps, by = { "V" .. place(heights[first]) }, last > first and 1 or -1
  for i = first, last - by, by do
    local edge = by > 0 and i or i - 1
    if place(heights[i + by]) ~= place(heights[i]) then
      steps[#steps + 1] = ("H%sV%s"):format(place(x + edge * width), place(heights[i + by]))
    end
  end
  return table.concat(steps) .. "H" .. place(by > 0 and x + last * width or x)
end

-- The area between two heights for each bar; nil if there is none.
local function area(class, x, width, bottoms, tops)
  local outline = side(tops, x, width, 1, #tops) .. side(bottoms, x, width, #bottoms, 1)
  for i, top in ipairs(tops) do
    if place(top) ~= place(bottoms[i]) then
      return ('<path class="%s" d="M%s %s%sZ"/>'):format(class, place(x), place(bottoms[1]), outline)
    end
  end
end

local function draw_bars(panel, top, x, y, width, out)
  local floor, middle, upper, most = {}, {}, {}, 0
  local function at(value) return y + PANEL * (1 - math.min(value, top) / top) end
  for i, bar in ipairs(panel.bars) do
    floor[i], middle[i], upper[i] = y + PANEL, at(bar[1]), at(bar[1] + bar[2])
    most = math.max(most, bar[1] + bar[2])
  end
  out[#out + 1] = area("good", x, width / #floor, floor, middle)
  out[#out + 1] = area("bad", x, width / #floor, middle, upper)
  if panel.line then
    out[#out + 1] = level("line", x, at(panel.line), width)
    out[#out + 1] = text("value", x - 4, at(panel.line) + 4, panel.line)
  end
  out[#out + 1] = text("value", x - 4, y + 6, (most > top and ">" or "") .. top)
end

local function draw_panel(panel, column, axis, x, y, width, out)
  if panel.shade then
    local from, to = panel.shade[1] / axis.last, panel.shade[2] / axis.last
    out[#out + 1] = box("shade", x + from * width, y, (to - from) * width, PANEL)
  end
  draw_bars(panel, panel.top or column.top, x, y, width, out)
  out[#out + 1] = level("base", x, y + PANEL, width)
  for moment = 0, axis.last, axis.every do
    local words = ("%.0f%s"):format(moment / 60, moment == 0 and " min" or "")
    out[#out + 1] = text("tick", x + moment / axis.last * width, y + PANEL + 14, words)
  end
end

local function draw_row(row, results, y, out)
  local outer = (WIDTH - 2 * MARGIN - (#results.columns - 1) * GAP) / #results.columns
  local note = row.note and ('<tspan class="note" dx="12">%s</tspan>'):format(row.note) or ""
  out[#out + 1] = (text("row", MARGIN, y + 16, row.title):gsub("</text>", note .. "%0"))
  for i, column in ipairs(results.columns) do
    local panel, x = row.panels[i], MARGIN + (i - 1) * (outer + GAP) + AXIS
    out[#out + 1] = text("note", x, y + ROW - 8, panel.note or column.title)
    draw_panel(panel, column, results.axis, x, y + ROW, outer - AXIS, out)
  end
end

--- The picture of some results.
function svg.draw(results)
  local height = HEAD + #results.rows * (ROW + PANEL + TICKS) + MARGIN
  local out = { box("ground", 0, 0, WIDTH, height), text("title", MARGIN, MARGIN + 14, results.title),
    text("note", MARGIN, MARGIN + 36, results.note) }
  local x = MARGIN
  for _, class in ipairs { "good", "bad" } do
    out[#out + 1] = box(class, x, MARGIN + 49, 10, 10)
    out[#out + 1] = text("note", x + 15, MARGIN + 58, results[class])
    x = x + 100
  end
  for i, row in ipairs(results.rows) do draw_row(row, results, HEAD + (i - 1) * (ROW + PANEL + TICKS), out) end
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">\n'
    .. "<title>%s</title>\n<style>\n%s</style>\n%s\n</svg>\n"):format(WIDTH, height, WIDTH, height, results.title,
      STYLE, table.concat(out, "\n"))
end

return svg
