-- The README is true: its programs run, its tables are those of the code,
-- every public name is in it.
local ofox = require "ofox"
local options = require "ofox.options"
local core = require("ofox.native")("core")
local proc = require "support.proc"
local simulator = require "support.simulator"

local README = proc.read("README.md")

-- Rows of the table under a heading cell: lists of trimmed cells.
local function rows(first_cell)
  local list = {}
  local from = README:find("| " .. first_cell .. " |", 1, true)
  local skip = 2
  for line in README:sub(from):gmatch("([^\n]*)\n") do
    if line:sub(1, 1) ~= "|" then break end
    skip = skip - 1
    if skip < 0 then
      local cells = {}
      for cell in line:gmatch("|%s*([^|]-)%s*%f[|]") do cells[#cells + 1] = cell end
      list[#list + 1] = cells
    end
  end
  return list
end

describe("the README", function()
  local sim
  setup(function() sim = simulator.start() end)
  teardown(function() sim:stop() end)

  it("has programs that run as they stand", function()
    local count = 0
    for block in README:gmatch("\n```lua\n(.-)\n```") do
      count = count + 1
      local file = os.tmpname()
      proc.write(file, block .. "\n")
      local ok, output = sim:run(file)
      os.remove(file)
      assert.is_true(ok, output .. "\n" .. block)
    end
    assert.is_true(count >= 8)
  end)

  it("shows code on its first screen", function()
    local _, lines = README:sub(1, (README:find("```lua", 1, true))):gsub("\n", "")
    assert.is_true(lines <= 20)
  end)

  it("lists the options as they are", function()
    local listed = rows("option")
    assert.equal(#options.rows, #listed)
    for i, row in ipairs(options.rows) do
      local mark = row.scope == "client" and "*" or row.scope == "call" and "†" or ""
      local default = row.shown
      if default == nil then
        default = row.default == nil and "none"
          or "`" .. (type(row.default) == "string" and '"' .. row.default .. '"' or tostring(row.default)) .. "`"
      end
      assert.same({ "`" .. row.name .. "`" .. mark, default, row.doc }, listed[i])
    end
  end)

  it("lists the classes of errors as they are", function()
    local listed = rows("class in `ofox.errors`")
    assert.equal(#core.classes, #listed)
    for i, class in ipairs(core.classes) do
      assert.equal("`" .. class.name .. "`", listed[i][1])
      assert.equal("`" .. class.type .. "`", listed[i][2])
      assert.equal(class.retryable and "yes" or "no", listed[i][4])
    end
  end)

  it("names every code of our own", function()
    local own = { timeout_error = true, connection_error = true, tls_error = true, response_error = true,
      authentication_error = true, stream_error = true }
    for _, outcome in ipairs(core.outcomes) do
      if own[outcome.type] and outcome.code ~= "proxy_authentication_required" then
        assert.is_truthy(README:find("`" .. outcome.code .. "`", 1, true), outcome.code)
      end
    end
  end)

  it("names every public name", function()
    local names = { "ofox.new", "ofox.mock", "errors.is", "mock:reply", "mock:install", "mock:now", "mock.requests",
      "mock:pending", "mock:reset", "token:cancel", "token:cancelled", "err:hint" }
    for name in proc.read("lua/ofox/init.lua"):gmatch("%-%-%-@field ([%w_]+)") do
      names[#names + 1] = "ofox." .. name
    end
    for name in pairs(getmetatable(ofox.new { api_key = false }).__index) do
      if name:sub(1, 2) ~= "__" then names[#names + 1] = "client:" .. name end
    end
    local response = require("ofox.response").wrap({}, {})
    for name in pairs(getmetatable(response).__index) do names[#names + 1] = name end
    local stream = getmetatable(require("ofox.stream").new { call = {}, request = {} })
    for name in pairs(stream.__index) do
      if name:sub(1, 2) ~= "__" then names[#names + 1] = "stream:" .. name end
    end
    for name in pairs(ofox.retry) do names[#names + 1] = "ofox.retry." .. name end
    for _, name in ipairs(names) do
      local escaped = name:gsub("%p", "%%%0")
      assert.is_truthy(README:find("%f[%w_]" .. escaped .. "%f[^%w_]"), name)
    end
  end)
end)
