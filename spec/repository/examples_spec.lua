-- Every example runs, against the simulator, and stays short.
-- test: waits: for the examples
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
  ["examples/chat.lua"] = "you said: hello there",
  ["examples/tools.lua"] = "the tool said",
  ["examples/parallel.lua"] = "50/50, 0 failed",
  ["examples/cqueues.lua"] = "what is an event loop?",
  ["examples/luv.lua"] = "what is an event loop?",
  ["examples/frames.lua"] = "you said: who goes there?",
}

-- Folders: those of hosts that are no Lua are run by specs of their own; the
-- other is what simulator.lua is made of.
local FOLDERS = {
  love = "spec/hosts/love_spec.lua", nginx = "spec/hosts/nginx_spec.lua", nvim = "spec/hosts/nvim_spec.lua",
  simulator = "spec/repository/simulator_spec.lua",
}

-- What is typed into one that asks.
local INPUT = { ["examples/chat.lua"] = "hello there" }

describe("the examples", function()
  local sim, directory
  -- the directory first: its keeper would hold the simulator's lifeline
  setup(function() directory, sim = proc.directory(), simulator.start() end)
  teardown(function()
    sim:stop()
    directory:remove()
  end)

  local function input(text)
    return proc.write(directory.path .. "/input", text .. "\n")
  end

  it("examples/chat.lua goes on after an answer that broke off, and after an error", function()
    for model, expected in pairs { cut = "the answer broke off", ["status/401"] = "invalid_api_key" } do
      local ok, output = sim:run(("examples/chat.lua %s <%s"):format(model, input "a\nb"))
      assert.is_true(ok, output)
      local _, times = output:gsub(expected, "")
      assert.equal(2, times, output)
    end
  end)

  it("have no folder that no spec runs", function()
    local pipe = io.popen("ls -d examples/*/")
    for path in pipe:lines() do
      local name = path:match("^examples/(.*)/$")
      local spec = proc.read(assert(FOLDERS[name], path))
      assert.is_truthy(spec:find("examples/" .. name, 1, true), path)
    end
    pipe:close()
  end)

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
        local typed = INPUT[path] and " <" .. input(INPUT[path]) or ""
        local ok, output = sim:run(runner .. path .. typed, path == "examples/demo.lua")
        assert.is_true(ok, output)
        assert.is_nil(output:find("sk-sim-readme", 1, true))
        if EXPECTED[path] then assert.is_truthy(output:lower():find(EXPECTED[path], 1, true), output) end
      end)
    end
  end
end)
