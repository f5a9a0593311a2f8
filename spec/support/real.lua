--- Real servers from Debian, on free ports of 127.0.0.1, with what they need
-- in a temporary directory that goes with them.
--
--   local front = real.nginx { tls = true }
--   front.url, front.ca_file, front:log(), front:stop()
--
-- nginx, nghttpx: TLS and HTTP/2; haproxy: TLS; tinyproxy: a proxy with CONNECT.
local socket = require "socket"
local proc = require "support.proc"
local certs = require "support.certs"

local real = {}

local running = {}
running.__index = running

--- Ends the server and removes its directory. A second call does nothing.
function running:stop()
  self.child:stop()
  self.directory:remove()
end

--- What the server wrote: for nginx one {conn, method, path, protocol,
-- status, headers} for each request, else the text of its log.
function running:log()
  local text = proc.read(self.access or self.errors) or ""
  if not self.access then return text end
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local conn, method, path, protocol, status, auth, key = line:match(
      "^(%d+)\t(%S+)\t(%S+)\t(%S+)\t(%d+)\t([^\t]*)\t([^\t]*)$")
    list[#list + 1] = {
      conn = tonumber(conn), method = method, path = path, protocol = protocol,
      status = tonumber(status),
      headers = { authorization = auth, ["idempotency-key"] = key },
    }
  end
  return list
end

--- nginx's log, waited for: it is written after the answer.
---@param count integer  requests that it has to hold; 2 s are waited at most
---@return table[]
function running:wait_log(count)
  local due = socket.gettime() + 2
  local log = self:log()
  while #log < count and socket.gettime() < due do
    socket.select(nil, nil, 0.002)
    log = self:log()
  end
  return log
end

--- How many connections the requests of a log came on.
---@param log table[]
---@return integer
function real.connections(log)
  local seen, n = {}, 0
  for _, entry in ipairs(log) do
    if not seen[entry.conn] then n = n + 1 end
    seen[entry.conn] = true
  end
  return n
end

--- Starts `command` (a function of port and directory) and waits for its port.
local function start(name, command)
  local message
  for _ = 1, 3 do
    local directory = proc.directory()
    local port = proc.free_port()
    local errors = directory.path .. "/errors"
    local child = proc.daemon(command(port, directory.path), errors)
    local self = setmetatable({
      child = child, directory = directory, errors = errors,
      host = "127.0.0.1", port = port,
    }, running)
    if proc.wait_port(port, 5) then return self end
    message = proc.read(errors)
    self:stop()
  end
  error(("%s did not start: %s"):format(name, message), 3)
end

local function certificate(tls)
  return certs.make()[tls == true and "good" or tls]
    or error("no such certificate: " .. tostring(tls), 3)
end

local COMPLETION = '{"id":"chatcmpl-abc123","object":"chat.completion","created":1703123456,'
  .. '"model":"openai/gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},'
  .. '"finish_reason":"stop"}],"usage":{"prompt_tokens":25,"completion_tokens":150,"total_tokens":175}}'

local NGINX = [[
daemon off; master_process off; pid $DIR/pid; error_log stderr notice;
events { worker_connections 512; }
http {
  log_format spec escape=none "$connection\t$request_method\t$request_uri\t$server_protocol"
    "\t$status\t$http_authorization\t$http_idempotency_key";
  access_log $DIR/access spec;
  client_body_temp_path $DIR/body; proxy_temp_path $DIR/proxy; fastcgi_temp_path $DIR/fastcgi;
  uwsgi_temp_path $DIR/uwsgi; scgi_temp_path $DIR/scgi;
  client_max_body_size 0; default_type application/json;
  $HTTP
  server {
    listen 127.0.0.1:$PORT $LISTEN;
    keepalive_requests $REQUESTS;
    $TLS
    $SERVER
    location / { $LOCATION }
  }
}
]]

local function fill(template, values)
  return (template:gsub("%$([A-Z]+)", values))
end

--- nginx. Without `backend` and `location` every request gets a chat completion.
---@param options table|nil  tls: true, or "self-signed", "expired", "wrong-host"; http2;
-- client_cert: true demands one signed by the authority; backend: a server's
-- "host:port" to pass on to; location, server, http: lines for these blocks;
-- requests: how many a connection serves (over HTTP/2 a GOAWAY follows)
---@return table server  url, host, port, ca_file, client_cert, client_key; log(), stop()
function real.nginx(options)
  options = options or {}
  local tls = options.tls and certificate(options.tls)
  local lines = ""
  if tls then
    lines = ("ssl_certificate %s; ssl_certificate_key %s;"):format(tls.cert, tls.key)
  end
  if options.client_cert then
    lines = lines .. (" ssl_client_certificate %s; ssl_verify_client on;"):format(certs.make().ca)
  end
  local location = options.location or ("return 200 '%s';"):format(COMPLETION)
  if options.backend then
    location = ("proxy_pass http://%s; proxy_http_version 1.1; proxy_buffering off; "
      .. "proxy_set_header Connection '';"):format(options.backend)
  end
  local self = start("nginx", function(port, directory)
    return "nginx -e stderr -c " .. proc.write(directory .. "/conf", fill(NGINX, {
      DIR = directory, PORT = tostring(port), TLS = lines, LOCATION = location,
      LISTEN = (tls and "ssl " or "") .. (options.http2 and "http2" or ""),
      REQUESTS = tostring(options.requests or 1000),
      SERVER = options.server or "", HTTP = options.http or "",
    }))
  end)
  self.access = self.directory.path .. "/access"
  self.url = ("%s://127.0.0.1:%d/v1"):format(tls and "https" or "http", self.port)
  if tls then
    local made = certs.make()
    self.ca_file, self.client_cert, self.client_key = made.ca, made.client.cert, made.client.key
  end
  return self
end

--- nghttpx in front of a plain HTTP/1.1 server: HTTP/2 over TLS.
---@param options table  backend = "host:port"; requests: how many streams a connection
-- serves before its GOAWAY (a hint, nghttpx says); tls as for nginx
---@return table server  url, host, port, ca_file; log(), stop()
function real.nghttpx(options)
  local tls = certificate(options.tls or true)
  local host, backend_port = options.backend:match("^(.*):(%d+)$")
  local self = start("nghttpx", function(port)
    return ("nghttpx --conf=/dev/null --single-process --single-thread --no-ocsp --errorlog-file=/dev/stderr "
      .. "--accesslog-file=/dev/stderr --frontend='127.0.0.1,%d' --backend='%s,%s' %s %s %s")
      :format(port, host, backend_port,
        options.requests and "--frontend-max-requests=" .. options.requests or "", tls.key, tls.cert)
  end)
  self.url = ("https://127.0.0.1:%d/v1"):format(self.port)
  self.ca_file = certs.make().ca
  return self
end

--- openssl s_server, for what other servers no longer do.
---@param flags string  further ones, such as "-tls1 -Verify 1"
---@return table server  url, host, port, ca_file, client_cert, client_key; log(), stop()
function real.s_server(flags)
  local made = certs.make()
  local self = start("openssl s_server", function(port)
    return ("openssl s_server -accept 127.0.0.1:%d -cert %s -key %s -CAfile %s -www %s")
      :format(port, made.good.cert, made.good.key, made.ca, flags)
  end)
  self.url = ("https://127.0.0.1:%d/v1"):format(self.port)
  self.ca_file, self.client_cert, self.client_key = made.ca, made.client.cert, made.client.key
  return self
end

--- haproxy: takes TLS off and passes the bytes on as they are, HTTP/2 agreed on.
---@param options table  port: of 127.0.0.1, to pass on to
---@return table server  url, host, port, ca_file; log(), stop()
function real.tls(options)
  local tls = certificate(true)
  local self = start("haproxy", function(port, directory)
    local pem = proc.write(directory .. "/pem", proc.read(tls.cert) .. proc.read(tls.key))
    return "haproxy -db -f " .. proc.write(directory .. "/conf", ([[
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend tls
  bind 127.0.0.1:%d ssl crt %s alpn h2
  default_backend plain
backend plain
  server one 127.0.0.1:%d
]]):format(port, pem, options.port))
  end)
  self.url = ("https://127.0.0.1:%d/v1"):format(self.port)
  self.ca_file = certs.make().ca
  return self
end

--- tinyproxy: passes plain requests on and opens tunnels with CONNECT.
---@param options table|nil  auth = "user:password": demanded, else 407, or 401 for a wrong one; deny: true
-- forbids all hosts
---@return table server  url, host, port; log(), stop()
function real.proxy(options)
  local user, password = ((options or {}).auth or ""):match("^(.-):(.*)$")
  local self = start("tinyproxy", function(port, directory)
    return "tinyproxy -d -c " .. proc.write(directory .. "/conf", ([[
Port %d
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 60
LogLevel Info
PidFile "%s/pid"
%s
%s
]]):format(port, directory, user and ("BasicAuth %s %s"):format(user, password) or "",
      (options or {}).deny and ('Filter "%s"\nFilterDefaultDeny Yes'):format(proc.write(directory .. "/filter", ""))
        or ""))
  end)
  self.url = ("http://127.0.0.1:%d"):format(self.port)
  return self
end

return real
