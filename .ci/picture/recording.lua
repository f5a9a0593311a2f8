--- What script(1) has recorded of a program: its output, and when it came.
local recording = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

--- Reads a recording.
---@param output string  path of script's --log-out
---@param timing string  path of its --log-timing, in the classic format
---@return table[] pieces  each {seconds since the beginning, bytes}
function recording.read(output, timing)
  local bytes, pieces, now, at = read(output), {}, 0, 1
  bytes = bytes:gsub("^Script started on [^\n]*\n", "")
  for delay, count in read(timing):gmatch("([%d.]+) (%d+)\n") do
    now = now + tonumber(delay)
    pieces[#pieces + 1] = { now, bytes:sub(at, at + count - 1) }
    at = at + count
  end
  return pieces
end

return recording
