-- Files on the wire: what a server gets, and gets again; files that change
-- before, between and during attempts.
-- test: long: a gigabyte goes over loopback
local calls = require "support.calls"
local ofox = require "ofox"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"

local KEY = "sk-of-files-0123456789"
local OK = '{"data":[{"b64_json":"eA=="}]}'
local BUSY = { status = 503, body = '{"error":{"message":"busy"}}' }
local MANY = 32 * 1024 * 1024

local s
local client = calls.against(function() return s end, KEY)

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

local function file_of(bytes)
  return proc.write(os.tmpname(), bytes)
end

-- A long file of zeroes, which takes no room.
local function sparse(size)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:seek("set", size - 1)
  file:write "\0"
  file:close()
  return path
end

-- The parts of a body, by name: {content, filename, type}.
local function parts_of(request)
  local boundary = request.headers["content-type"]:match "^multipart/form%-data; boundary=(%S+)$"
  local parts, at = {}, 1
  assert.is_truthy(boundary)
  assert.equal("--" .. boundary .. "--\r\n", request.body:sub(-#boundary - 6))
  while true do
    local first, last = request.body:find("--" .. boundary .. "\r\n", at, true)
    if not first then return parts end
    local head, from = request.body:match("^(.-)\r\n\r\n()", last + 1)
    local to = request.body:find("\r\n--" .. boundary, from, true)
    parts[head:match '; name="([^"]*)"'] = {
      content = request.body:sub(from, to - 1), filename = head:match 'filename="([^"]*)"',
      type = head:match "Content%-Type: (%S+)",
    }
    at = to + 2
  end
end

local function edit(c, source, more)
  return c:images({ model = "m", prompt = "a fox", n = 2, image = source }, more)
end

describe("a request with files", function()
  it("is a form: fields as text, files with name and type", function()
    s:script { { body = OK }, repeat_last = true }
    local bytes = ("\0\r\n--x\255"):rep(20000)
    local path = file_of(bytes)
    assert(edit(client(), ofox.file(path, { name = 'a"b\195\188.png' })))
    assert(edit(client(), { ofox.file { bytes = "GIF", name = "x.gif" }, ofox.file { bytes = "", type = "a/b" } }))
    local log = s:log()
    local parts = parts_of(log[1])
    assert.same({ content = "a fox" }, parts.prompt)
    assert.same({ content = "2" }, parts.n)
    assert.same({ content = bytes, filename = "a%22b\195\188.png", type = "image/png" }, parts.image)
    assert.equal(tostring(#log[1].body), log[1].headers["content-length"])
    assert.is_nil(log[1].headers.expect)
    assert.is_nil(log[1].headers["transfer-encoding"])
    for _, part in ipairs { 'x.gif"\r\nContent-Type: image/gif\r\n\r\nGIF', 'file"\r\nContent-Type: a/b\r\n\r\n' } do
      assert.is_truthy(log[2].body:find('name="image[]"; filename="' .. part .. "\r\n", 1, true))
    end
  end)

  it("may have an empty file", function()
    s:script { { body = OK }, repeat_last = true }
    local path = file_of ""
    assert(edit(client(), { ofox.file(path, { name = "a.png" }), ofox.file { bytes = "x", name = "b.png" } }))
    os.remove(path)
    assert.is_truthy(s:log()[1].body:find('filename="a.png"\r\nContent-Type: image/png\r\n\r\n\r\n--', 1, true))
  end)

  it("leaves its connection and its handle in order for calls without files", function()
    s:script { { body = OK }, { body = server.completion "hi" }, { body = OK }, { body = server.completion "hi" } }
    local c = client()
    for _ = 1, 2 do
      assert(edit(c, ofox.file { bytes = "abc" }))
      assert.equal("hi", c:chat(calls.PARAMS):output_text())
    end
    local log = s:log()
    assert.same({ 1, 4 }, { s:connections(), #log })
    assert.equal("application/json", log[4].headers["content-type"])
    assert.equal("abc", parts_of(log[3]).image.content)
  end)

  it("has a content type of its own, whatever headers say, and other methods and headers", function()
    s:script { { body = "{}" } }
    local body = { file = ofox.file { bytes = "abc", name = "a.txt" }, tag = { "x", "y" } }
    local headers = { ["Content-Type"] = "application/json", ["X-A"] = "b" }
    assert(client { headers = headers }:request { method = "PUT", path = "/files", body = body })
    local request = s:log()[1]
    assert.same({ "PUT", "b" }, { request.method, request.headers["x-a"] })
    assert.same({ content = "abc", filename = "a.txt", type = "text/plain" }, parts_of(request).file)
    assert.is_truthy(request.body:find('name="tag[]"\r\n\r\nx', 1, true))
  end)

  it("is not held as a whole in memory: a gigabyte", function()
    s:script { { body = OK } }
    local path = sparse(1024 * 1024 * 1024)
    local function peak() return tonumber(proc.read("/proc/self/status"):match "VmHWM:%s*(%d+)") end
    local before = peak()
    assert(edit(client { timeout = 300 }, ofox.file(path)))
    local more = peak() - before -- KiB
    os.remove(path)
    assert.is_true(s:log()[1].body_size > 1024 * 1024 * 1024)
    assert.is_true(more < 4 * 1024, more)
  end)
end)

describe("a retry", function()
  it("sends the same bytes, boundary included, from the disk and from memory", function()
    s:script { BUSY, { close = "rst", raw = "" }, { status = 429, body = "{}" }, { body = OK } }
    local path = file_of(("0123456789"):rep(50000))
    local res = assert(edit(client(), { ofox.file(path), ofox.file { bytes = ("x"):rep(70000) } }))
    local log = s:log()
    assert.same({ 4, 4 }, { #log, res:meta().attempts })
    for i = 2, 4 do
      assert.equal(log[1].headers["content-type"], log[i].headers["content-type"])
      assert.is_true(log[1].body == log[i].body)
      assert.equal(log[1].headers["idempotency-key"], log[i].headers["idempotency-key"])
    end
  end)

  it("follows an answer that came before the file was sent", function()
    s:script { { on = "headers", status = 503, body = "{}", close = true }, { body = OK } }
    local path = sparse(MANY)
    local res = assert(edit(client(), ofox.file(path)))
    os.remove(path)
    assert.equal(2, res:meta().attempts)
    assert.is_true(s:log()[2].body_size > MANY)
  end)

  for name, change in pairs {
    ["has become shorter"] = function(path) proc.write(path, "abc") end,
    ["has become longer"] = function(path) proc.write(path, ("x"):rep(101)) end,
    ["is no longer there"] = os.remove,
    ["has changed"] = function(path) assert(os.execute("touch -d 2001-02-03 " .. path)) end,
    ["was replaced by another"] = function(path)
      local other = file_of(("x"):rep(100))
      os.rename(other, path)
    end,
  } do
    it("is not made with a file that " .. name, function()
      s:script { BUSY, { body = OK } }
      local path = file_of(("x"):rep(100))
      local c = client { on_retry = function() change(path) end }
      local res, err = edit(c, ofox.file(path))
      os.remove(path)
      assert.is_nil(res)
      assert.same({ "invalid_request_error", "file_changed", "-", false }, calls.summary(err))
      assert.same({ false, "not_retryable", 1, 1, "image" },
        { err.retryable, err.reason, err.attempts, #s:log(), err.param })
      assert.is_truthy(err.message:find("the file of image " .. name .. ": " .. path, 1, true), err.message)
      assert.same({ 503, "service_unavailable" }, { err.cause.status, err.cause.type })
    end)
  end
end)

describe("a file that changes while it is sent", function()
  local function has_begun()
    local request = s:log()[1]
    return request ~= nil and request.body_size > 4096
  end

  -- Changes it when the server has got a piece of it, and the engine stands.
  local function changed_by(change)
    local path = sparse(MANY)
    s:script { { body = OK }, repeat_last = true }
    local res, err
    ofox.go(function() res, err = edit(client(), ofox.file(path)) end)
    while not has_begun() do ofox.step(0.01) end
    assert.is_true(s:log()[1].body_size < MANY)
    change(path)
    while ofox.step(1) do end -- luacheck: ignore 542
    os.remove(path)
    return res, err
  end

  for name, change in pairs {
    ["become shorter"] = function(path) proc.write(path, ("x"):rep(1000)) end,
    ["become longer"] = function(path)
      local file = assert(io.open(path, "ab"))
      file:write "more"
      file:close()
    end,
    ["is no longer there"] = os.remove,
  } do
    it("ends the call before its last byte: " .. name, function()
      local res, err = changed_by(change)
      assert.is_nil(res)
      assert.same({ "invalid_request_error", "file_changed", "-", false }, calls.summary(err))
      assert.same({ 1, false, "image" }, { err.attempts, err.retryable, err.param })
      assert.is_truthy(err.message:find(name, 1, true), err.message)
      s:wait { open = 0 }
      local log = s:log()
      assert.same({ 1, false }, { #log, log[1].complete and true or false })
    end)
  end

  it("and is as it was does not matter", function()
    assert(changed_by(function() end))
  end)
end)

describe("a file that cannot be read", function()
  for name, make in pairs {
    ["No such file"] = function() return os.tmpname() .. "/nope" end,
    ["is a directory"] = function() return "/tmp" end,
    ["no regular file"] = function()
      local path = os.tmpname()
      os.remove(path)
      assert(os.execute("mkfifo " .. path))
      return path
    end,
    ["no regular file: /dev/zero"] = function() return "/dev/zero" end,
    ["has no size before it is read"] = function() return "/proc/self/status" end,
  } do
    it("is an error of the call, and nothing is sent: " .. name, function()
      local _, err = edit(client(), ofox.file(make()))
      assert.same({ "invalid_request_error", "file_unreadable", "-", false }, calls.summary(err))
      assert.same({ 0, false, "not_retryable", 0 }, { err.attempts, err.retryable, err.reason, s:connections() })
      if name ~= "No such file" then assert.is_truthy(err.message:find(name, 1, true), err.message) end
      assert.is_truthy(err.message:find("the file of image ", 1, true), err.message)
      assert.equal("image", err.param)
      assert.is_truthy(err:hint())
    end)
  end

  it("is named by its place in the params, also in a list and in a table", function()
    local none, some = ofox.file "/no/such/hat.png", ofox.file { bytes = "x" }
    for place, image in pairs { ["image[2]"] = { some, none }, ["image.front"] = { back = some, front = none } } do
      local _, err = edit(client(), image)
      assert.same({ "file_unreadable", place }, { err.code, err.param })
      assert.is_truthy(err.message:find("the file of " .. place .. " could not be read: ", 1, true), err.message)
    end
    local _, err = client():request { path = "/files", body = { file = none } }
    assert.equal("file", err.param)
  end)

  it("may be of another user", function()
    local path = file_of "x"
    os.execute("chmod 000 " .. path)
    local file = io.open(path)
    if file then file:close() end -- root may read anything
    s:script { { body = OK } }
    local res, err = edit(client(), ofox.file(path))
    if file then assert.is_table(res) else assert.equal("file_unreadable", err.code) end
  end)
end)

it("a call that is cancelled in the middle of its file closes it", function()
  local path = sparse(MANY)
  s:script { { body = OK } }
  local token = ofox.cancel_token()
  local err
  ofox.go(function() _, err = edit(client(), ofox.file(path), { cancel = token }) end) -- luacheck: ignore
  while #s:log() == 0 do ofox.step(0.01) end
  token:cancel()
  while ofox.step(1) do end -- luacheck: ignore 542
  assert.equal("cancelled", err.code)
  local pipe = assert(io.popen("ls -l /proc/" .. proc.read("/proc/self/stat"):match "^%d+" .. "/fd"))
  assert.is_nil(pipe:read("*a"):find(path, 1, true))
  pipe:close()
  os.remove(path)
end)

describe("what a server may say before it has all of a file", function()
  it("100 Continue is no answer", function()
    s:script { { interim = { 100, 102 }, body = OK } }
    local body = ("0123456789"):rep(50000)
    local path = file_of(body)
    assert(edit(client(), ofox.file(path)))
    os.remove(path)
    assert.same({ 1, body }, { #s:log(), parts_of(s:log()[1]).image.content })
  end)

  it("a redirect is an error, and the file goes nowhere else", function()
    s:script { { on = "headers", status = 307, headers = { Location = "/elsewhere" }, close = true } }
    local path = sparse(MANY)
    local _, err = edit(client { max_retries = 0 }, ofox.file(path))
    os.remove(path)
    assert.equal(1, #s:log())
    assert.is_true(err.code == "redirect" or err.code == "reset", err.code) -- as the answer or the RST comes first
  end)
end)

it("a slow call with a file gets no second attempt beside it", function()
  s:script { { body = OK, delay = 0.1 } }
  local path = file_of "PNG"
  local res = assert(edit(client(), ofox.file(path), { hedge = 0.01 }))
  os.remove(path)
  assert.same({ 1, 1 }, { res:meta().attempts, #s:log() })
end)

describe("over HTTP/2", function()
  it("a file is not held as a whole in memory either: a gigabyte", function()
    s:script { { body = OK } }
    local path = sparse(1024 * 1024 * 1024)
    local front = real.nginx { tls = true, http2 = true,
      location = ("proxy_http_version 1.1; proxy_request_buffering off; proxy_pass http://%s:%d;")
        :format(s.host, s.port) }
    local c = client { base_url = front.url, ca_file = front.ca_file, timeout = 300 }
    local function peak() return tonumber(proc.read("/proc/self/status"):match "VmHWM:%s*(%d+)") end
    local before = peak()
    local res, err = edit(c, ofox.file(path))
    local more = peak() - before -- KiB
    os.remove(path)
    local spoken = front:wait_log(1)[1].protocol
    front:stop()
    assert.is_truthy(res, tostring(err))
    assert.equal("HTTP/2.0", spoken)
    assert.is_true(s:log()[1].body_size > 1024 * 1024 * 1024)
    assert.is_true(more < 8 * 1024, more)
  end)

  it("a form is sent, and the same again after a failure", function()
    local body = ("0123456789"):rep(50000)
    s:script { BUSY, { body = OK }, { body = OK } }
    local front = real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port }
    local c = client { base_url = front.url, ca_file = front.ca_file }
    local ok, message = pcall(function()
      assert.equal(2, assert(edit(c, ofox.file(file_of(body)))):meta().attempts)
      assert(edit(c, ofox.file(file_of(body))))
    end)
    local spoken = front:wait_log(3)[1].protocol
    front:stop()
    assert.is_true(ok, tostring(message))
    assert.equal("HTTP/2.0", spoken)
    local log = s:log()
    assert.equal(3, #log)
    for _, request in ipairs(log) do assert.equal(body, parts_of(request).image.content) end
    assert.is_true(log[1].body == log[2].body)
  end)
end)
