-- The parser and the stream as clang's sanitizers see them, fed at random splits:
-- the fuzzers with a fixed seed and few runs; `make fuzz` gives them time.
-- test: once long: clang's programs know nothing of Lua
local assert = require "luassert"

local FOLDER = "build/few"
local FLAGS = "-std=c99 -g -O1 -fsanitize=fuzzer%s,address,undefined -fno-sanitize-recover=undefined -I%s/src"

-- Runs a command of the shell in FOLDER, which must succeed.
local function succeed(command)
  local pipe = assert(io.popen(("{ mkdir -p %s && cd %s && %s; } 2>&1 && echo fine"):format(FOLDER, FOLDER, command)))
  local output = pipe:read("*a")
  pipe:close()
  assert.is_truthy(output:find("fine\n$"), output)
end

describe("[R6] at random splits nothing is undefined:", function()
  -- all that needs neither Lua nor libcurl
  setup(function()
    succeed("rm -f *.o && clang -c " .. FLAGS:format("-no-link", "../..") .. " ../../src/base/*.c ../../src/wire/*.c "
      .. "../../src/wire/*/*.c ../../src/policy/*.c ../../src/call/*.c")
  end)

  for _, name in ipairs { "sse", "stream", "delta" } do
    it(name, function()
      succeed(("clang %s -o %s ../../spec/c/fuzz_%s.c *.o -lm && ./%s -seed=1 -runs=4000 -verbosity=0"):format(
        FLAGS:format("", "../.."), name, name, name))
    end)
  end
end)
