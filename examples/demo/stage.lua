--- Where the demo is shown: what has been said stays, and below it rows live
-- until something more is said.
local ofox = require "ofox"
local live = require "demo.live"
local text = require "demo.text"

local stage = {}
stage.__index = stage

stage.FRAME = 0.1 -- seconds between two paintings of the rows

local MARGIN = 4 -- columns: the mark, and blanks around it
local COLOURS = { ok = "green", fail = "red", wait = "orange", stop = "orange" }

---@param terminal table
function stage.new(terminal)
  return setmetatable({ terminal = terminal, live = live.new(terminal), frame = 0 }, stage)
end

-- A text as it is shown, right of the margin.
function stage:lines(words)
  return text.wrap(self.terminal:clean(words), self.terminal.line - MARGIN)
end

--- Says something for good, in lines that break between words.
---@param words string
---@param mark? "ok"|"fail"|"wait"|"stop"
---@param colour? string  of the words
function stage:say(words, mark, colour)
  local terminal, lead, heard = self.terminal, "    ", self.heard
  self.live:clear()
  self.heard = nil
  if heard then self:say(heard) end
  if mark then lead = "  " .. terminal:paint(COLOURS[mark], terminal.glyphs[mark]) .. " " end
  for _, line in ipairs(self:lines(words)) do
    io.write(lead, terminal:paint(colour, line), "\n")
    lead = "    "
  end
  io.flush()
end

--- Says a row for good.
---@param spans table  each {colour, text}
function stage:keep(spans)
  self.live:clear()
  io.write(self.live:row(spans), "\n")
  io.flush()
end

--- Shows a piece of a text that is being made. The whole stays when something
-- else is said.
function stage:hear(piece)
  self.heard = (self.heard or "") .. piece
  self:paint()
end

--- Says a command and what it is good for, beside it where there is room.
---@param column integer  where the words begin
function stage:advise(command, words, column)
  if MARGIN + column + text.width(words) <= self.terminal.line then
    local gap = (" "):rep(column - text.width(command))
    return self:keep { { nil, "    " }, { "blue", command }, { "grey", gap .. words } }
  end
  self:say(command, nil, "blue")
  self:say(words, nil, "grey")
end

--- Begins a scene.
function stage:title(number, words, code)
  self.live:clear()
  self.terminal:measure()
  for i, line in ipairs(self:lines(words)) do
    io.write(i == 1 and ("\n%3s "):format(number) or "    ", self.terminal:paint("bold", line), "\n")
  end
  if code then self:say(code, nil, "blue") end
end

--- Paints the rows that live, as they are now.
function stage:paint()
  if not (self.terminal.is_live and self.rows) then return end
  local rows = not self.heard and self.rows() or {}
  for i, line in ipairs(self.heard and self:lines(self.heard) or {}) do rows[i] = { { nil, "    " .. line } } end
  self.live:paint(rows)
end

--- Runs a function as a task, and paints the rows meanwhile. What it raises is
-- raised here.
function stage:play(work, ...)
  local task = ofox.go(work, ...)
  local ok, problem
  repeat
    if self.frame % 5 == 0 then self.terminal:measure() end
    self:paint()
    self.frame = self.frame + 1
    ok, problem = task:wait(self.terminal.is_live and stage.FRAME or nil)
  until ok ~= nil
  self.rows = nil
  self.live:clear()
  if not ok then error(problem, 0) end
end

return stage
