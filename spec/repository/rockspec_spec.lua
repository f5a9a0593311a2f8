-- The rockspecs: what they list is there, and what is there they list. The
-- version is known to the core, and all else that names it follows.
local ofox = require "ofox"
local proc = require "support.proc"
local rockspecs = require "support.rockspecs"
local shell = require "support.shell"

local ABI = proc.ABI
local SCM = "ofox-scm-1.rockspec"
local RELEASE = ("ofox-%s-1.rockspec"):format(ofox.VERSION)
local REDIS_SCM = "ofox-redis-scm-1.rockspec"
local REDIS_RELEASE = ("ofox-redis-%s-1.rockspec"):format(ofox.VERSION)

describe("the rockspec", function()
  -- The sources that the Makefile builds a module of.
  local function made_of(name)
    local made = {}
    for _, line in ipairs(shell.lines(
      ("make -nB LUA=%s BUILD=build/unmade build/unmade/ofox/%s.so"):format(ABI, name))) do
      made[#made + 1] = line:match(" %-c .* (src/%S+%.c)$")
    end
    table.sort(made)
    return made
  end

  for name, path in pairs { core = SCM, engine = SCM, redis = REDIS_SCM } do
    it("lists the sources of ofox." .. name .. " as the Makefile does", function()
      local listed = rockspecs.read(path).build.modules["ofox." .. name].sources
      table.sort(listed)
      assert.same(made_of(name), listed)
    end)
  end

  it("or the one of ofox.redis lists every C source of the tree", function()
    local listed = {}
    for _, path in ipairs { SCM, REDIS_SCM } do
      for _, module in pairs(rockspecs.read(path).build.modules) do
        for _, source in ipairs(type(module) == "table" and module.sources or {}) do listed[source] = true end
      end
    end
    for _, source in ipairs(shell.lines "find src -name '*.c'") do
      assert.is_true(listed[source], source .. " is not listed")
    end
  end)

  it("lists every Lua file of the tree under its name", function()
    local listed = {}
    for name, path in pairs(rockspecs.read(SCM).build.modules) do
      if type(path) == "string" then listed[path] = name end
    end
    local expected = {}
    for _, path in ipairs(shell.lines "find lua -name '*.lua'") do
      expected[path] = rockspecs.module_name(path)
    end
    assert.same(expected, listed)
  end)

  it("wants nothing but Lua, libcurl and what undoes gzip and brotli", function()
    local fields = rockspecs.read(SCM)
    assert.equal(1, #fields.dependencies)
    assert.matches("^lua ", fields.dependencies[1])
    assert.same({ "BROTLI", "CURL", "ZLIB" }, (function()
      local names = {}
      for name in pairs(fields.external_dependencies) do names[#names + 1] = name end
      table.sort(names)
      return names
    end)())
  end)

  it("copies what is there, examples and pages", function()
    local copied = rockspecs.read(SCM).build.copy_directories
    assert.same({ "doc", "examples" }, copied)
    for _, name in ipairs(copied) do shell.succeed("test -d " .. name) end
  end)
end)

describe("the rockspec of ofox.redis", function()
  it("has that module alone, and nothing else needs it or hiredis", function()
    local fields = rockspecs.read(REDIS_SCM)
    assert.same({ "ofox.redis" }, { next(fields.build.modules), next(fields.build.modules, "ofox.redis") })
    assert.same({ HIREDIS = { library = "hiredis" } }, fields.external_dependencies)
    assert.is_nil(rockspecs.read(SCM).build.modules["ofox.redis"])
    assert.is_nil(shell.succeed(("make -nB LUA=%s BUILD=build/unmade"):format(ABI)):find("redis", 1, true))
  end)

  it("is that of the same version of ofox", function()
    for version, path in pairs { ["scm-1"] = REDIS_SCM, [ofox.VERSION .. "-1"] = REDIS_RELEASE } do
      assert.equal("ofox == " .. version, rockspecs.read(path).dependencies[2])
    end
  end)
end)

describe("the release's rockspec", function()
  it("is there for the version that the core has, and for no other", function()
    assert.matches("^%d+%.%d+%.%d+$", ofox.VERSION)
    local expected = { RELEASE, SCM, REDIS_RELEASE, REDIS_SCM }
    table.sort(expected)
    assert.same(expected, shell.lines "ls *.rockspec")
  end)

  it("is the other one with a version and a tag, as make rockspec writes it", function()
    local release, scm = rockspecs.read(RELEASE), rockspecs.read(SCM)
    assert.equal(ofox.VERSION .. "-1", release.version)
    assert.same({ url = scm.source.url, tag = "v" .. ofox.VERSION }, release.source)
    release.version, release.source = scm.version, scm.source
    assert.same(scm, release)
    assert.equal(proc.read(RELEASE), shell.succeed "make -s rockspec ROCKSPEC=/dev/stdout REDIS_ROCKSPEC=/dev/null")
    assert.equal(proc.read(REDIS_RELEASE),
      shell.succeed "make -s rockspec ROCKSPEC=/dev/null REDIS_ROCKSPEC=/dev/stdout")
  end)

  for _, path in ipairs { SCM, RELEASE, REDIS_SCM, REDIS_RELEASE } do
    it("and the others please LuaRocks: " .. path, function()
      assert.equal("", shell.succeed("luarocks lint " .. path))
    end)
  end
end)

describe("the version", function()
  it("is that of the newest entry of the CHANGELOG", function()
    assert.equal(ofox.VERSION, proc.read("CHANGELOG.md"):match("\n## %[?([%d.]+)"))
  end)

  it("is the Makefile's, too", function()
    assert.equal(ofox.VERSION .. "\n", shell.succeed "make -s version")
  end)
end)
