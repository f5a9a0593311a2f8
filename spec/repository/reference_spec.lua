-- doc/reference.md has every public name, each with a page that explains it;
-- and no page names what does not exist.
-- test: once: the names are the same on each Lua
local ofox = require "ofox"
local annotations = require "support.annotations"
local markdown = require "support.markdown"
local mock = require "ofox.mock"
local options = require "ofox.request.options"
local pages = require "support.pages"
local proc = require "support.proc"

local PATH = "doc/reference.md"
local SECTIONS = markdown.parse(proc.read(PATH))

-- Methods that ofox calls itself: of a mock, what makes it a transport.
local OWN = {
  ["mock:start"] = true, ["mock:step"] = true, ["mock:cancel"] = true, ["mock:news"] = true, ["mock:timeout"] = true,
  ["token:on_cancel_if_held"] = true,
}

local MODEL = annotations.new()
do
  local pipe = assert(io.popen("find lua -name '*.lua' | sort"))
  for path in pipe:lines() do annotations.read(path, MODEL) end
  pipe:close()
end

local function methods(names, prefix, object)
  for name, method in pairs(getmetatable(object).__index) do
    local whole = prefix .. name
    if type(method) == "function" and not name:find("^_") and not OWN[whole] then names[whole] = true end
  end
end

-- Every name that a program may use: what the module has and what the objects
-- have that it makes.
local function public_names()
  local names = { ["mock.requests"] = true }
  for name in pairs(mock) do names["mock." .. name] = true end
  for name in pairs(annotations.fields_of({ MODEL }, "ofox.Module")) do names["ofox." .. name] = true end
  local client = ofox.new { api_key = "sk-test", transport = mock.new():reply { sse = { { choices = {} } } } }
  local stream = client:stream { model = "m", messages = {} }
  local parser = ofox.sse()
  methods(names, "client:", client)
  methods(names, "res:", require("ofox.answer.response").wrap({}, function() return {} end))
  methods(names, "stream:", stream)
  methods(names, "parser:", parser)
  methods(names, "task:", ofox.go(function() end))
  methods(names, "token:", ofox.cancel_token())
  methods(names, "mock:", mock.new())
  methods(names, "err:", ofox.parse_error(429))
  for name, value in pairs(ofox.errors) do
    if type(value) == "function" then names["ofox.errors." .. name] = true end
  end
  for name in pairs(ofox.store) do names["ofox.store." .. name] = true end
  for name in pairs(ofox.retry) do names["ofox.retry." .. name] = true end
  stream:close()
  return names
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The rows of the page's tables with these headings.
local function rows(heading)
  local list = {}
  for _, section in ipairs(SECTIONS) do
    for _, grid in ipairs(section.tables) do
      for i = 2, grid[1][1] == heading and #grid or 0 do list[#list + 1] = grid[i] end
    end
  end
  return list
end

-- The text of the pages that a cell links to.
local function linked(cell)
  local texts = {}
  for target in cell:gmatch("%]%(([^)]+)%)") do texts[#texts + 1] = proc.read((pages.follow(PATH, target))) end
  assert.is_true(#texts > 0, cell)
  return table.concat(texts)
end

local function has_word(text, word)
  return text:find("%f[%w_]" .. word:gsub("%p", "%%%0") .. "%f[^%w_]") ~= nil
end

describe("the reference", function()
  it("has every public name once, and no other", function()
    local listed = {}
    for _, row in ipairs(rows "name") do
      local name = row[1]:match("^`([%w_.:]+)")
      assert.is_nil(listed[name], name)
      listed[name] = true
    end
    assert.same(sorted(public_names()), sorted(listed))
  end)

  it("links each name to a page that has it", function()
    for _, row in ipairs(rows "name") do
      local name = row[1]:match("^`([%w_.:]+)")
      assert.is_true(has_word(linked(row[3]), name), row[3] .. " has no " .. name)
    end
  end)

  local CLASSES = {
    ["a request of `client:request`"] = "RequestParams", ["meta"] = "Meta", ["tokens"] = "Tokens",
    ["an error"] = "AnyError", ["an attempt in `retries`"] = "Attempt", ["`ratelimit`"] = "RateLimit",
    ["`partial`"] = "PartialAnswer", ["an event of `parser:next`"] = "SseEvent", ["a policy"] = "RetryPolicy",
    ["a state of `ofox.retry.plan`"] = "RetryPlanState", ["a plan"] = "RetryPlan",
    ["options of `ofox.map`"] = "MapOptions", ["a reply of a mock"] = "MockScript",
    ["a request in `mock.requests`"] = "MockRequest", ["a report of the doctor"] = "Report",
    ["a finding in it"] = "Finding", ["the stats of a client"] = "Stats", ["a model in them"] = "ModelStats",
    ["a histogram in them"] = "Histogram", ["options of `ofox.store.redis`"] = "RedisOptions",
    ["options of `client:wait_video`"] = "WaitOptions",
    ["what `ofox.file` is told"] = "FileBytes",
    ["a part in `parts` of a request"] = "MockPart", ["a tool of `client:run_tools`"] = "RunTool",
  }
  -- without the fields of the classes that they come from
  local OWN_FIELDS = {
    ["a policy of `ofox.retry.call`"] = "RetryCall", ["options of `client:run_tools`"] = "ToolOptions",
  }

  local function expected_fields(of)
    local set = {}
    if of == "options" then
      for _, row in ipairs(options.rows) do set[row.name] = true end
    elseif OWN_FIELDS[of] then
      for _, name in ipairs(MODEL.classes["ofox." .. OWN_FIELDS[of]].own) do set[name] = true end
    else
      local class = assert(CLASSES[of], of)
      for name, field in pairs(annotations.fields_of({ MODEL }, "ofox." .. class)) do
        if not (field.type or ""):find("^fun%(self") then set[name] = true end
      end
    end
    return set
  end

  it("has the fields of every table, each on the page that it names", function()
    local count = 0
    for _, row in ipairs(rows "of") do
      local names, text = {}, linked(row[3])
      for name in row[2]:gmatch("`([%w_]+)`") do
        names[name] = true
        assert.is_true(has_word(text, name), row[3] .. " has no " .. name)
      end
      assert.same(sorted(expected_fields(row[1])), sorted(names), row[1])
      count = count + 1
    end
    assert.equal(1 + #sorted(OWN_FIELDS) + #sorted(CLASSES), count)
  end)

  it("names the classes of errors, and what each has", function()
    local names = {}
    for name in proc.read(PATH):match("Each has ([^.]*)%."):gmatch("`(%w+)`") do names[name] = true end
    assert.same(sorted(annotations.fields_of({ MODEL }, "ofox.ErrorClass")), sorted(names))
  end)
end)

describe("a page", function()
  local NATIVE = { core = true, engine = true, redis = true }

  -- Names that begin like public ones, and are modules, types, files or hosts.
  local function is_other(name)
    local module = name:match("^ofox%.([%w_.]+)$")
    if not module then return false end
    if NATIVE[module] or MODEL.classes[name] or name == "ofox.ai" then return true end
    local path = "lua/ofox/" .. module:gsub("%.", "/")
    local file = io.open(path .. ".lua") or io.open("doc/" .. name)
    if file then file:close() end
    return file ~= nil
  end

  -- What of a text looks like a public name and is none.
  local function unknown_in(text, names)
    local list = {}
    for prefix, mark, name in text:gmatch("%f[%w_/.]([%a]+)([.:])([%a_][%w_.]*)") do
      name = name:gsub("%.$", "")
      local whole = prefix .. mark .. name
      local kind = ("ofox. client: stream: parser: token: err: res: task: mock:"):find(prefix .. mark, 1, true)
      local class = name:match("^errors%.(%a+Error)$")
      local known = names[whole] or class and ofox.errors[class] or is_other(whole)
      if kind and not known then list[#list + 1] = whole end
    end
    return list
  end

  for _, path in ipairs(pages.list()) do
    it("names only what there is: " .. path, function()
      assert.same({}, unknown_in(proc.read(path), public_names()))
    end)
  end

  it("would be told of what is not there", function()
    local names = public_names()
    assert.same({ "ofox.gone", "client:gone", "ofox.retry.gone", "ofox.errors.GoneError" },
      unknown_in("`ofox.gone(x)`, client:gone{}, ofox.retry.gone. ofox.errors.GoneError, ofox.sleep", names))
    assert.same({}, unknown_in("`ofox.loop.uv` ofox.errors.TLSError https://api.ofox.ai ofox.Loop ofox.txt", names))
  end)
end)
