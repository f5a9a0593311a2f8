-- A game in LÖVE with a character that answers while the game goes on: type and press Enter, Escape stops an answer.
-- love examples/love [--headless] [--record SECONDS] [question]
local game, base = love.filesystem.getSource(), love.filesystem.getSourceBaseDirectory()
package.path = game .. "/../../lua/?.lua;" .. game .. "/../../lua/?/init.lua;" .. package.path -- as in a clone
package.cpath = base .. "/?.so;" .. package.cpath -- as in a game that is shipped
local ofox, utf8, record = require "ofox", require "utf8", require "record"
local client, FRAME = ofox.new { errors = "raise", deadline = 60 }, { max_events = 20 } -- at most, in one frame
local bubble, answering, time, typed = { text = "Ask me something!" }, nil, 0, ""

local function complaint(err)
  if ofox.errors.is(err, "cancelled_error") then return " -- oh." end
  return "\n" .. tostring(err) .. (ofox.errors.is(err) and "\n" .. err:hint() or "")
end

local function ask(question)
  if answering then answering:cancel() end
  local said, messages = { text = "" }, { { role = "user", content = question } }
  local task = ofox.go(function()
    local stream = client:stream { model = "openai/gpt-4o-mini", messages = messages }
    for text in stream:text() do said.text = said.text .. text end
  end)
  bubble, answering = said, task
  task:on_done(function(ok, err)
    if answering == task then answering = nil end
    if not ok then said.text = said.text .. complaint(err) end
  end)
end

function love.load(words)
  ofox.go(client.connect, client, { errors = "return" }) -- so that the first answer need not wait for it
  local question = record.open(words)
  if question then ask(question) end
end

function love.update(dt)
  time = time + dt
  local what, before = answering and "answering" or "idle", love.timer.getTime()
  ofox.step(FRAME)
  record.add(what, dt, love.timer.getTime() - before, bubble.text)
end

function love.draw()
  love.graphics.circle("fill", 120, 420 + 20 * math.sin(3 * time), 60)
  love.graphics.rectangle("line", 200, 60, 560, 400, 20)
  love.graphics.printf(bubble.text .. (answering and " ..." or ""), 220, 80, 520)
  love.graphics.print(love.timer.getFPS() .. " frames per second    > " .. typed, 20, 560)
end

function love.textinput(text) typed = typed .. text end

function love.keypressed(key)
  if key == "escape" and answering then
    answering:cancel()
  elseif key == "backspace" then
    typed = typed:sub(1, (utf8.offset(typed, -1) or 1) - 1)
  elseif key == "return" and typed ~= "" then
    ask(typed)
    typed = ""
  end
end
