-- What is known of a call beside its answer: when its first byte came, what it
-- cost, and that a stream was left.
local ofox = require "ofox"
local mock = require "ofox.mock"
local response = require "ofox.answer.response"
local calls = require "support.calls"
local proc = require "support.proc"
local server = require "support.server"

local PARAMS = calls.PARAMS
local USAGE = { prompt_tokens = 3, completion_tokens = 4, total_tokens = 7 }
local OK = { choices = { { message = { role = "assistant", content = "ok" } } }, usage = USAGE }

local function event(content) return { choices = { { index = 0, delta = { content = content } } } } end

local transport, metas

local function client(opts)
  transport, metas = mock.new(), {}
  return ofox.new(calls.with({ api_key = "k-0123456789", transport = transport, errors = "return", retry = calls.FAST,
    on_response = function(meta) metas[#metas + 1] = meta end }, opts))
end

local function near(expected, value)
  assert.is_true(type(value) == "number" and math.abs(expected - value) < 1e-9,
    ("expected %s, got %s"):format(expected, tostring(value)))
end

describe("meta.first_byte", function()
  it("is the seconds from the beginning of the call to the first byte of its answer", function()
    local one = client { retry = { base = 2, jitter = "none" } }
    transport:reply { status = 503, delay = 1 }:reply { body = OK, delay = 0.5 }
    near(3.5, one:chat(PARAMS):meta().first_byte)
    near(3.5, metas[1].first_byte)
  end)

  it("of a stream is that of its head, whatever is read when", function()
    local one = client()
    transport:reply { delay = 0.25, sse = { event "a", 1, event "b", 2, event "c" } }
    local stream = one:stream(PARAMS)
    near(0.25, stream:meta().first_byte)
    stream:collect()
    near(0.25, stream:meta().first_byte)
    near(3.25, stream:meta().elapsed)
  end)

  it("may be no time at all", function()
    local one = client()
    transport:reply { body = OK }
    assert.equal(0, one:chat(PARAMS):meta().first_byte)
  end)

  it("is no interim answer's", function()
    local s = server.start()
    s:script { { interim = { 103 }, body = server.completion("ok"), drip = 0.001 } }
    local meta = calls.client({ api_key = "k", base_url = s.url }):chat(PARAMS):meta()
    s:stop()
    assert.is_true(meta.first_byte > 0 and meta.first_byte < meta.elapsed)
  end)
end)

describe("on_response", function()
  local kept, given
  before_each(function()
    kept, given = response.usage, {}
    response.usage = function(answer)
      given[#given + 1] = answer
      return type(answer) == "table" and answer.usage and { total = answer.usage.total_tokens } or nil
    end
  end)
  after_each(function() response.usage = kept end)

  it("is given the usage of an answer", function()
    local one = client()
    transport:reply { body = OK }:reply { body = { data = {} } }
    local res = one:chat(PARAMS)
    one:models()
    assert.same({ total = 7 }, metas[1].usage)
    assert.equal(res, given[1])
    assert.is_nil(metas[2].usage)
  end)

  it("is given the usage of a stream, however it is read", function()
    local one = client()
    for _ = 1, 3 do transport:reply { sse = { event "a", event "b", { choices = {}, usage = USAGE } } } end
    one:stream(PARAMS):collect()
    one:stream(PARAMS):each(function() end)
    for _ in one:stream(PARAMS):text() do end
    for i = 1, 3 do
      assert.same({ total = 7 }, metas[i].usage)
      assert.is_nil(metas[i].closed)
    end
    assert.equal(3, #metas)
  end)

  it("costs nothing where nobody listens", function()
    local one = client { on_response = false }
    transport:reply { body = OK }:reply { sse = { event "a" } }
    one:chat(PARAMS)
    one:stream(PARAMS):collect()
    assert.same({}, given)
  end)

  local function open(one)
    transport:reply { sse = { event "a", { choices = {}, usage = USAGE }, 5, event "b" } }
    return one:stream(PARAMS)
  end

  local function told_once()
    assert.equal(1, #metas)
    assert.equal(true, metas[1].closed)
    assert.equal(200, metas[1].status)
    assert.equal(1, metas[1].attempts)
  end

  it("is told that the program has closed a stream", function()
    local stream = open(client())
    stream:next()
    stream:next()
    assert.equal(0, #metas)
    stream:close()
    stream:close()
    told_once()
    assert.same({ total = 7 }, metas[1].usage)
    assert.equal(metas[1], stream:meta())
    assert.equal("ofox.stream: closed", tostring(stream))
  end)

  it("is told so before anything was read", function()
    open(client()):close()
    told_once()
  end)

  it("is told so by each()", function()
    open(client()):each(function() return false end)
    told_once()
    local thrown = {}
    local one = client()
    local stream = open(one)
    local ok, err = pcall(stream.each, stream, function() error(thrown) end)
    assert.is_false(ok)
    assert.equal(thrown, err)
    told_once()
  end)

  if proc.ABI == "5.4" then
    it("is told so where a loop is left, whose end closes the stream", function()
      local stream = open(client())
      for chunk in stream:chunks() do
        if chunk then break end
      end
      told_once()
      local text = open(client()):text()
      assert.equal("a", text())
      assert.equal(0, #metas)
    end)
  end

  it("is not told so of a stream that has ended, or has failed", function()
    local one = client()
    transport:reply { sse = { event "a" } }:reply { sse = { event "a" }, fail = "reset" }
    local stream = one:stream(PARAMS)
    stream:collect()
    stream:close()
    assert.equal(1, #metas)
    assert.is_nil(metas[1].closed)
    stream = one:stream(PARAMS)
    local _, err = stream:collect()
    assert.equal("reset", err.code)
    stream:close()
    assert.equal(1, #metas)
  end)

  it("is not told of a stream that is collected, or closed when its task ends", function()
    local one = client()
    open(one):next()
    collectgarbage()
    collectgarbage()
    ofox.run(function() open(one):next() end)
    assert.equal(0, #metas)
  end)

  it("may raise, and the stream is closed all the same", function()
    local stream = open(client { on_response = function() error("mine", 0) end })
    assert.same({ false, "mine" }, { pcall(stream.close, stream) })
    assert.equal("ofox.stream: closed", tostring(stream))
    assert.is_true((pcall(stream.close, stream)))
  end)
end)

describe("a dump that follows metatables", function()
  -- Does it show the key anywhere in a value?
  local function shows_key(value, seen)
    if type(value) == "string" then return value:find("k-0123456789", 1, true) ~= nil end
    if type(value) ~= "table" or seen[value] then return false end
    seen[value] = true
    for k, v in next, value do
      if shows_key(k, seen) or shows_key(v, seen) then return true end
    end
    return shows_key(getmetatable(value), seen)
  end

  local function hidden(value)
    assert.is_table(value)
    assert.is_false(shows_key(value, {}))
  end

  it("shows the key of no answer, stream, error or meta", function()
    local one = client()
    transport:reply { body = OK }:reply { sse = { event "a" } }:reply { sse = { event "a" } }:reply { status = 400 }
    local res = one:chat(PARAMS)
    hidden(res)
    hidden(res:meta())
    hidden(metas[1])
    local stream = one:stream(PARAMS)
    hidden(stream)
    hidden(stream:next())
    hidden(one:stream(PARAMS):collect())
    hidden(select(2, one:chat(PARAMS)))
  end)
end)
