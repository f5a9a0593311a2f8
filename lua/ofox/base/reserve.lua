--- Files that may be needed later, when they may be inaccessible: they are read
-- now and compiled when first required. Most programs need few of them, and
-- compiling is what makes loading expensive.
-- Knows where the files of ofox are, but nothing of their contents.
require "ofox.base.uncompiled" ()
local reserve = {}

local SEPARATOR = package.config:sub(1, 1)

-- The folder that contains ofox/, as the program found it; an absolute path, if that
-- was relative and the directory at that time is known.
local folder = debug.getinfo(1, "S").source:match("^@(.*)ofox[/\\]base[/\\]reserve%.lua$")
local anchor

local load_text = rawget(_G, "loadstring") or load

-- Returns the text of a file, nil if there is none or it is a folder.
local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- The file that package.path leads to.
local function searched(name)
  local words = name:gsub("%.", SEPARATOR)
  for template in package.path:gmatch("[^;]+") do
    local path = template:gsub("%?", words)
    local text = read(path)
    if text then return path, text end
  end
  return nil
end

--- From now on the program may change its directory.
---@param cwd string  with the slash
function reserve.anchor(cwd)
  anchor = cwd
end

--- Returns the file of a module, if require would load the same one: it is next to
-- this one.
---@param name string
---@return string|nil text
---@return string|nil source  the file as named in tracebacks, whether it exists or not
function reserve.read(name)
  if not folder then return nil end
  local source = folder .. name:gsub("%.", SEPARATOR) .. ".lua"
  if anchor then return read(anchor .. source), source end
  local path, text = searched(name)
  return path == source and text or nil, source
end

-- name -> {source, text, before}: 'before' is a module to load first.
local kept = {}

--- Reads these modules. Modules without a file next to this one are loaded now.
---@param list string[]  names without "ofox."; each after the modules that it requires
function reserve.keep(list)
  local before
  for _, name in ipairs(list) do
    name = "ofox." .. name
    if kept[name] then
      before = name
    elseif package.loaded[name] == nil then
      local text, source
      if not package.preload[name] then text, source = reserve.read(name) end
      if text then
        kept[name] = { source = source, text = text, before = before }
        before = name
      else
        require(name)
      end
    end
  end
end

local function load(name)
  local file = kept[name]
  if not file then return end
  if package.loaded[name] == nil then
    if file.before then load(file.before) end
    local chunk, message = load_text(file.text, "@" .. file.source)
    if not chunk then error(message, 0) end
    package.loaded[name] = chunk(name)
  end
  kept[name] = nil
end

--- Like the global require, which it calls for modules that are not kept.
---@param name string
---@return any module
function reserve.require(name)
  load(name)
  return package.loaded[name] or require(name)
end

--- Returns a module of a folder of which all have the same shape: the caller knows no
-- names.
---@param shelf string  without "ofox."
---@param name string
---@return any module
function reserve.one_of(shelf, name)
  return reserve.require("ofox." .. shelf .. "." .. name)
end

--- Loads all kept modules.
function reserve.load_all()
  local names = {}
  for name in pairs(kept) do names[#names + 1] = name end
  for _, name in ipairs(names) do load(name) end
end

return reserve
