-- err.where: the program's own line that made the call.
local ofox = require "ofox"
local mock = require "ofox.mock"
local calls = require "support.calls"
local host = require "support.host"
local proc = require "support.proc"

local PARAMS = calls.PARAMS
local HERE = debug.getinfo(1, "S").source:sub(2)

local transport

local function client(opts)
  transport = mock.new()
  return ofox.new(calls.with({ api_key = "k-0123456789", transport = transport, errors = "return",
    retry = calls.FAST }, opts))
end

-- This place for who calls: its line, or some lines below.
local function line(below)
  return HERE .. ":" .. debug.getinfo(2, "l").currentline + (below or 0)
end

local function event(content) return { choices = { { index = 0, delta = { content = content } } } } end

describe("err.where", function()
  it("is the line of the call, however its error arrives", function()
    for _, errors in ipairs { "return", "raise", "split" } do
      for _, status in ipairs { 400, 503 } do
        local one = client { errors = errors, max_retries = 1 }
        transport:reply { status = status }:reply { status = status }
        local where, res, err
        local ok, raised = pcall(function()
          where = line(1)
          res, err = one:chat(PARAMS)
        end)
        assert.is_nil(res)
        err = ok and err or raised
        assert.equal(where, err.where)
        assert.equal("string", type(require "ofox.json".encode(err)))
      end
    end
  end)

  it("is that of every kind of call", function()
    local one = client { max_retries = 0 }
    for _, call in ipairs {
      function() local _, err = one:models() return err, line() end,
      function() local _, err = one:model "m" return err, line() end,
      function() local _, err = one:embeddings { model = "m", input = "a" } return err, line() end,
      function() local _, err = one:images { model = "m", prompt = "a" } return err, line() end,
      function() local _, err = one:responses { model = "m", input = "a" } return err, line() end,
      function() local _, err = one:request { path = "/x" } return err, line() end,
      function() local _, err = one:stream(PARAMS) return err, line() end,
      function() local _, err = one:chat(PARAMS, { api_key = "" .. "x" }) return err, line() end,
    } do
      transport:reply { status = 500 }
      local err, where = call()
      assert.equal(where, err.where)
    end
    local nobody = ofox.new { api_key = "k", base_url = "http://127.0.0.1:1", errors = "return", max_retries = 0,
      proxy = false }
    local _, err = nobody:connect()
    assert.equal(line(-1), err.where)
  end)

  it("of a stream is the line that opened it, wherever it is read", function()
    for name, read in pairs {
      collect = function(stream) return select(2, stream:collect()) end,
      next = function(stream) return select(2, stream:next(), stream:next()) and select(2, stream:next()) end,
      text = function(stream) return select(2, pcall(function() for _ in stream:text() do end end)) end,
      each = function(stream) return select(2, pcall(stream.each, stream, function() end)) end,
      chunks = function(stream) return select(2, pcall(function() for _ in stream do end end)) end,
      elsewhere = function(stream) return coroutine.wrap(function() return select(2, stream:collect()) end)() end,
    } do
      local one = client()
      transport:reply { sse = { event "a", event "b" }, fail = "reset" }
      local stream = one:stream(PARAMS)
      local where = line(-1)
      local err = read(stream)
      assert.equal(where, type(err) == "table" and err.where, name)
    end
  end)

  it("is there for on_error, and not for on_retry", function()
    local retried, failed
    local one = client { max_retries = 1, on_retry = function(err) retried = err end,
      on_error = function(err) failed = err end }
    transport:reply { status = 503 }:reply { status = 503 }
    local _, err = one:chat(PARAMS)
    assert.equal(line(-1), failed.where)
    assert.equal(failed, err)
    assert.is_nil(retried.where)
  end)

  it("is there in coroutines and tasks", function()
    local one = client()
    for _ = 1, 3 do transport:reply { status = 400 } end
    local function ask()
      local _, err = one:chat(PARAMS)
      return err, line(-1)
    end
    local err, where = coroutine.wrap(ask)()
    assert.equal(where, err.where)
    err, where = ofox.run(ask)
    assert.equal(where, err.where)
    err = select(3, ofox.run(function() return ofox.go(one.chat, one, PARAMS):wait() end))
    assert.equal(400, err.status)
    assert.is_nil(err.where) -- no line of the program called it
  end)

  it("is the nearest line that is left where calls in tail position leave none", function()
    local one = client()
    transport:reply { status = 400 }
    local function ask() return one:chat(PARAMS) end
    local _, err = ask()
    assert.equal(line(-1), err.where)
  end)

  it("is that of a cancelled call", function()
    local token = ofox.cancel_token()
    token:cancel()
    local _, err = client():chat(PARAMS, { cancel = token })
    assert.equal(line(-1), err.where)
  end)

  it("is that of a task's wait that is cancelled", function()
    local where
    local _, err = ofox.run(function()
      local task = ofox.go(function()
        where = line(1)
        ofox.sleep(60)
      end)
      task:cancel()
      return task:wait()
    end)
    assert.equal("cancelled", err.code)
    assert.equal(where, err.where)
  end)

  it("shows nothing of a chunk that is no file", function()
    local one = client()
    transport:reply { status = 400 }:reply { status = 400 }
    local KEY = "sk-0123456789abcdef"
    local compile = rawget(_G, "loadstring") or load
    local ASK = "local _, err = one:chat(params) return err"
    local chunk = assert(compile("local one, params = ... --" .. KEY .. "\n" .. ASK))
    assert.equal('[string "..."]:2', chunk(one, PARAMS).where)
    local named = assert(compile("local one, params = ... " .. ASK, "=(plugin k-0123456789)"))
    local where = named(one, PARAMS).where
    assert.matches("^%(plugin .*%):1$", where)
    assert.is_nil(where:find("k-0123456789", 1, true))
  end)

  it("shows no secret where a stream breaks later", function()
    local compile = rawget(_G, "loadstring") or load
    local open = assert(compile("local one, params = ... local stream = one:stream(params) return stream",
      "=(plugin k-0123456789)"))
    local one = client()
    transport:reply { sse = { event "a" }, fail = "reset" }
    local stream = open(one, PARAMS)
    assert.equal("a", stream:read())
    local _, err = stream:read()
    assert.equal("reset", err.code)
    assert.equal("(plugin ***):1", err.where)
  end)

  it("is none of ofox's in a clone of another name", function()
    host.open()
    local path = host.directory.path .. "/my fork-1.0"
    assert(os.execute(("mkdir -p '%s/build' && cp -r lua '%s' && cp -r build/%s '%s/build'")
      :format(path, path, proc.ABI, path)))
    local out = host.succeed(([[
      package.path = "%s/lua/?.lua;%s/lua/?/init.lua"
      local ofox = require "ofox"
      local mock = require "ofox.mock".new()
      mock:reply { status = 400 }
      local _, err = ofox.new { transport = mock }:chat(PARAMS)
      say(err.where:match "[^/]*$")]]):format(path, path))
    host.close()
    assert.equal("program1.lua:10\n", out)
  end)
end)
