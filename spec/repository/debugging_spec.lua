-- doc/debugging.md and doc/developing.md are true: what they name exists,
-- wherever folders move, and what they show of programs is what these print.
local assert = require "luassert"
local core = require("ofox.base.native")("core")
local markdown = require "support.markdown"
local proc = require "support.proc"
local simulator = require "support.simulator"

local PAGE = proc.read("doc/debugging.md")
local DEVELOPING = proc.read("doc/developing.md")
local BOTH = PAGE .. DEVELOPING
local MAKEFILE = proc.read("Makefile")

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- All files but what a build leaves, each between two ends of lines; the text
-- of those in Lua.
local FILES = "\n" .. output_of("find * .[a-z]* -name .git -prune -o -path build -prune -o -type f -print")
local SOURCES = output_of("find lua -name '*.lua' -exec cat {} +")

-- The first file or folder that a path of the page means: "**/" and "…/" are
-- any folders or none, "*" is any part of a name.
local function find_file(path)
  path = path:gsub("…/", "**/"):gsub("[%^$().%[%]+?-]", "%%%0")
  for _, folders in ipairs { "", "[^\n]*/" } do
    local pattern = path:gsub("%*%*/", "\1"):gsub("%*", "[^/\n]*"):gsub("\1", folders)
    local found = FILES:match("\n(" .. pattern .. ")" .. (path:sub(-1) == "/" and "" or "\n"))
    if found then return found end
  end
  return nil
end

-- Paths of the repository in a text, without what a build leaves.
local function paths_in(text)
  local list = {}
  for path in (" " .. text):gmatch("[%s`'\"(=]([%w_.*…/-]+)") do
    local top = path:match("^([%w_.]+)/")
    if top and FILES:find("\n" .. top .. "/", 1, true) and not path:find("^build/") then
      list[#list + 1] = path
    end
  end
  for path in text:gmatch("`(%.%l+)`") do list[#list + 1] = path end
  return list
end

-- What of it is not there.
local function missing_in(text)
  local list = {}
  for _, path in ipairs(paths_in(text)) do
    if not find_file(path) then list[#list + 1] = path end
  end
  return list
end

-- Rules and variables of make that a text names and the Makefile has not.
local function unknown_to_make(text)
  local list = {}
  for rest in text:gmatch("%f[%w]make( [^\n`]+)") do
    for word in rest:gsub("=\"[^\"]*\"", "="):gmatch("[^%s&|;]+") do
      local variable, target = word:match("^(%u+)="), word:match("^%l+$")
      local known = variable and MAKEFILE:find("$(" .. variable .. ")", 1, true)
        or target and MAKEFILE:find("\n" .. target .. ":", 1, true)
      if (variable or target) and not known then list[#list + 1] = word end
    end
  end
  return list
end

-- Variables of the environment that a text names and no file of ours reads.
local function unread_in(text)
  local list = {}
  for name in text:gmatch("%f[%w_]OFOX[%u]*_[%u_]+") do
    if not SOURCES:find('"' .. name .. '"', 1, true) then list[#list + 1] = name end
  end
  return list
end

describe("the pages about debugging", function()
  local sections = markdown.parse(PAGE)

  it("name files that exist", function()
    assert.same({}, missing_in(BOTH))
    assert.is_true(#paths_in(BOTH) >= 15)
  end)

  it("name rules and variables of the Makefile", function()
    assert.same({}, unknown_to_make(BOTH))
    for _, target in ipairs { "asan", "valgrind", "torture", "fuzz" } do
      assert.is_truthy(BOTH:find("\n    make " .. target, 1, true), target)
    end
  end)

  it("name variables of the environment that are read", function()
    assert.same({}, unread_in(BOTH))
  end)

  it("would be told of what went", function()
    assert.same({ "spec/**/gone_spec.lua" }, missing_in("see `spec/**/gone_spec.lua`, `spec/**/docs_spec.lua`"))
    assert.same({ "examples/gone/" }, missing_in("in examples/gone/ and `examples/nginx/`"))
    assert.same({ "src/…/gone.c" }, missing_in("at src/…/gone.c:12"))
    assert.same({ ".gone" }, missing_in("`.gone` or `.busted`"))
    assert.same({ "gone", "GONE=2" }, unknown_to_make("make gone GONE=2\n    make LUA=5.1 torture ARGS=\"-v gone\"\n"))
    assert.same({ "OFOX_GONE" }, unread_in("`OFOX_GONE` or `OFOX_LOG`"))
  end)

  it("name fuzzers, scenarios and faults of the torture", function()
    for name in BOTH:gmatch("fuzz/[%w-]*(fuzz_%l+)") do
      assert.is_truthy(FILES:find("/" .. name .. ".c\n", 1, true), name)
    end
    local scenarios, host = proc.read("spec/c/torture.lua"), proc.read("spec/c/torture.c")
    local count = 0
    for fault, scenario in BOTH:gmatch("%-f (%l+:%l+) (%l+)") do
      assert.is_truthy(scenarios:find('add("' .. scenario .. '"', 1, true), scenario)
      assert.is_truthy(host:find('{"' .. fault .. '"', 1, true), fault)
      count = count + 1
    end
    assert.is_true(count >= 3)
  end)

  it("name specs and tests that busted finds", function()
    local count = 0
    for name in BOTH:gmatch("%-%-pattern='%^([%w_]+)'") do
      assert.is_truthy(FILES:find("[\n/]" .. name .. "%.lua\n"), name)
      count = count + 1
    end
    for options in BOTH:gmatch("busted (%-%-pattern='[^']+' %-%-filter='[^']+')") do
      local listed = output_of(("%s /usr/bin/busted --list %s"):format(proc.LUA, options))
      assert.is_truthy(listed:find("_spec.lua:%d+: "), listed)
      count = count + 1
    end
    assert.is_true(count >= 6)
  end)

  it("name functions of ours in its stacks", function()
    local count = 0
    for name, file in BOTH:gmatch("#%d+ +[^\n]-([%w_]+) %([^\n]*%) at ([^%s:]+/[%w_]+%.c)") do
      if not file:find("^%.%.") then
        local path = find_file(file)
        assert.is_truthy(path and proc.read(path):find("%f[%w_]" .. name .. "%("), name .. " in " .. file)
        count = count + 1
      end
    end
    assert.is_true(count >= 4)
  end)

  it("have programs that run and print what they show", function()
    local sim = simulator.start()
    local count = 0
    for _, section in ipairs(sections) do
      for i, block in ipairs(section.code) do
        local shown = section.code[i + 1]
        if block.language == "lua" and shown and shown.language == "text" then
          local file = os.tmpname()
          proc.write(file, block.text)
          local ok, output = sim:run(file)
          os.remove(file)
          assert.is_true(ok, output)
          assert.equal(shown.text, (output:gsub(file:gsub("%p", "%%%0"), "ask.lua")))
          count = count + 1
        end
      end
    end
    sim:stop()
    assert.equal(1, count)
  end)

  it("have each message of the log, and each check of the doctor", function()
    local logging = proc.read("lua/ofox/call/hooks.lua") .. proc.read("lua/ofox/task/unhandled.lua")
    for _, row in ipairs(markdown.rows(sections, "level")) do
      local level, message = row[1]:gsub("`", '"'), row[2]:gsub("`", '"')
      local line = logging:match("[^\n]*" .. message:gsub("%p", "%%%0") .. "[^\n]*")
      assert.is_truthy(line and (level == '"error"' or line:find(level, 1, true)), row[2])
    end
    local sim = simulator.start()
    local file = os.tmpname()
    local _, report = sim:run(proc.write(file, 'print(require "ofox".doctor())'))
    os.remove(file)
    sim:stop()
    local count = 0
    for name in report:gmatch("%f[^\n%z]%l+ +([%l_]+)") do
      assert.is_truthy(PAGE:find("`" .. name .. "`", 1, true), name)
      count = count + 1
    end
    assert.equal(10, count)
  end)

  it("show the doctor's lines as they are", function()
    local sim = simulator.start()
    local file = proc.write(os.tmpname(), 'print(require "ofox".doctor())')
    local command = sim:command(file):gsub("/v1 ", " ", 1):gsub("OFOX_API_KEY=[%w-]+", "OFOX_API_KEY=sk-sim")
    local report = "\n" .. output_of(command):gsub(":%d+%f[%D]", ":8080"):gsub("port %d+", "port 8080")
    sim:stop()
    os.remove(file)
    local count = 0
    for line in PAGE:match("```text\n(ok +key.-)```"):gmatch("[^\n]+") do
      local pattern = line:gsub("%p", "%%%0"):gsub("%%?\226%%?\128%%?\166", "[^\n]*")
      assert.is_truthy(report:find("\n" .. pattern .. "\n"), line .. "\n" .. report)
      count = count + 1
    end
    assert.is_true(count >= 6)
  end)

  it("explain messages that there are", function()
    local FOREIGN = { ["module 'ofox' not found"] = true, ["(error object is not a string)"] = true,
      ["E5108: Error executing lua:"] = true, ["unknown reason"] = true, invalid_api_key = true }
    local codes, count = {}, 0
    for _, outcome in ipairs(core.outcomes) do codes[outcome.code] = true end
    for _, row in ipairs(markdown.rows(sections, "what you read")) do
      for message in row[1]:gmatch("`([^`]+)`") do
        assert.is_truthy(FOREIGN[message] or codes[message] or SOURCES:find(message, 1, true), message)
        count = count + 1
      end
    end
    assert.equal(12, count)
  end)

  it("are linked from both READMEs, and show no path of a machine", function()
    assert.is_truthy(proc.read("README.md"):find("](doc/debugging.md)", 1, true))
    assert.is_truthy(proc.read("doc/README.zh-CN.md"):find("](debugging.md)", 1, true))
    for path in BOTH:gmatch("[%s`\"]/(%l+)/") do
      assert.is_truthy(({ usr = true, tmp = true, proc = true })[path], path)
    end
  end)
end)
