--- Draws results for a terminal: bars of blocks, and a table.
local text = {}

local BLOCKS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

local function block(share)
  if share <= 0 then return " " end
  return BLOCKS[math.max(1, math.min(8, math.floor(share * 8 + 0.5)))]
end

-- One line of blocks: each bar's part from 'from' on, of so much as a whole block is.
local function blocks(values, from, whole)
  local line = {}
  for i, value in ipairs(values) do line[i] = block((value - from) / whole) end
  return table.concat(line)
end

local function values_of(panel, column)
  local values = {}
  for i, bar in ipairs(panel.bars) do values[i] = column.only_bad and bar[2] or bar[1] + bar[2] end
  return values
end

-- Where there is a line, the lower row is what is below it, and the upper one what is above.
local function draw_panel(panel, column, out)
  local values, whole = values_of(panel, column), panel.line or column.top
  local function add(words, mark, line)
    out[#out + 1] = ("  %-22s %3g│%s"):format(words, mark, line):gsub(" +$", "")
  end
  if panel.line and not column.only_bad then add("", 2 * whole, blocks(values, whole, whole)) end
  add(column.text or column.title, whole, blocks(values, 0, whole))
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #tostring(cell)) end
  end
  return widths
end

-- Words begin at the left, numbers end at the right.
local function draw_table(results, out)
  local rows = { results.facts }
  for _, row in ipairs(results.rows) do
    for _, facts in ipairs(row.facts) do rows[#rows + 1] = facts end
  end
  local widths = widths_of(rows)
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      local space = (" "):rep(widths[i] - #tostring(cell))
      cells[i] = i <= results.names and cell .. space or space .. cell
    end
    out[#out + 1] = (table.concat(cells, "  "):gsub(" +$", ""))
  end
end

--- The picture of some results.
function text.draw(results)
  local out = { results.title, results.note, "" }
  for _, row in ipairs(results.rows) do
    out[#out + 1] = row.title
    for i, panel in ipairs(row.panels) do draw_panel(panel, results.columns[i], out) end
    out[#out + 1] = ""
  end
  draw_table(results, out)
  return table.concat(out, "\n") .. "\n"
end

return text
