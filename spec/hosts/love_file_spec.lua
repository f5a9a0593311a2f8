-- A game as it is given away: a .love file with ofox inside, the C modules
-- beside it, and on the machine nothing of Lua's, no lua-cjson either.
-- LÖVE is built on LuaJIT: once is enough.
if not rawget(_G, "jit") then return end

local host = require "support.host"
local proc = require "support.proc"
local server = require "support.server"
local shell = require "support.shell"
local zip = require "support.zip"

local s
setup(function() s = host.open() end)
teardown(host.close)

local GAME = [[
  package.cpath = love.filesystem.getSourceBaseDirectory() .. "/?.so"
  local ofox = require "ofox"
  local client = ofox.new { errors = "return", max_retries = 0 }
  local params = { model = "m", messages = { { role = "user", content = "hi" } } }
  local task = ofox.go(function()
    local stream = client:stream(params)
    local said = { stream:collect():output_text(), client:chat(params):output_text() }
    local _, err = client:chat(params)
    said[3] = err.type .. " " .. err.message
    return table.concat(said, ", ")
  end)
  function love.update()
    ofox.step(0)
    if task:status() == "running" then return end
    print(select(2, task:wait()), (pcall(require, "cjson")), package.searchpath("ofox.core", package.cpath))
    love.event.quit()
  end]]

describe("[E8] a game in one file", function()
  it("finds ofox inside, its C modules beside it, and needs no lua-cjson", function()
    local folder = host.directory.path .. "/given"
    shell.succeed(("mkdir -p %s/ofox && cp build/jit/ofox/*.so %s/ofox"):format(folder, folder))
    local files = { ["main.lua"] = GAME, ["conf.lua"] = proc.read("examples/love/conf.lua") }
    for _, path in ipairs(shell.lines "cd lua && find ofox -name '*.lua'") do
      files[path] = proc.read("lua/" .. path)
    end
    proc.write(folder .. "/game.love", zip.pack(files))
    s:script {
      { headers = { ["Content-Type"] = "text/event-stream" }, chunks = server.events { "one" } },
      { body = server.completion("two") },
      { status = 404, body = '{"error":{"message":"three"}}' },
    }
    local out = shell.succeed(("cd / && env -i PATH=$PATH HOME=%s XDG_DATA_HOME=%s XDG_RUNTIME_DIR=%s "
      .. "LUA_PATH='/nowhere/?.lua' OFOX_API_KEY=k-0123456789 OFOX_BASE_URL=%s timeout 60 love %s/game.love --headless")
      :format(folder, folder, folder, s.url, folder))
    assert.equal(("one, two, not_found_error three\tfalse\t%s/ofox/core.so\n"):format(folder), out)
  end)
end)
