--- Reports of ofox.doctor, and what specs ask of them.
local assert = require "luassert"
local calls = require "support.calls"
local mocks = require "ofox.mock"
local ofox = require "ofox"

local doctor = {}

doctor.KEY = "sk-of-doctor-0123456789abcdefghij"

-- Replies of a mock.
doctor.LIST = { body = { object = "list", data = { { id = "a/b" }, { id = "c/d" } } } }
doctor.LACKS = { status = 400, body = { error = { message = "model is required" } } }
doctor.NO_KEY = { status = 401, body = { error = { code = "invalid_api_key", message = "no key" } } }
doctor.PAGE = {
  headers = { ["content-type"] = "text/html" }, body = "<!DOCTYPE html><html><title>OfoxAI</title></html>",
}

local getenv

--- What os.getenv finds, between own_environment() and give_back().
doctor.environment = {}

--- For setup.
function doctor.own_environment()
  getenv = os.getenv
  os.getenv = function(name) return doctor.environment[name] end -- luacheck: ignore 122
end

--- For before_each.
function doctor.clear_environment()
  doctor.environment = {}
end

--- For teardown.
function doctor.give_back()
  os.getenv = getenv -- luacheck: ignore 122
end

local function finding(report, name)
  for _, one in ipairs(report) do
    if one.check == name then return one end
  end
  error("no finding of " .. name .. " in\n" .. tostring(report))
end

--- What a finding is like; 'says' and 'advises' are plain pieces of text.
function doctor.expect(report, name, level, says, advises)
  local one = finding(report, name)
  local all = tostring(report)
  assert.equal(level, one.level, all)
  if says then assert.is_truthy(one.message:find(says, 1, true), all) end
  if advises then assert.is_truthy((one.advice or ""):find(advises, 1, true), all) end
  if advises == false then assert.is_nil(one.advice, all) end
  return one
end

--- A report of a client whose requests get these replies in turn.
function doctor.examine(replies, opts, lang)
  local mock = mocks.new()
  for _, reply in ipairs(replies) do mock:reply(reply) end
  local client = ofox.new(calls.with({ api_key = doctor.KEY, base_url = "https://gw.test/v1", transport = mock }, opts))
  return ofox.doctor(client, { lang = lang }), mock
end

--- Of a client of the real engine.
function doctor.examine_at(url, opts)
  return ofox.doctor(ofox.new(calls.with({ api_key = doctor.KEY, base_url = url, proxy = false }, opts)))
end

---@return string[]  "check level" of each finding
function doctor.levels(report)
  local list = {}
  for i, one in ipairs(report) do list[i] = one.check .. " " .. one.level end
  return list
end

return doctor
