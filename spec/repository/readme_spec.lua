-- The READMEs have code at once, and both say the same. That their programs run
-- and their links lead somewhere is in docs_spec.lua, that their tables are
-- those of the code in tables_spec.lua.
-- test: once: it reads pages
local markdown = require "support.markdown"
local proc = require "support.proc"
local translation = require "support.translation"

local ENGLISH = proc.read("README.md")
local CHINESE = proc.read("doc/README.zh-CN.md")

for title, text in pairs { ["the README"] = ENGLISH, ["the README in Chinese"] = CHINESE } do
  describe(title, function()
    it("shows code on its first screen", function()
      local _, lines = text:sub(1, (text:find("```lua", 1, true))):gsub("\n", "")
      assert.is_true(lines <= 20)
    end)

    it("has programs for a call, a stream and an error", function()
      local programs = table.concat(markdown.blocks(markdown.parse(text), "lua"))
      for _, name in ipairs { "ofox.new", ":chat{", ":stream{", ":text()", "output_text()", "err" } do
        assert.is_truthy(programs:find(name, 1, true), name)
      end
    end)
  end)
end

describe("the README in two languages", function()
  it("says the same in both", function()
    assert.same({}, translation.differences(ENGLISH, CHINESE))
  end)

  it("links one to the other", function()
    assert.is_truthy(ENGLISH:find("](doc/README.zh-CN.md)", 1, true))
    assert.is_truthy(CHINESE:find("](../README.md)", 1, true))
  end)
end)

describe("a translation", function()
  local ONE = [[
# ofox

At most 300 KiB, see `ofox.doctor` and [Errors](doc/errors.md#the-classes).

    make install      # as root

## Options

| option | default | meaning |
|---|---|---|
| `timeout` | `60` | seconds |
| `fallback` | none | models |
| `ca_file` | the system's | 502, 520–524 |

```lua
local client = ofox.new{ max_retries = 2 }        -- twice
print(("attempt %d of %s"):format(1, "status/503"))
```
]]
  local OTHER = [[
# ofox

最多 300 KiB，见 `ofox.doctor` 和[错误](errors.md#the-classes)。

    make install      # 以 root 身份

## 选项

| 选项 | 默认值 | 含义 |
|---|---|---|
| `timeout` | `60` | 秒 |
| `fallback` | 无 | 模型 |
| `ca_file` | 系统自带 | 502、520–524 |

```lua
local client = ofox.new{ max_retries = 2 }        -- 两次
print(("第 %d 次，%s"):format(1, "status/503"))
```
]]

  it("may be in other words", function()
    assert.same({}, translation.differences(ONE, OTHER))
  end)

  for name, change in pairs {
    ["a default"] = { "`timeout` | `60`", "`timeout` | `20`" },
    ["a default in words"] = { "`fallback` | 无", "`fallback` | 系统自带" },
    ["the name of an option"] = { "| `fallback` |", "| `fallbacks` |" },
    ["an option less"] = { "| `fallback` | 无 | 模型 |\n", "" },
    ["a unit"] = { "300 KiB", "300 MiB" },
    ["a limit"] = { "300 KiB", "200 KiB" },
    ["a status"] = { "502、520–524", "502、521–524" },
    ["a name"] = { "`ofox.doctor`", "`ofox.doctors`" },
    ["a section less"] = { "\n## 选项\n", "\n" },
    ["a program less"] = { "```lua", "```text" },
    ["other code"] = { "max_retries = 2", "max_retries = 3" },
    ["another name in a string"] = { '"status/503"', '"status/504"' },
    ["another format in a string"] = { "第 %d 次", "第 %s 次" },
    ["another command"] = { "make install", "make all" },
    ["another page"] = { "(errors.md", "(retries.md" },
    ["another heading of a page"] = { "#the-classes", "#the-fields" },
    ["a link less"] = { "[错误](errors.md#the-classes)", "错误" },
  } do
    it("would differ in " .. name, function()
      local first, last = OTHER:find(change[1], 1, true)
      assert.is_number(first)
      local changed = OTHER:sub(1, first - 1) .. change[2] .. OTHER:sub(last + 1)
      assert.is_true(#translation.differences(ONE, changed) > 0)
    end)
  end
end)
