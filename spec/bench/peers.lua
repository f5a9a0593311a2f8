--- The clients that are measured side by side.
local shell = require "shell"

local peers = {}

local function debian(package)
  return ("dpkg-query -W -f '${Version}' %s"):format(package)
end

local function npm(package)
  return ("sed -n 's/^ *\"version\": \"\\(.*\\)\".*/\\1/p' $NODE/node_modules/%s/package.json"):format(package)
end

-- id: the name in results. command: with an ACTION and so on behind it.
-- version: a command that tells it. wants: what to install. is_counted: its
-- instructions say something; those of a compiler at work do not, nor do those
-- of a process that has others work for it. share: of the work that it is
-- given, so that the slow ones take no longer. bare and module: the
-- interpreter alone, and what a program requires.
peers.list = {
  { id = "libcurl", title = "C on bare libcurl", command = "$BUILD/libcurl", is_counted = true, is_floor = true,
    version = "curl-config --version | sed 's/.* //'", wants = "libcurl4-openssl-dev", share = 2 },
  { id = "ofox", title = "ofox, Lua 5.4", command = "lua5.4 $CLIENTS/ofox.lua", is_counted = true, is_ours = true,
    version = "lua5.4 -v | sed 's/Lua \\([^ ]*\\).*/\\1/'", wants = "lua5.4", bare = "lua5.4", module = "ofox" },
  { id = "ofox-jit", title = "ofox, LuaJIT", command = "luajit $CLIENTS/ofox.lua", is_ours = true,
    version = "luajit -v | sed 's/LuaJIT \\([^ ]*\\).*/\\1/'", wants = "luajit" },
  { id = "lua-curl", title = "lua-curl", command = "lua5.1 $CLIENTS/luacurl.lua", is_counted = true,
    version = debian "lua-curl", wants = "lua-curl", bare = "lua5.1", module = "curl" },
  { id = "lua-http", title = "lua-http", command = "lua5.4 $CLIENTS/luahttp.lua", is_counted = true,
    version = debian "lua-http", wants = "lua-http" },
  { id = "luasocket", title = "LuaSocket by hand", command = "lua5.4 $CLIENTS/luasocket.lua", is_counted = true,
    version = debian "lua-socket", wants = "lua-socket", bare = "lua5.4", module = "socket" },
  { id = "curl", title = "the curl command", command = "lua5.4 $CLIENTS/curlcommand.lua", share = 0.03,
    version = "curl --version | sed -n '1s/curl \\([^ ]*\\).*/\\1/p'", wants = "curl" },
  { id = "undici", title = "undici", command = "node $CLIENTS/undici.mjs", version = npm "undici",
    wants = "nodejs, npm and undici from npm" },
  { id = "openai", title = "openai", command = "node $CLIENTS/openai.mjs", share = 0.5, version = npm "openai",
    wants = "nodejs, npm and openai from npm" },
}

-- Where everything is that the commands name; run.lua is started in the root.
local PLACES = { BUILD = "build/bench", NODE = "build/bench/node", CLIENTS = "spec/bench/clients" }

local function placed(command)
  return (command:gsub("%$(%u+)", PLACES))
end

-- Fetches the packages of npm, if that can be.
local function fetch_node()
  if select(2, shell.read "test -d build/bench/node/node_modules/openai") then return end
  shell.read("mkdir -p build/bench/node && cd build/bench/node && "
    .. "timeout 120 npm install --prefix . --no-audit --no-fund --fetch-retries=0 openai@6 undici@7"
    .. " >log 2>&1 </dev/null")
end

local function set_up()
  shell.must "mkdir -p build/bench"
  shell.must "${CC:-cc} -O2 -o build/bench/libcurl spec/bench/clients/libcurl.c -lcurl"
  shell.must "${CC:-cc} -O2 -o build/bench/held spec/bench/held.c -lcurl"
  fetch_node()
end

--- Those that can run here, and what is left out: {title, wants} each.
function peers.find()
  set_up()
  local found, left_out = {}, {}
  for _, peer in ipairs(peers.list) do
    peer.command, peer.version = placed(peer.command), placed(peer.version)
    if select(2, shell.read(peer.command .. " load 2>&1")) then
      found[#found + 1] = peer
    else
      left_out[#left_out + 1] = peer
    end
  end
  return found, left_out
end

--- The versions of what was measured: {name, version} each, in order.
function peers.versions(found)
  local list = { { "nginx", shell.line "PATH=$PATH:/usr/sbin nginx -v 2>&1 | sed 's|.*/||'" },
    { "lua-cjson", shell.line(debian "lua-cjson") } }
  if shell.read "command -v node" ~= "" then list[#list + 1] = { "Node", shell.line "node --version | tr -d v" } end
  for _, peer in ipairs(found) do
    local name = ({ ofox = "Lua", ["ofox-jit"] = "LuaJIT" })[peer.id] or peer.id
    list[#list + 1] = { name, shell.line(peer.version) }
  end
  table.sort(list, function(a, b) return a[1]:lower() < b[1]:lower() end)
  return list
end

return peers
