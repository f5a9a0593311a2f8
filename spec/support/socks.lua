--- A SOCKS5 proxy (RFC 1928, 1929) for one connection after the other, in a
-- process of its own.
--
--   local proxy = require("support.socks").start { user = "u", password = "p" }
--   proxy.host, proxy.port, proxy:stop()
--
-- With `user` only who knows the password gets through; `deny = true`: nobody
-- gets further, by its rules.
local proc = require "support.proc"

local socks = {}

local CODE = [[
local socket = require "socket"
local port, user, password, deny = ...
local listener = assert(socket.bind("127.0.0.1", tonumber(port)))

local function text(c) return c:receive((c:receive(1)):byte()) end

-- Gives the connection to where the client wants to go, or nothing.
local function negotiate(c)
  c:receive(1)
  local offered = text(c)
  if not offered:find(user ~= "" and "\2" or "\0", 1, true) then return c:send("\5\255") end
  c:send(user ~= "" and "\5\2" or "\5\0")
  if user ~= "" then
    c:receive(1)
    local fine = text(c) == user
    fine = text(c) == password and fine
    c:send(fine and "\1\0" or "\1\1")
    if not fine then return end
  end
  local kind = c:receive(4):byte(4)
  local host = kind == 3 and text(c) or table.concat({ c:receive(4):byte(1, 4) }, ".")
  local high, low = c:receive(2):byte(1, 2)
  local function answer(code) c:send("\5" .. string.char(code) .. "\0\1\0\0\0\0\0\0") end
  if deny == "true" then return answer(2) end
  local to = socket.connect(host, high * 256 + low)
  answer(to and 0 or 5)
  return to
end

local function relay(c, to)
  local other = { [c] = to, [to] = c }
  c:settimeout(0)
  to:settimeout(0)
  while true do
    for _, from in ipairs(socket.select { c, to }) do
      local bytes, why, part = from:receive(65536)
      bytes = bytes or part
      if bytes ~= "" then other[from]:send(bytes) end
      if why == "closed" then return end
    end
  end
end

while true do
  local c = listener:accept()
  c:settimeout(5)
  local ok, to = pcall(negotiate, c)
  if ok and type(to) == "userdata" then
    relay(c, to)
    to:close()
  end
  c:close()
end
]]

--- Starts one on a free port.
---@param options table|nil  user, password, deny
---@return table proxy  host, port; stop()
function socks.start(options)
  options = options or {}
  local directory = proc.directory()
  local script = proc.write(directory.path .. "/socks.lua", CODE)
  local port = proc.free_port()
  local daemon = proc.daemon(("lua5.4 %s %d %s %s %s"):format(script, port, proc.quote(options.user or ""),
    proc.quote(options.password or ""), tostring(options.deny or false)), directory.path .. "/errors")
  assert(proc.wait_port(port, 5), "the SOCKS proxy did not start")
  return { host = "127.0.0.1", port = port, stop = function()
    daemon:stop()
    directory:remove()
  end }
end

return socks
