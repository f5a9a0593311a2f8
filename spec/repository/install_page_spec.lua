-- doc/install.md and the pages beside the README are true: packages, places,
-- commands and what is printed.
local ofox = require "ofox"
local markdown = require "support.markdown"
local proc = require "support.proc"
local shell = require "support.shell"

local PAGE = proc.read("doc/install.md")
local SECTIONS = markdown.parse(PAGE)
local MAKEFILE = proc.read("Makefile")
local LUAS = { ["5.1"] = "5.1", ["5.2"] = "5.2", ["5.3"] = "5.3", ["5.4"] = "5.4", LuaJIT = "jit" }

-- The words of a command or a list, without options, each once.
local function words(text)
  local list, seen = {}, {}
  for word in text:gmatch("%S+") do
    if not seen[word] and word:sub(1, 1) ~= "-" then list[#list + 1] = word end
    seen[word] = true
  end
  table.sort(list)
  return list
end

-- What .ci/deps misses for a Lua on a machine that has nothing.
local function needed(abi)
  local directory = proc.directory()
  for tool in ("sh sed grep tr sort"):gmatch("%S+") do
    shell.succeed(("ln -s $(command -v %s) %s/%s"):format(tool, directory.path, tool))
  end
  local out = shell.run(("env PATH=%s LUA=%s LUA_INCDIR=/nowhere .ci/deps build"):format(directory.path, abi))
  directory:remove()
  return out:match("are missing: ([^\n]*)\n")
end

describe("doc/install.md", function()
  -- The packages of all Luas, as the first command has them.
  local function common()
    return (PAGE:match("```sh\napt%-get install ([^`]*)```"):gsub("\\\n", " "))
  end

  it("names for each Lua the packages that make deps installs there", function()
    local rows = markdown.rows(SECTIONS, "Lua")
    assert.equal(5, #rows)
    for _, row in ipairs(rows) do
      local abi = LUAS[row[1]]
      assert.equal(abi == "5.4" and "`make`" or "`make LUA=" .. abi .. "`", row[3])
      assert.same(words(needed(abi) .. " ca-certificates git make"), words(common() .. row[2]:gsub("`", " ")))
    end
  end)

  it("never lets apt remove a package", function()
    local found = 0
    for line in PAGE:gmatch("apt%-get install[^\n]*") do
      found = found + 1
      assert.is_truthy(line:find("--no-remove", 1, true), line)
    end
    assert.equal(2, found)
  end)

  it("shows what make install prints", function()
    local shown = markdown.blocks(SECTIONS, "text")[1]
    local where = "/home/me/.local"
    local said = shell.succeed(("env -u LUA_PATH -u LUA_CPATH LUA=5.4 LUA_BIN=lua5.4 INST_LUADIR=%s/share/lua/5.4 "
      .. "INST_LIBDIR=%s/lib/lua/5.4 INST_DOCDIR=/d INST_NVIMDIR=/n .ci/install paths"):format(where, where))
    assert.equal(said, shown:match("\n(.*)$"))
    assert.is_truthy(proc.read(".ci/install"):find("ofox: installed for Lua $LUA in $luadir and $libdir", 1, true))
    assert.equal(("ofox: installed for Lua 5.4 in %s/share/lua/5.4 and %s/lib/lua/5.4"):format(where, where),
      shown:match("^[^\n]*"))
  end)

  it("names the version that there is", function()
    local found = 0
    for version in PAGE:gmatch("ofox%-(%d+%.%d+%.%d+)") do
      found = found + 1
      assert.equal(ofox.VERSION, version)
    end
    assert.is_true(found >= 3)
  end)

  it("quotes what ofox says", function()
    local sources = proc.read("lua/ofox/base/unbuilt.lua") .. proc.read(".ci/deps")
    for _, text in ipairs { "is not built for this Lua", "was built for another Lua", "not found: " } do
      assert.is_truthy(PAGE:find(text, 1, true), text)
      assert.is_truthy(sources:find(text, 1, true), text)
    end
  end)
end)

for _, path in ipairs { "doc/install.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md" } do
  describe(path, function()
    local text = proc.read(path)

    it("names rules and variables that the Makefile has", function()
      for rest in text:gmatch("[\n`]make( [^\n`#]+)") do
        for word in rest:gmatch("%S+") do
          local name = word:match("^([%u_]+)=") or word
          assert.is_truthy(MAKEFILE:find("%f[%w_]" .. name:gsub("%-", "%%-") .. "%f[^%w_-]"), path .. ": make" .. rest)
        end
      end
    end)
  end)
end

for _, path in ipairs { "CONTRIBUTING.md", "SECURITY.md" } do
  it(path .. " links to files that there are", function()
    for target in proc.read(path):gmatch("%]%(([^)#]+)") do
      assert.is_truthy(target:find("^https://") or proc.read(target), target)
    end
  end)
end
