--- Finds a C module of ofox, built for this Lua: in a clone it is in
-- build/<abi>/ofox/, installed it is where package.cpath leads.
local lua = require "ofox.base.lua"
local try = require "ofox.base.try"

-- The folder that contains ofox/, and the clone if it is in one.
local folder = debug.getinfo(1, "S").source:match("^@(.*)ofox[/\\]base[/\\]native%.lua$")
local clone = folder and folder:match("^(.*)lua[/\\]$")

-- Where the C modules are, if known.
local pattern = clone and clone .. "build/" .. lua.ABI .. "/ofox/%s.so"

local function exists(path)
  local f = path and io.open(path, "rb")
  if f then f:close() end
  return f ~= nil
end

local function load(module, name, path)
  if not path then return try(require, module) end
  local open, message = package.loadlib(path, "luaopen_ofox_" .. name)
  if not open then return false, message end
  local ok, result = try(open, module)
  if ok then package.loaded[module] = result end
  return ok, result
end

--- Loads ofox.<name> ("core", "engine" or "redis"), or raises one clear sentence.
return function(name)
  local module = "ofox." .. name
  if package.loaded[module] then return package.loaded[module] end
  local path = pattern and pattern:gsub("%%s", name)
  if not exists(path) then path = nil end
  local ok, result = load(module, name, path)
  if not ok then error(require "ofox.base.unbuilt"(name, result, clone, path ~= nil), 0) end
  -- the program may change its directory
  if name == "core" and not (path and folder:find("^/")) then
    pattern = require "ofox.base.anchor"(result.cwd(), folder, path and pattern) or pattern
  end
  return result
end
