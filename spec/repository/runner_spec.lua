-- What runs the specs (.ci/test): what it counts, what it says, which marks it
-- obeys, and that it leaves nothing behind.
-- test: once alone: it is of bash, and what it runs has limits of time
local assert = require "luassert"
local proc = require "support.proc"

local GOOD = 'it("is so", function() assert.is_true(true) end)\n'
local BAD = 'it("is not so", function() assert.equal("white", "black") end)\n'

-- Spec files write the order of what happens to a file.
local SAY = [[
local function say(word)
  local file = assert(io.open("said", "a"))
  file:write(word, "\n")
  file:close()
end
-- Whether a file comes to be there within 60 s.
local function there(name)
  for _ = 1, 1200 do
    local file = io.open(name)
    if file then return file:close() end
    os.execute "sleep 0.05"
  end
  return false
end
]]

local trees, tree = 0, nil
local directory

-- A time to sleep that is this process's alone.
local SLEEP = "sleep 4711." .. proc.read("/proc/self/stat"):match("^%d+")
setup(function() directory = proc.directory() end)
teardown(function() directory:remove() end)

local function execute(command)
  local pipe = assert(io.popen("( " .. command .. "\n) 2>&1; echo rc=$?"))
  local output = pipe:read("*a")
  pipe:close()
  local text, rc = output:match("^(.-)rc=(%d+)\n$")
  return text, tonumber(rc)
end

-- A tree with these spec files ({name = code}), the runner, and three Luas that
-- are all the one that runs this spec, with a name of their own in LUA_NAME.
local function plant(files, makefile)
  trees = trees + 1
  tree = directory.path .. "/tree" .. trees
  assert.equal("", (execute(("mkdir -p %s/spec/c %s/luas %s/tmp %s/.ci && cp -r .ci/test .ci/specs %s/.ci"):format(
    tree, tree, tree, tree, tree))))
  for name, code in pairs(files) do proc.write(("%s/spec/%s_spec.lua"):format(tree, name), code) end
  proc.write(tree .. "/Makefile", makefile or "all:\n")
  for _, name in ipairs { "5.4", "5.1", "5.2" } do
    local path = ("%s/luas/lua%s"):format(tree, name)
    proc.write(path, ("#!/bin/sh\nexport LUA_NAME=%s\nexec %s \"$@\"\n"):format(name, proc.LUA))
    execute("chmod +x " .. path)
  end
end

-- The command that runs the tests of the tree; 'variables': of the shell.
local function command(variables)
  return ("cd %s && exec env -u MAKEFLAGS -u MAKELEVEL LUAS=5.4 JOBS=2 TMPDIR=%s/tmp INTERPRETERS=%s/luas %s .ci/test")
    :format(tree, tree, tree, variables or "")
end

local function run(variables) return execute(command(variables)) end

local function said() return proc.read(tree .. "/said") or "" end

-- Is there a process with these words?
local function is_running(words) return (select(2, execute("pgrep -fx " .. proc.quote(words)))) == 0 end

-- Waits until something is so, as long as 60 s: a sanitizer beside a load is slow.
local function eventually(is_so)
  for _ = 1, 1200 do
    if is_so() then return true end
    os.execute "sleep 0.05"
  end
  return false
end

local function last_line(output) return output:match("([^\n]*)\n$") end

-- A line of a report without spaces at its end and without the time it took.
local function lines_of(output)
  local list = {}
  for line in output:gmatch("[^\n]+") do
    list[#list + 1] = line:gsub("%s+", " "):gsub("passed %d+%.%d s", "passed")
  end
  return list
end

describe("the runner of the specs", function()
  it("says a line per file, and the sum", function()
    plant { a = GOOD .. GOOD, b = GOOD }
    local output, rc = run "LUAS='5.1 5.4'"
    assert.equal(0, rc)
    local list = lines_of(output)
    table.sort(list)
    assert.same({ "8 passed, 0 failed", "build 2 passed", "spec/a_spec.lua 4 passed",
      "spec/b_spec.lua 2 passed" }, list)
    assert.equal("8 passed, 0 failed", last_line(output))
  end)

  it("gives the whole text of what failed, and where", function()
    plant { a = GOOD .. BAD, b = GOOD }
    local output, rc = run()
    assert.equal(1, rc)
    assert.equal("3 passed, 1 failed", last_line(output))
    assert.is_truthy(output:find("Expected objects to be equal", 1, true), output)
    assert.is_truthy(output:find("'black'", 1, true), output)
    assert.is_truthy(output:find("FAILED: spec/a_spec.lua on Lua 5.4: 1 failed", 1, true), output)
    assert.is_nil(output:find("FAILED: spec/b", 1, true), output)
  end)

  for what, code in pairs {
    ["one that ends before its summary"] = "os.exit(0)",
    ["one that is killed"] = 'os.execute("kill -9 $PPID")',
    ["one that is killed with its session"] = 'os.execute("pkill -9 -s 0")',
    ["one that cannot be loaded"] = "return return",
    ["one that is pending"] = 'pending "later"',
    ["one that dies after its summary"] = GOOD
      .. "debug.getregistry().last = setmetatable({}, { __gc = function() os.exit(3) end })",
  } do
    it("takes for failed " .. what, function()
      plant { a = code, b = GOOD }
      local output, rc = run()
      assert.equal(1, rc)
      assert.matches("^[23] passed, 1 failed$", last_line(output))
      assert.is_truthy(output:find("FAILED: spec/a_spec.lua on Lua 5.4: 1 failed", 1, true), output)
    end)
  end

  it("ends what hangs, with all that it has started, and says so", function()
    plant { a = ('os.execute "setsid %s & %s"'):format(SLEEP, SLEEP), b = GOOD }
    local output, rc = run "LIMIT=10"
    assert.equal(1, rc)
    assert.equal("2 passed, 1 failed", last_line(output))
    assert.is_truthy(output:find("took longer than 10 s", 1, true), output)
    assert.is_false(is_running(SLEEP))
  end)

  it("builds first, and runs nothing where that fails", function()
    plant({ a = GOOD }, "all:\n\t@echo no compiler; false\n")
    local output, rc = run()
    assert.equal(1, rc)
    assert.is_truthy(output:find("no compiler", 1, true), output)
    assert.equal("0 passed, 1 failed", last_line(output))
  end)

  it("runs programs in C once", function()
    plant({ a = GOOD }, "all:\nbuild/ctest/%.ok:\n\t@echo $(LUA) >>said\n")
    proc.write(tree .. "/spec/c/test_one.c", "")
    local output, rc = run "LUAS='5.1 5.4'"
    assert.equal(0, rc)
    assert.equal("5 passed, 0 failed", last_line(output))
    assert.equal("5.4\n", said())
  end)

  it("runs as many at once as it is told", function()
    plant {
      a = SAY .. 'it("a", function() say "a" io.open("a", "w"):close() assert.is_true(there "b") end)',
      b = SAY .. 'it("b", function() say "b" io.open("b", "w"):close() assert.is_true(there "a") end)',
    }
    local output = run "JOBS=2"
    assert.equal("3 passed, 0 failed", last_line(output))
  end)
end)

describe("a mark of a spec:", function()
  local RUNS = SAY .. 'it("runs", function() say(os.getenv "LUA_NAME") end)'

  it("once is on one Lua, 5.4 where it is there", function()
    plant { a = "-- What it is.\n-- test: once: it knows no Lua\n" .. RUNS }
    assert.equal("4 passed, 0 failed", last_line(run "LUAS='5.1 5.2 5.4'"))
    assert.equal("5.4\n", said())
    plant { a = "-- test: once: it knows no Lua\n" .. RUNS }
    assert.equal("3 passed, 0 failed", last_line(run "LUAS='5.2 5.1'"))
    assert.equal("5.2\n", said())
  end)

  it("without one a file runs on each Lua", function()
    plant { a = "-- It says nothing of tests.\n" .. RUNS }
    assert.equal("4 passed, 0 failed", last_line(run "LUAS='5.1 5.4' JOBS=1"))
    assert.equal("5.1\n5.4\n", said())
  end)

  it("alone is beside nothing else", function()
    local function named(name) return SAY .. ('it("runs", function() say "%s+" say "%s-" end)'):format(name, name) end
    plant { a = "-- test: alone long: it counts\n" .. named "a", b = "-- test: alone: it counts\n" .. named "b",
      c = named "c", d = "-- test: waits: for a clock\n" .. named "d" }
    assert.equal("5 passed, 0 failed", last_line(run "JOBS=4"))
    assert.equal("a+\na-\nb+\nb-\n", said():sub(-12))
  end)

  it("long comes first", function()
    plant { a = SAY .. 'say "a" ' .. GOOD, b = "-- test: long: it thinks\n" .. SAY .. 'say "b" ' .. GOOD }
    assert.equal("3 passed, 0 failed", last_line(run "JOBS=1"))
    assert.equal("b\na\n", said())
  end)

  it("waits is beside those that fill the cores", function()
    plant {
      a = SAY .. 'it("a", function() io.open("a", "w"):close() assert.is_true(there "b") end)',
      b = "-- test: waits: for a\n" .. SAY
        .. 'it("b", function() io.open("b", "w"):close() assert.is_true(there "a") end)',
    }
    assert.equal("3 passed, 0 failed", last_line(run "JOBS=1"))
  end)

  it("that is none is refused", function()
    plant { a = "-- test: never: it is late\n" .. RUNS }
    local output, rc = run()
    assert.equal(1, rc)
    assert.is_truthy(output:find("spec/a_spec.lua: no mark of a spec: never", 1, true), output)
    assert.equal("", said())
  end)
end)

describe("the runner of the specs leaves nothing behind:", function()
  -- A spec that starts processes, in its session and in one of their own.
  local STARTS = ('os.execute "%s & setsid %s & mktemp; touch begun; %s"'):format(SLEEP, SLEEP, SLEEP)

  for signal, status in pairs { INT = 130, TERM = 143, HUP = 143 } do
    it("SIG" .. signal .. " ends it and all that it has started", function()
      plant { a = STARTS, b = STARTS }
      local pipe = assert(io.popen("sh -c " .. proc.quote("echo $$; " .. command()) .. " 2>&1; echo rc=$?"))
      local pid = pipe:read("*l")
      assert.is_true(eventually(function() return proc.read(tree .. "/begun") and is_running(SLEEP) end))
      os.execute(("kill -%s %s"):format(signal, pid))
      local output = pipe:read("*a")
      pipe:close()
      assert.equal("rc=" .. status, last_line(output))
      assert.is_false(is_running(SLEEP))
      assert.equal("", (execute(("ls -A %s/tmp"):format(tree))))
    end)
  end

  it("what a spec forgot is ended with it", function()
    plant { a = ('os.execute "%s & setsid %s & mktemp -d >/dev/null" '):format(SLEEP, SLEEP) .. GOOD, b = GOOD }
    assert.equal("3 passed, 0 failed", last_line(run "JOBS=1"))
    assert.is_false(is_running(SLEEP))
    assert.equal("", (execute(("ls -A %s/tmp"):format(tree))))
  end)
end)
