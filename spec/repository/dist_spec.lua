-- What make dist packs. The modules that it builds for other Luas and
-- processors are looked at by make dist-check, which takes minutes.
-- test: once: nothing of that is about the Lua that runs the spec

local ofox = require "ofox"
local proc = require "support.proc"
local shell = require "support.shell"

local NAME = "ofox-" .. ofox.VERSION

describe("the source of a release", function()
  local directory, unpacked

  setup(function()
    directory = proc.directory()
    unpacked = directory.path .. "/" .. NAME
    shell.succeed(("OUT=%s/one .ci/dist source && tar -xzf %s/one/%s.tar.gz -C %s")
      :format(directory.path, directory.path, NAME, directory.path))
  end)
  teardown(function() directory:remove() end)

  it("has the files that git knows, and no others", function()
    assert.same(shell.lines "git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -printf '%P\\n'",
      shell.lines(("cd %s && find . -type f -printf '%%P\\n'"):format(unpacked)))
  end)

  it("is the same bytes with another clock, umask and language, and out of itself", function()
    shell.succeed(("umask 077; LC_ALL=C.UTF-8 TZ=Asia/Tokyo OUT=%s/two .ci/dist source"):format(directory.path))
    shell.succeed(("cd %s && touch -a src && OUT=%s/three .ci/dist source"):format(unpacked, directory.path))
    for _, other in ipairs { "two", "three" } do
      shell.succeed(("cd %s && cmp one/%s.tar.gz %s/%s.tar.gz"):format(directory.path, NAME, other, NAME))
    end
  end)

  it("has the time that SOURCE_DATE_EPOCH says, and belongs to root", function()
    shell.succeed(("SOURCE_DATE_EPOCH=86400 OUT=%s/dated .ci/dist source"):format(directory.path))
    local list = shell.succeed(("TZ=UTC tar -tvzf %s/dated/%s.tar.gz"):format(directory.path, NAME))
    local lines = 0
    for line in list:gmatch("[^\n]+") do
      lines = lines + 1
      assert.matches("^[d-]rw[x-]r%-[x-]r%-[x-] 0/0 +%d+ 1970%-01%-02 00:00 " .. NAME:gsub("[.-]", "%%%0") .. "/", line)
    end
    assert.is_true(lines > 300, lines)
  end)

  it("builds, installs and runs, with nothing else in the folder", function()
    local place = directory.path .. "/place"
    local said = shell.succeed(("cd %s && env -u LUA_PATH -u LUA_CPATH make -s -j2 install LTO= CFLAGS=-O0 PREFIX=%s")
      :format(unpacked, place))
    local paths = {}
    for line in said:gmatch("export [^\n]*\n") do paths[#paths + 1] = line end
    proc.write(directory.path .. "/paths", table.concat(paths))
    local code = "local ofox = require [[ofox]] ofox.new() print(ofox.VERSION)"
    assert.equal(ofox.VERSION .. "\n",
      shell.succeed(("cd / && . %s/paths && lua5.4 -e '%s'"):format(directory.path, code)))
  end)
end)
