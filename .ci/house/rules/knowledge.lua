--- Who may know libcurl, the system, Lua, the clock, the host: knowers.lua.
local knowers = require "knowers"

local function is_allowed(row, file)
  for _, unit in ipairs(row.who) do
    if unit == file.unit or unit == tostring(file.floor) .. "/" then return true end
  end
  return false
end

local function includes(row, file, tell)
  for _, include in ipairs(file.includes or {}) do
    for _, pattern in ipairs(row.includes) do
      if include.name:find(pattern) then tell(include.line, "includes " .. include.name) end
    end
  end
end

local function has(list, name)
  for _, one in ipairs(list) do
    if one == name then return true end
  end
  return false
end

local function is_field(code, at)
  local before = code[at - 1] and code[at - 1].text
  return before == "." or before == "->" or before == ":"
end

local function calls(row, file, tell)
  for at, token in ipairs(file.code) do
    local after = file.code[at + 1]
    if token.kind == "name" and has(row.calls, token.text) and after and after.text == "("
      and not is_field(file.code, at) then
      tell(token.line, "calls " .. token.text)
    end
  end
end

-- As a name, or by rawget(_G, "name").
local function globals(row, file, tell)
  for at, token in ipairs(file.code) do
    local before = file.code[at - 2]
    local is_got = token.kind == "string" and before and before.text == "_G"
    if (token.kind == "name" or is_got) and has(row.globals, token.text) and not is_field(file.code, at) then
      tell(token.line, "uses " .. token.text)
    end
  end
end

return function(house)
  local breaches = {}
  local function look(row, file)
    local function tell(line, what)
      local who = #row.who > 0 and "only " .. table.concat(row.who, ", ") or "no file"
      breaches[#breaches + 1] = ("%s:%d: %s %s; %s may know of %s"):format(file.path, line, file.unit or file.path,
        what, who, row.what)
    end
    if row.includes then includes(row, file, tell) end
    if row.calls and file.half == "c" then calls(row, file, tell) end
    if row.globals and file.half == "lua" then globals(row, file, tell) end
  end
  for _, row in ipairs(knowers) do
    for _, file in ipairs(house.files) do
      if not is_allowed(row, file) then look(row, file) end
    end
  end
  return breaches
end
