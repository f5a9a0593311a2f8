-- The compiler of LuaJIT's 2.1.0-beta3 is wrong about loops of pairs and next
-- on x86-64: none of ours may run compiled there (lua/ofox/base/uncompiled.lua).
local child = require "support.child"

local jit = rawget(_G, "jit")
local is_affected = jit and jit.arch == "x64" and jit.version:find("2.1.0-beta3", 1, true) ~= nil

-- Streams of every shape, many times over, in a process that tells which of
-- the functions of ofox were recorded for the compiler.
local PROGRAM = [[
local recorded = {}
if jit then
  jit.opt.start("hotloop=3", "hotexit=2")
  require("jit.util")
  jit.attach(function(what, _, func)
    if what ~= "record" and what ~= "start" or type(func) ~= "function" then return end
    local info = require("jit.util").funcinfo(func)
    if info.source then recorded[info.source] = true end
  end, "record")
end
local ofox = require "ofox"
local mock = require("ofox.mock").new()
local client = ofox.new{ api_key = "sk-test-0123456789", transport = mock, errors = "return" }
local function delta(fields) return { choices = {{ index = 0, delta = fields }}, id = "c1", model = "m" } end
local function events(n, fail)
  local list = { delta{ role = "assistant", content = "" } }
  for i = 1, n do
    list[#list + 1] = delta{ content = "word " .. i }
    list[#list + 1] = delta{ reasoning_content = "because " .. i }
    list[#list + 1] = delta{ tool_calls = {{ index = i % 3, id = i <= 3 and "call_" .. i or nil,
      ["function"] = { name = i <= 3 and "f" or nil, arguments = "{" } }} }
  end
  if not fail then list[#list + 1] = { choices = {{ index = 0, delta = {}, finish_reason = "stop" }} } end
  return list
end
local ok = 0
for round = 1, ROUNDS do
  local fail = round % 4 == 0 and "reset" or nil
  mock:reply{ sse = events(120, fail), fail = fail }
  local stream = client:stream{ model = "m", messages = {} }
  local answer, err = stream:collect()
  if fail and #err.partial.tool_calls == 3 or not fail and #answer:tool_calls() == 3 then ok = ok + 1 end
  mock:reply{ body = { choices = {{ message = { content = "x" } }} }, headers = { a = "1", b = "2" } }
  client:chat({ model = "m", messages = {}, metadata = { a = "1", b = "2" } },
    { headers = { x = "y" }, query = { q = "1" } })
end
local ours = {}
for source in pairs(recorded) do
  if source:find("lua/ofox/", 1, true) then ours[#ours + 1] = source end
end
table.sort(ours)
print(ok == ROUNDS and "all right" or ok, table.concat(ours, " "))
]]

describe("[R1] LuaJIT", function()
  it("adds up hostile streams without a crash, run after run", function()
    for _ = 1, jit and 10 or 1 do
      local result = child.run{ code = (PROGRAM:gsub("ROUNDS", "40")) }
      assert.are.equal(0, result.status, result.errors)
      assert.is_truthy(result.output:find("^all right"), result.output)
    end
  end)

  if is_affected then
    it("compiles no file of ours that has a loop of pairs or next", function()
      local result = child.run{ code = (PROGRAM:gsub("ROUNDS", "40")) }
      for path in result.output:match("\t(.*)"):gmatch("lua/ofox/[%w_/]+%.lua") do
        local file = assert(io.open(path))
        local text = file:read("*a"):gsub("%-%-[^\n]*", "")
        file:close()
        assert.is_nil((" " .. text):match("[^%w_.:]pairs%s*[(,]") or (" " .. text):match("[^%w_.:]next%s*[(,]"), path)
      end
    end)
  end
end)
