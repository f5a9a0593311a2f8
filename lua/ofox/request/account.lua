--- The account that calls belong to: what an answer tells one of them, it tells all
-- (design: an origin and a key). Knows nothing of what is told.
local core = require "ofox.base.native" "core"

local account = {}

-- What the server knows the program by: its key, a function that returns one, or a
-- header of its own.
local function credential(settings)
  local own = settings.headers or {}
  return own.authorization or own["x-api-key"] or own["x-goog-api-key"] or settings.api_key or nil
end

--- Returns the account of calls with these options, and what it is known by there.
---@param settings table
---@return userdata account
---@return any known_by
function account.new(settings)
  local known_by = credential(settings)
  return core.account(settings.base_url, known_by, settings.transport), known_by
end

--- Returns what all processes call the account of calls with these options.
---@param settings table
---@param owned {known_by: any, base_url: string}|nil  the client's
---@return string
function account.name(settings, owned)
  local known_by = credential(settings)
  local is_owned = owned and owned.known_by == known_by
  return core.account_name(is_owned and owned.base_url or settings.base_url, known_by)
end

--- Returns the account of calls with these options: that of their client, unless they
-- bring a key of their own.
---@param settings table
---@param owned {core: userdata, known_by: any}|nil  the client's
---@return userdata account
function account.of(settings, owned)
  if owned and owned.known_by == credential(settings) then return owned.core end
  return (account.new(settings))
end

return account
