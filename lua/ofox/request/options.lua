--- The options of ofox.new and of each call: one table of rows from which the checks,
-- the defaults and the documentation are derived.
-- Knows nothing of HTTP, of clients or of when an option is used.
require "ofox.base.uncompiled" ()
local check = require "ofox.request.checks"
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local reserve = require "ofox.base.reserve"

local options = {}

--- The engine's numbers for them.
options.HTTP_VERSIONS = { ["1.1"] = 11, ["2"] = 20, ["2-prior-knowledge"] = 22 }

-- A check of ofox.request.table_checks.
local function of_table(name)
  return function(value, scope) return reserve.require "ofox.request.table_checks"[name](value, scope) end
end

--- The rows. scope "client": only ofox.new accepts it; "call": only a call.
-- shown: the default in words, if 'default' does not describe it.
---@class ofox.OptionRow
---@field name string
---@field check fun(value: any, scope: string): string|nil, any
---@field default any
---@field shown? string
---@field scope? "client"|"call"
---@field env? string[]
---@field doc string
options.rows = {
  { name = "api_key", check = check.api_key, env = { "OFOXAI_API_KEY", "OFOX_API_KEY" },
    shown = "`$OFOXAI_API_KEY`, then `$OFOX_API_KEY`",
    doc = "a string, a function that is called once per attempt, or `false` to send none" },
  { name = "base_url", check = check.base_url, scope = "client",
    env = { "OFOXAI_BASE_URL", "OFOX_BASE_URL" }, default = "https://api.ofox.ai/v1",
    shown = "`$OFOXAI_BASE_URL`, `$OFOX_BASE_URL`, else `https://api.ofox.ai/v1`",
    doc = "where the API lives; a trailing slash is accepted" },
  { name = "anthropic_url", check = check.base_url, scope = "client",
    shown = "`base_url` with its `/v1` replaced by `/anthropic`",
    doc = "where `client:messages` goes; `/v1/messages` is appended" },
  { name = "gemini_url", check = check.base_url, scope = "client",
    shown = "`base_url` with its `/v1` replaced by `/gemini`",
    doc = "where `client:generate_content` goes; `/v1beta/models/…` is appended" },
  { name = "timeout", check = check.seconds, default = 60, shown = "60 (images, transcripts 180)",
    doc = "seconds for one attempt of a call, connect included; until the headers of a stream" },
  { name = "stream_timeout", check = check.seconds, default = 300,
    doc = "seconds for one attempt of a stream" },
  { name = "connect_timeout", check = check.seconds, default = 10,
    doc = "seconds for DNS, TCP and TLS" },
  { name = "idle_timeout", check = check.seconds, default = 60,
    doc = "seconds without a byte on a started stream" },
  { name = "deadline", check = check.seconds, shown = "none",
    doc = "seconds for the whole call, attempts and waits together; never overslept" },
  { name = "max_retries", check = check.integer(0, 1000, "an integer from 0 to 1000"), default = core.MAX_RETRIES,
    doc = "further attempts after the first" },
  { name = "retry", check = of_table "retry", default = "ofox",
    doc = "the policy: `\"ofox\"`, `\"openai\"`, `\"aws\"` or a table" },
  { name = "fallback", check = of_table "fallback", shown = "none",
    doc = "a list of models to try after the one asked for; chat, responses and messages only" },
  { name = "hold", check = check.boolean, default = true,
    doc = "whether an answer that says when to come back says it to all calls of the account" },
  { name = "pace", check = of_table "pace", scope = "client", default = false,
    doc = "`true`: as fast as the answers say; or `{rpm, tpm, burst, concurrent}`" },
  { name = "budget", check = check.boolean, scope = "client", default = false,
    doc = "whether retries are paid for, so that an account sends few while all of them fail" },
  { name = "breaker", check = of_table "breaker", scope = "client", default = false,
    doc = "whether a model that fails too often is left alone for a while; "
      .. "or `{ratio, min_calls, window, open, probes}`" },
  { name = "hedge", check = of_table "hedge", default = false,
    doc = "seconds after which an attempt that has not begun to answer gets a second beside it; or `{after, model}`" },
  { name = "store", check = of_table "store", scope = "client", shown = "none: this Lua state alone",
    doc = "by which processes share `hold` and `pace`: of `ofox.store.redis` or `ofox.store.ngx`" },
  { name = "errors", check = check.one_of("split", "return", "raise"), default = "split",
    doc = "`\"split\"` returns permanent errors and raises retryable ones; or `\"return\"`, `\"raise\"` for both" },
  { name = "headers", check = of_table "headers", shown = "none",
    doc = "added to each request; `false` removes one, a function is called once per attempt" },
  { name = "query", check = of_table "query", shown = "none",
    doc = "added to the URL of each request" },
  { name = "idempotency_key", check = check.idempotency_key, shown = "new per call and model",
    doc = "sent as `Idempotency-Key`, equal on all attempts; `false` sends none; a string only per call" },
  { name = "cancel", check = of_table "cancel", scope = "call", shown = "none",
    doc = "a token of `ofox.cancel_token()`" },
  { name = "max_event_bytes", check = check.bytes, default = core.MAX_EVENT_BYTES, shown = "16 MiB",
    doc = "the largest event of a stream" },
  { name = "max_response_bytes", check = check.bytes, default = core.MAX_RESPONSE_BYTES, shown = "64 MiB",
    doc = "the largest answer, after decompression" },
  { name = "max_connections", check = check.integer(0, 65535, "an integer from 0 (no limit) to 65535"),
    default = 0, scope = "client", shown = "0, no limit", doc = "connections per host" },
  { name = "on_retry", check = check.hook, shown = "none",
    doc = "`on_retry(err, delay, attempt, source)` before each wait; `false` stops, a number lengthens" },
  { name = "on_wait", check = check.hook, shown = "none",
    doc = "`on_wait(seconds_left, err)`, at most 4 times a second while waiting" },
  { name = "on_error", check = check.hook, shown = "none",
    doc = "`on_error(err)` when a call has failed for good" },
  { name = "on_response", check = check.hook, shown = "none",
    doc = "`on_response(meta)` when a call has succeeded: `meta.usage` where the answer had one, "
      .. "`meta.closed = true` for a stream that the program closed early" },
  { name = "logger", check = check.hook, shown = "none; `OFOX_LOG=debug` logs to stderr",
    doc = "`logger(level, message, fields)`; `false` is silent" },
  { name = "proxy", check = check.proxy, shown = "libcurl's environment variables",
    doc = "URL of a proxy; `false` uses none" },
  { name = "ca_file", check = check.path, shown = "the system's",
    doc = "file of certificates to trust" },
  { name = "ca_path", check = check.path, shown = "the system's",
    doc = "directory of certificates to trust" },
  { name = "verify", check = check.boolean, default = true, scope = "client",
    doc = "whether the server's certificate is checked" },
  { name = "insecure_http", check = check.boolean, default = false,
    doc = "`true`: no warning when a key goes over `http://` to another machine" },
  { name = "client_cert", check = of_table "client_cert", shown = "none",
    doc = "path of a certificate with its key, or `{cert = …, key = …, password = …}`" },
  { name = "unix_socket", check = check.socket, shown = "none",
    doc = "path of a socket to connect to instead of the host" },
  { name = "http_version", check = check.one_of("1.1", "2", "2-prior-knowledge"), scope = "client",
    shown = "HTTP/2 over TLS, else 1.1", doc = "`\"1.1\"`, `\"2\"` or `\"2-prior-knowledge\"`" },
  { name = "json", check = of_table "json", scope = "client", shown = "the core's own",
    doc = "decoder of answers: `\"cjson\"` (lua-cjson), a function, or a table with `decode`" },
  { name = "transport", check = of_table "transport", scope = "client", shown = "libcurl",
    doc = "what moves the bytes: see `ofox.mock`" },
}

local by_name = {}
for _, row in ipairs(options.rows) do by_name[row.name] = row end

--- Is there an option with that name?
---@param name any
---@return boolean
function options.is(name)
  return by_name[name] ~= nil
end

local function names_for(scope)
  local names = {}
  for _, row in ipairs(options.rows) do
    if not row.scope or row.scope == scope then names[#names + 1] = row.name end
  end
  return names
end

local function misplaced(given, scope)
  for name in pairs(given) do
    local row = by_name[name]
    if not row then return describe.unknown(name, names_for(scope), "option") end
    if row.scope and row.scope ~= scope then
      return "." .. name .. (scope == "call" and ": can be given to ofox.new only" or ": is given per call")
    end
  end
  return nil
end

--- Checks a table of options.
---@param given any  nil is no options
---@param scope "client"|"call"
---@return table|nil kept  a new table of the options given
---@return string|nil problem  ".name: what is wrong", if there is no table
function options.check(given, scope)
  if given == nil then return {} end
  if type(given) ~= "table" then
    return nil, describe.expected_type("a table of options", given)
  end
  local problem = misplaced(given, scope)
  if problem then return nil, problem end
  local kept = {}
  for _, row in ipairs(options.rows) do
    local value = given[row.name]
    if value ~= nil then
      problem, kept[row.name] = row.check(value, scope)
      if problem then return nil, describe.place("." .. row.name, problem) end
    end
  end
  return kept
end

--- Adds values from the environment for options that are absent. An empty variable
-- counts as absent; white space around a value is trimmed.
---@param kept table  of options.check; is changed
---@param getenv fun(name: string): string|nil
---@return string|nil problem
function options.read_environment(kept, getenv)
  for _, row in ipairs(options.rows) do
    if row.env and kept[row.name] == nil then
      for _, name in ipairs(row.env) do
        local value = (getenv(name) or ""):match("^[ \t\r\n]*(.-)[ \t\r\n]*$")
        if value ~= "" then
          local problem
          problem, kept[row.name] = row.check(value, "client")
          if problem then return describe.place("$" .. name, problem) end
          break
        end
      end
    end
  end
  return nil
end

local function overlay(below, above)
  if not below or not above then return above or below end
  local out = {}
  for name, value in pairs(below) do out[name] = value end
  for name, value in pairs(above) do out[name] = value end
  return out
end
options.overlay = overlay

local HOOKS = { "on_retry", "on_wait", "on_error", "on_response" }

--- Returns all options of a call. Headers and queries are merged; of every other
-- option the last value given is used.
---@param resource table  its 'timeout', if any, is the default of that option
---@param client table  checked options of the client
---@param call? table  checked options of the call
---@return table settings  a new table
function options.settings(resource, client, call)
  local settings = {}
  for _, row in ipairs(options.rows) do settings[row.name] = row.default end
  settings.timeout = resource.timeout or settings.timeout
  for name, value in pairs(client) do settings[name] = value end
  if call then
    for name, value in pairs(call) do settings[name] = value end
    settings.headers = overlay(client.headers, call.headers)
    settings.query = overlay(client.query, call.query)
  end
  for _, name in ipairs(HOOKS) do settings[name] = settings[name] or nil end
  return settings
end

return options
