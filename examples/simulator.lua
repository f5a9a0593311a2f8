-- The OfoxAI gateway on your own machine, for any OpenAI client: real HTTP, and every failure on demand.
local HERE = arg[0]:match("^(.*)[/\\]") or "."
package.path = HERE .. "/?.lua;" .. package.path

if not (pcall(require, "socket") and pcall(require, "cjson")) then
  error("the simulator needs lua-socket and lua-cjson (on Debian: apt-get install --no-remove lua-socket lua-cjson)", 0)
end
local socket = require "socket"
local scenarios, gateway = require "simulator.scenarios", require "simulator.gateway"

local USAGE = [[
usage: lua5.4 examples/simulator.lua [port] [--rpm N] [--parent PORT]
  port           on 127.0.0.1; 8080 if not given, 0 for any free one
  --rpm N        refuse more than N requests a minute, as the gateway does
  --parent PORT  tell the base URL to whoever listens there, and end when they do
Any key that begins with sk- is accepted, sk-wrong... is not.
]]

local function stop(message)
  io.stderr:write("simulator: ", message, "\n")
  os.exit(1)
end

local KNOWN = { rpm = true, parent = true }
local options, port, i = {}, 8080, 1
while arg[i] do
  local name = arg[i]:match("^%-%-(.+)$")
  if name and not (KNOWN[name] and tonumber(arg[i + 1])) then
    print(USAGE .. scenarios.help())
    os.exit(name == "help" and 0 or 1)
  elseif name then
    options[name], i = tonumber(arg[i + 1]), i + 1
  else
    port = tonumber(arg[i])
    if not port or port < 0 or port > 65535 then stop("not a port: " .. arg[i]) end
  end
  i = i + 1
end
gateway.rpm = options.rpm

local server, problem = require("simulator.server").listen(port, gateway.handle)
if not server then stop(("port %d: %s"):format(port, problem)) end
local url = ("http://127.0.0.1:%d/v1"):format(server.port)

local parent = options.parent and assert(socket.connect("127.0.0.1", options.parent))
if parent then
  parent:send(url .. "\n")
  parent:settimeout(0)
else
  print("OfoxAI simulator: " .. url .. "  (--help lists the scenarios, Ctrl-C ends it)\n"
    .. "export OFOXAI_BASE_URL=" .. url .. " OFOXAI_API_KEY=sk-any")
  io.stdout:flush()
end

local function gone() return parent and select(2, parent:receive(1)) == "closed" end

local ok, message = pcall(function() repeat server:step(0.1) until gone() end)
if not ok and not tostring(message):find("interrupted!") then stop(tostring(message)) end
