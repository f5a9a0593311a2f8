-- The parser and the stream as clang's sanitizers see them, fed at random splits:
-- the fuzzers with a fixed seed and few runs; `make fuzz` gives them time.
-- test: once long: clang's programs know nothing of Lua
local assert = require "luassert"
local proc = require "support.proc"

-- All that needs neither Lua nor libcurl.
local SOURCES = "src/base/*.c src/wire/*.c src/policy/*.c src/call/*.c"

describe("[R6] at random splits nothing is undefined:", function()
  for _, name in ipairs { "sse", "stream", "delta" } do
    it(name, function()
      local folder = "build/" .. proc.ABI -- each Lua's specs may run beside others'
      local program = ("%s/few-%s"):format(folder, name)
      local pipe = assert(io.popen(("mkdir -p %s && clang -std=c99 -g -O1 -fsanitize=fuzzer,address,undefined "
        .. "-fno-sanitize-recover=undefined -Isrc -o %s spec/c/fuzz_%s.c %s -lm 2>&1 && "
        .. "%s -seed=1 -runs=4000 -verbosity=0 2>&1 && echo fine"):format(folder, program, name,
        SOURCES, program)))
      local output = pipe:read("*a")
      pipe:close()
      assert.is_truthy(output:find("fine\n$"), output)
    end)
  end
end)
