--- Certificates for the specs, made by openssl when first asked for and
-- gone with the spec's process; none is ever stored in the tree.
--
--   local certs = require("support.certs").make()
--   certs.ca                    the authority that clients are to trust
--   certs["good"].cert, .key    signed by it, for 127.0.0.1 and localhost
local proc = require "support.proc"

local certs = {}

local LOCAL = "DNS:localhost,IP:127.0.0.1"

local LEAVES = {
  { name = "good", days = 2, names = LOCAL },
  { name = "expired", days = -1, names = LOCAL },
  { name = "wrong-host", days = 2, names = "DNS:elsewhere.test" },
  { name = "client", days = 2, names = "DNS:client.test" },
}

local NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

local function self_signed(name, extensions)
  return ("openssl req -x509 %s -days 2 -subj /CN=%s -keyout %s.key -out %s.crt %s")
    :format(NEW_KEY, name, name, name, extensions)
end

local function signed(leaf)
  local name = leaf.name
  return ([[echo subjectAltName=%s >%s.ext
    openssl req %s -subj /CN=%s -keyout %s.key -out %s.csr
    openssl x509 -req -in %s.csr -CA ca.crt -CAkey ca.key -days %d -extfile %s.ext -out %s.crt]])
    :format(leaf.names, name, NEW_KEY, name, name, name, name, leaf.days, name, name)
end

local made

--- The certificates; made once in a process.
---@return table certs  ca, and {cert, key} for good, expired, wrong-host, self-signed, client
function certs.make()
  if made then return made end
  local directory = proc.directory()
  local path = directory.path
  local lines = {
    "set -e", "cd " .. proc.quote(path), "exec 2>log",
    self_signed("ca", "-addext keyUsage=critical,keyCertSign,cRLSign"),
    self_signed("self-signed", "-addext subjectAltName=" .. LOCAL),
  }
  for _, leaf in ipairs(LEAVES) do lines[#lines + 1] = signed(leaf) end
  lines[#lines + 1] = "chmod a+rX . ./*"
  local shell = assert(io.popen(table.concat(lines, "\n") .. "\necho done"))
  local done = shell:read("*l")
  shell:close()
  if done ~= "done" then error("no certificates: " .. proc.read(path .. "/log")) end
  made = { directory = directory, ca = path .. "/ca.crt" }
  for _, name in ipairs { "good", "expired", "wrong-host", "self-signed", "client" } do
    made[name] = { cert = path .. "/" .. name .. ".crt", key = path .. "/" .. name .. ".key" }
  end
  return made
end

return certs
