-- Inside Neovim, whose loop drives ofox: real ones, without a screen and in a
-- terminal.
-- test: waits long: for timers of an editor
if not rawget(_G, "jit") then return end -- Neovim's Lua is LuaJIT: it needs that build

local neovim = require "support.neovim"
local proc = require "support.proc"
local server = require "support.server"

local succeed = neovim.succeed

local s
setup(function()
  s = server.start()
  neovim.open(s.url)
end)
teardown(function()
  neovim.close()
  s:stop()
end)
before_each(function() s:reset() end)

local OK = { body = server.completion("ok") }
local SSE = { ["Content-Type"] = "text/event-stream" }

-- A stream of as many pieces "x", each after a pause.
local function slow(times, pause)
  local piece = server.events { "x" }[2]
  return { headers = SSE, chunks = { { bytes = piece, times = times, pause = pause }, "data: [DONE]\n\n" } }
end

describe("[E6] in Neovim", function()
  it("a blocking call keeps timers and vim.schedule going", function()
    s:script { { delay = 0.3, body = OK.body } }
    local out = succeed [[
      local client = require "ofox".new {}
      local ticks, scheduled = 0, 0
      uv.new_timer():start(5, 5, function()
        ticks = ticks + 1
        vim.schedule(function() scheduled = scheduled + 1 end)
      end)
      local text = client:chat(PARAMS):output_text()
      say(text, ticks > 20, scheduled > 20)]]
    assert.equal("ok true true\n", out)
  end)

  it("a blocking stream, ofox.sleep, run and all do, too", function()
    s:script { slow(10, 0.03), repeat_last = true }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      local ticks = 0
      uv.new_timer():start(5, 5, function() ticks = ticks + 1 end)
      local function enough(name, fn)
        local before = ticks
        local value = fn()
        say(name, value, ticks - before > 15)
      end
      local function read()
        local text = {}
        for piece in client:stream(PARAMS):text() do text[#text + 1] = piece end
        return table.concat(text)
      end
      enough("stream", read)
      enough("sleep", function() ofox.sleep(0.2) return "slept" end)
      enough("run", function() return ofox.run(read) end)
      enough("all", function() return ofox.all({ read, read })[2][2] end)
      enough("wait", function() return (select(2, ofox.go(read):wait())) end)
      enough("coroutine", function() return coroutine.wrap(read)() end)]]
    assert.equal("stream xxxxxxxxxx true\nsleep slept true\nrun xxxxxxxxxx true\nall xxxxxxxxxx true\n"
      .. "wait xxxxxxxxxx true\ncoroutine xxxxxxxxxx true\n", out)
  end)

  it("50 streams in tasks hold nothing up", function()
    local PAUSE = 0.25
    s:script { slow(8, PAUSE), repeat_last = true }
    local out = succeed(([[
      local ofox = require "ofox"
      local client = ofox.new {}
      -- milliseconds, on a clock that stands still while others have the core
      local function now()
        local file = io.open "/proc/self/schedstat"
        local delayed = file and tonumber(file:read("*a"):match("^%d+ (%d+)")) or 0
        if file then file:close() end
        return (uv.hrtime() - delayed) / 1e6
      end
      -- the longest time between two ticks, and the most work, in ms
      local function measure(go_on)
        local timer, last, worked, latest, most, ticks = uv.new_timer(), nil, nil, 0, 0, 0
        timer:start(5, 5, function()
          local moment, work = now(), os.clock() * 1e3
          if last then latest, most = math.max(latest, moment - last), math.max(most, work - worked) end
          last, worked, ticks = moment, work, ticks + 1
        end)
        wait_until(go_on, 15000)
        timer:close()
        return latest, most, ticks
      end
      local start = uv.now()
      local idle = measure(function() return uv.now() > start + 600 end)
      client:stream(PARAMS):close() -- the engine is there
      local left, pieces = 50, 0
      for i = 1, 50 do
        ofox.go(function()
          for text in client:stream(PARAMS):text() do
            vim.api.nvim_buf_set_lines(0, -1, -1, false, { text .. i })
            pieces = pieces + 1
          end
          left = left - 1
        end)
      end
      local latest, most, ticks = measure(function() return left == 0 end)
      say(pieces, idle, latest, most, ticks)]]))
    local pieces, idle, latest, most = out:match("^(%S+) (%S+) (%S+) (%S+)")
    assert.equal("400", pieces)
    assert.is_true(latest - idle < PAUSE * 1e3 / 2, out)
    assert.is_true(tonumber(most) < 60, out)
  end)

  it("tasks may use the API after a wait", function()
    s:script { { delay = 0.02, body = OK.body }, slow(3, 0.02) }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      local fast = {}
      local task = ofox.go(function()
        local function add(text)
          fast[#fast + 1] = vim.in_fast_event()
          vim.api.nvim_buf_set_lines(0, -1, -1, false, { text })
        end
        add(client:chat(PARAMS):output_text())
        for text in client:stream(PARAMS):text() do add(text) end
        ofox.sleep(0.01)
        add "slept"
      end)
      wait_until(function() return task:status() ~= "running" end)
      say(task:status(), lines())
      for _, is in ipairs(fast) do assert(not is) end]]
    assert.equal("done |ok|x|x|x|slept\n", out)
  end)

  it("tasks run in the main loop with nobody waiting, and end it", function()
    s:script { slow(3, 0.02), repeat_last = true }
    assert.equal("xxx\n", succeed([[
      local ofox = require "ofox"
      ofox.go(function()
        say(ofox.new {}:stream(PARAMS):collect():output_text())
        done()
      end)]], { stays = true }))
  end)

  for what, code in pairs {
    ["a task streams"] = "ofox.go(read) vim.defer_fn(done, 100)",
    ["a call blocks"] = "vim.defer_fn(done, 100) read()",
    ["a call in a task blocks"] = "vim.defer_fn(done, 100) ofox.go(function() table.sort({ 1, 2 }, read) end)",
    ["a task asks for it"] = "ofox.go(function() client:stream(PARAMS):next() done() end)",
  } do
    it(":qa! ends it at once while " .. what, function()
      s:script { slow(1000, 0.01) }
      local out = succeed([[
        local ofox = require "ofox"
        local client = ofox.new {}
        local function read() for _ in client:stream(PARAMS):text() do end end
        local began
        local quit = done
        done = function() began = uv.hrtime() quit() end
        vim.cmd "autocmd VimLeave * lua LEFT()"
        function LEFT() say((uv.hrtime() - began) / 1e6 < 100) end
        ]] .. code, { stays = true })
      assert.equal("true\n", out)
    end)
  end

  it("a call works while it ends", function()
    s:script { OK }
    assert.equal("ok\n", succeed [[
      local client = require "ofox".new {}
      function LEAVE() say(client:chat(PARAMS):output_text()) end
      vim.cmd "autocmd VimLeavePre * lua LEAVE()"]])
  end)

  it("nobody waits in a fast event, but tasks begin in the main loop from there", function()
    s:script { OK, repeat_last = true }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      local fast
      uv.new_timer():start(10, 0, function()
        fast = { {}, {} }
        for i, fn in ipairs {
          function() client:chat(PARAMS) end, function() client:stream(PARAMS) end, function() ofox.sleep(1) end,
          function() ofox.run(function() ofox.sleep(1) end) end,
        } do
          local ok, err = pcall(fn)
          fast[1][i] = not ok and tostring(err):find("vim.schedule(function", 1, true) and "refused" or tostring(err)
        end
        fast.task = ofox.go(function()
          fast.inside = vim.in_fast_event()
          return vim.api.nvim_buf_line_count(0), client:chat(PARAMS):output_text()
        end)
        fast.status = fast.task:status()
      end)
      wait_until(function() return fast and fast.task:status() ~= "running" end)
      say(unpack(fast[1]))
      say(fast.status, fast.inside, fast.task:wait())]]
    assert.equal("refused refused refused refused\nrunning false true 1 ok\n", out)
    assert.equal(1, #s:log())
  end)

  it("nothing that would be waited for is begun in a fast event", function()
    assert.equal("nil nil false false\n", succeed [[
      local ofox = require "ofox"
      local ended, ran, also_ran, run, all
      uv.new_timer():start(10, 0, function()
        run = pcall(ofox.run, function() ran = true end)
        all = pcall(ofox.all, { function() also_ran = true end })
        ended = true
      end)
      wait_until(function() return ended end)
      vim.wait(20)
      say(ran, also_ran, run, all)]])
  end)

  it("a call may be cancelled from a fast event", function()
    s:script { { stall = true }, repeat_last = true }
    local out = succeed [[
      local ofox = require "ofox"
      local client, token = ofox.new { errors = "return" }, ofox.cancel_token()
      local task = ofox.go(function() return client:chat(PARAMS) end)
      local done_at, began
      task:on_done(function() done_at = uv.hrtime() end)
      uv.new_timer():start(100, 0, function() began = uv.hrtime() task:cancel() end)
      wait_until(function() return done_at end)
      say(task:status(), (done_at - began) / 1e6 < 50)
      uv.new_timer():start(100, 0, function() began = uv.hrtime() token:cancel() end)
      local res, err = client:chat(PARAMS, { cancel = token })
      say(res, err.type, (uv.hrtime() - began) / 1e6 < 50)]]
    assert.equal("cancelled true\nnil cancelled_error true\n", out)
  end)

  it("[2.6] items side by side tell their results, and the first success is enough", function()
    local out = succeed [[
      local ofox = require "ofox"
      local function nap(seconds) ofox.sleep(seconds) return seconds end
      local told = 0
      ofox.map({ 1, 0 }, function(before) repeat nap(0.005) until told >= before end, { on_result = function(i, ok)
        told = told + 1
        say(i, ok, #vim.api.nvim_list_bufs() > 0)
      end })
      local slow
      say(ofox.any { function() nap(100) slow = true end, function() error("no") end, function() return nap(0.01) end })
      say(slow)
      local function third() say(ofox.map({ 1, 2, 3 }, nap, { limit = 1 })[3][2]) end
      nap = function(i) ofox.sleep(0.01) return i end
      ofox.go(third):wait()]]
    assert.equal("2 true true\n1 true true\n0.01\nnil\n3\n", out)
  end)

  it("[2.11] a model's tools run side by side, use the API, and are cancelled as a whole", function()
    local asks = { body = server.calls { "a", "b" } }
    s:script { asks, OK, asks }
    local out = succeed [[
      local ofox = require "ofox"
      local client, token, ticks, running, most = ofox.new {}, ofox.cancel_token(), 0, 0, 0
      uv.new_timer():start(5, 5, function() ticks = ticks + 1 end)
      local tools = { f = { run = function()
        running = running + 1
        most = math.max(most, running)
        ofox.sleep(0.1)
        running = running - 1
        return #vim.api.nvim_list_bufs()
      end } }
      local res, messages = client:run_tools(PARAMS, tools)
      say(res:output_text(), #messages, messages[4].content, most, ticks > 0)
      tools.f.run = function(_, call)
        if call.id == "b" then uv.new_timer():start(50, 0, function() token:cancel() end) end -- both run
        ofox.sleep(60)
      end
      local began = uv.hrtime()
      local task = ofox.go(function() return client:run_tools(PARAMS, tools, { cancel = token }) end)
      local ok, none, err = task:wait()
      say(ok, none, err.type, #err.messages, (uv.hrtime() - began) / 1e9 < 30)]]
    assert.equal("ok 5 1 2 true\ntrue nil cancelled_error 4 true\n", out)
  end)

  it("[P4] a failure that is not handled is notified, with its place", function()
    local out = succeed [[
      local ofox = require "ofox"
      ofox.go(function() error("unasked", 0) end)
      collectgarbage() collectgarbage()
      ofox.go(function() ofox.sleep(0.01) error("later", 0) end)
      ofox.sleep(0.05)
      collectgarbage() collectgarbage()
      wait_until(function() return #notified == 2 end)
      for _, one in ipairs(notified) do say(one.level == vim.log.levels.ERROR, one.message) end]]
    assert.matches("^true ofox error: a task failed and its error was not handled error=unasked[^\n]*\n"
      .. "true ofox error: [^\n]* error=later traceback=\"[^\n]*'error' <%- (%S+:%d+): in [^\n]*\" where=%1\n$",
      out)
  end)

  it("an idle one hears of a failure, too, and others' callbacks are not the task", function()
    local out = succeed [[
      local seen
      local task = require "ofox".go(function()
        vim.defer_fn(function() seen = tostring(pcall(require "ofox".sleep, 0.05)) end, 10)
        vim.wait(200)
        require "ofox".sleep(0.01)
      end)
      wait_until(function() return seen end)
      task:wait()
      say(seen, task:status())
      require "ofox".go(function() error("oops", 0) end)
      wait_until(function() return #notified > 0 end)
      say(notified[1].message:find "oops" and "told")]]
    assert.equal("true done\ntold\n", out)
  end)

  it("nothing is polled when nothing is left, and again when something is", function()
    s:script { { delay = 0.2, body = OK.body }, repeat_last = true }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      local backend = "/proc/self/fdinfo/" .. uv.backend_fd()
      local function polls()
        for line in io.lines(backend) do
          if line:match("^tfd:%s*(%d+)") == tostring(ofox.pollfd()) then return 1 end
        end
        return 0
      end
      for _ = 1, 3 do
        local task = ofox.go(function() return client:chat(PARAMS):output_text() end)
        local during = vim.wait(2000, function() return polls() == 1 end, 2)
        wait_until(function() return task:status() ~= "running" end)
        vim.wait(20)
        say(during, polls(), select(2, task:wait()))
      end
      say(client:chat(PARAMS):output_text(), polls())
      ofox.sleep(0.02)
      say(polls())
      local task = ofox.go(function() client:chat(PARAMS) end)
      task:cancel()
      vim.wait(20)
      say(task:status(), polls())]]
    assert.equal("true 0 ok\ntrue 0 ok\ntrue 0 ok\nok 0\n0\ncancelled 0\n", out)
  end)

  it("a wait inside of table.sort in a task keeps timers and other tasks going", function()
    s:script { { delay = 0.1, body = OK.body }, repeat_last = true }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      local ticks, other = 0, 0
      uv.new_timer():start(5, 5, function() ticks = ticks + 1 end)
      ofox.go(function() while true do ofox.sleep(0.01) other = other + 1 end end)
      local text
      local task = ofox.go(function()
        table.sort({ 1, 2 }, function(a, b)
          ofox.sleep(0.1)
          text = client:chat(PARAMS):output_text()
          return a < b
        end)
      end)
      wait_until(function() return task:status() ~= "running" end)
      say(task:status(), text, ticks >= 15, other >= 5)]]
    assert.equal("done ok true true\n", out)
  end)

  it("JSON needs no lua-cjson", function()
    s:script { {
      body = '{"choices":[{"message":{"content":null},"list":[1,null,2]}],"none":null,"empty":[],"object":{}}',
    }, repeat_last = true }
    local out = succeed [[
      package.cpath = ""
      local ofox = require "ofox"
      local client = ofox.new {}
      local res = client:request { path = "/x", body = { null = vim.NIL, ours = ofox.null, list = { vim.NIL },
        object = vim.empty_dict() } }
      say(pcall(require, "cjson") == false, res.none == nil, res.choices[1].message.content == nil,
        res.choices[1].list[2] == ofox.null, #res.choices[1].list, type(res.empty), res:output_text() == "")
      client:request { path = "/x", body = res }]]
    assert.equal("true true true true 3 table true\n", out)
    local log = s:log()
    local sent = log[1].body
    for _, part in ipairs { '"null":null', '"ours":null', '"list":[null]', '"object":{}' } do
      assert.is_truthy(sent:find(part, 1, true), sent)
    end
    for _, part in ipairs { '"list":[1,null,2]', '"empty":[]', '"object":{}' } do
      assert.is_truthy(log[2].body:find(part, 1, true), log[2].body)
    end
  end)

  it("a stream's chunks and an error's body need none either", function()
    s:script { { headers = SSE, chunks = server.events { "a", "b" } }, { status = 400,
      body = '{"error":{"message":"no","code":null,"type":"invalid_request_error"}}' } }
    assert.equal("ab stop\ninvalid_request_error no nil\n", succeed [[
      package.cpath = ""
      local client = require "ofox".new {}
      local res = client:stream(PARAMS):collect()
      say(res:output_text(), res.choices[1].finish_reason)
      local none, err = client:chat(PARAMS)
      say(err.type, err.message, err.code)]])
  end)

  it("waiting takes no work", function()
    s:script { { stall = true } }
    local out = succeed [[
      local ofox = require "ofox"
      local client = ofox.new {}
      ofox.go(function() client:chat(PARAMS) end)
      ofox.sleep(0.2)
      local work = os.clock()
      vim.wait(500)
      ofox.sleep(0.5)
      say((os.clock() - work) * 1e3)]]
    assert.is_true(tonumber(out) < 100, out .. " ms of a second")
  end)

  it("calls may block inside of each other", function()
    s:script { { delay = 0.1, body = OK.body }, { delay = 0.2, body = OK.body } }
    assert.equal("inner ok outer ok\n", succeed [[
      local client = require "ofox".new {}
      local said = {}
      local function ask(name) vim.list_extend(said, { name, client:chat(PARAMS):output_text() }) end
      vim.defer_fn(function() ask "inner" end, 30)
      ask "outer"
      say(unpack(said))]])
  end)

  it("a program may run while tasks stream", function()
    s:script { slow(20, 0.02) }
    assert.equal("xxxxxxxxxxxxxxxxxxxx one|two|\n", succeed [[
      local ofox = require "ofox"
      local task = ofox.go(function() return ofox.new {}:stream(PARAMS):collect():output_text() end)
      local words = {}
      for _, word in ipairs { "one", "two" } do
        vim.wait(50)
        words[#words + 1] = vim.fn.system("sleep 0.1; echo " .. word):gsub("\n", "|")
      end
      say(select(2, task:wait()), table.concat(words))]])
  end)

  it("a mock's time passes by itself", function()
    assert.equal("done true\nin a task\nof itself\n", succeed [[
      local ofox = require "ofox"
      local mock = require("ofox.mock").new()
      local client = ofox.new { transport = mock }
      local function reply(text) return { delay = 5, body = { choices = { { message = { content = text } } } } } end
      local function ask() return client:chat(PARAMS):output_text() end
      mock:reply { status = 429, headers = { ["retry-after"] = "20" } }
      mock:reply(reply "done"):reply(reply "in a task"):reply(reply "of itself")
      say(ask(), mock:now() >= 25)
      local uninstall = mock:install()
      ofox.sleep(3600)
      say(select(2, ofox.go(function() ofox.sleep(100) return ask() end):wait()))
      local task = ofox.go(function() ofox.sleep(100) say(ask()) end)
      wait_until(function() return task:status() ~= "running" end)
      uninstall()]])
  end)

  it("OFOX_LOG notifies", function()
    s:script { OK }
    assert.equal("true ofox debug: attempt\n", succeed [[
      vim.env.OFOX_LOG = "debug"
      require "ofox".new {}:chat(PARAMS)
      wait_until(function() return #notified > 0 end)
      say(notified[1].level == vim.log.levels.DEBUG, notified[1].message:match("^ofox debug: %a+"))]])
  end)

  it("works where vim.loop has become vim.uv", function()
    s:script { OK }
    assert.equal("ok\n", succeed [[
      vim.uv, vim.loop = uv, nil
      local ofox = require "ofox"
      local task = ofox.go(function() return ofox.new {}:chat(PARAMS):output_text() end)
      say(select(2, task:wait()))]])
  end)

  it("says what to build where that is missing", function()
    local copy = neovim.directory.path .. "/unbuilt"
    os.execute(("mkdir -p %s && cp -r lua %s"):format(copy, copy))
    local out = succeed([[
      package.cpath = ""
      local ok, why = pcall(require, "ofox")
      say(ok, why)]], { rtp = { copy } })
    assert.matches("^false .*make LUA=jit", out)
  end)

  it("[P9] shows the line of a raised error object, in a mapping to a function alone it does not", function()
    local out = neovim.finish(neovim.start [[
      local ofox = require "ofox"
      function RAISE() error(ofox.parse_error(401, {}, '{"error":{"message":"bad key"}}')) end
      vim.api.nvim_create_user_command("Raise", RAISE, {})
      vim.api.nvim_create_autocmd("User", { pattern = "Raise", callback = RAISE })
      vim.keymap.set("n", "Q1", "<Cmd>lua RAISE()<CR>")
      vim.keymap.set("n", "Q2", RAISE)
      local function press(keys) return function() vim.api.nvim_feedkeys(keys, "x", false) end end
      for _, one in ipairs {
        { "lua", function() vim.cmd "lua RAISE()" end }, { "command", function() vim.cmd "Raise" end },
        { "autocommand", function() vim.cmd "doautocmd User Raise" end }, { "cmd mapping", press "Q1" },
        { "mapping", press "Q2" }, { "schedule", function() vim.schedule(RAISE) vim.wait(20) end },
        { "defer_fn", function() vim.defer_fn(RAISE, 1) vim.wait(20) end },
      } do
        vim.v.errmsg = ""
        local _, why = pcall(one[2])
        local text = tostring(why or "") .. vim.v.errmsg
        say(one[1], text:match("Error executing[^\n]*"))
      end
      done()]])
    local line = "ofox: authentication_error 401: bad key\n"
    for _, name in ipairs { "lua", "command", "autocommand", "cmd mapping", "schedule", "defer_fn" } do
      assert.matches("\n" .. name .. " Error executing [%w ._]+:? " .. line, "\n" .. out)
    end
    assert.matches("\nmapping Error executing lua: \n", out)
  end)

  it("[P9] is found by a plugin manager's loader, and by its cache", function()
    s:script { OK, repeat_last = true }
    for _ = 1, 2 do
      assert.equal("ok\n", succeed([[
        if vim.loader then vim.loader.enable() end -- from 0.9 on; lazy.nvim does so
        vim.opt.rtp:append("]] .. neovim.ROOT .. [[")
        local ofox = require "ofox"
        say(select(2, ofox.go(function() return ofox.new {}:chat(PARAMS):output_text() end):wait()))]], { rtp = {} }))
    end
  end)

  it("a step that would wait is refused", function()
    local out = succeed [[
      local ofox = require "ofox"
      local ok, why = pcall(ofox.step, 1)
      say(ok, why:match("ofox.sleep"), ofox.step(0))]]
    assert.equal("false ofox.sleep false\n", out)
  end)
end)

describe("[E6] the example plugin", function()
  local PLUGIN = { rtp = { neovim.ROOT, neovim.ROOT .. "/examples/nvim" }, plugins = true }
  -- words that end when the server's pause does
  local function texts(pieces, pause)
    local chunks = {}
    for _, piece in ipairs(pieces) do
      chunks[#chunks + 1] = server.events({ piece })[2]
      chunks[#chunks + 1] = { pause = pause or 0.05 }
    end
    chunks[#chunks + 1] = "data: [DONE]\n\n"
    return { headers = SSE, chunks = chunks }
  end

  it("writes at the cursor, over lines, wherever the cursor and the line go meanwhile", function()
    s:script { texts { "one", "\\ntwo", " three\\n", "\\nfour" } }
    assert.equal("above|before|äone|two three||four after|2 1\n", succeed([[
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { "before", "ä after" })
      vim.api.nvim_win_set_cursor(0, { 2, 0 })
      vim.cmd "Ofox hello you"
      wait_until(function() return lines():find("one", 1, true) end)
      vim.api.nvim_buf_set_lines(0, 0, 0, false, { "above" })
      vim.api.nvim_win_set_cursor(0, { 2, 1 })
      wait_until(function() return lines():find("four", 1, true) end)
      say(lines() .. "|" .. table.concat(vim.api.nvim_win_get_cursor(0), " "))
      assert(#notified == 0)]], PLUGIN))
    assert.matches('"content":"hello you"', s:log()[1].body)
  end)

  it("goes on in a buffer that is left, and in several at once", function()
    s:script { texts { "one", " two", " three" }, repeat_last = true }
    assert.equal("fone two threeirst sone two threeecond \n", succeed([[
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { "first" })
      local first = vim.api.nvim_get_current_buf()
      vim.cmd "Ofox hello"
      vim.cmd "enew"
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { "second" })
      local second = vim.api.nvim_get_current_buf()
      vim.cmd "Ofox hello"
      vim.cmd "enew"
      wait_until(function() return (lines(first) .. lines(second)):find("three.*three") end)
      say(lines(first), lines(second), lines())]], PLUGIN))
  end)

  for command, why in pairs { ["bwipeout!"] = "the buffer is gone", ["bdelete!"] = "the buffer is gone",
    ["edit!"] = "", ["set nomodifiable"] = "modifiable" } do
    it("ends when it can write no more: " .. command, function()
      s:script { texts({ "one", "two", "three" }, 0.1) }
      local out = succeed([[
        vim.cmd("edit " .. vim.fn.tempname())
        vim.cmd "Ofox hello"
        wait_until(function() return lines():find("one", 1, true) end)
        vim.cmd "]] .. command .. [["
        wait_until(function() return #notified == 1 end)
        vim.wait(200)
        say(#notified, notified[1].message, vim.bo.modifiable and lines() or "")]], PLUGIN)
      assert.matches("^1 ofox: [^\n]*" .. why .. "[^\n]*\n$", out)
      assert.is_true(s:wait { open = 0 })
    end)
  end

  it(":OfoxStop leaves what came, says so and ends the call", function()
    s:script { texts({ "one", "two", "three" }, 0.4) }
    assert.equal("one 1 ofox: stopped; what had come is kept\n", succeed([[
      vim.cmd "Ofox hello"
      wait_until(function() return lines():find("one", 1, true) end)
      vim.cmd "OfoxStop"
      vim.wait(20)
      say(lines(), #notified, notified[1].message)
      vim.wait(1000)
      assert(lines() == "one")]], PLUGIN))
    assert.is_true(s:wait { open = 0 })
  end)

  it("notifies of errors, with their hints", function()
    s:script { { status = 401, body = '{"error":{"message":"bad key","code":"invalid_api_key"}}' }, repeat_last = true }
    assert.equal("ERROR ofox: authentication_error 401 invalid_api_key: bad key (1 attempt)|"
      .. "Check that the API key belongs to this server and is complete\n", succeed([[
      vim.cmd "Ofox hello"
      wait_until(function() return #notified == 1 end)
      local text = notified[1].message
      say(notified[1].level == vim.log.levels.ERROR and "ERROR", (text:gsub("\n", "|"):match("^(.-complete)")))]],
      PLUGIN))
  end)

  it("notifies of a stream that breaks off, and keeps what had come", function()
    local broken = texts { "one" }
    broken.chunks[#broken.chunks], broken.last_chunk, broken.close = nil, false, true
    s:script { broken }
    assert.equal("one ofox: stream_error\n", succeed([[
      vim.cmd "Ofox hello"
      wait_until(function() return #notified == 1 end)
      say(lines(), notified[1].message:match("^[^%s]* [^%s]*"))]], PLUGIN))
  end)

  it("counts down while it waits for a retry", function()
    s:script { { status = 503, headers = { ["Retry-After"] = "2" } }, texts { "one" } }
    assert.matches("^one 0 3? ?2 1\n$", succeed([[
      vim.cmd "Ofox hello"
      wait_until(function() return lines():find("one", 1, true) end)
      local seen = {}
      for _, text in ipairs(echoed) do
        local n = text:match("^ofox: %S+, again in (%d+) s$")
        if n and seen[#seen] ~= n then seen[#seen + 1] = n end
      end
      say(lines(), #notified, unpack(seen))]], PLUGIN))
  end)
end)

describe("[E6] in a terminal", function()
  local PLUGIN = { rtp = { neovim.ROOT, neovim.ROOT .. "/examples/nvim" } }
  local t
  after_each(function()
    if t then t:close() end
    t = nil
  end)

  it("Ctrl-C ends a blocking call, and the next one works", function()
    s:script { { stall = true }, OK }
    t = neovim.terminal(PLUGIN)
    t:keys(":lua client = require 'ofox'.new{} PARAMS = { model = 'm', messages = {} }", "Enter",
      ":lua print('result', pcall(client.chat, client, PARAMS))", "Enter")
    assert.is_true(s:wait { requests = 1 })
    t:keys("C-c")
    t:see("result false")
    assert.matches("result false[^\n]*[Ii]nterrupted", t:screen())
    assert.is_true(s:wait { open = 0 })
    t:keys(":lua print('again', client:chat(PARAMS):output_text())", "Enter")
    t:see("again ok")
  end)

  it("an interrupted call that nobody catches is an error of its command", function()
    s:script { { stall = true }, repeat_last = true }
    t = neovim.terminal(PLUGIN)
    t:keys(":lua require 'ofox'.new{}:chat{ model = 'm', messages = {} }", "Enter")
    assert.is_true(s:wait { requests = 1 })
    t:keys("C-c")
    t:see("nterrupted")
    assert.is_true(s:wait { open = 0 })
  end)

  it("Ctrl-C ends ofox.run and all that it started", function()
    s:script { { stall = true }, repeat_last = true }
    t = neovim.terminal(PLUGIN)
    t:keys(":lua ofox = require 'ofox' function ask() ofox.new{}:chat{ model = 'm', messages = {} } end", "Enter",
      ":lua print('result', pcall(ofox.run, function() ofox.go(ask) ofox.go(ask) ask() end))", "Enter")
    assert.is_true(s:wait { requests = 3 })
    t:keys("C-c")
    t:see("result false")
    assert.is_true(s:wait { open = 0 })
  end)

  it(":Ofox streams, others type on, a wait is counted down, :OfoxStop ends it", function()
    local pieces = { { status = 503, headers = { ["Retry-After"] = "2" } }, { headers = SSE, chunks = {
      server.events { "alpha\\nbeta" }[2], { bytes = server.events({ "." })[2], times = 500, pause = 0.05 } } } }
    s:script(pieces)
    t = neovim.terminal(PLUGIN)
    t:keys(":Ofox hello", "Enter")
    t:see("again in 2 s")
    t:see("again in 1 s")
    t:see("beta..")
    assert.is_nil(t:screen():find("again in", 1, true))
    t:keys("ggOtyped")
    local screen = t:see("typed")
    assert.matches("^typed *\nalpha *\nbeta%.", screen)
    t:see("beta" .. ("."):rep(select(2, screen:gsub("%.", "")) + 5)) -- in insert mode, too
    t:escape()
    t:keys(":OfoxStop", "Enter")
    t:see("ofox: stopped; what had come is kept")
    assert.is_true(s:wait { open = 0 })
    t:keys("Enter", ":qa!", "Enter")
  end)

  it("one u undoes an answer, but not what was typed meanwhile", function()
    s:script { slow(20, 0.03), slow(20, 0.15) }
    t = neovim.terminal(PLUGIN)
    t:keys("ibefore")
    t:escape()
    t:keys(":Ofox hello", "Enter")
    t:see("before" .. ("x"):rep(20))
    t:keys("u")
    t:see("1 change")
    assert.matches("^before *\n~", t:screen())
    t:keys(":Ofox hello", "Enter")
    t:see("before" .. ("x"):rep(3))
    t:keys("ggOtyped")
    t:escape()
    t:see("before" .. ("x"):rep(20), 10)
    t:keys("u")
    t:see("1 change")
    assert.matches("^typed *\nbeforex+ *\n~", t:screen())
  end)

  it(":Ofox shows an error with its hint", function()
    s:script { { status = 401, body = '{"error":{"message":"bad key","code":"invalid_api_key"}}' } }
    t = neovim.terminal(PLUGIN)
    t:keys(":Ofox hello", "Enter")
    t:see("invalid_api_key: bad key")
    t:see("Check that the API key belongs to this server")
  end)
end)

describe("[E6] the help", function()
  it("has tags without an error, and all of its own links lead somewhere", function()
    local text = proc.read("doc/ofox.txt")
    for line in text:gmatch("[^\n]+") do assert.is_true(#line <= 78, line) end
    local copy = neovim.directory.path .. "/help"
    os.execute(("mkdir -p %s && cp -r doc %s && rm -f %s/doc/tags"):format(copy, copy, copy))
    local out = succeed([[
      vim.cmd("helptags ]] .. copy .. [[/doc")
      vim.cmd "help ofox"
      say(vim.fn.expand "%:t", vim.api.nvim_get_current_line():match("%*.*%*"))
      for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
        for tag in line:gmatch("|(%S+)|") do
          local ok, why = pcall(vim.cmd, "help " .. tag)
          if not ok then say(why) end
        end
      end]], { rtp = { copy } })
    assert.equal("ofox.txt *ofox*\n", out)
  end)

  it("shows what ofox.doctor finds by :checkhealth", function()
    s:script { { body = '{"object":"list","data":[{"id":"m","object":"model"}]}' }, { status = 400, body = "{}" },
      repeat_last = true }
    local out, code = neovim.finish(neovim.start [[
      vim.cmd "checkhealth ofox" -- which says on standard error that it is running
      local text = lines()
      for _, word in ipairs { "built for this Lua, which is LuaJIT", "key:", "base_url:", "models:", "clock:" } do
        if not text:find(word, 1, true) then say("missing", word, text) end
      end
      say(text:find("0123456789", 1, true) and "a key" or "no key")
      done()]])
    assert.equal(0, code)
    assert.equal("no key\n", out)
  end)
end)
