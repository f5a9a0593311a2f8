--- The OfoxAI gateway as documented: routes, keys, headers, fallback.
-- What is to go wrong is decided by scenarios.lua.
local json = require "cjson.safe"
local bodies = require "simulator.bodies"
local checks = require "simulator.checks"
local failures = require "simulator.failures"
local form = require "simulator.form"
local protocols = require "simulator.protocols"
local responses = require "simulator.responses"
local scenarios = require "simulator.scenarios"
local videos = require "simulator.videos"

-- path = the parameter that must be there, the body, the events of a stream
local ROUTES = {
  ["/v1/chat/completions"] = { "messages", bodies.chat, bodies.chat_events },
  ["/v1/embeddings"] = { "input", bodies.embeddings },
  ["/v1/images/generations"] = { "prompt", bodies.images },
  ["/v1/images/edits"] = { "image", bodies.images },
  ["/v1/audio/transcriptions"] = { "file", bodies.transcript, bodies.transcript_events },
  ["/v1/videos"] = { "prompt", videos.create },
  ["/v1/responses"] = { "input", responses.whole, responses.events },
  ["/anthropic/v1/messages"] = { "messages", protocols.message, protocols.message_events, protocol = "anthropic" },
}

--- Gemini's route of a path: it names the model and whether events are wanted.
local function gemini_route(path)
  local model, verb = path:match("^/gemini/v1beta/models/([^?]+):(%a+)")
  if verb ~= "generateContent" and verb ~= "streamGenerateContent" then return nil end
  return { "contents", protocols.gemini, protocols.gemini_events, protocol = "gemini",
    model = model:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end),
    stream = verb == "streamGenerateContent" }
end

--- The protocol that a path belongs to.
local function protocol_of(path)
  return path:match("^/(anthropic)/") or path:match("^/(gemini)/")
end

local gateway = { rpm = nil } -- requests a minute; nil: 100 are announced, and never run out
local requests, window = 0, { start = 0, count = 0 }

local function count(reply)
  requests = requests + 1
  reply.id = requests
  if os.time() - window.start >= 60 then window = { start = os.time(), count = 0 } end
  window.count = window.count + 1
end

local function reset() return math.max(1, window.start + 60 - os.time()) .. "s" end

local function headers_of(reply, kind, more)
  local rpm = gateway.rpm
  local headers = {
    ["Content-Type"] = kind,
    [reply.protocol == "anthropic" and "request-id" or "x-request-id"] = ("req_sim_%06d"):format(reply.id),
    ["x-ratelimit-limit-requests"] = rpm or 100,
    ["x-ratelimit-remaining-requests"] = rpm and math.max(0, rpm - window.count) or 99,
    ["x-ratelimit-reset-requests"] = rpm and reset() or "1s",
  }
  for name, value in pairs(more or {}) do headers[name] = value end
  return headers
end

local function refuse(reply, status, more)
  reply:send(status, headers_of(reply, "application/json"), failures.body(status, more, reply.protocol))
end

local function fail(reply, plan)
  local answer = { protocol = reply.protocol }
  for name, value in pairs(plan) do answer[name] = value end
  local status, kind, headers, body = failures.answer(answer)
  reply:send(status, headers_of(reply, kind, headers), body)
end

--- Ends an answer before its time.
local function stop_short(reply, cut)
  if cut == "stall" then reply:hold() end
  reply:cut(cut == "rst")
end

local PACE = 0.01 -- seconds between two events, unless a plan says otherwise

local function send_events(reply, path, events, plan)
  local last = plan.cut and events.lead + (plan.words or 2) or #events
  reply:start(200, headers_of(reply, "text/event-stream"))
  for i = 1, math.min(last, #events) do
    local name, data = "", events[i]
    if type(data) == "table" then name, data = "event: " .. data[1] .. "\n", data[2] end
    reply:chunk(name .. "data: " .. data .. "\n\n")
    reply:sleep(plan.pace or PACE)
  end
  local is_cut = plan.cut and last < #events
  if is_cut and plan.cut == "error" then
    reply:chunk(failures.in_stream(plan.error or 502, reply.protocol, path))
  elseif is_cut then
    stop_short(reply, plan.cut)
  end
  reply:finish()
end

local function send_whole(reply, cut, body, kind, status)
  reply:start(status or 200, headers_of(reply, kind or "application/json"), #body)
  reply:write(cut and body:sub(1, math.floor(#body / 2)) or body)
  if cut then stop_short(reply, cut) end
end

--- The gateway's own fallback: the first model that does not fail.
local function fallback(params, plan)
  local list = type(params.provider) == "table" and params.provider.fallback
  if not plan.upstream or type(list) ~= "table" then return plan end
  for _, model in ipairs(list) do
    local other = scenarios.plan(model, {})
    if not other.status then
      params.model = model
      return other
    end
  end
  return plan
end

--- Plays the plan; true when the request is to succeed.
local function survives(request, reply, model, plan)
  if plan.delay then reply:sleep(plan.delay) end
  if plan.cut == "rst" then stop_short(reply, plan.cut) end
  local fails = scenarios.fails(plan, request.headers["idempotency-key"] or model)
  if fails then fail(reply, plan) end
  return not fails
end

local function post(request, reply, route)
  local params = form(request.headers["content-type"] or "", request.body) or json.decode(request.body)
  if route.model and type(params) == "table" then params.model, params.stream = route.model, route.stream end
  local problem = checks(params, route[1])
  local model = type(params) == "table" and type(params.model) == "string" and params.model
  local plan = model and fallback(params, scenarios.plan(model, request.headers)) or {}
  if not survives(request, reply, model, plan) then return end
  if problem then return refuse(reply, 400, problem) end -- one that is down is down for wrong requests, too
  if params.stream == true and route[3] then
    return send_events(reply, request.path, route[3](params, plan), plan)
  end
  send_whole(reply, plan.cut ~= "error" and plan.cut, route[2](params, plan))
end

local function models(request, reply)
  local id = request.path:match("^/v1/models/(.+)$")
  id = id and id:gsub("%%2[Ff]", "/")
  local body = id and bodies.model(id) or not id and bodies.models()
  if not survives(request, reply, id or "", scenarios.plan(id, request.headers)) then return end
  if not body then return refuse(reply, 404) end
  reply:send(200, headers_of(reply, "application/json"), body)
end

--- One video, or its film.
local function video(request, reply)
  local id, rest = request.path:match("^/v1/videos/([^/]+)(.*)$")
  local answer = rest == "" and (request.method == "DELETE" and videos.delete or videos.get)
    or rest == "/content" and request.method == "GET" and videos.content
  if not survives(request, reply, id, scenarios.plan(nil, request.headers)) then return end
  local body, kind
  if answer then body, kind = answer(id) end
  if not body then return refuse(reply, 404, { message = "There is no such video.", code = "not_found" }) end
  send_whole(reply, nil, body, kind)
end

local function allowed(request)
  local headers = request.headers
  local key = (headers.authorization or ""):match("^[Bb]earer%s+(%S+)$")
  if request.path:find("^/anthropic/") then key = headers["x-api-key"] or key end
  if request.path:find("^/gemini/") then key = headers["x-goog-api-key"] or key end
  return key and key:find("^sk%-") and not key:find("^sk%-wrong")
end

local function refuse_key(request, reply)
  local delay = scenarios.plan(nil, request.headers).delay
  if delay then reply:sleep(delay) end
  refuse(reply, 401)
end

--- Answers one request.
function gateway.handle(request, reply)
  local route = ROUTES[request.path] or gemini_route(request.path)
  reply.protocol = protocol_of(request.path)
  count(reply)
  if not reply.protocol and not request.path:find("^/v1/") then
    local get = request.method == "GET"
    reply:send(get and 200 or 405, { ["Content-Type"] = "text/html" },
      failures.page(get and "OfoxAI" or "405 Not Allowed"))
  elseif not request.body then
    refuse(reply, 413, { message = "The body is too large." })
  elseif gateway.rpm and window.count > gateway.rpm then
    fail(reply, { status = 429, reset = reset() })
  elseif request.method == "GET" and (request.path .. "/"):find("^/v1/models/") then
    models(request, reply)
  elseif not allowed(request) then
    refuse_key(request, reply)
  elseif (request.method == "GET" or request.method == "DELETE") and request.path:find("^/v1/videos/.") then
    video(request, reply)
  elseif request.method ~= "POST" or not route then
    refuse(reply, 404, { message = "Unknown path.", code = "not_found" })
  else
    post(request, reply, route)
  end
end

return gateway
