-- Inside Neovim, whose loop drives ofox: real ones, without a screen and in a
-- terminal.
if not rawget(_G, "jit") then return end -- Neovim's Lua is LuaJIT: it needs that build

local neovim = require "support.neovim"
local server = require "support.server"

local succeed = neovim.succeed

local s
setup(function()
  s = server.start()
  neovim.open(s.url)
end)
teardown(function()
  neovim.close()
  s:stop()
end)
before_each(function() s:reset() end)

local OK = { body = server.completion("ok") }
local SSE = { ["Content-Type"] = "text/event-stream" }

-- A stream of as many pieces "x", each after a pause.
local function slow(times, pause)
  local piece = server.events { "x" }[2]
  return { headers = SSE, chunks = { { bytes = piece, times = times, pause = pause }, "data: [DONE]\n\n" } }
end

describe("[E6] in Neovim", function()
  it("a blocking call keeps timers and vim.schedule going", function()
    s:script { { delay = 0.3, body = OK.body } }
    local out = succeed [[
      local client = require "ofox".new {}
      local ticks, scheduled = 0, 0
      uv.new_timer():start(5, 5, function()
        ticks = ticks + 1
        vim.schedule(function() scheduled = scheduled + 1 end)
      end)
      local text = client:chat(PARAMS):output_text()
      say(text, ticks > 20, scheduled > 20)]]
    assert.equal("ok true true\n", out)
  end)
end)
