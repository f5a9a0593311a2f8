-- POST /v1/chat/completions is answered as the gateway would, with the key that nginx has; streams are passed on.
-- GET /errors says how many failures of each kind there were, /metrics all that was done, for Prometheus. nginx.conf
-- beside it says how it is started.
local ofox = require "ofox"
local json = require "cjson"

local client = ofox.new { errors = "return", deadline = 120, idle_timeout = 30 }
local proxy, counts = {}, ngx.shared.errors

-- A status that the client can act on; a wrong key, say, is not its fault.
local STATUS = { rate_limit_error = 429, timeout_error = 504, invalid_request_error = 400, not_found_error = 404 }

local function described(err)
  return json.encode { error = { type = err.type, code = err.code, message = err.message } }
end

local function count(err)
  counts:incr(err.type .. " " .. (err.status or ""), 1, 0)
  ngx.log(ngx.WARN, tostring(err))
end

local function refuse(status, err)
  ngx.status = status
  if err.retry_after then ngx.header["Retry-After"] = math.ceil(err.retry_after) end
  ngx.say(described(err))
end

local function pass_on(stream)
  ngx.on_abort(function() -- a client that leaves while ngx.flush waits for it
    stream:close()
    ngx.exit(499)
  end)
  ngx.header.content_type = "text/event-stream"
  for data in stream:data() do
    ngx.print("data: ", (data:gsub("\n", "\ndata: ")), "\n\n")
    if not ngx.flush(true) then return stream:close() end
  end
  ngx.print "data: [DONE]\n\n"
end

function proxy.chat()
  ngx.header.content_type = "application/json"
  if not (ngx.var.content_type or ""):find "^application/json" then -- as any web page could send it
    return refuse(415, { type = "invalid_request_error", message = "send JSON, as application/json" })
  end
  ngx.req.read_body()
  local ok, params = pcall(json.decode, ngx.req.get_body_data() or "")
  local reply, err = params, nil
  if ok then ok, reply, err = pcall(client.chat, client, params) end
  if not ok then return refuse(400, { type = "invalid_request_error", message = tostring(reply) }) end
  if err then
    count(err)
    return refuse(STATUS[err.type] or 502, err)
  end
  if params.stream ~= true then return ngx.say(json.encode(reply)) end
  ok, err = pcall(pass_on, reply)
  if ok then return end
  if not ofox.errors.is(err) then error(err, 0) end
  count(err)
  ngx.print("data: ", described(err), "\n\n") -- it is too late for a status
end

function proxy.errors()
  for _, name in ipairs(counts:get_keys()) do ngx.say(name, " ", counts:get(name)) end
end

function proxy.metrics()
  ngx.header.content_type = require("ofox.prometheus").CONTENT_TYPE
  ngx.print(ofox.prometheus(client))
end
return proxy
