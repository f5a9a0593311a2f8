--- The file of a recording: a line of JSON for each attempt of a call. Converts what was
-- sent and received to such a line, and back; and says how a request is compared.
-- Knows nothing of transports, nor of which line answers what.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local json = require "ofox.json"
local secrets = require "ofox.request.secrets"

local recording = {}

recording.FIRST_LINE = '{"ofox_recording":1}'

---@class ofox.RecordedMoment
---@field at number  seconds since the attempt began
---@field kind "connected"|"head"|"body"|"end"
---@field flag boolean  connected: to a connection that was used before; end: a byte was sent
---@field text string  the line, the bytes, or the detail
---@field outcome string|nil  of an end: the C call's name for it

---@class ofox.RecordedAttempt
---@field method string
---@field path string  and the query; without what is secret
---@field body string|nil  without what is secret
---@field wall number  when it began, in seconds since 1970
---@field moments ofox.RecordedMoment[]
---@field line integer|nil  its place in the file

--- Returns what a request is compared by: no key, and no host.
---@param call userdata  which knows its secrets
---@param attempt {method: string, url: string, body: string|nil}
---@return {method: string, path: string, body: string|nil}
function recording.request(call, attempt)
  local path = attempt.url:match("^%a[%w+.-]*://[^/?#]*([^#]*)") or attempt.url
  path = path:gsub("([?&])([^&=]*)=([^&]*)", function(before, name)
    if secrets.is_secret_name(name) then return before .. name .. "=***" end
  end)
  return { method = attempt.method, path = call:hide(path), body = attempt.body and call:hide(attempt.body) }
end

-- A server's cookie is as secret as a key.
local function hide_line(call, line)
  local name = line:match("^%s*([^:%s]+)%s*:")
  if name and (name:lower() == "set-cookie" or name:lower() == "set-cookie2") then
    return name .. ": ***" .. line:match("[\r\n]*$")
  end
  return call:hide(line)
end

--- Takes the moments of an attempt from a call, without what is secret.
---@param call userdata  call:record() came before
---@param now number
---@return ofox.RecordedMoment[]|nil  nil: no attempt has begun
function recording.moments(call, now)
  local list, pieces, began, ended = {}, {}, nil, false
  for _, taped in ipairs(call:taped()) do
    local kind, at, flag, text, outcome = taped[1], taped[2], taped[3], taped[4], taped[5]
    if kind == "begin" then
      began, list, pieces, ended = at, {}, {}, false
    elseif began then
      if kind == "body" then pieces[#pieces + 1] = text end
      if kind == "head" then text = hide_line(call, text) elseif kind == "end" then text = call:hide(text) end
      ended = ended or kind == "end"
      list[#list + 1] = { at = at - began, kind = kind, flag = flag, text = text, outcome = outcome }
    end
  end
  if not began then return nil end
  -- a secret may begin in one piece and end in another
  local body, from = call:hide(table.concat(pieces), true), 1
  for _, moment in ipairs(list) do
    if moment.kind == "body" then
      moment.text = body:sub(from, from + #moment.text - 1)
      from = from + #moment.text
    end
  end
  if not ended then -- the stream was over, or the program has ended the call
    local is_over = call:state() == "done" and not call:failed()
    list[#list + 1] = { at = is_over and list[#list] and list[#list].at or now - began, kind = "end", flag = true,
      text = "", outcome = is_over and "ANSWERED" or "CANCELLED" }
  end
  return list, began
end

-- JSON has no bytes that are no UTF-8.
local function packed(bytes)
  if bytes == nil or json.encode(bytes) then return bytes end
  return { base64 = core.parts.base64_encode(bytes) }
end

local function unpacked(value)
  if type(value) == "table" and type(value.base64) == "string" then
    return (core.parts.base64_decode(value.base64))
  end
  return type(value) == "string" and value or nil
end

local function seconds(number)
  return math.floor(number * 1e6 + 0.5) / 1e6
end

--- Returns the line of an attempt.
---@param entry ofox.RecordedAttempt
---@return string
function recording.line(entry)
  local moments = {}
  for i, moment in ipairs(entry.moments) do
    local row = { seconds(moment.at), moment.kind }
    if moment.kind == "connected" then
      row[3] = moment.flag
    elseif moment.kind == "end" then
      row[3], row[4], row[5] = moment.outcome, moment.flag, moment.text
    else
      row[3] = packed(moment.text)
    end
    moments[i] = row
  end
  return assert(json.encode { method = entry.method, path = entry.path, body = packed(entry.body),
    wall = seconds(entry.wall), moments = json.list(moments) })
end

local OUTCOMES = {}
for _, outcome in ipairs(core.outcomes) do OUTCOMES[outcome.name:upper()] = true end
OUTCOMES.ANSWERED = true

local function moment_of(row)
  if type(row) ~= "table" or type(row[1]) ~= "number" then return nil end
  local at, kind = row[1], row[2]
  if kind == "connected" then return { at = at, kind = kind, flag = row[3] == true, text = "" } end
  if kind == "head" or kind == "body" then
    local text = unpacked(row[3])
    return text and { at = at, kind = kind, flag = false, text = text }
  end
  if kind ~= "end" or not OUTCOMES[row[3] or false] then return nil end
  local detail = type(row[5]) == "string" and row[5] or ""
  return { at = at, kind = kind, outcome = row[3], flag = row[4] == true, text = detail }
end

--- Reads a line.
---@param text string
---@return ofox.RecordedAttempt|nil
function recording.read(text)
  local value = json.decode(text)
  if type(value) ~= "table" or type(value.moments) ~= "table" then return nil end
  local entry = { method = value.method, path = value.path, body = unpacked(value.body), wall = value.wall,
    moments = {} }
  if type(entry.method) ~= "string" or type(entry.path) ~= "string" or type(entry.wall) ~= "number" then
    return nil
  end
  for i = 1, #value.moments do
    entry.moments[i] = moment_of(value.moments[i])
    if not entry.moments[i] then return nil end
  end
  local last = entry.moments[#entry.moments]
  return last and last.kind == "end" and entry or nil
end

return recording
