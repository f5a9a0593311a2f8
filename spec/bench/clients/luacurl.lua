--- Debian's lua-curl (Lua 5.1; one transfer at a time) with lua-cjson.
local cjson = require "cjson"
local curl = require "curl"
local driver = require "driver"
local request = require "request"

local client = {}

function client.open(base)
  local headers = {}
  for name, value in pairs(request.headers) do headers[#headers + 1] = name .. ": " .. value end
  local handle = curl.easy_init()
  handle:setopt(curl.OPT_HTTPHEADER, headers)
  handle:setopt(curl.OPT_NOSIGNAL, 1)
  return { handle = handle, base = base }
end

-- Posts, gives the bytes of the answer to 'take', and returns the status.
local function post(session, path, params, take)
  local handle, status = session.handle, nil
  handle:setopt(curl.OPT_URL, session.base .. path)
  handle:setopt(curl.OPT_POSTFIELDS, cjson.encode(params))
  handle:setopt(curl.OPT_HEADERFUNCTION, function(line)
    status = status or tonumber(line:match("^HTTP/%S+ (%d+)"))
    return #line
  end)
  handle:setopt(curl.OPT_WRITEFUNCTION, function(bytes)
    take(bytes)
    return #bytes
  end)
  assert(handle:perform())
  return status
end

local function ask(session, path, params)
  local pieces = {}
  local status = post(session, path, params, function(bytes) pieces[#pieces + 1] = bytes end)
  return cjson.decode(table.concat(pieces)), status
end

driver.add_replies(client, ask)

function client.stream(session, params, on)
  post(session, "/chat/completions", params, driver.event_reader(cjson.decode, on))
end

driver.main(client)
