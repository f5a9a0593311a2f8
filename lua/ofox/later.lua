--- The parts of ofox other than clients, which are loaded when a program first uses
-- them.
local reserve = require "ofox.base.reserve"

-- Name: its module, its field there, and whether it waits.
local PLACES = {
  errors = { "ofox.errors" },
  retry = { "ofox.retry", waits = true },
  null = { "ofox.json", "null" },
  array = { "ofox.json", "array" },
  object = { "ofox.json", "object" },
  meta = { "ofox.answer.response", "meta" },
  parse_error = { "ofox.errors", "parse" },
  sleep = { "ofox.task.wait", "sleep", waits = true },
  cancel_token = { "ofox.task.cancel", "new" },
  sse = { "ofox.sse" },
  file = { "ofox.request.file", "new" },
  go = { "ofox.task.task", "go", waits = true },
  run = { "ofox.task.task", "run", waits = true },
  all = { "ofox.task.task", "all", waits = true },
  map = { "ofox.task.task", "map", waits = true },
  any = { "ofox.task.task", "any", waits = true },
  step = { "ofox.loop.protocol", "step", waits = true },
  pollfd = { "ofox.loop.protocol", "pollfd", waits = true },
  getfd = { "ofox.loop.protocol", "getfd", waits = true },
  events = { "ofox.loop.protocol", "events", waits = true },
  timeout = { "ofox.loop.protocol", "timeout", waits = true },
  dirty = { "ofox.loop.protocol", "dirty", waits = true },
  use_loop = { "ofox.loop.protocol", "use_loop", waits = true },
  doctor = { "ofox.doctor", "examine", waits = true },
  prometheus = { "ofox.scrape" },
  store = { "ofox.store" },
}

---@param name any
---@param settle fun()  called before anything waits
---@return any value  nil: ofox has no such field
return function(name, settle)
  local place = PLACES[name]
  if not place then return nil end
  if place.waits then settle() end
  local value = reserve.require(place[1])
  if place[2] then value = value[place[2]] end
  return value
end
