-- The READMEs are short, have code at once, lead to all pages, and both say the
-- same. That their programs run
-- and their links lead somewhere is in docs_spec.lua, that their tables are
-- those of the code in tables_spec.lua.
-- test: once: it reads pages
local markdown = require "support.markdown"
local pages = require "support.pages"
local proc = require "support.proc"
local translation = require "support.translation"

local ENGLISH = proc.read("README.md")
local CHINESE = proc.read("doc/README.zh-CN.md")

local LONGEST = 230 -- lines

-- The headings that a README's contents should link to, and those that they do.
local function contents(sections)
  local headings, linked = {}, {}
  for _, section in ipairs(sections) do
    local links = {}
    for _, target in ipairs(pages.links { section }) do links[#links + 1] = target:match("^#(.*)") end
    local is_contents = #links >= 3 and #linked == 0
    if is_contents then linked = links end
    if section.level == 2 and not is_contents then headings[#headings + 1] = pages.anchor(section.title) end
  end
  return headings, linked
end

for title, text in pairs { ["the README"] = ENGLISH, ["the README in Chinese"] = CHINESE } do
  describe(title, function()
    it("shows code on its first screen", function()
      local _, lines = text:sub(1, (text:find("```lua", 1, true))):gsub("\n", "")
      assert.is_true(lines <= 20)
    end)

    it("is short", function()
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines <= LONGEST, lines .. " lines")
    end)

    it("has a table of contents with all its sections", function()
      local headings, linked = contents(markdown.parse(text))
      assert.same(headings, linked)
    end)

    it("has programs for a call, a stream and an error", function()
      local programs = table.concat(markdown.blocks(markdown.parse(text), "lua"))
      for _, name in ipairs { "ofox.new", ":chat{", ":stream{", ":read()", "output_text()", "err" } do
        assert.is_truthy(programs:find(name, 1, true), name)
      end
    end)
  end)
end

describe("the README in two languages", function()
  it("says the same in both", function()
    assert.same({}, translation.differences(ENGLISH, CHINESE))
  end)

  it("leads to every page but that for authors, which is linked from debugging.md", function()
    local linked = { ["doc/developing.md"] = true }
    for _, target in ipairs(pages.links(markdown.parse(ENGLISH))) do
      local path = pages.follow("README.md", target)
      if path then linked[path] = true end
    end
    for _, path in ipairs(pages.list()) do
      if path:find("^doc/") then assert.is_true(linked[path] or false, path) end
    end
  end)

  it("links one to the other", function()
    assert.is_truthy(ENGLISH:find("](doc/README.zh-CN.md)", 1, true))
    assert.is_truthy(CHINESE:find("](../README.md)", 1, true))
  end)
end)

describe("the table of contents", function()
  local TEXT = "# x\n\n- [One](#one)\n- [Two](#two-things)\n- [Three](#three)\n\n"
    .. "## One\n\n## Two things\n\n### A\n\n## Three\n"

  it("is what links to the sections", function()
    local headings, linked = contents(markdown.parse(TEXT))
    assert.same({ "one", "two-things", "three" }, headings)
    assert.same(headings, linked)
    headings, linked = contents(markdown.parse((TEXT:gsub("# x", "# x\n\n## Contents"))))
    assert.same(headings, linked)
  end)

  it("would lack a section", function()
    local headings, linked = contents(markdown.parse(TEXT .. "\n## Four\n"))
    assert.not_same(headings, linked)
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

| page | for |
|---|---|
| [One](doc/json.md) | JSON |
| [Two](doc/tasks.md) | tasks |
| [`hello.lua`](examples/hello.lua) | hello |

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

| 页面 | 用途 |
|---|---|
| [一](json.md) | JSON |
| [二](tasks.md) | 任务 |
| [`hello.lua`](../examples/hello.lua) | 示例 |

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
    ["another link of a cell"] = { "(../examples/hello.lua)", "(../examples/chat.lua)" },
    ["links of cells that change places"] = { "[一](json.md) | JSON |\n| [二](tasks.md)",
      "[一](tasks.md) | JSON |\n| [二](json.md)" },
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
