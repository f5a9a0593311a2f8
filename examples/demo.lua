-- What errors, retries and streams look like: on the simulator, or with a key set on the real gateway.
package.path = "lua/?.lua;lua/?/init.lua;examples/?.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"
local key = os.getenv "OFOXAI_API_KEY" or os.getenv "OFOX_API_KEY"
local scenes, waited = 0, nil -- the error that is being waited out
io.stdout:setvbuf "no"
local function say(...)
  io.write(waited and "\n" or "", "   ", string.format(...), "\n")
  waited = nil
end
local function scene(title)
  scenes = scenes + 1
  print(("\n%d. %s"):format(scenes, title))
end
local function asking(model)
  return { model = model, max_tokens = 20, messages = { { role = "user", content = "Say hello." } } }
end
local function countdown(left, err)
  if err ~= waited then say("%s", tostring(err)) end
  io.write(err ~= waited and "   seconds left:" or "", (" %.1f"):format(left))
  waited = err
end
local function follow(client, model) -- writes a stream's text as it comes
  for text in client:stream(asking(model)):text() do io.write(text) end
  print()
end

local function play(client)
  scene "A wrong key: the request must change, so the error is returned."
  local res, err = client:chat(asking "openai/gpt-4o-mini", { api_key = "sk-wrong-key" })
  say("%s\n   hint: %s", tostring(assert(not res and err.status == 401 and err)), err:hint())
  scene "No such model: returned as well, for waiting would not help."
  res, err = client:chat(asking "no/such-model")
  say("%s", tostring(assert(not res and not err.retryable and err)))
  if not key then
    scene "Too many requests: the server says when to come back, and we do."
    local meta = assert(client:chat(asking "sim/flaky-429")):meta()
    say("waited %.1f s on the word of %s", meta.retries[1].delay, meta.retries[1].delay_source)
    scene "A bad gateway: the next model of the fallback list is asked at once."
    res = assert(client:chat(asking "sim/bad-gateway", { fallback = { "openai/gpt-4o-mini" } }))
    say("asked for %s (%d), answered by %s", res:meta().model_requested, res:meta().retries[1].status, res.model)
    scene "A storm of 503: when the retries are used up, the error is raised."
    local _, raised = pcall(client.chat, client, asking "sim/storm", { retry = { base = 0.4, jitter = "none" } })
    say("caught: %s", tostring(assert(ofox.errors.is(raised, "service_unavailable") and raised)))
    scene "A stream that is cut in the middle: what had come is not lost."
    local _, broken = pcall(follow, client, "cut")
    print(("\n   %s\n   partial: %q"):format(tostring(broken), broken.partial.text))
  end
  scene "And when all is well, the answer as it is made."
  follow(client, "openai/gpt-4o-mini")
end

local url, lifeline
if not key then url, lifeline = require "simulator.child" (arg[-1]) end
local client = ofox.new { api_key = key or "sk-demo", base_url = url, on_wait = countdown }
print(("ofox %s on %s, talking to %s"):format(ofox.VERSION, _VERSION, url and "the simulator" or "the gateway"))
local ok, err = pcall(play, client)
if not ok then say("failed: %s%s", tostring(err), ofox.errors.is(err) and "\n   hint: " .. err:hint() or "") end
if lifeline then lifeline:close() end
os.exit(ok and 0 or 1)
