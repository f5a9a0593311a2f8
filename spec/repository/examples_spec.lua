-- Every example runs from any folder, against the simulator, and stays short.
-- test: waits: for the examples
local host = require "support.host"
local proc = require "support.proc"
local pty = require "support.pty"
local server = require "support.server"
local simulator = require "support.simulator"

local function lines(command)
  local pipe = io.popen(command)
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local ROOT = lines("pwd")[1]

-- What an example must print; those not named need only end well.
local EXPECTED = {
  ["chat.lua"] = "you said: hello there",
  ["batch.lua"] = "2 of 2 answered",
  ["tools.lua"] = "the tool said",
  ["parallel.lua"] = "google/gemini%-2.5%-flash %(0%.%d s%)\n  this is the simulator.*first: %l+/",
  ["cqueues.lua"] = "what is an event loop?",
  ["luv.lua"] = "what is an event loop?",
  ["limits.lua"] = "counts in minutes +pace = true +200 +0 +200 ",
  ["pictures.lua"] = "/picture.png\n$",
  ["transcript.lua"] = "input: this is input, 3 bytes of application/octet%-stream%.",
  ["frames.lua"] = "you said: who goes there?",
}

-- Folders: those of hosts that are no Lua are run by specs of their own; the
-- others are what simulator.lua, demo.lua and limits.lua are made of.
local FOLDERS = {
  love = "spec/hosts/love_spec.lua", nginx = "spec/hosts/nginx_spec.lua", nvim = "spec/hosts/nvim_spec.lua",
  simulator = "spec/repository/simulator_spec.lua", demo = "spec/repository/demo_spec.lua",
  limits = "spec/repository/proofs_spec.lua",
}

local UNSET = "-u LUA_PATH -u LUA_CPATH -u LUA_INIT -u OFOXAI_API_KEY -u OFOXAI_BASE_URL -u http_proxy -u all_proxy"

local MADE_OF = { simulator = true, demo = true, limits = true }

describe("the examples", function()
  local s, sim, path
  setup(function()
    s, sim = host.open(), simulator.start()
    path = host.directory.path
  end)
  teardown(function()
    sim:stop()
    host.close()
  end)
  before_each(function() s:reset() end)

  local function input(text)
    return proc.write(path .. "/input", text)
  end

  -- What follows an example on its command line.
  local words = {
    ["limits.lua"] = function() return "quota" end,
    ["chat.lua"] = function() return "<" .. input "hello there\n" end,
    ["batch.lua"] = function()
      os.remove(path .. "/answers")
      return ("%s %s/answers"):format(input "one\ntwo\n", path)
    end,
    ["pictures.lua"] = function() return ("%s/picture.png 'a hat' %s"):format(path, input "PNG") end,
    ["transcript.lua"] = function() return input "ID3" end,
  }

  -- The words of the shell that start an example in another folder.
  local function started(name, url, env)
    local key = ("OFOX_API_KEY=sk-sim-readme OFOX_BASE_URL=%s"):format(url or sim.url)
    -- a test of a user's program is run as one
    local runner = name == "mock_test.lua" and "/usr/bin/busted " or ""
    local path_of_it = name:find("/", 1, true) and name or ROOT .. "/examples/" .. name
    return ("%s %s %s %s%s"):format(UNSET, env or key, proc.LUA, runner, path_of_it)
  end

  local function run(command)
    local pipe = io.popen(("cd %s && env %s 2>&1; echo rc=$?"):format(path, command))
    local output, rc = pipe:read("*a"):match("^(.*)rc=(%d+)\n$")
    pipe:close()
    return output, tonumber(rc)
  end

  for _, name in ipairs(lines("cd examples && ls *.lua")) do
    it(name .. " has at most 60 lines and says what it is for and how it is started", function()
      local text = proc.read("examples/" .. name)
      local _, count = text:gsub("\n", "")
      assert.is_true(count <= 60, count .. " lines")
      assert.matches("^%-%- %u[^\n]*%.\n", text)
      local comment = ""
      for line in text:gmatch("([^\n]*\n)") do
        if line:sub(1, 2) ~= "--" then break end
        comment = comment .. line
      end
      if not name:find("^demo") and not name:find("^simulator") then
        assert.is_truthy(comment:find("\n-- lua5.4 ", 1, true) and comment:find("examples/" .. name, 1, true), comment)
      end
    end)
    -- these two have specs of their own
    if not name:find("^simulator") and not name:find("^demo") then
      it(name .. " runs from any folder", function()
        local output, rc = run(started(name) .. " " .. (words[name] and words[name]() or ""))
        assert.equal(0, rc, output)
        assert.is_nil(output:find("sk-sim-readme", 1, true))
        if EXPECTED[name] then assert.matches(EXPECTED[name], output:lower()) end
      end)
    end
  end

  it("run as copies, where ofox is installed", function()
    os.execute(("mkdir -p %s/copy && cp examples/*.lua %s/copy"):format(path, path))
    local env = ("OFOX_API_KEY=sk-sim-readme OFOX_BASE_URL=%s LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;'")
    local output, rc = run(started(path .. "/copy/hello.lua", nil, env:format(sim.url, ROOT, ROOT)))
    assert.equal(0, rc, output)
    assert.matches("Say hello in five languages", output)
  end)

  it("have no folder that no spec runs", function()
    for _, folder in ipairs(lines "ls -d examples/*/") do
      local name = folder:match("^examples/(.*)/$")
      local spec = proc.read(assert(FOLDERS[name], folder))
      assert.is_truthy(spec:find("examples/" .. name, 1, true), folder)
    end
  end)

  describe("examples/README.md", function()
    it("has each of them in its table, and nothing else", function()
      local named = {}
      for name in proc.read("examples/README.md"):gmatch("\n| %[`([^`]+)`%]%([%w_.]+%)") do named[name] = true end
      for _, name in ipairs(lines "cd examples && ls") do
        if name ~= "README.md" and not MADE_OF[name] then
          local listed = named[name] and name or name .. "/"
          assert.is_true(named[listed], name .. " is not listed")
          named[listed] = nil
        end
      end
      assert.same({}, named)
    end)
  end)

  describe("chat.lua", function()
    local SSE = { ["Content-Type"] = "text/event-stream" }
    local chat
    after_each(function()
      if chat then chat:close() end
      chat = nil
    end)

    local function open()
      chat = pty.start(started("chat.lua", s.url), path)
      chat:see("\n> ")
    end

    local function half()
      return { headers = SSE, chunks = { server.events({ "half of it" })[2] }, last_chunk = false, stall = true }
    end

    it("ends an answer at Ctrl-C, as often as it is pressed, and keeps what came", function()
      s:script { half(), half(), { headers = SSE, chunks = server.events { "the rest" } } }
      open()
      for question = 1, 2 do
        chat:type("question " .. question .. "\n")
        chat:see("half of it")
        assert.is_true(host.wait_state(chat.pid, "S", 5))
        chat:type("\3")
        chat:see("(stopped)")
        chat:see("\n> ")
      end
      chat:type("go on\n")
      chat:see("the rest")
      chat:see("\n> ")
      chat:type("\4")
      assert.equal(0, chat:finish())
      assert.matches('"content":"question 1".-"content":"half of it".-"content":"question 2".-"content":"half of it"'
        .. '.-"content":"go on"', s:log()[3].body)
      assert.is_true(s:wait { open = 0 })
    end)

    it("leaves at the second Ctrl-C at the prompt, and can ask after the first", function()
      s:script { { headers = SSE, chunks = server.events { "still here" } }, half() }
      open()
      chat:type("\3\n") -- some interpreters notice only when the line is there
      chat:see("(Ctrl-C again leaves)")
      chat:see("\n> ")
      chat:type("hello\n")
      chat:see("still here")
      chat:see("\n> ")
      chat:type("more\n")
      chat:see("half of it")
      chat:type("\3")
      chat:see("(stopped)")
      chat:see("\n> ")
      repeat chat:type("\3") until chat:has_ended(0.1)
      local rc = chat:finish()
      assert.is_true(rc == 0 or rc == 130, rc)
    end)

    it("shows an error with its hint, forgets that question, and continues", function()
      s:script { { status = 401, body = '{"error":{"message":"no","code":"invalid_api_key"}}' },
        { headers = SSE, chunks = server.events { "fine" } } }
      open()
      chat:type("first\n")
      chat:see("! ofox: authentication_error 401 invalid_api_key: no")
      chat:see("! Check that the API key")
      chat:type("second\n")
      chat:see("fine")
      assert.is_nil(s:log()[2].body:find("first", 1, true))
      chat:type("\4")
      assert.equal(0, chat:finish())
    end)

    it("keeps what came of an answer that broke off", function()
      local events = server.events { "half of it" }
      s:script { { headers = SSE, chunks = { events[1], events[2] }, last_chunk = false, close = true },
        { headers = SSE, chunks = server.events { "fine" } } }
      open()
      chat:type("first\n")
      chat:see("half of it")
      chat:see("! ofox: stream_error")
      chat:type("second\n")
      chat:see("fine")
      assert.matches('"first".-"half of it".-"second"', s:log()[2].body)
    end)

    it("says that it waits for another attempt", function()
      s:script { { status = 503, headers = { ["Retry-After"] = "0.01" }, body = '{"error":{"message":"not now"}}' },
        { headers = SSE, chunks = server.events { "fine" } } }
      open()
      chat:type("first\n")
      chat:see("(service_unavailable; next attempt in 0 s)")
      chat:see("fine")
    end)

    it("has commands", function()
      s:script { { headers = SSE, chunks = server.events { "fine" } }, repeat_last = true }
      open()
      for _, line in ipairs { "first", "/model other", "second", "/new", "", "third", "/help" } do
        chat:type(line .. "\n")
        chat:see("\n> ")
      end
      assert.matches("! /new forgets", chat:output())
      local log = s:log()
      assert.equal(3, #log)
      assert.matches('"model":"other"', log[2].body)
      assert.matches('"first".-"second"', log[2].body)
      assert.is_nil(log[3].body:find("first", 1, true))
    end)
  end)

  describe("batch.lua", function()
    local answers
    before_each(function()
      answers = path .. "/answers.jsonl"
      os.remove(answers)
    end)

    local function prompts(n)
      local list = {}
      for i = 1, n do list[i] = "prompt " .. i .. ".\n" end
      return input(table.concat(list))
    end

    -- The prompts that have an answer, in the order of their numbers.
    local function answered()
      local list = {}
      for line in (proc.read(answers) or ""):gmatch("([^\n]*)\n") do
        list[#list + 1] = tonumber(require("cjson").decode(line).prompt:match("^prompt (%d+)%.$"))
      end
      table.sort(list)
      return list
    end

    local function asked()
      local list = {}
      for i, request in ipairs(s:log()) do list[i] = tonumber(request.body:match('"prompt (%d+)%."')) end
      table.sort(list)
      return list
    end

    local function numbers(n, without)
      local list = {}
      for i = 1, n do if not (without and without[i]) then list[#list + 1] = i end end
      return list
    end

    local OK = { body = server.completion("ok") }

    it("does what is missing after it was killed in the middle, and repairs a line that was cut", function()
      local script = { OK, OK, OK, OK, OK, { stall = true }, repeat_last = true }
      s:script(script)
      local pipe = io.popen(("cd %s && echo $$ && exec env %s %s %s >/dev/null 2>&1"):format(path,
        started("batch.lua", s.url), prompts(20), answers))
      local pid = pipe:read("*l")
      assert.is_true(s:wait { requests = 13 }) -- 8 at once
      local due = os.time() + 20
      repeat until #answered() == 5 or os.time() > due
      os.execute("kill -9 " .. pid)
      pipe:close()
      local before, had = answered(), {}
      assert.equal(5, #before)
      for _, i in ipairs(before) do had[i] = true end
      local file = io.open(answers, "ab")
      file:write('{"prompt":"prompt 2')
      file:close()

      s:reset()
      s:script { OK, repeat_last = true }
      local output, rc = run(("%s %s %s"):format(started("batch.lua", s.url), path .. "/input", answers))
      assert.equal(0, rc, output)
      assert.equal("15 of 15 answered\n", output)
      assert.same(numbers(20, had), asked())
      assert.same(numbers(20), answered())

      s:reset()
      output = run(("%s %s %s"):format(started("batch.lua", s.url), path .. "/input", answers))
      assert.equal("nothing to do: each prompt has its answer\n", output)
      assert.equal(0, #s:log())
    end)

    it("leaves a file alone that has no answers of it", function()
      local file = input "one\ntwo"
      for _, text in ipairs { "one\ntwo", "two", '{"other":1}\n{"prompt' } do
        proc.write(file, text)
        local output, rc = run(("%s %s %s"):format(started("batch.lua", s.url), file, file))
        assert.equal(1, rc)
        assert.matches("input is no file of answers\n", output)
        assert.equal(text, proc.read(file))
      end
    end)

    it("says what failed, and asks it again at the next run", function()
      s:script { OK, { status = 400, body = '{"error":{"message":"not this one"}}' }, OK }
      local command = ("%s %s %s"):format(started("batch.lua", s.url), prompts(3), answers)
      local output, rc = run(command)
      assert.equal(1, rc)
      assert.matches("^prompt %d%.\n  ! ofox: invalid_request_error 400[^\n]*not this one[^\n]*\n"
        .. "2 of 3 answered; start it again for the rest\n$", output)
      local failed = tonumber(output:match("^prompt (%d)"))
      s:reset()
      s:script { OK }
      output, rc = run(command)
      assert.equal(0, rc, output)
      assert.same({ failed }, asked())
      assert.same({ 1, 2, 3 }, answered())
    end)

    it("stops where every prompt would fail", function()
      s:script { { status = 401 }, repeat_last = true }
      local output, rc = run(("%s %s %s"):format(started("batch.lua", s.url), prompts(100), answers))
      assert.equal(1, rc)
      assert.matches("^stopped: ofox: authentication_error 401[^\n]*\n0 of 100 answered; start", output)
      assert.is_true(#s:log() <= 16, #s:log() .. " requests")
    end)

    it("stops at Ctrl-C and keeps what came", function()
      s:script { OK, OK, { stall = true }, repeat_last = true }
      local batch = pty.start(("%s %s %s"):format(started("batch.lua", s.url), prompts(20), answers), path)
      assert.is_true(s:wait { requests = 10 })
      assert.is_true(host.wait_state(batch.pid, "S", 5))
      batch:type("\3")
      batch:see("interrupted by Ctrl-C")
      batch:see("2 of 20 answered; start it again for the rest")
      assert.equal(1, batch:finish())
      assert.equal(2, #answered())
      batch:close()
    end)

    it("says how it is used", function()
      local output, rc = run(started("batch.lua"))
      assert.same({ 2, "usage: " }, { rc, output:sub(1, 7) })
    end)
  end)
end)
