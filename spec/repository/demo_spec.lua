-- The demo: in terminals of several widths, where a screen without glass sees
-- what a person would, and without a terminal. All at many times its speed.
local demo = require "support.demo"
local proc = require "support.proc"
local simulator = require "support.simulator"

local SCENES = {
  "An error says what to do", "A rate limit: the server says when to come back",
  "A storm of 503: the waits grow until an answer comes", "A model that is down: another one answers",
  "A stream that breaks: what has arrived is kept", "Nine streams side by side, in one thread", "In all", "Try next",
}

-- How often each word is said, in lines that stay: without marks, and without
-- those of waits, which are not said where they are shown.
local function words_of(lines)
  local count, is_wait = {}, false
  for _, line in ipairs(lines) do
    local mark = line:match("^  (%S+) ")
    if mark or not line:find("^    ") then is_wait = mark == "●" or mark == "~" end
    if not is_wait then
      for word in demo.normal(line:gsub("^  %S+ ", "    ")):gmatch("[%a_][%w_.'-]*") do
        count[word] = (count[word] or 0) + 1
      end
    end
  end
  return count
end

-- The place of each title.
local function titles(lines)
  local places, from = {}, 1
  for i, title in ipairs(SCENES) do
    for row = from, #lines do
      if lines[row]:gsub("^%s*%d?%s*", "") == title then
        places[i], from = row, row + 1
        break
      end
    end
    assert(places[i], title)
  end
  return places
end

-- Nothing is left of what moved: no colour, no hidden cursor.
local function assert_tidy(screen, output)
  assert.same({ true, "", "" }, { screen.cursor, screen.style, screen.rest })
  for line in output:gmatch("[^\n]+") do
    assert.is_truthy(select(2, line:gsub("\27%[[%d;]+m", "")) == 2 * select(2, line:gsub("\27%[0m", "")), line)
  end
end

-- Ctrl-C has ended the demo: one word, and nothing else.
local function assert_stopped(screen, output, code)
  assert.equal(130, code, output)
  assert_tidy(screen, output)
  assert.matches("\n  – stopped\n*$", table.concat(screen:texts(), "\n"))
  assert.is_nil(output:find("traceback", 1, true))
  assert.is_nil(output:find(".lua:", 1, true))
end

describe("the demo without a terminal", function()
  local output, code
  setup(function() output, code = demo.unmoved() end)

  it("is plain: no escape codes, no carriage returns, no line of more than 80 columns", function()
    assert.equal(0, code, output)
    assert.is_nil(output:find("[\27\r]"))
    for _, line in ipairs(demo.lines(output)) do
      assert.is_true(#line:gsub("[\128-\191]", "") <= 80, line)
    end
  end)

  it("has its scenes in order", function() titles(demo.lines(output)) end)

  it("says each wait, and whose word it is", function()
    assert.matches("429 rate_limit_error, waiting %d%.%d s: attempt 2 follows; the server said", output)
    for attempt = 2, 6 do
      assert.is_truthy(output:find(("503 service_unavailable, waiting %%d%%.%%d s: attempt %d follows; our own backoff")
        :format(attempt)), attempt)
    end
    assert.matches("answered on attempt 6, after waits of [%d., ]+ s", output)
  end)

  it("says what an error means, what came of a stream, and what it all took", function()
    for _, said in ipairs {
      "401 authentication_error: Invalid API key provided.", "hint: Check that the API key",
      "sim/bad-gateway: 502 upstream_error", "openai/gpt-4o-mini answered, at once",
      "The tide went out as usual, but this time\n", "the 9 words that arrived",
      "Pluto    A planet until                                           cancelled\n",
      "14 calls: 11 answered, 3 failed on purpose; 22 attempts",
    } do
      assert.is_truthy(output:find(said, 1, true), said)
    end
  end)

  it("has each planet's whole answer", function()
    local script = assert(loadfile "examples/demo/script.lua")()(1)
    for i = 1, 8 do
      assert.is_truthy(output:find(script.planets[i].headers["x-sim-say"], 1, true), script.planets[i].name)
    end
  end)

  it("ends with commands that work", function()
    local sim, tried = simulator.start(), 0
    finally(function() sim:stop() end)
    for command in output:gmatch("\n    (%S+ examples/%S+%.lua)") do
      local path = command:match("%S+$")
      assert.equal(demo.INTERPRETER .. " " .. path, command)
      local ok, said = sim:run(path .. (path:find "simulator" and " --help" or "") .. " </dev/null")
      assert.is_true(ok, said)
      tried = tried + 1
    end
    assert.equal(3, tried)
  end)

  it("says in one sentence that ofox is not built", function()
    local directory = proc.directory()
    assert(demo.run(("cp -r examples lua %s"):format(directory.path)) == "")
    local said, status = demo.run(("cd %s && %s%s examples/demo.lua 2>&1"):format(directory.path, demo.environment(),
      demo.INTERPRETER))
    directory:remove()
    assert.equal(1, status)
    assert.matches("^ofox%.core is not built [^\n]+\n$", said)
  end)

  it("runs from any folder", function()
    local pipe = assert(io.popen "pwd")
    local here = pipe:read("*l")
    pipe:close()
    local said, status = demo.run(("cd / && %s%s %s/examples/demo.lua %d 2>&1"):format(demo.environment(),
      demo.INTERPRETER, proc.quote(here), demo.SPEED))
    assert.equal(0, status, said)
    titles(demo.lines(said))
  end)
end)

describe("the demo in a terminal", function()
  local plain, directory, usual, usual_output
  setup(function()
    plain, directory = words_of(demo.lines((demo.unmoved()))), proc.directory()
    usual, usual_output = demo.watch(80)
  end)
  teardown(function() directory:remove() end)

  -- The environment in which a command of the shell runs when the demo first
  -- writes some words.
  local function at(words, command)
    return "LUA_INIT=@" .. proc.write(directory.path .. "/hook.lua", ([[
      local write, is_done = io.write, false
      function io.write(...)
        if not is_done and table.concat({ ... }):find(%q, 1, true) then
          is_done = true
          io.popen(%q):close()
        end
        return write(...)
      end]]):format(words, command))
  end

  for _, columns in ipairs { 40, 60, 80, 120 } do
    it(("of %d columns says the same, in lines that break between words"):format(columns), function()
      local screen, output, code = demo.watch(columns)
      assert.equal(0, code, output)
      assert.is_true(screen.widest < columns, screen.widest)
      assert.same(plain, words_of(screen:texts()))
      assert_tidy(screen, output)
    end)
  end

  it("has the scenes in order, and a storm of 503 in one line", function()
    local lines = usual:texts()
    local places = titles(lines)
    assert.matches("^  ✓ answered on attempt 6", lines[places[3] + 2])
    assert.equal(places[3] + 4, places[4])
    for attempt = 2, 6 do
      assert.is_truthy(usual_output:find(("attempt %d follows; our own backoff"):format(attempt), 1, true), attempt)
      assert.is_truthy(usual_output:find(("asking openai/gpt-4o-mini, attempt %d"):format(attempt), 1, true), attempt)
    end
    assert.is_nil(table.concat(lines, "\n"):find("follows", 1, true))
  end)

  it("shows a wait with a bar, the seconds, and whose word they are", function()
    local row = usual_output:match("\r([^\r\n]*━[^\r\n]*the server said [^\r\n]*)")
    local screen = demo.see(80, 60, row)
    local drawn = screen:text(1):gsub("━", "#"):gsub("╸", "#"):gsub("─", "-")
    assert.matches("^  ● 429 #+%-*  %d%.%d s  attempt 2 follows; the server said %d", drawn)
    local _, output = demo.watch(40)
    assert.matches("━[^\n]*%d%.%d s[^\n]*\n    attempt 2 follows; the server said[^\n]*\n    %d", output)
  end)

  it("has colours, which can be read on light and on dark ground", function()
    for _, colour in ipairs { "38;5;167", "38;5;29", "38;5;32", "38;5;166", "38;5;243" } do
      assert.is_truthy(usual_output:find("\27[" .. colour .. "m", 1, true), colour)
    end
    local _, output = demo.watch(80, "TERM=xterm")
    assert.is_nil(output:find("38;5", 1, true))
    assert.is_truthy(output:find("\27[31m", 1, true))
  end)

  it("has none where NO_COLOR is set, but moves", function()
    local _, output, code = demo.watch(80, "NO_COLOR=1")
    assert.equal(0, code, output)
    assert.is_nil(output:find("\27%[[%d;]*m"))
    assert.is_truthy(output:find("\27[1A", 1, true))
    _, output = demo.watch(80, "NO_COLOR=")
    assert.is_truthy(output:find("\27[38;5;29m", 1, true))
  end)

  it("is plain where the terminal is dumb", function()
    local screen, output, code = demo.watch(80, "TERM=dumb")
    assert.equal(0, code, output)
    assert.is_nil(output:find("\27", 1, true))
    assert.same(plain, words_of(screen:texts()))
  end)

  it("is ASCII where the locale is", function()
    local screen, output, code = demo.watch(80, "LC_ALL= LANG=C")
    assert.equal(0, code, output)
    assert.is_nil(output:find("[\128-\255]"))
    assert.is_truthy(output:find "#+%-*")
    assert.same(plain, words_of(screen:texts()))
  end)

  it("takes a new width with the next scene", function()
    local screen, output, code = demo.watch(80, at("A storm of 503", "stty cols 50 </dev/tty"))
    assert.equal(0, code, output)
    assert.is_true(screen.widest > 50)
    local is_narrow = false
    for _, line in ipairs(screen:texts()) do
      is_narrow = is_narrow or line:find("A model that is down", 1, true) ~= nil
      assert.is_true(not is_narrow or #line:gsub("[\128-\191]", "") < 50, line)
    end
    assert.is_true(is_narrow)
  end)

  it("is left by Ctrl-C as it was found", function()
    local keys = directory.path .. "/keys"
    assert(demo.run("mkfifo " .. keys) == "")
    local pipe = assert(io.popen(demo.in_terminal(80, 60, nil, demo.command(0.05)) .. " <" .. keys .. "; echo \" $?\""))
    local keyboard = assert(io.open(keys, "w"))
    local output = ""
    repeat
      local byte = pipe:read(1)
      output = output .. (byte or "")
    until not byte or output:find("asking", 1, true)
    keyboard:write("\3")
    keyboard:flush()
    output = output .. pipe:read("*a")
    keyboard:close()
    pipe:close()
    local shown, code = output:match("^(.*) (%d+)\n$")
    assert_stopped(demo.see(80, 60, (shown:gsub("%^C", ""))), shown, tonumber(code))
    assert.is_nil(output:find("A rate limit", 1, true))
  end)

  for name, words in pairs { ["a wait"] = "attempt 3 follows", ["streams side by side"] = "Pluto" } do
    it("is left by Ctrl-C during " .. name .. ", too", function()
      local screen, output, code = demo.watch(80, at(words, "kill -INT $PPID"))
      assert_stopped(screen, output, code)
      assert.is_nil(output:find("Try next", 1, true))
    end)
  end
end)

describe("the rows that live", function()
  local live, text

  setup(function()
    local former = package.loaded["demo.text"]
    text = assert(loadfile "examples/demo/text.lua")()
    package.loaded["demo.text"] = text
    live = assert(loadfile "examples/demo/live.lua")()
    package.loaded["demo.text"] = former
  end)

  -- What it writes for rows of so many columns, each {width of the terminal, columns}.
  local function painted(...)
    local terminal, said = { height = 24, paint = function(_, _, words) return words end }, nil
    local rows = live.new(terminal)
    function terminal.write(_, bytes) said = bytes end
    for _, pair in ipairs { ... } do
      terminal.width, terminal.line = pair[1], pair[1] - 1
      local list = {}
      for i = 2, #pair do list[i - 1] = { { nil, ("x"):rep(pair[i]) } } end
      rows:paint(list)
    end
    return said
  end

  it("are cut to the terminal's width, and painted over", function()
    assert.equal("\27[?25l\r" .. ("x"):rep(39) .. "\27[K\nxx\27[K\n\27[J", painted { 40, 70, 2 })
    assert.matches("^\27%[%?25l\27%[2A\r", painted({ 40, 70, 2 }, { 40, 1, 1 }))
  end)

  it("are found again where the terminal has become narrower", function()
    assert.matches("^\27%[%?25l\27%[4A\r", painted({ 80, 79, 50, 0 }, { 50, 1 }))
    assert.matches("^\27%[%?25l\27%[2A\r", painted({ 50, 49, 20 }, { 80, 1 }))
  end)

  it("are no more than fit on the screen", function()
    local many = { 40 }
    for i = 1, 30 do many[i + 1] = i end
    local _, rows = painted(many):gsub("\n", "")
    assert.equal(23, rows)
  end)

  it("know how wide characters are, and show no control characters", function()
    assert.same({ 5, 4, 2, 3 }, { text.width "hello", text.width "你好", text.width "🦊", text.width "é–z" })
    assert.same({ "你", "好" }, { text.cut("你好", 3) })
    assert.same({ "ab cd", "efghi", "jk", "你好", "你" }, text.wrap("ab cd\nefghijk  你好你", 5))
    assert.same({ "" }, text.wrap("", 5))
    assert.equal("a [31mb c é", text.clean("a\27[31mb\194\155c é", true))
    assert.equal("?-?", text.clean("é-你", false))
  end)
end)

describe("the demo with a key", function()
  it("makes two small calls to the gateway, and shows no key", function()
    local sim = simulator.start()
    local output, code = demo.unmoved("OFOX_API_KEY=sk-sim-demo OFOX_BASE_URL=" .. sim.url)
    sim:stop()
    assert.equal(0, code, output)
    assert.matches("two small calls to the real gateway", output)
    assert.matches("This is the simulator%. You said: In one sentence", output)
    assert.matches("2 calls: 1 answered, 1 failed on purpose; 2 attempts", output)
    assert.is_nil(output:find("sk-sim-demo", 1, true))
  end)

  it("ends with an error and its hint where the gateway cannot be reached", function()
    local directory = proc.directory()
    local hook = proc.write(directory.path .. "/hook.lua", [[
      package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
      local ofox = require "ofox"
      local new = ofox.new
      function ofox.new(options)
        options.max_retries, options.retry = 1, { base = 0.02, jitter = "none" }
        return new(options)
      end]])
    local output, code = demo.unmoved("LUA_INIT=@" .. hook
      .. " OFOX_API_KEY=sk-sim-demo OFOX_BASE_URL=http://127.0.0.1:1/v1")
    directory:remove()
    assert.equal(1, code, output)
    assert.matches("refused connection_error, waiting 0%.0 s: attempt 2 follows; our own backoff", output)
    assert.matches("failed: ofox: connection_error refused: ", output)
    assert.matches("hint: %S", output)
    assert.is_nil(output:find("traceback", 1, true))
    assert.is_nil(output:find("sk-sim-demo", 1, true))
  end)
end)

describe("what the demo shows", function()
  it("is what it runs", function()
    local checked = 0
    for _, name in ipairs { "scenes", "side_by_side", "streams" } do
      local source = proc.read("examples/demo/" .. name .. ".lua")
      for quote, code in source:gmatch("code = (['\"])(.-)%1[ ,}]") do
        local _, times = source:gsub(code:gsub("%p", "%%%0"), "")
        assert.is_true(times >= 2, quote .. code)
        checked = checked + 1
      end
    end
    assert.equal(7, checked)
  end)
end)
