-- test: once: nothing here depends on Lua
-- The pure parts of ofox.redis: names of scripts, pauses between attempts, URLs.
local client = require "support.redis_client"
local shell = require "support.shell"
local proc = require "support.proc"

local redis = client.redis
local parts = redis.parts

describe("the name of a script", function()
  it("is its SHA-1", function()
    assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709", parts.sha1 "")
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", parts.sha1 "abc")
    assert.equal("84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      parts.sha1 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
  end)

  it("is that of texts of any length, as openssl has it", function()
    local directory = proc.directory()
    local names, wanted = {}, {}
    for n = 0, 200 do
      proc.write(("%s/%03d"):format(directory.path, n), ("x"):rep(n))
      wanted[n + 1] = parts.sha1(("x"):rep(n))
    end
    for line in shell.succeed(("cd %s && openssl sha1 -r *"):format(proc.quote(directory.path))):gmatch("%x+ ") do
      names[#names + 1] = line:sub(1, 40)
    end
    directory:remove()
    assert.same(wanted, names)
  end)
end)

describe("attempts to connect", function()
  it("follow each other in half a second, and twice as long each time, up to five", function()
    assert.same({ 10.5, 21, 32, 44, 55, 65 }, parts.pauses({ 10, 20, 30, 40, 50, 60 }, {}))
  end)

  it("follow a success in half a second, however many had failed", function()
    assert.same({ 10.5, 21, 30.5, 40.5, 51 }, parts.pauses({ 10, 20, 30, 40, 50 }, { false, false, true, false }))
  end)
end)

describe("a URL", function()
  local engine = require "ofox.base.native"("engine").new()

  local function connect(url)
    return redis.connect { engine = engine, url = url }
  end

  local function shown(url)
    local connection, problem = connect(url)
    return connection and tostring(connection) or problem
  end

  for url, expected in pairs {
    ["redis://localhost"] = "localhost:6379/0",
    ["redis://localhost/"] = "localhost:6379/0",
    ["REDIS://Cache-1.example_x:1/15"] = "Cache-1.example_x:1/15",
    ["redis://127.0.0.1:65535"] = "127.0.0.1:65535/0",
    ["redis://[::1]"] = "::1:6379/0",
    ["redis://[fe80::1%eth0]:7/2"] = "fe80::1%eth0:7/2",
    ["redis://:secret@host"] = "host:6379/0",
    ["redis://user:se/cr@t@host/3"] = "host:6379/3",
    ["redis://user:%41%2f%20@host"] = "host:6379/0",
    ["unix:///run/redis.sock"] = "/run/redis.sock?db=0",
    ["unix:///run/a%20b?db=4"] = "/run/a b?db=4",
    ["unix://user:secret@/run/x"] = "/run/x?db=0",
  } do
    it("can be " .. url, function()
      assert.equal("ofox.redis: " .. expected .. " (off)", shown(url))
    end)
  end

  local SECRETS = "user and password: expected user:password@ before the host, percent-encoded"
  local HOST = "host: expected a name, an address of IPv4, or one of IPv6 in brackets"
  local PORT = "port: expected a number from 1 to 65535 after the host's colon"
  local DATABASE = "database: expected a number from 0 on"
  local PATH = "path: expected unix:// and the socket's absolute path, of at most 107 bytes"
  local QUERY = "query: expected nothing but db=, with a number from 0 on"
  local URL = "expected redis://[user:password@]host[:port][/database], rediss://… or unix:///path[?db=database]"

  for url, expected in pairs {
    [""] = URL,
    ["localhost:6379"] = URL,
    ["http://localhost"] = URL,
    [" redis://localhost"] = URL,
    ["redis:/localhost"] = URL,
    ["redis://"] = HOST,
    ["redis:///1"] = HOST,
    ["redis://a b"] = HOST,
    ["redis://a\0b"] = HOST,
    ["redis://::1"] = HOST,
    ["redis://[::1"] = HOST,
    ["redis://[::1]6379"] = HOST,
    ["redis://[]"] = HOST,
    ["redis://" .. ("x"):rep(256)] = HOST,
    ["redis://host?db=1"] = HOST,
    ["redis://host:"] = PORT,
    ["redis://host:0"] = PORT,
    ["redis://host:65536"] = PORT,
    ["redis://host:99999999999999999999"] = PORT,
    ["redis://host:6379x"] = PORT,
    ["redis://host:-1"] = PORT,
    ["redis://host/x"] = DATABASE,
    ["redis://host/-1"] = DATABASE,
    ["redis://host/1/2"] = DATABASE,
    ["redis://host/99999999999999999999"] = DATABASE,
    ["redis://sesame@host"] = SECRETS,
    ["redis://user:@host"] = SECRETS,
    ["redis://@host"] = SECRETS,
    ["redis://user:sesame%@host"] = SECRETS,
    ["redis://user:sesame%4@host"] = SECRETS,
    ["redis://user:sesame%zz@host"] = SECRETS,
    ["redis://user:sesame%00@host"] = SECRETS,
    ["redis://user:sesame@"] = HOST,
    ["unix://"] = PATH,
    ["unix:///"] = PATH,
    ["unix://run/redis.sock"] = PATH,
    ["unix:///" .. ("x"):rep(107)] = PATH,
    ["unix:///run/x?db="] = DATABASE,
    ["unix:///run/x?db=-1"] = DATABASE,
    ["unix:///run/x?db=1&x=2"] = DATABASE,
    ["unix:///run/x?x=1"] = QUERY,
  } do
    it(("cannot be %q"):format(url:sub(1, 40)), function()
      local connection, problem = connect(url)
      assert.is_nil(connection)
      assert.equal("url: " .. expected, problem)
    end)
  end

  it("has to be there, with a timeout that is one", function()
    assert.same({ nil, "url: it is missing" }, { redis.connect { engine = engine } })
    for _, timeout in ipairs { 0, -1, 3601, math.huge, 0 / 0 } do
      local connection, problem = redis.connect { engine = engine, url = "redis://host", timeout = timeout }
      assert.is_nil(connection)
      assert.equal("timeout: expected a number of seconds > 0, and at most 3600", problem)
    end
  end)

  it("and other options are of their types", function()
    assert.has_error(function() redis.connect { engine = engine, url = 1 } end, "url: expected a string, got a number")
    assert.has_error(function() redis.connect { engine = 1, url = "" } end,
      "engine: expected a userdata, got a number")
    assert.has_error(function() redis.connect { engine = engine, url = "redis://x", timeout = "1" } end,
      "timeout: expected a number, got a string")
  end)

  it("of TLS says what is missing where there is none", function()
    local connection, problem = connect "rediss://user:sesame@host"
    if redis.TLS then
      assert.equal("ofox.redis: host:6379/0 (off)", tostring(connection))
    else
      assert.is_nil(connection)
      assert.matches("^rediss://: this build of ofox.redis has no TLS, for which make REDIS=1 wants ", problem)
    end
  end)
end)
