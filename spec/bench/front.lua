-- luacheck: globals ngx
--- Handlers of a worker that asks the gateway, each in another way; runs inside
-- nginx.
local cjson = require "cjson"
local has_resty, http = pcall(require, "resty.http")
local ofox = require "ofox"
local request = require "request"

local front = {}

local host, port = request.address(os.getenv "OFOXAI_BASE_URL")
local client = ofox.new { errors = "return" }

--- Asks for nothing.
function front.empty() ngx.print "{}" end

--- One call of ofox.
function front.ofox()
  local response, err = client:chat(request.chat)
  if not response then error(err.message) end
  ngx.print(response:output_text())
end

-- Reads the head of an answer: its status and the length of its body.
local function read_head(socket)
  local status, length = tonumber(socket:receive("*l"):match("^HTTP/1.1 (%d+)")), nil
  for line in function() return socket:receive "*l" end do
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.*)$")
    if name:lower() == "content-length" then length = tonumber(value) end
  end
  return status, length
end

--- The same by hand, on nginx's own socket with lua-cjson: what a client has to
-- do at the least.
function front.cosocket()
  local socket, body = ngx.socket.tcp(), cjson.encode(request.chat)
  assert(socket:connect(host, port))
  assert(socket:send(request.head(host, port, "/v1/chat/completions", #body) .. body))
  local status, length = read_head(socket)
  assert(status == 200)
  local reply = cjson.decode(assert(socket:receive(length)))
  socket:setkeepalive()
  ngx.print(reply.choices[1].message.content)
end

--- lua-resty-http, where it is installed.
function front.resty()
  if not has_resty then return ngx.exit(501) end
  local answer = assert(http.new():request_uri(("http://%s:%d/v1/chat/completions"):format(host, port),
    { method = "POST", body = cjson.encode(request.chat), headers = request.headers }))
  assert(answer.status == 200)
  ngx.print(cjson.decode(answer.body).choices[1].message.content)
end

--- CPU seconds of this worker so far, all its threads together.
function front.clock() ngx.print(("%.6f"):format(os.clock())) end

return front
