-- What the client makes of what the program says, before anything is sent:
-- the driver that would send it is replaced by one that takes notes.
local cancel = require "ofox.task.cancel"
local json = require "ofox.json"
local driver = require "support.driver"

local SECRET = "sk-of-SECRET0123456789"

local last = driver.last

local ofox, getenv

local Err = { __tostring = function(e) return "ofox: " .. e.type end }

local function failure(retryable)
  return setmetatable({ type = retryable and "rate_limit_error" or "not_found_error", retryable = retryable }, Err)
end

before_each(function()
  driver.install { id = "r1" }
  getenv = os.getenv
  os.getenv = function() return nil end -- luacheck: ignore 122
  ofox = require "ofox"
end)

after_each(function()
  driver.remove()
  os.getenv = getenv -- luacheck: ignore 122
end)

local function header(name)
  for _, pair in ipairs(last().request.headers) do
    if pair[1] == name then return pair[2] end
  end
end

-- Raises in the line after the mark: message without its position, and
-- whether the position is that of the calling line.
local function misuse_of(fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_string(message)
  assert.is_nil(message:find("SECRET", 1, true))
  local line, text = message:match("client_spec%.lua:(%d+): (.*)$")
  local info = debug.getinfo(fn, "S")
  line = tonumber(line)
  assert(line and line >= info.linedefined and line <= info.lastlinedefined,
    "not raised at the caller's line: " .. message)
  return text
end

describe("ofox.new", function()
  it("wants no option at all", function()
    ofox.new():chat {}
    ofox.new({}):chat {}
    assert.equal("https://api.ofox.ai/v1/chat/completions", last().request.url)
    assert.is_nil(last().settings.api_key)
  end)

  it("has no options as fields, whatever else a program puts there", function()
    local client = ofox.new()
    local text = misuse_of(function() client.timeout = 5 end)
    assert.equal("client.timeout: options are given to ofox.new, or to a call as its last argument", text)
    client.note = "mine"
    assert.equal("mine", client.note)
  end)

  it("reads the environment", function()
    os.getenv = function(name) -- luacheck: ignore 122
      return ({ OFOX_API_KEY = "k\n", OFOX_BASE_URL = "http://h/v1/", OFOX_LOG = "debug" })[name]
    end
    ofox.new():chat {}
    assert.equal("k", last().settings.api_key)
    assert.equal("http://h/v1/chat/completions", last().request.url)
    assert.equal(1, last().settings.log_threshold)
  end)

  it("raises for what the environment has wrong, unseen [B8]", function()
    os.getenv = function(name) return name == "OFOX_API_KEY" and SECRET .. "\nx" or nil end -- luacheck: ignore 122
    assert.equal("ofox.new: $OFOX_API_KEY: contains a character that no key has: a line break at character "
      .. #SECRET + 1, misuse_of(function()
      local client = ofox.new()
      return client
    end))
  end)

  it("raises at the caller's line for misuse, the key unseen [C3] [B4] [B8]", function()
    local CASES = {
      { SECRET, "ofox.new: expected a table of options, got a string" },
      { { SECRET }, "ofox.new: expected named options, got a list" },
      { { api_key = SECRET .. "\n" },
        "ofox.new: api_key: begins or ends with white space (a line break read from a file?)" },
      { { timeout = 0 / 0 }, "ofox.new: timeout: expected a number of seconds > 0, got NaN" },
      { { max_retries = -1 }, "ofox.new: max_retries: expected an integer from 0 to 1000, got -1" },
      { { headers = { ["x-a"] = SECRET .. "\r\n" } },
        "ofox.new: headers.x-a: contains a line break or another control character" },
      { { base_url = "https://u:" .. SECRET .. "@" }, "ofox.new: base_url: expected a URL with a host name" },
      { { max_retry = 3 }, "ofox.new: max_retry: unknown option; did you mean max_retries?" },
      { { cancel = cancel.new() }, "ofox.new: cancel: is given per call" },
      { { idempotency_key = SECRET }, "ofox.new: idempotency_key: expected false (a key is given per call)" },
    }
    for _, case in ipairs(CASES) do
      local text = misuse_of(function()
        local client = ofox.new(case[1])
        return client
      end)
      assert.equal(case[2], text)
    end
    assert.same({}, driver.sent)
  end)

  it("names the host in tostring, and shows a dump nothing [F3]", function()
    local client = ofox.new { api_key = SECRET, base_url = "https://u:" .. SECRET .. "@host:8443/v1/" }
    assert.equal("ofox.client: https://host:8443/v1", tostring(client))
    local seen = {}
    local function dump(value)
      if seen[value] then return end
      seen[value] = true
      if type(value) == "table" then
        for key, field in next, value do
          dump(key)
          dump(field)
        end
        dump(getmetatable(value) or true)
      else
        assert.is_nil(tostring(value):find("SECRET", 1, true))
      end
    end
    dump(client)
  end)
end)

describe("a call", function()
  local client
  before_each(function()
    client = ofox.new { api_key = SECRET, timeout = 5, headers = { ["X-A"] = "1", ["x-b"] = "1" }, query = { p = 1 } }
  end)

  it("has the client's options, those of the call before them", function()
    local opts = { timeout = 7, headers = { ["X-B"] = false, ["x-c"] = "3" }, query = { q = { "a b", 2 } } }
    client:chat({}, opts)
    assert.equal(7, last().settings.timeout)
    assert.equal("https://api.ofox.ai/v1/chat/completions?p=1&q=a%20b&q=2", last().request.url)
    assert.equal("1", header "x-a")
    assert.is_nil(header "x-b")
    assert.equal("3", header "x-c")
    client:chat {}
    assert.equal(5, last().settings.timeout)
    assert.equal("https://api.ofox.ai/v1/chat/completions?p=1", last().request.url)
    assert.equal("1", header "x-b")
    assert.same({ timeout = 7, headers = { ["X-B"] = false, ["x-c"] = "3" }, query = { q = { "a b", 2 } } }, opts)
  end)

  it("does not notice what is done to the options afterwards [B6]", function()
    local given = { api_key = SECRET, headers = { ["x-a"] = "1" }, fallback = { "b" } }
    local c = ofox.new(given)
    given.api_key, given.headers["x-a"], given.fallback[1], given.timeout = false, "2", "c", 1
    c:chat { model = "a" }
    assert.equal(SECRET, last().settings.api_key)
    assert.equal("1", header "x-a")
    assert.same({ "a", "b" }, last().request.models)
    assert.equal(60, last().settings.timeout)
  end)

  it("has the usual headers, sorted; the program's own come before them", function()
    client:chat {}
    assert.same({ "accept", "content-type", "user-agent", "x-a", "x-b" }, (function()
      local names = {}
      for i, pair in ipairs(last().request.headers) do names[i] = pair[1] end
      return names
    end)())
    assert.equal("application/json", header "content-type")
    assert.truthy(header("user-agent"):find("^ofox%-lua/%d"))
    client:chat({}, { headers = { ["User-Agent"] = "mine", Accept = false } })
    assert.equal("mine", header "user-agent")
    assert.is_nil(header "accept")
    client:models()
    assert.is_nil(header "content-type")
  end)

  it("[R6] refuses an id and a URL that nobody could send, before anything is", function()
    local ID, URL = ("x"):rep(2 ^ 21), ("y"):rep(2 ^ 17)
    assert.equal("client:model: id: expected a model id of at most 1024 bytes, got 2097152", misuse_of(function()
      client:model(ID)
      return nil
    end))
    for _, call in ipairs {
      function() client:request { path = "/" .. URL } end, function() client:chat({}, { query = { a = URL } }) end,
      function() client:models { query = { a = URL } } end,
    } do
      assert.matches("the URL with its query: expected at most 65536 bytes, got %d+$", misuse_of(call))
    end
    client:model(("x"):rep(1024))
    assert.equal(("https://api.ofox.ai/v1/models/?p=1"):len() + 1024, #last().request.url)
  end)

  it("speaks for itself with an authentication header of its own", function()
    client:chat {}
    assert.is_true(last().keyed)
    for _, name in ipairs { "Authorization", "x-api-key", "X-Goog-Api-Key", "api-key" } do
      client:chat({}, { headers = { [name] = "Bearer other" } })
      assert.is_false(last().keyed)
      assert.equal("Bearer other", header(name:lower()))
    end
    client:chat({}, { headers = { authorization = false } })
    assert.is_false(last().keyed)
    assert.is_nil(header "authorization")
    client:chat {}
    assert.is_true(last().keyed)
  end)

  it("hands the idempotency key on: none, new, or the program's [B7]", function()
    client:chat {}
    assert.is_nil(last().request.idempotency_key)
    client:chat({}, { idempotency_key = "k-1" })
    assert.equal("k-1", last().request.idempotency_key)
    client:chat({}, { idempotency_key = false })
    assert.is_false(last().request.idempotency_key)
    ofox.new({ idempotency_key = false }):chat {}
    assert.is_false(last().request.idempotency_key)
  end)

  it("hands the cancel token on", function()
    local token = ofox.cancel_token()
    client:chat({}, { cancel = token })
    assert.equal(token, last().settings.cancel)
    client:chat {}
    assert.is_nil(last().settings.cancel)
  end)

  it("arrives as 'errors' says", function()
    local ARRIVES = {
      split = { [true] = "raised", [false] = "returned" },
      ["return"] = { [true] = "returned", [false] = "returned" },
      raise = { [true] = "raised", [false] = "raised" },
    }
    local METHODS = {
      function(opts) return client:chat({}, opts) end,
      function(opts) return client:models(opts) end,
      function(opts) return client:model("m", opts) end,
      function(opts) return client:request({ path = "/x" }, opts) end,
      function(opts) return client:connect(opts) end,
    }
    for mode, row in pairs(ARRIVES) do
      for retryable, wanted in pairs(row) do
        for _, method in ipairs(METHODS) do
          local err = failure(retryable)
          driver.outcome = { nil, err }
          local ok, value, got = pcall(method, { errors = mode })
          if wanted == "raised" then
            assert.is_false(ok)
            assert.equal(err, value)
          else
            assert.is_true(ok)
            assert.is_nil(value)
            assert.equal(err, got)
          end
        end
      end
    end
  end)

  it("gives the answer, plain to pairs, with its meta", function()
    local res = client:chat {}
    local keys = {}
    for key in pairs(res) do keys[#keys + 1] = key end
    assert.same({ "id" }, keys)
    assert.equal(200, res:meta().status)
    assert.equal(res:meta(), ofox.meta(res))
  end)

  it("can only be made with a colon", function()
    for _, name in ipairs { "chat", "embeddings", "images", "responses", "models", "model", "request", "connect" } do
      for _, self in ipairs { {}, "x", false } do
        local text = misuse_of(function()
          local res = client[name](self)
          return res
        end)
        assert.equal(("client:%s: expected a client before the dot; call it with a colon, client:%s(…)")
          :format(name, name), text)
      end
    end
  end)

  it("raises at the caller's line for misuse, and sends nothing [C3] [B4]", function()
    local CASES = {
      { "chat", { nil }, "params: expected a table, got nil" },
      { "chat", { "hello" }, "params: expected a table, got a string" },
      { "chat", { { { role = "user" } } }, "params: expected named fields, got a list" },
      { "embeddings", { { stream = true } },
        "params.stream: this call cannot be streamed (client:request streams any)" },
      { "images", { { stream = true } },
        "params.stream: this call cannot be streamed (client:request streams any)" },
      { "stream", { { stream = false } },
        "params.stream: expected true or nothing, got false (client:chat makes calls without)" },
      { "chat", { {}, SECRET }, "opts: expected a table of options, got a string" },
      { "chat", { {}, { SECRET } }, "opts: expected named options, got a list" },
      { "chat", { {}, { max_retries = 1.5 } }, "opts.max_retries: expected an integer from 0 to 1000, got 1.5" },
      { "chat", { {}, { deadline = 0 } }, "opts.deadline: expected a number of seconds > 0, got 0" },
      { "chat", { {}, { base_url = "http://h" } }, "opts.base_url: can be given to ofox.new only" },
      { "chat", { {}, { tiemout = 1 } }, "opts.tiemout: unknown option; did you mean timeout?" },
      { "chat", { {}, { api_key = SECRET .. " " } },
        "opts.api_key: begins or ends with white space (a line break read from a file?)" },
      { "chat", { {}, { headers = { a = "\n" } } },
        "opts.headers.a: contains a line break or another control character" },
      { "embeddings", { {}, { retry = { factor = 0.5 } } }, "opts.retry.factor: expected a number >= 1, got 0.5" },
      { "images", { 1 }, "params: expected a table, got a number" },
      { "models", { { timeout = -1 } }, "opts.timeout: expected a number of seconds > 0, got -1" },
      { "model", { nil }, "id: expected a model id, got nil" },
      { "model", { "" }, "id: expected a model id, got an empty string" },
      { "model", { "../keys" }, "id: expected a model id, got a path with dots" },
      { "model", { "a/.." }, "id: expected a model id, got a path with dots" },
      { "model", { "m", { verify = false } }, "opts.verify: can be given to ofox.new only" },
      { "connect", { { max_connections = 1 } }, "opts.max_connections: can be given to ofox.new only" },
      { "request", { nil }, "params: expected a table, got nil" },
      { "request", { {} }, "params.path: expected a string, got nil" },
      { "request", { { path = "https://evil/x" } },
        "params.path: expected a path below base_url, got a URL (ofox.new takes base_url)" },
      { "request", { { path = "//evil/x" } },
        "params.path: expected a path below base_url, got a URL (ofox.new takes base_url)" },
      { "request", { { path = "/a b" } },
        "params.path: contains white space, a control character, # or \\, which must be percent-encoded" },
      { "request", { { path = "/a\r\nx" } },
        "params.path: contains white space, a control character, # or \\, which must be percent-encoded" },
      { "request", { { path = "/x", method = "GET /" } }, "params.method: expected the name of an HTTP method" },
      { "request", { { path = "/x", method = "connect" } }, "params.method: CONNECT is not supported" },
      { "request", { { path = "/x", body = 1 } }, "params.body: expected a table or a string, got a number" },
      { "request", { { path = "/x", stream = 1 } }, "params.stream: expected true or false, got 1" },
      { "request", { { path = "/x", raw = 1 } }, "params.raw: expected true or false, got 1" },
      { "request", { { path = "/x", headers = { a = SECRET .. "\n" } } },
        "params.headers.a: contains a line break or another control character" },
      { "request", { { path = "/x", query = "a" } },
        "params.query: expected a table of names and values, got a string" },
      { "request", { { path = "/x", timeout = 1 } },
        "params.timeout: is an option: client:request(params, {timeout = …})" },
      { "request", { { path = "/x", metod = "GET" } }, "params.metod: unknown field; did you mean method?" },
      { "request", { { path = "/x", json = {} } }, "params.json: is an option of ofox.new" },
    }
    for _, case in ipairs(CASES) do
      local name, args = case[1], case[2]
      local text = misuse_of(function()
        local res = client[name](client, args[1], args[2])
        return res
      end)
      assert.equal(("client:%s: %s"):format(name, case[3]), text)
    end
    assert.same({}, driver.sent)
  end)

  it("names the place of what cannot be encoded [C3]", function()
    local CASES = {
      { { messages = { {}, { content = "\255" } } }, "client:chat: params.messages[2].content: " },
      { { temperature = 0 / 0 }, "client:chat: params.temperature: " },
      { { stop = print }, "client:chat: params.stop: " },
    }
    for _, case in ipairs(CASES) do
      local text = misuse_of(function()
        local res = client:chat(case[1])
        return res
      end)
      assert.equal(case[2], text:sub(1, #case[2]))
    end
    local loop = {}
    loop.loop = loop
    assert.equal("client:request: params.body", misuse_of(function()
      local res = client:request { path = "/x", body = loop }
      return res
    end):sub(1, 27))
    assert.same({}, driver.sent)
  end)
end)

describe("client:request", function()
  local client
  before_each(function() client = ofox.new { api_key = false, base_url = "http://h/v1" } end)

  local CASES = {
    { { path = "/x" }, { "GET", "http://h/v1/x" } },
    { { path = "x/y" }, { "GET", "http://h/v1/x/y" } },
    { { path = "/x", body = { a = 1 } }, { "POST", "http://h/v1/x", '{"a":1}', "application/json" } },
    { { path = "/x", body = "raw \255" }, { "POST", "http://h/v1/x", "raw \255", "application/json" } },
    { { path = "/x", body = "t", headers = { ["Content-Type"] = "text/plain" } },
      { "POST", "http://h/v1/x", "t", "text/plain" } },
    { { path = "/x", method = "delete" }, { "DELETE", "http://h/v1/x" } },
    { { path = "/x", method = "POST" }, { "POST", "http://h/v1/x", "", "application/json" } },
    { { path = "/x", method = "PUT" }, { "PUT", "http://h/v1/x", "", "application/json" } },
    { { path = "/x", method = "patch" }, { "PATCH", "http://h/v1/x", "", "application/json" } },
    { { path = "" }, { "GET", "http://h/v1" } },
    { { path = "?a=1", query = { b = 2 } }, { "GET", "http://h/v1?a=1&b=2" } },
    { { path = "/x", method = "PUT", body = "b" }, { "PUT", "http://h/v1/x", "b", "application/json" } },
    { { path = "/x?a=1", query = { b = 2 } }, { "GET", "http://h/v1/x?a=1&b=2" } },
    { { path = "/x?", query = { b = "&=?#" } }, { "GET", "http://h/v1/x?b=%26%3D%3F%23" } },
    { { path = "/é/a%20b/\"" }, { "GET", "http://h/v1/%C3%A9/a%20b/%22" } },
  }
  for i, case in ipairs(CASES) do
    it(("makes a request of what it is given (%d)"):format(i), function()
      client:request(case[1])
      local request = last().request
      assert.same(case[2], { request.method, request.url, request.bodies and request.bodies[1],
        header "content-type" })
      assert.equal("any", request.expect)
      assert.same({}, request.models)
    end)
  end

  it("asks for bytes with raw", function()
    client:request { path = "/audio", raw = true }
    assert.equal("raw", last().request.expect)
    assert.equal("*/*", header "accept")
  end)

  it("adds its headers and query to those of the call and the client", function()
    local c = ofox.new { base_url = "http://h", headers = { a = "1", b = "1", c = "1" }, query = { p = 1 } }
    c:request({ path = "/x", headers = { C = "3", authorization = "Basic x" }, query = { r = 3 } },
      { headers = { b = "2", c = "2" }, query = { q = 2 }, timeout = 9 })
    assert.equal("http://h/x?p=1&q=2&r=3", last().request.url)
    assert.same({ "1", "2", "3" }, { header "a", header "b", header "c" })
    assert.is_false(last().keyed)
    assert.equal(9, last().settings.timeout)
  end)

  it("makes a table of what is none", function()
    driver.outcome = { "scalar", { status = 200 } }
    assert.same({ value = "scalar" }, client:request { path = "/x" })
    driver.outcome = { { value = "bytes" }, { status = 200 } }
    assert.equal("bytes", client:request({ path = "/x", raw = true }).value)
  end)
end)

describe("client:connect", function()
  it("contacts the base URL", function()
    assert.is_true(ofox.new({ base_url = "http://h/v1" }):connect { connect_timeout = 2 })
    assert.equal("http://h/v1", last().request.url)
    assert.equal(2, last().settings.connect_timeout)
  end)
end)

describe("a call through the mock", function()
  local mock, client
  local REPLY = { choices = { { message = { role = "assistant", content = "hi" } } } }

  before_each(function()
    driver.remove()
    mock = require "ofox.mock".new()
    client = ofox.new { api_key = SECRET, transport = mock, errors = "return" }
  end)

  it("sends the same bytes and key on all attempts, new ones for the next call [B6] [B7]", function()
    local params = { model = "a", messages = { { role = "user", content = "x" } } }
    mock:reply { status = 500 }:reply { fail = "reset" }:reply { body = REPLY }:reply { body = REPLY }
    local res = client:chat(params, { on_retry = function() params.messages[1].content = "changed" end })
    assert.equal("hi", res:output_text())
    assert.equal(3, res:meta().attempts)
    client:chat(params)
    local requests = mock.requests
    assert.equal(4, #requests)
    for i = 1, 3 do
      assert.equal("x", json.decode(requests[i].body).messages[1].content)
      assert.equal(requests[1].body, requests[i].body)
      assert.equal("Bearer " .. SECRET, requests[i].headers.authorization)
      assert.equal(requests[1].headers["idempotency-key"], requests[i].headers["idempotency-key"])
    end
    assert.is_string(requests[1].headers["idempotency-key"])
    assert.not_equal(requests[1].headers["idempotency-key"], requests[4].headers["idempotency-key"])
    assert.equal("changed", json.decode(requests[4].body).messages[1].content)
  end)

  it("sends the program's own idempotency key, or none, and none on GET [B7]", function()
    mock:reply { body = REPLY }:reply { body = REPLY }:reply { body = { data = {} } }
    client:chat({}, { idempotency_key = "mine" })
    client:chat({}, { idempotency_key = false })
    client:models { idempotency_key = "mine" }
    assert.equal("mine", mock.requests[1].headers["idempotency-key"])
    assert.is_nil(mock.requests[2].headers["idempotency-key"])
    assert.is_nil(mock.requests[3].headers["idempotency-key"])
  end)

  it("moves on to the next model with its own body", function()
    mock:reply { status = 503 }:reply { body = REPLY }
    local res = client:chat({ model = "a" }, { fallback = { "b" } })
    assert.equal("a", res:meta().model_requested)
    local first, second = json.decode(mock.requests[1].body), json.decode(mock.requests[2].body)
    assert.same({ model = "a", provider = { fallback = { "b" } } }, first)
    assert.same({ model = "b" }, second)
    assert.not_equal(mock.requests[1].headers["idempotency-key"], mock.requests[2].headers["idempotency-key"])
  end)

  it("wants a key, unless it is told that none is needed", function()
    local keyless = ofox.new { transport = mock, errors = "return" }
    local res, err = keyless:chat {}
    assert.is_nil(res)
    assert.is_true(ofox.errors.is(err, "authentication_error"))
    assert.equal("missing_api_key", err.code)
    assert.same({}, mock.requests)
    mock:reply { body = REPLY }:reply { body = REPLY }
    assert.truthy(keyless:chat({}, { api_key = false }))
    assert.truthy(keyless:chat({}, { headers = { Authorization = "Basic eDp5" } }))
    assert.is_nil(mock.requests[1].headers.authorization)
    assert.equal("Basic eDp5", mock.requests[2].headers.authorization)
  end)

  it("gives values and bytes as {value = …}", function()
    mock:reply { body = "5" }:reply { body = "\255\0" }:reply { body = "[1,2]" }
    assert.equal(5, client:request({ path = "/x" }).value)
    assert.equal("\255\0", client:request({ path = "/x", raw = true }).value)
    local list = client:request { path = "/x" }
    assert.same({ 1, 2 }, { list[1], list[2] })
    assert.equal(200, list:meta().status)
  end)

  it("decodes embeddings", function()
    mock:reply { body = { data = { { embedding = "AACAPwAAIMA=" } } } }
    assert.same({ 1, -2.5 }, client:embeddings({ model = "m", input = "x" }).data[1].embedding)
    assert.equal("base64", json.decode(mock.requests[1].body).encoding_format)
  end)

  it("raises what may be tried again, and returns what may not", function()
    mock:reply { status = 429 }:reply { status = 404 }
    local split = ofox.new { api_key = SECRET, transport = mock, max_retries = 0 }
    local ok, err = pcall(split.chat, split, {})
    assert.is_false(ok)
    assert.is_true(ofox.errors.is(err, "rate_limit_error"))
    local res, second = split:chat {}
    assert.is_nil(res)
    assert.is_true(ofox.errors.is(second, "not_found_error"))
  end)
end)
