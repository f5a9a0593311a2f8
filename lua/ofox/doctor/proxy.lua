--- Which proxy libcurl takes from the environment, and how to display it safely.
-- Pure except for the function that reads the environment, which is an argument.
local proxy = {}

-- For http:// the name in capitals is not read: the caller of a CGI program could
-- set it.
local VARIABLES = {
  http = { "http_proxy", "all_proxy", "ALL_PROXY" },
  https = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
}

local function first(names, getenv)
  for _, name in ipairs(names) do
    local value = getenv(name)
    if value and value ~= "" then return name, value end
  end
  return nil
end

local function number_of(address)
  local a, b, c, d = address:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  return a and ((a * 256 + b) * 256 + c) * 256 + d
end

-- 10.0.0.0/8
local function in_network(host, entry)
  local network, bits = entry:match("^([%d.]+)/(%d+)$")
  local ours, theirs = number_of(host), network and number_of(network)
  bits = tonumber(bits)
  if not ours or not theirs or bits > 32 then return false end
  local size = 2 ^ (32 - bits)
  return math.floor(ours / size) == math.floor(theirs / size)
end

local function is_excepted(host, list)
  if list == "*" then return true end
  host = host:gsub("[%[%]]", ""):gsub("%.$", "")
  for entry in list:lower():gmatch("[^%s,]+") do
    local name = entry:gsub("^%.", ""):gsub("%.$", ""):gsub("[%[%]]", "")
    if host == name or in_network(host, name) then return true end
    if name ~= "" and host:sub(-#name - 1) == "." .. name and not host:find("^[%d.]+$") then return true end
  end
  return false
end

--- Looks for a proxy the way libcurl does.
---@param scheme "http"|"https"
---@param host string  in lower case
---@param getenv fun(name: string): string|nil
---@return string|nil variable
---@return string|nil value
---@return string|nil exception  the variable that says it is not used for this host
function proxy.find(scheme, host, getenv)
  local name, value = first(VARIABLES[scheme], getenv)
  if not name then return nil end
  local exception, list = first({ "no_proxy", "NO_PROXY" }, getenv)
  if exception and not is_excepted(host, list) then exception = nil end
  return name, value, exception
end

--- A proxy's address without user and password; "…" if it cannot be separated
-- from them.
---@param value string
---@return string
function proxy.shown(value)
  local scheme, rest = value:match("^(%a[%w+.-]*://)(.*)$")
  local place = (rest or value):match("([^@]*)$"):gsub("[/?#].*$", "")
  local plain = place:find("^[%w._-]+$") or place:find("^[%w._-]+:%d+$") or place:find("^%[[%x:.]+%]:?%d*$")
  return (scheme or "") .. (plain and place or "…")
end

return proxy
