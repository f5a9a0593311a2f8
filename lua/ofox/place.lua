--- Where the program stands: the line of its own that called into ofox.
local core = require("ofox.native")("core")

local place = {}

local getinfo = debug.getinfo

-- What the sources of ofox's own files begin with.
local OURS = getinfo(1, "S").source:match("^(.*)place%.lua$")

-- Of a chunk that is no file its name is its text, in which a key may stand.
local function name_of(source)
  local name = source:match("^[@=](.*)$")
  return name and core.parts.utf8_clean(name) or '[string "..."]'
end

--- The innermost line on the stack that is none of ofox's.
---@return string|nil  "file.lua:12"; nil where there is none, as in a task that is a function of ofox's own
function place.of_caller()
  local level = 2
  local info = getinfo(level, "Sl")
  while info and (info.currentline <= 0 or info.source:sub(1, #OURS) == OURS) do
    level = level + 1
    info = getinfo(level, "Sl")
  end
  return info and name_of(info.source) .. ":" .. info.currentline
end

return place
