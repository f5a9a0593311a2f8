-- The store in a dictionary of nginx, on every Lua: the dictionary is a stand-in. Real
-- workers are in hosts/nginx_store_spec.
local limited = require "support.limited"
local mock = require "ofox.mock"
local ofox = require "ofox"

local KEY = "sk-of-the-store-0123456789"
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local warnings
before_each(function() warnings = {} end)

-- Counts what it is asked.
local function new_dict()
  local dict = { values = {}, expiries = {}, counts = {} }
  local function count(name) dict.counts[name] = (dict.counts[name] or 0) + 1 end
  function dict:get(key)
    count "get"
    return self.values[key]
  end
  function dict:add(key, value)
    count "add"
    if self.values[key] ~= nil then return false, "exists" end
    self.values[key] = value
    return true
  end
  function dict:safe_set(key, value, expiry)
    if self.is_full then return nil, "no memory" end
    self.values[key], self.expiries[key] = value, expiry
    return true
  end
  function dict:delete(key) self.values[key] = nil end
  return dict
end

local function keys(dict)
  local list = {}
  for key in pairs(dict.values) do list[#list + 1] = key end
  return list
end

-- Like a worker of its own.
local function client_of(dict, prefix)
  local transport = mock.new()
  transport:always { status = 200, body = limited.OK }
  return ofox.new { api_key = KEY, transport = transport, errors = "return", pace = { rpm = 3, burst = 1 },
    store = ofox.store.ngx(dict, prefix),
    logger = function(level, _, fields)
      if level == "warn" then warnings[#warnings + 1] = fields.problem end
    end }, transport
end

local function is_held_back(client)
  local answer, err = client:chat(PARAMS, { deadline = 5 })
  return answer == nil and err.code == "paced" and err.attempts == 0
end

describe("a dictionary of nginx", function()
  it("spaces the calls of two workers by one pace, and is not locked afterwards", function()
    local dict = new_dict()
    local first, second = client_of(dict), client_of(dict)
    assert.is_truthy(first:chat(PARAMS))
    assert.is_true(is_held_back(second))
    assert.equal(1, #keys(dict))
    assert.matches("^ofox:%x+$", keys(dict)[1])
    assert.is_true(dict.expiries[keys(dict)[1]] >= 60)
    assert.same({}, warnings)
  end)

  it("has keys of each prefix", function()
    local dict = new_dict()
    assert.is_truthy(client_of(dict):chat(PARAMS))
    assert.is_truthy(client_of(dict, "mine "):chat(PARAMS))
    assert.equal(2, #keys(dict))
  end)

  it("with another value under that key begins anew", function()
    local dict = new_dict()
    assert.is_truthy(client_of(dict):chat(PARAMS))
    dict.values[keys(dict)[1]] = 5
    assert.is_truthy(client_of(dict):chat(PARAMS, { deadline = 5 }))
    assert.same({}, warnings)
  end)

  it("that is full, locked or broken leaves calls to their own pace", function()
    local full, broken, locked = new_dict(), new_dict(), new_dict()
    full.is_full = true
    function broken.get() error("mine", 0) end
    function locked.add() return false, "exists" end
    for _, case in ipairs { { full, "no memory" }, { broken, "mine" }, { locked, "another worker holds its lock" } } do
      local dict = case[1]
      local client, transport = client_of(dict)
      for _ = 1, 3 do assert.is_truthy(client:chat(PARAMS, { deadline = 300 })) end
      assert.is_true(transport.requests[3].at >= 39)
      assert.same({ case[2] }, warnings)
      assert.equal(0, #keys(dict))
      warnings = {}
    end
  end)

  it("is one with methods; a prefix is a text", function()
    local ngx = ofox.store.ngx
    for _, wrong in ipairs { 1, "x", {}, { get = print }, print } do
      assert.matches("^spec.*ngx_spec%.lua:%d+: ofox%.store%.ngx: expected a dictionary, ngx%.shared%.NAME, got ",
        select(2, pcall(function() ngx(wrong) end)))
    end
    assert.matches("ofox%.store%.ngx: expected a string as prefix", select(2, pcall(ngx, new_dict(), 5)))
    assert.equal("ofox.store: ngx.shared", tostring(ngx(new_dict())))
  end)
end)
