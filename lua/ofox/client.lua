--- The client: checks options and params, builds the request, performs it, and
-- delivers the outcome the way the program chose.
-- All files that a call, a stream or an error can need are loaded with this one
-- or kept for it, and so are other common ones: later, when the program has changed
-- its directory, dropped its privileges or used up its descriptors, they may be
-- inaccessible.
require "ofox.base.uncompiled" ()
local account = require "ofox.request.account"
local body = require "ofox.request.body"
local chat = require "ofox.resources.chat"
local copy = require "ofox.base.copy"
local core = require "ofox.base.native" "core"
local deliver = require "ofox.call.deliver"
local describe = require "ofox.base.describe"
local driver = require "ofox.call.driver"
local embeddings = require "ofox.resources.embeddings"
local engine = require "ofox.task.engine"
local generate_content = require "ofox.resources.generate_content"
local headers = require "ofox.request.headers"
local images = require "ofox.resources.images"
local in_path = require "ofox.request.in_path"
local log = require "ofox.base.log"
local messages = require "ofox.resources.messages"
local models = require "ofox.resources.models"
local options = require "ofox.request.options"
local reserve = require "ofox.base.reserve"
local response = require "ofox.answer.response"
local responses = require "ofox.resources.responses"
local template = require "ofox.request.template"
local url = require "ofox.request.url"

-- Modules that many programs never need.
for _, list in ipairs {
  { "answer.pieces", "answer.elements", "answer.accumulate" }, { "answer.pieces", "answer.paths" },
  { "answer.partial", "answer.collect" }, { "base.character" }, { "base.gateway", "hints" },
  { "base.where", "errors" }, { "call.hedge" }, { "call.on_retry", "retry" }, { "call.reader", "call.stream" },
  { "call.reader", "call.bytes" }, { "later" }, { "loop.protocol" },
  { "errors", "resources.files", "client.files" }, { "request.fallback" },
  { "request.table_checks", "request.api_key", "request.attempt" }, { "request.table_checks", "request.custom" },
  { "request.file", "request.form" }, { "request.multipart" }, { "sse" }, { "task.cancel" },
  { "errors", "base.traceback", "task.unhandled", "task.lifecycle", "task.parallel", "tools.dialects", "tools" },
} do reserve.keep(list) end
for _, name in ipairs(core.dialects) do reserve.keep { "answer.dialect." .. name } end

local client = {}

---@class ofox.Client
local Client = {}
Client.__index = Client
Client.__name = "ofox.client"

-- The key of a client's only field: a function that returns its state, so that a
-- dump of a client shows nothing.
local STATE = {}

--- Creates a client.
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
  local settings = options.settings({}, kept)
  local owned = { base_url = settings.base_url }
  owned.core, owned.known_by = account.new(settings)
  if settings.pace then core.pace(owned.core, settings.pace) end
  if settings.budget then core.budget(owned.core) end
  if settings.breaker then core.breaker(owned.core, settings.breaker) end
  local state = { account = owned, options = kept, stats = core.stats(), ready = setmetatable({}, { __mode = "k" }) }
  return setmetatable({ [STATE] = function() return state end }, Client)
end

local function state_of(self)
  local get = type(self) == "table" and rawget(self, STATE)
  return get and get() or nil
end

--- Returns the checked options of a client, for modules that inspect it. They
-- include the key.
---@param value any
---@return table|nil options  read-only; nil if the value is not a client
function client.options(value)
  local state = state_of(value)
  return state and state.options
end

-- The template of a resource's calls with these options.
local function new_template(state, resource, call, like)
  local settings = options.settings(resource, state.options, call)
  if resource.headers then settings.headers = options.overlay(settings.headers, resource.headers) end
  if resource.query then settings.query = options.overlay(settings.query, resource.query) end
  if resource.base then
    settings.base_url = settings[resource.base] or url.beside(settings.base_url, (resource.base:gsub("_url$", "")))
  end
  local address = url.build(settings.base_url, resource.path, settings.query)
  local problem = url.check(address)
  if problem then return nil, problem end
  local list, own_auth = {}, false
  if resource.bare then address = settings.base_url else list, own_auth = headers.build(resource, settings.headers) end
  return template.new({
    method = resource.method, url = address, headers = list, own_auth = own_auth, expect = resource.expect,
    dialect = resource.streams and resource.dialect or nil, key = resource.key, once = resource.once,
    stats = state.stats, account = state.account,
  }, settings, like)
end

-- The same, created once for calls without options of their own.
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

-- The variant of the resource that sends a form.
local formed = setmetatable({}, { __mode = "k" })

local function as_form(resource)
  if resource.form then return resource end
  formed[resource] = formed[resource] or setmetatable({ form = true }, { __index = resource })
  return formed[resource]
end

-- Creates a call whose params have files.
local function prepare_form(state, who, resource, params, opts, model)
  local form = reserve.require "ofox.request.form"
  local problem = form.check(params, resource.files)
  local parts
  if not problem then parts, problem = form.parts(params) end
  if not parts then return nil, who .. ": " .. problem end
  local of, wrong = template_of(state, as_form(resource), opts)
  if not of then return nil, who .. ": " .. wrong end
  local run = driver.new(of, nil, nil, model)
  form.fill(run.call, parts)
  return run
end

-- Creates a call with a body of 'params', or returns nil and the misuse.
local function prepare(self, who, resource, params, opts)
  local state = state_of(self)
  if not state then return nil, colon(who) end
  local problem = body.check_params(params, resource)
  if problem then return nil, who .. ": " .. problem end
  local model = rawget(params, "model")
  if resource.form then return prepare_form(state, who, resource, params, opts, model) end
  local of, wrong = template_of(state, resource, opts)
  if not of then return nil, who .. ": " .. wrong end
  local finish = resource.finish and rawget(params, next(resource.add)) == nil and resource.finish or nil
  if resource.add then params = copy(params, resource.add) end
  local others, hedge = of.settings.fallback, of.settings.hedge
  if resource.leaves then
    params = copy(params, {})
    for _, name in ipairs(resource.leaves) do params[name] = nil end
  end
  local run
  if (hedge and hedge.model or others and others[1]) and resource.fallback then
    local bodies, asked, hedged = body.of_models(params, others or {}, hedge and hedge.model)
    if not bodies then return nil, who .. ": " .. asked end
    run = driver.new(of, nil, bodies, asked, hedged)
  else
    run, wrong = driver.new(of, params, nil, model)
    if wrong and reserve.require "ofox.request.form".has_file(params) then -- JSON cannot hold them
      return prepare_form(state, who, resource, params, opts, model)
    elseif wrong then
      return nil, who .. ": " .. body.problem(wrong, "params")
    end
    run.finish = finish
  end
  return run
end

-- Creates a call whose body is already encoded, or that has none.
local function prepare_bare(self, who, resource, opts)
  local state = state_of(self)
  if not state then return nil, colon(who) end
  local of, problem = template_of(state, resource, opts)
  if not of then return nil, who .. ": " .. problem end
  local run = driver.new(of, resource.body)
  if resource.form then reserve.require "ofox.request.form".fill(run.call, resource.form) end
  return run
end

local function perform(run)
  local of = run.template
  if of.dialect then
    local stream = reserve.require(of.expect == "raw" and "ofox.call.bytes" or "ofox.call.stream")
    local ok, err = driver.open(run)
    if not ok then return deliver(of.settings, err) end
    return stream.new(run)
  end
  local value, meta = driver.perform(run)
  if value == nil then return deliver(of.settings, meta) end
  -- a function keeps the call, which has the key, out of a dump of the answer
  return response.wrap(value, function() return meta() end, of.settings.json)
end

-- The variant of the resource that answers with events.
local streaming = setmetatable({}, { __mode = "k" })

local function as_stream(resource)
  local found = streaming[resource]
  if not found then
    found = setmetatable({ streams = true, add = { stream = true } }, { __index = resource })
    streaming[resource] = found
  end
  return found
end

-- Chooses the variant that the params ask for.
local function wanted(resource, params)
  local streams = type(params) == "table" and rawget(params, "stream") == true
  return streams and as_stream(resource) or resource
end

--- Requests a chat completion: POST /chat/completions. With params.stream it
-- returns a stream, as client:stream does.
---@param params table  sent to the server unchanged: model, messages, …
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:chat(params, opts)
  local resource = wanted(chat, params)
  local run, problem = prepare(self, "client:chat", resource, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Requests a chat completion that is streamed as it is generated: POST
-- /chat/completions with stream = true. Returns once there is something to read;
-- until then a failure is retried like that of any call.
---@param params table  sent to the server unchanged: model, messages, …
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

--- Requests embeddings: POST /embeddings. Vectors are tables of numbers; they are
-- sent as base64 unless params.encoding_format says otherwise.
---@param params table  model, input, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:embeddings(params, opts)
  local run, problem = prepare(self, "client:embeddings", embeddings, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Requests images: POST /images/generations. 'timeout' is 180 unless given.
---@param params table  model, prompt, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:images(params, opts)
  local run, problem = prepare(self, "client:images", images, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Requests a response: POST /responses. With params.stream it returns a stream.
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

--- Requests a message by Anthropic's protocol: POST /v1/messages below
-- anthropic_url. With params.stream it returns a stream.
---@param params table  model, max_tokens, messages, …
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:messages(params, opts)
  local resource = wanted(messages, params)
  local run, problem = prepare(self, "client:messages", resource, params, opts)
  if problem then error(problem, 2) end
  return perform(run)
end

--- Requests an answer by Gemini's protocol: POST
-- /v1beta/models/{model}:generateContent below gemini_url. With params.stream it
-- returns a stream; 'model' and 'stream' are not a part of the body.
---@param params table  model, contents, …
---@param opts? table  options of this call
---@return ofox.Response|ofox.Stream|nil response
---@return ofox.Error|nil err
function Client:generate_content(params, opts)
  local who, resource, problem = "client:generate_content", generate_content, nil
  if not state_of(self) then error(colon(who), 2) end
  if type(params) == "table" then resource, problem = in_path.resource(generate_content, params) end
  if problem then error(who .. ": " .. problem, 2) end
  local run, wrong = prepare(self, who, resource, params, opts)
  if wrong then error(wrong, 2) end
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

--- Returns one model: GET /models/{id}.
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

-- Methods that many programs never need are in files of their own.
local WITH = {
  prepare = prepare, prepare_bare = prepare_bare, perform = perform, colon = colon, state_of = state_of,
}
for _, name in ipairs { "edit_images", "transcribe", "videos", "video", "delete_video", "wait_video" } do
  Client[name] = function(self, first, opts)
    local value, err = reserve.require "ofox.client.files"(WITH)[name](self, first, opts)
    return value, err -- no tail call, which would change the error level
  end
end

--- Sends any request: {method, path, body, headers, query, raw, stream}. 'path' is
-- below base_url; 'body' is a table, sent as JSON, or a string, sent unchanged; the
-- method is POST with a body, else GET. Any JSON is a valid answer (a value that is
-- not an object or array is returned as {value = …}); with 'raw' any bytes are, as
-- {value = bytes}. With 'stream', or stream = true in a body that is a table, it
-- returns a stream of events of any JSON, until the answer ends; with both it returns
-- a stream of bytes.
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

--- Has the model call functions of the program, until it has an answer. The protocol
-- is opts.protocol, else that of the params: chat, or responses if they have 'input'.
---@param params table  as for client:chat, client:responses or client:messages; not changed
---@param tools table<string, {description: string?, parameters: table?, run: fun(arguments: any, call: table): any}>
---@param opts? table  options of each request, and limit, max_rounds, on_text, on_tool, protocol, raise
---@return ofox.Response|nil response  the last one
---@return table[]|ofox.Error|nil messages  of the whole conversation; or the error, with what was reached in 'messages'
function Client:run_tools(params, tools, opts)
  local state = state_of(self)
  if not state then error(colon("client:run_tools"), 2) end
  local running = reserve.require "ofox.tools"
  local talk, problem = running.new(params, tools, opts)
  if problem then error("client:run_tools: " .. problem, 2) end
  local answer, more = running.run(talk, function(asked)
    local run, wrong = prepare(self, "client:run_tools", wanted(talk.dialect.resource, asked), asked, talk.opts)
    if wrong then return nil, nil, wrong end
    return perform(run)
  end)
  if answer ~= nil then return answer, more end
  if talk.problem then error(talk.problem, 2) end
  return deliver({ errors = talk.errors or state.options.errors or "split" }, more)
end

local CONTACT = { name = "connect", method = "HEAD", path = "", expect = "contact", bare = true }

--- Opens a connection and keeps it for the first call, which then need not wait for
-- DNS, TCP and TLS.
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

--- Returns what the client has done since it was created, in numbers: a new table
-- each time. See doc/stats.md.
---@return ofox.Stats
function Client:stats()
  local state = state_of(self)
  if not state then error(colon("client:stats"), 2) end
  local transport = state.options.transport
  local now = transport and transport:now()
  local stats = core.read_stats(state.stats, now)
  stats.limits = core.read_limits(state.account.core, now, stats.models)
  return stats
end

-- Setting an option as a field would have no effect.
function Client:__newindex(name, value)
  if options.is(name) then
    error(("client.%s: options are given to ofox.new, or to a call as its last argument"):format(name), 2)
  end
  rawset(self, name, value)
end

--- Returns the address of the host, without a password or a key.
function Client:__tostring()
  local state = state_of(self)
  local base = state and options.settings({}, state.options).base_url or "?"
  return "ofox.client: " .. base:gsub("^(%w+://)[^/]*@", "%1")
end

return client
