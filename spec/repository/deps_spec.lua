-- What building needs: who asks for a package pushes none out, and what is
-- missing is said in one sentence.
local proc = require "support.proc"
local shell = require "support.shell"

local ABI = proc.ABI

local directory

setup(function() directory = proc.directory() end)
teardown(function() directory:remove() end)

describe("what installs packages", function()
  it("[P2] never removes one for it: each apt-get install says so", function()
    local found = 0
    local lines = shell.succeed "grep -rhE 'apt[-_]get (.* )?install' Makefile .ci examples README.md doc"
    for line in lines:gmatch("[^\n]+") do
      if not line:find("apt-get -s install", 1, true) then -- which only says what it would do
        found = found + 1
        assert.is_truthy(line:find("--no-remove", 1, true), line)
      end
    end
    assert.is_true(found >= 20, found .. " found")
  end)

  -- Programs that .ci/deps runs; those that it looks for are not there.
  local TOOLS = "sh sed grep tr sort id mktemp tail rm apt-cache apt-get dpkg-query"

  -- The real apt and dpkg with another list of what is installed: without the
  -- packages of a pattern, and with the given paragraphs. Nothing is installed.
  local machines = 0
  local function machine(without, paragraphs)
    machines = machines + 1
    local path = directory.path .. "/machine" .. machines
    shell.succeed(("mkdir -p %s/dpkg/info %s/bin %s/cache/archives/partial"):format(path, path, path))
    for tool in TOOLS:gmatch("%S+") do shell.succeed(("ln -s $(command -v %s) %s/bin/%s"):format(tool, path, tool)) end
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
  local function deps(path, environment, user, what)
    proc.write(path .. "/as", ("#!/bin/sh\necho %d\n"):format(user))
    shell.succeed(("mv %s/as %s/bin/id && chmod +x %s/bin/id && rm -f %s/bin/apt-get"):format(path, path, path, path))
    proc.write(path .. "/bin/apt-get", '#!/bin/sh\n[ "$1" = update ] || exec /usr/bin/apt-get -s "$@"\n')
    shell.succeed("chmod +x " .. path .. "/bin/apt-get")
    return shell.run(("%s PATH=%s/bin LUA=jit .ci/deps %s"):format(environment, path, what))
  end

  -- Apt is asked often and slowly, and knows nothing of Lua: one will do.
  local function knows(package)
    return ABI == "5.4" and shell.run("apt-cache policy " .. package):find("Candidate: %d") ~= nil
  end

  if knows "gcc" then
    it("[P12] names no package that this release does not know, under one of the names it has had", function()
      local names, seen = {}, 0
      for need in proc.read(".ci/deps"):gmatch("\n%s*need \"?([%w.|+-]+)\"? ") do
        seen = seen + 1
        for name in need:gmatch("[^|]+") do names[#names + 1] = name end
      end
      assert.is_true(seen > 20, seen .. " found")
      local policy = "\n" .. shell.run("apt-cache policy " .. table.concat(names, " "))
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
        paragraphs[i] = shell.succeed(("apt-cache show --no-all-versions %s | grep -E %s")
          :format(name, proc.quote(fields)))
      end
      local path, environment = machine("%S*luajit", paragraphs)
      local out, rc = deps(path, environment, 1000, "build")
      assert.equal(1, rc)
      assert.matches("are missing: [^\n]*libluajit2%-5%.1%-dev luajit2[^\n]*\n", out)
      local function simulated(packages)
        return shell.run(environment .. "apt-get -s install --no-remove --no-install-recommends " .. packages)
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
      local out, rc = deps(path, environment, 0, "demo")
      assert.equal("ofox: nothing was installed: to make room for lua-cjson apt would remove holder\n", out)
      assert.equal(1, rc)
    end)
  end
end)

describe("what is missing", function()
  -- A machine with a shell and nothing else, or with these commands, too.
  local machines = 0
  local function machine(scripts)
    machines = machines + 1
    local path = ("%s/bare%d"):format(directory.path, machines)
    shell.succeed("mkdir " .. path)
    for tool in ("sh sed grep tr sort"):gmatch("%S+") do
      shell.succeed(("ln -s $(command -v %s) %s/%s"):format(tool, path, tool))
    end
    for name, text in pairs(scripts) do proc.write(path .. "/" .. name, "#!/bin/sh\n" .. text) end
    shell.run("chmod +x " .. path .. "/*")
    return "env LUA_INCDIR=/nowhere LUA=" .. ABI .. " PATH=" .. path .. " .ci/deps "
  end

  local HEADERS = ({ jit = "libluajit-5.1-dev", ["5.1"] = "liblua5.1-0-dev" })[ABI] or "liblua" .. ABI .. "-dev"
  local PROGRAM = ABI == "jit" and "luajit" or "lua" .. ABI
  local FILE = ABI == "jit" and "luajit.h" or "lua.h"

  it("is named where there is no apt, by Debian's names and by what was looked for", function()
    local out, rc = shell.run(machine { id = "echo 0" } .. "build")
    assert.equal(1, rc)
    local packages, found = out:match("^ofox: these packages %(Debian's names%) are missing: ([^\n]*)\n"
      .. "ofox: not found: ([^\n]*)\nofox: this system has no apt%-get; [^\n]*doc/install.md[^\n]*\n$")
    assert.is_truthy(packages, out)
    for _, name in ipairs { "gcc", "libc6-dev", "libcurl4-openssl-dev", "zlib1g-dev", "libbrotli-dev", HEADERS } do
      assert.is_truthy((" " .. packages .. " "):find(" " .. name .. " ", 1, true), packages)
    end
    for _, name in ipairs { "the program cc", "the program " .. PROGRAM, "curl/curl.h", FILE .. " in /nowhere" } do
      assert.is_truthy((", " .. found .. ","):find(", " .. name .. ",", 1, true), found)
    end
  end)

  it("is named to a user who may install nothing, with the command of one who may", function()
    local user = machine { id = "echo 1000", ["apt-get"] = "echo used", ["apt-cache"] = "exit 1" }
    local out, rc = shell.run(user .. "build")
    assert.equal(1, rc)
    local packages = out:match("are missing: ([^\n]*)\n")
    assert.equal(("ofox: these packages (Debian's names) are missing: %s\nofox: install them and try again; "
      .. "as root: apt-get install --no-remove %s\n"):format(packages, packages), out)
  end)

  -- What plain make says, with a compiler that does not find some headers, or
  -- another program.
  local function make(options)
    local build = directory.path .. "/unbuilt"
    shell.succeed("mkdir -p " .. build)
    local out, rc = shell.run(("make -s -j2 LUA=%s BUILD=%s %s"):format(ABI, build, options))
    assert.equal(2, rc, out)
    assert.equal("", shell.succeed("find " .. build .. " -name '*.o'"))
    return out:match("^Makefile:%d+: %*%*%* (.*)  Stop%.\n$") or out
  end

  local function without(pattern)
    local compiler = proc.write(directory.path .. "/cc", ([[#!/bin/sh
      case "$*" in *-E*) sed 's,<\(%s\),<absent/\1,' | exec cc "$@" ;; *) exec cc "$@" ;; esac]]):format(pattern))
    shell.succeed("chmod +x " .. compiler)
    return "CC=" .. compiler
  end

  local HINT = "(Debian's names; doc/install.md has others), or say where it is: "
  for header, row in pairs {
    ["curl/curl.h"] = { "libcurl4-openssl-dev", "CURL_INCDIR=" },
    ["zlib.h"] = { "zlib1g-dev", "CPPFLAGS=-I" },
    ["brotli/decode.h"] = { "libbrotli-dev", "CPPFLAGS=-I" },
    ["hiredis/async.h"] = { "libhiredis-dev", "HIREDIS_INCDIR=", "REDIS=1 " },
  } do
    it("is one sentence of make's: " .. header, function()
      assert.equal(("ofox: not found: %s: install %s %s%s."):format(header, row[1], HINT, row[2]),
        make((row[3] or "") .. without(header)))
    end)
  end

  it("is one sentence of make's: the header of Lua, in the folder where it was looked for", function()
    assert.equal(("ofox: not found: %s in /nowhere: install %s %sLUA_INCDIR=."):format(FILE, HEADERS, HINT),
      make "LUA_INCDIR=/nowhere")
  end)

  it("is one sentence of make's: several headers", function()
    local out = make(without "[czb]")
    assert.equal(("ofox: not found: curl/curl.h, zlib.h, brotli/decode.h: install libcurl4-openssl-dev zlib1g-dev "
      .. "libbrotli-dev %sCURL_INCDIR= CPPFLAGS=-I."):format(HINT), out)
  end)

  it("is one sentence of make's: the compiler", function()
    assert.equal("ofox: not found: a C compiler (no-cc): install gcc libc6-dev " .. HINT .. "CC=.", make "CC=no-cc")
  end)

  it("is one sentence of make's: a Lua that there is not", function()
    assert.equal("ofox: LUA=5.5 is none of 5.1 5.2 5.3 5.4 jit.", make "LUA=5.5")
  end)

  it("is not looked for where all is built", function()
    shell.succeed("make -s LUA=" .. ABI)
    assert.equal("", shell.succeed(("make -s LUA=%s CC=no-cc LUA_INCDIR=/nowhere"):format(ABI)))
  end)
end)
