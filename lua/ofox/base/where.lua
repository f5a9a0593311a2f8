--- Finds the line of the program on the stack, never one of ofox. Reads the stack;
-- keeps no values of it.
local clean = require("ofox.base.native")("core").parts.utf8_clean

local place = {}

local getinfo = debug.getinfo

-- The prefix of the sources of ofox.
local OURS = getinfo(1, "S").source:match("^(.*[/\\])base[/\\]where%.lua[^/\\]*$")

-- The depth below which no line of the program is searched for.
local MOST = 200

--- Does this function belong to ofox?
---@param info table  of debug.getinfo, with "S"
---@return boolean
function place.is_ours(info)
  return OURS ~= nil and info.source:sub(1, #OURS) == OURS
end

--- Returns the name of its file. The text of a chunk compiled from a string is not
-- shown, for it may contain a key.
---@param info table  of debug.getinfo, with "S"
---@return string
function place.source(info)
  local source = info.source
  if source:find("^[@=]") then return clean((source:sub(2):gsub("%c", "?"))) end
  return '[string "..."]'
end

--- Returns its file and line: "file.lua:12".
---@param info table  of debug.getinfo, with "Sl"
---@return string
function place.line(info)
  local source = place.source(info)
  return info.currentline > 0 and source .. ":" .. info.currentline or source
end

--- Returns the first line on a stack that belongs to the program.
---@param thread thread|nil  nil: the running one
---@param level? integer  where to begin, as debug.traceback counts: 1 is the function that calls this, 0 the top
--   of another thread, which are the defaults
---@return string|nil  "file.lua:12"; nil if there is none
---@return integer|nil level
function place.of(thread, level)
  level = level or thread and 0 or 1
  for at = level, level + MOST do
    local info
    if thread then info = getinfo(thread, at, "Sl") else info = getinfo(at + 1, "Sl") end
    if not info then return nil end
    if info.currentline > 0 and not place.is_ours(info) then
      return place.line(info), at
    end
  end
  return nil
end

--- Returns the same for the caller of the function that calls this.
---@return string|nil
function place.of_caller()
  return (place.of(nil, 3))
end

return place
