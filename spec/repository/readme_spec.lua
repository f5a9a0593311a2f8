-- The READMEs are true: their programs run, their tables are those of the
-- code, every public name is in them, and both say the same.
-- test: waits: for the programs of the page
local ofox = require "ofox"
local options = require "ofox.request.options"
local core = require("ofox.base.native")("core")
local markdown = require "support.markdown"
local proc = require "support.proc"
local simulator = require "support.simulator"
local translation = require "support.translation"

local ENGLISH = proc.read("README.md")
local CHINESE = proc.read("doc/README.zh-CN.md")

local READMES = {
  { title = "the README", text = ENGLISH, classes = "class in `ofox.errors`", yes = "yes", no = "no" },
  { title = "the README in Chinese", text = CHINESE, classes = "`ofox.errors` 中的类", yes = "是", no = "否" },
}

local sim
setup(function() sim = simulator.start() end)
teardown(function() sim:stop() end)

for _, readme in ipairs(READMES) do describe(readme.title, function()
  local sections = markdown.parse(readme.text)

  it("has programs that run as they stand", function()
    local blocks = markdown.blocks(sections, "lua")
    for _, block in ipairs(blocks) do
      local file = os.tmpname()
      proc.write(file, block)
      local ok, output = sim:run(file)
      os.remove(file)
      assert.is_true(ok, output .. "\n" .. block)
    end
    assert.is_true(#blocks >= 8)
  end)

  it("shows code on its first screen", function()
    local _, lines = readme.text:sub(1, (readme.text:find("```lua", 1, true))):gsub("\n", "")
    assert.is_true(lines <= 20)
  end)

  it("lists the classes of errors as they are", function()
    local listed = markdown.rows(sections, readme.classes)
    assert.equal(#core.classes, #listed)
    for i, class in ipairs(core.classes) do
      assert.equal("`" .. class.name .. "`", listed[i][1])
      assert.equal("`" .. class.type .. "`", listed[i][2])
      assert.equal(class.retryable and readme.yes or readme.no, listed[i][4])
    end
  end)

  it("names every code of our own", function()
    local own = { timeout_error = true, connection_error = true, tls_error = true, response_error = true,
      authentication_error = true, stream_error = true }
    for _, outcome in ipairs(core.outcomes) do
      if own[outcome.type] and outcome.code ~= "proxy_authentication_required" then
        assert.is_truthy(readme.text:find("`" .. outcome.code .. "`", 1, true), outcome.code)
      end
    end
  end)

  it("names every public name", function()
    local names = { "ofox.new", "ofox.mock", "errors.is", "mock:reply", "mock:install", "mock:now", "mock.requests",
      "mock:unused", "mock:reset", "token:cancel", "token:cancelled", "err:hint" }
    for name in proc.read("lua/ofox/init.lua"):gmatch("%-%-%-@field ([%w_]+)") do
      names[#names + 1] = "ofox." .. name
    end
    for name in pairs(getmetatable(ofox.new { api_key = false }).__index) do
      if name:sub(1, 2) ~= "__" then names[#names + 1] = "client:" .. name end
    end
    local response = require("ofox.answer.response").wrap({}, {})
    for name in pairs(getmetatable(response).__index) do names[#names + 1] = name end
    local stream = getmetatable(require("ofox.call.stream").new {
      call = { texts = function() end, chunks = function() end }, template = { settings = {} },
    })
    for name in pairs(stream.__index) do
      if name:sub(1, 2) ~= "__" then names[#names + 1] = "stream:" .. name end
    end
    for name in pairs(ofox.retry) do names[#names + 1] = "ofox.retry." .. name end
    for _, name in ipairs(names) do
      local escaped = name:gsub("%p", "%%%0")
      assert.is_truthy(readme.text:find("%f[%w_]" .. escaped .. "%f[^%w_]"), name)
    end
  end)
end) end

describe("the README's options", function()
  it("are as they are", function()
    local listed = markdown.rows(markdown.parse(ENGLISH), "option")
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
end)

describe("the README in two languages", function()
  it("says the same in both", function()
    assert.same({}, translation.differences(ENGLISH, CHINESE))
  end)

  it("links one to the other", function()
    assert.is_truthy(ENGLISH:find("^[^\n]*\n\n%[中文%]%(doc/README%.zh%-CN%.md%)\n"))
    assert.is_truthy(CHINESE:find("^[^\n]*\n\n%[English%]%(%.%./README%.md%)\n"))
  end)

  for name, change in pairs {
    ["a default"] = { "`connect_timeout` | `10`", "`connect_timeout` | `20`" },
    ["a default in words"] = { "`fallback` | 无", "`fallback` | 系统自带" },
    ["the mark of an option"] = { "`verify`*", "`verify`" },
    ["the name of an option"] = { "| `on_wait` |", "| `on_waits` |" },
    ["an option less"] = { "| `verify`* | `true` | 是否验证服务器证书 |\n", "" },
    ["a unit"] = { "| 16 MiB |", "| 16 KiB |" },
    ["a limit"] = { "300 KiB", "200 KiB" },
    ["a status"] = { "| 502、520–524 |", "| 502、521–524 |" },
    ["a type of error"] = { "| `conflict_error` |", "| `conflict` |" },
    ["retryable or not"] = { "| 409 | 是 |", "| 409 | 否 |" },
    ["a section less"] = { "\n## 限制\n", "\n" },
    ["a program less"] = { "```lua", "```text" },
    ["other code"] = { "max_retries = 1 }", "max_retries = 2 }" },
    ["another name in a string"] = { '"status/503"', '"status/504"' },
    ["another format in a string"] = { "第 %d 次", "第 %s 次" },
    ["another command"] = { "make install", "make all" },
  } do
    it("would differ in " .. name, function()
      local first, last = CHINESE:find(change[1], 1, true)
      assert.is_number(first)
      local changed = CHINESE:sub(1, first - 1) .. change[2] .. CHINESE:sub(last + 1)
      assert.is_true(#translation.differences(ENGLISH, changed) > 0)
    end)
  end
end)
