--- Stores places that relative paths lead to as absolute paths: the program may
-- change its directory. Neither package.path nor package.cpath is changed.
local reserve = require "ofox.base.reserve"

local searchers = rawget(package, "searchers") or rawget(package, "loaders")

local FIRST = 2 -- after package.preload: from another directory the path may lead to another ofox

local function is_relative(path)
  return path ~= nil and not path:find("^[/\\]") and not path:find("^%a:[/\\]")
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- The file that package.cpath leads to, as a pattern for all files of its kind.
local function on_cpath()
  local separator = package.config:sub(1, 1)
  for template in package.cpath:gmatch("[^;]+") do
    local pattern = template:gsub("%?", "ofox" .. separator .. "%%s")
    if exists((pattern:gsub("%%s", "core"))) then return pattern end
  end
  return nil
end

local load_text = rawget(_G, "loadstring") or load

-- Makes require find modules whose names begin with "ofox." there. Their chunks get
-- the same source names as those already loaded.
local function search_in(cwd)
  reserve.anchor(cwd)
  table.insert(searchers, FIRST, function(name)
    if type(name) ~= "string" or not name:find("^ofox%.[%w_.]+$") then return nil end
    local text, source = reserve.read(name)
    if not text then return "\n\tno file '" .. cwd .. source .. "'" end
    return assert(load_text(text, "@" .. source)), cwd .. source
  end)
end

---@param cwd string|nil
---@param folder string|nil  that ofox/ is in, with the slash
---@param pattern string|nil  path of the C halves, with %s for their names; nil if package.cpath led to them
---@return string|nil pattern  the same, absolute; nil if it was not relative
return function(cwd, folder, pattern)
  if not cwd then return nil end
  cwd = cwd:gsub("/$", "") .. "/"
  if searchers and is_relative(folder) then search_in(cwd) end
  pattern = pattern or on_cpath()
  return is_relative(pattern) and cwd .. pattern or nil
end
