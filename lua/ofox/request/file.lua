--- Files in params: what a program says of them. Nothing is opened here.
require "ofox.base.uncompiled" ()
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"

local file = {}

---@class ofox.FileOptions  what the server is told of a file
---@field name? string
---@field type? string  the media type

---@class ofox.FileBytes: ofox.FileOptions
---@field bytes string

---@class ofox.File  goes into params where a file is meant
local File = {}
File.__index = File
File.__name = "ofox.file"

-- The key of a file's only field: a function that returns what is known of it, so
-- that a dump does not show the bytes.
local KNOWN = {}

-- Types by the end of the name, where a program gives none.
local TYPES = {
  png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg", webp = "image/webp", gif = "image/gif",
  mp3 = "audio/mpeg", mpga = "audio/mpeg", m4a = "audio/mp4", wav = "audio/wav", flac = "audio/flac",
  ogg = "audio/ogg", oga = "audio/ogg", opus = "audio/ogg", webm = "video/webm", mp4 = "video/mp4",
  mpeg = "video/mpeg", mov = "video/quicktime", pdf = "application/pdf", json = "application/json",
  jsonl = "application/jsonl", txt = "text/plain", csv = "text/csv",
}

local CONTROL = "[%z\1-\31\127]"
local FIELDS = { "bytes", "name", "type" }

local function check_text(value, what)
  if type(value) ~= "string" then return describe.expected_type(what, value) end
  if value == "" then return ("expected %s, got an empty string"):format(what) end
  if value:find(CONTROL) then return "contains a control character" end
  return nil
end

local function check_fields(given, known)
  for name in pairs(given) do
    local found = false
    for _, one in ipairs(known) do found = found or one == name end
    if not found then return describe.unknown(name, known, "field") end
  end
  if given.name ~= nil then
    local problem = check_text(given.name, "the name of a file")
    if problem then return ".name: " .. problem end
  end
  if given.type ~= nil then
    local problem = check_text(given.type, "a media type")
    if not problem and not given.type:find("^[^%s/;]+/[^%s/;]+") then
      problem = describe.expected('a media type like "image/png"', given.type)
    end
    if problem then return ".type: " .. problem end
  end
  return nil
end

local function of_bytes(given)
  if given.path ~= nil then
    return nil, ".path: unknown field; a path is given as ofox.file(path, {name = …, type = …})"
  end
  local problem = check_fields(given, FIELDS)
  if problem then return nil, problem end
  if type(given.bytes) ~= "string" then return nil, ".bytes: " .. describe.expected_type("a string", given.bytes) end
  return { bytes = given.bytes, name = given.name or "file", type = given.type }
end

local function of_path(path, more)
  local problem = check_text(path, "a path, or a table with bytes")
  if problem then return nil, "path: " .. problem end
  if more ~= nil and type(more) ~= "table" then
    return nil, "the second argument: " .. describe.expected_type("a table", more)
  end
  problem = check_fields(more or {}, { "name", "type" })
  if problem then return nil, problem end
  local name = path:match("[^/\\]*$")
  local cwd = not path:find("^/") and core.cwd()
  return {
    path = cwd and cwd .. "/" .. path or path, -- the program may change its directory before the call
    name = more and more.name or name ~= "" and name or "file",
    type = more and more.type,
  }
end

--- Stands for a file in params: one on the disk, or bytes. A request with one is sent
-- as multipart/form-data.
---@param source string|ofox.FileBytes  a path, or the bytes
---@param more? ofox.FileOptions  of a path
---@return ofox.File
function file.new(source, more)
  local known, problem
  if type(source) == "table" then known, problem = of_bytes(source) else known, problem = of_path(source, more) end
  if type(source) == "table" and more ~= nil then
    problem = "the second argument: a table with bytes has all fields itself"
  end
  if problem then error("ofox.file: " .. (problem:gsub("^%.", "")), 2) end
  local extension = (known.name:match("%.([^.]+)$") or ""):lower()
  known.type = known.type or TYPES[extension] or "application/octet-stream"
  return setmetatable({ [KNOWN] = function() return known end }, File)
end

--- Says where a file belongs that stands for the whole of a request.
---@param field? string  where a file is meant
---@return string problem
function file.misplaced(field)
  return ("a file belongs in a field, as in {%s = ofox.file(path)}"):format(field or "file")
end

--- Returns what is known of a file.
---@param value any
---@return {path?: string, bytes?: string, name: string, type: string}|nil known  read-only; nil: it is no file
function file.known(value)
  local get = type(value) == "table" and getmetatable(value) == File and rawget(value, KNOWN)
  return get and get() or nil
end

function File:__tostring()
  return "ofox.file: " .. self[KNOWN]().name
end

return file
