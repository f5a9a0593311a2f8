-- Verb, path and body of each method, and what becomes of the answer.
local json = require "ofox.json"
local ofox = require "ofox"
local driver = require "support.driver"

local last = driver.last

local client

before_each(function()
  driver.install { object = "x" }
  client = ofox.new { api_key = "k", base_url = "http://h/v1" }
end)

after_each(driver.remove)

local function body(k) return json.decode(last().request.bodies[k or 1]) end

describe("a resource", function()
  local METHODS = {
    chat = { "POST", "http://h/v1/chat/completions", "chat", 60 },
    embeddings = { "POST", "http://h/v1/embeddings", "data", 60 },
    images = { "POST", "http://h/v1/images/generations", "data", 180 },
    responses = { "POST", "http://h/v1/responses", "responses", 60 },
  }
  for name, wanted in pairs(METHODS) do
    it(name .. " has its verb, path, shape and timeout", function()
      client[name](client, { model = "m" })
      local request = last().request
      assert.same(wanted, { request.method, request.url, request.expect, last().settings.timeout })
      client[name](client, { model = "m" }, { timeout = 7 })
      assert.equal(7, last().settings.timeout)
      ofox.new({ timeout = 8 })[name](client, { model = "m" }, {})
      assert.equal(wanted[4], last().settings.timeout)
    end)

    it(name .. " sends the params as they are, and changes nothing [B6]", function()
      local params = { model = "m", n = 3, extra = { deep = { json.null, false, "é" } } }
      local bytes = json.encode(params)
      client[name](client, params)
      params.extra.deep[3], params.n = "changed", 4
      local got = body()
      got.encoding_format = nil
      assert.same(json.decode(bytes), got)
      assert.same({ model = "m", n = 4, extra = { deep = { json.null, false, "changed" } } }, params)
      assert.equal(1, #last().request.bodies)
    end)
  end

  it("models lists", function()
    client:models()
    local request = last().request
    assert.same({ "GET", "http://h/v1/models", "list" }, { request.method, request.url, request.expect })
    assert.is_nil(request.bodies)
    client:models { query = { provider = "openai" } }
    assert.equal("http://h/v1/models?provider=openai", last().request.url)
  end)

  it("model keeps the slash of an id and nothing that breaks a path", function()
    local IDS = {
      ["openai/gpt-4o"] = "openai/gpt-4o",
      ["deepseek/r1:free"] = "deepseek/r1:free",
      ["a b?c#d%e"] = "a%20b%3Fc%23d%25e",
      ["é\r\n"] = "%C3%A9%0D%0A",
      ["a..b"] = "a..b",
    }
    for id, path in pairs(IDS) do
      client:model(id)
      assert.equal("http://h/v1/models/" .. path, last().request.url)
      assert.equal("GET", last().request.method)
    end
  end)

  it("has a timeout of the client's own before the one of images", function()
    ofox.new({ timeout = 8 }):images { model = "m" }
    assert.equal(8, last().settings.timeout)
    ofox.new():images { model = "m" }
    assert.equal(180, last().settings.timeout)
  end)
end)

describe("fallback", function()
  local function with(fallback, params, method)
    client[method or "chat"](client, params, { fallback = fallback })
    return last().request.models, #last().request.bodies
  end

  for _, method in ipairs { "chat", "responses" } do
    it("makes one body per model, each with those after it: " .. method, function()
      local params = { model = "a", messages = {} }
      local models, n = with({ "b", "c" }, params, method)
      assert.same({ "a", "b", "c" }, models)
      assert.equal(3, n)
      assert.same({ "a", { fallback = { "b", "c" } } }, { body(1).model, body(1).provider })
      assert.same({ "b", { fallback = { "c" } } }, { body(2).model, body(2).provider })
      assert.same({ "c", nil }, { body(3).model, body(3).provider })
      assert.same({ model = "a", messages = {} }, params)
    end)
  end

  it("is added to the caller's provider, which is not changed", function()
    local params = { model = "a", provider = { routing = "latency" } }
    with({ "b" }, params)
    assert.same({ routing = "latency", fallback = { "b" } }, body(1).provider)
    assert.same({ routing = "latency" }, body(2).provider)
    assert.same({ routing = "latency" }, params.provider)
  end)

  it("leaves a fallback of the caller's alone", function()
    local models = with({ "b" }, { model = "a", provider = { fallback = { "x" } } })
    assert.same({ "a", "b" }, models)
    assert.same({ fallback = { "x" } }, body(1).provider)
    assert.same({ fallback = { "x" } }, body(2).provider)
    with({ "b" }, { model = "a", provider = "odd" })
    assert.equal("odd", body(1).provider)
  end)

  it("names each model once", function()
    local models = with({ "a", "b", "b" }, { model = "a" })
    assert.same({ "a", "b" }, models)
    assert.same({ fallback = { "b" } }, body(1).provider)
  end)

  it("is the gateway's alone where no model was asked for", function()
    local models, n = with({ "b" }, { messages = {} })
    assert.same({}, models)
    assert.equal(1, n)
    assert.same({ fallback = { "b" } }, body(1).provider)
    assert.is_nil(body(1).model)
  end)

  it("does nothing when it is empty, and nothing for embeddings and images", function()
    local models, n = with({}, { model = "a" })
    assert.same({ "a" }, models)
    assert.equal(1, n)
    assert.is_nil(body().provider)
    for _, method in ipairs { "embeddings", "images" } do
      models, n = with({ "b" }, { model = "a" }, method)
      assert.same({ "a" }, models)
      assert.equal(1, n)
      assert.is_nil(body().provider)
    end
  end)

  it("keeps what a params table says it is", function()
    with({ "b" }, { model = "a", provider = json.object { [7] = "x" } })
    assert.same({ ["7"] = "x", fallback = { "b" } }, body(1).provider)
  end)
end)

describe("embeddings", function()
  -- 1.0, -2.5, 0.15625 as little-endian 32-bit floats
  local BASE64 = "AACAPwAAIMAAACA+"

  it("asks for base64 and gives tables of numbers", function()
    driver.outcome[1] = { data = { { index = 0, embedding = BASE64 }, { index = 1, embedding = "" } } }
    local params = { model = "m", input = "x" }
    local res = client:embeddings(params)
    assert.equal("base64", body().encoding_format)
    assert.is_nil(params.encoding_format)
    assert.same({ 1, -2.5, 0.15625 }, res.data[1].embedding)
    assert.same({}, res.data[2].embedding)
    assert.equal(0, res.data[1].index)
  end)

  it("takes numbers from a server that sends them all the same", function()
    driver.outcome[1] = { data = { { embedding = { 1, 2 } }, "junk", { embedding = json.null }, {} } }
    assert.same({ 1, 2 }, client:embeddings({ model = "m" }).data[1].embedding)
    for _, data in ipairs { "x", 1, json.null } do
      driver.outcome[1] = { data = data }
      assert.equal(data, client:embeddings({ model = "m" }).data)
    end
  end)

  it("gives what the caller asked for", function()
    driver.outcome[1] = { data = { { embedding = BASE64 } } }
    assert.equal(BASE64, client:embeddings({ encoding_format = "base64" }).data[1].embedding)
    assert.equal("base64", body().encoding_format)
    assert.equal(BASE64, client:embeddings({ encoding_format = "float" }).data[1].embedding)
    assert.equal("float", body().encoding_format)
  end)

  it("turns vectors that cannot be read into a ResponseError", function()
    driver.remove()
    for _, text in ipairs { "!!!!", "AACAPwA=", "A" } do
      local mock = require("ofox.mock").new()
      mock:reply { status = 200, headers = { ["x-request-id"] = "req_1" },
        body = { data = { { embedding = BASE64 }, { embedding = text } } } }
      local told, logged
      local value, err = ofox.new { api_key = "k", transport = mock }:embeddings({ model = "m" }, {
        on_error = function(e) told = e end,
        logger = function(level, message) logged = level .. " " .. message end,
      })
      assert.is_nil(value)
      assert.is_true(ofox.errors.is(err, "response_error"))
      assert.equal("encoding", err.code)
      assert.equal("data[2].embedding is not the base64 of 32-bit floats", err.message)
      assert.same({ 200, "req_1", 1, false, true, "not_retryable", "m" },
        { err.status, err.request_id, err.attempts, err.retryable, err.ambiguous, err.reason, err.model })
      assert.equal(err, told)
      assert.equal("warn failed", logged)
    end
  end)
end)

describe("an empty table in params", function()
  local function sent() return last().request.bodies[1] end

  it("is a list where the API has one, at any depth", function()
    client:chat {
      messages = {}, stop = {},
      tools = { { type = "function", ["function"] = { parameters = { properties = {}, required = {}, enum = {} } } } },
    }
    assert.equal('{"messages":[],"stop":[],"tools":[{"function":'
      .. '{"parameters":{"enum":[],"properties":{},"required":[]}},"type":"function"}]}', sent())
    client:responses { input = {}, include = {}, tools = {} }
    assert.equal('{"include":[],"input":[],"tools":[]}', sent())
    client:request { path = "/x", body = { tools = {}, metadata = {} } }
    assert.equal('{"metadata":{},"tools":[]}', sent())
  end)

  it("is an object where the program names the members: in the schema of a tool", function()
    local any = function(name) return { [name] = { content = {}, input = {}, properties = {}, required = {} } } end
    for _, name in ipairs { "$defs", "definitions", "dependentSchemas", "patternProperties", "properties" } do
      client:chat { tools = { { parameters = any(name) } } }
      assert.equal('{"tools":[{"parameters":{"' .. name
        .. '":{"content":{},"input":{},"properties":{},"required":{}}}}]}', sent())
    end
    client:chat { parameters = { properties = { properties = { required = {}, properties = { stop = {} } } } } }
    assert.equal('{"parameters":{"properties":{"properties":{"properties":{"stop":{}},"required":[]}}}}', sent())
  end)

  it("is an object where its name is the program's, or means one there", function()
    client:chat {
      messages = { { role = "assistant", content = { { type = "tool_use", input = {} }, { input = { stop = {} } } } } },
      metadata = { tools = {} },
    }
    assert.equal('{"messages":[{"content":[{"input":{},"type":"tool_use"},{"input":{"stop":{}}}],"role":"assistant"}],'
      .. '"metadata":{"tools":{}}}', sent())
  end)

  it("is what its mark says, and elsewhere an object", function()
    client:chat { messages = ofox.object {}, other = ofox.array {}, metadata = {}, tools = setmetatable({}, {}) }
    assert.equal('{"messages":{},"metadata":{},"other":[],"tools":{}}', sent())
    assert.equal('{"tools":{}}', json.encode { tools = {} })
  end)
end)
