--- Counts beside those of the record: what became dearer, what cheaper.
local verdict = {}

--- Counts repeat to 1 %, so this is no noise.
verdict.PERCENT = 3

---@class ofox.GuardRow
---@field name string
---@field count number
---@field recorded number|nil  nil: the record does not know this work
---@field percent number|nil   how much more than recorded
---@field word string          "more", "less", "new", or "" within the limit

---@param recorded table<string, number>|nil  nil: there is no record for this machine
---@param counted {name: string, count: number}[]
---@return ofox.GuardRow[] rows, boolean passed, boolean wants_record
function verdict.of(recorded, counted)
  local rows, passed, wants_record = {}, true, recorded == nil
  for i, work in ipairs(counted) do
    local was = recorded and recorded[work.name]
    local row = { name = work.name, count = work.count, recorded = was, word = "" }
    if was then
      row.percent = (work.count - was) / was * 100
      if row.percent > verdict.PERCENT then
        row.word, passed = "more", false
      elseif row.percent < -verdict.PERCENT then
        row.word, wants_record = "less", true
      end
    elseif recorded then
      row.word, wants_record = "new", true
    end
    rows[i] = row
  end
  return rows, passed, wants_record
end

local function text_of(number) return (number % 1 == 0 and "%d" or "%.1f"):format(number) end

--- A row as a line of the table.
function verdict.line(row)
  local line = ("%-14s %12s"):format(row.name, text_of(row.count))
  if row.recorded then
    line = line .. (" %12s %+7.1f %%"):format(text_of(row.recorded), row.percent)
  end
  return (line .. "  " .. row.word):match "^(.-) *$"
end

return verdict
