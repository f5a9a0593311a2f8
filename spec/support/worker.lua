--- nginx with its Lua module, set up as examples/nginx/nginx.conf has it, for
-- specs of what happens inside its workers.
--
--   local front = worker.start { url = server.url }
--   local status, body, headers = front:ask("/chat", "{…}")
--
-- GET /case/<name> runs a function of support/worker_cases.lua.
local socket = require "socket"
local assert = require "luassert"
local elsewhere = require "support.elsewhere"
local proc = require "support.proc"

local worker = {}

--- The key that nginx's workers call with.
worker.KEY = "sk-worker-0123456789"

local CASES = [[
    location /case/ { content_by_lua_block { require("support.worker_cases").run() } }
    location = /refused {
      header_filter_by_lua_block { require("support.worker_cases").refusals() }
      body_filter_by_lua_block { if ngx.arg[2] then require("support.worker_cases").refusals() end }
      log_by_lua_block { require("support.worker_cases").refusals() }
      content_by_lua_block { ngx.say("ok") }
    }
    location = /early {
      rewrite_by_lua_block { require("support.worker_cases").early("rewrite") }
      access_by_lua_block { require("support.worker_cases").early("access") }
      content_by_lua_block { ngx.say(ngx.ctx.rewrite, " ", ngx.ctx.access) }
    }
]]

local ROOT = "build/nginx-lua"

local EXAMPLE = "examples/nginx/nginx.conf"

-- Its lines that load nginx's Lua module from where Debian's packages put it.
local LOADED = "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
  .. "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;"
local LOADED_HERE = LOADED:gsub("load_module ", "load_module " .. ROOT)

-- Puts something in the place of a text that has to be there, once.
local function put(text, old, new)
  local first, last = text:find(old, 1, true)
  assert(first, EXAMPLE .. " has no " .. old)
  assert(not text:find(old, last + 1, true), EXAMPLE .. " has more than one " .. old)
  return text:sub(1, first - 1) .. new .. text:sub(last + 1)
end

local function says(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function is_root()
  return says "id -u" == "0\n"
end

local function configuration(options, port, directory)
  local text = assert(proc.read(EXAMPLE))
  local modules = LOADED_HERE .. "\n"
  if is_root() and not options.private then modules = modules .. "user root;\n" end -- who may read this tree
  text = put(text, LOADED, modules .. (options.main or ""))
  text = put(text, "worker_processes 1;", ("worker_processes %d;"):format(options.workers or 1))
  if options.pool == false then text = text:gsub("\nthread_pool [^\n]*", "", 1) end
  text = put(text, "pid /tmp/ofox-nginx.pid;", "pid " .. directory .. "/pid;")
  local level = options.level or "warn"
  text = put(text, "error_log stderr warn;", ("error_log %s/log %s;"):format(directory, level))
  local temporary = ""
  for _, name in ipairs { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" } do
    temporary = temporary .. ("  %s_temp_path %s/%s;\n"):format(name, directory, name)
  end
  text = put(text, "access_log off;", "access_log off;\n  lua_shared_dict notes 1m;\n" .. temporary
    .. (options.http or "") .. '  init_worker_by_lua_block { require("support.worker_cases").refusals() }')
  if options.init then text = put(text, 'require "proxy" }', options.init .. ' require "proxy" }') end
  text = put(text, 'lua_package_path "', 'lua_package_path "${prefix}' .. ROOT .. "/usr/share/lua/5.1/?.lua;"
    .. "${prefix}spec/?.lua;")
  text = put(text, "127.0.0.1:8081", "127.0.0.1:" .. port)
  return put(text, "    location = /ping", CASES .. "    location = /ping")
end

local function unpack_modules()
  local said = says ".ci/nginx-lua 2>&1"
  if said ~= "" then error(said, 0) end
end

-- For nginx that finds OpenResty's LuaJIT.
local LIBRARIES = ("LD_LIBRARY_PATH=$(echo %s/usr/lib/*-linux-gnu*)"):format(ROOT)

local running = {}
running.__index = running

local function private_clone(directory)
  local clone = directory .. "/clone"
  says(("mkdir -p %s/build && chmod 700 %s && cp -r lua examples spec %s"):format(clone, clone, clone)
    .. (" && cp -r build/jit build/nginx-lua %s/build"):format(clone))
  return clone
end

--- Starts it.
---@param options table  url: of the model server; workers: how many (1); level: of the log (warn);
--   init: Lua code that the master runs first; main, http: lines of the configuration; env: variables
--   of the master, words of the shell; private: it runs in a clone that only this user can read,
--   which workers of root's do not; pool: false leaves the example's thread_pool out
---@return table front  port; ask(), open(), log(), reload(), stop()
function worker.start(options)
  unpack_modules()
  local message
  for _ = 1, 3 do
    local directory, port = proc.directory(), proc.free_port()
    local conf = proc.write(directory.path .. "/conf", configuration(options, port, directory.path))
    local root = options.private and private_clone(directory.path) or "."
    local child = proc.daemon(("env -C %s %s OFOXAI_API_KEY=%s OFOXAI_BASE_URL=%s %s nginx -p . -e %s/log -c %s")
      :format(root, LIBRARIES, worker.KEY, options.url, options.env or "", directory.path, conf),
      directory.path .. "/log")
    local self = setmetatable({ child = child, directory = directory, port = port }, running)
    if proc.wait_port(port, 10) then return self end
    message = self:log()
    self:stop()
  end
  error("nginx did not start: " .. message, 2)
end

--- What the environment of a command must be for it to find Debian's packages
-- of nginx where they are unpacked, and files of the system in a directory.
---@param directory string
---@param ports table<integer, integer>  as of elsewhere.environment
---@return string  words of env(1)
function worker.environment(directory, ports)
  unpack_modules()
  local paths = { ["/var/lib/nginx"] = directory, ["/tmp/ofox-nginx.pid"] = directory .. "/pid",
    ["/var/log/nginx"] = directory }
  local root = says("pwd"):gsub("\n", "") .. "/" .. ROOT
  for _, path in ipairs { "/usr/lib/nginx/modules", "/usr/share/lua/5.1" } do
    for name in says(("ls %s%s"):format(root, path)):gmatch("[^\n]+") do
      paths[path .. "/" .. name] = root .. path .. "/" .. name
    end
  end
  local moved = elsewhere.environment(directory, { ports = ports, paths = paths })
  return ("LD_LIBRARY_PATH=$(echo %s/usr/lib/*-linux-gnu*) %s"):format(root, moved)
end

--- Starts the example's own file, as its first comment says.
---@param url string  of the model server
---@return table front  as from start, without reload() and workers()
function worker.example(url)
  local text = assert(proc.read(EXAMPLE))
  local command = text:match("\n#   OFOXAI_API_KEY=%S+ (nginx [^\n]+)")
  assert(command, EXAMPLE .. " does not say how to run it")
  local said = tonumber(assert(text:match("listen 127.0.0.1:(%d+);")))
  local directory, port = proc.directory(), proc.free_port()
  command = ("env OFOXAI_API_KEY=%s OFOXAI_BASE_URL=%s %s %s"):format(worker.KEY, url,
    worker.environment(directory.path, { [said] = port }), command)
  local child = proc.daemon(command, directory.path .. "/log")
  local self = setmetatable({ child = child, directory = directory, port = port }, running)
  if proc.wait_port(port, 10) then return self end
  local message = self:log()
  self:stop()
  error("nginx did not start: " .. message, 2)
end

--- Ends nginx and removes what it wrote. A second call does nothing.
function running:stop()
  self.child:stop()
  self.directory:remove()
end

--- What the error log holds.
---@return string
function running:log()
  return proc.read(self.directory.path .. "/log") or ""
end

--- Has the master start new workers and the old ones end.
function running:reload()
  assert(os.execute("kill -HUP " .. proc.read(self.directory.path .. "/pid")))
end

--- The process ids of the workers, those that are about to end among them.
---@return string[]
function running:workers()
  local master = proc.read(self.directory.path .. "/pid"):match("%d+")
  local pipe = assert(io.popen("pgrep -P " .. master))
  local list = {}
  for pid in pipe:lines() do list[#list + 1] = pid end
  pipe:close()
  return list
end

-- Requests

local request = {}
request.__index = request

--- Sends a request; the answer is taken by worker.pump.
---@param path string
---@param body? string  makes it a POST
---@param type? string  of the body; else JSON
---@return table request  text (what has come), pieces ({at, bytes} each), is_over; close()
function running:open(path, body, type)
  local sock = assert(socket.connect("127.0.0.1", self.port))
  sock:setoption("tcp-nodelay", true)
  assert(sock:send(("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\n"
    .. "Content-Length: %d\r\n\r\n%s"):format(body and "POST" or "GET", path, type or "application/json", #(body or ""),
    body or "")))
  sock:settimeout(0)
  return setmetatable({ sock = sock, text = "", pieces = {}, is_over = false, began = socket.gettime() }, request)
end

--- Leaves, whatever is still to come.
function request:close()
  if self.sock then self.sock:close() end
  self.sock, self.is_over = nil, true
end

local function take(self)
  local bytes, message, partial = self.sock:receive(65536)
  bytes = bytes or partial or ""
  if bytes ~= "" then
    self.text = self.text .. bytes
    self.pieces[#self.pieces + 1] = { at = socket.gettime(), bytes = bytes }
  end
  if message == "closed" then self:close() end
end

--- Takes what comes for requests until something is so.
---@param requests table[]
---@param is_done? fun(): boolean  if absent: all of them are over
---@param seconds? number  at most; 20
---@return boolean  was it?
function worker.pump(requests, is_done, seconds)
  local due = socket.gettime() + (seconds or 20)
  repeat
    if is_done and is_done() then return true end
    local socks, by_sock = {}, {}
    for _, one in ipairs(requests) do
      if one.sock then
        socks[#socks + 1] = one.sock
        by_sock[one.sock] = one
      end
    end
    if not is_done and #socks == 0 then return true end
    for _, sock in ipairs((socket.select(socks, nil, 0.005))) do take(by_sock[sock]) end
  until socket.gettime() > due
  return false
end

--- The answer, of which all has come.
---@return integer status, string body, table<string, string> headers  their names in lower case
function request:answer()
  local head, rest = self.text:match("^(.-\r\n)\r\n(.*)$")
  assert(head, "no answer: " .. self.text)
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+): *([^\r\n]*)") do headers[name:lower()] = value end
  if headers["transfer-encoding"] == "chunked" then
    local pieces, at = {}, 1
    local size
    repeat
      local _, last, hex = rest:find("^(%x+)\r\n", at)
      size = tonumber(assert(hex, "an answer that broke off"), 16)
      pieces[#pieces + 1] = rest:sub(last + 1, last + size)
      at = last + size + 3
    until size == 0
    rest = table.concat(pieces)
  end
  return tonumber(head:match("^HTTP/1.1 (%d+)")), rest, headers
end

--- One request and its answer.
---@param path string
---@param body? string
---@param type? string
---@return integer status, string body, table<string, string> headers
function running:ask(path, body, type)
  local one = self:open(path, body, type)
  assert(worker.pump { one }, "no answer in 20 s")
  return one:answer()
end

return worker
