--- Where in a program something is: the line that a reader of that program
-- knows, which is never one of ours. Reads the stack; keeps no values of it.
local clean = require("ofox.base.native")("core").parts.utf8_clean

local place = {}

local getinfo = debug.getinfo

-- What the sources of our files begin with.
local OURS = getinfo(1, "S").source:match("^(.*[/\\])base[/\\]where%.lua[^/\\]*$")

-- Levels above which no line of the program is looked for.
local MOST = 200

--- Is the function of these facts one of ours?
---@param info table  of debug.getinfo, with "S"
---@return boolean
function place.is_ours(info)
  return OURS ~= nil and info.source:sub(1, #OURS) == OURS
end

--- The name of its file. Of a chunk that was compiled from a string the text is
-- not shown, for it may hold a key.
---@param info table  of debug.getinfo, with "S"
---@return string
function place.source(info)
  local source = info.source
  if source:find("^[@=]") then return clean((source:sub(2):gsub("%c", "?"))) end
  return '[string "..."]'
end

--- Its file and line: "file.lua:12".
---@param info table  of debug.getinfo, with "Sl"
---@return string
function place.line(info)
  local source = place.source(info)
  return info.currentline > 0 and source .. ":" .. info.currentline or source
end

--- The first line on a stack that is the program's.
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

--- The same of the caller of the function that calls this.
---@return string|nil
function place.of_caller()
  return (place.of(nil, 3))
end

return place
