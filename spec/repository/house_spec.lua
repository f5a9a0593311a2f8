-- The rules of the house (.ci/house): a small house that keeps them all, and
-- for each rule one in which it is broken.
-- test: once long: the rules are checked by Lua 5.4 alone
local assert = require "luassert"

-- A house with a file on most floors, in C and in Lua.
local HOUSE = {
  ["src/base/buf.h"] = "int ofox_buf_put(int n);\n",
  ["src/base/buf.c"] = '#include "base/buf.h"\n\nint ofox_buf_put(int n) {\n  return n;\n}\n',
  ["src/wire/sse.h"] = "int ofox_sse_feed(int n);\nextern const char *const ofox_sse_names[];\n",
  ["src/wire/sse.c"] = '#include "wire/sse.h"\n\n#include <string.h>\n\n#include "base/buf.h"\n\n'
    .. 'const char *const ofox_sse_names[] = {"event"};\n\n/* Takes some. */\nint ofox_sse_feed(int n) {\n'
    .. "  return ofox_buf_put(n);\n}\n",
  ["src/call/call.h"] = "int ofox_call_new(int n);\n",
  ["src/call/call.c"] = '#include "call/call.h"\n\n#include "wire/sse.h"\n\nint ofox_call_new(int n) {\n'
    .. "  return ofox_sse_feed(n);\n}\n",
  ["src/io/engine.h"] = "int ofox_engine_step(int n);\n",
  ["src/io/engine.c"] = '#include "io/engine.h"\n\n#include <curl/curl.h>\n\n#include "call/call.h"\n\n'
    .. "int ofox_engine_step(int n) {\n  return ofox_call_new(n);\n}\n",
  ["src/lua/lshare.h"] = "#include <lua.h>\nint ofox_share(int n);\n",
  ["src/lua/lshare.c"] = '#include "lua/lshare.h"\n\nint ofox_share(int n) {\n  return n + (int)time(NULL);\n}\n',
  ["src/lua/lcore.c"] = '#include "call/call.h"\n#include "lua/lshare.h"\n\nint luaopen_ofox_core(void *L) {\n'
    .. "  return ofox_share(ofox_call_new(0));\n}\n",
  ["src/lua/lengine.c"] = '#include "io/engine.h"\n#include "lua/lshare.h"\n\nint luaopen_ofox_engine(void *L) {\n'
    .. "  return ofox_share(ofox_engine_step(0));\n}\n",
  ["lua/ofox/base/native.lua"] = "--- Loads.\nreturn function(name) return require(name) end\n",
  ["lua/ofox/base/uncompiled.lua"] = "return function() for _ in pairs {} do end end\n",
  ["lua/ofox/errors.lua"] = 'local hints = require "ofox.hints"\nlocal core = require("ofox.base.native")("core")\n'
    .. "return { hints, core }\n",
  ["lua/ofox/hints.lua"] = 'require "ofox.base.uncompiled" ()\nfor _ in pairs {} do end\nreturn {}\n',
  ["lua/ofox/task/wait.lua"] = 'return function() return require("ofox.errors") end\n',
  ["lua/ofox/loop/ngx.lua"] = 'return { rawget(_G, "ngx"), ngx and ngx.time, require "ofox.task.wait" }\n',
  ["lua/ofox/client.lua"] = 'for _, name in ipairs { "hints", "task.wait" } do require("ofox." .. name) end\n'
    .. "return {}\n",
  ["lua/ofox/init.lua"] = 'local home = rawget(_G, "ngx") and "ngx"\nif home then require("ofox.loop." .. home) end\n'
    .. 'local LATER = { errors = { "ofox.errors" }, new = { "ofox.client" } }\n'
    .. "return function(name) return require(LATER[name][1]) end\n",
  ["lua/ofox/types.lua"] = "---@class ofox\n",
  ["examples/hello.lua"] = 'print(require "ofox")\n',
  ["Makefile"] = "CORE = $(wildcard src/base/*.c)\n%.o: src/%.c\n",
  ["ofox-scm-1.rockspec"] = [[
package = "ofox"
local floors = { "src/base/buf.c", "src/wire/sse.c", "src/call/call.c" }
local function sources(own)
  for i = 1, #floors do own[#own + 1] = floors[i] end
  return own
end
build = { modules = {
  ["ofox"] = "lua/ofox/init.lua",
  ["ofox.base.native"] = "lua/ofox/base/native.lua",
  ["ofox.base.uncompiled"] = "lua/ofox/base/uncompiled.lua",
  ["ofox.client"] = "lua/ofox/client.lua",
  ["ofox.errors"] = "lua/ofox/errors.lua",
  ["ofox.hints"] = "lua/ofox/hints.lua",
  ["ofox.loop.ngx"] = "lua/ofox/loop/ngx.lua",
  ["ofox.task.wait"] = "lua/ofox/task/wait.lua",
  ["ofox.types"] = "lua/ofox/types.lua",
  ["ofox.core"] = { sources = sources { "src/lua/lcore.c", "src/lua/lshare.c" } },
  ["ofox.engine"] = { sources = sources { "src/io/engine.c", "src/lua/lengine.c", "src/lua/lshare.c" } },
} }
]],
}

local folder

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo $?"))
  local text, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  return text, tonumber(status)
end

local function write(path, text)
  local whole = folder .. "/" .. path
  os.execute("mkdir -p '" .. whole:match("^(.*)/") .. "'")
  local file = assert(io.open(whole, "w"))
  file:write(text)
  file:close()
end

local function run(command)
  return output_of(("lua5.4 .ci/house/run %s %s"):format(command, folder))
end

-- Builds the house, with other files: path -> text.
local function build(changes)
  for path, text in pairs(HOUSE) do write(path, text) end
  for path, text in pairs(changes or {}) do write(path, text) end
end

-- A text of the house with something put in another's place.
local function with(path, old, new)
  local first, last = HOUSE[path]:find(old, 1, true)
  return HOUSE[path]:sub(1, assert(first, old) - 1) .. new .. HOUSE[path]:sub(last + 1)
end

-- The rule tells of just these breaches in a house with such changes.
local function assert_breaches(rule, breaches, changes)
  build(changes)
  local text, status = run "check"
  assert.equal(rule .. ":\n  " .. table.concat(breaches, "\n  ") .. "\n", text)
  assert.equal(1, status)
end

-- The rule tells of this breach, perhaps beside others.
local function assert_breach(breach, changes)
  build(changes)
  local text, status = run "check"
  assert.truthy(text:find("  " .. breach .. "\n", 1, true), text)
  assert.equal(1, status)
end

describe("the rules of the house:", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
  end)
  after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

  it("a house that keeps them is well", function()
    build()
    local text, status = run "check"
    assert.equal("", text)
    assert.equal(0, status)
  end)

  it("each file stands on a floor", function()
    assert_breach("src/attic/old.h:1: 'attic' is no floor of .ci/house/floors.lua", { ["src/attic/old.h"] = "" })
    assert_breach("src/old.h:1: it is in no folder of .ci/house/floors.lua", { ["src/old.h"] = "" })
    assert_breach("lua/ofox/attic.lua:1: 'attic' is no floor of .ci/house/floors.lua", { ["lua/ofox/attic.lua"] = "" })
  end)

  it("an include names its floor", function()
    assert_breaches("an include names its floor",
      { 'src/wire/sse.c:5: "buf.h" is no file of src/ with its floor, as in "wire/sse.h"' },
      { ["src/wire/sse.c"] = with("src/wire/sse.c", '"base/buf.h"', '"buf.h"') })
  end)

  it("each require can be read", function()
    assert_breaches("each require can be read",
      { "lua/ofox/hints.lua:3: no string of this file says which module is required here" },
      { ["lua/ofox/hints.lua"] = with("lua/ofox/hints.lua", "return {}", "return function(x) return require(x) end") })
  end)

  describe("downwards only,", function()
    it("includes", function()
      assert_breach("src/base/buf.c:2: base/buf includes wire/classes, and wire is above base", {
        ["src/wire/classes.h"] = "",
        ["src/base/buf.c"] = with("src/base/buf.c", "\n\n", '\n#include "wire/classes.h"\n'),
      })
    end)

    it("calls, not names in comments, strings, declarations and members", function()
      assert_breach("src/base/buf.c:4: base/buf calls wire/sse, and wire is above base",
        { ["src/base/buf.c"] = with("src/base/buf.c", "return n", "return ofox_sse_feed(n)") })
      local harmless = 'int ofox_sse_feed(int n);\nint ofox_buf_put(int n) {\n  /* ofox_sse_feed(n) */\n'
        .. '  return n + p->ofox_sse_feed(s.ofox_sse_feed, "ofox_sse_feed(\\"n", sizeof(struct ofox_sse_feed));'
      build { ["src/base/buf.c"] = with("src/base/buf.c", "int ofox_buf_put(int n) {\n  return n;", harmless) }
      assert.equal("", (run "check"))
    end)

    it("calls in a macro and through an object, too", function()
      assert_breach("src/base/buf.h:3: base/buf calls wire/sse, and wire is above base",
        { ["src/base/buf.h"] = HOUSE["src/base/buf.h"] .. "#define PUT(n) \\\n  ofox_sse_feed(n)\n" })
      assert_breach("src/base/buf.c:4: base/buf calls wire/sse, and wire is above base",
        { ["src/base/buf.c"] = with("src/base/buf.c", "return n", "return n + *ofox_sse_names[0]") })
    end)

    local HINTS = "lua/ofox/hints.lua"
    for form, line in pairs {
      ["with a string"] = 'local wait = require "ofox.task.wait"',
      ["with parentheses"] = "local wait = require('ofox.task.wait')",
      ["in a function"] = "local function f() return require [[ofox.task.wait]].now end",
      ["handed to a function"] = 'local ok = pcall(require, "ofox.task.wait")',
      ["put together in a loop"] = 'for _, name in ipairs { "task.wait" } do require("ofox." .. name) end',
      ["put together from a variable"] = 'local x = "wait" require("ofox.task." .. x)',
      ["from a table"] = 'local later = { "ofox.task.wait" } require(later[1])',
    } do
      it("a require " .. form, function()
        assert_breach("lua/ofox/hints.lua:3: hints requires task/wait, and task is above hints",
          { [HINTS] = with(HINTS, "return {}", line) })
      end)
    end

    it("and rooms of one floor do not know each other, but for those that may", function()
      assert_breach("lua/ofox/hints.lua:3: hints requires errors, and errors is on the same floor as hints",
        { [HINTS] = with(HINTS, "return {}", 'return require "ofox.errors"') })
    end)
  end)

  describe("no circles", function()
    it("of files by includes", function()
      assert_breaches("no circles",
        { "src/base/buf.h:1: a circle of files by includes: base/buf > base/utf8 > base/buf" },
        { ["src/base/buf.h"] = '#include "base/utf8.h"\n', ["src/base/utf8.h"] = '#include "base/buf.h"\n' })
    end)

    it("of files by calls, without an include", function()
      assert_breach("src/wire/sse.c:11: a circle of files by calls: wire/sse > wire/delta > wire/sse", {
        ["src/wire/delta.c"] = "int ofox_delta_read(int n) {\n  return ofox_sse_feed(n);\n}\n",
        ["src/wire/sse.c"] = with("src/wire/sse.c", "ofox_buf_put(n)", "ofox_delta_read(ofox_buf_put(n))"),
      })
    end)

    it("of files by requires, of three and in functions, too", function()
      assert_breach("lua/ofox/task/a.lua:1: a circle of files by requires: task/a > task/b > task/c > task/a", {
        ["lua/ofox/task/a.lua"] = 'return require "ofox.task.b"\n',
        ["lua/ofox/task/b.lua"] = 'return function() return require "ofox.task.c" end\n',
        ["lua/ofox/task/c.lua"] = 'return require "ofox.task.a"\n',
      })
    end)

    it("of floors", function()
      assert_breach("src/base/buf.h:1: a circle of floors by includes: base > wire > base",
        { ["src/base/buf.h"] = '#include "wire/words.h"\n', ["src/wire/words.h"] = "" })
    end)
  end)

  describe("sizes:", function()
    local function lines(count, line) return (line .. "\n"):rep(count) end

    it("a file has at most 500 lines, a header 100", function()
      assert_breaches("sizes", {
        "lua/ofox/types.lua:501: the file has 501 lines, more than 500",
        "src/base/buf.h:101: the file has 101 lines, more than 100",
      }, { ["lua/ofox/types.lua"] = lines(501, "--"), ["src/base/buf.h"] = lines(101, "") })
      build { ["lua/ofox/types.lua"] = lines(500, "--"), ["src/base/buf.h"] = lines(100, "") }
      assert.equal("", (run "check"))
    end)

    it("a function of C has at most 50 lines, its head counted", function()
      local long = "\n#define LONG {\nint\nlong_one(struct x *x, int (*f)(int)) {\n" .. lines(48, "  { '}'; }") .. "}\n"
      assert_breaches("sizes", { "src/base/buf.c:8: long_one has 51 lines, more than 50" },
        { ["src/base/buf.c"] = HOUSE["src/base/buf.c"] .. long })
      build { ["src/base/buf.c"] = HOUSE["src/base/buf.c"] .. long:gsub("  { '}'; }\n", "", 1) }
      assert.equal("", (run "check"))
    end)

    -- Blocks, and words that only look like their ends.
    local BODY = 'if x then\nelseif y then\nend\nwhile x do\nend\nfor i = 1, 2 do\nend\nrepeat\nuntil x\ndo\nend\n'
      .. 'local s = "end" .. [[\nend ]] -- end\n--[[ end\nfunction ]]\nx["end"], x.done = "end\\"end", { ["if"] = 1 }\n'
    local FILLED = select(2, BODY:gsub("\n", ""))
    for name, head in pairs {
      ["f"] = "local function f(a)",
      ["m.f"] = "function m.f(a)",
      ["m:f"] = "function m:f(a)",
      ["a function without a name"] = "m.f = g(function(...)",
    } do
      it(("a function of Lua has at most 50 lines: %s"):format(head), function()
        local last = head:find("g(", 1, true) and "end)\n" or "end\n"
        local long = head .. "\n" .. BODY .. lines(49 - FILLED, "x()") .. last
        assert_breaches("sizes", { ("examples/hello.lua:2: %s has 51 lines, more than 50"):format(name) },
          { ["examples/hello.lua"] = "-- Hello.\n" .. long })
        build { ["examples/hello.lua"] = "-- Hello.\n" .. long:gsub("x%(%)\n", "", 1) }
        assert.equal("", (run "check"))
      end)
    end
  end)

  describe("one vocabulary:", function()
    it("a word that went is no part of a name, in C, in Lua and in the names of files", function()
      assert_breach("src/base/buf.c:4: 'exchange' in the name ofox_exchange_of: say driver (serves the state machine), "
        .. "call (what is asked for), attempt",
        { ["src/base/buf.c"] = with("src/base/buf.c", "n;", "ofox_exchange_of;") })
      assert_breach("lua/ofox/hints.lua:3: 'served' in the name isServed: say transports",
        { ["lua/ofox/hints.lua"] = with("lua/ofox/hints.lua", "return {}", "return isServed") })
      assert_breach("src/wire/blame.h:1: 'blame' in the name of a file: say failure", { ["src/wire/blame.h"] = "" })
    end)

    it("strings may say it, and words that only contain it", function()
      build {
        ["lua/ofox/hints.lua"] = with("lua/ofox/hints.lua", "return {}",
          'return { newsletter = "exchange, news", deserved = 1 }'),
      }
      assert.equal("", (run "check"))
    end)

    it("a comment names the actor", function()
      assert_breaches("one vocabulary", {
        "src/base/buf.h:3: 'whoever' in a comment: say the actor: the caller that, the task that …",
      }, { ["src/base/buf.h"] = HOUSE["src/base/buf.h"] .. "/*\n** Whoever calls. */\n" })
      assert_breaches("one vocabulary", {
        "lua/ofox/hints.lua:3: 'nobody' in a comment: say the actor: no caller, no program, no task …",
        "src/base/buf.h:3: 'whoever' in a comment: say the actor: the caller that, the task that …",
      }, {
        ["src/base/buf.h"] = HOUSE["src/base/buf.h"] .. "/*\n** Whoever calls. */\n",
        ["lua/ofox/hints.lua"] = with("lua/ofox/hints.lua", "return {}", "return {} -- nobody waits"),
      })
    end)
  end)

  describe("only some files may know", function()
    local function told(path, line, what, rest, add)
      it(what, function()
        local unit = path:match("^src/(.*)%.c$") or path:match("^lua/ofox/(.*)%.lua$")
        assert_breach(("%s:%d: %s %s; %s"):format(path, line, unit, what, rest), { [path] = HOUSE[path] .. add })
      end)
    end

    told("src/wire/sse.c", 13, "includes curl/curl.h",
      "only io/connecting, io/connections, io/curl_options, io/engine, io/handles, io/header_lines, "
      .. "io/mime, io/socks_codes, io/transfer may know of libcurl", "#include <curl/curl.h>\n")
    told("src/io/engine.c", 10, "includes zlib.h", "only io/content_coding may know of zlib and brotli",
      "#include <zlib.h>\n")
    told("src/io/engine.c", 10, "includes brotli/decode.h", "only io/content_coding may know of zlib and brotli",
      "#include <brotli/decode.h>\n")
    told("src/io/engine.c", 10, "includes sys/epoll.h", "only io/poller may know of epoll and kqueue",
      "# include <sys/epoll.h>\n")
    told("src/io/engine.c", 10, "includes sys/event.h", "only io/poller may know of epoll and kqueue",
      "#include <sys/event.h>\n")
    told("src/io/engine.c", 10, "includes hiredis/hiredis.h", "only redis/ may know of hiredis",
      "#include <hiredis/hiredis.h>\n")
    told("src/call/call.c", 8, "includes lua.h", "only lua/ may know of the Lua API", "#include <lua.h>\n")
    told("src/call/call.c", 8, "calls getenv", "only lua/, io/clocks, io/poller may know of "
      .. "clock, chance and environment", "static char *f(void) { return getenv(\"X\"); }\n")
    told("src/lua/lcore.c", 7, "calls atof", "no file may know of what cannot be bounded or depends on the locale",
      "static double f(char *s) { return atof(s); }\n")
    told("src/lua/lcore.c", 7, "calls strtod", "only base/decimal may know of how the C library reads numbers",
      "static double f(char *s) { return strtod(s, 0); }\n")
    told("lua/ofox/errors.lua", 4, "uses vim", "only loop/, init, health, json may know of the host",
      'local host = rawget(_G, "vim")\n')
    told("lua/ofox/errors.lua", 4, "uses ngx", "only loop/, init, health, json may know of the host",
      "local host = ngx.get_phase()\n")
  end)

  describe("sources are listed once:", function()
    local ROCKSPEC = "ofox-scm-1.rockspec"
    local RULE = "sources are listed once"

    it("the rockspec has each file of Lua, under its name", function()
      assert_breaches(RULE, { "lua/ofox/sse.lua:1: is in no rockspec" }, { ["lua/ofox/sse.lua"] = "return {}\n" })
      os.remove(folder .. "/lua/ofox/sse.lua")
      assert_breaches(RULE, { "ofox-scm-1.rockspec:11: lua/ofox/client.lua is called ofox.klient" },
        { [ROCKSPEC] = with(ROCKSPEC, '"ofox.client"', '"ofox.klient"') })
      assert_breaches(RULE, { "ofox-scm-1.rockspec:7: lua/ofox/gone.lua is not there" },
        { [ROCKSPEC] = with(ROCKSPEC, "modules = {", 'modules = { ["ofox.gone"] = "lua/ofox/gone.lua",') })
    end)

    it("a module has its floors whole", function()
      assert_breaches(RULE, {
        "ofox-scm-1.rockspec:17: ofox.core lacks src/wire/words.c",
        "ofox-scm-1.rockspec:18: ofox.engine lacks src/wire/words.c",
        "src/wire/words.c:1: is in no rockspec",
      }, { ["src/wire/words.c"] = "int x = 0;\n" })
    end)

    it("a module has what it calls of other floors, and no more", function()
      assert_breaches(RULE, {
        "ofox-scm-1.rockspec:17: ofox.core lacks src/lua/lshare.c",
        "ofox-scm-1.rockspec:17: src/lua/lengine.c is not needed by ofox.core",
      }, { [ROCKSPEC] = with(ROCKSPEC, '"src/lua/lshare.c" } }', '"src/lua/lengine.c" } }') })
      assert_breaches(RULE, {
        "ofox-scm-1.rockspec:17: ofox.core lacks src/io/clocks.c",
      }, {
        [ROCKSPEC] = with(ROCKSPEC, '{ "src/io/engine.c",', '{ "src/io/clocks.c", "src/io/engine.c",'),
        ["src/io/clocks.c"] = "int ofox_clocks_now(void) {\n  return 0;\n}\n",
        ["src/lua/lcore.c"] = with("src/lua/lcore.c", "ofox_share(", "ofox_clocks_now() + ofox_share("),
      })
    end)

    it("no source stands twice, none is made up", function()
      assert_breaches(RULE, {
        "ofox-scm-1.rockspec:17: $(FLOORS) is not needed by ofox.core",
        "ofox-scm-1.rockspec:17: src/lua/lcore.c stands twice in ofox.core",
      }, {
        [ROCKSPEC] = with(ROCKSPEC, '{ "src/lua/lcore.c",', '{ "$(FLOORS)", "src/lua/lcore.c", "src/lua/lcore.c",'),
      })
    end)

    it("a module of C has a row among the floors", function()
      assert_breach("ofox-scm-1.rockspec:17: ofox.kore has no row in .ci/house/floors.lua",
        { [ROCKSPEC] = with(ROCKSPEC, '"ofox.core"', '"ofox.kore"') })
    end)

    for _, path in ipairs { "Makefile", ".ci/fuzz", "spec/c/fuzz_sse.c" } do
      it(path .. " names no source", function()
        assert_breaches(RULE, { path .. ":2: names src/wire/sse.c, which only the rockspec lists" },
          { [path] = "src/wire/*.c src/wire/sse.h\ncc src/wire/sse.c -lm\n" })
      end)
    end
  end)

  describe("a loop is kept from a faulty compiler:", function()
    for what, loop in pairs {
      ["pairs"] = "for _ in pairs(x) do end",
      ["pairs of a table in place"] = "for _ in pairs {} do end",
      ["next"] = "for _ in next, {} do end",
      ["next as a function"] = "while next(x) do end",
    } do
      it(what, function()
        assert_breaches("loops are kept from a faulty compiler",
          { 'lua/ofox/task/wait.lua:2: a loop of pairs or next, but no require "ofox.base.uncompiled" ()' },
          { ["lua/ofox/task/wait.lua"] = "-- pairs(x)\n" .. loop .. "\n" })
      end)
    end

    it("a method next is no loop", function()
      build { ["lua/ofox/task/wait.lua"] = "local a, b = x:next(), x.pairs(y)\n" }
      assert.equal("", (run "check"))
    end)
  end)

  it("the picture has each file on its floor, and counts what goes from floor to floor", function()
    build()
    local text, status = run "draw"
    assert.equal(0, status)
    for _, sentence in ipairs {
      ">src/wire/<", ">sse<", ">task/<", ">wait<", ">errors  hints<",
      "<title>wire &gt; base: 1 includes</title>", "<title>io &gt; call: 1 includes</title>",
      "<title>client, retry &gt; answer, task: 1 requires</title>", ">ofox.core<", ">ofox.base.native loads",
    } do
      assert.truthy(text:find(sentence, 1, true), sentence)
    end
  end)

  it("says how it is used", function()
    build()
    local text, status = run "paint"
    assert.equal("usage: .ci/house/run check|draw [TREE]\n", text)
    assert.equal(2, status)
  end)
end)

describe("this repository", function()
  it("keeps the rules of the house", function()
    local text, status = output_of "lua5.4 .ci/house/run check ."
    assert.equal("", text)
    assert.equal(0, status)
  end)

  it("has the picture that is drawn of it now (make house)", function()
    local file = assert(io.open("doc/house.svg", "rb"))
    local drawn = file:read("*a")
    file:close()
    assert.equal((output_of "lua5.4 .ci/house/run draw ."), drawn)
  end)
end)
