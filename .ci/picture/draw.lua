--- Draws a film as SVG that moves; where it may not move, or cannot, it shows one
-- frame. It follows the reader's light or dark scheme.
local draw = {}

local CELL, LINE, SIZE = 8.4, 18, 14 -- of a character, in pixels
local MARGIN = 16
local HOLD = 6 -- seconds that the last frame stays

-- The demo's colours, by their codes: name, on a light and on a dark ground.
local COLOURS = {
  { "1", "b", "#1f2328", "#f0f6fc" }, { "38;5;243", "g", "#6e7781", "#8b949e" },
  { "38;5;167", "r", "#c93c37", "#f47067" }, { "38;5;29", "k", "#1a7f37", "#3fb950" },
  { "38;5;32", "c", "#0969da", "#58a6ff" }, { "38;5;166", "w", "#bc4c00", "#f0883e" },
}

local CLASS = { [""] = "" }
for _, row in ipairs(COLOURS) do CLASS[row[1]] = row[2] end

local function style()
  local light, dark = {}, {}
  for i, row in ipairs(COLOURS) do
    light[i] = ("  .%s { fill: %s; stroke: %s; }"):format(row[2], row[3], row[3])
    dark[i] = ("    .%s { fill: %s; stroke: %s; }"):format(row[2], row[4], row[4])
  end
  return ([[
  text { font: %dpx ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328;
    white-space: pre; stroke: none !important; }
  .b { font-weight: bold; }
  .ground { fill: #ffffff; stroke: #d0d7de; }
  .thick { stroke-width: 4; }
  .thin { stroke-width: 1.5; }
  .off { opacity: 0; }
%s
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .ground { fill: #0d1117; stroke: #30363d; }
%s
  }
]]):format(SIZE, table.concat(light, "\n"), table.concat(dark, "\n"))
end

local function number(n)
  return (("%.1f"):format(n):gsub("%.0$", ""))
end

local function escaped(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- A line of a bar, at the height of the letters' middle.
local function stroke(class, x, y, columns, thickness)
  return ('<path class="%s %s" d="M%s %sh%s"/>'):format(class, thickness, number(x), number(y - 4.5),
    number(columns * CELL))
end

-- What a bar is made of.
local STROKES = { ["━"] = "thick", ["╸"] = "thick", ["─"] = "thin" }

-- One run of cells in one colour, without blanks around it.
local function draw_run(run, y)
  local class, characters = run.class, run.characters
  local x, text = MARGIN + (run.column - 1) * CELL, table.concat(characters)
  if run.stroke then
    local half = select(2, text:gsub("╸", "")) / 2
    return stroke(class, x, y, #characters - half, run.stroke)
  end
  local named = class ~= "" and (' class="%s"'):format(class) or ""
  return ('<text%s x="%s" y="%s" textLength="%s">%s</text>'):format(named, number(x), number(y),
    number(#characters * CELL), escaped(text))
end

-- The runs of a line: {class, stroke, column, characters}.
local function runs_of(cells)
  local runs, run, blanks = {}, nil, 0
  for column, cell in ipairs(cells) do
    local class = assert(CLASS[cell[2]], cell[2])
    if cell[1] == " " then
      blanks = blanks + 1
    else
      local of_bar = STROKES[cell[1]]
      if not run or run.class ~= class or run.stroke ~= of_bar or blanks > 1 then
        run = { class = class, stroke = of_bar, column = column, characters = {} }
        runs[#runs + 1] = run
      elseif blanks == 1 then
        table.insert(run.characters, " ")
      end
      blanks = 0
      table.insert(run.characters, cell[1])
    end
  end
  return runs
end

local function draw_line(cells, y)
  local out = {}
  for i, run in ipairs(runs_of(cells)) do out[i] = draw_run(run, y) end
  return table.concat(out)
end

-- Steps in time, as keyframes: {second, declaration}.
local function keyframes(name, steps, seconds)
  local out = {}
  for i, step in ipairs(steps) do
    out[i] = ("%s%%{%s}"):format((("%.2f"):format(100 * step[1] / seconds):gsub("%.?0+$", "")), step[2])
  end
  return ("@keyframes %s{%s}"):format(name, table.concat(out))
end

local Drawing = {}
Drawing.__index = Drawing

-- The class of what is seen from one second to another: its animation.
function Drawing:class_of(from, to)
  local key = ("%.3f %.3f"):format(from, to or -1)
  if not self.classes[key] then
    local name = "a" .. self.made
    self.made = self.made + 1
    self.classes[key] = name
    local steps = { { 0, "opacity:0" }, { from, "opacity:1" } }
    if from == 0 then table.remove(steps, 1) end
    if to then steps[#steps + 1] = { to, "opacity:0" } end
    table.insert(self.rules, keyframes(name, steps, self.seconds) .. ("#all .%s{animation-name:%s}"):format(name, name))
  end
  return self.classes[key]
end

-- All that ever stands in a line, each seen in its time; in the still, what is
-- there at that moment.
function Drawing:line(versions, y)
  for _, version in ipairs(versions) do
    local shapes = draw_line(version.cells, y)
    if shapes ~= "" then
      local is_still = version.from <= self.still and (not version.to or version.to > self.still)
      local class = self:class_of(version.from, version.to) .. (is_still and "" or " off")
      table.insert(self.out, ('<g class="%s">%s</g>'):format(class, shapes))
    end
  end
end

-- How far the lines are moved up when there are so many.
function Drawing:shift(count)
  return math.max(0, count - self.height) * LINE
end

function Drawing:scroll(frames)
  local steps, last, still = {}, nil, 0
  for _, frame in ipairs(frames) do
    local shift = self:shift(frame.count)
    if shift ~= last then
      steps[#steps + 1] = { #steps == 0 and 0 or frame.at, ("transform:translateY(-%dpx)"):format(shift) }
    end
    if frame.at <= self.still then still = shift end
    last = shift
  end
  table.insert(self.rules, keyframes("up", steps, self.seconds) .. "#all{animation-name:up}")
  return still
end

--- The picture of a film.
---@param film table  of film.play
---@param width integer  columns
---@param height integer  rows
---@param still number  the second that is shown where nothing may move
---@param title string
---@return string svg
function draw.svg(film, width, height, still, title)
  local self = setmetatable({ seconds = film.seconds + HOLD, still = still, height = height, classes = {}, made = 0,
    rules = {}, out = {} }, Drawing)
  for row, versions in ipairs(film.lines) do self:line(versions, MARGIN + row * LINE - 4) end
  local shift = self:scroll(film.frames)
  local across, down = width * CELL + 2 * MARGIN, height * LINE + 2 * MARGIN
  return ([[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>%s</title>
<style>
%s  #all { transform: translateY(-%dpx); }
  @media (prefers-reduced-motion: no-preference) {
#all,#all g{animation:%ss step-end infinite}
%s
  }
</style>
<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>
<clipPath id="window"><rect x="0" y="%d" width="%d" height="%d"/></clipPath>
<g clip-path="url(#window)"><g id="all">
%s
</g></g>
</svg>
]]):format(across, down, across, down, escaped(title), style(), shift, number(self.seconds),
    table.concat(self.rules, "\n"), across - 1, down - 1, MARGIN, across, down - 2 * MARGIN,
    table.concat(self.out, "\n"))
end

return draw
