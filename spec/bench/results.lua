--- What a run has found out, as a file in Lua: spec/bench/recorded.lua.
--
-- date, versions: {name, version} each; left_out: what was not there;
-- rows, fronts: id -> client -> {value, ratio to the floor};
-- growth: id of a series -> client -> {size, CPU, memory} each.
local shell = require "shell"

local results = {}

results.PATH = "spec/bench/recorded.lua"

-- Sizes as they are, figures with four digits.
local function shown(value)
  if type(value) ~= "number" then return ("%q"):format(value) end
  if value % 1 == 0 and value < 1e7 then return ("%d"):format(value) end
  return ((("%.4g"):format(value):gsub("e%+?(-?)0*", "e%1")))
end

-- Is it a list, with no list in it?
local function is_flat(list)
  for key, value in pairs(list) do
    if type(key) ~= "number" or type(value) == "table" then return false end
  end
  return #list > 0
end

local write

-- The inside of a table, one line for each field.
local function write_fields(value, indent, out)
  local names = {}
  for name in pairs(value) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, item in ipairs(value) do out[#out + 1] = indent .. write(item, indent) .. ",\n" end
  for _, name in ipairs(names) do
    local key = name:find "^%a%w*$" and name or ("[%q]"):format(name)
    out[#out + 1] = ("%s%s = %s,\n"):format(indent, key, write(value[name], indent))
  end
end

function write(value, indent)
  if type(value) ~= "table" then return shown(value) end
  local out = {}
  if is_flat(value) then
    for i, item in ipairs(value) do out[i] = shown(item) end
    return "{ " .. table.concat(out, ", ") .. " }"
  end
  write_fields(value, indent .. "  ", out)
  return #out == 0 and "{}" or "{\n" .. table.concat(out) .. indent .. "}"
end

--- The text of the file.
function results.write(found)
  return "-- Written by make bench RECORD=1.\nreturn " .. write(found, "") .. "\n"
end

--- The recorded results; figures as they are recorded, of results just found.
function results.rounded(found)
  local compile = rawget(_G, "loadstring") or load
  return assert(compile(results.write(found)))()
end

function results.read()
  return dofile(results.PATH)
end

function results.record(found)
  shell.write(results.PATH, results.write(found))
end

return results
