--- Many streams side by side: a task each, in one thread. Each task is straight
-- code, and knows nothing of the others.
local ofox = require "ofox"
local lanes = require "demo.lanes"
local watch = require "demo.watch"

-- What a task does. Where tasks are many, stream:read() lets the others go on
-- on every Lua, as "for text in stream:text()" does on all but PUC Lua 5.1.
local function listen(client, lane)
  local question = { model = "openai/gpt-4o-mini", messages = { { role = "user", content = lane.name } } }
  local stream, err = client:stream(question, lane.options)
  local text
  if stream then text, err = stream:read() end
  while text do
    lane.said = lane.said .. text
    text, err = stream:read()
  end
  lane.err, lane.seconds = err, stream and stream:meta().elapsed or 0
end

local function lane_of(planet, stage)
  local lane = { name = planet.name, said = "", watch = watch.new(stage, planet.name), token = ofox.cancel_token() }
  lane.options = lane.watch:options()
  lane.options.cancel = lane.token
  for name, value in pairs(planet.headers) do lane.options.headers[name] = value end
  return lane
end

-- The last one falls silent after a few words: the rest of it is not waited for.
local function cancel_silent(lane)
  while #lane.said < #"A planet until" and not lane.seconds do ofox.sleep(0.05) end
  lane.token:cancel()
end

local scene = { name = "side_by_side", title = "Nine streams side by side, in one thread",
  code = "ofox.all(tasks, { stop_on_error = true })" }

function scene.play(client, stage, planets)
  local list, tasks = {}, {}
  for i, planet in ipairs(planets) do
    list[i] = lane_of(planet, stage)
    tasks[i] = function() listen(client, list[i]) end
  end
  tasks[#tasks + 1] = function() cancel_silent(list[#list]) end
  stage.rows = function() return lanes.rows(list, stage) end
  ofox.all(tasks, { stop_on_error = true })
  local longest, sum = 0, 0
  for _, lane in ipairs(list) do longest, sum = math.max(longest, lane.seconds), sum + lane.seconds end
  lanes.keep(list, stage)
  local words = "%.1f s for all nine, one retried, one cancelled; %.1f s one after another"
  stage:say(words:format(longest, sum), nil, "grey")
end

return scene
