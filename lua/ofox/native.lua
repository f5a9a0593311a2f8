--- Finds a C half of ofox, built for this Lua: in a clone it stands in
-- build/<abi>/ofox/, installed it is where package.cpath leads.
local try = require "ofox.try"

local ABI = rawget(_G, "jit") and "jit" or _VERSION:match("%d+%.%d+")

local here = debug.getinfo(1, "S").source:match("^@(.*)lua[/\\]ofox[/\\]native%.lua$")

local function exists(path)
  local f = io.open(path, "rb")
  if f then f:close() end
  return f ~= nil
end

local function other_builds(name)
  local found = {}
  for _, abi in ipairs { "5.1", "jit", "5.2", "5.3", "5.4" } do
    if here and exists(here .. "build/" .. abi .. "/ofox/" .. name .. ".so") then
      found[#found + 1] = abi
    end
  end
  return table.concat(found, ", ")
end

local THIS = rawget(_G, "jit") and "LuaJIT" or _VERSION

local function explain(name, message, tried)
  message = tostring(message)
  if message:find("undefined symbol: _?luaL?_") or message:find("was built for", 1, true)
    or message:find("multiple Lua VMs", 1, true) or message:find("version mismatch", 1, true) then
    return ("ofox.%s was built for another Lua than this one, which is %s; build it again with: make LUA=%s")
      :format(name, THIS, ABI)
  end
  local others = other_builds(name)
  if others ~= "" and not tried then
    return ("ofox.%s is built for %s only, and this is %s; build it with: make LUA=%s")
      :format(name, others, THIS, ABI)
  end
  if message:find("^module '[^']*' not found") then
    return ("ofox.%s is not built for this Lua, which is %s; build it with: make LUA=%s"):format(name, THIS, ABI)
  end
  return message
end

--- Loads ofox.<name> ("core" or "engine"), or raises one clear sentence.
return function(name)
  local module = "ofox." .. name
  if package.loaded[module] then return package.loaded[module] end
  local path = here and here .. "build/" .. ABI .. "/ofox/" .. name .. ".so"
  local built = path and exists(path)
  local ok, result
  if built then
    local open, message = package.loadlib(path, "luaopen_ofox_" .. name)
    if open then
      ok, result = try(open, module)
    else
      ok, result = false, message
    end
    if ok then package.loaded[module] = result end
  else
    ok, result = try(require, module)
  end
  if not ok then error(explain(name, result, built), 0) end
  return result
end
