-- Inside real nginx: workers that may not read what the master can.
-- nginx's Lua module is for LuaJIT alone.
if not rawget(_G, "jit") then return end

local http = require "socket.http"
local proc = require "support.proc"
local server = require "support.server"

local function command(line)
  local pipe = assert(io.popen("{ " .. line .. "\n} 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("\n$", ""))
end

-- What only the master may read can be made by root alone.
local IS_ROOT = command "id -u" == "0"

local CONTENT = [[
  local client = ofox.new { api_key = "k-0123456789", base_url = URL, errors = "return", retry = { base = 0.001 } }
  local params = { model = "m", messages = { { role = "user", content = "hi" } } }
  local heard = { client:chat(params):output_text() }
  for text in client:stream(params):text() do heard[#heard + 1] = text end
  local _, err = client:chat(params)
  heard[#heard + 1] = err.code .. " " .. #err:hint()
  local task = ofox.go(function() return client:chat(params):output_text() end)
  heard[#heard + 1] = select(2, task:wait())
  heard[#heard + 1] = type(ofox.doctor)
  ngx.say(table.concat(heard, " "))]]

describe("[P1] a worker that may not read ofox", function()
  local s, directory, child, port

  setup(function()
    local said = command ".ci/nginx-lua"
    assert(said == "", said)
    s, directory, port = server.start(), proc.directory(), proc.free_port()
    local root, path = command "pwd", directory.path
    local copied = command((("mkdir -p DIR/tree/build DIR/tmp && cp -r lua DIR/tree && cp -r build/jit DIR/tree/build "
      .. "&& cp -r build/nginx-lua/usr/share/lua/5.1 DIR/readable "
      .. "&& chmod -R go= DIR/tree && chmod 711 DIR && chmod 777 DIR/tmp"):gsub("DIR", path)))
    assert(copied == "", copied)
    local temporary = ""
    for _, name in ipairs { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" } do
      temporary = temporary .. ("  %s_temp_path %s/tmp/%s;\n"):format(name, path, name)
    end
    local modules = ""
    for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
      modules = modules .. ("load_module %s/build/nginx-lua/usr/lib/nginx/modules/%s.so;\n"):format(root, name)
    end
    proc.write(path .. "/conf", modules .. (IS_ROOT and "user nobody nogroup;\n" or "") .. ([[
daemon off;
pid DIR/pid;
error_log DIR/log info;
thread_pool ofox threads=1;
events {}
http {
  access_log off;
TEMPORARY
  lua_package_path "DIR/readable/?.lua;DIR/tree/lua/?.lua;DIR/tree/lua/?/init.lua;;";
  init_by_lua_block { ofox = require "ofox" URL = "SERVER" }
  server {
    listen 127.0.0.1:PORT;
    location = /all { content_by_lua_block { CONTENT } }
    location = /reads { content_by_lua_block { ngx.say(tostring(io.open("DIR/tree/lua/ofox/init.lua") ~= nil)) } }
  }
}
]]):gsub("%u%u%u%u?%u*", { DIR = path, SERVER = s.url, PORT = tostring(port), CONTENT = CONTENT,
      TEMPORARY = temporary }))
    child = proc.daemon(("env -u http_proxy -u all_proxy "
      .. "LD_LIBRARY_PATH=$(echo %s/build/nginx-lua/usr/lib/*-linux-gnu*) nginx -p %s -e %s/log -c %s/conf")
      :format(root, path, path, path), path .. "/log")
    assert(proc.wait_port(port, 10), proc.read(path .. "/log"))
  end)

  teardown(function()
    child:stop()
    s:stop()
    directory:remove()
  end)

  local function ask(path)
    return (http.request(("http://127.0.0.1:%d%s"):format(port, path)))
  end

  it("serves calls, streams, errors and tasks", function()
    assert.equal(tostring(not IS_ROOT) .. "\n", ask "/reads")
    s:script { { body = server.completion("one") },
      { headers = { ["Content-Type"] = "text/event-stream" }, chunks = server.events { "two" } },
      { status = 400, body = '{"error":{"message":"no","code":"bad"}}' }, { body = server.completion("three") } }
    assert.matches("^one two bad %d+ three function\n$", ask "/all", proc.read(directory.path .. "/log"))
    assert.is_nil(proc.read(directory.path .. "/log"):find("by timers", 1, true))
  end)
end)
