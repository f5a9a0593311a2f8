--- The file of a recording: a line of JSON for each attempt of a call. Converts what was
-- sent and received to such a line, and back; and says how a request is compared.
-- Knows nothing of transports, nor of which line answers what.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local json = require "ofox.json"
local secrets = require "ofox.request.secrets"

local recording = {}

local VERSION = 1

recording.FIRST_LINE = ('{"ofox_recording":%d}'):format(VERSION)

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

-- A server's cookie is as secret as a key. 'hides': the line before is a part of one,
-- which a line that begins with a blank goes on with. Returns that of this line, too.
local function hide_line(call, line, hides)
  local goes_on = line:find "^[ \t]" and not line:find "^%s*$"
  local name = not goes_on and line:match "^([^:%s]+)%s*:"
  if goes_on and hides then return " ***" .. line:match "[\r\n]*$", true end
  if name and (name:lower() == "set-cookie" or name:lower() == "set-cookie2") then
    return name .. ": ***" .. line:match "[\r\n]*$", true
  end
  return call:hide(line), false
end

--- Takes the moments of an attempt from a call, without what is secret.
---@param call userdata  call:record() came before
---@param now number
---@return ofox.RecordedMoment[]|nil  nil: no attempt has begun
function recording.moments(call, now)
  local list, pieces, began, ended, hides = {}, {}, nil, false, false
  for _, taped in ipairs(call:taped()) do
    local kind, at, flag, text, outcome = taped[1], taped[2], taped[3], taped[4], taped[5]
    if kind == "begin" then
      began, list, pieces, ended = at, {}, {}, false
    elseif began then
      if kind == "body" then pieces[#pieces + 1] = text end
      if kind == "head" then text, hides = hide_line(call, text, hides) end
      if kind == "end" then text = call:hide(text) end
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

-- Returns a moment, or nil and what is wrong.
local function moment_of(row)
  if type(row) ~= "table" then return nil, "unknown" end
  local at, kind = row[1], row[2]
  if type(at) ~= "number" or not (at >= 0 and at < math.huge) then return nil, "no time" end
  if kind == "connected" then return { at = at, kind = kind, flag = row[3] == true, text = "" } end
  if kind == "head" or kind == "body" then
    local text = unpacked(row[3])
    if not text then return nil, "no text" end
    return { at = at, kind = kind, flag = false, text = text }
  end
  if kind ~= "end" then return nil, "unknown" end
  if not OUTCOMES[row[3] or false] then return nil, "no outcome" end
  local detail = type(row[5]) == "string" and row[5] or ""
  return { at = at, kind = kind, outcome = row[3], flag = row[4] == true, text = detail }
end

local function moments_of(rows)
  local moments = {}
  for i = 1, #rows do
    local moment, problem = moment_of(rows[i])
    if moment and moment.kind == "end" and rows[i + 1] then problem = "no last one" end
    if problem then return nil, ("moments[%d]: %s"):format(i, problem) end
    moments[i] = moment
  end
  local last = moments[#moments]
  if not last or last.kind ~= "end" then return nil, "moments have no end" end
  return moments
end

local MEMBERS = { { "method", "string" }, { "path", "string" }, { "wall", "number" }, { "moments", "table" } }

--- Reads a line.
---@param text string
---@return ofox.RecordedAttempt|nil
---@return string|nil problem
function recording.read(text)
  local value, problem = json.decode(text)
  if value == nil then return nil, "no JSON: " .. problem end
  if type(value) ~= "table" then return nil, "no object" end
  for _, member in ipairs(MEMBERS) do
    if type(value[member[1]]) ~= member[2] then
      return nil, member[1] .. (member[1] == "moments" and " are missing" or " is missing")
    end
  end
  local body = unpacked(value.body)
  if value.body ~= nil and not body then return nil, "body is no text" end
  local moments, why = moments_of(value.moments)
  if not moments then return nil, why end
  return { method = value.method, path = value.path, body = body, wall = value.wall, moments = moments }
end

-- Returns what is wrong with the first line of a file, or nil.
local function first_problem(path, line)
  if line == recording.FIRST_LINE then return nil end
  local head = json.decode(line)
  local version = type(head) == "table" and head.ofox_recording
  if type(version) ~= "number" then return path .. " is no recording of ofox.mock.record" end
  if version == VERSION then return nil end
  return ("%s is a recording of version %g, and this ofox reads version %d"):format(path, version, VERSION)
end

--- Reads what is in a file.
---@param text string
---@param path string  of it
---@return ofox.RecordedAttempt[]|nil
---@return string|nil problem
function recording.read_all(text, path)
  if text == "" then return nil, path .. " is empty: no recording of ofox.mock.record" end
  local entries, number = {}, 0
  for line, ending in text:gmatch "([^\r\n]*)(\r?\n?)" do
    number = number + 1
    local entry, problem
    if number == 1 then
      problem = first_problem(path, line)
      if problem then return nil, problem end
    elseif line ~= "" then
      entry, problem = recording.read(line)
      if not entry and ending == "" then return nil, ("line %d of %s is cut off"):format(number, path) end
      if not entry then return nil, ("line %d of %s is no line of a recording: %s"):format(number, path, problem) end
      entry.line = number
      entries[#entries + 1] = entry
    end
  end
  return entries
end

return recording
