-- A chat in the terminal: answers appear as they are made, and no error ends the conversation.
-- lua5.4 examples/chat.lua [model]; an empty line or Ctrl-D leaves.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"

local model = arg[1] or "openai/gpt-4o-mini"
local messages = { { role = "system", content = "You are a friendly companion." } }
local client = ofox.new {
  on_wait = function(seconds, err)
    io.write(("\r  %s; again in %2.0f s "):format(err.type, seconds))
    io.flush()
  end,
}

-- Streams an answer and returns its text, and what is wrong if it is not whole.
local function answer()
  local text = {}
  local ok, err = pcall(function()
    local stream, refused = client:stream { model = model, messages = messages }
    if not stream then error(refused, 0) end
    for piece in stream:text() do
      text[#text + 1] = piece
      io.write(piece)
      io.flush()
    end
  end)
  print()
  return table.concat(text), not ok and err or nil
end

-- One turn: what was said in part is kept, so that the model can go on from there.
local function turn(question)
  messages[#messages + 1] = { role = "user", content = question }
  local text, err = answer()
  if text ~= "" then messages[#messages + 1] = { role = "assistant", content = text } end
  if not err then return end
  if not ofox.errors.is(err) then error(err, 0) end
  print("  ! " .. tostring(err) .. "\n  ! " .. err:hint())
  if text == "" then
    messages[#messages] = nil -- as if it had not been asked
  else
    print "  ! (the answer broke off: say \"go on\" to hear the rest)"
  end
end

print(("Talking to %s with ofox %s. An empty line ends it."):format(model, ofox.VERSION))
while true do
  io.write "> "
  io.flush()
  local line = io.read "*l"
  if not line or line == "" then break end
  turn(line)
end
