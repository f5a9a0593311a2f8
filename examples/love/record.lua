--- Measures how long frames took, and ofox.step in each: frames while an answer
-- was on its way apart from the others. The game prints that with --record SECONDS.
local record = {}

local recorded = { idle = { frames = {}, steps = {} }, answering = { frames = {}, steps = {} } }
local limit, total -- seconds; nil: nothing is recorded

--- Reads what the game was started with: [--headless] [--record SECONDS] [a question].
---@param words string[]
---@return string|nil question
function record.open(words)
  local line = (" " .. table.concat(words, " ")):gsub("^ %-%-headless", "")
  local seconds, rest = line:match "^ %-%-record ([%d.]+)(.*)"
  limit, total = tonumber(seconds), 0
  return (rest or line):match "^%s*(.*%S)"
end

-- Milliseconds: the median, the 99th percentile, the longest.
local function summary(list)
  table.sort(list)
  local function at(share) return 1000 * (list[math.max(1, math.ceil(share * #list))] or 0) end
  return ("p50 %.3f p99 %.3f longest %.3f"):format(at(0.5), at(0.99), at(1))
end

-- All of it in one line.
local function line()
  local parts = {}
  for _, what in ipairs { "idle", "answering" } do
    local list = recorded[what]
    parts[#parts + 1] = ("%s: %d frames, ms: frame %s, step %s"):format(what, #list.frames, summary(list.frames),
      summary(list.steps))
  end
  return table.concat(parts, "; ")
end

--- One more frame; the last ends the game.
---@param what "idle"|"answering"
---@param frame number  seconds since the one before
---@param step number  seconds that ofox.step took
---@param said string  printed at the end
function record.add(what, frame, step, said)
  if not limit then return end
  local list = recorded[what]
  total = total + frame
  list.frames[#list.frames + 1], list.steps[#list.steps + 1] = frame, step
  if total < limit then return end
  print(said .. "\n" .. line())
  limit = nil
  love.event.quit()
end

return record
