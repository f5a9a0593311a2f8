-- Where the error of a task came from: the program's own line and stack, in
-- the error and in the report of those that the program does not handle.
local ofox = require "ofox"
local json = require "ofox.json"
local mock = require "ofox.mock"
local place = require "ofox.base.where"
local child = require "support.child"

local compile = rawget(_G, "loadstring") or load

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }
local KEY = "sk-of-secret-0123456789"

local transport, uninstall

before_each(function()
  transport = mock.new()
  uninstall = transport:install()
end)
after_each(function() uninstall() end)

local function client_of(opts)
  local all = { api_key = KEY, transport = transport, errors = "raise", max_retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all)
end

local function refuse(message)
  transport:reply { status = 400, body = { error = { message = message or "no" } } }
end

local function line() return debug.getinfo(2, "l").currentline end

local function here(at)
  return debug.getinfo(1, "S").source:sub(2) .. ":" .. at
end

-- What a logger hears of a task whose handle nobody keeps: {level, message, fields}.
local function heard_of(fn)
  local heard = {}
  local client = client_of { logger = function(level, message, fields)
    heard[#heard + 1] = { level = level, message = message, fields = fields }
  end }
  ofox.go(fn, client)
  collectgarbage() collectgarbage()
  while ofox.step() do end
  collectgarbage() collectgarbage()
  local last = heard[#heard]
  assert.equal("error", last.level)
  return last
end

describe("[P4] the report of a failed task", function()
  it("names the program's own line and shows its stack, without lines of ours above or below", function()
    refuse()
    local at, outer
    local function ask(client)
      at = line() + 1
      client:chat(PARAMS)
      return nil
    end
    local last = heard_of(function(client)
      outer = line() + 1
      ask(client)
      return nil
    end)
    assert.equal("a task failed and its error was not handled", last.message)
    assert.equal("ofox: invalid_request_error 400: no (1 attempt)", last.fields.error)
    assert.equal(here(at), last.fields.where)
    local lines = {}
    for text in last.fields.traceback:gmatch("[^\n]+") do lines[#lines + 1] = text end
    assert.equal(3, #lines, last.fields.traceback)
    assert.equal("stack traceback:", lines[1])
    assert.equal("\t" .. here(at) .. ": in function 'ask'", lines[2])
    assert.equal("\t" .. here(outer) .. ": in function", lines[3]:sub(1, #here(outer) + 14))
  end)

  it("is the same of errors of Lua's own, also after a wait", function()
    local at
    local last = heard_of(function(client)
      refuse()
      client:chat(PARAMS, { errors = "return" })
      ofox.sleep(1)
      at = line() + 1
      local _ = nil .. "x" -- luacheck: ignore
    end)
    assert.equal(here(at), last.fields.where)
    assert.matches("attempt to concatenate", last.fields.error)
    assert.matches("^stack traceback:\n\t" .. here(at):gsub("%p", "%%%0"), last.fields.traceback)
  end)

  it("names the line where an error was passed on", function()
    local at
    refuse()
    local last = heard_of(function(client)
      local _, err = client:chat(PARAMS, { errors = "return" })
      at = line() + 1
      error(err, 0)
    end)
    assert.equal(here(at), last.fields.where)
    assert.matches("^stack traceback:\n\t%[C%]: in function 'error'\n\t", last.fields.traceback)
  end)

  it("is one line on standard error", function()
    local run = child.run { code = [[
      local ofox = require "ofox"
      local function deep() assert(nil, "oops") end
      ofox.go(function() deep() return nil end)
    ]] }
    assert.equal(0, run.status, run.errors)
    local text = "^ofox error: a task failed and its error was not handled error=.*oops\"? "
      .. "traceback=\"stack traceback: [^\n]* <%- [^\n]*\" where=[^\n]*:2\"?\n$"
    assert.matches(text, run.errors)
    assert.is_nil(run.errors:find("lua/ofox/", 1, true), run.errors)
  end)

  it("is there at level debug where the program has the error: a text cannot carry its stack", function()
    local code = [[
      local ofox = require "ofox"
      local function deep() error("oops", 0) end
      print(pcall(ofox.run, function() deep() return nil end))
    ]]
    local run = child.run { code = code, env = { "OFOX_LOG=debug" } }
    assert.same({ "false\toops\n", 0 }, { run.output, run.status })
    assert.matches("^ofox debug: a task failed error=oops traceback=\"[^\n]*:2: in function 'deep'[^\n]*\" "
      .. "where=[^\n]*:2\n$", run.errors)
    run = child.run { code = code, env = { "OFOX_LOG=info" } }
    assert.same({ "false\toops\n", "" }, { run.output, run.errors })
  end)

  it("stands any error value, and one that cannot be shown", function()
    local function broken() error("in tostring") end
    for _, row in ipairs {
      { nil, "nil" }, { false, "false" }, { 7, "7" },
      { setmetatable({}, { __tostring = broken }), "an error that cannot be converted to a string" },
      { setmetatable({}, { __tostring = function() return {} end }), "an error that cannot be converted to a string" },
    } do
      local at
      local last = heard_of(function(client)
        refuse()
        client:chat(PARAMS, { errors = "return" })
        at = line() + 1
        error(row[1], 0)
      end)
      assert.same({ row[2], here(at) }, { last.fields.error, last.fields.where })
    end
  end)

  it("is short however deep the stack is", function()
    local function down(n)
      if n == 0 then error("deep") end
      down(n - 1)
      return nil
    end
    local function forever() return 1 + forever() end -- luacheck: ignore
    for _, fn in ipairs { function() down(150) end, forever } do
      -- on a full stack Lua runs no finalizer, and what it would free is lost: none may be due there
      collectgarbage() collectgarbage()
      local text = heard_of(function(client)
        transport:reply { body = { choices = { { message = { content = "x" } } } } }
        local answer = client:chat(PARAMS)
        fn()
        return answer
      end).fields.traceback
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines <= 23 and lines >= 13, text)
      assert.matches("%.%.%. %(%d+ more%)", text)
    end
  end)

  it("names the line of a function of on_done that failed", function()
    local at
    local heard
    refuse()
    local client = client_of { logger = function(level, message, fields)
      if level == "error" then heard = { message, fields.error, fields.where, fields.traceback ~= nil } end
    end }
    local task = ofox.go(function() client:chat(PARAMS, { errors = "return" }) end)
    task:on_done(function()
      at = line() + 1
      error({})
    end)
    task:wait()
    assert.equal("a task:on_done callback failed", heard[1])
    assert.same({ here(at), true }, { heard[3], heard[4] })
  end)
end)

describe("[P4] err.traceback", function()
  it("is the stack of the task that the error came out of", function()
    refuse()
    local client, at = client_of(), nil
    local task = ofox.go(function()
      at = line() + 1
      client:chat(PARAMS)
    end)
    local ok, err = task:wait()
    assert.is_false(ok)
    assert.matches("^stack traceback:\n\t" .. here(at):gsub("%p", "%%%0"), err.traceback)
    assert.is_nil(err.traceback:find("lua/ofox/", 1, true), err.traceback)
  end)

  it("is there after ofox.run, and after tasks of an ofox.all", function()
    refuse() refuse()
    local client = client_of()
    local ok, err = pcall(ofox.run, function() client:chat(PARAMS) end)
    assert.is_false(ok)
    assert.matches("unhandled_spec.lua", err.traceback)
    assert.matches("unhandled_spec.lua", ofox.all({ function() client:chat(PARAMS) end })[1][2].traceback)
  end)

  it("is absent where no task failed", function()
    refuse() refuse() refuse()
    local client = client_of { errors = "return" }
    local _, err = client:chat(PARAMS)
    assert.is_nil(err.traceback)
    _, err = select(2, ofox.go(function() return client:chat(PARAMS) end):wait())
    assert.is_nil(err.traceback)
    local task = ofox.go(function() ofox.sleep(9) end)
    task:cancel()
    _, err = task:wait()
    assert.equal("cancelled", task:status())
    assert.is_nil(err.traceback)
    _, err = ofox.go(function() client:chat(PARAMS, { errors = "raise" }) end):wait()
    assert.is_string(err.traceback)
  end)

  it("is that of the first task of those that share an error, whose object stays the same", function()
    local shared = ofox.errors.new { type = "internal_error", message = "shared" }
    local _, first = ofox.go(function() error(shared) end):wait()
    local traceback = first.traceback
    local _, second = ofox.go(function() error(shared) end):wait()
    assert.is_true(first == shared and second == shared)
    assert.equal(traceback, second.traceback)
    local inner
    local ok, outer = pcall(ofox.run, function()
      ofox.run(function()
        inner = line() + 1
        error(ofox.errors.new { type = "internal_error", message = "inner" })
      end)
    end)
    assert.is_false(ok)
    assert.is_truthy(outer.traceback:find(here(inner), 1, true), outer.traceback)
  end)

  it("is encoded with the error, whatever the names of files are made of", function()
    local chunk = assert(compile("local err = ...\nerror(err)", "@dir\255\n/caf\233.lua"))
    local task = ofox.go(function()
      chunk(ofox.errors.new { type = "internal_error", message = "x" })
      return nil
    end)
    local _, err = task:wait()
    assert.is_truthy(err.traceback:find("dir\239\191\189?/caf\239\191\189.lua:2", 1, true), err.traceback)
    assert.is_truthy(json.encode(err))
  end)

  it("shows no value and no text of the program, and so no key", function()
    local code = "local client, params, key = ...; key = '" .. KEY .. "'; client:chat(params)"
    local seen = {}
    local client = client_of { logger = function(_, _, fields)
      for _, value in pairs(fields) do seen[#seen + 1] = tostring(value) end
    end }
    for _, name in ipairs { code, "@file.lua", "named" } do
      refuse("the key " .. KEY)
      local _, err = ofox.go(assert(compile(code, name)), client, PARAMS):wait()
      seen[#seen + 1] = err.traceback
      local shown = name == "@file.lua" and "file.lua:1" or '[string "..."]:1'
      assert.is_truthy(err.traceback:find(shown, 1, true), err.traceback)
    end
    assert.is_nil(table.concat(seen, "\n"):find(KEY, 1, true))
  end)
end)

describe("[P4] the place in a program", function()
  it("is its first line, as levels count", function()
    local function of(level)
      local text, at = place.of(nil, level)
      return text, at
    end
    local text, at = of(1)
    assert.equal(here(line() - 4), text)
    assert.equal(1, at)
    text = of(2)
    assert.equal(here(line() - 1), text)
    local function called() return place.of_caller(), 1 end
    text = called()
    assert.equal(here(line() - 1), text)
    local thread = coroutine.create(function() table.sort({ 2, 1 }, function() error("x") end) end)
    coroutine.resume(thread)
    assert.equal(here(line() - 2), (place.of(thread)))
    assert.is_nil(place.of(coroutine.create(function() end)))
  end)

  it("is none of ours", function()
    local thread = coroutine.create(ofox.new)
    coroutine.resume(thread, 5)
    assert.is_nil(place.of(thread))
  end)
end)
