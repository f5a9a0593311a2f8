-- A character that answers in a loop of 60 frames a second, for engines that embed Lua.
-- lua5.4 examples/frames.lua [question]; needs lua-socket. In an engine, update() is what you call once a frame.
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local socket = require "socket" -- the clock and the pause between frames, which an engine has itself
local ofox = require "ofox"

local FRAME = 1 / 60
local STEP = { max_events = 20 } -- at most so many pieces of answers in one frame
local question = arg[1] or "Who goes there?"

local client = ofox.new {}
local bubble, shown, frames, longest = "", 0, 0, 0
local problem

local function ask(text)
  return ofox.go(function()
    local params = { model = "openai/gpt-4o-mini", messages = { { role = "user", content = text } } }
    local stream, err = client:stream(params, { errors = "return" })
    -- stream:next() lets frames continue in every Lua; a for loop does so in all but PUC Lua 5.1
    local chunk
    if stream then chunk, err = stream:next() end
    while chunk do
      local choice = chunk.choices and chunk.choices[1]
      local piece = choice and choice.delta and choice.delta.content
      if type(piece) == "string" then bubble = bubble .. piece end
      chunk, err = stream:next()
    end
    problem = err
  end)
end

local function update()
  local before = socket.gettime()
  ofox.step(STEP)
  longest = math.max(longest, socket.gettime() - before)
end

local function draw()
  io.write(bubble:sub(shown + 1))
  io.flush()
  shown = #bubble
end

client:connect { errors = "return" } -- while the game loads
local answering = ask(question)
local began = socket.gettime()
local due = began
repeat
  update()
  draw()
  frames = frames + 1
  due = math.max(due + FRAME, socket.gettime())
  socket.sleep(due - socket.gettime())
until answering:status() ~= "running"

if problem then print(("\n%s\n%s"):format(tostring(problem), problem:hint())) end
print(("\n%d frames, %.0f a second; the longest step took %.2f ms"):format(frames,
  frames / (socket.gettime() - began), 1000 * longest))
