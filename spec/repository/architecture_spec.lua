-- doc/architecture.md names files and functions: they are there.
-- test: once: it reads a page
local assert = require "luassert"

local function content(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

local page = assert(content "doc/architecture.md")

-- Is the function, called as the page calls it, defined in the text?
local function defines(text, name)
  local last = name:gsub("%p", "%%%0")
  return text:find("\n%a[%w_* ]*%f[%w_]" .. last .. "%(") ~= nil
end

describe("doc/architecture.md", function()
  local names = 0
  for path, name in page:gmatch "`([%w_.-]+/[%w_./-]+%.%l+):?([%w_.:]*)`" do
    names = names + 1
    it(("names %s %s"):format(path, name), function()
      local text = content(path)
      assert.is_string(text, path .. " is not there")
      if name ~= "" then assert.is_true(defines(text, name), name .. " is not in " .. path) end
    end)
  end

  it("names files at all", function() assert.is_true(names > 40) end)

  it("knows what is not there", function()
    assert.is_false(defines("\nint ofox_b(int x) {\n", "ofox_a"))
    assert.is_false(defines("\nint ofox_b(int x) {\n  ofox_a(x);\n}\n", "ofox_a"))
    assert.is_true(defines("\nint ofox_b(int x) {\n", "ofox_b"))
    assert.is_true(defines("\nfunction Run:wait()\n", "Run:wait"))
  end)

  it("names each rule of the house", function()
    for rule in page:match("`make check` proves.-\n\n"):gmatch "[`(, ]`([%l_]+)`" do
      assert.is_string(content(".ci/house/rules/" .. rule .. ".lua"), rule)
    end
  end)

  it("is linked from both READMEs", function()
    assert.matches("(doc/architecture.md)", content "README.md", 1, true)
    assert.matches("(architecture.md)", content "doc/README.zh-CN.md", 1, true)
  end)
end)
