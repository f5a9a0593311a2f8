-- Tools, other protocols, files, videos and streams of bytes in plain Lua, in tasks, in a
-- coroutine of the program's, and in the loops of cqueues and libuv.
local calls = require "support.calls"
local cases = require "support.host_cases"
local child = require "support.child"
local ofox = require "ofox"
local proc = require "support.proc"
local server = require "support.server"

local s, path
setup(function()
  s = server.start()
  path = proc.write(os.tmpname(), ("0123456789"):rep(200000))
end)
teardown(function()
  s:stop()
  os.remove(path)
end)
before_each(function()
  s:reset()
  s:script(cases.steps(server))
end)

-- What the second attempt of an upload was, whose first had been answered in its middle.
after_each(function()
  local uploads = {}
  for _, request in ipairs(s:log()) do
    if request.path:find "images" then uploads[#uploads + 1] = request.complete and request.body or "" end
  end
  assert.is_truthy(uploads[2]:find(proc.read(path), 1, true))
end)

local WAYS = {
  ["in plain Lua"] = function(run) run() end,
  ["in ofox.run"] = ofox.run,
  ["in a task that is waited for"] = function(run) assert(ofox.go(run):wait()) end,
  ["in a task that is stepped"] = function(run)
    local task = ofox.go(run)
    while ofox.step(1) do end -- luacheck: ignore 542
    assert.equal("done", task:status())
  end,
  ["in a coroutine"] = function(run) coroutine.wrap(run)() end,
}

for name, way in pairs(WAYS) do
  it("[2.11] all new calls work " .. name, function()
    local said = {}
    local client = calls.client(cases.options { api_key = "sk-0123456789", base_url = s.url })
    way(function()
      cases.run(ofox, client, path, function(line) said[#said + 1] = line .. "\n" end)
    end)
    assert.equal(cases.expected(), table.concat(said))
  end)
end

local LOOPS = {
  cqueues = [[
    local cqueues = require "cqueues"
    local loop = cqueues.new()
    ofox.use_loop { wait = function(seconds) cqueues.poll(ofox, seconds) end }
    loop:wrap(function()
      run()
      over = true
    end)
    loop:wrap(function()
      while not over do
        cqueues.sleep(0.002)
        ticks = ticks + 1
      end
    end)
    assert(loop:loop())]],
  luv = [[
    local uv = require "luv"
    ofox.use_loop(require "ofox.loop.uv")
    local clock = uv.new_timer()
    clock:start(2, 2, function() ticks = ticks + 1 end)
    clock:unref()
    ofox.go(run):on_done(function(ok, err) if not ok then print(err) end end)
    uv.run()]],
}

for name, code in pairs(LOOPS) do
  it("[2.11] all new calls work in the loop of " .. name .. ", which goes on", function()
    local result = child.run { code = ([[
      local ofox, cases = require "ofox", require "support.host_cases"
      local ticks, over = 0, false
      local client = ofox.new(cases.options { api_key = "sk-0123456789", base_url = "URL", proxy = false })
      local function run() cases.run(ofox, client, "PATH", print) end
      CODE
      print(ticks > 20 and "ticks" or ticks)]]):gsub("%u%u%u%u?", { URL = s.url, PATH = path, CODE = code }) }
    assert.equal("", result.errors)
    assert.equal(cases.expected() .. "ticks\n", result.output)
  end)
end
