-- Memory that runs out: a host in C (spec/c/torture.c) on the Lua that runs the
-- specs. Here some of all requests fail, in .ci/run more of them,
-- with `make torture` each one.
-- test: long: it builds a host with sanitizers
local assert = require "luassert"
local proc = require "support.proc"

describe("memory", function()
  it("[P10] is short in all words that a Lua has for it", function()
    local memory = require "ofox.base.memory"
    for _, message in ipairs { "not enough memory", "ofox.mock:112: stack overflow (too many captures)",
      "x.lua:1: stack overflow ()", "not enough memory for buffer allocation" } do
      assert.is_true(memory.is_short(message), message)
    end
    local function endless() return 1 + endless() end
    for _, message in ipairs { (select(2, pcall(endless))), "C stack overflow", "too many captures", false, {} } do
      assert.is_false(memory.is_short(message), tostring(message))
    end
  end)

  it("[P10] that is short goes on through try", function()
    local try = require "ofox.base.try"
    for _, message in ipairs { "not enough memory", "stack overflow (too many captures)" } do
      assert.same({ false, message }, { pcall(try, error, message, 0) })
    end
    assert.same({ true, false, "no" }, { pcall(try, error, "no", 0) })
  end)

  -- Runs the torture, which must find nothing bad: each Lua's begins at another
  -- request. Returns how many runs it had. What all Luas' hosts have in common is
  -- built by one at a time; one run at a time leaves the other cores to others.
  local NUMBER = { ["5.1"] = 0, ["5.2"] = 1, ["5.3"] = 2, ["5.4"] = 3, jit = 4 }
  local function torture(step, arguments)
    local program = ("build/%s/torture"):format(proc.ABI)
    local command = ("flock build make -s LUA=%s %s 2>&1 && %s -j 1 -s %d -n %d %s 2>&1"):format(proc.ABI, program,
      program, step, 1 + math.floor(NUMBER[proc.ABI] * step / 5), arguments)
    local pipe = assert(io.popen(command))
    local output = pipe:read("*a")
    pipe:close()
    local runs = output:match("^%[E10%] (%d+) runs, 0 bad\n$")
    assert.is_truthy(runs, output)
    return tonumber(runs)
  end

  it("[E10] may run out anywhere: no crash, no leak, a clean error", function()
    assert.is_true(torture(367, "") > 250)
  end)

  -- Lua 5.2 and later ask a second time.
  local one = _VERSION == "Lua 5.1" and "lua:once" or "lua:pair"

  it("[E10] may run out while tasks wake each other: none is left behind", function()
    assert.is_true(torture(10, ("-f %s tasks 'tasks go on'"):format(one)) > 100)
  end)
end)
