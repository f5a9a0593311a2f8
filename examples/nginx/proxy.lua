-- POST /chat {"model": …, "messages": …}: the answer's text, piece by piece.
-- GET /errors: how many of each kind there were.
local ofox = require "ofox"
local cjson = require "cjson"

local client = ofox.new { errors = "return", deadline = 120, idle_timeout = 30 }
local counts = ngx.shared.errors
local proxy = {}

-- What the client is told: of our errors, those that concern it.
local STATUS = { rate_limit_error = 429, timeout_error = 504, invalid_request_error = 400, not_found_error = 404 }

local function answer(err)
  ngx.status = STATUS[err.type] or 502
  if err.retry_after then ngx.header["Retry-After"] = math.ceil(err.retry_after) end
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode { error = { type = err.type, code = err.code, message = err.message } })
end

local function count(err)
  counts:incr(err.type .. (err.code and " " .. err.code or ""), 1, 0)
  ngx.log(ngx.WARN, tostring(err))
end

-- Passes the pieces on; a failure after the first cannot change the status. A
-- client that leaves while we wait for it to read is heard of by on_abort alone.
local function pass_on(stream)
  ngx.on_abort(function()
    stream:close()
    ngx.exit(499)
  end)
  ngx.header.content_type = "text/plain; charset=utf-8"
  for text in stream:text() do
    ngx.print(text)
    if not ngx.flush(true) then return stream:close() end
  end
end

function proxy.chat()
  ngx.req.read_body()
  local ok, params = pcall(cjson.decode, ngx.req.get_body_data() or "")
  if not ok or type(params) ~= "table" or type(params.messages) ~= "table" then
    ngx.status = 400
    return ngx.say "expected JSON with model and messages"
  end
  params.stream = true
  local stream, err = client:chat(params)
  if not stream then
    count(err)
    return answer(err)
  end
  local whole, broken = pcall(pass_on, stream)
  if whole then return end
  if not ofox.errors.is(broken) then error(broken, 0) end
  count(broken)
  ngx.print("\n[", broken.type, ": ", broken.message, "]\n")
end

function proxy.errors()
  for _, name in ipairs(counts:get_keys()) do ngx.say(name, " ", counts:get(name)) end
end

return proxy
