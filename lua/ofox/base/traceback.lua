--- A stack as text, for the reader of a program: it starts and ends with lines of
-- that program, not of ofox. Contains names and lines, never a value.
local place = require "ofox.base.where"

local getinfo = debug.getinfo

-- The number of frames shown from the top, and from the bottom.
local TOP, BOTTOM = 12, 10

-- The depth below which the bottom is not searched for.
local MOST = 1000

-- Names that are not identifiers in a program's source are omitted.
local function name_of(info)
  return info.name and info.name:find("^[%w_ ().?]+$") and info.name or nil
end

local function line_of(info)
  if info.what == "tail" then return "(...tail calls...)" end
  local at, name = place.line(info), name_of(info)
  if info.what == "main" then return at .. ": in main chunk" end
  if name then return ("%s: in function '%s'"):format(at, name) end
  if info.what == "C" then return at .. ": in ?" end
  return ("%s: in function <%s:%d>"):format(at, place.source(info), info.linedefined)
end

-- The debug info of each frame, from the top.
local function frames_of(thread, level)
  local frames = {}
  for at = level, level + MOST - 1 do
    local info
    if thread then info = getinfo(thread, at, "Sln") else info = getinfo(at + 2, "Sln") end
    if not info then break end
    frames[#frames + 1] = info
  end
  return frames
end

local function is_of_program(info)
  return info.what ~= "C" and info.what ~= "tail" and not place.is_ours(info)
end

-- The frames to show: without ofox's above the program's first, and without those
-- that run the program below its last.
local function bounds_of(frames)
  local first, last, has_ours = nil, #frames, false
  for at, info in ipairs(frames) do
    if is_of_program(info) then first = at break end
    has_ours = has_ours or place.is_ours(info)
  end
  if not first then return 1, last, nil end
  while not is_of_program(frames[last]) do last = last - 1 end
  return has_ours and first or 1, last, frames[first]
end

-- When a thread has ended, LuaJIT does not know the line of the frame in which it
-- raised an error of its own: the message does.
local function add_line(info, err)
  if not info or info.currentline > 0 or info.what == "C" or type(err) ~= "string" then return end
  local source = info.short_src .. ":"
  if err:sub(1, #source) == source then
    info.currentline = tonumber(err:match("^%d+", #source + 1)) or info.currentline
  end
end

--- Returns the stack of a thread, formatted like debug.traceback.
---@param thread thread|nil  nil: the running one
---@param level integer  where to start: 1 is the function that calls this, 0 the top of another thread
---@param err? any  that was raised there
---@return string text
---@return string|nil where  the program's first line on it: "file.lua:12"
return function(thread, level, err)
  local frames = frames_of(thread, level)
  add_line(frames[1], err)
  local first, last, program = bounds_of(frames)
  local lines = { "stack traceback:" }
  local skipped = last - first + 1 - TOP - BOTTOM
  for at = first, last do
    if skipped <= 0 or at < first + TOP or at > last - BOTTOM then
      lines[#lines + 1] = line_of(frames[at])
    elseif at == first + TOP then
      lines[#lines + 1] = ("... (%d more)"):format(skipped)
    end
  end
  return table.concat(lines, "\n\t"), program and place.line(program)
end
