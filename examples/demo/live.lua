--- Rows at the end of the output that are painted over, again and again, until
-- something else is said.
local text = require "demo.text"

local live = {}
live.__index = live

---@param terminal table
function live.new(terminal)
  return setmetatable({ terminal = terminal, widths = {} }, live)
end

--- A row of spans, each {colour, text}, cut to a line; and its width.
function live:row(spans)
  local terminal = self.terminal
  local out, room = {}, terminal.line
  for _, span in ipairs(spans) do
    local words = text.cut(span[2], room)
    room = room - text.width(words)
    out[#out + 1] = terminal:paint(span[1], words)
  end
  return table.concat(out), terminal.line - room
end

-- Goes to the first of the painted rows. In a terminal that has become narrower
-- since, a row takes more than one line.
local function go_back(self)
  local lines = 0
  for _, width in ipairs(self.widths) do
    lines = lines + math.max(1, math.ceil(width / self.terminal.width))
  end
  return lines > 0 and ("\27[%dA\r"):format(lines) or "\r"
end

--- Paints rows in place of those that are there; of too many, the last.
---@param rows table[]  each a list of spans
function live:paint(rows)
  if #rows == 0 then return self:clear() end
  local out, widths = { "\27[?25l", go_back(self) }, {}
  for i = math.max(1, #rows - self.terminal.height + 2), #rows do
    local words, width = self:row(rows[i])
    out[#out + 1] = words .. "\27[K\n"
    widths[#widths + 1] = width
  end
  out[#out + 1] = "\27[J"
  self.terminal:write(table.concat(out))
  self.widths = widths
end

--- Takes the rows away, and shows the cursor again.
function live:clear()
  if #self.widths > 0 then self.terminal:write(go_back(self) .. "\27[J\27[?25h") end
  self.widths = {}
end

return live
