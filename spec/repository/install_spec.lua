-- What an installation is: the rockspec, make install, and what happens when
-- a module is built for another Lua.
-- test: long: LuaRocks builds everything
local proc = require "support.proc"

local ABI, LUA = proc.ABI, proc.LUA
local VERSION = _VERSION:match("%d+%.%d+")

local directory

setup(function() directory = proc.directory() end)
teardown(function() directory:remove() end)

local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; echo rc=$?"))
  local text = pipe:read("*a")
  pipe:close()
  local out, rc = text:match("^(.-)rc=(%d+)\n$")
  return out, tonumber(rc)
end

local function succeed(command)
  local out, rc = run(command)
  assert.equal(0, rc, out)
  return out
end

local function lines(command)
  local list = {}
  for line in succeed(command):gmatch("[^\n]+") do list[#list + 1] = line end
  table.sort(list)
  return list
end

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

local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", ""))
end

local function rockspec()
  local fields = {}
  local chunk
  if rawget(_G, "setfenv") then
    chunk = assert(loadfile("ofox-scm-1.rockspec"))
    rawget(_G, "setfenv")(chunk, fields)
  else
    chunk = assert(loadfile("ofox-scm-1.rockspec", "t", fields))
  end
  chunk()
  return fields
end

describe("the rockspec", function()
  -- The sources that the Makefile builds a module of.
  local function made_of(name)
    local made = {}
    for _, line in ipairs(lines(
      ("make -nB LUA=%s BUILD=/nowhere /nowhere/ofox/%s.so"):format(ABI, name))) do
      made[#made + 1] = line:match(" %-c .* (src/%S+%.c)$")
    end
    table.sort(made)
    return made
  end

  for _, name in ipairs { "core", "engine" } do
    it("lists the sources of ofox." .. name .. " as the Makefile does", function()
      local listed = rockspec().build.modules["ofox." .. name].sources
      table.sort(listed)
      assert.same(made_of(name), listed)
    end)
  end

  it("lists every C source of the tree", function()
    local listed = {}
    for _, module in pairs(rockspec().build.modules) do
      for _, source in ipairs(type(module) == "table" and module.sources or {}) do listed[source] = true end
    end
    for _, source in ipairs(lines "find src -name '*.c'") do
      assert.is_true(listed[source], source .. " is not listed")
    end
  end)

  it("lists every Lua file of the tree under its name", function()
    local listed = {}
    for name, path in pairs(rockspec().build.modules) do
      if type(path) == "string" then listed[path] = name end
    end
    local expected = {}
    for _, path in ipairs(lines "find lua -name '*.lua'") do
      expected[path] = module_name(path)
    end
    assert.same(expected, listed)
  end)

  it("wants nothing but Lua, libcurl and what undoes gzip and brotli", function()
    local fields = rockspec()
    assert.equal(1, #fields.dependencies)
    assert.matches("^lua ", fields.dependencies[1])
    assert.same({ "BROTLI", "CURL", "ZLIB" }, (function()
      local names = {}
      for name in pairs(fields.external_dependencies) do names[#names + 1] = name end
      table.sort(names)
      return names
    end)())
  end)

  it("copies only what is there", function()
    for _, name in ipairs(rockspec().build.copy_directories) do
      assert.equal("yes\n", succeed("test -d " .. name .. " && echo yes"))
    end
  end)
end)

-- LuaRocks serves LuaJIT as 5.1; one installation of each version will do.
if ABI ~= "jit" then
  describe("luarocks make", function()
    local tree, log

    setup(function()
      tree = proc.directory()
      local path = tree.path
      -- a copy, for LuaRocks leaves its objects beside the sources
      succeed(("mkdir %s/src && cp -r Makefile LICENSE *.rockspec src lua examples %s/src"):format(path, path))
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

    it("makes a tree that is enough, anywhere", function()
      assert.equal(CALLED, (lua(CALL, paths())))
    end)

    -- Some run only in their hosts, and are found all the same.
    it("has every module of the tree in it", function()
      local names = {}
      for _, path in ipairs(lines "find lua -name '*.lua'") do
        names[#names + 1] = ("%q"):format(module_name(path))
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

describe("make", function()
  it("install puts all where PREFIX says, and it runs there", function()
    local prefix = directory.path .. "/prefix"
    succeed(("make -s install LUA=%s PREFIX=%s"):format(ABI, prefix))
    assert.same(lines "cd lua && find ofox -name '*.lua'",
      lines(("cd %s/share/lua/%s && find ofox -type f"):format(prefix, VERSION)))
    assert.same({ "ofox/core.so", "ofox/engine.so" },
      lines(("cd %s/lib/lua/%s && find ofox -type f"):format(prefix, VERSION)))
    assert.equal(CALLED, (lua(CALL, {
      LUA_PATH = ("%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua"):format(prefix, VERSION, prefix, VERSION),
      LUA_CPATH = ("%s/lib/lua/%s/?.so"):format(prefix, VERSION),
    })))
  end)

  it("install honours DESTDIR", function()
    local dest = directory.path .. "/dest"
    succeed(("make -s install LUA=%s PREFIX=/usr DESTDIR=%s"):format(ABI, dest))
    assert.equal("ofox/init.lua\n", succeed(("cd %s/usr/share/lua/%s && ls ofox/init.lua"):format(dest, VERSION)))
    assert.equal("ofox/core.so\n", succeed(("cd %s/usr/lib/lua/%s && ls ofox/core.so"):format(dest, VERSION)))
  end)

  it("appends the caller's flags and keeps its own", function()
    for _, call in ipairs {
      "make -nB BUILD=/nowhere CFLAGS=-DMINE CPPFLAGS=-DALSO LDFLAGS=-Wl,-z,now",
      "CFLAGS=-DMINE CPPFLAGS=-DALSO LDFLAGS=-Wl,-z,now make -nB BUILD=/nowhere",
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

describe("what installs packages", function()
  it("[P2] never removes one for it: each apt-get install says so", function()
    local found = 0
    for line in succeed("grep -rhE 'apt[-_]get (.* )?install' Makefile .ci examples"):gmatch("[^\n]+") do
      if not line:find("apt-get -s install", 1, true) then -- which only says what it would do
        found = found + 1
        assert.is_truthy(line:find("--no-remove", 1, true), line)
      end
    end
    assert.is_true(found >= 3, found .. " found")
  end)

  -- Programs that .ci/deps runs; those that it looks for are not there.
  local TOOLS = "sh sed grep tr sort id mktemp tail rm apt-cache apt-get dpkg-query"

  -- The real apt and dpkg with another list of what is installed: without the
  -- packages of a pattern, and with the given paragraphs. Nothing is installed.
  local machines = 0
  local function machine(without, paragraphs)
    machines = machines + 1
    local path = directory.path .. "/machine" .. machines
    succeed(("mkdir -p %s/dpkg/info %s/bin %s/cache/archives/partial"):format(path, path, path))
    for tool in TOOLS:gmatch("%S+") do succeed(("ln -s $(command -v %s) %s/bin/%s"):format(tool, path, tool)) end
    local status = {}
    for paragraph in (proc.read "/var/lib/dpkg/status" .. "\n"):gmatch("(Package: .-\n)\n") do
      if not paragraph:find("^Package: " .. without) then status[#status + 1] = paragraph end
    end
    for _, paragraph in ipairs(paragraphs) do
      status[#status + 1] = (paragraph:gsub("\n", "\nStatus: install ok installed\n", 1))
    end
    proc.write(path .. "/dpkg/status", table.concat(status, "\n"))
    proc.write(path .. "/apt.conf",
      ('Dir::State::status "%s/dpkg/status";\nDir::Cache "%s/cache";\n'):format(path, path))
    return path, ("env DPKG_ADMINDIR=%s/dpkg APT_CONFIG=%s/apt.conf LUA_INCDIR=/nowhere "):format(path, path)
  end

  -- As somebody who may install, or may not; apt only says what it would do.
  local function deps(path, environment, user)
    proc.write(path .. "/as", ("#!/bin/sh\necho %d\n"):format(user))
    succeed(("mv %s/as %s/bin/id && chmod +x %s/bin/id && rm -f %s/bin/apt-get"):format(path, path, path, path))
    proc.write(path .. "/bin/apt-get", '#!/bin/sh\n[ "$1" = update ] || exec /usr/bin/apt-get -s "$@"\n')
    succeed("chmod +x " .. path .. "/bin/apt-get")
    return run(("%s PATH=%s/bin LUA=jit .ci/deps build"):format(environment, path))
  end

  -- Apt is asked often and slowly, and knows nothing of Lua: one will do.
  local function knows(package)
    return ABI == "5.4" and run("apt-cache policy " .. package):find("Candidate: %d") ~= nil
  end

  if knows "gcc" then
    it("[P12] names no package that this release does not know, under one of the names it has had", function()
      local names, seen = {}, 0
      for need in proc.read(".ci/deps"):gmatch("\n%s*need \"?([%w.|+-]+)\"? ") do
        seen = seen + 1
        for name in need:gmatch("[^|]+") do names[#names + 1] = name end
      end
      assert.is_true(seen > 20, seen .. " found")
      local policy = "\n" .. run("apt-cache policy " .. table.concat(names, " "))
      for need in proc.read(".ci/deps"):gmatch("\n%s*need \"?([%w.|+-]+)\"? ") do
        local known = need:find("luajit2", 1, true) ~= nil -- that of Debian 12 is gone later
        for name in need:gmatch("[^|]+") do
          known = known or policy:find("\n" .. name:gsub("[.+-]", "%%%0") .. ":[^\n]*\n[^\n]*\n%s+Candidate: %d") ~= nil
        end
        assert.is_true(known, need)
      end
    end)
  end

  if knows "libluajit2-5.1-2" then -- on Debian 12; later there is one LuaJIT only
    it("[P2] asks for OpenResty's program and headers where its LuaJIT is, and that pushes nothing out", function()
      local paragraphs, fields = {}, "^(Package|Source|Version|Architecture|Multi-Arch|Maintainer|Depends|Conflicts|"
        .. "Provides|Replaces|Description):"
      for i, name in ipairs { "libluajit2-5.1-2", "libluajit2-5.1-common" } do
        paragraphs[i] = succeed(("apt-cache show --no-all-versions %s | grep -E %s"):format(name, proc.quote(fields)))
      end
      local path, environment = machine("%S*luajit", paragraphs)
      local out, rc = deps(path, environment, 1000)
      assert.equal(1, rc)
      assert.matches("are missing: [^\n]*libluajit2%-5%.1%-dev lua%-cjson luajit2[^\n]*\n", out)
      local function simulated(packages)
        return run(environment .. "apt-get -s install --no-remove --no-install-recommends " .. packages)
      end
      local said, code = simulated "libluajit2-5.1-dev luajit2"
      assert.equal(0, code, said)
      assert.is_nil(said:find("\nRemv ", 1, true), said)
      assert.is_truthy(simulated("libluajit-5.1-dev"):find("remove is disabled", 1, true))
    end)
  end

  if knows "lua-cjson" then
    it("[P2] says what would have to go, and for what, and changes nothing", function()
      local path, environment = machine("lua%-cjson\n", {
        "Package: holder\nVersion: 1\nArchitecture: all\nConflicts: lua-cjson\n"
        .. "Maintainer: nobody <nobody@localhost>\nDescription: what stands in the way\n" })
      local out, rc = deps(path, environment, 0)
      assert.equal("ofox: nothing was installed: to make room for lua-cjson apt would remove holder\n", out)
      assert.equal(1, rc)
    end)
  end
end)
