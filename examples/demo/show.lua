--- A stage on which something moves: below what has been said, rows live until
-- something more is said.
local ofox = require "ofox"
local stage = require "demo.stage"

local show = setmetatable({}, { __index = stage })
show.__index = show

show.FRAME = 0.1 -- seconds between two paintings of the rows

---@param terminal table
function show.new(terminal)
  local self = stage.new(terminal)
  self.frame = 0 -- how many there have been
  self.rows = nil -- the function that gives the rows of this moment
  return setmetatable(self, show)
end

--- Shows a piece of a text that is being made. The whole stays when something
-- else is said.
function show:hear(piece)
  self.heard = (self.heard or "") .. piece
  self:paint()
end

--- Says something; see stage.say.
function show:say(...)
  local heard = self.heard
  self.heard = nil
  if heard then stage.say(self, heard) end
  stage.say(self, ...)
end

--- Paints the rows that live, as they are now.
function show:paint()
  if not (self.terminal.is_live and self.rows) then return end
  local rows = not self.heard and self.rows() or {}
  for i, line in ipairs(self.heard and self:lines(self.heard) or {}) do rows[i] = { { nil, "    " .. line } } end
  self.live:paint(rows)
end

--- Runs a function as a task, and paints the rows meanwhile. What it raises is
-- raised here.
function show:play(work, ...)
  local task = ofox.go(work, ...)
  local ok, problem
  repeat
    self.terminal:measure()
    self:paint()
    self.frame = self.frame + 1
    ok, problem = task:wait(self.terminal.is_live and show.FRAME or nil)
  until ok ~= nil
  self.rows = nil
  self.live:clear()
  if not ok then error(problem, 0) end
end

return show
