-- What an installation is: the rockspec, make install, and what happens when
-- a module is built for another Lua.
-- test: long: LuaRocks builds everything
local proc = require "support.proc"
local rockspecs = require "support.rockspecs"
local shell = require "support.shell"

local run, succeed, lines = shell.run, shell.succeed, shell.lines
local ABI, LUA = proc.ABI, proc.LUA
local VERSION = _VERSION:match("%d+%.%d+")

local directory

setup(function() directory = proc.directory() end)
teardown(function() directory:remove() end)

-- An interpreter with these paths alone, in an empty place.
local function lua(code, paths)
  local words = { "mkdir -p " .. directory.path .. "/empty && cd " .. directory.path .. "/empty &&",
    "env -u LUA_INIT -u OFOX_API_KEY -u OFOXAI_API_KEY -u LUA_PATH -u LUA_CPATH" }
  for name, value in pairs(paths) do words[#words + 1] = name .. "=" .. proc.quote(value .. ";;") end
  words[#words + 1] = LUA .. " -e " .. proc.quote(code)
  return run(table.concat(words, " "))
end

-- A call that gets as far as libcurl: nobody listens there.
local CALL = [[
  local ofox = require "ofox"
  local client = ofox.new { base_url = "http://127.0.0.1:9/v1", api_key = "k-0123456789", errors = "return",
    max_retries = 0, proxy = false }
  local res, err = client:chat { model = "m", messages = {} }
  print(err.type, err.code)]]
local CALLED = "connection_error\trefused\n"

-- LuaRocks serves LuaJIT as 5.1; one installation of each version will do.
if ABI ~= "jit" then
  describe("luarocks make", function()
    local tree, log

    setup(function()
      tree = proc.directory()
      local path = tree.path
      -- a copy, for LuaRocks leaves its objects beside the sources
      succeed(("mkdir %s/src && cp -r Makefile LICENSE *.rockspec src lua doc examples %s/src"):format(path, path))
      local incdir = os.getenv("LUA_INCDIR") or "/usr/include/lua" .. ABI
      -- not optimized: that takes long, and is the compiler's affair
      log = succeed(("cd %s/src && luarocks --lua-version %s --tree %s/tree make ofox-scm-1.rockspec LUA_INCDIR=%s "
        .. "CFLAGS='-O0 -fPIC'"):format(path, ABI, path, incdir))
    end)

    teardown(function() tree:remove() end)

    local function paths()
      local root = tree.path .. "/tree"
      return {
        LUA_PATH = ("%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua"):format(root, VERSION, root, VERSION),
        LUA_CPATH = ("%s/lib/lua/%s/?.so"):format(root, VERSION),
      }
    end

    it("builds without a warning and fetches nothing", function()
      assert.is_nil(log:find("warning:", 1, true), log)
      assert.is_nil(log:find("https?://"), log)
      assert.equal("", succeed(("ls %s/tree/lib/luarocks/rocks-%s | grep -v -e manifest -e '^ofox$' || :")
        :format(tree.path, ABI)))
    end)

    it("keeps pages, help and examples with the rock", function()
      local rock = ("%s/tree/lib/luarocks/rocks-%s/ofox/scm-1"):format(tree.path, ABI)
      for _, name in ipairs { "doc/ofox.txt", "doc/architecture.md", "examples/hello.lua" } do
        assert.equal(proc.read(name), proc.read(rock .. "/" .. name), name)
      end
      succeed(("ls %s/tree/share/lua/%s/ofox/types.lua"):format(tree.path, ABI))
    end)

    it("makes a tree that is enough, anywhere", function()
      assert.equal(CALLED, (lua(CALL, paths())))
    end)

    -- Some run only in their hosts, and are found all the same.
    it("has every module of the tree in it", function()
      local names = {}
      for _, path in ipairs(lines "find lua -name '*.lua'") do
        names[#names + 1] = ("%q"):format(rockspecs.module_name(path))
      end
      local out, rc = lua(([[for _, name in ipairs { %s } do
          local ok, message = pcall(require, name)
          assert(ok or name:find("^ofox.loop.") and not message:find("module 'ofox[^']*' not found"), message)
        end print 'all']])
        :format(table.concat(names, ", ")), paths())
      assert.equal("all\n", out)
      assert.equal(0, rc)
    end)
  end)
end

-- What make install says at its end: variables for Lua, each on its own line.
local function exported(out)
  local paths = {}
  for name, value in out:gmatch("\nexport (LUA_C?PATH)='([^'\n]*);;'") do paths[name] = value end
  return paths
end

local DOCUMENTS = { "CHANGELOG.md", "LICENSE", "README.md", "doc/README.zh-CN.md", "doc/ofox.txt",
  "examples/hello.lua", "examples/love/main.lua" }

describe("make install", function()
  local prefix, said

  setup(function()
    prefix = directory.path .. "/a prefix"
    said = succeed(("make -s install LUA=%s PREFIX='%s'"):format(ABI, prefix))
  end)

  it("puts the modules where PREFIX says, types for editors among them", function()
    assert.same(lines "cd lua && find ofox -name '*.lua'",
      lines(("cd '%s/share/lua/%s' && find ofox -type f"):format(prefix, VERSION)))
    assert.same({ "ofox/core.so", "ofox/engine.so" },
      lines(("cd '%s/lib/lua/%s' && find ofox -type f"):format(prefix, VERSION)))
    succeed(("ls '%s/share/lua/%s/ofox/types.lua'"):format(prefix, VERSION))
  end)

  it("puts ofox.redis there where it is asked for, and takes it away again", function()
    local all = directory.path .. "/redis"
    local function found() return lines(("cd %s && find . -name '*.so'"):format(all)) end
    succeed(("make -s install REDIS=1 LUA=%s PREFIX=%s"):format(ABI, all))
    local modules = ("./lib/lua/%s/ofox/"):format(VERSION)
    assert.same({ modules .. "core.so", modules .. "engine.so", modules .. "redis.so" }, found())
    succeed(("make -s uninstall LUA=%s PREFIX=%s"):format(ABI, all))
    assert.same({}, found())
  end)

  it("says what Lua has to be told, and with that it works from any folder", function()
    assert.equal(CALLED, (lua(CALL, exported(said))))
  end)

  it("says nothing of that where Lua looks anyway", function()
    local function paths(folder)
      return run(("env -u LUA_PATH -u LUA_CPATH LUA=%s LUA_BIN=%s INST_LUADIR=%s/share/lua/%s "
        .. "INST_LIBDIR=%s/lib/lua/%s INST_DOCDIR=/d INST_NVIMDIR=/n .ci/install paths")
        :format(ABI, LUA, folder, VERSION, folder, VERSION))
    end
    assert.equal("", (paths "/usr/local"))
    assert.same({ LUA_PATH = ("/opt/share/lua/%s/?.lua;/opt/share/lua/%s/?/init.lua"):format(VERSION, VERSION),
      LUA_CPATH = ("/opt/lib/lua/%s/?.so"):format(VERSION) }, exported((paths "/opt")))
  end)

  it("puts pages and examples beside each other, as they are in a clone", function()
    for _, name in ipairs(DOCUMENTS) do
      assert.equal(proc.read(name), proc.read(prefix .. "/share/doc/ofox/" .. name), name)
    end
    assert.same({}, lines(("find '%s' ! -perm -444"):format(prefix)))
  end)

  -- Neovim runs what is built for LuaJIT or for 5.1.
  if VERSION == "5.1" then
    it("puts help and health where Neovim finds them", function()
      local site, paths = prefix .. "/share/nvim/site", exported(said)
      local line = said:match "\n(set packpath%+=[^\n]*\n)"
      assert.equal("set packpath+=" .. site:gsub(" ", "\\ ") .. "\n", line)
      local init = proc.write(directory.path .. "/init.vim", line)
      local out = succeed(("cd / && env LUA_PATH='%s;;' LUA_CPATH='%s;;' nvim --headless -i NONE -u %s "
        .. "-c 'help ofox-key' -c 'echo expand(\"%%:p\")' -c 'checkhealth ofox' -c '%%print' -c 'qa!'")
        :format(paths.LUA_PATH, paths.LUA_CPATH, init))
      assert.is_truthy(out:find("/start/ofox/doc/ofox.txt", 1, true), out)
      assert.is_truthy(out:find("ofox " .. require "ofox".VERSION, 1, true), out)
    end)

    it("lists the tags of the help as Neovim does", function()
      local folder = directory.path .. "/tags"
      succeed(("mkdir %s && cp doc/ofox.txt %s && nvim --headless -u NONE -i NONE -c 'helptags %s' -c q")
        :format(folder, folder, folder))
      assert.equal(proc.read(folder .. "/tags"),
        proc.read(prefix .. "/share/nvim/site/pack/ofox/start/ofox/doc/tags"))
    end)
  end

  it("honours DESTDIR, and then says nothing", function()
    local dest = directory.path .. "/dest"
    assert.equal("", succeed(("make -s install LUA=%s PREFIX=/usr DESTDIR=%s"):format(ABI, dest)))
    assert.same({ "lib", "share" }, lines(("ls %s/usr"):format(dest)))
    assert.equal("ofox/init.lua\n", succeed(("cd %s/usr/share/lua/%s && ls ofox/init.lua"):format(dest, VERSION)))
    assert.equal("ofox/core.so\n", succeed(("cd %s/usr/lib/lua/%s && ls ofox/core.so"):format(dest, VERSION)))
    succeed(("make -s uninstall LUA=%s PREFIX=/usr DESTDIR=%s"):format(ABI, dest))
    assert.same({}, lines(("find %s -type f"):format(dest)))
  end)

  it("needs no option of install that is GNU's alone", function()
    assert.is_nil(proc.read(".ci/install"):find("install %-D"))
  end)

  it("is undone by make uninstall, but for what another Lua has there and what is not ofox's", function()
    local all = directory.path .. "/shared"
    local other, mine = all .. "/share/lua/5.0/ofox", all .. "/share/lua/" .. VERSION .. "/mine.lua"
    succeed(("make -s install LUA=%s PREFIX=%s && mkdir -p %s && touch %s"):format(ABI, all, other, mine))
    succeed(("make -s uninstall LUA=%s PREFIX=%s"):format(ABI, all))
    assert.same({ mine }, lines(("find %s -type f ! -path '*/share/doc/*'"):format(all)))
    succeed("ls " .. all .. "/share/doc/ofox/README.md")
    succeed(("rm -r %s && make -s uninstall LUA=%s PREFIX=%s"):format(other, ABI, all))
    assert.same({ mine }, lines(("find %s -type f"):format(all)))
  end)
end)

describe("make", function()
  it("appends the caller's flags and keeps its own", function()
    for _, call in ipairs {
      "make -nB BUILD=build/unmade CFLAGS=-DMINE CPPFLAGS=-DALSO LDFLAGS=-Wl,-z,now",
      "CFLAGS=-DMINE CPPFLAGS=-DALSO LDFLAGS=-Wl,-z,now make -nB BUILD=build/unmade",
    } do
      local compiled, linked = 0, 0
      for line in succeed(call):gmatch("[^\n]+") do
        if line:find(" -c ", 1, true) then
          compiled = compiled + 1
          assert.matches("%-std=c99.*%-O2.*%-fPIC.*%-I.*%-DALSO.*%-DMINE", line)
        elseif line:find("-shared", 1, true) then
          linked = linked + 1
          assert.matches("%-shared.*%-Wl,%-z,now", line)
        end
      end
      assert.is_true(compiled > 20, compiled)
      assert.equal(2, linked)
    end
  end)

  it("rebuilds nothing that is built", function()
    succeed("make -s LUA=" .. ABI)
    assert.equal("", succeed("make -s LUA=" .. ABI))
    assert.equal(0, select(2, run("make -q LUA=" .. ABI)))
  end)
end)

describe("require \"ofox\"", function()
  local root = succeed("pwd"):gsub("\n", "")
  local CLONE = ("%s/lua/?.lua;%s/lua/?/init.lua"):format(root, root)

  it("works in a clone from any folder", function()
    assert.equal(CALLED, (lua(CALL, { LUA_PATH = CLONE })))
  end)

  it("does not load libcurl and what goes with it, and the first client does, for a call may come too late", function()
    local out = lua([[
      local function loaded()
        local found, names = {}, {}
        for line in io.lines("/proc/self/maps") do found[line:match("/lib(%a+)[^/]*$") or ""] = true end
        for _, name in ipairs { "curl", "z", "brotlidec" } do names[#names + 1] = found[name] and name end
        return #names == 0 and "none" or table.concat(names, " ")
      end
      local ofox = require "ofox"
      print(ofox.errors, ofox.retry, ofox.parse_error, ofox.null)
      ofox.new { transport = require "ofox.mock".new() }
      print(loaded())
      ofox.new()
      print(loaded())]], { LUA_PATH = CLONE })
    assert.matches("\nnone\ncurl z brotlidec\n$", out)
  end)

  -- One sentence of ofox's, which says what to do; no list of paths.
  local function sentence(out, expected)
    assert.matches(expected, out)
    local message = out:match("^[^\n]*")
    assert.matches("make LUA=" .. ABI:gsub("%.", "%%.") .. "$", message)
    assert.is_true(#message < 300, message)
    assert.is_nil(out:find("no field package.preload", 1, true), out)
  end

  local TRY = "local ok, message = pcall(require, 'ofox') print(ok and 'loaded' or message)"

  -- A clone with these builds: {abi = the abi that it really is}.
  local clones = 0
  local function clone(builds)
    clones = clones + 1
    local path = directory.path .. "/clone" .. clones
    succeed("mkdir -p " .. path .. "/build && cp -r lua " .. path)
    for abi, really in pairs(builds) do
      succeed(("mkdir -p %s/build/%s && cp -r build/%s/ofox %s/build/%s"):format(path, abi, really, path, abi))
    end
    return ("%s/lua/?.lua;%s/lua/?/init.lua"):format(path, path)
  end

  local function other()
    for _, abi in ipairs { "5.4", "5.1", "5.3", "jit", "5.2" } do
      local file = abi ~= ABI and not (ABI .. abi):find("^5%.1jit$") and io.open("build/" .. abi .. "/ofox/core.so")
      if file then
        file:close()
        return abi
      end
    end
    -- built for this test alone, beside the others
    local abi = ABI == "5.4" and "5.1" or "5.4"
    succeed(("make -s LUA=%s"):format(abi))
    return abi
  end

  it("of a clone that is built for another Lua only is one clear sentence", function()
    local abi = other()
    local out = lua(TRY, { LUA_PATH = clone { [abi] = abi } })
    sentence(out, "built for " .. abi:gsub("%.", "%%."))
  end)

  it("of a clone that is not built is one clear sentence", function()
    sentence(lua(TRY, { LUA_PATH = clone {} }), "not built")
  end)

  it("of a module built for another Lua, in this one's place, is one clear sentence", function()
    local abi = other()
    sentence(lua(TRY, { LUA_PATH = clone { [ABI] = abi } }), "built for another Lua")
  end)

  it("of a module built for another Lua, found on LUA_CPATH, is one clear sentence", function()
    local abi = other()
    local out = lua(TRY, { LUA_PATH = clone {}, LUA_CPATH = ("%s/build/%s/?.so"):format(root, abi) })
    sentence(out, "built for another Lua")
  end)
end)
