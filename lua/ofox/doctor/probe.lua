--- The calls of ofox.doctor, and what their outcomes show. Only public methods of
-- the client are used, so in a task they wait as any call does, and nothing catches
-- errors around them: cancelling and Ctrl-C work.
require "ofox.base.uncompiled" ()
local address = require "ofox.doctor.address"
local clients = require "ofox.client"
local core = require "ofox.base.native" "core"
local options = require "ofox.request.options"
local response = require "ofox.answer.response"

local is_html = core.is_html

local probe = {}

local TOLERANCE = 60 -- seconds that clocks may differ

-- Turns off the program's hooks and logger: these calls are not the program's.
local function call_options(exam, more)
  local opts = {
    errors = "return", max_retries = 0, timeout = 10, connect_timeout = 5, deadline = 15, idempotency_key = false,
    on_retry = false, on_wait = false, on_error = false, on_response = false,
  }
  if exam.options.logger then opts.logger = false end
  for name, value in pairs(more) do opts[name] = value end
  return opts
end

local function wall(exam)
  local transport = exam.options.transport
  return transport and transport:wall() or core.wall()
end

-- How far this machine's clock is ahead of the server's, from the first answer with
-- a date. A cache reports in 'age' how long it has stored the answer.
local function note_clock(exam, res, err)
  local headers = res and (response.meta(res) or {}).headers or err and err.headers
  local date = headers and not exam.skew and type(headers.date) == "string" and core.parts.date(headers.date)
  if not date then return end
  local age = type(headers.age) == "string" and tonumber(headers.age:match("^%d+$")) or 0
  exam.skew = wall(exam) - (date + age + 0.5) -- a date has whole seconds
end

-- Was an established connection dropped? It may have been an accident.
local DROPPED = { reset = true, empty_reply = true, truncated = true, send = true }

-- Makes a request; repeats it if the connection was dropped, which is a finding
-- only if it happens twice.
local function ask(exam, request, ...)
  local res, err = request(...)
  if err and err.type == "connection_error" and DROPPED[err.code] then res, err = request(...) end
  note_clock(exam, res, err)
  return res, err
end

local function list_models(exam, client, more)
  return ask(exam, client.models, client, call_options(exam, more))
end

-- An error on one line, without the number of attempts: there are no retries.
local function line(err)
  local text = tostring(err):gsub("^ofox: ", "", 1)
  return (text:gsub(" %(([^()]*)1 attempt[^()]*%)$", function(request)
    return request == "" and "" or " (" .. request:gsub(", $", "") .. ")"
  end))
end

-- The check that failed when the server was not reached: name, connection, tls; nil
-- if the server itself answered, or was silent for too long.
local function stage(err)
  if not err or err.status and err.code ~= "proxy_authentication_required" then return nil end
  if err.type == "tls_error" then return "tls" end
  if err.type == "connection_error" then return err.code == "dns" and "name" or "connection" end
  if err.code == "connect_timeout" then return "timeout" end
  if err.code == "proxy_authentication_required" then return "connection" end
  return nil
end

local function say_name(exam, at, failed, err)
  local values = { host = at.host, why = err and line(err) }
  if failed == "name" then
    exam:say("name", "error", "failed", values, err:hint(exam.lang))
  elseif exam.options.unix_socket then
    exam:say("name", "skipped", "name_socket")
  elseif address.is_numeric(at.host) then
    exam:say("name", "ok", "name_numeric", values)
  elseif exam.proxied then
    exam:say("name", "ok", "name_of_proxy", values)
  elseif failed == "timeout" then
    exam:say("name", "skipped", "unknown")
  else
    exam:say("name", "ok", "name", values)
  end
end

local function say_connection(exam, at, failed, err)
  if failed == "name" then
    exam:say("connection", "skipped", "not_tried", { what = "name" })
  elseif failed == "connection" or failed == "timeout" then
    exam:say("connection", "error", "failed", { why = line(err) }, err:hint(exam.lang))
  else
    local id = exam.options.unix_socket and "connection_socket" or exam.proxied and "connection_proxy" or "connection"
    exam:say("connection", "ok", id, { host = at.host, port = at.port })
  end
end

local function say_tls(exam, at, failed, err)
  if failed == "tls" then
    local id = err.code == "certificate" and "tls_clock" or "failed"
    local now = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(wall(exam)))
    exam:say("tls", "error", id, { why = line(err), now = now }, err:hint(exam.lang))
  elseif at.scheme == "http" then
    exam:say("tls", "skipped", "tls_none")
  elseif failed then
    exam:say("tls", "skipped", "not_tried", { what = failed == "timeout" and "connection" or failed })
  elseif exam.options.verify == false then
    exam:say("tls", "warn", "tls_unverified", { host = at.host })
  else
    exam:say("tls", "ok", "tls", { host = at.host })
  end
end

local function count_of(res)
  local data = type(res) == "table" and rawget(res, "data")
  return type(data) == "table" and #data or nil
end

-- May the list be elsewhere? Not if the API itself has rejected the request.
local function is_elsewhere(err)
  if not err or err.type == "response_error" or is_html(err.body) then return true end
  local status = err.status or 0
  return status == 400 or status == 404 or status == 405
end

local function wants_https(err)
  return err ~= nil and err.status == 400 and err.message:find("HTTPS port", 1, true) ~= nil
end

-- Base URLs that may have been meant, best first.
local function candidates(exam, err)
  local list, known = {}, { [exam.base] = true }
  local function add(base)
    local is_open = base and exam.base:find("^https:") and base:find("^http:") -- unencrypted
    if base and not is_open and not known[base] and #list < 2 then
      known[base] = true
      list[#list + 1] = base
    end
  end
  if wants_https(err) then add((exam.base:gsub("^http:", "https:"))) end
  add(err and err.code == "redirect" and address.redirected(exam.base, (err.headers or {}).location, "/models"))
  add(exam.better)
  return list
end

-- The same client with another base URL. Another server, or an unencrypted
-- connection, does not get the credentials of this one.
local function client_at(exam, base)
  local given = {}
  for _, row in ipairs(options.rows) do given[row.name] = exam.options[row.name] end
  given.base_url, given.api_key = base, false
  local there, here = address.split(base), address.split(exam.base)
  local same = there.host == here.host and there.port == here.port and there.scheme == here.scheme
  local safer = there.host == here.host and here.scheme == "http" and there.scheme == "https"
  local foreign = not (same or safer)
  if foreign then given.headers, given.query, given.client_cert, given.unix_socket = nil, nil, nil, nil end
  return clients.new(given), foreign
end

-- The first candidate that has a list of models.
local function seek(exam, err)
  for _, base in ipairs(candidates(exam, err)) do
    local client, foreign = client_at(exam, base)
    if client and count_of((list_models(exam, client, {}))) then
      return base, not foreign and client or nil
    end
  end
  return nil
end

-- The list of models proves that base_url is right, whatever it looks like.
local function trust_base_url(exam)
  local finding = exam.base_url
  if not exam.only_version or not finding then return end
  finding.level, finding.advice = "ok", nil
  finding.message = exam:word("base_url", { url = address.shown(exam.base), from = exam.from })
end

local function say_models(exam, res, err)
  local url = address.shown(exam.base) .. "/models"
  local count = count_of(res)
  if count then
    exam.working, exam.works_at = exam.client, nil
    trust_base_url(exam)
    local id = count > 0 and "models" or "models_none"
    exam:say("models", count > 0 and "ok" or "warn", id, { count = count, url = url })
    return
  end
  local better, client
  if is_elsewhere(err) then better, client = seek(exam, err) end
  local advice = better and exam:word("url_works", { better = address.shown(better), from = exam.from })
    or err and not wants_https(err) and err:hint(exam.lang) or not err and exam:word "odd_answer" or nil
  local id = wants_https(err) and "https_port" or err and "models_failed" or "models_odd"
  exam.models = exam:say("models", "error", id, { url = url, why = err and line(err) }, advice)
  if client then
    exam.working, exam.works_at = client, better
  elseif err and err.status and err.type ~= "response_error" and not is_html(err.body) then
    exam.working = exam.client -- an API has answered
    exam.without_list = is_elsewhere(err)
  end
end

-- Removes the key and all other credentials.
local BARE = {}
for _, name in ipairs(require "ofox.request.headers".AUTH) do BARE[name] = false end

-- A request that no server can serve or bill: the key is checked first.
local function ask_nothing(exam, more)
  local client = exam.working
  return ask(exam, client.request, client, { path = "/chat/completions", body = {} }, call_options(exam, more))
end

local function is_refusal(err)
  return err ~= nil and (err.status == 401 or err.status == 403) and not is_html(err.body)
end

-- An empty request was rejected as incomplete: so would one without a key be, if
-- the server checks keys later or not at all.
local function compare(exam, err)
  local _, bare = ask_nothing(exam, { headers = BARE })
  if is_refusal(bare) then
    if exam.without_list then exam.models.level = "warn" end -- calls work regardless
    local at = exam.works_at
    exam:say("key_accepted", "ok", at and "accepted_at" or "accepted", { url = at and address.shown(at) })
  else
    exam:say("key_accepted", "skipped", "not_told", { why = line(err) })
  end
end

local function say_key_accepted(exam)
  if not exam.key and not exam.own_auth then return exam:say("key_accepted", "skipped", "not_asked") end
  if not exam.working then return exam:say("key_accepted", "skipped", "not_tried", { what = "models" }) end
  local _, err = ask_nothing(exam, exam.key and { api_key = exam.key } or {})
  if not err then return exam:say("key_accepted", "ok", "answered") end
  local url = address.shown(exam.works_at or exam.base)
  local values = { why = line(err), url = url }
  local status, page = err.status, is_html(err.body)
  if is_refusal(err) or err.type == "billing_error" then
    local advice = err.message:find("llm.invoke", 1, true) and exam:word "login_token" or err:hint(exam.lang)
    exam:say("key_accepted", "error", "failed", values, advice)
  elseif page or status == 404 or status == 405 or err.type == "response_error" then
    exam:say("key_accepted", "warn", "no_chat", values, err:hint(exam.lang))
  elseif err.type == "invalid_request_error" then
    compare(exam, err)
  else
    exam:say("key_accepted", "warn", "untold", values, err:hint(exam.lang))
  end
end

-- 75 -> "75 s", 4000 -> "67 min"
local function duration(seconds)
  seconds = math.floor(math.abs(seconds) + 0.5)
  if seconds < 180 then return ("%d s"):format(seconds) end
  if seconds < 3 * 3600 then return ("%d min"):format(math.floor(seconds / 60)) end
  if seconds < 3 * 86400 then return ("%d h"):format(math.floor(seconds / 3600)) end
  return ("%d d"):format(math.floor(seconds / 86400))
end

local function say_clock(exam)
  local skew = exam.skew
  if not skew then
    exam:say("clock", "skipped", "clock_unknown")
  elseif math.abs(skew) <= TOLERANCE then
    exam:say("clock", "ok", "clock", { skew = duration(math.max(1, math.abs(skew))) })
  else
    local id = skew > 0 and "clock_ahead" or "clock_behind"
    exam:say("clock", "warn", id, { skew = duration(skew) }, exam:word "set_clock")
  end
end

local CHECKS = { "name", "connection", "tls", "models", "key_accepted", "clock" }

--- Makes the calls, and adds what they show to the examination's report.
---@param exam table  of ofox.doctor
function probe.run(exam)
  if exam.stuck then
    for _, name in ipairs(CHECKS) do exam:say(name, "skipped", "not_tried", { what = exam.stuck }) end
    return
  end
  -- the list is public: a server that is not OfoxAI's should not see the key
  local res, err = list_models(exam, exam.client, { api_key = false })
  if exam.key and is_refusal(err) then res, err = list_models(exam, exam.client, { api_key = exam.key }) end
  local at, failed = address.split(exam.base), stage(err)
  say_name(exam, at, failed, err)
  say_connection(exam, at, failed, err)
  say_tls(exam, at, failed, err)
  if failed then
    exam:say("models", "skipped", "not_reached")
    exam:say("key_accepted", "skipped", "not_reached")
  else
    say_models(exam, res, err)
    say_key_accepted(exam)
  end
  say_clock(exam)
end

return probe
