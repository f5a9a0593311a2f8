-- What require "ofox" loads and gives.
local cancel = require "ofox.task.cancel"
local json = require "ofox.json"
local ofox = require "ofox"

describe("require 'ofox'", function()
  it("loads nothing but the core", function()
    local code = [[
      local before = {}
      for name in pairs(package.loaded) do before[name] = true end
      require "ofox"
      local names = {}
      for name in pairs(package.loaded) do if not before[name] then names[#names + 1] = name end end
      table.sort(names)
      io.write(table.concat(names, " "))
    ]]
    local saved = {}
    for name, module in pairs(package.loaded) do
      if name:find("^ofox") and name ~= "ofox.core" and name ~= "ofox.base.native" then saved[name] = module end
    end
    for name in pairs(saved) do package.loaded[name] = nil end
    local written
    local real = io.write
    io.write = function(text) written = text end -- luacheck: ignore 122
    local ok, message = pcall((loadstring or load)(code)) -- luacheck: ignore 113
    io.write = real -- luacheck: ignore 122
    for name, module in pairs(saved) do package.loaded[name] = module end
    assert.is_true(ok, message)
    assert.equal("ofox", written)
  end)

  it("gives what it names", function()
    assert.equal("ofox " .. ofox.VERSION, ofox._VERSION)
    assert.truthy(ofox.VERSION:find("^%d+%.%d+%.%d+$"))
    assert.equal(json.null, ofox.null)
    assert.equal(json.array, ofox.array)
    assert.equal(json.object, ofox.object)
    for _, name in ipairs { "meta", "parse_error", "sleep", "cancel_token", "new" } do
      assert.is_function(ofox[name], name)
    end
    assert.is_table(ofox.errors)
    assert.is_table(ofox.retry)
    assert.is_nil(ofox.nothing)
    assert.is_true(cancel.is(ofox.cancel_token()))
  end)
end)

describe("Lua's own messages", function()
  it("name what a program has in hand", function()
    local mock = require "ofox.mock".new()
    for _ = 1, 2 do mock:reply { body = '{"id":"x","choices":[]}' } end
    local client = ofox.new { api_key = "k-0123456789", transport = mock }
    local params = { model = "m", messages = {} }
    local names = {}
    for name, value in pairs {
      client = client, response = client:chat(params), stream = client:stream(params), task = ofox.go(function() end),
    } do
      names[name] = rawget(getmetatable(value), "__name")
    end
    assert.same({
      client = "ofox.client", response = "ofox.response", stream = "ofox.stream", task = "ofox.task",
    }, names)
  end)
end)
