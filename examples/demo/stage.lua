--- What the demo says for good: titles, code, and what came of it, in lines that
-- break between words.
local live = require "demo.live"
local text = require "demo.text"

local stage = {}
stage.__index = stage

local MARGIN = 4 -- columns: the mark, and blanks around it
local COLOURS = { ok = "green", fail = "red", wait = "orange", stop = "orange" }

---@param terminal table
function stage.new(terminal)
  return setmetatable({ terminal = terminal, live = live.new(terminal) }, stage)
end

--- A text as it is shown, right of the margin.
function stage:lines(words)
  return text.wrap(self.terminal:clean(words), self.terminal.line - MARGIN)
end

--- Says something.
---@param words string
---@param mark? "ok"|"fail"|"wait"|"stop"
---@param colour? string  of the words
function stage:say(words, mark, colour)
  local terminal, lead = self.terminal, "    "
  self.live:clear()
  if mark then lead = "  " .. terminal:paint(COLOURS[mark], terminal.glyphs[mark]) .. " " end
  for _, line in ipairs(self:lines(words)) do
    terminal:write(lead .. terminal:paint(colour, line) .. "\n")
    lead = "    "
  end
end

--- Says a row.
---@param spans table  each {colour, text}
function stage:keep(spans)
  self.live:clear()
  self.terminal:write(self.live:row(spans) .. "\n")
end

--- Says a command and what it is good for, beside it where there is room. A
-- command is never broken: it is there to be copied.
---@param column integer  where the words begin
function stage:advise(command, words, column)
  if MARGIN + column + text.width(words) <= self.terminal.line then
    local gap = (" "):rep(column - text.width(command))
    return self:keep { { nil, "    " }, { "blue", command }, { "grey", gap .. words } }
  end
  self.live:clear()
  self.terminal:write("    " .. self.terminal:paint("blue", command) .. "\n")
  self:say(words, nil, "grey")
end

--- Begins a scene.
function stage:title(number, words, code)
  self.live:clear()
  self.terminal:measure()
  for i, line in ipairs(self:lines(words)) do
    local lead = i == 1 and ("\n%3s "):format(number) or "    "
    self.terminal:write(lead .. self.terminal:paint("bold", line) .. "\n")
  end
  if code then self:say(code, nil, "blue") end
end

return stage
