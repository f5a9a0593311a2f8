-- What a program has loaded cannot be lost in the middle of a call: files that
-- are out of reach after ofox.new, or after the first task, are not missed.
local host = require "support.host"
local proc = require "support.proc"
local server = require "support.server"

local succeed = host.succeed

local s
setup(function() s = host.open() end)
teardown(host.close)

local pipe = io.popen("pwd")
local ROOT = pipe:read("*l")
pipe:close()

local function events(...)
  return { headers = { ["Content-Type"] = "text/event-stream" }, chunks = server.events { ... } }
end

-- What a program goes through, as one line: an answer, a stream in each way of
-- reading it, errors of several kinds, retries, fallback, cancelling, hooks.
local LIFE = [[
  local heard = {}
  local function hear(...)
    for _, word in ipairs { ... } do heard[#heard + 1] = tostring(word) end
  end
  local function failed(res, err)
    assert(res == nil and ofox.errors.is(err), tostring(err))
    assert(#err:hint() > 0 and #err:hint "zh" > 0 and #tostring(err) > 0)
    hear(err.code)
  end
  hear(client:chat(PARAMS):output_text())
  for text in client:stream(PARAMS):text() do hear(text) end
  hear(client:stream(PARAMS):collect():output_text())
  local n = 0
  client:stream(PARAMS):each(function() n = n + 1 end)
  hear(n > 0)
  hear(#client:embeddings { model = "m", input = "a" }.data[1].embedding)
  failed(client:chat(PARAMS))
  failed(client:chat(PARAMS))
  local meta
  local res = client:chat(PARAMS, {
    fallback = { "n" }, on_retry = function(err) hear(err.status) end, on_wait = function() end,
    on_response = function(m) meta = m end,
  })
  hear(res:output_text(), meta.status, #res:tool_calls())
  local broken = client:stream(PARAMS)
  local chunk, err
  repeat chunk, err = broken:next() until chunk == nil
  failed(chunk, err)
  assert(err.partial)
  local token = ofox.cancel_token()
  token:cancel()
  failed(client:chat(PARAMS, { cancel = token }))
  failed(client:chat(PARAMS, { timeout = 0.1, max_retries = 0 }))
  local ok, message = pcall(client.chat, client, PARAMS, { timeuot = 1 })
  hear(message:match "did you mean %w+")
  hear(pcall(ofox.errors.is, 1, "rate_limit_eror"))
  ofox.sleep(0)
  ofox.step(0)
  hear(ofox.parse_error(429, {}, "").type, ofox.retry.delay("ofox", 1, { u = 0 }))
  hear(#client:request { path = "/any", raw = true }.value)
  say(table.concat(heard, " "))]]

local LIVED = "one two three true 1 bad html 503 five 200 0 truncated cancelled timeout did you mean timeout "
  .. "false .* rate_limit_error 2%.?0? backoff 3\n"

local function live_script()
  s:reset()
  s:script {
    { body = server.completion("one") }, events "two", events "three", events "four",
    { body = '{"object":"list","data":[{"index":0,"embedding":"AACAPw=="}]}' },
    { status = 400, body = '{"error":{"message":"no","code":"bad"}}' },
    { headers = { ["Content-Type"] = "text/html" }, body = "<html><title>t</title></html>" },
    { status = 503 }, { body = server.completion("five") },
    { headers = { ["Content-Type"] = "text/event-stream" }, framing = "close",
      chunks = { server.events { "six" }[1], server.events { "six" }[2] } },
    { stall = true }, { body = "raw" },
  }
end

local NEW = [[
  local ofox = require "ofox"
  local client = ofox.new { base_url = URL, errors = "return", retry = { base = 0.001, jitter = "none" } }
]]

-- Nothing can be loaded any more, from whatever place.
local BLOCKED = [[
  do
    local list = package.searchers or package.loaders
    for i = #list, 1, -1 do list[i] = nil end
    list[1] = function(name) error("loaded late: " .. name, 0) end
    package.loadlib = function(path) error("loaded late: " .. path, 0) end
    loadfile = function(path) error("loaded late: " .. path, 0) end
  end
]]

local TASKS = [[
  local task = ofox.go(function() return client:chat(PARAMS):output_text() end)
  say(select(2, task:wait()))
  say(#ofox.all({ function() ofox.sleep(0.001) end, function() return 1 end }, { limit = 1 }))
  say(tostring(ofox.run(function() return ofox.go(function() error "x" end):wait() end)))
]]

describe("[P1] all that a client can need", function()
  it("is there for its tools", function()
    local out = succeed([[
      local ofox, mock = require "ofox", require "ofox.mock".new()
      local client = ofox.new { transport = mock, errors = "return" }]] .. BLOCKED .. [[
      mock:reply { body = { choices = { { message = { tool_calls = { { id = "a",
        ["function"] = { name = "f", arguments = "{}" } } } } } } } }
      mock:reply { status = 400 }
      local res, err = client:run_tools(PARAMS, { f = { run = function() error "no" end } })
      say(tostring(res), err.type, err.messages[3].content)]])
    assert.equal("nil invalid_request_error error: no\n", out)
  end)

  it("is loaded when there is one", function()
    live_script()
    assert.matches("^" .. LIVED .. "$", succeed(NEW .. BLOCKED .. LIFE))
  end)

  it("is there for a mock, without libcurl", function()
    local out = succeed([[
      local ofox, mock = require "ofox", require "ofox.mock".new()
      local client = ofox.new { transport = mock, errors = "return" }]] .. BLOCKED .. [[
      mock:reply { status = 503 }:reply { body = { choices = { { message = { content = "ok" } } } } }
      mock:reply { sse = { { choices = { { delta = { content = "ok" } } } } } }
      mock:install()
      say(client:chat(PARAMS):output_text(), client:stream(PARAMS):collect():output_text())
      for line in io.lines "/proc/self/maps" do assert(not line:find("libcurl", 1, true), line) end]])
    assert.equal("ok ok\n", out)
  end)

  it("is there for tasks after the first", function()
    s:reset()
    s:script { { body = server.completion("one") } }
    assert.equal("one\n2\nfalse\n", succeed(NEW .. "ofox.go(function() end)\n" .. BLOCKED .. TASKS))
  end)
end)

-- The program runs in a copy of the tree and finds it by a relative path.
local copies = 0
local function copy()
  copies = copies + 1
  local path = ("%s/tree%d"):format(host.directory.path, copies)
  assert(os.execute(("mkdir -p %s/build && cp -r %s/lua %s && cp -r %s/build/%s %s/build && mkdir %s/elsewhere"):format(
    path, ROOT, path, ROOT, proc.ABI, path, path)))
  return path
end

-- cd(path), without a library.
local CD = [[
#include <lua.h>
#include <lauxlib.h>
#include <unistd.h>
static int cd(lua_State *L) { lua_pushboolean(L, chdir(luaL_checkstring(L, 1)) == 0); return 1; }
int luaopen_cd(lua_State *L) { lua_pushcfunction(L, cd); return 1; }
]]

-- Runs code in the copy with these paths, from the copy.
local function run_in(path, code, lua_path, cpath)
  host.compile("cd.so", CD, "-shared -fPIC")
  local wrapper = proc.write(path .. "/run", ("#!/bin/sh\ncd %s && LUA_PATH='%s;;' LUA_CPATH='%s;;' exec %s \"$@\"\n")
    :format(path, lua_path, cpath or "", proc.LUA))
  return succeed("local cd = require 'cd'\n" .. code, { program = "sh " .. wrapper })
end

describe("[P1] a relative package.path", function()
  local places = {
    { what = "of a clone", path = "./lua/?.lua;./lua/?/init.lua" },
    { what = "of a clone, without the dot", path = "lua/?.lua;lua/?/init.lua" },
    { what = "and package.cpath", path = "./share/?.lua;./share/?/init.lua", cpath = "./lib/?.so",
      move = "mv lua share && mv build/" .. proc.ABI .. " lib && rmdir build" },
  }
  for _, place in ipairs(places) do
    local function prepared()
      local path = copy()
      if place.move then assert(os.execute("cd " .. path .. " && " .. place.move)) end
      return path
    end

    it(place.what .. " leads to the client after a change of directory", function()
      local path = prepared()
      live_script()
      assert.matches("^" .. LIVED .. "$",
        run_in(path, [[local ofox = require "ofox"; assert(cd "elsewhere")]] .. "\n" .. NEW .. LIFE, place.path,
          place.cpath))
    end)

    it(place.what .. " leads to all else after it", function()
      local path = prepared()
      s:reset()
      s:script { { body = server.completion("one") }, repeat_last = true }
      local before = 'local before = package.path .. package.cpath\n'
      local out = run_in(path, before .. NEW .. [[assert(cd "elsewhere")
        assert(before == package.path .. package.cpath)
        say(client:chat(PARAMS):output_text(), type(require "ofox.mock".new()), type(ofox.doctor), type(ofox.go))
        say(select("#", ofox.run(function() return client:chat(PARAMS) end)))
        say(tostring(pcall(require, "ofox.nothing_of_that_name")))]], place.path, place.cpath)
      assert.matches("^one table function function\n1\nfalse\n$", out)
    end)

    it(place.what .. " leads to the same ofox where there is another", function()
      local path = prepared()
      assert(os.execute(("cd %s/elsewhere && mkdir -p lua/ofox share/ofox "
        .. "&& echo 'error \"another\"' > lua/ofox/mock.lua && cp lua/ofox/mock.lua share/ofox"):format(path)))
      assert.equal("table\n", run_in(path, NEW .. [[assert(cd "elsewhere") say(type(require "ofox.mock"))]],
        place.path, place.cpath))
    end)
  end
end)

describe("[P1] what is out of reach later", function()
  it("may be the whole tree", function()
    local path = copy()
    live_script()
    local gone = [[os.rename("lua", "a") os.rename("build", "b")]] .. "\n"
    assert.matches("^" .. LIVED .. "$", run_in(path, NEW .. gone .. LIFE,
      path .. "/lua/?.lua;" .. path .. "/lua/?/init.lua"))
  end)

  -- The last descriptors are those of the engine and of one connection.
  it("may be all descriptors but those of a connection", function()
    live_script()
    assert.matches("^" .. LIVED .. "$", succeed(NEW .. [[
      local held = {}
      repeat
        local file = io.open "/dev/null"
        held[#held + 1] = file
      until not file
      held[#held]:close()]] .. "\n" .. LIFE, { program = "sh -c 'ulimit -n 64; exec \"$0\" \"$@\"' " .. proc.LUA }))
  end)
end)
