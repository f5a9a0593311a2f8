local cancel = require "ofox.task.cancel"
local options = require "ofox.request.options"

local NAN, HUGE = 0 / 0, math.huge
local SECRET = "sk-of-SECRET0123456789"

local function noop() end

local STORE = require("ofox").store.ngx { get = noop, safe_set = noop, add = noop, delete = noop }

-- option -> wrong values and what is said of them
local MISUSE = {
  api_key = {
    { 1, "expected a string, a function or false, got a number" },
    { true, "expected a string, a function or false, got a boolean" },
    { {}, "expected a string, a function or false, got a table" },
    { "", "expected a key, got an empty string" },
    { SECRET .. "\n", "begins or ends with white space (a line break read from a file?)" },
    { " " .. SECRET, "begins or ends with white space (a line break read from a file?)" },
    { SECRET .. "\r\nx-evil: 1",
      "contains a character that no key has: a carriage return at character " .. #SECRET + 1 },
    { SECRET .. "\0", "contains a character that no key has: a NUL at character " .. #SECRET + 1 },
    { SECRET .. " x", "contains a character that no key has: a space at character " .. #SECRET + 1 },
    { "sk-\239\188\161" .. SECRET,
      "contains a character that no key has: a full-width character (U+FF21) at character 4" },
    { "sk-\227\128\128\255", "contains a character that no key has: a full-width space (U+3000) at character 4" },
    { "sk-\255\128", "contains a character that no key has: the byte FF at character 4" },
    { "sk-\1", "contains a character that no key has: the control character 01 at character 4" },
    { SECRET .. "\226\128\139",
      "contains a character that no key has: a zero-width character (U+200B) at character " .. #SECRET + 1 },
  },
  base_url = {
    { 1, "expected a URL, got a number" },
    { "", "expected a URL that begins with https:// or http://" },
    { "api.ofox.ai/v1", "expected a URL that begins with https:// or http://" },
    { "ftp://" .. SECRET .. "@host/", "expected a URL that begins with https:// or http://" },
    { "file:///etc/passwd", "expected a URL that begins with https:// or http://" },
    { "https://", "expected a URL with a host name" },
    { "https:///v1", "expected a URL with a host name" },
    { "https://u:" .. SECRET .. "@", "expected a URL with a host name" },
    { "https://:443/v1", "expected a URL with a host name" },
    { "https://[::1/v1", "expected a URL with a host name" },
    { "https://host name/v1", "contains white space or a control character" },
    { "https://host/v1\n", "contains white space or a control character" },
    { "https://host\0/v1", "contains white space or a control character" },
    { "https://host:0/v1", "expected nothing but a port from 1 to 65535 after the host name" },
    { "https://host:65536", "expected nothing but a port from 1 to 65535 after the host name" },
    { "https://host:x", "expected nothing but a port from 1 to 65535 after the host name" },
    { "https://host:", "expected nothing but a port from 1 to 65535 after the host name" },
    { "https://ho[st", "expected nothing but a port from 1 to 65535 after the host name" },
    { "https://host\\@evil", "contains a character that no URL has" },
    { "https://host/v1?key=" .. SECRET,
      "expected a URL without query or fragment (a query goes into the option query)" },
    { "https://host/v1#x", "expected a URL without query or fragment (a query goes into the option query)" },
  },
  anthropic_url = {
    { false, "expected a URL, got a boolean" },
    { "api.ofox.ai/anthropic", "expected a URL that begins with https:// or http://" },
    { "https://u:" .. SECRET .. "@", "expected a URL with a host name" },
    { "https://host?key=" .. SECRET,
      "expected a URL without query or fragment (a query goes into the option query)" },
  },
  gemini_url = {
    { 1, "expected a URL, got a number" },
    { "file:///gemini", "expected a URL that begins with https:// or http://" },
    { "https://host/gemini#x", "expected a URL without query or fragment (a query goes into the option query)" },
  },
  timeout = {
    { NAN, "expected a number of seconds > 0, got NaN" },
    { 0, "expected a number of seconds > 0, got 0" },
    { -1, "expected a number of seconds > 0, got -1" },
    { -HUGE, "expected a number of seconds > 0, got -infinity" },
    { "5", 'expected a number of seconds > 0, got "5"' },
    { false, "expected a number of seconds > 0, got false" },
  },
  max_retries = {
    { -1, "expected an integer from 0 to 1000, got -1" },
    { NAN, "expected an integer from 0 to 1000, got NaN" },
    { 1.5, "expected an integer from 0 to 1000, got 1.5" },
    { "2", 'expected an integer from 0 to 1000, got "2"' },
    { 1001, "expected an integer from 0 to 1000, got 1001" },
    { HUGE, "expected an integer from 0 to 1000, got infinity" },
    { false, "expected an integer from 0 to 1000, got false" },
  },
  retry = {
    { 3, "expected the name of a policy or a table, got 3" },
    { false, "expected the name of a policy or a table, got false" },
    { "none", nil },
    { { factor = 0.5 }, nil },
    { "exp", 'expected "ofox", "openai", "aws" or a table, got "exp"' },
    { { bse = 1 }, ".bse: unknown field; did you mean base?" },
    { { max_retries = 1 }, ".max_retries: unknown field" },
    { { ["a\nb"] = 1 }, "unknown field" },
    { { jitter = "half" }, '.jitter: expected "additive", "full" or "none", got "half"' },
    { { statuses = "429" }, nil },
  },
  fallback = {
    { "m", 'expected a list of model ids, got "m"' },
    { { "m", 1 }, "[2]: expected a model id, got 1" },
    { { "" }, '[1]: expected a model id, got ""' },
    { { model = "m" }, "expected a list of model ids, got a table with other keys" },
    { { "m", [3] = "n" }, nil },
    { { "m", [0] = "n" }, "expected a list of model ids, got a table with other keys" },
    { { "m", [0.5] = "n" }, "expected a list of model ids, got a table with other keys" },
  },
  hold = {
    { 1, "expected true or false, got 1" },
    { "no", 'expected true or false, got "no"' },
    { {}, "expected true or false, got a table" },
  },
  store = {
    { "redis://127.0.0.1", 'expected a store of ofox.store.redis{…} or ofox.store.ngx(…), got "redis://127.0.0.1"' },
    { {}, "expected a store of ofox.store.redis{…} or ofox.store.ngx(…), got a table" },
    { true, "expected a store of ofox.store.redis{…} or ofox.store.ngx(…), got true" }, { noop, nil },
  },
  budget = {
    { 1, "expected true or false, got 1" }, { "yes", 'expected true or false, got "yes"' },
    { {}, "expected true or false, got a table" },
  },
  breaker = {
    { 1, "expected true, or a table with ratio, min_calls, window, open or probes, got 1" },
    { noop, "expected true, or a table with ratio, min_calls, window, open or probes, got a function" },
    { { ratio = 0 }, ".ratio: expected a number above 0, at most 1, got 0" },
    { { ratio = 1.1 }, ".ratio: expected a number above 0, at most 1, got 1.1" },
    { { ratio = NAN }, ".ratio: expected a number above 0, at most 1, got NaN" },
    { { min_calls = 0 }, ".min_calls: expected a whole number from 1 to 1000000, got 0" },
    { { min_calls = 2.5 }, ".min_calls: expected a whole number from 1 to 1000000, got 2.5" },
    { { window = -1 }, ".window: expected a number above 0, at most 86400, got -1" },
    { { window = HUGE }, ".window: expected a number above 0, at most 86400, got infinity" },
    { { open = "15" }, '.open: expected a number above 0, at most 86400, got "15"' },
    { { probes = 0 }, ".probes: expected a whole number from 1 to 1000, got 0" },
    { { min_call = 3 }, nil }, { { 0.5 }, nil },
  },
  hedge = {
    { 0, "expected a finite number of seconds > 0, a table with after and model, or false, got 0" },
    { -1, nil }, { NAN, nil }, { HUGE, nil },
    { true, "expected a finite number of seconds > 0, a table with after and model, or false, got true" },
    { "2", nil }, { noop, nil },
    { {}, ".after: expected a finite number of seconds > 0, got nil" },
    { { 2 }, "expected named fields, got a list" },
    { { after = 2, models = "m" }, ".models: unknown field; did you mean model?" },
    { { after = "2" }, '.after: expected a finite number of seconds > 0, got "2"' },
    { { after = 0, model = "m" }, ".after: expected a finite number of seconds > 0, got 0" },
    { { after = NAN }, ".after: expected a finite number of seconds > 0, got NaN" },
    { { after = HUGE }, ".after: expected a finite number of seconds > 0, got infinity" },
    { { after = 2, model = "" }, '.model: expected a model id, got ""' },
    { { after = 2, model = 3 }, ".model: expected a model id, got 3" },
    { { model = "m" }, ".after: expected a finite number of seconds > 0, got nil" },
  },
  pace = {
    { 60, "expected true, or a table with rpm, tpm, burst or concurrent, got 60" },
    { "fast", 'expected true, or a table with rpm, tpm, burst or concurrent, got "fast"' },
    { noop, "expected true, or a table with rpm, tpm, burst or concurrent, got a function" },
    { {}, "expected rpm, tpm or concurrent in it" },
    { { burst = 3 }, "expected rpm, tpm or concurrent in it" },
    { { rpm = -1 }, ".rpm: expected a number above 0, at most 1000000, got -1" },
    { { rpm = 0 }, ".rpm: expected a number above 0, at most 1000000, got 0" },
    { { rpm = NAN }, ".rpm: expected a number above 0, at most 1000000, got NaN" },
    { { rpm = HUGE }, ".rpm: expected a number above 0, at most 1000000, got infinity" },
    { { rpm = -HUGE }, ".rpm: expected a number above 0, at most 1000000, got -infinity" },
    { { rpm = 1e6 + 1 }, nil },
    { { rpm = 1e-4 }, nil },
    { { rpm = "60" }, '.rpm: expected a number above 0, at most 1000000, got "60"' },
    { { rpm = true }, ".rpm: expected a number above 0, at most 1000000, got true" },
    { { rpm = false, tpm = 1 }, ".rpm: expected a number above 0, at most 1000000, got false" },
    { { tpm = -0.5 }, ".tpm: expected a number above 0, at most 1000000000, got -0.5" },
    { { tpm = NAN }, ".tpm: expected a number above 0, at most 1000000000, got NaN" },
    { { tpm = 1e9 + 1 }, nil },
    { { rpm = 60, burst = 0 }, ".burst: expected a whole number from 1 to 1000000, got 0" },
    { { rpm = 60, burst = 1.5 }, ".burst: expected a whole number from 1 to 1000000, got 1.5" },
    { { rpm = 60, burst = NAN }, ".burst: expected a whole number from 1 to 1000000, got NaN" },
    { { rpm = 60, burst = 1e6 + 1 }, nil },
    { { concurrent = 0 }, ".concurrent: expected a whole number from 1 to 65535, got 0" },
    { { concurrent = -1 }, ".concurrent: expected a whole number from 1 to 65535, got -1" },
    { { concurrent = 2.5 }, ".concurrent: expected a whole number from 1 to 65535, got 2.5" },
    { { concurrent = 65536 }, ".concurrent: expected a whole number from 1 to 65535, got 65536" },
    { { concurrent = HUGE }, ".concurrent: expected a whole number from 1 to 65535, got infinity" },
    { { rpm = 60, bursts = 3 }, ".bursts: unknown field; did you mean burst?" },
    { { rpm = 60, window = 30 }, ".window: unknown field" },
    { { 60 }, nil },
    { { rpm = 60, [SECRET .. "\n"] = 1 }, nil },
  },
  errors = {
    { "throw", 'expected "split", "return" or "raise", got "throw"' },
    { true, 'expected "split", "return" or "raise", got true' },
    { "\27[0m", 'expected "split", "return" or "raise", got a string of 4 bytes' },
    { ("x"):rep(41), 'expected "split", "return" or "raise", got a string of 41 bytes' },
  },
  headers = {
    { "x", "expected a table of names and values, got a string" },
    { { "authorization: " .. SECRET }, 'expected names and values, as in { ["x-name"] = "value" }, got a list' },
    { { ["x a"] = SECRET }, "a name is no HTTP header name" },
    { { [""] = SECRET }, "a name is no HTTP header name" },
    { { ["x\r\nauthorization: " .. SECRET] = "1" }, "a name is no HTTP header name" },
    { { ["X-A"] = SECRET .. "\r\nx: 1" }, ".x-a: contains a line break or another control character" },
    { { ["X-A"] = SECRET .. "\n" }, ".x-a: contains a line break or another control character" },
    { { ["X-A"] = SECRET .. "\0" }, ".x-a: contains a line break or another control character" },
    { { ["X-A"] = SECRET .. "\127" }, ".x-a: contains a line break or another control character" },
    { { ["X-A"] = true }, ".x-a: expected a string, a number, a function, or false to remove it, got a boolean" },
    { { ["X-A"] = { SECRET } }, ".x-a: expected a string, a number, a function, or false to remove it, got a table" },
    { { ["X-A"] = NAN }, ".x-a: expected a finite number, got NaN" },
    { { ["X-A"] = "1", ["x-a"] = "1" }, ".x-a: is given twice" },
    { { ["Content-Length"] = 3 }, ".content-length: is set by ofox" },
    { { ["transfer-encoding"] = "chunked" }, ".transfer-encoding: is set by ofox" },
    { { Expect = "100-continue" }, ".expect: is never sent" },
    { { ["Idempotency-Key"] = "k" }, ".idempotency-key: is the option idempotency_key of a call" },
  },
  query = {
    { "a=1", "expected a table of names and values, got a string" },
    { { "a=" .. SECRET }, 'expected names and values, as in { name = "value" }, got a list' },
    { { [""] = "x" }, 'expected names and values, as in { name = "value" }, got a list' },
    { { a = NAN }, ".a: expected a string, a finite number, a boolean or a list of them" },
    { { a = noop }, ".a: expected a string, a finite number, a boolean or a list of them" },
    { { a = { 1, { SECRET } } }, ".a: expected a string, a finite number, a boolean or a list of them" },
    { { a = { b = SECRET } }, ".a: expected a string, a finite number, a boolean or a list of them" },
    { { ["a b"] = noop }, "expected a string, a finite number, a boolean or a list of them" },
  },
  idempotency_key = {
    { SECRET, "expected false (a key is given per call)", "client" },
    { true, "expected a string, or false for none, got a boolean" },
    { "", "expected 1 to 255 printable ASCII characters without blanks" },
    { SECRET .. "\n", "expected 1 to 255 printable ASCII characters without blanks" },
    { SECRET .. (" "):rep(300), "expected 1 to 255 printable ASCII characters without blanks" },
  },
  cancel = {
    { {}, "expected a token of ofox.cancel_token(), got a table" },
    { true, "expected a token of ofox.cancel_token(), got true" },
  },
  max_event_bytes = {
    { 0, "expected a number of bytes, an integer from 1 on, got 0" },
    { 1.5, "expected a number of bytes, an integer from 1 on, got 1.5" },
    { HUGE, "expected a number of bytes, an integer from 1 on, got infinity" },
  },
  max_connections = {
    { -1, "expected an integer from 0 (no limit) to 65535, got -1" },
    { 65536, "expected an integer from 0 (no limit) to 65535, got 65536" },
  },
  on_retry = {
    { "f", 'expected a function, or false for none, got "f"' },
    { true, "expected a function, or false for none, got true" },
    { {}, "expected a function, or false for none, got a table" },
    { setmetatable({}, { __call = true }), "expected a function, or false for none, got a table" },
  },
  proxy = {
    { true, "expected a URL, or false for none, got a boolean" },
    { "", "expected a URL, or false for none, got an empty string" },
    { "ftp://u:" .. SECRET .. "@h", "expected a URL of http, https, socks4, socks4a, socks5 or socks5h" },
    { "socks6://u:" .. SECRET .. "@h", "expected a URL of http, https, socks4, socks4a, socks5 or socks5h" },
    { "http://u:" .. SECRET .. "@h\n", "contains white space or a control character" },
    { "http://u:" .. SECRET .. "#x@h", "expected a host name after the password: /, ?, # and \\ in a password must be "
      .. "percent-encoded" },
    { "u:" .. SECRET .. "/x@h", "expected a host name after the password: /, ?, # and \\ in a password must be "
      .. "percent-encoded" },
    { "http://u:" .. SECRET .. "%0A@h", "contains a control character" },
  },
  ca_file = {
    { 1, "expected a path, got a number" },
    { "", "expected a path, got an empty string" },
    { "/a\0b", "contains a control character" },
  },
  verify = {
    { 0, "expected true or false, got 0" },
    { "no", 'expected true or false, got "no"' },
  },
  insecure_http = { { "yes", 'expected true or false, got "yes"' } },
  client_cert = {
    { 1, "expected a path or a table with cert, key and password, got a number" },
    { "", "expected a path, got an empty string" },
    { {}, ".cert: expected a path, got nil" },
    { { cert = "c", key = 1 }, ".key: expected a path, got a number" },
    { { cert = "c", password = SECRET .. "\0" }, ".password: contains a control character" },
    { { cert = "c", pasword = SECRET },
      "expected a path or a table with cert, key and password, got another field" },
  },
  http_version = {
    { 2, 'expected "1.1", "2" or "2-prior-knowledge", got 2' },
    { "3", 'expected "1.1", "2" or "2-prior-knowledge", got "3"' },
  },
  json = {
    { true, "expected a function that decodes, or a table with one in decode, got true" },
    { { encode = noop }, "expected a function that decodes, or a table with one in decode, got a table" },
    { "dkjson", 'expected "cjson", a function that decodes, or a table with one in decode, got "dkjson"' },
  },
  transport = {
    { "mock", 'expected a transport with the methods start and step, got "mock"' },
    { { start = noop }, "expected a transport with the methods start and step, got a table" },
    { io.stderr, "expected a transport with the methods start and step, got a userdata" },
  },
}
-- options with the same check as another
for name, like in pairs {
  stream_timeout = "timeout", connect_timeout = "timeout", idle_timeout = "timeout", deadline = "timeout",
  max_response_bytes = "max_event_bytes", on_wait = "on_retry", on_error = "on_retry",
  on_response = "on_retry", logger = "on_retry", ca_path = "ca_file", unix_socket = "ca_file",
} do
  MISUSE[name] = MISUSE[like]
end

local function scope_of(row, case)
  return case and case[3] or row.scope or "call"
end

-- option -> values and how they are kept; the same if nothing else is said
local token, decode, transport = cancel.new(), function() end, { start = noop, step = noop }
local callable = setmetatable({}, { __call = noop })
local GOOD = {
  api_key = { { SECRET }, { false }, { noop }, { "x" } },
  base_url = {
    { "https://api.ofox.ai/v1" },
    { "https://api.ofox.ai/v1/", "https://api.ofox.ai/v1" },
    { "https://api.ofox.ai/v1///", "https://api.ofox.ai/v1" },
    { "HTTP://Host", "http://Host" },
    { "http://127.0.0.1:1" },
    { "http://[::1]:8080/v1" },
    { "http://[fe80::1%25eth0]/v1" },
    { "https://u:p%40w@host:65535/a/b" },
    { "https://例え.jp/v1" },
  },
  anthropic_url = { { "https://api.anthropic.com" }, { "http://127.0.0.1:1/a/", "http://127.0.0.1:1/a" } },
  gemini_url = { { "https://generativelanguage.googleapis.com" }, { "HTTP://Host/g//", "http://Host/g" } },
  timeout = { { 0.001 }, { 1e9 }, { HUGE } },
  max_retries = { { 0 }, { 1000 }, { 3.0, 3 } },
  retry = {
    { "ofox" }, { "openai" }, { "aws" },
    { { base = 2, factor = 3, jitter = "none", statuses = { 418 } } },
  },
  fallback = { { {} }, { { "a/b", "c" } } },
  hold = { { true }, { false } },
  store = { { false }, { STORE } },
  budget = { { true }, { false } },
  breaker = {
    { true }, { false }, { {} }, { { ratio = 1, min_calls = 1, window = 0.5, open = 86400, probes = 1000 } },
  },
  hedge = {
    { false }, { 2.5, { after = 2.5 } }, { { after = 1e-3 } }, { { after = 2, model = "a/b" } },
  },
  pace = {
    { true }, { false }, { { rpm = 0.001 } }, { { rpm = 1e6, tpm = 1e9, burst = 1e6, concurrent = 65535 } },
    { { tpm = 0.5 } }, { { concurrent = 1 } }, { { rpm = 20, burst = 1 } },
  },
  errors = { { "split" }, { "return" }, { "raise" } },
  headers = {
    { {} },
    { { ["X-A"] = " a\tb ", ["x-b"] = 3, ["x-c"] = 2.5, ["X-D"] = false, ["x-e"] = "" },
      { ["x-a"] = "a\tb", ["x-b"] = "3", ["x-c"] = "2.5", ["x-d"] = false, ["x-e"] = "" } },
    { { Authorization = "Bearer x" }, { authorization = "Bearer x" } },
    { { ["x-big"] = 9007199254740991 }, { ["x-big"] = "9007199254740991" } },
  },
  query = {
    { { a = "x y", b = 1, c = true, h = 1e15 + 1, d = { "p", 2, false }, e = {}, f = 0.5, g = 1e15 },
      { a = { "x y" }, b = { "1" }, c = { "true" }, d = { "p", "2", "false" }, e = {}, f = { "0.5" },
        g = { "1000000000000000" }, h = { "1000000000000001" } } },
  },
  idempotency_key = { { false }, { "k-1" }, { ("k"):rep(255) } },
  cancel = { { token } },
  max_event_bytes = { { 1 }, { 2 ^ 53 } },
  max_connections = { { 0 }, { 65535 } },
  on_retry = { { noop }, { false }, { callable } },
  proxy = { { false }, { "http://u:p@h:3128" }, { "host:3128" }, { "https://h" }, { "socks4://h" },
    { "socks4a://h" }, { "socks5://h" }, { "SOCKS5H://h" } },
  ca_file = { { "/etc/ssl/a b.pem" } },
  verify = { { true }, { false } },
  insecure_http = { { true }, { false } },
  client_cert = {
    { "/c.pem", { cert = "/c.pem" } },
    { { cert = "/c", key = "/k", password = "p" } },
  },
  http_version = { { "1.1" }, { "2" }, { "2-prior-knowledge" } },
  json = { { decode }, { { decode = decode }, decode } },
  transport = { { transport } },
}
for name, like in pairs {
  stream_timeout = "timeout", connect_timeout = "timeout", idle_timeout = "timeout", deadline = "timeout",
  max_response_bytes = "max_event_bytes", on_wait = "on_retry", on_error = "on_retry",
  on_response = "on_retry", logger = "on_retry", ca_path = "ca_file", unix_socket = "ca_file",
} do
  GOOD[name] = GOOD[like]
end

describe("an option", function()
  for _, row in ipairs(options.rows) do
    local name = row.name

    it(("%s refuses what is wrong, and shows no secret [B4] [C3]"):format(name), function()
      assert(MISUSE[name], "no wrong values are known for " .. name)
      for i, case in ipairs(MISUSE[name]) do
        local kept, problem = options.check({ [name] = case[1] }, scope_of(row, case))
        assert.is_nil(kept, ("wrong value %d was taken"):format(i))
        assert.equal(".", problem:sub(1, 1))
        problem = problem:sub(2)
        if case[2] then
          local joint = case[2]:find("^[.%[]") and "" or ": "
          assert.equal(name .. joint .. case[2], problem)
        else
          assert.equal(name, problem:sub(1, #name))
          assert.is_nil(problem:find("attempt to", 1, true))
          assert.is_nil(problem:find(".lua", 1, true))
        end
        assert.is_nil(problem:find("SECRET", 1, true))
        assert.is_nil(problem:find("%c"))
      end
    end)

    it(("%s takes what is right"):format(name), function()
      assert(GOOD[name], "no right values are known for " .. name)
      for _, case in ipairs(GOOD[name]) do
        local kept, problem = options.check({ [name] = case[1] }, scope_of(row))
        assert.is_nil(problem)
        local wanted = case[2]
        if wanted == nil then wanted = case[1] end
        assert.same({ [name] = wanted }, kept)
      end
    end)

    it(("%s is documented, and its default is a right value"):format(name), function()
      assert.is_string(row.doc)
      assert.is_true(row.shown ~= nil or row.default ~= nil)
      if row.default ~= nil then
        local problem, kept = row.check(row.default, "client")
        assert.is_nil(problem)
        assert.equal(row.default, kept)
      end
    end)
  end

  it("keeps integers as integers", function()
    local kept = options.check({ max_retries = 3.0, max_response_bytes = 1e6 }, "call")
    assert.equal("3", tostring(kept.max_retries))
    assert.equal(("%d"):format(1000000), tostring(kept.max_response_bytes))
  end)

  it("is kept as a copy where it is a table", function()
    local given = {
      headers = { ["x-a"] = "1" }, query = { a = { "1" } }, fallback = { "m" },
      retry = { base = 2, statuses = { 418 } }, client_cert = { cert = "c" },
    }
    local kept = options.check(given, "call")
    given.headers["x-a"], given.query.a[1], given.fallback[1] = "2", "2", "n"
    given.retry.base, given.retry.statuses[1], given.client_cert.cert = 3, 419, "d"
    assert.same({
      headers = { ["x-a"] = "1" }, query = { a = { "1" } }, fallback = { "m" },
      retry = { base = 2, statuses = { 418 } }, client_cert = { cert = "c" },
    }, kept)
    given = { pace = { rpm = 20, burst = 2 } }
    kept = options.check(given, "client")
    given.pace.rpm, given.pace.burst = 30, nil
    assert.same({ pace = { rpm = 20, burst = 2 } }, kept)
  end)
end)

describe("a table of options", function()
  local function problem_of(given, scope)
    local kept, problem = options.check(given, scope or "client")
    assert.is_nil(kept)
    return problem
  end

  it("may be absent", function()
    assert.same({}, options.check(nil, "client"))
    assert.same({}, options.check({}, "call"))
  end)

  it("is a table", function()
    assert.equal("expected a table of options, got a string", problem_of(SECRET))
    assert.equal("expected named options, got a list", problem_of { SECRET })
    assert.equal("expected named options, got a list", problem_of { [true] = 1 })
  end)

  it("has no unknown option; the one meant is named if it is near", function()
    for name, meant in pairs {
      apiKey = "api_key", api_ky = "api_key", baseURL = "base_url", base_uri = "base_url",
      maxRetries = "max_retries", max_retry = "max_retries", time_out = "timeout", Timeout = "timeout",
      header = "headers", ["on-retry"] = "on_retry", proxi = "proxy",
    } do
      assert.equal((".%s: unknown option; did you mean %s?"):format(name, meant), problem_of { [name] = 1 })
    end
    assert.equal(".model: unknown option", problem_of { model = "gpt" })
    assert.equal(".x: unknown option", problem_of { x = 1 })
    assert.equal("unknown option", problem_of { [SECRET .. "\n"] = 1 })
  end)

  it("has each option where it belongs", function()
    for _, name in ipairs { "base_url", "anthropic_url", "gemini_url", "pace", "verify", "http_version",
      "max_connections", "json", "transport" } do
      assert.equal("." .. name .. ": can be given to ofox.new only", problem_of({ [name] = GOOD[name][1][1] }, "call"))
    end
    assert.equal(".cancel: is given per call", problem_of({ cancel = token }, "client"))
  end)
end)

describe("the environment", function()
  local function read(kept, env)
    local problem = options.read_environment(kept, function(name) return env[name] end)
    return problem, kept
  end

  it("gives the key and the base URL, the names in their order", function()
    local problem, kept = read({}, {
      OFOXAI_API_KEY = "k1", OFOX_API_KEY = "k2", OFOXAI_BASE_URL = "http://a/v1/", OFOX_BASE_URL = "http://b",
    })
    assert.is_nil(problem)
    assert.same({ api_key = "k1", base_url = "http://a/v1" }, kept)
    problem, kept = read({}, { OFOX_API_KEY = "k2", OFOX_BASE_URL = "http://b" })
    assert.is_nil(problem)
    assert.same({ api_key = "k2", base_url = "http://b" }, kept)
  end)

  it("gives nothing where an option was given", function()
    local _, kept = read({ api_key = false, base_url = "http://c" }, { OFOX_API_KEY = "k", OFOX_BASE_URL = "http://b" })
    assert.same({ api_key = false, base_url = "http://c" }, kept)
  end)

  it("counts empty variables as absent, and no white space around a value", function()
    local _, kept = read({}, { OFOXAI_API_KEY = "", OFOX_API_KEY = " k2\r\n", OFOXAI_BASE_URL = " \t" })
    assert.same({ api_key = "k2" }, kept)
  end)

  it("is named when it is wrong, and what is wrong, but not its value [B8] [C3] [P8]", function()
    assert.equal("$OFOX_API_KEY: contains a character that no key has: a line break at character " .. #SECRET + 1,
      (read({}, { OFOX_API_KEY = SECRET .. "\nx" })))
    assert.equal("$OFOXAI_BASE_URL: expected a URL that begins with https:// or http://",
      (read({}, { OFOXAI_BASE_URL = "u:" .. SECRET .. "@host" })))
  end)
end)

describe("settings", function()
  it("are the defaults, then the client's, then the call's", function()
    local settings = options.settings({}, { timeout = 5, max_retries = 1 }, { max_retries = 2 })
    assert.equal(5, settings.timeout)
    assert.equal(2, settings.max_retries)
    assert.equal(10, settings.connect_timeout)
    assert.equal("split", settings.errors)
    assert.is_true(settings.verify)
    assert.is_nil(settings.deadline)
  end)

  it("have the resource's own timeout unless one was given", function()
    assert.equal(180, options.settings({ timeout = 180 }, {}).timeout)
    assert.equal(5, options.settings({ timeout = 180 }, { timeout = 5 }).timeout)
    assert.equal(6, options.settings({ timeout = 180 }, {}, { timeout = 6 }).timeout)
  end)

  it("add headers and queries up", function()
    local client = { headers = { a = "1", b = "1" }, query = { p = { "1" } } }
    local settings = options.settings({}, client, { headers = { b = false, c = "2" }, query = { q = { "2" } } })
    assert.same({ a = "1", b = false, c = "2" }, settings.headers)
    assert.same({ p = { "1" }, q = { "2" } }, settings.query)
    assert.same({ a = "1", b = "1" }, client.headers)
  end)

  it("can take a hook of the client off, and keep what false means elsewhere", function()
    local client = { on_retry = noop, on_wait = noop, on_error = noop, on_response = noop, logger = noop, proxy = "h" }
    local settings = options.settings({}, client, {
      on_retry = false, on_wait = false, on_error = false, on_response = false,
      logger = false, proxy = false, api_key = false, idempotency_key = false,
    })
    assert.is_nil(settings.on_retry)
    assert.is_nil(settings.on_wait)
    assert.is_nil(settings.on_error)
    assert.is_nil(settings.on_response)
    assert.is_false(settings.logger)
    assert.is_false(settings.proxy)
    assert.is_false(settings.api_key)
    assert.is_false(settings.idempotency_key)
  end)
end)
