-- Inside Neovim: tools, other protocols, files, videos and streams of bytes.
-- test: waits long: for editors, and a large file
if not rawget(_G, "jit") then return end -- Neovim's Lua is LuaJIT: it needs that build

local host_cases = require "support.host_cases"
local neovim = require "support.neovim"
local proc = require "support.proc"
local server = require "support.server"

local s, path, large
setup(function()
  s = server.start()
  neovim.open(s.url)
  path = proc.write(neovim.directory.path .. "/file", ("0123456789"):rep(200000))
  large = neovim.directory.path .. "/large"
  local file = assert(io.open(large, "wb"))
  file:seek("set", 128 * 1024 * 1024 - 1) -- of zeroes, which take no room
  file:write "\0"
  file:close()
end)
teardown(function()
  neovim.close()
  s:stop()
end)
before_each(function() s:reset() end)

-- Code that runs all cases, and says how often the editor had its turn meanwhile.
local ALL = ([[
  local cases = dofile "ROOT/spec/support/host_cases.lua"
  local ofox = require "ofox"
  local client, ticks, over = ofox.new(cases.options {}), 0, false
  uv.new_timer():start(2, 2, function() vim.schedule(function() ticks = ticks + 1 end) end)
  local function run()
    cases.run(ofox, client, "PATH", function(line)
      vim.api.nvim_buf_set_lines(0, -1, -1, false, { line })
      say(line)
    end)
    over = true
  end
  WAY
  say(ticks > 20 and "ticks" or ticks)]])

for name, way in pairs {
  ["where it is called"] = "run()",
  ["in a coroutine"] = "coroutine.wrap(run)()",
  ["in a task from a callback"] = "vim.schedule(function() ofox.go(run) end) wait_until(function() return over end)",
  ["in a task from a fast event"] = "uv.new_timer():start(1, 0, function() ofox.go(run) end) "
    .. "wait_until(function() return over end)",
} do
  it("[2.11] all new calls work in Neovim, which goes on: " .. name, function()
    s:script(host_cases.steps(server))
    local out = neovim.succeed((ALL:gsub("%u%u%u%u?", { ROOT = neovim.ROOT, PATH = path, WAY = way })))
    assert.equal(host_cases.expected() .. "ticks\n", out)
  end)
end

it("[2.11] a conversation is cancelled with the buffer that it writes to", function()
  local begun = { chunks = { server.events { "first" }[2] }, last_chunk = false, stall = true }
  s:script { { body = server.calls { "a", "b" } }, begun, begun }
  local out = neovim.succeed [[
    local ofox = require "ofox"
    local client, token, heard = ofox.new { errors = "return" }, ofox.cancel_token(), 0
    function GONE() token:cancel() end
    vim.cmd "enew"
    local buffer = vim.api.nvim_get_current_buf()
    vim.cmd "autocmd BufWipeout <buffer> lua GONE()"
    local tools = { f = { run = function()
      for text in client:stream(PARAMS):text() do
        vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { text })
        heard = heard + 1
      end
    end } }
    local task = ofox.go(function() return client:run_tools(PARAMS, tools, { cancel = token }) end)
    wait_until(function() return heard == 2 end)
    vim.cmd "bwipeout!"
    local ok, none, err = task:wait()
    say(ok, none, err.type, #err.messages)]]
  assert.equal("true nil cancelled_error 4\n", out)
  assert.is_true(s:wait { open = 0 })
end)

it("[2.11] a large file is read in pieces while the editor goes on", function()
  s:script { { body = '{"data":[{"b64_json":"eA=="}]}' } }
  local code = [[
    local ofox = require "ofox"
    local client, ticks = ofox.new {}, 0
    local function peak()
      for line in io.lines "/proc/self/status" do
        local size = line:match "^VmHWM:%s*(%d+)"
        if size then return tonumber(size) end
      end
    end
    uv.new_timer():start(2, 2, function() vim.schedule(function() ticks = ticks + 1 end) end)
    local before = peak()
    local res = client:edit_images({ image = ofox.file "LARGE" }, { timeout = 20 })
    say(res.data[1].b64_json, ticks > 0, peak() - before < 8 * 1024)]]
  assert.equal("eA== true true\n", neovim.succeed((code:gsub("LARGE", large))))
  assert.is_true(s:log()[1].body_size > 128 * 1024 * 1024)
end)
