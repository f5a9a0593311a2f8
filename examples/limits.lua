-- What limits and failures of a server do to many calls, with and without the options that help, on virtual time.
-- lua5.4 examples/limits.lua [quota|outage] [--svg FILE]; without a name both are drawn, in the terminal.
local HERE = arg[0]:match("^(.*)[/\\]") or "."
package.path = ("%s/../lua/?.lua;%s/../lua/?/init.lua;%s/?.lua;"):format(HERE, HERE, HERE) .. package.path

local NAMES = { "quota", "outage" }

local function stop(message)
  io.stderr:write("limits: ", message, "\nusage: lua5.4 examples/limits.lua [quota|outage] [--svg FILE]\n")
  os.exit(1)
end

local names, file, i = {}, nil, 1
while arg[i] do
  if arg[i] == "--svg" and arg[i + 1] then
    file, i = arg[i + 1], i + 1
  elseif arg[i] == "quota" or arg[i] == "outage" then
    names[#names + 1] = arg[i]
  else
    stop("not understood: " .. arg[i])
  end
  i = i + 1
end
if file and #names ~= 1 then stop("a picture is of one of them") end

for k, name in ipairs(names[1] and names or NAMES) do
  local results = require("limits." .. name).results()
  if file then
    local picture, problem = io.open(file, "w")
    if not picture then stop(problem) end
    picture:write(require "limits.svg".draw(results))
    picture:close()
  else
    io.write(k > 1 and "\n" or "", require "limits.text".draw(results))
  end
end
