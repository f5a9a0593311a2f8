-- :checkhealth ofox, with a stub of what Neovim gives.
local ofox = require "ofox"
local server = require "support.server"

local KEY = "sk-of-health-0123456789abcdefghij"

describe(":checkhealth ofox", function()
  local said
  local function recorder(name)
    return function(message, advice) said[#said + 1] = { name, message, advice } end
  end
  local function functions(prefix)
    local all = {}
    for _, name in ipairs { "start", "ok", "info", "warn", "error" } do all[prefix .. name] = recorder(name) end
    return all
  end

  local function check(vim)
    said = {}
    local previous = rawget(_G, "vim")
    local getenv = os.getenv
    local environment = { OFOX_API_KEY = KEY .. "\n", OFOX_BASE_URL = server.refused_url() }
    os.getenv = function(name) return environment[name] end -- luacheck: ignore 122
    rawset(_G, "vim", vim)
    local ok, message = pcall(require("ofox.health").check)
    rawset(_G, "vim", previous)
    os.getenv = getenv -- luacheck: ignore 122
    assert(ok, message)
  end

  local function has(name, piece, advice)
    for _, one in ipairs(said) do
      if one[1] == name and one[2]:find(piece, 1, true) then
        assert.equal(advice or "nil", type(one[3]))
        return
      end
    end
    error("not said: " .. name .. " " .. piece)
  end

  local function assert_report()
    has("start", "ofox: ")
    has("ok", "are built for")
    has("ok", "versions: ofox " .. ofox.VERSION)
    has("warn", "key: $OFOX_API_KEY", "table")
    has("error", "connection: ", "table")
    has("info", "models: ")
    for _, one in ipairs(said) do assert.is_nil(one[2]:find(KEY, 1, true)) end
  end

  it("speaks through vim.health", function()
    check({ health = functions "" })
    assert_report()
  end)

  it("speaks through what older Neovims have", function()
    check({ health = functions "report_" })
    assert_report()
    package.loaded.health = functions "report_"
    check({})
    package.loaded.health = nil
    assert_report()
  end)

  for _, name in ipairs { "core", "engine" } do
    it("says how to build ofox." .. name, function()
      local native = package.loaded["ofox.base.native"]
      package.loaded["ofox.base.native"] = function(wanted)
        if wanted == name then error("ofox." .. name .. " is not built for this Lua", 0) end
        return native(wanted)
      end
      check({ health = functions "" })
      package.loaded["ofox.base.native"] = native
      assert.equal(2, #said)
      has("error", "ofox." .. name .. " is not built", "table")
      assert.matches("make LUA=", said[2][3][1], 1, true)
    end)
  end
end)
