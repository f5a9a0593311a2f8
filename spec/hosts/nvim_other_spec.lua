-- All of nvim_spec.lua once more, in the Neovim of another release of Debian:
-- 0.10 beside 0.7.
-- test: waits long: for timers of an editor
if not rawget(_G, "jit") then return end

local neovim = require "support.neovim"

if not neovim.use_other() then
  io.stderr:write("ofox: without apt-get there is no other Neovim to run the specs in\n")
  return
end
local version = neovim.version()
neovim.use_system()

describe("[P9] Neovim " .. version, function()
  setup(neovim.use_other)
  teardown(neovim.use_system)

  local specs = assert(loadfile "spec/hosts/nvim_spec.lua")
  setfenv(specs, getfenv(1))() -- luacheck: ignore 113

  it("is what the specs run in", function()
    assert.equal(version .. "\n", require "support.neovim".succeed [[
      say(vim.version().major .. "." .. vim.version().minor)]])
  end)
end)
