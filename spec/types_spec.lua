-- The types for editors are true: what lua/ofox/types.lua says, together with
-- what the other files annotate, is what there is.
local ofox = require "ofox"
local core = require("ofox.base.native")("core")
local options = require "ofox.request.options"
local mock = require "ofox.mock"
local annotations = require "support.annotations"
local proc = require "support.proc"
local simulator = require "support.simulator"

local TYPES = { "lua/ofox/types.lua", "lua/ofox/types/protocols.lua", "lua/ofox/types/wire.lua" }

local types, all_text, is_types = annotations.new(), "", {}
for _, path in ipairs(TYPES) do
  annotations.read(path, types)
  all_text, is_types[path] = all_text .. proc.read(path), true
end
local source = annotations.new()
do
  local pipe = assert(io.popen("find lua -name '*.lua' | sort"))
  for path in pipe:lines() do
    if not is_types[path] then annotations.read(path, source) end
  end
  pipe:close()
end

local function fields_of(name) return annotations.fields_of({ types, source }, name) end

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function names_of(class, without)
  local names = {}
  for name in pairs(fields_of(class)) do
    if not name:find("^_") and name ~= without then names[name] = true end
  end
  return sorted(names)
end

-- The literals of an alias, those of other aliases in it included.
local function words(name, list)
  list = list or {}
  for _, word in ipairs(assert(types.aliases[name], name)) do
    local literal = word:match('^"(.*)"$')
    if literal then
      list[#list + 1] = literal
    elseif word:find("^ofox%.") then
      words(word, list)
    end
  end
  return list
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return sorted(set)
end

-- What a pattern finds in a part of a file.
local function listed(path, part, pattern)
  local set = {}
  for name in assert(proc.read(path):match(part), path):gmatch(pattern) do set[name] = true end
  assert.is_truthy(next(set), path)
  return sorted(set)
end

local function public_keys(value)
  local set = {}
  for name in pairs(value) do
    if type(name) == "string" and not name:find("^_") then set[name] = true end
  end
  return sorted(set)
end

local BODY = { choices = { { message = { role = "assistant", content = "hi" } } } }
local PARAMS = { model = "m", messages = {} }

-- A client with a mock that has these replies.
local function scripted(replies, given)
  local server = mock.new()
  for _, reply in ipairs(replies) do server:reply(reply) end
  local all = { api_key = "sk-test", transport = server, errors = "return", retry = { jitter = "none" } }
  for name, value in pairs(given or {}) do all[name] = value end
  return ofox.new(all), server
end

describe("the types", function()
  it("are a file that gives nothing", function()
    assert.matches("^%-%-%-@meta ofox\n", all_text)
    assert.same({}, require "ofox.types")
  end)

  it("name only what is declared, and declare it once", function()
    for name in all_text:gmatch("ofox%.%u%w*") do
      local known = types.classes[name] or types.aliases[name] or source.classes[name]
      assert.is_truthy(known, name .. " is not declared")
    end
    for name, class in pairs(types.classes) do
      assert.equal(1, class.count, name)
      assert.is_nil(types.aliases[name], name)
    end
    assert.same({}, types.twice)
  end)

  it("repeat no field that another file has", function()
    for name, class in pairs(types.classes) do
      for _, field in ipairs(class.own) do
        local other = source.classes[name] and source.classes[name].fields[field]
        assert.is_nil(other and other.type, name .. "." .. field)
      end
    end
  end)

  it("close what they open, and say what a function gives", function()
    for name, class in pairs(types.classes) do
      for field, what in pairs(class.fields) do
        local where, rest = name .. "." .. field, what.type
        -- without a return, the next line would be read as one
        if rest:find("^fun%(") then assert.matches("^fun%b(): ", rest, nil, where) end
        for _, pair in ipairs { "%b()", "%b{}", "%b<>" } do rest = rest:gsub(pair, "") end
        assert.is_nil(rest:gsub("%[%]", ""):find("[][(){}<>]"), where)
      end
    end
  end)
end)

describe("the types of options", function()
  local function doc_of(row)
    local default = row.shown
    if default == nil and row.default == nil then default = "none" end
    if default == nil then
      default = "`" .. (type(row.default) == "string" and '"' .. row.default .. '"' or tostring(row.default)) .. "`"
    end
    return row.doc .. ". Default: " .. default .. "."
  end

  for scope, class in pairs { client = "ofox.Options", call = "ofox.CallOptions" } do
    it("are those of a " .. scope, function()
      local expected, fields = {}, fields_of(class)
      for _, row in ipairs(options.rows) do
        if not row.scope or row.scope == scope then
          expected[row.name] = true
          local field = assert(fields[row.name], row.name .. " is missing")
          assert.equal(doc_of(row), field.doc)
          assert.is_true(field.optional, row.name)
        end
      end
      assert.same(sorted(expected), names_of(class))
    end)
  end

  it("have the words that are accepted", function()
    local function row_of(name)
      for _, row in ipairs(options.rows) do
        if row.name == name then return row end
      end
    end
    for _, word in ipairs(words "ofox.ErrorsMode") do assert.is_nil((row_of "errors".check(word))) end
    assert.equal(3, #words "ofox.ErrorsMode")
    assert.same(public_keys(options.HTTP_VERSIONS), set_of(words "ofox.HttpVersion"))
    local policies = listed("src/policy/retry.c", "policies%[%] = {(.-)\n};", '{"(%w+)", {')
    assert.same(policies, set_of(words "ofox.PolicyName"))
    local levels = listed("lua/ofox/base/log.lua", "LEVELS = {(.-)}", "(%w+) =")
    assert.same(levels, set_of(words "ofox.LogLevel"))
    local client_cert = fields_of("ofox.Options").client_cert.type
    local names = {}
    for name in client_cert:gmatch("(%w+)%??: string") do names[name] = name end
    assert.is_nil((row_of "client_cert".check(names)))
    assert.equal(3, #sorted(names))
  end)
end)

describe("the types of what can be called", function()
  it("are those of the module", function()
    local fields = fields_of "ofox.Module"
    for _, name in ipairs(listed("lua/ofox/later.lua", "PLACES = {(.-)\n}", "([%w_]+) = {")) do
      assert.is_truthy(fields[name] and fields[name].type, "ofox." .. name .. " is missing")
    end
    for name in pairs(ofox) do
      assert.is_truthy(fields[name] and fields[name].type, "ofox." .. name .. " is missing")
    end
    for name in pairs(fields) do assert.is_truthy(ofox[name], "there is no ofox." .. name) end
    assert.is_truthy(fields.all.type:find("{limit?: integer, stop_on_error?: boolean}", 1, true))
    assert.same({}, ofox.all({}, { limit = 1, stop_on_error = true }))
    local of_map = { limit = 1, stop_on_error = true, on_result = print }
    assert.same({}, ofox.map({}, print, of_map))
    assert.same(names_of "ofox.MapOptions", public_keys(of_map))
  end)

  it("are those of every object", function()
    local stream = assert((scripted { { sse = { BODY } } }):stream(PARAMS))
    local objects = {
      { "ofox.Client", ofox.new { api_key = false } },
      { "ofox.Response", require("ofox.answer.response").wrap({}, function() return {} end) },
      { "ofox.Stream", stream },
      { "ofox.ChatStream", stream },
      { "ofox.ResponsesStream", stream },
      { "ofox.ByteStream", assert((scripted { { body = "x" } }):request { path = "/", raw = true, stream = true }) },
      { "ofox.Task", ofox.go(function() end) },
      { "ofox.CancelToken", ofox.cancel_token() },
      { "ofox.Mock", mock.new() },
      { "ofox.Sse", ofox.sse() },
      { "ofox.Error", ofox.parse_error(429) },
    }
    for _, row in ipairs(objects) do
      local class, object = row[1], row[2]
      local fields, index = fields_of(class), getmetatable(object).__index
      for name, method in pairs(index) do
        if type(method) == "function" and not name:find("^__") then
          assert.is_truthy(fields[name], class .. ":" .. name .. " is missing")
        end
      end
      for name, field in pairs(fields) do
        if field.type and field.type:find("^fun%(") then
          assert.equal("function", type(object[name]), class .. ":" .. name)
        end
      end
    end
    stream:close()
  end)

  it("spell out every call of a client, with its options", function()
    local client = types.classes["ofox.Client"].fields
    for _, name in ipairs(public_keys(getmetatable(ofox.new { api_key = false }).__index)) do
      local field = assert(client[name], "client:" .. name .. " is missing")
      local class = name == "run_tools" and "ToolOptions" or "CallOptions" -- ToolOptions has those, too
      local other = name == "stats" or name == "wait_video"
      if not other then assert.matches("opts%?: ofox%." .. class .. "%)", field.type) end
      assert.is_truthy(field.doc, name)
    end
  end)

  it("have every option of run_tools", function()
    local expected = listed("lua/ofox/tools.lua", "\nlocal OWN = {(.-)\n}", "([%w_]+) = ")
    assert.same(expected, set_of(types.classes["ofox.ToolOptions"].own))
  end)

  it("have the params that ofox knows of", function()
    for _, name in ipairs { "chat", "embeddings", "generate_content", "images", "messages", "responses" } do
      local resource = require("ofox.resources." .. name)
      local class = types.classes["ofox.Client"].fields[name].type:match("params: ([%w.]+)")
      local fields = fields_of(class)
      for _, list in ipairs(resource.lists or {}) do assert.is_truthy(fields[list], class .. "." .. list) end
      for added in pairs(resource.add or {}) do assert.is_truthy(fields[added], class .. "." .. added) end
      assert.equal(resource.dialect ~= nil, fields.stream ~= nil, class)
      assert.is_truthy(fields.model)
    end
    assert.same(listed("lua/ofox/request/custom.lua", "local FIELDS = {(.-)}", '"(%w+)"'),
      names_of "ofox.RequestParams")
  end)

  it("have the fields of a mock's reply", function()
    local accepted = listed("lua/ofox/mock/script.lua", "local FIELDS = {(.-)}", '"(%w+)"')
    assert.same(accepted, names_of "ofox.MockScript")
    assert.same(accepted, sorted(types.classes["ofox.MockScript"].fields))
    local known = set_of(words "ofox.MockFailure")
    local taken = {}
    for _, outcome in ipairs(core.outcomes) do
      local server = mock.new()
      local fail = outcome.code
      if pcall(server.reply, server, { fail = fail }) or pcall(server.reply, server, { sse = {}, fail = fail }) then
        taken[fail] = true
      end
    end
    assert.same(sorted(taken), known)
  end)
end)

describe("the types of answers", function()
  local sim, client
  setup(function()
    sim = simulator.start()
    client = ofox.new { base_url = sim.url, api_key = "sk-sim-types", proxy = false }
  end)
  teardown(function() sim:stop() end)

  local cover

  -- Is a value, or each of a list, as a type says?
  local function cover_as(kind, value, where)
    if type(value) ~= "table" then return end
    if kind:find("%[%]$") then
      for i, item in ipairs(value) do cover_as(kind:sub(1, -3), item, where .. "[" .. i .. "]") end
    elseif types.classes[kind] then
      cover(kind, value, where)
    elseif kind:find("^{") then
      for name in pairs(value) do
        assert.is_truthy(kind:find("%f[%w_]" .. name .. "%??: "), where .. "." .. name .. " is missing")
      end
    end
  end

  function cover(class, value, where)
    local fields = fields_of(class)
    for name, part in pairs(value) do
      local field = fields[name]
      assert.is_truthy(field and field.type, where .. "." .. name .. " is missing")
      cover_as(field.type:gsub("^string|", ""), part, where .. "." .. name)
    end
    for name, field in pairs(fields) do
      local required = field.type and not field.optional and not field.type:find("^fun%(")
      if required then assert.is_not_nil(value[name], where .. "." .. name) end
    end
  end

  local TOOL = { type = "function", name = "f", parameters = { type = "object" },
    ["function"] = { name = "f", parameters = { type = "object" } } }
  local ASKED = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } }, input = "hi",
    prompt = "a fox", stream_options = { include_usage = true } }

  local function asked(tools)
    local params = { tools = tools }
    for name, value in pairs(ASKED) do params[name] = value end
    return params
  end

  it("have what the gateway documents", function()
    for _, tools in ipairs { {}, { TOOL } } do
      local params = asked(tools[1] and tools)
      cover("ofox.ChatCompletion", client:chat(params), "chat")
      for chunk in client:stream(params):chunks() do cover("ofox.ChatChunk", chunk, "chunk") end
      cover("ofox.ChatCompletion", client:stream(params):collect(), "collected")
      cover("ofox.ResponsesAnswer", client:responses(params), "responses")
      params.stream = true
      for event in client:responses(params):chunks() do cover("ofox.ResponsesEvent", event, "event") end
      cover("ofox.ResponsesAnswer", client:responses(params):collect(), "collected")
    end
    for _, stream in ipairs { false, true } do
      local params = { model = "anthropic/claude-sonnet-4.5", max_tokens = 9, messages = ASKED.messages,
        stream = stream }
      local contents = { { role = "user", parts = { { text = "hi" } } } }
      local asking = { model = "google/gemini-3-flash-preview", contents = contents, stream = stream }
      if stream then
        for event in client:messages(params):chunks() do cover("ofox.MessageEvent", event, "event") end
        for event in client:generate_content(asking):chunks() do cover("ofox.GeminiAnswer", event, "event") end
        cover("ofox.MessageAnswer", client:messages(params):collect(), "collected")
        cover("ofox.GeminiAnswer", client:generate_content(asking):collect(), "collected")
      else
        cover("ofox.MessageAnswer", client:messages(params), "message")
        cover("ofox.GeminiAnswer", client:generate_content(asking), "answer")
      end
    end
    cover("ofox.Embeddings", client:embeddings { model = "openai/text-embedding-3-small", input = "hi" }, "embeddings")
    cover("ofox.Images", client:images(asked()), "images")
    cover("ofox.ModelList", client:models(), "models")
    cover("ofox.ModelAnswer", client:model "openai/gpt-4o", "model")
  end)

  it("say more than table where the other files do not", function()
    local REFINED = {
      Module = "new errors retry meta parse_error all map any use_loop", Response = "meta", Stream = "meta",
      ChatStream = "next chunks each collect", ResponsesStream = "next chunks each collect",
      MessageStream = "next chunks each collect", GeminiStream = "next chunks each collect",
      AnyError = "type code reason ratelimit retries cause partial", PartialAnswer = "tool_calls finish_reason usage",
      Mock = "reply",
    }
    for class, names in pairs(REFINED) do
      for name in names:gmatch("%S+") do
        assert.is_truthy(types.classes["ofox." .. class].fields[name], class .. "." .. name .. " is missing")
      end
    end
    for _, class in ipairs { "Stream", "ChatStream", "ResponsesStream", "MessageStream", "GeminiStream" } do
      local callable = "%-%-%-@class ofox%." .. class .. "[^\n]*\n%-%-%-@overload fun%(%): "
      assert.is_truthy(all_text:find(callable), class)
    end
  end)
end)

describe("the types of errors", function()
  it("have every class", function()
    local kinds = {}
    for i, class in ipairs(core.classes) do
      kinds[i] = class.type
      local field = types.classes["ofox.Errors"].fields[class.name]
      assert.equal("ofox.ErrorClass", field and field.type, class.name)
      assert.same(public_keys(ofox.errors[class.name]), names_of "ofox.ErrorClass")
    end
    assert.same(kinds, words "ofox.ErrorType")
    assert.same(public_keys(ofox.errors), names_of "ofox.Errors")
  end)

  it("have every code of ofox's own", function()
    local ALIASES = { connection_error = "Connection", timeout_error = "Timeout", stream_error = "Stream",
      tls_error = "TLS", response_error = "Response", authentication_error = "Authentication",
      permission_error = "Permission", cancelled_error = "Cancelled", rate_limit_error = "RateLimit",
      service_unavailable = "Unavailable", invalid_request_error = "InvalidRequest" }
    local codes, all = {}, {}
    for _, outcome in ipairs(core.outcomes) do
      codes[outcome.type] = codes[outcome.type] or {}
      codes[outcome.type][outcome.code] = true
      all[outcome.code] = true
    end
    for kind, set in pairs(codes) do
      local name = assert(ALIASES[kind], kind)
      assert.same(sorted(set), set_of(words("ofox." .. name .. "Code")))
    end
    assert.same(sorted(all), set_of(words "ofox.ErrorCode"))
  end)

  local C_NAME = 'X%([%u_]+, "([^"]+)"%)'

  it("have every reason and every source of a delay", function()
    local reasons = listed("src/policy/retry.h", "OFOX_REASONS%(X%)(.-)\n\n", C_NAME)
    assert.same(reasons, set_of(words "ofox.Reason"))
    local sources = listed("src/wire/headers.h", "OFOX_SOURCES%(X%)(.-)\n\n", C_NAME)
    local known = words "ofox.DelaySource"
    known[#known + 1] = "none"
    assert.same(sources, set_of(known))
  end)

  local LIMITS = {
    ["retry-after"] = "1", ["x-request-id"] = "req_1",
    ["x-ratelimit-limit-requests"] = "9", ["x-ratelimit-remaining-requests"] = "8",
    ["x-ratelimit-reset-requests"] = "1s", ["x-ratelimit-limit-tokens"] = "99",
    ["x-ratelimit-remaining-tokens"] = "98", ["x-ratelimit-reset-tokens"] = "2s",
  }
  local REFUSED = { status = 429, headers = LIMITS,
    body = { error = { message = "slow down", code = "a_code", param = "a_param", type = "a_type" } } }

  it("have the fields of an error, and of what is in it", function()
    local client = scripted({ REFUSED, REFUSED }, { max_retries = 1 })
    local _, full = client:chat(PARAMS)

    local token = ofox.cancel_token()
    client = scripted({ REFUSED }, { on_wait = function() token:cancel() end })
    local _, cancelled = client:chat(PARAMS, { cancel = token })

    local function event(choices, usage) return { choices = choices, usage = usage } end
    client = scripted({ { fail = "reset", sse = {
      event { { index = 0, delta = { content = "hi", reasoning_content = "hm" } } },
      event({ { index = 0, finish_reason = "tool_calls", delta = { tool_calls = {
        { index = 0, id = "c", type = "function", ["function"] = { name = "f", arguments = "{}" } } } } },
        { index = 1, delta = { content = "ho" } } }, { total_tokens = 2 }),
    } } })
    local stream = assert(client:stream(PARAMS))
    local chunk, broken = stream:next()
    while chunk do chunk, broken = stream:next() end

    client = scripted({ REFUSED }, { max_retries = 0, errors = "raise" })
    local _, raised = ofox.go(client.chat, client, PARAMS):wait()

    client = scripted { { body = { id = "v", status = "failed" } } }
    local _, lost = client:wait_video "v"

    client = scripted({ REFUSED }, { max_retries = 0 })
    local _, talk = client:run_tools(PARAMS, {})

    local seen = {}
    for _, err in ipairs { full, cancelled, broken, raised, lost, talk } do
      for name in pairs(err) do seen[name] = true end
    end
    assert.same(names_of("ofox.AnyError", "hint"), sorted(seen))
    assert.same(names_of "ofox.Attempt", public_keys(full.retries[1]))
    assert.same(names_of "ofox.RateLimit", public_keys(full.ratelimit))
    assert.same(names_of "ofox.PartialAnswer", public_keys(broken.partial))
    local call = fields_of("ofox.PartialAnswer").tool_calls.type
    for name in pairs(broken.partial.tool_calls[1]) do assert.is_truthy(call:find(name .. "?: ", 1, true), name) end
  end)

  it("have the fields of what is known about a success", function()
    local client = scripted { REFUSED, { headers = LIMITS, body = BODY } }
    local res = assert(client:chat(PARAMS))
    assert.same(names_of "ofox.Meta", public_keys(res:meta()))
  end)
end)

describe("the types of retries", function()
  it("have the fields of a policy, of a state and of a plan", function()
    local policy = listed("src/lua/lretry.c", '"base".-NULL', '"([%w_]+)"')
    assert.same(policy, names_of "ofox.RetryPolicy")
    local SAMPLE = { base = 1, factor = 2, max_delay = 3, max_server_delay = 4, jitter = "none", statuses = { 425 },
      seed = 5 }
    assert.same(policy, public_keys(SAMPLE))
    assert.equal(1, (ofox.retry.delay(SAMPLE, 0)))
    local states = listed("src/lua/lretry.c", "static int retry_plan.-NULL", '"([%w_]+)"')
    assert.same(states, names_of "ofox.RetryPlanState")
    states = listed("src/lua/lretry.c", "static int retry_delay.-NULL", '"([%w_]+)"')
    assert.same(states, names_of "ofox.RetryState")
    local plan = ofox.retry.plan("ofox", ofox.parse_error(400))
    assert.same(public_keys(plan), names_of "ofox.RetryPlan")
    assert.same(public_keys(ofox.retry), names_of "ofox.Retry")
  end)

  it("have what a policy may carry besides", function()
    local extra = listed("lua/ofox/retry.lua", "EXTRA = {(.-)\n}", 'name = "([%w_]+)"')
    assert.same(extra, sorted(source.classes["ofox.RetryCall"].fields))
  end)
end)
