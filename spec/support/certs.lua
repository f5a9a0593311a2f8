--- Certificates for the specs, made by openssl when first asked for and
-- gone with the spec's process; none is ever stored in the tree.
--
--   local certs = require("support.certs").make()
--   certs.ca                    the authority that clients are to trust
--   certs["good"].cert, .key    signed by it, for 127.0.0.1 and localhost
local proc = require "support.proc"

local certs = {}

local LOCAL = "DNS:localhost,IP:127.0.0.1"

local VALID = "-days 2"

local LEAVES = {
  { name = "good", dates = VALID, names = LOCAL },
  { name = "expired", dates = "-startdate 20240101000000Z -enddate 20240102000000Z", names = LOCAL },
  { name = "wrong-host", dates = VALID, names = "DNS:elsewhere.test" },
  { name = "client", dates = VALID, names = "DNS:client.test" },
}

-- Only `openssl ca` takes dates that are past, in OpenSSL 1.1 to 3.5: x509 of
-- 3.5 refuses an end that is before its beginning, which is always now.
local AUTHORITY = [[
[ca]
default_ca = here
[here]
certificate = ca.crt
private_key = ca.key
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
[names]
commonName = supplied
]]

local NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

local function self_signed(name, extensions)
  return ("openssl req -x509 %s -days 2 -subj /CN=%s -keyout %s.key -out %s.crt %s")
    :format(NEW_KEY, name, name, name, extensions)
end

local function signed(leaf)
  local name = leaf.name
  return ([[echo subjectAltName=%s >%s.ext
    openssl req %s -subj /CN=%s -keyout %s.key -out %s.csr
    openssl ca -batch -config authority -notext -in %s.csr %s -extfile %s.ext -out %s.crt]])
    :format(leaf.names, name, NEW_KEY, name, name, name, name, leaf.dates, name, name)
end

local made

--- The certificates; made once in a process.
---@return table certs  ca, and {cert, key} for good, expired, wrong-host, self-signed, client
function certs.make()
  if made then return made end
  local directory = proc.directory()
  local path = directory.path
  proc.write(path .. "/authority", AUTHORITY)
  local lines = {
    "set -e", "cd " .. proc.quote(path), "exec 2>log", ": >index",
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
