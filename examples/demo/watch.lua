--- One call, watched: hooks for ofox that keep up to date what the call does, and
-- the rows that show it.
local waiting = require "demo.waiting"

local watch = {}
watch.__index = watch

---@param stage table
---@param name? string  of the call, where there are many
function watch.new(stage, name)
  return setmetatable({ stage = stage, name = name }, watch)
end

-- A further attempt is to be made. Where nothing can be painted, that is said.
function watch:retry(err, delay, attempt, source)
  local stage = self.stage
  if delay == 0 then return end
  self.wait = waiting.new(err, delay, attempt + 1, source)
  self:count(delay)
  if stage.terminal.is_live then return end
  local name = self.name and self.name .. ": " or ""
  stage:say(("%s%s %s, waiting %.1f s: %s"):format(name, self.wait.label, err.type, delay, self.wait.words), "wait")
end

-- So many seconds are left at this moment.
function watch:count(left)
  self.wait.left, self.counted = left, self.stage.frame
  self.stage:paint()
end

--- The options of ofox that tell of a call: on_wait and on_retry, and a header
-- that is never sent, for its function is called once per attempt.
function watch:options()
  return {
    headers = { ["x-attempt"] = function(attempt)
      self.wait, self.asked, self.asking = nil, self.stage.frame, "asking " .. attempt.model
      if attempt.attempt > 1 then self.asking = ("%s, attempt %d"):format(self.asking, attempt.attempt) end
      self.stage:paint()
    end },
    on_retry = function(err, delay, attempt, source) self:retry(err, delay, attempt, source) end,
    on_wait = function(left)
      if self.wait then self:count(left) end
    end,
  }
end

--- What a wait looks like in so many columns; see waiting.draw.
function watch:draw_wait(columns, words)
  local passed = (self.stage.frame - self.counted) * self.stage.FRAME -- since it was counted
  return waiting.draw(self.wait, self.stage.terminal.glyphs, passed, columns, words)
end

--- The rows of the call.
function watch:rows()
  local terminal, frame = self.stage.terminal, self.stage.frame
  if not self.asked then return {} end
  if not self.wait then
    return { { { "blue", "  " .. terminal:spinner(frame) .. " " }, { nil, self.asking },
      { "grey", ("  %.1f s"):format((frame - self.asked) * self.stage.FRAME) } } }
  end
  local spans, said = self:draw_wait(terminal.line - 4, self.wait.words)
  table.insert(spans, 1, { "orange", "  " .. terminal.glyphs.wait .. " " })
  local rows, below = { spans }, said and {} or self.stage:lines(self.wait.words)
  for i, line in ipairs(below) do rows[i + 1] = { { nil, "    " .. line } } end
  return rows
end

return watch
