-- What on_retry answers means the same to a client's calls and to ofox.retry.call.
local assert = require "luassert"
local mock = require "ofox.mock"
local ofox = require "ofox"

local POLICY = { base = 1, factor = 1, max_delay = 1, jitter = "none" }

-- How it went: the seconds that were waited, or what was raised.
local function of_client(answer)
  local transport = mock.new()
  transport:reply { status = 500, body = "{}" }
  transport:reply { status = 200, body = '{"id":"x","choices":[]}' }
  local client = ofox.new {
    api_key = "k-0123456789", transport = transport, retry = POLICY, errors = "return",
    on_retry = function() return answer end,
  }
  local began = transport:now()
  local ok, value = pcall(client.chat, client, { model = "m", messages = { { role = "user", content = "hi" } } })
  if not ok then return value end
  return value and transport:now() - began or false
end

local function of_function(answer)
  local slept, calls = 0, 0
  local policy = { on_retry = function() return answer end, sleep = function(seconds) slept = slept + seconds end }
  for name, value in pairs(POLICY) do policy[name] = value end
  local ok, value = pcall(ofox.retry.call, function()
    calls = calls + 1
    if calls == 1 then error({ retryable = true }, 0) end
    return "done"
  end, policy)
  if ok then return slept end
  return type(value) == "string" and value or false
end

describe("on_retry answers", function()
  for _, case in ipairs {
    { "nil", nil, 1 }, { "true", true, 1 }, { "0", 0, 1 }, { "less than planned", 0.5, 1 },
    { "more than planned", 7, 7 }, { "false", false, false }, { "math.huge", math.huge, false },
    { "a negative number", -1, "on_retry: expected nil, false or a number of seconds, got -1" },
    { "NaN", 0 / 0, "on_retry: expected nil, false or a number of seconds, got NaN" },
    { "a string", "5", 'on_retry: expected nil, false or a number of seconds, got "5"' },
    { "a table", {}, "on_retry: expected nil, false or a number of seconds, got a table" },
  } do
    it(case[1] .. ": to a client", function() assert.equal(case[3], of_client(case[2])) end)

    it(case[1] .. ": to ofox.retry.call", function() assert.equal(case[3], of_function(case[2])) end)
  end
end)

describe("x-should-retry", function()
  local function client_retries(said)
    local transport = mock.new()
    transport:reply { status = 500, headers = { ["x-should-retry"] = said }, body = "{}" }
    transport:reply { status = 200, body = '{"id":"x","choices":[]}' }
    local client = ofox.new { api_key = "k-0123456789", transport = transport, retry = POLICY, errors = "return" }
    return client:chat { model = "m", messages = { { role = "user", content = "hi" } } } ~= nil
  end

  for said, retries in pairs {
    ["false"] = false, FALSE = false, False = false, [" false "] = false, ["true"] = true, TRUE = true, ["0"] = true,
    no = true, [""] = true,
  } do
    it(("[B2] %q is the same to a client and to retry.plan"):format(said), function()
      local plan = ofox.retry.plan(POLICY, { retryable = true, status = 500, headers = { ["x-should-retry"] = said } })
      assert.equal(retries, plan.retry)
      assert.equal(retries, client_retries(said))
    end)
  end
end)
