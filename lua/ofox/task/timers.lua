--- Moments and the values due then: a binary heap. Entries with equal moments keep the
-- order in which they were added.
-- Knows nothing of clocks.
local timers = {}

---@class ofox.Timers
local Timers = {}
Timers.__index = Timers

---@return ofox.Timers
function timers.new()
  return setmetatable({ count = 0, added = 0 }, Timers)
end

local function before(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.turn < b.turn
end

local function put(self, place, entry)
  self[place], entry.place = entry, place
end

local function rise(self, entry)
  local place = entry.place
  while place > 1 do
    local above = (place - place % 2) / 2
    if not before(entry, self[above]) then break end
    put(self, place, self[above])
    place = above
  end
  put(self, place, entry)
end

local function sink(self, entry)
  local place = entry.place
  while true do
    local below = 2 * place
    if below < self.count and before(self[below + 1], self[below]) then below = below + 1 end
    if below > self.count or not before(self[below], entry) then break end
    put(self, place, self[below])
    place = below
  end
  put(self, place, entry)
end

--- Adds a moment.
---@param at number
---@param what any
---@return table entry  for remove()
function Timers:add(at, what)
  local place = self.count + 1
  local entry = { at = at, turn = self.added, what = what, place = place }
  self[place] = entry -- allocates: nothing is counted yet
  self.count, self.added = place, self.added + 1
  rise(self, entry)
  return entry
end

--- Removes an entry; one that is already removed is ignored.
---@param entry table
function Timers:remove(entry)
  local place = entry.place
  if not place then return end
  local last = self[self.count]
  self[self.count], entry.place = nil, nil
  self.count = self.count - 1
  if last == entry then return end
  put(self, place, last)
  rise(self, last)
  sink(self, last)
end

---@return number|nil at  the first moment
function Timers:first()
  return self[1] and self[1].at
end

--- Returns the first entry, if its moment has passed. It stays until it is removed.
---@param now number
---@return table|nil entry
function Timers:due(now)
  local entry = self[1]
  if not entry or entry.at > now then return nil end
  return entry
end

return timers
