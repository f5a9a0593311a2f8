-- Every example runs, against the simulator, and stays short.
local proc = require "support.proc"
local simulator = require "support.simulator"

local function files()
  local pipe = io.popen("ls examples/*.lua")
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

-- What an example must print; those not named need only end well.
local EXPECTED = {
  ["examples/demo.lua"] = "this is the simulator",
}

describe("the examples", function()
  local sim
  setup(function() sim = simulator.start() end)
  teardown(function() sim:stop() end)

  for _, path in ipairs(files()) do
    local text = proc.read(path)
    it(path .. " has at most 60 lines and says what it is", function()
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines <= 60, lines .. " lines")
      assert.equal("--", text:sub(1, 2))
    end)
    if path ~= "examples/simulator.lua" then
      it(path .. " runs", function()
        -- a test of a user's program is run as one
        local runner = path == "examples/mock_test.lua" and "/usr/bin/busted " or ""
        local ok, output = sim:run(runner .. path, path == "examples/demo.lua")
        assert.is_true(ok, output)
        assert.is_nil(output:find("sk-sim-readme", 1, true))
        if EXPECTED[path] then assert.is_truthy(output:lower():find(EXPECTED[path], 1, true), output) end
      end)
    end
  end
end)
