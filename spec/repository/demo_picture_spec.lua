-- The picture of the demo: that it is one, that it is of the demo as it is, and
-- how it is drawn.
local demo = require "support.demo"
local proc = require "support.proc"

describe("the picture of the demo (make picture)", function()
  local svg = proc.read "doc/demo.svg"

  -- Fails unless each tag is closed, in order, and nothing is left that XML would
  -- refuse.
  local function assert_well_formed(text)
    local open = {}
    local between = text:gsub("<(/?)([%a][%w]*)([^<>]*)>", function(closes, name, attributes)
      if closes == "/" then
        assert.equal(table.remove(open), name)
      elseif attributes:sub(-1) ~= "/" then
        open[#open + 1] = name
      end
      assert.equal("", (attributes:gsub("/$", ""):gsub('%s[%a:-]+="[^"<&]*"', "")))
      return ""
    end)
    assert.equal(0, #open)
    assert.is_nil(between:gsub("&%a+;", ""):find "[<&]")
  end

  -- A text as it would be on Lua 5.4.
  local function on_lua54(text)
    return (text:gsub("LuaJIT", "Lua 5.4"):gsub((demo.INTERPRETER:gsub("%p", "%%%0")), "lua5.4"))
  end

  -- The texts of a picture, as a set; numbers are one.
  local function said_in(text)
    local set = {}
    text = on_lua54(text)
    for words in text:gmatch "<text[^>]*>([^<]*)</text>" do
      words = words:gsub("&lt;", "<"):gsub("&gt;", ">"):gsub("&amp;", "&")
      set[demo.normal(words)] = true
    end
    return set
  end

  -- Each run of words that the demo says and that stays is in the picture.
  local function assert_says_all(set, output)
    local is_wait = false
    for _, line in ipairs(demo.lines(on_lua54(output))) do
      local mark = line:match "^  (%S+) "
      is_wait = mark == "●" or is_wait and line:find "^    " ~= nil and mark == nil
      local words = line:gsub("^  %S+ ", ""):gsub("^ +", "")
      for run_of_words in (is_wait and "" or words):gsub("   *", "\n"):gmatch "[^\n]+" do
        assert.is_true(set[demo.normal(run_of_words)], run_of_words)
      end
    end
  end

  it("is well formed and small", function()
    assert_well_formed(svg)
    assert.is_true(#svg < 150 * 1024, #svg)
  end)

  it("says what the demo says", function()
    assert_says_all(said_in(svg), (demo.unmoved()))
    assert.is_true(said_in(svg)["$ make demo"])
  end)

  it("follows the reader's scheme, and stands still where that is wished", function()
    assert.is_truthy(svg:find("@media (prefers-color-scheme: dark)", 1, true))
    local before, moving = svg:match "^(.*)@media %(prefers%-reduced%-motion: no%-preference%)(.*)$"
    assert.is_nil(before:find("animation", 1, true))
    local still = 0
    for class, off in moving:gmatch '<g class="(a%d+)( ?%a*)">' do
      assert.is_truthy(moving:find("@keyframes " .. class .. "{", 1, true), class)
      assert.is_truthy(moving:find("#all ." .. class .. "{animation-name:" .. class .. "}", 1, true), class)
      if off == "" then still = still + 1 end
    end
    assert.is_true(still > 20, still)
  end)

  describe("is drawn", function()
    local directory
    setup(function() directory = proc.directory() end)
    teardown(function() directory:remove() end)

    local function draw(out, times)
      local drawn, code = demo.run("lua5.4 .ci/picture/run " .. out .. " " .. times)
      assert.equal(0, code, drawn)
      assert_well_formed(drawn)
      return drawn
    end

    it("from a recording: what is painted over is seen in its time", function()
      local out = proc.write(directory.path .. "/out",
        "Script started on a day\none <&>\r\ntwo\r\n\27[1A\27[38;5;29mthree\27[0m ━━╸──\27[K\r\n")
      local times = proc.write(directory.path .. "/times", "0.0 9\n1.0 5\n1.0 60\n")
      local drawn = draw(out, times)
      assert.same({ ["one <&>"] = true, two = true, three = true }, said_in(drawn))
      -- the last of two seconds stays for six
      local class = drawn:match '<g class="(a%d+) off"><text[^>]*>two</text></g>'
      assert.is_truthy(drawn:find("@keyframes " .. class .. "{0%{opacity:0}12.5%{opacity:1}25%{opacity:0}}", 1, true))
      assert.matches('<g class="a%d+"><text class="k"[^>]*>three</text><path class=" thick" d="M[%d.]+ [%d.]+h21"/>',
        drawn)
    end)

    it("from a run of the demo", function()
      local out, times = directory.path .. "/demo", directory.path .. "/demo_times"
      local inner = "stty cols 80 rows 25; printf '$ make demo\\n'; exec " .. demo.command()
      local _, code = demo.run(("%sscript -q -e -m classic -O %s -T %s -c %s </dev/null >/dev/null")
        :format(demo.environment(), out, times, proc.quote(inner)))
      assert.equal(0, code)
      assert_says_all(said_in(draw(out, times)), (demo.unmoved()))
    end)
  end)
end)
