--- ofox.doctor: checks everything that a first call needs, and says what to fix.
-- The checks that need no call are here; ofox.doctor.probe makes the calls.
-- No finding shows the key.
require "ofox.base.uncompiled" ()
local describe = require "ofox.base.describe"
local address = require "ofox.doctor.address"
local check = require "ofox.request.checks"
local clients = require "ofox.client"
local core = require "ofox.base.native" "core"
local gateway = require "ofox.base.gateway"
local judge_key = require "ofox.doctor.key".judge
local options = require "ofox.request.options"
local probe = require "ofox.doctor.probe"
local proxies = require "ofox.doctor.proxy"
local request_headers = require "ofox.request.headers"
local reserve = require "ofox.base.reserve"
local text = require "ofox.doctor.text"
local try = require "ofox.base.try"

local doctor = {}

---@class ofox.Finding
---@field check string  "versions", "key", "base_url", "proxy", "name", "connection", "tls",
--   "models", "key_accepted", "clock"
---@field level "ok"|"warn"|"error"|"skipped"
---@field message string  what was found, on one line
---@field advice? string  what to fix

--- The findings in the order in which they were made; tostring gives one line for
-- each.
---@class ofox.Report
---@field ok boolean  there is no error among them
---@field [integer] ofox.Finding

---@class ofox.DoctorOptions
---@field lang? "en"|"zh"

local Report = { __name = "ofox.report" }

function Report.__tostring(report)
  local lines = {}
  for i, finding in ipairs(report) do
    lines[i] = ("%-7s  %-12s  %s"):format(tostring(finding.level), tostring(finding.check), tostring(finding.message))
    if finding.advice then lines[i] = lines[i] .. " -> " .. tostring(finding.advice) end
  end
  return table.concat(lines, "\n")
end

-- One examination: client, options (of the client), lang, report, and what checks
-- store for later ones (key, better, stuck, …).
local Exam = {}
Exam.__index = Exam

--- Adds a finding.
---@param name string  of the check
---@param level "ok"|"warn"|"error"|"skipped"
---@param id string  a row of ofox.doctor.text
---@param values? table<string, any>
---@param advice? string  instead of the row's own
---@return ofox.Finding
function Exam:say(name, level, id, values, advice)
  local finding = {
    check = name, level = level,
    message = text.message(self.lang, id, values),
    advice = advice or text.advice(self.lang, id, values),
  }
  self.report[#self.report + 1] = finding
  return finding
end

--- A piece of text in the report's language.
function Exam:word(id, values)
  return text.message(self.lang, id, values)
end

local RANK = { ok = 0, warn = 1, error = 2 }

-- Combines everything suspicious about a value into one finding.
function Exam:say_all(name, id, values, problems, advice)
  local level, remarks, advices = "ok", {}, {}
  for _, problem in ipairs(problems) do
    if RANK[problem.level] > RANK[level] then level = problem.level end
    remarks[#remarks + 1] = self:word(problem.id, problem)
    advices[#advices + 1] = text.advice(self.lang, problem.id, problem)
  end
  advices[#advices + 1] = advice
  advice = advices[1] and table.concat(advices, self.lang == "en" and " " or "")
  local finding = self:say(name, level, id, values, advice)
  if remarks[1] then
    finding.message = finding.message .. self:word "colon" .. table.concat(remarks, self:word "comma")
  end
  return finding
end

-- Reports on libcurl: a row's id, and its description of itself.
local function describe_curl(engine)
  local made_of = engine.curl()
  local major, minor = made_of:match("^libcurl/(%d+)%.(%d+)")
  local http2 = made_of:match("nghttp2/%S+")
  local words = { made_of:match("^%S+"), made_of:match("^%S+ (%S+)"), http2 }
  local id = major and major * 1000 + minor < 7087 and "old_curl" or not http2 and "no_http2"
  return id, table.concat(words, " ")
end

function Exam:versions()
  local values = { ofox = core.VERSION, lua = require "ofox.base.lua".RELEASE }
  local own = self.options.transport ~= nil
  local ok, engine = try(require "ofox.base.native", "engine")
  if ok and not own then
    local made, why = try(require "ofox.task.engine".get) -- there may be no free descriptors
    if not made then ok, engine = false, why end
  end
  if not ok and not own then
    values.why = engine
    self.stuck = "versions"
    self:say("versions", "error", "no_engine", values)
  else
    local id
    if ok then id, values.curl = describe_curl(engine) end
    if own then id, values.curl = nil, self:word "own_transport" end
    values.versions = self:word("versions", values)
    self:say("versions", id and "warn" or "ok", id or "versions", values)
  end
end

local ROWS = {}
for _, row in ipairs(options.rows) do ROWS[row.name] = row end

local function trimmed(value)
  return (value or ""):match("^[ \t\r\n]*(.-)[ \t\r\n]*$")
end

-- The variable that an option was read from, its bytes, and another variable that
-- has a different value and is not read; nothing if it came from none.
local function variable_of(name, value)
  local row, found, raw = ROWS[name], nil, nil
  for _, variable in ipairs(row.env) do
    local bytes = os.getenv(variable)
    local _, kept = row.check(trimmed(bytes), "client")
    if trimmed(bytes) ~= "" then
      if found and kept ~= value then return found, raw, "$" .. variable end
      if not found and kept ~= value then return nil end
      if not found then found, raw = "$" .. variable, bytes end
    end
  end
  return found, raw
end

-- The program's own headers carry the credentials: true if that was the finding.
function Exam:key_in_headers()
  local headers = self.options.headers or {}
  local taken = false
  for _, name in ipairs(request_headers.AUTH) do
    local value = headers[name]
    if value then
      self.own_auth = true
      if name == "authorization" and type(value) == "string" and not value:find("^[Bb]earer ") then
        self:say("key", "warn", "key_no_bearer")
      else
        self:say("key", "ok", "key_in_headers", { header = name })
      end
      return true
    end
    taken = taken or value == false
  end
  if taken then self:say("key", "skipped", "key_off") end
  return taken
end

-- Reports a key as it was found; 'sent' is what would be sent, usable or not.
function Exam:say_key(from, raw, sent, other)
  local problems = judge_key(raw, not gateway.owns(self.base))
  if other then problems[#problems + 1] = { id = "key_other", level = "warn", other = other } end
  local finding = self:say_all("key", "key", { from = from, length = #sent }, problems)
  if check.key(sent) then finding.level = "error" else self.key = sent end
end

-- Calls the program's api_key function once; its errors become findings.
function Exam:key_of_function()
  local ok, value = try(self.options.api_key)
  if not ok or value ~= nil and value ~= false and type(value) ~= "string" then
    local _, why = try(tostring, value)
    why = ok and describe.expected_type("a string", value) or tostring(why):match("^[^\r\n]*"):sub(1, 200)
    self:say("key", "error", "key_raised", { why = why })
  elseif value == nil then
    self:say("key", "error", "no_key", nil, self:hint("authentication_error", "missing_api_key"))
  elseif value == false then
    self:say("key", "skipped", "key_off")
  else
    self:say_key(self:word("from_function", { name = "api_key" }), value, value)
  end
end

function Exam:hint(...)
  return reserve.require "ofox.hints".find(...)[self.lang]
end

function Exam:look_at_key()
  local key = self.options.api_key
  if self:key_in_headers() then return end
  if self.refused.api_key then
    local variable = self.refused.api_key:match("^%$([%w_]+)")
    local raw = os.getenv(variable)
    self:say_key("$" .. variable, raw, trimmed(raw))
  elseif key == false then
    self:say("key", "skipped", "key_off")
  elseif type(key) == "function" then
    self:key_of_function()
  elseif key == nil then
    self:say("key", "error", "no_key", nil, self:hint("authentication_error", "missing_api_key"))
  else
    local variable, raw, other = variable_of("api_key", key)
    self:say_key(variable or self:word("from_option", { name = "api_key" }), raw or key, key, other)
  end
end

function Exam:look_at_base_url()
  if self.refused.base_url then
    local variable, why = self.refused.base_url:match("^(%$[%w_]+): (.*)$")
    self.stuck = self.stuck or "base_url"
    self:say("base_url", "error", "base_url_refused", { from = variable, why = why })
    return
  end
  local base = self.base
  local variable, _, other = variable_of("base_url", base)
  self.from = variable or base == ROWS.base_url.default and self:word "from_default"
    or self:word("from_option", { name = "base_url" })
  local problems, better = address.judge(base)
  if self.options.unix_socket then
    for i = #problems, 1, -1 do
      if problems[i].id == "plain_http" then table.remove(problems, i) end
    end
  end
  self.better = better
  if other then problems[#problems + 1] = { id = "base_url_other", level = "warn", other = other } end
  self.only_version = #problems == 1 and problems[1].id == "no_version"
  local advice = better and self:word("write_url", { better = address.shown(better), from = self.from })
  local values = { url = address.shown(base), from = self.from }
  self.base_url = self:say_all("base_url", "base_url", values, problems, advice)
end

function Exam:look_at_proxy()
  local at, given = address.split(self.base), self.options.proxy
  if given == false then
    self:say("proxy", "ok", "proxy_off")
  elseif given then
    self.proxied = true
    local from = self:word("from_option", { name = "proxy" })
    self:say("proxy", "ok", "proxy", { proxy = proxies.shown(given), from = from })
  else
    local variable, value, exception = proxies.find(at.scheme, at.host, os.getenv)
    self.proxied = variable ~= nil and exception == nil
    if exception then
      self:say("proxy", "ok", "proxy_around", { host = at.host, exception = "$" .. exception })
    elseif variable then
      local takes_home = address.is_loopback(at.host)
      self:say("proxy", takes_home and "warn" or "ok", takes_home and "proxy_loopback" or "proxy",
        { proxy = proxies.shown(value), from = "$" .. variable, host = at.host })
    elseif at.scheme == "http" and trimmed(os.getenv "HTTP_PROXY") ~= "" then
      self:say("proxy", "ok", "proxy_unused")
    else
      self:say("proxy", "ok", "no_proxy")
    end
  end
end

-- Makes a client from the environment, without its invalid values; those are in
-- 'refused', by option.
local function default_client()
  local given, refused = {}, {}
  for _ = 1, 3 do
    local made, problem = clients.new(given)
    if made then return made, refused end
    local name = problem:find("^%$[%w_]*BASE_URL") and "base_url" or "api_key"
    refused[name] = problem
    if name == "base_url" then given.base_url = ROWS.base_url.default else given.api_key = false end
  end
end

local function check_options(opts)
  if opts == nil then return nil end
  if type(opts) ~= "table" then return "opts: " .. describe.expected_type("a table of options", opts) end
  for name in pairs(opts) do
    if name ~= "lang" then return describe.place("opts", describe.unknown(name, { "lang" }, "option")) end
  end
  local problem = opts.lang ~= nil and check.one_of("en", "zh")(opts.lang)
  return problem and "opts.lang: " .. problem or nil
end

local function finish(report)
  report.ok = true
  for _, finding in ipairs(report) do
    if finding.level == "error" then report.ok = false end
  end
  return report
end

--- Checks what a first call needs: versions, key, base URL, proxy, name,
-- connection, TLS, the list of models, whether the key is accepted, and the clocks.
-- Makes at most five calls, of at most 10 s each, and each a second time if its
-- connection is dropped; none is billed, and in a task other tasks run meanwhile.
-- Problems are in the report: none is raised.
---@param client? ofox.Client  else one of ofox.new{}
---@param opts? ofox.DoctorOptions
---@return ofox.Report
function doctor.examine(client, opts)
  local refused = {}
  if client ~= nil and not clients.options(client) then
    error("ofox.doctor: client: " .. describe.expected_type("a client of ofox.new", client), 2)
  end
  local problem = check_options(opts)
  if problem then error("ofox.doctor: " .. problem, 2) end
  if client == nil then client, refused = default_client() end
  local kept = clients.options(client)
  local exam = setmetatable({
    client = client, options = kept, refused = refused, base = options.settings({}, kept).base_url,
    lang = opts and opts.lang or "en", report = setmetatable({}, Report),
  }, Exam)
  exam:versions()
  exam:look_at_key()
  exam:look_at_base_url()
  if refused.base_url then
    exam:say("proxy", "skipped", "not_tried", { what = "base_url" })
  else
    exam:look_at_proxy()
  end
  probe.run(exam)
  return finish(exam.report)
end

return doctor
