--- What to try after the demo: commands that work where it was started.
local text = require "demo.text"

---@param stage table
---@param here string  the folder of the examples
---@param lua string  the interpreter
---@param has_key boolean
return function(stage, here, lua, has_key)
  local run = lua .. " " .. here .. "/"
  local rows = {
    { run .. "demo/doctor.lua", "checks all that a first call needs" },
    { "export OFOXAI_API_KEY=sk-...", "then this demo makes two small real calls" },
    { run .. "chat.lua", "a chat in the terminal; it needs the key" },
    { run .. "simulator.lua", "every failure on demand; it needs no key" },
  }
  if has_key then table.remove(rows, 2) end
  local widest = 0
  for _, row in ipairs(rows) do widest = math.max(widest, text.width(row[1])) end
  stage:title("", "Try next")
  for _, row in ipairs(rows) do stage:advise(row[1], row[2], widest + 2) end
  stage:say "README.md has the first ten lines, doc/ a page for each subject."
end
