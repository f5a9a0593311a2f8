-- The pages are true: their programs run, their links lead somewhere, and each
-- in doc/ is read in five minutes.
-- test: waits: the programs of the pages wait for retries
local markdown = require "support.markdown"
local pages = require "support.pages"
local proc = require "support.proc"
local simulator = require "support.simulator"

-- Words of a page, code and tables included.
local LONGEST = 1300

-- The files of spec/, but for this one, that name a page or a kind of programs.
local function users_of(path, language)
  local names = ("-e %s -e '%s'"):format(path:match("[^/]+$"), language)
  local pipe = assert(io.popen("grep -rlF " .. names .. " spec --include='*.lua'"))
  local found = pipe:read("*a"):gsub("spec/repository/docs_spec%.lua\n", "")
  pipe:close()
  return found
end

-- The programs of all pages, all at once: most of their time is waiting.
local PROGRAMS = {}
for _, path in ipairs(pages.list()) do
  for _, text in ipairs(markdown.blocks(markdown.parse(proc.read(path)), "lua")) do
    PROGRAMS[#PROGRAMS + 1] = { path = path, text = text }
  end
end

local sim
setup(function()
  sim = simulator.start()
  local texts = {}
  for i, program in ipairs(PROGRAMS) do texts[i] = program.text end
  for i, result in ipairs(pages.run(sim, texts)) do PROGRAMS[i].result = result end
end)
teardown(function() sim:stop() end)

for _, path in ipairs(pages.list()) do describe(path, function()
  local text = proc.read(path)
  local sections = markdown.parse(text)

  it("has programs that run as they stand", function()
    for _, program in ipairs(PROGRAMS) do
      if program.path == path then assert.is_true(program.result.ok, program.result.output .. "\n" .. program.text) end
    end
  end)

  -- ```lua vim, say: such programs are for a host, and a spec of that runs them
  it("has no program that no spec runs", function()
    for _, section in ipairs(sections) do
      for _, block in ipairs(section.code) do
        local language = block.language
        if language:find("^lua ") then assert.not_equal("", users_of(path, language), block.text) end
      end
    end
  end)

  it("has links that lead somewhere", function()
    for _, target in ipairs(pages.links(sections)) do assert.is_nil(pages.problem(path, target)) end
  end)

  if path:find("^doc/") and not path:find("README") then
    it("is read in five minutes", function()
      local words = pages.words(text)
      assert.is_true(words <= LONGEST, words .. " words")
    end)

    it("is linked from another page", function()
      for _, other in ipairs(pages.list()) do
        for _, target in ipairs(other ~= path and pages.links(markdown.parse(proc.read(other))) or {}) do
          if pages.follow(other, target) == path then return end
        end
      end
      error(path .. " is linked from nowhere")
    end)
  end
end) end

describe("the help in Neovim", function()
  it("names pages that there are", function()
    local count = 0
    for name in proc.read("doc/ofox.txt"):gmatch("\n    ([%w.-]+%.md) ") do
      assert.is_string(proc.read("doc/" .. name), name)
      count = count + 1
    end
    assert.is_true(count >= 10)
  end)
end)

describe("the check of the pages", function()
  it("sees programs that fail, and those that do not", function()
    local results = pages.run(sim, { "error 'no'", "assert(os.getenv 'OFOX_BASE_URL')" })
    assert.is_false(results[1].ok)
    assert.matches("no", results[1].output)
    assert.is_true(results[2].ok)
  end)

  it("finds links of text, tables and pictures, and not those of code", function()
    local sections = markdown.parse("[a](x.md#one) ![b](b.svg)\n\n| c |\n|---|\n| [d](d.md) |\n\n    [e](e.md)\n"
      .. '\n```lua\nlocal f = "[g](g.md)"\n```\n<img src="h.svg"><source srcset="i.svg">\n')
    assert.same({ "x.md#one", "b.svg", "d.md", "h.svg", "i.svg" }, pages.links(sections))
  end)

  it("knows which links lead nowhere", function()
    assert.is_nil(pages.problem("doc/errors.md", "../README.md"))
    assert.is_nil(pages.problem("doc/errors.md", "#the-classes"))
    assert.is_nil(pages.problem("README.md", "doc/errors.md#the-classes"))
    assert.is_nil(pages.problem("README.md", "examples/nginx"))
    assert.is_nil(pages.problem("README.md", "https://ofox.ai"))
    assert.equal("README.md: there is no doc/gone.md", pages.problem("README.md", "doc/gone.md"))
    assert.equal("doc/errors.md: there is no doc/README.md", pages.problem("doc/errors.md", "README.md"))
    assert.equal("README.md: doc/errors.md has no heading for #gone", pages.problem("README.md", "doc/errors.md#gone"))
  end)

  it("names headings as GitHub does", function()
    assert.equal("a-loop-of-your-own", pages.anchor "A loop of your own")
    assert.equal("when-do-tasks-run", pages.anchor "When do tasks run?")
    assert.equal("a-core-dump-on-luajit", pages.anchor "A core dump, on LuaJIT")
    assert.equal("ofoxdoctor-and-more_names", pages.anchor "`ofox.doctor` and [more_names](x.md)")
    assert.equal("安装与运行", pages.anchor "安装，与运行")
  end)

  it("counts words", function()
    assert.equal(4, pages.words("| one | two |\n|---|---|\n| `3` - | vier |"))
  end)
end)
