--- nginx on loopback, with its Lua module from build/nginx-lua: the gateway that
-- all clients of the benchmarks ask (gateway.lua), and a worker that asks it
-- itself (front.lua).
local shell = require "shell"

local server = {}

local ROOT = "build/nginx-lua"

local MAIN = [[
load_module $MODULES/ndk_http_module.so;
load_module $MODULES/ngx_http_lua_module.so;
$MAIN
worker_processes 1;
daemon off;
pid $DIR/pid;
error_log $DIR/log warn;
events { worker_connections 16384; multi_accept on; }
http {
  access_log off;
  server_tokens off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_buffer_size 256k;
  client_body_temp_path $DIR/body; proxy_temp_path $DIR/proxy; fastcgi_temp_path $DIR/fastcgi;
  uwsgi_temp_path $DIR/uwsgi; scgi_temp_path $DIR/scgi;
  postpone_output 65536;
  lua_package_path "$ROOT/usr/share/lua/5.1/?.lua;$HERE/lua/?.lua;$HERE/lua/?/init.lua;$HERE/spec/bench/?.lua;;";
  init_by_lua_block { $MODULE = require "$MODULE" }
  server {
    listen 127.0.0.1:$PORT backlog=8192;
    location = / { return 204; }
$LOCATIONS
  }
}
]]

local GATEWAY = [[
    listen 127.0.0.1:$TLS ssl;
    ssl_certificate $DIR/cert; ssl_certificate_key $DIR/key; ssl_buffer_size 1k;
    location = /v1/chat/completions { content_by_lua_block { gateway.chat() } }
    location = /v1/embeddings { content_by_lua_block { gateway.embeddings() } }
    location ~ ^/errors/(\w+)/v1/ { content_by_lua_block { gateway.errors(ngx.var[1]) } }
    location = /first/v1/chat/completions { content_by_lua_block { gateway.first() } }
    location ~ ^/body/(\d+)/v1/ { content_by_lua_block { gateway.body(tonumber(ngx.var[1])) } }
    location ~ ^/stream/(\d+)/v1/ { content_by_lua_block { gateway.stream(ngx.var[1]) } }
    location ~ ^/slow/(\d+)/v1/ { limit_rate 100k; content_by_lua_block { gateway.stream(ngx.var[1]) } }
    location ~ ^/paced/(\d+)/(\d+)/v1/ { content_by_lua_block { gateway.paced(ngx.var[1], ngx.var[2]) } }
]]

local FRONT = [[
    location ~ ^/(empty|cosocket|resty|ofox|clock)/ { content_by_lua_block { front[ngx.var[1] ]() } }
]]

local function answers(port)
  return select(2, shell.read(("bash -c '</dev/tcp/127.0.0.1/%d' 2>&1"):format(port)))
end

-- Another program may still take it before nginx does.
local function free_port()
  local port
  repeat port = math.random(20000, 31999) until not answers(port) and not answers(port + 1)
  return port
end

-- The example's own way to say which threads ofox may use, if it has one.
local function threads_of_example()
  return shell.content("examples/nginx/nginx.conf"):match("\n(thread_pool [^\n]*;)") or ""
end

local running = {}
running.__index = running

--- Ends nginx and removes its folder. A second call does nothing.
function running:stop()
  if self.lifeline then self.lifeline:close() end
  self.lifeline = nil
end

-- Runs nginx until its standard input, the lifeline, ends: when it is stopped,
-- or when this process is gone, however that came about.
local function run(directory, core, environment)
  return assert(io.popen(("trap '' INT; { cd %s; ulimit -n $(ulimit -Hn); exec %s env PATH=$PATH:/usr/sbin %s"
    .. " LD_LIBRARY_PATH=$(echo %s/usr/lib/*-linux-gnu*) nginx -e %s/log -c %s/conf; } 2>&1 &"
    .. " read line; kill $!; wait $!; rm -rf %s"):format(directory, shell.on_core(core), environment,
    shell.line "pwd" .. "/" .. ROOT, directory, directory, directory), "w"))
end

local function wait_for(port, directory)
  for _ = 1, 100 do
    if answers(port) then return end
    os.execute "sleep 0.05"
  end
  error("nginx did not start:\n" .. shell.read("cat " .. directory .. "/log"), 0)
end

local function start(core, module, environment, main, locations)
  local directory, port = shell.line "mktemp -d", free_port()
  local here = shell.line "pwd"
  local root = here .. "/" .. ROOT
  if shell.line "id -u" == "0" then main = "user root;\n" .. main end
  local text = MAIN:gsub("%$(%u+)", { MAIN = main, LOCATIONS = locations, MODULE = module })
  text = text:gsub("%$(%u+)", { DIR = directory, PORT = port, TLS = port + 1, ROOT = root, HERE = here,
    MODULES = root .. "/usr/lib/nginx/modules" })
  shell.write(directory .. "/conf", text)
  shell.must(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    .. " -keyout %s/key -out %s/cert"):format(directory, directory))
  shell.must("chmod -R a+rX " .. directory)
  local self = setmetatable({ lifeline = run(directory, core, environment), url = "http://127.0.0.1:" .. port,
    tls = ("https://127.0.0.1:%d"):format(port + 1) }, running)
  wait_for(port, directory)
  return self
end

--- Starts the gateway.
---@return table server  url, tls (the same over TLS); stop()
function server.gateway()
  return start(0, "gateway", "", "", GATEWAY)
end

--- Starts a worker that asks the gateway.
---@param url string  the gateway's
---@return table server  url, whose first folder names a handler of front.lua; stop()
function server.front(url)
  local environment = ("OFOXAI_API_KEY=sk-bench OFOXAI_BASE_URL=%s/v1"):format(url)
  return start(1, "front", environment, "env OFOXAI_API_KEY;\nenv OFOXAI_BASE_URL;\n" .. threads_of_example(), FRONT)
end

return server
