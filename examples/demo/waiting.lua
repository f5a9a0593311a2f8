--- A wait between two attempts: why, how long, on whose word, and a bar of what is
-- left of it.
local waiting = {}

local MOST, LEAST = 30, 8 -- columns of a bar; fewer, where nothing stands beside it

local SOURCES = { backoff = "our own backoff", immediate = "at once" }

-- Who said how long to wait: "the server said 3 s".
local function reason_of(err, source)
  local said = err.headers and err.headers[source]
  if said then return "the server said " .. said .. (tonumber(said) and " s" or "") end
  return SOURCES[source] or source
end

--- A wait, of what on_retry hears.
---@param attempt integer  the number of the one that follows, from 1
function waiting.new(err, delay, attempt, source)
  local reason = reason_of(err, source)
  return { label = tostring(err.status or err.code), total = delay, left = delay, reason = reason,
    words = ("attempt %d follows; %s"):format(attempt, reason) }
end

local function bar(glyphs, part, columns)
  local halves = math.floor(2 * columns * math.min(1, part) + 0.5)
  local full = glyphs.full:rep(math.floor(halves / 2)) .. (halves % 2 == 1 and glyphs.half or "")
  return { "orange", full }, { "grey", glyphs.empty:rep(columns - math.ceil(halves / 2)) }
end

--- Draws a wait: what failed, a bar, the seconds left, and words if they fit.
---@param glyphs table  of the terminal
---@param passed number  seconds since 'left' was set
---@param columns integer  that it may take
---@param words string
---@return table spans  each {colour, text}
---@return boolean said  whether the words are among them
function waiting.draw(wait, glyphs, passed, columns, words)
  local left = math.max(0, wait.left - passed)
  local room = columns - #wait.label - 8
  local said = room - #words - 2 >= LEAST
  if said then room = room - #words - 2 end
  local spans = { { "red", wait.label .. " " } }
  if room > 2 then spans[2], spans[3] = bar(glyphs, wait.total > 0 and left / wait.total or 0, math.min(MOST, room)) end
  spans[#spans + 1] = { "orange", (" %4.1f s"):format(left) }
  if said then spans[#spans + 1] = { nil, "  " .. words } end
  return spans, said
end

return waiting
