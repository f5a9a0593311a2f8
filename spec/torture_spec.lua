-- Memory that runs out: a host in C (spec/c/torture.c) on the Lua that runs the
-- specs. Here some of all requests fail, with `make torture` each one.
local assert = require "luassert"
local proc = require "support.proc"

describe("memory", function()
  it("[E10] may run out anywhere: no crash, no leak, a clean error", function()
    local program = ("build/%s/torture"):format(proc.ABI)
    local pipe = assert(io.popen(("make -s LUA=%s %s 2>&1 && %s -s 61 2>&1"):format(proc.ABI, program, program)))
    local output = pipe:read("*a")
    pipe:close()
    local runs = output:match("^%[E10%] (%d+) runs, 0 bad\n$")
    assert.is_truthy(runs, output)
    assert.is_true(tonumber(runs) > 500, output)
  end)
end)
