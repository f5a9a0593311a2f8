--- How messages describe a value, and what is wrong with it. No text made here
-- reveals more of a value than needed to identify it. Knows nothing of options, or
-- of what is checked.
local describe = {}

local HUGE = math.huge

--- Describes a value for a message; for options that are not secret.
---@param value any
---@return string
function describe.value(value)
  local kind = type(value)
  if kind == "number" then
    if value ~= value then return "NaN" end
    if value == HUGE or value == -HUGE then return value > 0 and "infinity" or "-infinity" end
    return tostring(value)
  elseif kind == "string" then
    if #value > 40 or value:find("[%z\1-\31\127-\255]") then return ("a string of %d bytes"):format(#value) end
    return '"' .. value .. '"'
  elseif kind == "nil" or kind == "boolean" then
    return tostring(value)
  end
  return "a " .. kind
end

--- For values that are not secret: shows the value.
---@param what string
---@param value any
---@return string problem
function describe.expected(what, value)
  return ("expected %s, got %s"):format(what, describe.value(value))
end

--- For values that may contain a secret: shows only the type.
---@param what string
---@param value any
---@return string problem
function describe.expected_type(what, value)
  return ("expected %s, got %s"):format(what, value == nil and "nil" or "a " .. type(value))
end

-- How many letters were added, lost or changed, or have changed places with the next one.
local function distance(a, b)
  local before, above, row -- rows of the matrix
  row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    before, above, row = above, row, { [0] = i }
    for j = 1, #b do
      local x, y = a:byte(i), b:byte(j)
      row[j] = math.min(above[j - 1] + (x == y and 0 or 1), above[j] + 1, row[j - 1] + 1)
      if i > 1 and j > 1 and x == b:byte(j - 1) and y == a:byte(i - 1) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- Returns the name that was probably meant, if one is similar: maxRetries, time_out.
---@param name string
---@param names string[]
---@return string|nil
function describe.nearest(name, names)
  local function plain(word) return (word:lower():gsub("[^%w]", "")) end
  local wanted = plain(name)
  local best, least
  for _, candidate in ipairs(names) do
    local d = distance(wanted, plain(candidate))
    if d <= 3 and d * 3 <= #candidate and (not least or d < least) then best, least = candidate, d end
  end
  return best
end

--- Reports an unknown field of a table.
---@param name any  the key
---@param names string[]  the known ones
---@param what string  what the keys are, e.g. "option"
---@return string problem
function describe.unknown(name, names, what)
  if type(name) ~= "string" then return ("expected named %ss, got a list"):format(what) end
  local shown = #name <= 40 and name:find("^[A-Za-z_][A-Za-z0-9_.-]*$")
  local near = shown and describe.nearest(name, names)
  return (shown and "." .. name .. ": " or "") .. "unknown " .. what
    .. (near and ("; did you mean %s?"):format(near) or "")
end

--- Puts the name of the checked value before a problem; if the problem starts with
-- a path inside the value, the two are joined into one path.
---@param name string
---@param problem string
---@return string
function describe.place(name, problem)
  return name .. (problem:find("^[.%[]") and "" or ": ") .. problem
end

return describe
