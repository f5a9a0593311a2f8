-- The tables of the pages say what the code does: classes and codes of errors,
-- requests, policies, options, limits.
-- test: once: the tables are the same on each Lua
local ofox = require "ofox"
local core = require("ofox.base.native")("core")
local markdown = require "support.markdown"
local mock = require "ofox.mock"
local options = require "ofox.request.options"
local proc = require "support.proc"

local function sections_of(path) return markdown.parse(proc.read(path)) end

-- The rows below a heading, or nil where there is no such table.
local function rows_if_any(sections, heading)
  local found, rows = pcall(markdown.rows, sections, heading)
  return found and rows or nil
end

local READMES = {
  { path = "README.md", classes = "class in `ofox.errors`", yes = "yes", no = "no", option = "option" },
  { path = "doc/README.zh-CN.md", classes = "`ofox.errors` 中的类", yes = "是", no = "否", option = "选项" },
}

describe("the classes of errors", function()
  local function check(page, rows)
    assert.equal(#core.classes, #rows)
    for i, class in ipairs(core.classes) do
      assert.equal("`" .. class.name .. "`", rows[i][1])
      assert.equal("`" .. class.type .. "`", rows[i][2])
      assert.equal(class.retryable and page.yes or page.no, rows[i][4])
    end
  end

  it("are those of the page", function()
    check({ yes = "yes", no = "no" }, markdown.rows(sections_of "doc/errors.md", READMES[1].classes))
  end)

  for _, page in ipairs(READMES) do
    local rows = rows_if_any(sections_of(page.path), page.classes)
    if rows then
      it("are those of " .. page.path, function() check(page, rows) end)
    end
  end

  -- 520–524 as 520, 521, …
  local function statuses_in(cell)
    local list = {}
    cell = cell:gsub("(%d%d%d)–(%d%d%d)", function(first, last)
      for status = first, last do list[#list + 1] = status end
      return ""
    end)
    for status in cell:gsub("%b()", ""):gmatch("%f[%w]%d%d%d%f[%W]") do list[#list + 1] = tonumber(status) end
    return list
  end

  it("have the statuses that the page says", function()
    local count = 0
    for _, row in ipairs(markdown.rows(sections_of "doc/errors.md", READMES[1].classes)) do
      for _, status in ipairs(statuses_in(row[3])) do
        local err = ofox.parse_error(status)
        if status ~= 429 or row[2] == "`rate_limit_error`" then
          assert.equal(row[2], "`" .. err.type .. "`", status)
          assert.equal(row[4], err.retryable and "yes" or "no", status)
          count = count + 1
        end
      end
      for status in (row[3]:match("%((.*): no%)") or ""):gmatch("%f[%d]%d%d%d%f[%D]") do
        assert.equal(row[2], "`" .. ofox.parse_error(tonumber(status)).type .. "`", status)
        assert.is_false(ofox.parse_error(tonumber(status)).retryable, status)
      end
    end
    assert.equal(23, count)
    assert.equal("billing_error", ofox.parse_error(429, nil, '{"error":{"code":"insufficient_quota"}}').type)
  end)

  it("have the codes that the page says", function()
    local of_type = {}
    for _, outcome in ipairs(core.outcomes) do
      of_type[outcome.type] = of_type[outcome.type] or {}
      of_type[outcome.type][outcome.code] = true
    end
    of_type.authentication_error.proxy_authentication_required = nil -- 407
    for _, row in ipairs(markdown.rows(sections_of "doc/errors.md", READMES[1].classes)) do
      local listed = {}
      for code in row[3]:gmatch("`([%w_]+)`") do listed[code] = true end
      assert.same(of_type[row[2]:match("%w[%w_]+")] or {}, listed, row[1])
    end
  end)

  it("arrive as the page says", function()
    for _, row in ipairs(markdown.rows(sections_of "doc/errors.md", "`errors`")) do
      for column, status in pairs { [2] = 400, [3] = 503 } do
        local client = ofox.new { api_key = "sk-test", max_retries = 0, errors = row[1]:match('"(%w+)"'),
          transport = mock.new():reply { status = status } }
        local returned = pcall(client.chat, client, { model = "m", messages = {} })
        assert.equal(row[column]:match("^%w+"), returned and "returned" or "raised", row[1])
      end
    end
  end)

  it("have the reasons that the page says", function()
    local listed, known = {}, {}
    for _, row in ipairs(markdown.rows(sections_of "doc/errors.md", "field")) do
      if row[1] == "`reason`" then
        for reason in row[2]:gmatch("`([%w_]+)`") do listed[#listed + 1] = reason end
      end
    end
    local list = proc.read("src/policy/retry.h"):match("OFOX_REASONS%(X%)(.-)\n\n")
    for reason in list:gmatch('X%([%u_]+, "([^"]+)"%)') do known[#known + 1] = reason end
    table.sort(listed)
    table.sort(known)
    assert.same(known, listed)
  end)
end)

describe("the methods of a client", function()
  local FILE = ofox.file { bytes = "x" }
  local GIVEN = {
    request = { { path = "/anything" } }, model = { "openai/gpt-4o" }, models = {}, connect = {},
    images = { { model = "m", prompt = "p" } }, embeddings = { { model = "m", input = "i" } },
    edit_images = { { image = FILE } }, transcribe = { { file = FILE } }, videos = { { model = "m" } },
    responses = { { model = "m", input = "i" } },
  }

  it("send what the page says", function()
    local count = 0
    for _, row in ipairs(markdown.rows(sections_of "doc/calls.md", "method")) do
      local name = row[1]:match("^`client:([%w_]+)")
      local method, path = row[2]:match("`(%u+) ([^`]+)`")
      local server = mock.new():always { status = 404 }
      local client = ofox.new { api_key = "sk-test", transport = server, base_url = "http://127.0.0.1:1/v1" }
      if name and method then
        local given = GIVEN[name] or { { model = "m", messages = {} } }
        assert.is_nil((client[name](client, given[1], given[2])))
        assert.equal(method .. " /v1" .. path:gsub("{id}", "openai/gpt-4o"),
          server.requests[1].method .. " " .. server.requests[1].path)
        count = count + 1
      end
    end
    assert.equal(9, count)
  end)
end)

describe("the policies", function()
  local FORMULAS = {
    ["2ⁿ + U(0, 1) s"] = { function(n) return 2 ^ n end, function(n) return 2 ^ n + 1 end },
    ["0.5·2ⁿ s, less up to a quarter"] = { function(n) return 0.375 * 2 ^ n end, function(n) return 0.5 * 2 ^ n end },
    ["U(0, 2ⁿ) s"] = { function() return 0 end, function(n) return 2 ^ n end },
  }

  -- The least and the most that a policy waits after an attempt.
  local function range(policy, attempt)
    local one, other = (ofox.retry.delay(policy, attempt, { u = 0 })), (ofox.retry.delay(policy, attempt, { u = 1 }))
    return math.min(one, other), math.max(one, other)
  end

  it("wait as the page says", function()
    local count = 0
    for _, row in ipairs(markdown.rows(sections_of "doc/retries.md", "policy")) do
      local policy, formula = row[1]:match('"(%w+)"'), FORMULAS[row[2]]
      if policy then
        for attempt = 0, 3 do
          local least, most = range(policy, attempt)
          assert.equal(formula[1](attempt), least, policy)
          assert.equal(formula[2](attempt), most, policy)
        end
        local _, cap = range(policy, 50)
        assert.equal(row[3], ("%.0f s"):format(cap))
        count = count + 1
      end
    end
    assert.equal(3, count)
  end)

  it("have the defaults that the page says", function()
    local default = {}
    for _, row in ipairs(markdown.rows(sections_of "doc/retries.md", "field of a policy")) do
      default[row[1]:match("%w[%w_]*")] = row[2]:gsub("`", "")
    end
    local given = { base = tonumber(default.base), factor = tonumber(default.factor),
      max_delay = tonumber(default.max_delay), jitter = default.jitter:match('"(%w+)"') }
    for attempt = 0, 8 do
      for _, u in ipairs { 0, 0.5, 1 } do
        assert.equal((ofox.retry.delay("ofox", attempt, { u = u })), (ofox.retry.delay(given, attempt, { u = u })))
      end
    end
    local longest = tonumber(default.max_server_delay)
    assert.is_true(ofox.retry.plan("ofox", ofox.parse_error(503), { hint = longest }).retry)
    assert.is_false(ofox.retry.plan("ofox", ofox.parse_error(503), { hint = longest + 1 }).retry)
    assert.equal("none", default.statuses)
    assert.equal("none", default.seed)
  end)

  it("retry the statuses that the page says", function()
    local text = proc.read("doc/retries.md"):match("the statuses (.-)%."):gsub("%s+", " ")
    local retried, not_retried = text:match("^([%d, ]+) and 5xx except ([%w, ]+), up to ")
    local expected = {}
    for status = 500, 599 do expected[status] = true end
    for status in retried:gmatch("%d+") do expected[tonumber(status)] = true end
    for status in not_retried:gmatch("%d+") do expected[tonumber(status)] = nil end
    for status = 400, 599 do
      local plan = ofox.retry.plan("ofox", ofox.parse_error(status))
      assert.equal(expected[status] or false, plan.retry, status)
    end
  end)
end)

describe("the options", function()
  local function check(rows)
    assert.equal(#options.rows, #rows)
    for i, row in ipairs(options.rows) do
      local mark = row.scope == "client" and "*" or row.scope == "call" and "†" or ""
      local default = row.shown
      if default == nil then
        default = row.default == nil and "none"
          or "`" .. (type(row.default) == "string" and '"' .. row.default .. '"' or tostring(row.default)) .. "`"
      end
      assert.same({ "`" .. row.name .. "`" .. mark, default, row.doc }, rows[i])
    end
  end

  it("are those of the page", function() check(markdown.rows(sections_of "doc/options.md", "option")) end)

  local in_readme = rows_if_any(sections_of "README.md", "option")
  if in_readme then
    it("are those of the README", function() check(in_readme) end)
  end

  it("come from the variables that the page says", function()
    local listed = {}
    for _, row in ipairs(markdown.rows(sections_of "doc/options.md", "variable")) do
      local variables = {}
      for name in row[1]:gmatch("`([%w_]+)`") do variables[#variables + 1] = name end
      listed[row[2]] = table.concat(variables, " ")
    end
    for _, row in ipairs(options.rows) do
      if row.env then assert.equal(table.concat(row.env, " "), listed["`" .. row.name .. "`"]) end
    end
    assert.equal("OFOX_LOG", listed["the least level that is logged: `debug`, `info`, `warn` or `error`"])
  end)

  -- The limit that a table names, in bytes or as it is.
  local UNITS = { KiB = 1024, MiB = 1024 * 1024, bytes = 1 }

  it("have the limits beside them that the page says", function()
    local listed, count = {}, 0
    for _, row in ipairs(markdown.rows(sections_of "doc/options.md", "what")) do
      local number, unit = row[2]:match("^(%d+) ?(%a*)$")
      if number then listed[row[1]] = tonumber(number) * (UNITS[unit] or 1) end
    end
    -- A constant of the sources: a number, or a product of numbers.
    local function constant(path, name)
      local product = 1
      for factor in proc.read(path):match("%f[%w_]" .. name .. "[ =]+%(?([%d *]+)"):gmatch("%d+") do
        product = product * tonumber(factor)
      end
      return product
    end
    for what, value in pairs {
      ["the body that an error keeps"] = constant("src/wire/error.h", "OFOX_BODY_CAP"),
      ["the message of an error"] = constant("src/wire/error.h", "OFOX_MESSAGE_CAP"),
      ["the headers of an answer"] = constant("src/wire/headers.h", "OFOX_HEADERS_CAP"),
      ["a URL with its query"] = constant("lua/ofox/request/url.lua", "URL_MAX"),
      ["the id for `client:model`"] = constant("lua/ofox/request/url.lua", "ID_MAX"),
      ["events of a stream that are kept unread"] = constant("src/call/event_queue.c", "QUEUE"),
      ["levels of nested JSON"] = constant("src/base/json_value.h", "OFOX_JSON_DEPTH"),
    } do
      assert.equal(value, listed[what], what)
      listed[what], count = nil, count + 1
    end
    assert.same({}, listed)
    assert.equal(7, count)
  end)
end)

describe("the simulator's models", function()
  it("are those of the page", function()
    local pipe = assert(io.popen(proc.LUA .. " examples/simulator.lua --help"))
    local help = pipe:read("*a")
    pipe:close()
    local count = 0
    for _, row in ipairs(markdown.rows(sections_of "doc/testing.md", "model")) do
      for name in row[1]:gmatch("`([^`]+)`") do
        local kind = name:find("^sim/") and name or name:gsub("/.*", "/<")
        assert.is_truthy(help:find("\n  " .. kind, 1, true), name)
        count = count + 1
      end
    end
    assert.equal(10, count)
  end)
end)
