--- Programs that make calls, and what comes of it, on virtual time. All chance is
-- seeded and no two answers take equally long, so that each run is like the last.
local mock = require "ofox.mock"
local ofox = require "ofox"

local load = {}

local OK = '{"id":"x","object":"chat.completion","choices":[{"index":0,'
  .. '"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}'

--- Draws numbers from 0 to 1, the same for each seed.
function load.chance(seed)
  local state = seed
  return function()
    state = state * 16807 % 2147483647
    return state / 2147483647
  end
end

--- Begins a run: a transport with a server, and a list of the requests that it got
-- and of the calls that were made. 'serve' gets a request and its moment, and
-- returns a reply as for mock:reply; a success needs neither status nor body.
function load.new(serve)
  local transport, chance = mock.new(), load.chance(20)
  local run = { transport = transport, requests = {}, calls = {} }
  transport:always(function(request)
    local reply = serve(request, request.at)
    reply.body = reply.body or OK
    reply.delay = (reply.delay or 0.5) * (0.9 + 0.2 * chance())
    run.requests[#run.requests + 1] = {
      at = request.at, failed = (reply.status or 200) ~= 200, key = request.headers.authorization,
      model = request.body:match '"model":"([^"]*)"',
    }
    return reply
  end)
  return run
end

--- A client of a run's server.
function load.client(run, options, key)
  local given = { api_key = key or "sk-virtual", base_url = "https://api.ofox.ai/v1", transport = run.transport,
    errors = "return" }
  for name, value in pairs(options) do given[name] = value end
  return ofox.new(given)
end

local function call(run, client)
  local n = #run.calls + 1
  local made = { began = run.transport:now() }
  run.calls[n] = made
  local params = { model = "a", messages = { { role = "user", content = "prompt " .. n } } }
  local answer, err = client:chat(params, { retry = { seed = n } })
  made.ended, made.err, made.failed = run.transport:now(), err, not answer
end

--- Makes so many calls, some at a time, by the clients in turn.
function load.at_once(run, clients, count, in_flight)
  local tasks = {}
  for i = 1, in_flight do
    tasks[i] = ofox.go(function()
      while #run.calls < count do call(run, clients[#run.calls % #clients + 1]) end
    end)
  end
  for i = 1, in_flight do tasks[i]:wait() end
end

--- Makes so many calls a second for some seconds, whatever becomes of them.
function load.steadily(run, client, rate, seconds)
  local uninstall = run.transport:install()
  local tasks = {}
  for i = 1, rate * seconds do
    ofox.sleep(math.max(0, i / rate - run.transport:now()))
    tasks[i] = ofox.go(call, run, client)
  end
  for _, task in ipairs(tasks) do task:wait() end
  uninstall()
end

return load
