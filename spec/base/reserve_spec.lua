-- Files that are read with the first client and compiled when they are required.
local host = require "support.host"
local proc = require "support.proc"

local succeed = host.succeed

setup(host.open)
teardown(host.close)

local NEW = [[
  local ofox = require "ofox"
  local client = ofox.new { base_url = URL }
]]

local pipe = assert(io.popen "pwd")
local ROOT = pipe:read "*l"
pipe:close()

-- The program finds ofox by an absolute path; else it does by a relative one.
local ABSOLUTE = ("package.path = %q .. '/lua/?.lua;' .. %q .. '/lua/?/init.lua'\n"):format(ROOT, ROOT)

-- No file can be loaded any more.
local BLOCKED = [[
  do
    local list = package.searchers or package.loaders
    for i = #list, 1, -1 do list[i] = nil end
    list[1] = function(name) error("loaded late: " .. name, 0) end
    io.open = function() error("read late", 0) end
  end
]]

-- All that is required of the reserve, but what the doctor and the mock ask for.
local function kept()
  local names, seen = {}, {}
  local found = assert(io.popen "grep -rhoE 'reserve.require \"[a-z0-9_.]+\"' lua/ofox")
  for name in found:read("*a"):gmatch '"([^"]+)"' do
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  found:close()
  return names
end

-- A tree of its own for a program, which finds it first.
local trees = 0
local function tree(files)
  trees = trees + 1
  local path = ("%s/reserve%d"):format(host.directory.path, trees)
  for name, text in pairs(files) do
    assert(os.execute("mkdir -p " .. (path .. "/" .. name):match("^(.*)/")))
    proc.write(path .. "/" .. name, text)
  end
  return ("package.path = %q .. '/?.lua;' .. package.path\n"):format(path), path
end

describe("[P1] what is kept in reserve", function()
  it("is not loaded with the client", function()
    assert.is_true(#kept() > 8)
    local all = ("for _, name in ipairs { '%s' } do assert(not package.loaded[name], name) end")
      :format(table.concat(kept(), "', '"))
    assert.equal("", succeed(NEW .. all))
    assert.equal("", succeed(ABSOLUTE .. NEW .. all))
  end)

  it("is there when no file can be read any more, each module by itself", function()
    for at, name in ipairs(kept()) do
      assert.equal("true\n", succeed((at % 2 == 0 and ABSOLUTE or "") .. NEW .. BLOCKED
        .. ("local module = require 'ofox.base.reserve'.require %q\n"):format(name)
        .. ("say(tostring(module ~= nil and module == require %q))"):format(name)), name)
    end
  end)

  it("can be asked for at ofox itself", function()
    assert.equal("table function function function\n", succeed(NEW .. BLOCKED
      .. "say(type(ofox.retry), type(ofox.sse), type(ofox.step), type(ofox.cancel_token))"))
  end)

  it("is known by the name of its file, as what require loads", function()
    local say = "say((debug.getinfo(%s.find, 'S').source))"
    for _, path in ipairs { "", ABSOLUTE } do
      local required = succeed(path .. say:format "require 'ofox.hints'")
      assert.matches("^@.*ofox/hints%.lua\n$", required)
      assert.equal(required, succeed(path .. NEW .. say:format "require 'ofox.base.reserve'.require 'ofox.hints'"))
    end
  end)

  it("is not read from a folder of its name", function()
    local _, path = tree { ["ofox/hints/a"] = "" }
    assert.equal("function\n", succeed(ABSOLUTE
      .. ("require 'ofox' package.path = %q .. '/?;' .. package.path\n"):format(path)
      .. NEW .. BLOCKED .. "say(type(require 'ofox.base.reserve'.require 'ofox.hints'.find))"))
  end)

  it("is loaded with the rest where all is to be loaded at once", function()
    local list = table.concat(kept(), "', '")
    assert.equal("true\n", succeed(("require 'ofox.preload' local all = true\n"
      .. "for _, name in ipairs { '%s' } do all = all and package.loaded[name] ~= nil end say(tostring(all))")
      :format(list)))
  end)

  it("is compiled anew where that has failed", function()
    local _, path = tree { ["copied"] = "" }
    assert(os.execute(("cp -r lua %s && { echo 'if not GO then error(\"not now\", 0) end'; cat lua/ofox/hints.lua; } "
      .. "> %s/lua/ofox/hints.lua"):format(path, path)))
    assert(os.execute(("mkdir -p %s/build && cp -r build/%s %s/build"):format(path, proc.ABI, path)))
    assert.equal("false not now\nfalse not now\ntrue\n", succeed(
      ("package.path = %q .. '/lua/?.lua;' .. %q .. '/lua/?/init.lua'\n"):format(path, path) .. NEW .. BLOCKED .. [[
      local err = ofox.parse_error(429)
      say(tostring(pcall(err.hint, err)), select(2, pcall(err.hint, err)))
      say(tostring(pcall(err.hint, err)), select(2, pcall(err.hint, err)))
      GO = true
      say(tostring(#err:hint() > 0))]]))
  end)
end)

describe("[P1] what cannot be kept is loaded with the client:", function()
  local LOADED = [[say(type(package.loaded["ofox.hints"]), tostring(package.loaded["ofox.hints"].mine))]]

  it("what a host has in package.preload", function()
    assert.equal("table true\n", succeed([[
      package.preload["ofox.hints"] = function() return { mine = true } end]] .. "\n" .. NEW .. LOADED))
  end)

  it("what package.path finds in another place", function()
    local set = tree { ["ofox/hints.lua"] = "return { mine = true }" }
    assert.equal("table true\n", succeed(ABSOLUTE .. set .. NEW .. LOADED))
  end)

  it("what package.path does not find", function()
    local out = succeed(ABSOLUTE .. [[
      local list, path = package.searchers or package.loaders, package.path
      table.insert(list, 2, function(name)
        for template in path:gmatch "[^;]+" do
          local file = template:gsub("%?", (name:gsub("%.", "/")))
          local chunk = loadfile(file)
          if chunk then return chunk, file end
        end
      end)
      package.path = ""
    ]] .. NEW .. LOADED)
    assert.equal("table nil\n", out)
  end)
end)
