-- What errors, waits and streams look like: on a simulator of the gateway, or with a key set on the real one.
-- lua5.4 examples/demo.lua [speed]; 1, the usual one, takes about 20 seconds.
local HERE = arg[0]:match("^(.*)[/\\]") or "."
package.path = ("%s/../lua/?.lua;%s/../lua/?/init.lua;%s/?.lua;"):format(HERE, HERE, HERE) .. package.path

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local key, speed = variable "OFOXAI_API_KEY" or variable "OFOX_API_KEY", tonumber(arg[1]) or 1
local interpreter, stage, lifeline = 0, nil, nil
while arg[interpreter - 1] do interpreter = interpreter - 1 end
interpreter = arg[interpreter]

-- A client for a scene: its directions are headers for the simulator.
local function client_of(url, directions, counts)
  local ofox, call = require "ofox", require("demo.watch").new(stage)
  local options = counts:hook(call:options())
  options.api_key, options.base_url, options.errors = key or "sk-demo", url, "return"
  if url then options.retry, options.proxy = { base = 0.25 / speed, max_delay = 2 / speed }, false end
  for name, value in pairs(directions or {}) do options.headers[name] = value end
  stage.rows = function() return call:rows() end
  return ofox.new(options)
end

local function run()
  stage = require("demo.show").new(require("demo.terminal").new())
  local ofox, streams, counts = require "ofox", require "demo.streams", require("demo.tally").new()
  local scenes, script, url = require "demo.scenes", require "demo.script"(speed), nil
  local on = "two small calls to the real gateway"
  if key then
    scenes = { scenes[1], streams.answer }
  else
    scenes[#scenes + 1], scenes[#scenes + 2] = streams.broken, require "demo.side_by_side"
    url, lifeline = require "simulator.child"(interpreter)
    on = "a simulator of the gateway, for about 20 seconds"
  end
  stage:say(("ofox %s on %s: %s"):format(ofox.VERSION, rawget(_G, "jit") and "LuaJIT" or _VERSION, on))
  for i, scene in ipairs(scenes) do
    stage:title(i, scene.title, scene.code)
    stage:play(scene.play, client_of(url, url and script[scene.name], counts), stage, script.planets)
  end
  stage:title("", "In all")
  stage:say(tostring(counts))
  require "demo.next"(stage, HERE, interpreter, key)
end

io.stdout:setvbuf "full" -- the terminal flushes what belongs together
local ok, problem = pcall(run)
local status = ok and 0 or 1
if not stage then
  io.stderr:write(tostring(problem), "\n") -- ofox is not built
elseif not ok then
  status = require "demo.explain"(stage, problem)
end
if lifeline then lifeline:close() end
os.exit(status)
