-- Headers whose values functions give, once per attempt.
local ofox = require "ofox"
local mock = require "ofox.mock"
local calls = require "support.calls"
local server = require "support.server"

local PARAMS = calls.PARAMS
local OK = { choices = { { message = { role = "assistant", content = "ok" } } } }

local transport

local function client(opts)
  transport = mock.new()
  return ofox.new(calls.with({ api_key = "k-0123456789", base_url = "https://api.test/v1", transport = transport,
    errors = "return", retry = calls.FAST }, opts))
end

-- A header of each request that was sent, "-" where it was not.
local function sent(name)
  local list = {}
  for i, request in ipairs(transport.requests) do list[i] = request.headers[name] or "-" end
  return list
end

describe("a header that is a function", function()
  it("is called once per attempt, with what is sent", function()
    local told = {}
    local one = client { headers = { ["X-Trace"] = function(...)
      told[#told + 1] = { n = select("#", ...), ... }
      return "t" .. #told
    end, ["x-fixed"] = "f" } }
    transport:reply { status = 503 }:reply { status = 503 }:reply { body = OK }
    assert(one:chat(PARAMS))
    assert.same({ "t1", "t2", "t3" }, sent "x-trace")
    assert.same({ "f", "f", "f" }, sent "x-fixed")
    for i, args in ipairs(told) do
      assert.equal(1, args.n)
      assert.same({ attempt = i, method = "POST", url = "https://api.test/v1/chat/completions",
        body = transport.requests[i].body, model = PARAMS.model }, args[1])
    end
  end)

  it("is called anew for each call, and shares nothing between calls", function()
    local n = 0
    local one = client { headers = { ["x-n"] = function() n = n + 1 return n end } }
    for _ = 1, 3 do transport:reply { body = OK } end
    for _ = 1, 3 do assert(one:chat(PARAMS)) end
    assert.same({ "1", "2", "3" }, sent "x-n")
  end)

  it("sends nothing where it gives nil or false", function()
    local values = { "a", nil, false, "" }
    local i = 0
    local one = client { headers = { ["x-a"] = function() i = i + 1 return values[i] end } }
    for _ = 1, 4 do transport:reply { body = OK } end
    for _ = 1, 4 do assert(one:chat(PARAMS)) end
    assert.same({ "a", "-", "-", "" }, sent "x-a")
  end)

  it("goes with every kind of call", function()
    local one = client { headers = { ["x-a"] = function(what)
      return what.method .. " " .. (what.model or "none")
    end } }
    transport:reply { sse = { { choices = { { delta = { content = "ok" } } } } } }:reply { body = { data = {} } }
    transport:reply { body = {} }:reply { status = 503 }:reply { body = OK }
    assert(one:stream(PARAMS)):collect()
    assert(one:models())
    assert(one:request { path = "/x", method = "PUT", body = "b",
      headers = { ["x-b"] = function(what) return what.body .. what.attempt end } })
    assert(one:chat(PARAMS, { fallback = { "n" }, headers = { ["X-B"] = function() return "call" end } }))
    assert.same({ "POST openai/gpt-4o", "GET none", "PUT none", "POST openai/gpt-4o", "POST n" }, sent "x-a")
    assert.same({ "-", "-", "b1", "call", "call" }, sent "x-b")
  end)

  it("can be taken away, or replaced, by a call", function()
    local one = client { headers = { ["x-a"] = function() return "client" end } }
    for _ = 1, 3 do transport:reply { body = OK } end
    assert(one:chat(PARAMS, { headers = { ["x-a"] = false } }))
    assert(one:chat(PARAMS, { headers = { ["x-a"] = "call" } }))
    assert(one:chat(PARAMS))
    assert.same({ "-", "call", "client" }, sent "x-a")
  end)

  it("may speak for the program instead of a key", function()
    local one = client { api_key = false, headers = { Authorization = function() return "Bearer own" end } }
    transport:reply { body = OK }
    assert(one:chat(PARAMS))
    assert.same({ "Bearer own" }, sent "authorization")
    one = client { headers = { authorization = function() return nil end } }
    transport:reply { body = OK }
    assert(one:chat(PARAMS))
    assert.same({ "-" }, sent "authorization")
  end)

  it("is hidden where a fixed one would be", function()
    local SECRET = "sEcReT-0123456789"
    local one = client { headers = { ["x-api-token"] = function() return SECRET end } }
    transport:reply { status = 400, headers = { ["x-echo"] = SECRET },
      body = { error = { message = "bad " .. SECRET } } }
    local _, err = one:chat(PARAMS)
    assert.same({ SECRET }, sent "x-api-token")
    assert.is_nil((tostring(err) .. err.body .. err.headers["x-echo"]):find(SECRET, 1, true))
  end)

  it("may make calls of its own", function()
    local inner
    local one = client { headers = { ["x-a"] = function()
      return inner:chat(PARAMS):output_text()
    end } }
    inner = ofox.new { api_key = false, transport = transport }
    transport:reply { body = OK }:reply { body = OK }
    assert(one:chat(PARAMS))
    assert.same({ "-", "ok" }, sent "x-a")
  end)

  it("passes its error on, and nothing is sent", function()
    local thrown = {}
    local one = client { headers = { ["x-a"] = function() error(thrown) end } }
    local ok, err = pcall(one.chat, one, PARAMS)
    assert.is_false(ok)
    assert.equal(thrown, err)
    assert.same({}, transport.requests)
    one = client { headers = { ["x-a"] = function() error("mine", 0) end } }
    assert.same({ false, "mine" }, { pcall(one.stream, one, PARAMS) })
  end)

  it("is misused where it gives what no header can be", function()
    for _, case in ipairs {
      { {}, "expected a string, a number, or nil for none, got a table" },
      { true, "expected a string, a number, or nil for none, got a boolean" },
      { print, "expected a string, a number, or nil for none, got a function" },
      { "a\r\nb: c", "contains a line break or another control character" },
      { 0 / 0, "expected a finite number, got NaN" },
    } do
      local one = client { headers = { ["X-A"] = function() return case[1] end } }
      local ok, message = pcall(one.chat, one, PARAMS)
      assert.is_false(ok)
      assert.equal("ofox: headers.x-a: the function returned an invalid value: " .. case[2], message)
      assert.same({}, transport.requests)
    end
  end)

  it("stands where a value may stand only", function()
    local ok, message = pcall(ofox.new, { headers = { ["x-a"] = {} } })
    assert.is_false(ok)
    assert.matches("ofox%.new: headers%.x%-a: expected a string, a number, a function, or false to remove it, got ",
      message)
    ok, message = pcall(ofox.new, { headers = { ["content-length"] = function() return 1 end } })
    assert.is_false(ok)
    assert.matches("headers%.content%-length: is set by ofox", message)
  end)

  it("goes over the wire", function()
    local s = server.start()
    s:script { { status = 503 }, { body = server.completion("ok") } }
    local n = 0
    local one = calls.client({ api_key = "k", base_url = s.url, headers = {
      ["X-Sig"] = function(what) n = n + 1 return n .. ":" .. #what.body end, ["x-none"] = function() end,
    } })
    assert(one:chat(PARAMS))
    local log = s:log()
    s:stop()
    for i = 1, 2 do
      assert.equal(i .. ":" .. #log[i].body, log[i].headers["x-sig"])
      assert.is_nil(log[i].headers["x-none"])
    end
  end)
end)
