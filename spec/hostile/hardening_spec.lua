-- What the modules are built with, as it shows in them.
local proc = require "support.proc"

local function reads(arguments)
  local pipe = assert(io.popen("readelf -W " .. arguments .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

for _, name in ipairs { "core", "engine" } do
  describe("ofox." .. name, function()
    local path = ("build/%s/ofox/%s.so"):format(proc.ABI, name)

    it("[R5] is bound when it is loaded, and then not written to", function()
      assert.matches("BIND_NOW", reads("-d " .. path))
      assert.matches("GNU_RELRO", reads("-l " .. path))
    end)

    it("[R5] guards its stack and checks its copies", function()
      local symbols = reads("--syms " .. path)
      assert.matches("__stack_chk_fail", symbols)
      -- sanitizers check copies themselves, and without an optimizer nobody does
      if not symbols:find("__asan_init", 1, true) and not symbols:find("__gcov_", 1, true) then
        assert.matches("__%l+_chk@", symbols)
      end
    end)

    it("[R5] has no stack that code could run on", function()
      assert.is_nil(reads("-l " .. path):match("GNU_STACK[^\n]*E"))
    end)
  end)
end
