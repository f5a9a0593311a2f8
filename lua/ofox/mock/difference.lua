--- Compares what is sent with what was recorded: JSON and the parts of a form by
-- their values, anything else byte by byte; and words where both differ.
-- Knows nothing of files, or of which line answers what.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local json = require "ofox.json"

local difference = {}

---@class ofox.Difference
---@field count integer  of the places that differ; 0: none does
---@field place string|nil  the first of them
---@field a any  what is there
---@field b any

-- The name, the file name and the type in the header of a part.
local function part_of(head, content)
  local disposition, type
  for line in (head .. "\r\n"):gmatch("(.-)\r\n") do
    local name, value = line:match("^([%w-]+):%s*(.*)$")
    name = name and name:lower()
    if name == "content-disposition" then disposition = ";" .. value elseif name == "content-type" then type = value end
  end
  local name = disposition and disposition:match(';%s*name="([^"]*)"')
  local filename = disposition and disposition:match(';%s*filename="([^"]*)"')
  if not name then return nil end
  return name, (filename or type) and { filename = filename, type = type, content = content } or content
end

-- The parts of a form by their names, a second one of a name as NAME[2]; nil if it is
-- no form. Its boundary is not among them.
local function form_of(body)
  local line = body:match("^%-%-[^\r\n]+\r\n")
  if not line then return nil end
  local boundary, parts, counts, from = "\r\n" .. line:sub(1, -3), {}, {}, #line + 1
  while true do
    local head_ends, content_from = body:find("\r\n\r\n", from, true)
    local ends, next_from = body:find(boundary, content_from and content_from + 1 or from, true)
    if not head_ends or not ends then return nil end
    local name, part = part_of(body:sub(from, head_ends - 1), body:sub(content_from + 1, ends - 1))
    if not name then return nil end
    counts[name] = (counts[name] or 0) + 1
    parts[counts[name] == 1 and name or ("%s[%d]"):format(name, counts[name])] = part
    local rest = body:sub(next_from + 1, next_from + 2)
    if rest == "--" then return parts elseif rest ~= "\r\n" then return nil end
    from = next_from + 3
  end
end

-- The body as a table, of a request once; nil if it is no such body.
local function value_of(request)
  if request.value == nil then
    local value = request.body and (json.decode(request.body) or form_of(request.body))
    request.value = type(value) == "table" and value or false
  end
  return request.value or nil
end

local note

-- Notes the members that differ, and those of one side alone.
local function note_members(found, place, a, b)
  local keys = {}
  for key in pairs(a) do keys[#keys + 1] = key end
  for key in pairs(b) do
    if a[key] == nil then keys[#keys + 1] = key end
  end
  table.sort(keys, function(x, y)
    if type(x) == type(y) then return x < y end
    return type(x) == "number"
  end)
  for _, key in ipairs(keys) do
    local inside = type(key) == "number" and ("%s[%d]"):format(place, key)
      or (place == "" and "" or place .. ".") .. tostring(key)
    note(found, inside, a[key], b[key])
  end
end

function note(found, place, a, b)
  if type(a) == "table" and type(b) == "table" then return note_members(found, place, a, b) end
  if a == b then return end
  found.count = found.count + 1
  if found.count == 1 then found.place, found.a, found.b = place, a, b end
end

--- Compares two bodies.
---@param a {body: string|nil}
---@param b {body: string|nil}
---@return ofox.Difference
function difference.of(a, b)
  local found = { count = 0 }
  if a.body == b.body then return found end
  local x, y = value_of(a), value_of(b)
  if x and y then note(found, "", x, y) else note(found, "the body", a.body, b.body) end
  return found
end

--- Returns the first byte that differs; 1 if not both are texts.
---@param a any
---@param b any
---@return integer
function difference.byte(a, b)
  if type(a) ~= "string" or type(b) ~= "string" then return 1 end
  local at = 1
  while at <= #a and a:byte(at) == b:byte(at) do at = at + 1 end
  return at
end

local MUCH = 30 -- bytes of a value that are shown

-- A value, or the part of a text from a little before the byte where it differs.
local function shown(value, at)
  if value == nil then return "absent" end
  if type(value) == "table" then return "a table" end
  if type(value) ~= "string" then return tostring(value) end
  if core.parts.utf8_clean(value) ~= value then return ("%d bytes"):format(#value) end
  local from = math.max(1, at - 10)
  local text = value:sub(from, from + MUCH - 1):gsub("^[\128-\191]+", ""):gsub("[\192-\255][\128-\191]*$", "")
  text = text:gsub("[%z\1-\31\127]", "?")
  return (from > 1 and "…" or "") .. '"' .. text .. '"' .. (from + MUCH - 1 < #value and "…" or "")
end

--- Says where two bodies differ.
---@param found ofox.Difference
---@return string
function difference.words(found)
  local at = difference.byte(found.a, found.b)
  local a, b = shown(found.a, at), shown(found.b, at)
  local words = ("%s is %s there, and %s here"):format(found.place, a, b)
  if a == b then words = ("%s; they differ at byte %d"):format(words, at) end
  return found.count == 1 and words or ("%s; %d more differ"):format(words, found.count - 1)
end

return difference
