--- The checks of options that are tables or objects, like those of
-- ofox.request.checks; few calls have any. A problem that starts with "." or "["
-- names the position in the value.
require "ofox.base.uncompiled" ()
local check = require "ofox.request.checks"
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

local table_check = {}

local callable, expected, expected_type = check.callable, describe.expected, describe.expected_type

local HUGE = math.huge

-- Formats a finite number for a header or a URL, else returns nil.
local function number_text(value)
  if value ~= value or value == HUGE or value == -HUGE then return nil end
  local plain = tostring(value)
  if plain:find("^%-?%d+$") then return plain end
  if value % 1 == 0 and math.abs(value) < 1e16 then return ("%.0f"):format(value) end
  return (("%.14g"):format(value):gsub(",", "."))
end

-- Headers that ofox or the transport sets: a second length of a body would allow
-- request smuggling.
local OWN_HEADERS = {
  ["content-length"] = "is set by ofox",
  ["transfer-encoding"] = "is set by ofox",
  ["expect"] = "is never sent",
  ["idempotency-key"] = "is the option idempotency_key of a call",
}

local function header_value(value)
  if value == false or callable(value) then return nil, value end
  if type(value) == "number" then
    local number = number_text(value)
    return not number and expected("a finite number", value) or nil, number
  end
  if type(value) ~= "string" then
    return expected_type("a string, a number, a function, or false to remove it", value)
  end
  if value:gsub("\t", ""):find(check.CONTROL) then
    return "contains a line break or another control character"
  end
  return nil, value:match("^[ \t]*(.-)[ \t]*$")
end

--- Checks what a function returned for a header of one attempt.
---@param value any  nil and false: it is not sent
---@return string|nil problem
---@return string|false|nil text
function table_check.given_header(value)
  if value == nil then return nil, nil end
  if value ~= false and type(value) ~= "string" and type(value) ~= "number" then
    return expected_type("a string, a number, or nil for none", value)
  end
  return header_value(value)
end

--- Checks a table of headers.
---@param value any
---@return string|nil problem
---@return table<string, string|function|false>|nil headers  by lower-case name
function table_check.headers(value)
  if type(value) ~= "table" then return expected_type("a table of names and values", value) end
  local out = {}
  for name, field in pairs(value) do
    if type(name) ~= "string" then
      return "expected names and values, as in { [\"x-name\"] = \"value\" }, got a list"
    end
    if not name:find(check.TOKEN) then return "a name is no HTTP header name" end
    local key = name:lower()
    if OWN_HEADERS[key] then return "." .. key .. ": " .. OWN_HEADERS[key] end
    if out[key] ~= nil then return "." .. key .. ": is given twice" end
    local problem, kept = header_value(field)
    if problem then return "." .. key .. ": " .. problem end
    out[key] = kept
  end
  return nil, out
end

local function query_value(value)
  local kind = type(value)
  if kind == "string" or kind == "boolean" then return tostring(value) end
  return kind == "number" and number_text(value) or nil
end

-- Returns each value as a list of strings, or nil.
local function query_list(field)
  if type(field) ~= "table" then
    local value = query_value(field)
    return value and { value }
  end
  local list = {}
  for i = 1, #field do
    list[i] = query_value(field[i])
    if not list[i] then return nil end
  end
  return (#list > 0 or next(field) == nil) and list or nil
end

--- Checks a table of query parameters. Values are strings, numbers, booleans
-- or lists of them.
---@param value any
---@return string|nil problem
---@return table<string, string[]>|nil query
function table_check.query(value)
  if type(value) ~= "table" then return expected_type("a table of names and values", value) end
  local out = {}
  for name, field in pairs(value) do
    if type(name) ~= "string" or name == "" then
      return "expected names and values, as in { name = \"value\" }, got a list"
    end
    out[name] = query_list(field)
    if not out[name] then
      return (name:find("^[A-Za-z_][A-Za-z0-9_-]*$") and "." .. name .. ": " or "")
        .. "expected a string, a finite number, a boolean or a list of them"
    end
  end
  return nil, out
end

function table_check.fallback(value)
  if type(value) ~= "table" then return expected("a list of model ids", value) end
  local out = {}
  for i = 1, #value do
    if type(value[i]) ~= "string" or value[i] == "" then
      return ("[%d]: %s"):format(i, expected("a model id", value[i]))
    end
    out[i] = value[i]
  end
  for key in pairs(value) do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 or key > #out then
      return "expected a list of model ids, got a table with other keys"
    end
  end
  return nil, out
end

-- The largest number of each field; 'whole': a whole number.
local PACE = {
  { name = "rpm", most = 1e6 }, { name = "tpm", most = 1e9 }, { name = "burst", most = 1e6, whole = true },
  { name = "concurrent", most = 65535, whole = true },
}

local BREAKER = {
  { name = "ratio", most = 1 }, { name = "min_calls", most = 1e6, whole = true }, { name = "window", most = 86400 },
  { name = "open", most = 86400 }, { name = "probes", most = 1000, whole = true },
}

local function number_problem(row, value)
  if value == nil then return nil end
  local is_fit = type(value) == "number" and value >= (row.whole and 1 or 1e-3) and value <= row.most
    and (not row.whole or value % 1 == 0)
  if is_fit then return nil end
  local wanted = row.whole and "a whole number from 1 to %.0f" or "a number above 0, at most %.0f"
  return "." .. row.name .. ": " .. expected(wanted:format(row.most), value)
end

-- Checks true, false, or a table with such fields; 'shown' says which.
local function numbers(rows, shown, value)
  if type(value) == "boolean" then return nil, value end
  if type(value) ~= "table" then return expected("true, or a table with " .. shown, value) end
  local out, names = {}, {}
  for i, row in ipairs(rows) do
    local problem = number_problem(row, value[row.name])
    if problem then return problem end
    out[row.name], names[i] = value[row.name], row.name
  end
  for name in pairs(value) do
    if out[name] == nil then return describe.unknown(name, names, "field") end
  end
  return nil, out
end

--- Checks a pace: true, false, or limits.
function table_check.pace(value)
  local problem, out = numbers(PACE, "rpm, tpm, burst or concurrent", value)
  if type(out) == "table" and not (out.rpm or out.tpm or out.concurrent) then
    problem = "expected rpm, tpm or concurrent in it"
  end
  if problem then return problem end
  return nil, out
end

--- Checks a breaker: true, false, or limits.
function table_check.breaker(value)
  return numbers(BREAKER, "ratio, min_calls, window, open or probes", value)
end

local function hedge_problem(after, field)
  if type(after) == "number" and after > 0 and after < HUGE then return nil end
  local what = "a finite number of seconds > 0"
  if not field then what = what .. ", a table with after and model, or false" end
  return (field or "") .. expected(what, after)
end

--- Checks a hedge: seconds, or a table with them and a model; false: none.
function table_check.hedge(value)
  if value == false then return nil, false end
  if type(value) ~= "table" then return hedge_problem(value), { after = value } end
  for name in pairs(value) do
    if name ~= "after" and name ~= "model" then return describe.unknown(name, { "after", "model" }, "field") end
  end
  local problem = hedge_problem(value.after, ".after: ")
  if problem then return problem end
  if value.model ~= nil and (type(value.model) ~= "string" or value.model == "") then
    return ".model: " .. expected("a model id", value.model)
  end
  return nil, { after = value.after, model = value.model }
end

--- The fields of a policy.
table_check.POLICY = { "base", "factor", "max_delay", "max_server_delay", "jitter", "statuses", "seed" }

--- Extends what the core said about a policy with the name that an unknown field
-- probably meant.
---@param problem string
---@param names string[]  the known ones
---@return string
function table_check.policy_problem(problem, names)
  local name = problem:match("^retry%.(.*): unknown field$")
  if not name then return problem end
  return describe.place("retry", describe.unknown(name, names, "field"))
end

-- The policy is parsed by the same C code that will use it.
function table_check.retry(value)
  if type(value) ~= "string" and type(value) ~= "table" then
    return expected("the name of a policy or a table", value)
  end
  local kept = value
  if type(value) == "table" then
    kept = {}
    for key, field in pairs(value) do kept[key] = field end
    if type(kept.statuses) == "table" then
      local statuses = {}
      for key, status in pairs(kept.statuses) do statuses[key] = status end
      kept.statuses = statuses
    end
  end
  local ok, message = try(core.retry_delay, kept, 0, { u = 0 })
  if ok then return nil, kept end
  message = table_check.policy_problem(tostring(message), table_check.POLICY)
  return (message:gsub("^retry(.-: )", "%1"):gsub("^: ", ""))
end

function table_check.cancel(value)
  if not reserve.require "ofox.task.cancel".is(value) then
    return expected("a token of ofox.cancel_token()", value)
  end
  return nil, value
end

function table_check.client_cert(value)
  if type(value) == "string" then
    local problem = check.path(value)
    return problem, { cert = value }
  end
  if type(value) ~= "table" then
    return expected_type("a path or a table with cert, key and password", value)
  end
  local out = {}
  for key, field in pairs(value) do
    if key ~= "cert" and key ~= "key" and key ~= "password" then
      return "expected a path or a table with cert, key and password, got another field"
    end
    local problem = check.text(key == "password" and "a string" or "a path")(field)
    if problem then return "." .. key .. ": " .. problem end
    out[key] = field
  end
  if not out.cert then return ".cert: expected a path, got nil" end
  return nil, out
end

function table_check.json(value)
  if value == "cjson" then
    local decode = require "ofox.json".cjson()
    if decode then return nil, decode end
    return "lua-cjson was not found (apt install lua-cjson, luarocks install lua-cjson)"
  end
  if callable(value) then return nil, value end
  if type(value) == "table" and callable(value.decode) then return nil, value.decode end
  local forms = "a function that decodes, or a table with one in decode"
  return expected(type(value) == "string" and '"cjson", ' .. forms or forms, value)
end

function table_check.store(value)
  if value == false then return nil, value end
  if type(value) == "table" and require "ofox.store.shared".is(value) then return nil, value end
  return expected("a store of ofox.store.redis{…} or ofox.store.ngx(…)", value)
end

function table_check.transport(value)
  if type(value) == "table" or type(value) == "userdata" then
    local ok, able = try(function() return callable(value.start) and callable(value.step) end)
    if ok and able then return nil, value end
  end
  return expected("a transport with the methods start and step", value)
end

return table_check
