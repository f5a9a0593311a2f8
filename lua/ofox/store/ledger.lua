--- The ledger of an account that processes share: which moments to start at it has
-- given, and which holds are in force. One text for all stores: Redis runs it in its
-- own Lua, others load it.
-- Knows nothing of where its state is kept, nor of who asks.
local load_text = rawget(_G, "loadstring") or load

local ledger = {}

--- Seconds for which a moment is good for one start, and for which any limit counts.
-- Requests are not equally long on their way, so half a second is added to a minute.
ledger.LIFE, ledger.SPAN = 2, 62.5

--- The text of a function (state, now, ask) -> state, reply, expiry. 'state' is what it
-- has returned last, nil at first; it returns false where nothing has to be kept.
-- Numbers are whole: moments and times in milliseconds, 'now' of any clock. Where that
-- clock goes back, time stands still.
--   ask:   "RPM TPM BURST TOKENBURST WANTED TOKENS SPENT OWED PATIENCE;LANE:TIME:DOWN:PROBE,…"
--          RPM in thousandths, 0: no such limit; WANTED moments of TOKENS each;
--          SPENT starts were made without asking; by OWED tokens earlier guesses were wrong;
--          the first moment may be PATIENCE away. Then holds: TIME from now; PROBE 1: the
--          newest word, whatever was said before
--   reply: "NEXT MOMENT …;LANE:TIME:DOWN,…": moments from now, the one that would be
--          next, and the holds in force
-- A moment is the soonest one that keeps the spacing of the rates, in which BURST may
-- start together, and in which no SPAN sees more than the rates allow a minute.
ledger.TEXT = [==[
local SPAN, LIFE, GRAIN, PARTS, LANES, FURTHEST = 62500, 2000, 500, 256, 65, 60000
local floor, ceil, max, min, huge = math.floor, math.ceil, math.max, math.min, math.huge
local function text(n) return ("%.0f"):format(n) end

-- A state that is none is empty.
local function read(state, now)
  local s = { seen = now, parts = {}, holds = {} }
  local seen, rates, full_r, full_t, parts, holds =
    (state or ""):match("^1 (%d+) (%d+:%d+) (%-?%d+) (%-?%d+);([^;]*);([^;]*)$")
  if not seen then return s end
  -- all is kept relative to the latest 'now'
  s.rates, s.full_r, s.full_t = rates, now + tonumber(full_r), now + tonumber(full_t)
  local gone = max(0, now - tonumber(seen))
  s.full_r, s.full_t = s.full_r - gone, s.full_t - gone
  for at, r, t in parts:gmatch("(%-?%d+):(%d+):(%d+)") do
    s.parts[#s.parts + 1] = { at = now + min(FURTHEST, tonumber(at) - gone), r = tonumber(r), t = tonumber(t) }
  end
  for lane, till, down in holds:gmatch("(%d+):(%d+):([01])") do
    s.holds[#s.holds + 1] = { lane = lane, till = now + tonumber(till) - gone, down = down }
  end
  return s
end

local function write(s, now)
  local parts, holds = {}, {}
  for i = 1, #s.parts do
    local p = s.parts[i]
    parts[i] = text(p.at - now) .. ":" .. text(p.r) .. ":" .. text(p.t)
  end
  for i = 1, #s.holds do
    local h = s.holds[i]
    holds[i] = h.lane .. ":" .. text(h.till - now) .. ":" .. h.down
  end
  return table.concat({ "1", text(now), s.rates, text(s.full_r - now), text(s.full_t - now) }, " ")
    .. ";" .. table.concat(parts, ",") .. ";" .. table.concat(holds, ",")
end

-- Moments within one grain are kept as the last of them.
local function add(s, at, r, t)
  local p = s.parts[#s.parts]
  if p and (at <= p.at or floor(at / GRAIN) == floor(p.at / GRAIN) or #s.parts == PARTS) then
    p.at, p.r, p.t = max(p.at, at), p.r + r, p.t + t
  else
    s.parts[#s.parts + 1] = { at = at, r = r, t = t }
  end
end

-- The last part stays: by a slow rate it counts for longer.
local function drop(s, now)
  local kept = {}
  for i = 1, #s.parts do
    if s.parts[i].at + SPAN > now or i == #s.parts then kept[#kept + 1] = s.parts[i] end
  end
  s.parts = kept
end

-- When all of the rates would be there again. By other rates than before: by what is
-- still known.
local function set_rates(s, q, now)
  if s.rates == q.rates then -- what is further away is no state of ours
    local last = #s.parts > 0 and max(now, s.parts[#s.parts].at) or now
    s.full_r, s.full_t = min(s.full_r, last + q.longest), min(s.full_t, last + SPAN)
    return
  end
  s.rates, s.full_r, s.full_t = q.rates, 0, 0
  for i = 1, #s.parts do
    local p = s.parts[i]
    s.full_r = min(max(s.full_r, p.at) + p.r * q.every_r, p.at + q.longest)
    s.full_t = min(max(s.full_t, p.at) + p.t * q.every_t, p.at + SPAN)
  end
end

-- Of what was not used, the oldest is taken back: it counts for the shortest time.
local function take_back(s, tokens)
  for i = 1, #s.parts do
    local less = min(s.parts[i].t, tokens)
    s.parts[i].t, tokens = s.parts[i].t - less, tokens - less
  end
end

local function correct(s, q, now)
  if q.spent > 0 or q.owed > 0 then add(s, now, q.spent, max(0, q.owed)) end
  if q.owed < 0 then take_back(s, -q.owed) end
  if q.spent > 0 then s.full_r = min(max(s.full_r, now) + q.spent * q.every_r, now + q.longest) end
  if q.owed ~= 0 then
    s.full_t = min((q.owed > 0 and max(s.full_t, now) or s.full_t) + q.owed * q.every_t, now + SPAN)
  end
end

-- The soonest moment from 'at' on; 'w' has the sums of the parts from w.first on.
local function soonest(s, q, w, at)
  local cost_t = min(q.tokens, q.limit_t)
  if q.limit_r < huge then at = max(at, s.full_r + (1 - q.burst_r) * q.every_r) end
  if cost_t > 0 then at = max(at, s.full_t + (min(cost_t, q.burst_t) - q.burst_t) * q.every_t) end
  at = ceil(at)
  while s.parts[w.first] do
    local p = s.parts[w.first]
    if p.at + SPAN > at then
      if w.r + 1 <= q.limit_r and (cost_t == 0 or w.t + cost_t <= q.limit_t) then break end
      at = p.at + SPAN
    end
    w.r, w.t, w.first = w.r - p.r, w.t - p.t, w.first + 1
  end
  return at
end

local function grant(s, q, now)
  local out, w = {}, { first = 1, r = 0, t = 0 }
  for i = 1, #s.parts do w.r, w.t = w.r + s.parts[i].r, w.t + s.parts[i].t end
  local last = s.parts[#s.parts]
  local at = max(now, last and last.at or now)
  while true do
    at = soonest(s, q, w, at)
    if #out == q.wanted or at > now + (#out == 0 and q.patience or LIFE) then break end
    out[#out + 1] = text(at - now)
    add(s, at, 1, q.tokens)
    w.r, w.t = w.r + 1, w.t + q.tokens
    s.full_r = min(max(s.full_r, at) + q.every_r, at + q.longest)
    s.full_t = min(max(s.full_t, at) + q.tokens * q.every_t, at + SPAN)
  end
  table.insert(out, 1, text(at - now))
  return table.concat(out, " ")
end

local function find(holds, lane)
  for i = 1, #holds do
    if holds[i].lane == lane then return holds[i] end
  end
  if #holds == LANES then return nil end
  holds[#holds + 1] = { lane = lane, till = 0, down = "0" }
  return holds[#holds]
end

local function hear(s, told, now)
  for lane, time, down, probe in told:gmatch("(%d+):(%d+):([01]):([01])") do
    local h, till = find(s.holds, lane), now + tonumber(time)
    if h and (probe == "1" or till > h.till) then h.till, h.down = till, down end
  end
end

local function in_force(s, now)
  local kept, out = {}, {}
  for i = 1, #s.holds do
    local h = s.holds[i]
    if h.till > now then
      kept[#kept + 1] = h
      out[#out + 1] = h.lane .. ":" .. text(h.till - now) .. ":" .. h.down
    end
  end
  s.holds = kept
  return table.concat(out, ",")
end

local function read_ask(ask)
  local n = {}
  local numbers, told = ask:match("^([^;]*);(.*)$")
  for number in numbers:gmatch("%-?%d+") do n[#n + 1] = tonumber(number) end
  local rpm, tpm = n[1] / 1000, n[2]
  local q = { wanted = n[5], tokens = n[6], spent = n[7], owed = n[8], patience = n[9], told = told,
    limit_r = huge, limit_t = huge, every_r = 0, every_t = 0, burst_r = 1, burst_t = 1, longest = SPAN }
  q.rates = text(n[1]) .. ":" .. text(tpm)
  if rpm > 0 then
    q.every_r, q.limit_r, q.burst_r = SPAN / rpm, max(1, floor(rpm)), max(1, n[3])
    q.longest = max(SPAN, q.every_r)
  end
  if tpm > 0 then
    q.every_t, q.limit_t, q.burst_t = SPAN / tpm, tpm, max(1, n[4])
  else
    q.tokens, q.owed = 0, 0
  end
  return q
end

return function(state, now, ask)
  local s, q = read(state, now), read_ask(ask)
  drop(s, now)
  hear(s, q.told, now)
  local holds = in_force(s, now)
  local changed = q.wanted > 0 or q.spent > 0 or q.owed ~= 0
  if changed then
    set_rates(s, q, now)
    correct(s, q, now)
  end
  local moments = q.wanted > 0 and grant(s, q, now) or "0"
  if not changed and q.told == "" then return false, moments .. ";" .. holds end
  local till = max(s.full_r or 0, s.full_t or 0, now + q.longest)
  for i = 1, #s.holds do till = max(till, s.holds[i].till) end
  for i = 1, #s.parts do till = max(till, s.parts[i].at + q.longest) end
  s.rates, s.full_r, s.full_t = s.rates or "0:0", s.full_r or now, s.full_t or now
  return write(s, now), moments .. ";" .. holds, min(ceil(till - now) + 1000, 1e9)
end
]==]

--- Returns that function, for stores that run it here.
---@return fun(state: string|nil, now: number, ask: string): string|false, string, number
function ledger.load()
  return assert(load_text(ledger.TEXT, "=ofox.store.ledger"))()
end

return ledger
