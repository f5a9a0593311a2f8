--- The client: checks what the program says, puts the request together, has
-- it performed, and lets the outcome arrive the way the program chose.
-- All files that a call, a stream or an error can need are loaded with this one
-- or kept for it, and what programs use beside: later, when the program has changed
-- its directory, dropped its rights or used up its descriptors, they may be out of
-- reach.
require "ofox.base.uncompiled" ()
local body = require "ofox.request.body"
local chat = require "ofox.resources.chat"
local copy = require "ofox.base.copy"
local deliver = require "ofox.call.deliver"
local describe = require "ofox.base.describe"
local driver = require "ofox.call.driver"
local embeddings = require "ofox.resources.embeddings"
local engine = require "ofox.task.engine"
local headers = require "ofox.request.headers"
local images = require "ofox.resources.images"
local log = require "ofox.base.log"
local models = require "ofox.resources.models"
local options = require "ofox.request.options"
local reserve = require "ofox.base.reserve"
local response = require "ofox.answer.response"
local responses = require "ofox.resources.responses"
local template = require "ofox.request.template"
local url = require "ofox.request.url"

-- What many programs never need.
for _, list in ipairs {
  { "answer.pieces", "answer.elements", "answer.accumulate", "answer.dialect.chat", "answer.dialect.responses",
    "answer.partial", "answer.collect" },
  { "base.character" }, { "base.gateway", "hints" }, { "base.where" }, { "call.on_retry", "retry" },
  { "call.reader", "call.stream" }, { "errors" }, { "later" }, { "loop.protocol" }, { "request.fallback" },
  { "request.table_checks", "request.api_key", "request.attempt" }, { "request.table_checks", "request.custom" },
  { "sse" }, { "task.cancel" },
} do reserve.keep(list) end

local client = {}

---@class ofox.Client
local Client = {}
Client.__index = Client
Client.__name = "ofox.client"

-- The key of a client's only field: a function that gives its state, so that
-- a dump of a client has nothing to show.
local STATE = {}

--- Makes a client.
---@param given? table  options as in options.rows
---@return ofox.Client|nil
---@return string|nil problem  what is wrong with the options
function client.new(given)
  local kept, problem = options.check(given, "client")
  if not kept then return nil, (problem:gsub("^%.", "")) end
  problem = options.read_environment(kept, os.getenv)
  if problem then return nil, problem end
  kept.log_threshold = log.threshold()
  if not kept.transport then engine.prepare() end
  local state = { options = kept, ready = setmetatable({}, { __mode = "k" }) }
  return setmetatable({ [STATE] = function() return state end }, Client)
end

local function state_of(self)
  local get = type(self) == "table" and rawget(self, STATE)
  return get and get() or nil
end

--- The options of a client as they were checked, for those that look into what
-- it does. The key is among them.
---@param value any
---@return table|nil options  not to be changed; nil if the value is no client
function client.options(value)
  local state = state_of(value)
  return state and state.options
end

-- What the calls of a resource have in common under these options.
local function new_template(state, resource, call, like)
  local settings = options.settings(resource, state.options, call)
  if resource.headers then settings.headers = options.overlay(settings.headers, resource.headers) end
  if resource.query then settings.query = options.overlay(settings.query, resource.query) end
  local address = url.build(settings.base_url, resource.path, settings.query)
  local problem = url.check(address)
  if problem then return nil, problem end
  local list, own_auth = {}, false
  if resource.bare then address = settings.base_url else list, own_auth = headers.build(resource, settings.headers) end
  return template.new({
    method = resource.method, url = address, headers = list, own_auth = own_auth, expect = resource.expect,
    dialect = resource.streams and resource.dialect or nil,
  }, settings, like)
end

-- The same, made once for the calls that have no options of their own.
local function template_of(state, resource, opts)
  local ready = state.ready[resource]
  if opts == nil and ready then return ready end
  if opts ~= nil then
    local call, problem = options.check(opts, "call")
    if not call then return nil, describe.place("opts", problem) end
    return new_template(state, resource, call, not template.differs(call) and ready or nil)
  end
  local problem
  state.ready[resource], problem = new_template(state, resource)
  return state.ready[resource], problem
end

local function colon(who)
  return ("%s: expected a client before the dot; call it with a colon, %s(…)"):format(who, who)
end

-- A call with a body of 'params', or nil and what the program did wrong.
local function prepare(self, who, resource, params, opts)
  local state = state_of(self)
  if not state then return nil, colon(who) end
  local problem = body.check_params(params, resource)
  if problem then return nil, who .. ": " .. problem end
  local of, wrong = template_of(state, resource, opts)
  if not of then return nil, who .. ": " .. wrong end
  local finish = resource.finish and rawget(params, next(resource.add)) == nil and resource.finish or nil
  if resource.add then params = copy(params, resource.add) end
  local others = of.settings.fallback
  local run
  if others and others[1] and resource.fallback then
    local bodies, asked = body.of_models(params, others)
    if not bodies then return nil, who .. ": " .. asked end
    run = driver.new(of, nil, bodies, asked)
  else
    run, wrong = driver.new(of, params, nil, rawget(params, "model"))
    if wrong then return nil, who .. ": " .. body.problem(wrong, "params") end
    run.finish = finish
  end
  return run
end

-- A call whose body is encoded already, or that has none.
local function prepare_bare(self, who, resource, opts)
  local state = state_of(self)
  if not state then return nil, colon(who) end
  local of, problem = template_of(state, resource, opts)
  if not of then return nil, who .. ": " .. problem end
  return driver.new(of, resource.body)
end

local function perform(run)
  local of = run.template
  if of.dialect then
    local stream = reserve.require "ofox.call.stream"
    local ok, err = driver.open(run)
    if not ok then return deliver(of.settings, err) end
    return stream.new(run)
  end
  local value, meta = driver.perform(run)
  if value == nil then return deliver(of.settings, meta) end
  -- a function shows a dump of the answer nothing of the call, which has the key
  return response.wrap(value, function() return meta() end, of.settings.json)
end

-- The resource, its answer wanted as events.
local streaming = setmetatable({}, { __mode = "k" })

local function as_stream(resource)
  local found = streaming[resource]
  if not found then
    found = setmetatable({ streams = true, add = { stream = true } }, { __index = resource })
    streaming[resource] = found
  end
  return found
end

-- As the params ask for it.
local function wanted(resource, params)
  local streams = type(params) == "table" and rawget(params, "stream") == true
  return streams and as_stream(resource) or resource
end

--- Asks for a chat completion: POST /chat/completions. With params.stream it
-- gives a stream, as client:stream does.
---@param params table  goes to the server as it is: model, messages, …
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:chat(params, opts)
  local resource = wanted(chat, params)
  local run, problem = prepare(self, "client:chat", resource, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Asks for a chat completion in pieces as they are made: POST
-- /chat/completions with stream = true. Returns once there is something to
-- read; up to then a failure is retried like that of any call.
---@param params table  goes to the server as it is: model, messages, …
---@param opts? table  options of this call
---@return ofox.Stream|nil stream
---@return ofox.Error|nil err
function Client:stream(params, opts)
  if type(params) == "table" and rawget(params, "stream") == false then
    error("client:stream: params.stream: expected true or nothing, got false (client:chat makes calls without)", 2)
  end
  local resource = as_stream(chat)
  local run, problem = prepare(self, "client:stream", resource, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Asks for embeddings: POST /embeddings. Vectors are tables of numbers; they
-- travel as base64 unless params.encoding_format says otherwise.
---@param params table  model, input, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:embeddings(params, opts)
  local run, problem = prepare(self, "client:embeddings", embeddings, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Asks for images: POST /images/generations. 'timeout' is 180 unless given.
---@param params table  model, prompt, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:images(params, opts)
  local run, problem = prepare(self, "client:images", images, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Asks for a response: POST /responses. With params.stream it gives a stream.
---@param params table  model, input, …
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:responses(params, opts)
  local resource = wanted(responses, params)
  local run, problem = prepare(self, "client:responses", resource, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Lists the models: GET /models.
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:models(opts)
  local run, problem = prepare_bare(self, "client:models", models.list, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Gives one model: GET /models/{id}.
---@param id string  e.g. "openai/gpt-4o"
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:model(id, opts)
  if not state_of(self) then error(colon("client:model"), 2) end
  local escaped, wrong = url.escape_id(id)
  if wrong then error("client:model: id: " .. wrong, 2) end
  local resource = models.one(escaped)
  local run, problem = prepare_bare(self, "client:model", resource, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Sends any request: {method, path, body, headers, query, raw, stream}. 'path' is
-- below base_url; 'body' is a table, sent as JSON, or a string, sent as it is;
-- the method is POST with a body, else GET. Any JSON is an answer (what is no
-- object or array comes as {value = …}); with 'raw' any bytes are, as
-- {value = bytes}. With 'stream', or stream = true in a body that is a table, it
-- gives a stream of whatever JSON its events are, until the answer ends.
---@param params table
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:request(params, opts)
  if not state_of(self) then error(colon("client:request"), 2) end
  local resource, wrong = reserve.require "ofox.request.custom"(params)
  if wrong then error("client:request: " .. wrong, 2) end
  local run, problem = prepare_bare(self, "client:request", resource, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

local CONTACT = { name = "connect", method = "HEAD", path = "", expect = "contact", bare = true }

--- Opens a connection and keeps it for the first call, which then need not
-- wait for DNS, TCP and TLS.
---@param opts? table  options of this call
---@return true|nil
---@return ofox.Error|nil err
function Client:connect(opts)
  local run, problem = prepare_bare(self, "client:connect", CONTACT, opts)
  if problem then error(problem, 2) end
  local ok, err = driver.perform(run)
  if not ok then return deliver(run.template.settings, err) end
  return true
end

-- An option set like a field would have no effect.
function Client:__newindex(name, value)
  if options.is(name) then
    error(("client.%s: options are given to ofox.new, or to a call as its last argument"):format(name), 2)
  end
  rawset(self, name, value)
end

--- Names the host, without a password or a key.
function Client:__tostring()
  local state = state_of(self)
  local base = state and options.settings({}, state.options).base_url or "?"
  return "ofox.client: " .. base:gsub("^(%w+://)[^/]*@", "%1")
end

return client
