--- Answers from a recording: finds the line that answers a request, says which is
-- nearest if there is none, and gives its bytes to a call at their moments.
-- Knows nothing of how time passes.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local difference = require "ofox.mock.difference"
local recording = require "ofox.mock.recording"

---@class ofox.Tape
---@field path string  of the file
---@field entries ofox.RecordedAttempt[]
local Tape = {}
Tape.__index = Tape

local replay = {}

-- Lines are written when attempts end: of two that went on side by side, the one
-- that began first answers first.
local function begins_before(a, b)
  if a.wall ~= b.wall then return a.wall < b.wall end
  return a.line < b.line
end

--- Reads the file of a recording.
---@param path any
---@return ofox.Tape|nil
---@return string|nil problem
function replay.open(path)
  if type(path) ~= "string" then return nil, "path: " .. describe.expected_type("a path", path) end
  local file, message = io.open(path, "rb")
  if not file then return nil, "path: " .. message end
  local text
  text, message = file:read("*a")
  file:close()
  if not text then return nil, "path: " .. path .. ": " .. message end
  local entries, problem = recording.read_all(text, path)
  if not entries then return nil, "path: " .. problem end
  table.sort(entries, begins_before)
  return setmetatable({ path = path, entries = entries }, Tape)
end

--- Returns how many lines have not answered yet.
---@return integer
function Tape:left()
  local count = 0
  for _, entry in ipairs(self.entries) do
    if not entry.used then count = count + 1 end
  end
  return count
end

--- All lines may answer again.
function Tape:rewind()
  for _, entry in ipairs(self.entries) do entry.used = nil end
end

-- Comparing

-- The bytes two texts begin with, of those of the second: 0 to 1.
local function alike(a, b)
  return (difference.byte(a, b) - 1) / (1 + (type(b) == "string" and #b or 0))
end

-- How far a line is from a request, and in what: least in the body, then in the
-- method, the query, the rest of the path.
local function distance(entry, request)
  local other = ("%s %s"):format(entry.method, entry.path)
  if entry.path ~= request.path then
    local base, far = entry.path:match("^[^?]*"), 4e6
    if base == request.path:match("^[^?]*") then far = 2e6 end
    return far + (entry.method == request.method and 0 or 2) - alike(entry.path, request.path), other
  elseif entry.method ~= request.method then
    return 1e6, other
  end
  local found = difference.of(entry, request)
  if found.count == 0 then return 0, "the same, but it has answered already" end
  -- of lines with as many differences, the one whose text goes on longest like this one
  return found.count - alike(found.a, found.b), difference.words(found)
end

-- Says what is nearest to a request that no line answers.
local function refusal(self, request)
  local best, least, words
  for _, entry in ipairs(self.entries) do
    local far, why = distance(entry, request)
    if not least or far < least then best, least, words = entry, far, why end
  end
  local what = ("ofox.mock: nothing in %s answers %s %s"):format(self.path, request.method, request.path)
  if not best then return what .. "; it is empty" end
  return ("%s; the nearest is line %d: %s"):format(what, best.line, words)
end

--- Takes the next line that answers an attempt.
---@param call userdata
---@param attempt table
---@return ofox.RecordedAttempt|nil
---@return string|nil problem  what is nearest
function Tape:take(call, attempt)
  local request = recording.request(call, attempt)
  for _, entry in ipairs(self.entries) do
    if not entry.used and entry.path == request.path and entry.method == request.method
      and difference.of(entry, request).count == 0 then
      entry.used = true
      return entry
    end
  end
  return nil, refusal(self, request)
end

-- Playing

local PLAY = {
  connected = function(call, moment, now)
    call:connected(moment.flag, now)
    return true
  end,
  head = function(call, moment, now) return call:head(moment.text, now) end,
  body = function(call, moment, now) return call:body(moment.text, now) end,
}

--- Gives a call what is due.
---@param flight {reply: ofox.RecordedAttempt, began: number, at: number, sent: integer}
---@param call userdata
---@param now number
---@param wall number
---@return boolean ended  else flight.at is when more is due
function replay.play(flight, call, now, wall)
  local moments, wanted = flight.reply.moments, true
  while true do
    local moment = moments[flight.sent + 1]
    -- what a limit of this client has stopped earlier ends at once
    local early = not wanted and moment.kind ~= "end"
    if early then moment = moments[#moments] end
    local at = flight.began + moment.at
    if at > now and not early then
      flight.at = at
      return false
    elseif moment.kind == "end" then
      call:finish(moment.outcome, moment.flag, now, wall, moment.text)
      return true
    end
    flight.sent = flight.sent + 1
    wanted = PLAY[moment.kind](call, moment, now)
  end
end

return replay
