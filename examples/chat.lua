-- A chat in the terminal: answers appear as they are written, Ctrl-C stops one, and no error ends the conversation.
-- lua5.4 examples/chat.lua [model]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local model, messages = arg[1] or "openai/gpt-4o-mini", {}
local client = ofox.new {
  errors = "raise",
  on_retry = function(err, delay) print(("  (%s; next attempt in %.0f s)"):format(err.type, delay)) end,
}

-- Reading in a task, after a wait, makes a Ctrl-C at the prompt an error of ofox, as it is in a call.
local function read()
  ofox.sleep(0)
  io.write "> "
  io.flush()
  return io.read "*l"
end

local function answer(said)
  for text in client:stream({ model = model, messages = messages }):text() do
    said[#said + 1] = text
    io.write((text:gsub("[%z\1-\8\11-\31\127]", ""))) -- what a terminal would obey
    io.flush()
  end
end

-- One question and its answer. Of an answer that was stopped or that failed, the history keeps what came.
local function turn(question)
  local said = {}
  messages[#messages + 1] = { role = "user", content = question }
  local ok, err = pcall(ofox.run, answer, said)
  messages[#messages + 1] = { role = "assistant", content = table.concat(said) }
  if #said == 0 then messages[#messages], messages[#messages - 1] = nil, nil end -- as if it had not been asked
  print()
  if ok then return end
  if not ofox.errors.is(err) then error(err, 0) end -- a bug in this program
  if err.code == "interrupted" then return print "  (stopped)" end
  print("  ! " .. tostring(err) .. "\n  ! " .. err:hint())
end

local function obey(line)
  local command, name = line:match "^/(%a+)%s*(.-)%s*$"
  if command == "new" then messages = {}
  elseif command == "model" and name ~= "" then model = name
  elseif command then print "  ! /new forgets the conversation, /model NAME changes the model"
  elseif line:find "%S" then turn(line) end
end

print(("Talking to %s. Ctrl-C stops an answer, Ctrl-D leaves; /new, /model NAME."):format(model))
local presses = 0 -- of Ctrl-C at the prompt, one after the other
while presses < 2 do
  local ok, line = pcall(ofox.run, read)
  if ok and not line then break end
  if not ok and not ofox.errors.is(line, "cancelled_error") then error(line, 0) end
  presses = ok and 0 or presses + 1
  if ok then obey(line) elseif presses == 1 then print "\n(Ctrl-C again leaves)" end
end
print()
