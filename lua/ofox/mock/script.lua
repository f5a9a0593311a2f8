--- The replies that programs script for ofox.mock: validates one and converts it to
-- what is sent. Knows nothing of calls, or of time.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local check = require "ofox.request.checks"
local core = require("ofox.base.native")("core")
local json = require "ofox.json"

local scripted = {}

local FIELDS = { "status", "headers", "body", "sse", "delay", "fail" }
local is_field = {}
for _, name in ipairs(FIELDS) do is_field[name] = true end

-- err.code of a failed transfer -> the C call's name for it.
local FAILURES, CODES = {}, {}
for _, outcome in ipairs(core.outcomes) do
  if not FAILURES[outcome.code] then CODES[#CODES + 1] = outcome.code end
  FAILURES[outcome.code] = outcome.name:upper()
end
-- codes shared by two classes: those of connections
for _, code in ipairs { "truncated", "reset" } do FAILURES[code] = code:upper() end

-- Failures before anything could be sent, and others without an answer.
local UNSENT = { dns = true, refused = true, connect_timeout = true, certificate = true, handshake = true }
local UNANSWERED = { send = true, empty_reply = true, protocol = true }

local function expected(what, value)
  return ("expected %s, got %s"):format(what, describe.value(value))
end

local function is_seconds(value)
  return type(value) == "number" and value >= 0
end

local function is_list(value)
  if type(value) ~= "table" then return false end
  for key in pairs(value) do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 or key > #value then return false end
  end
  return true
end

-- Is it a line of an event stream, where the text of an event is expected?
local function is_line(text)
  local name = text:match("^([a-z]*):")
  return name == "" or name == "data" or name == "event" or name == "id" or name == "retry"
end

-- Converts an element of 'sse': to the bytes of an event, or seconds; or returns nil
-- and the problem. A table is named by its type, as servers do.
local function event_of(item)
  local name = type(item) == "table" and rawget(item, "type")
  name = type(name) == "string" and not name:find "%c" and ("event: %s\n"):format(name) or ""
  if type(item) == "number" then
    if is_seconds(item) then return item end
    return nil, expected("a pause of seconds >= 0", item)
  elseif type(item) == "string" then
    if is_line(item) then return nil, "give the text after data:, without names of fields" end
  elseif type(item) == "table" then
    local message
    item, message = json.encode(item)
    if not item then return nil, message end
  else
    return nil, expected("a table, a string or seconds", item)
  end
  return name .. "data: " .. item:gsub("\n", "\ndata: ") .. "\n\n"
end

-- Does "[DONE]" follow the events? In protocols whose events have types, and in
-- Gemini's, it does not.
local function ends_with_done(sse)
  for _, item in ipairs(sse) do
    local event = type(item) == "string" and json.decode(item) or item
    if type(event) == "table" then
      return event.type == nil and event.candidates == nil and event.promptFeedback == nil
    end
  end
  return true
end

-- Converts a stream to events of {pause, bytes}: the bytes, and the time after the
-- previous ones; or returns nil and the problem.
local function pieces_of(sse, fail)
  if not is_list(sse) then
    local got = type(sse) == "table" and "a table with other keys" or describe.value(sse)
    return nil, "sse: expected a list of events, got " .. got
  end
  local pieces, pause = {}, 0
  for i = 1, #sse do
    local event, problem = event_of(sse[i])
    if problem then return nil, ("sse[%d]: %s"):format(i, problem) end
    if type(event) == "number" then
      pause = pause + event
    else
      pieces[#pieces + 1] = { pause = pause, bytes = event }
      pause = 0
    end
  end
  if not fail and ends_with_done(sse) and sse[#sse] ~= "[DONE]" then
    pieces[#pieces + 1] = { pause = pause, bytes = "data: [DONE]\n\n" }
  elseif pause > 0 then
    pieces[#pieces + 1] = { pause = pause, bytes = "" }
  end
  return pieces
end

-- Returns headers by lower-case name, as text; or nil and the problem.
local function headers_of(given)
  if type(given) ~= "table" then
    return nil, "headers: " .. describe.expected_type("a table of names and values", given)
  end
  local headers = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      return nil, 'headers: expected names and values, as in { ["x-name"] = "value" }, got a list'
    end
    if not name:find(check.TOKEN) then return nil, "headers: a name is no HTTP header name" end
    name = name:lower()
    if type(value) ~= "string" and type(value) ~= "number" then
      return nil, "headers." .. name .. ": " .. describe.expected_type("a string or a number", value)
    end
    value = tostring(value)
    if value:find("[%z\r\n]") then
      return nil, "headers." .. name .. ": contains a line break or another control character"
    end
    headers[name] = value
  end
  return headers
end

-- Returns why a failure is invalid, or impossible with the other fields.
local function failure_problem(fail, reply)
  local status = reply.status
  if type(fail) ~= "string" or not FAILURES[fail] then
    local near = type(fail) == "string" and describe.nearest(fail, CODES)
    return "unknown code " .. describe.value(fail) .. (near and ("; did you mean %s?"):format(near) or "")
  elseif fail == "deadline" then
    return "the deadline is an option of the client: set it, and give a longer delay here"
  elseif status and status >= 400 then
    return ("status %d is a failure already"):format(status)
  elseif fail == "idle_timeout" and not reply.sse then
    return '"idle_timeout" is the silence of a stream: it goes with sse'
  elseif fail == "timeout" and reply.sse then
    return '"timeout" passes before a stream begins; the silence of one is "idle_timeout"'
  elseif (UNSENT[fail] or UNANSWERED[fail]) and (status or reply.body or reply.sse) then
    return ('"%s" comes before any answer: leave out status, body and sse'):format(fail)
  end
  return nil
end

local function body_of(body, headers)
  if body == nil or type(body) == "string" then return body end
  if type(body) ~= "table" then return nil, "body: " .. expected("a string or a table", body) end
  local text, message = json.encode(body)
  if not text then return nil, "body: " .. message end
  headers["content-type"] = headers["content-type"] or "application/json"
  return text
end

-- Checks the fields that do not depend on others.
local function problem_of(reply)
  if type(reply) ~= "table" then return expected("a table", reply) end
  for name in pairs(reply) do
    if not is_field[name] then return (describe.unknown(name, FIELDS, "field"):gsub("^%.", "")) end
  end
  local status = reply.status
  if status ~= nil and not (type(status) == "number" and status % 1 == 0 and status >= 200 and status <= 999) then
    return "status: " .. expected("an integer from 200 to 999", status)
  end
  if reply.delay ~= nil and not is_seconds(reply.delay) then
    return "delay: " .. expected("a number of seconds >= 0", reply.delay)
  end
  if reply.sse ~= nil and reply.body ~= nil then return "sse: there is a body already" end
  local problem = reply.fail and failure_problem(reply.fail, reply)
  return problem and "fail: " .. problem or nil
end

---@class ofox.ScriptedReply  read-only
---@field status integer|nil  nil: there is no answer
---@field headers table<string, string>
---@field pieces {pause: number, bytes: string}[]  the body
---@field delay number  seconds before the first byte
---@field outcome string  the C call's name for the outcome
---@field sent boolean  the request has left
---@field silent boolean  the outcome is an expired limit of the client

--- Validates a reply given to mock:reply.
---@param reply any
---@return ofox.ScriptedReply|nil
---@return string|nil problem  in words, after the name of the field
function scripted.read(reply)
  local problem = problem_of(reply)
  if problem then return nil, problem end
  local fail = reply.fail or nil
  local headers, body, pieces
  headers, problem = headers_of(reply.headers or {})
  if not problem then body, problem = body_of(reply.body, headers) end
  if not problem and reply.sse ~= nil then pieces, problem = pieces_of(reply.sse, fail) end
  if problem then return nil, problem end
  if pieces then headers["content-type"] = headers["content-type"] or "text/event-stream" end
  if body and not fail then headers["content-length"] = headers["content-length"] or tostring(#body) end
  return {
    -- a failure has no answer, unless one is given
    status = reply.status or (not fail or body or pieces) and 200 or nil,
    headers = headers, pieces = pieces or { { pause = 0, bytes = body or "" } }, delay = reply.delay or 0,
    outcome = fail and FAILURES[fail] or "ANSWERED", sent = not UNSENT[fail],
    silent = fail ~= nil and fail:find("timeout") ~= nil,
  }
end

return scripted
