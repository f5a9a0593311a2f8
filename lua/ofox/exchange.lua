--- Runs one call from its request to its outcome: serves the states of the C
-- call (src/call.h) with what only Lua has, which is keys, hooks and waiting.
-- Whether and when there is a further attempt is not decided here.
local core = require("ofox.native")("core")
local check = require "ofox.check"
local errors = require "ofox.errors"
local json = require "ofox.json"
local log = require "ofox.log"
local options = require "ofox.options"
local wait = require "ofox.wait"

local exchange = {}

local WAIT_STEP = 0.25 -- seconds between two calls of on_wait

-- Headers of the caller that are as secret as the key.
local function is_secret_header(name)
  name = name:lower()
  return name:find("auth", 1, true) or name:find("key", 1, true) or name:find("token", 1, true)
    or name:find("secret", 1, true) or name:find("cookie", 1, true)
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The password of a URL must not be seen either, as written or as meant. A
-- proxy may be named without a scheme.
local function keep_url_secret(call, url)
  local userinfo = type(url) == "string" and url:gsub("^%a[%w+.-]*://", ""):match("^([^/?#]*)@")
  if not userinfo then return end
  local password = userinfo:match(":(.*)$")
  for _, text in ipairs { userinfo, password or userinfo } do
    call:secret(text)
    call:secret(unescape(text))
  end
end

-- Where libcurl looks for a proxy if none is given.
local PROXY_VARIABLES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

local function keep_secrets(call, request, settings)
  keep_url_secret(call, request.url)
  keep_url_secret(call, settings.proxy)
  if settings.proxy == nil then
    for _, name in ipairs(PROXY_VARIABLES) do keep_url_secret(call, os.getenv(name)) end
  end
  if settings.client_cert and settings.client_cert.password then
    call:secret(settings.client_cert.password)
  end
  for _, header in ipairs(request.headers) do
    if is_secret_header(header[1]) then
      call:secret(header[2])
      local credentials = header[2]:match("^%s*%a[%w-]*%s+(%S+)%s*$")
      if credentials then call:secret(credentials) end
    end
  end
end

local function random_seed()
  local a, b, c, d, e, f = core.random(6):byte(1, 6)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

local function new_call(transport, request, settings)
  local policy = settings.retry
  local call = core.call {
    now = transport:now(),
    seed = type(policy) == "table" and policy.seed or random_seed(),
    retry = policy,
    max_retries = settings.max_retries,
    models = math.max(1, #request.models),
    timeout = settings.timeout,
    connect_timeout = settings.connect_timeout,
    deadline = settings.deadline,
    max_response_bytes = settings.max_response_bytes,
    expect = request.expect,
  }
  keep_secrets(call, request, settings)
  return call
end

-- The key of one attempt: a string, false for none, nil if it is missing.
local function key_of(settings)
  local key = settings.api_key
  if type(key) == "function" then
    key = key()
    if key ~= nil and key ~= false then
      local problem
      problem, key = check.key(key)
      if problem then error("ofox: api_key: " .. problem, 0) end
    end
  end
  return key
end

-- One call in the making.
local Run = {}
Run.__index = Run

function Run:error()
  local transport, call = self.transport, self.call
  local raw = call:failure(transport:wall())
  local models = self.request.models
  local _, model = call:progress()
  raw.model = models[model]
  for _, retry in ipairs(raw.retries) do retry.model = models[retry.model] end
  raw.url = call:clean((self.request.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1")))
  return errors.new(raw)
end

-- Runs a function of the program's. Its error is the call's, and the call
-- leaves nothing behind.
function Run:hook(fn, ...)
  local ok, result = pcall(fn, ...)
  if not ok then
    self:release()
    self.transport:cancel(self.call)
    error(result, 0)
  end
  return result
end

function Run:log(level, message, fields)
  local settings = self.settings
  if not log.enabled(settings, level) then return end
  fields.method = self.request.method
  fields.url = self.call:clean((self.request.url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1")))
  self:hook(log.write, settings, level, message, fields)
end

-- Ends the interest in the cancel token.
function Run:release()
  if self.forget then self.forget() end
  self.forget = nil
end

-- Each model has a key of its own: its bytes differ.
function Run:idempotency_key(model)
  local request = self.request
  if request.method == "GET" or request.method == "HEAD" or request.idempotency_key == false then return nil end
  for _, header in ipairs(request.headers) do
    if header[1] == "idempotency-key" then return nil end
  end
  if request.idempotency_key then return request.idempotency_key end
  local key = self.keys[model]
  if not key then
    key = "ofox-" .. core.uuid()
    self.keys[model] = key
  end
  return key
end

-- The request of this attempt as the transport takes it.
function Run:attempt(key, model)
  local request, settings = self.request, self.settings
  local lines = {}
  for i, header in ipairs(request.headers) do
    -- for libcurl "name:" takes a header away and "name;" sends an empty one
    lines[i] = header[2] == "" and header[1] .. ";" or header[1] .. ": " .. header[2]
  end
  if key then lines[#lines + 1] = "Authorization: Bearer " .. key end
  local idempotency = self:idempotency_key(model)
  if idempotency then lines[#lines + 1] = "Idempotency-Key: " .. idempotency end
  local cert = settings.client_cert or {}
  return {
    method = request.method,
    url = request.url,
    lines = lines,
    body = request.bodies and (request.bodies[model] or request.bodies[1]),
    verify = settings.verify,
    http_version = options.HTTP_VERSIONS[settings.http_version],
    max_connections = settings.max_connections,
    proxy = settings.proxy == false and "" or settings.proxy,
    ca_file = settings.ca_file,
    ca_path = settings.ca_path,
    unix_socket = settings.unix_socket,
    client_cert = cert.cert,
    client_key = cert.key,
    client_password = cert.password,
  }
end

function Run:start()
  local call, settings = self.call, self.settings
  local key = false
  if not settings.own_auth and self.request.expect ~= "contact" then
    key = self:hook(key_of, settings)
    if call:state() ~= "ready" then return end
    if key == nil then
      call:abort("MISSING_KEY", self.transport:now())
      return
    end
  end
  if key then call:secret(key) end
  local attempts, model = call:progress()
  self:log("debug", "attempt", { attempt = attempts + 1, model = self.request.models[model] })
  if call:state() ~= "ready" then return end
  self.transport:start(call, self:attempt(key, model))
end

-- An attempt has failed and another is planned: the program may object.
function Run:announce(delay, attempt, source)
  local call, settings = self.call, self.settings
  self.failure = self:error()
  self:log("info", "retry", {
    delay = delay, source = source, attempt = attempt,
    type = self.failure.type, code = self.failure.code, status = self.failure.status,
    request_id = self.failure.request_id,
  })
  if not settings.on_retry then return end
  local answer = self:hook(settings.on_retry, self.failure, delay, attempt, source)
  if answer == false then
    call:veto()
  elseif type(answer) == "number" and answer == answer then
    call:postpone(answer)
  end
end

function Run:wait()
  local call, settings = self.call, self.settings
  if call:state() == "flight" or not settings.on_wait then
    wait.call(self.transport, call)
    return
  end
  local left = call:due() - self.transport:now()
  if left > 0 then self:hook(settings.on_wait, left, self.failure) end
  if call:state() == "wait" then wait.call(self.transport, call, WAIT_STEP) end
end

function Run:serve()
  local call = self.call
  while true do
    local delay, attempt, source = call:announce()
    if delay then self:announce(delay, attempt, source) end
    local state = call:state()
    if state == "done" then return end
    if state == "ready" then
      self:start()
    else
      self:wait()
    end
  end
end

function Run:fail(err)
  self:log(err.type == "cancelled_error" and "info" or "warn", "failed", {
    type = err.type, code = err.code, status = err.status, reason = err.reason,
    attempts = err.attempts, request_id = err.request_id, message = err.message,
  })
  if self.settings.on_error then self:hook(self.settings.on_error, err) end
  return nil, err
end

-- Gives what ofox.meta gives, which is made when it is first asked for. Of
-- all that belongs to the call no more is kept than that takes.
local function meta_of(call, models, wall)
  local meta
  return function()
    if meta then return meta end
    meta = call:meta(wall)
    meta.model_requested = models[1]
    for _, retry in ipairs(meta.retries) do retry.model = models[retry.model] end
    call = nil
    return meta
  end
end

-- A success that turns out to be none when its body is read.
function Run:unreadable(raw, code, message)
  raw.type, raw.code, raw.message = "response_error", code, self.call:clean(message)
  raw.retryable, raw.ambiguous, raw.reason = false, true, "not_retryable"
  raw.model, raw.model_requested = raw.model_requested, nil
  return self:fail(errors.new(raw))
end

-- The value of the answer, or nil with a code and what is wrong.
function Run:decode()
  local expect = self.request.expect
  local body = self.call:reply()
  if expect == "contact" then return true end
  if expect == "raw" then return { value = body } end
  if body == "" then return {} end
  local value, message = json.decode(body, self.settings.json)
  if value == nil then return nil, "invalid_json", "the answer could not be decoded: " .. message end
  if type(value) ~= "table" then value = { value = value } end
  local finish = self.request.finish
  local problem = finish and finish(value)
  if problem then return nil, "encoding", problem end
  return value
end

function Run:finish()
  local call, settings = self.call, self.settings
  if call:failed() then
    local err = self:error()
    if err.type == "cancelled_error" then err.cause = self.failure end
    return self:fail(err)
  end
  local meta = meta_of(call, self.request.models, self.transport:wall())
  local value, code, message = self:decode()
  if value == nil then return self:unreadable(meta(), code, message) end
  if log.enabled(settings, "debug") then
    self:log("debug", "answered", {
      status = meta().status, attempts = meta().attempts, elapsed = meta().elapsed, request_id = meta().request_id,
    })
  end
  if settings.on_response then self:hook(settings.on_response, meta()) end
  return value, meta
end

--- Makes the call and waits for its end.
---@param request table  method, url, headers (list of {name, value}), bodies
--   (one per model, or nil), models (list of ids), expect ("object", "any",
--   "raw", "contact"), idempotency_key (string, false or nil), finish (reads
--   on in the decoded value; returns what is wrong with it, or nil)
---@param settings table  all options of the call
---@return table|nil value
---@return function|table meta_or_error  gives what ofox.meta gives; the error
function exchange.perform(request, settings)
  local transport = settings.transport or require("ofox.transport").get()
  local call = new_call(transport, request, settings)
  local run = setmetatable(
    { transport = transport, call = call, request = request, settings = settings, keys = {} }, Run)
  if settings.cancel then
    run.forget = settings.cancel:on_cancel(function() transport:cancel(call) end)
  end
  run:serve()
  run:release()
  return run:finish()
end

--- Opens a connection ahead of the first call: any answer will do. No key is
-- sent.
---@param settings table
---@param url string
---@return boolean|nil ok
---@return function|table meta_or_error
function exchange.connect(settings, url)
  return exchange.perform({
    method = "HEAD", url = url, headers = {}, models = {}, expect = "contact",
  }, settings)
end

return exchange
