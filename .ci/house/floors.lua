--- The floors of the house, lowest first. What stands on one may know what
-- stands below, and its own floor without a circle.
local floors = {}

--- C: the folders of src/.
floors.c = { "base", "wire", "policy", "call", "io", "redis", "lua" }

--- Lua: the rooms of lua/ofox/. A room is a folder, or a file beside the
-- folders, or both (mock.lua and mock/). Rooms of one floor do not know each
-- other.
floors.lua = {
  { "base" },
  { "errors", "hints", "json", "prometheus", "resources" },
  { "answer", "task" },
  { "store" },
  { "loop", "request" },
  { "call", "mock", "sse", "tools" },
  { "client", "retry" },
  { "doctor", "scrape" },
  { "init", "health", "later", "preload" },
}

--- But these do: from -> to.
floors.neighbours = {
  errors = { hints = true }, -- an error gives the hint for itself
  init = { later = true, preload = true }, -- what is asked for later; where nginx starts, all is loaded
}

--- Rooms that no program loads: annotations.
floors.outside = { types = true }

--- The module of Lua through which all others reach C.
floors.loader = "ofox.base.native"

--- The one that keeps files until they are required.
floors.reserve = "ofox.base.reserve"

--- The C modules: the file that opens each, and the floors that it has whole.
-- Of other floors it has what is called from there.
floors.modules = {
  ["ofox.core"] = { opens = "lua/lcore", whole = { "base", "wire", "policy", "call" } },
  ["ofox.engine"] = { opens = "lua/lengine", whole = { "base", "wire", "policy", "call", "io" } },
  ["ofox.redis"] = { opens = "lua/lredis", whole = { "redis" } },
}

local function ranks(list)
  local rank = {}
  for i, row in ipairs(list) do
    for _, name in ipairs(type(row) == "table" and row or { row }) do rank[name] = i end
  end
  return rank
end

--- Name of a floor or room -> how high it is, from 1.
floors.rank = { c = ranks(floors.c), lua = ranks(floors.lua) }

--- The half of the house, and the floor or room, that a path belongs to; nil
-- for what is no part of the house.
---@return string|nil half  "c" or "lua"
---@return string|nil name  nil where the file stands on no floor
function floors.of(path)
  if path:find("^src/.*%.[ch]$") then return "c", path:match("^src/([^/]+)/") end
  local inside = path:match("^lua/ofox/(.+)%.lua$")
  if inside then return "lua", inside:match("^[^/]+") end
end

return floors
