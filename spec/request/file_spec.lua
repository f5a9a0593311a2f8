-- Files in params: what a program may say of them, how params become a form, and
-- what a mock shows of it.
local mock = require "ofox.mock"
local ofox = require "ofox"
local proc = require "support.proc"

local transport, client

before_each(function()
  transport = mock.new()
  transport:always { body = { data = {} } }
  client = ofox.new { api_key = "sk-of-file-0123456789", transport = transport, errors = "return" }
end)

local function sent(params)
  assert(client:images(params))
  return transport.requests[#transport.requests]
end

describe("ofox.file", function()
  for name, row in pairs {
    ["nothing"] = { {}, "ofox.file: path: expected a path, or a table with bytes, got nil" },
    ["an empty path"] = { { "" }, "ofox.file: path: expected a path, or a table with bytes, got an empty string" },
    ["a path with a NUL"] = { { "a\0b" }, "ofox.file: path: contains a control character" },
    ["a number"] = { { 5 }, "ofox.file: path: expected a path, or a table with bytes, got a number" },
    ["no bytes"] = { { { name = "a" } }, "ofox.file: bytes: expected a string, got nil" },
    ["a path in the table"] = { { { path = "a" } },
      "ofox.file: path: unknown field; a path is given as ofox.file(path, {name = …, type = …})" },
    ["letters that have changed places"] = { { { bytes = "x", nmae = "a" } },
      "ofox.file: nmae: unknown field; did you mean name?" },
    ["a misspelt field"] = { { { byte = "x" } }, "ofox.file: byte: unknown field; did you mean bytes?" },
    ["a bad second argument"] = { { "a", "b" }, "ofox.file: the second argument: expected a table, got a string" },
    ["both"] = { { { bytes = "x" }, {} }, "ofox.file: the second argument: a table with bytes has all fields itself" },
    ["bytes of a path"] = { { "a", { bytes = "x" } }, "ofox.file: bytes: unknown field" },
    ["a name that breaks lines"] = { { "a", { name = "a\r\nb" } }, "ofox.file: name: contains a control character" },
    ["an empty name"] = { { "a", { name = "" } }, "ofox.file: name: expected the name of a file, got an empty string" },
    ["no type"] = { { "a", { type = "png" } }, 'ofox.file: type: expected a media type like "image/png", got "png"' },
  } do
    it("is misused by " .. name, function()
      local ok, message = pcall(function() local _ = ofox.file(row[1][1], row[1][2]) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("file_spec.lua:%d+: "), message)
      assert.equal(row[2], message:match ": (ofox%.file: .*)")
    end)
  end

  it("opens nothing, and shows no bytes", function()
    assert.equal("ofox.file: b.png", tostring(ofox.file "/a/does/not/exist/b.png"))
    local file = ofox.file { bytes = "secret" }
    for _, value in pairs(file) do assert.equal("function", type(value)) end
    assert.equal("ofox.file: file", tostring(file))
  end)

  it("guesses the type from the name", function()
    for name, kind in pairs {
      ["a.PNG"] = "image/png", ["b.jpeg"] = "image/jpeg", ["c.mp3"] = "audio/mpeg", ["d.tar.wav"] = "audio/wav",
      png = "application/octet-stream", ["x.unknown"] = "application/octet-stream",
    } do
      assert.equal(kind, sent { file = ofox.file { bytes = "", name = name } }.parts[1].type)
    end
    assert.equal("a/b; c=d", sent { file = ofox.file { bytes = "", name = "a.png", type = "a/b; c=d" } }.parts[1].type)
  end)
end)

describe("params with files", function()
  it("become a form, sorted, files last", function()
    local request = sent {
      prompt = "p", n = 2, ratio = 0.5, whole = 2 ^ 40, yes = true, no = false, none = ofox.null, empty = {},
      list = { "a", { deep = "b" } }, object = { b = { c = "d" } }, image = { ofox.file { bytes = "1" } },
      mask = ofox.file { bytes = "2", name = "m.png" },
    }
    local seen = {}
    for i, part in ipairs(request.parts) do seen[i] = part.name .. "=" .. part.content end
    assert.same({ "list[]=a", "list[][deep]=b", "n=2", "no=false", "object[b][c]=d", "prompt=p", "ratio=0.5",
      "whole=1099511627776", "yes=true", "image[]=1", "mask=2" }, seen)
    assert.same({ "mask", "m.png", "image/png" },
      { request.parts[11].name, request.parts[11].filename, request.parts[11].type })
    local boundary = request.headers["content-type"]:match "^multipart/form%-data; boundary=(.+)$"
    assert.is_truthy(request.body:find("--" .. boundary .. '\r\nContent-Disposition: form-data; name="mask"; '
      .. 'filename="m.png"\r\nContent-Type: image/png\r\n\r\n2\r\n--' .. boundary .. "--\r\n", 1, true))
  end)

  it("are never changed, and the boundary is in no part", function()
    local first = sent { file = ofox.file { bytes = "x" } }
    local boundary = first.headers["content-type"]:match "boundary=(.+)$"
    local params = { file = ofox.file { bytes = boundary } }
    local second = sent(params)
    assert.is_nil(boundary:find(second.headers["content-type"]:match "boundary=(.+)$", 1, true))
    assert.same({ "file" }, { next(params) and (next(params)) })
  end)

  for name, row in pairs {
    ["a function"] = { { f = print }, "params.f: expected what a form can hold, got a function" },
    ["a name with a line break"] = { { ["a\nb"] = 1 }, "params: a name that no form can have" },
    ["a mixed table"] = { { a = { b = 1, [3] = 2 } }, "params.a: expected named fields, or a list" },
    ["NaN"] = { { a = { 0 / 0 } }, "params.a[1]: NaN has no JSON form" },
  } do
    it("may not have " .. name, function()
      row[1].file = ofox.file { bytes = "x" }
      local ok, message = pcall(function() local _ = client:images(row[1]) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("client:images: " .. row[2], 1, true), message)
      row[1].file = nil
    end)
  end

  it("are tables with files in fields, not files", function()
    local file = ofox.file { bytes = "x" }
    local function misuse(message, method, ...)
      local args = { ... }
      local ok, text = pcall(function() local _ = client[method](client, args[1], args[2]) end)
      assert.is_false(ok)
      assert.equal("client:" .. method .. ": " .. message, text:match "^.-file_spec.lua:%d+: (.*)")
    end
    misuse("params: a file belongs in a field, as in {file = ofox.file(path)}", "transcribe", file)
    misuse("params: a file belongs in a field, as in {image = ofox.file(path)}", "edit_images", file)
    for _, method in ipairs { "images", "embeddings", "chat", "videos" } do
      misuse("params: a file belongs in a field, as in {file = ofox.file(path)}", method, file)
    end
    misuse("params.body: a file belongs in a field, as in {file = ofox.file(path)}", "request", { body = file,
      path = "/x" })
    assert.equal(0, #transport.requests)
  end)

  it("are looked for in tables that contain each other", function()
    local many = {}
    for i = 1, 30 do many[i] = {} end
    for i = 1, 30 do
      for k = 1, 30 do many[i][k] = many[k] end
    end
    local ok, message = pcall(function() local _ = client:images { list = many } end)
    assert.is_false(ok)
    assert.is_truthy(message:find("contains itself", 1, true), message)
  end)

  it("end where they contain themselves", function()
    local params = { file = ofox.file { bytes = "x" } }
    params.self = params
    local ok, message = pcall(function() local _ = client:images(params) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("nested too deeply", 1, true), message)
  end)

  it("are what a header function is told nothing of, since they are in no memory", function()
    local told
    local function sum(about)
      told = about
      return "1"
    end
    client = ofox.new { api_key = "sk-of-file-0123456789", transport = transport, headers = { ["x-sum"] = sum } }
    assert(client:images { file = ofox.file { bytes = "x" } })
    assert.same({ "POST", nil }, { told.method, told.body })
  end)

  it("may name a file relative to the directory they were made in", function()
    local path = proc.write(os.tmpname(), "bytes")
    local folder, name = path:match "^(.*)/(.-)$"
    local child = ([[cd '%s' && cat >run.lua <<'END'
local ofox = require "ofox"
local transport = require "ofox.mock".new()
transport:reply { body = { data = {} } }
local file = ofox.file "%s"
print(ofox.new { api_key = "sk-of-file-0123456789", transport = transport }:images { file = file } ~= nil)
print(transport.requests[1].parts[1].content, transport.requests[1].parts[1].filename)
END
LUA_PATH='%s' LUA_CPATH='%s' %s run.lua; rm run.lua]]):format(folder, name,
      package.path:gsub("%./", os.getenv "PWD" .. "/"), package.cpath:gsub("%./", os.getenv "PWD" .. "/"), proc.LUA)
    local pipe = assert(io.popen(child))
    assert.equal("true\nbytes\t" .. name .. "\n", pipe:read "*a")
    pipe:close()
  end)
end)

describe("a mock", function()
  it("reads the file anew for each attempt, and finds out that it has changed", function()
    local path = proc.write(os.tmpname(), "12345")
    transport:reply { status = 503, body = "{}" }
    assert.same({ "12345", 2 }, { sent { file = ofox.file(path) }.parts[1].content, #transport.requests })
    transport:reply(function()
      proc.write(path, "1234")
      return { status = 503, body = "{}" }
    end)
    local _, err = client:images { file = ofox.file(path) }
    assert.same({ "file_changed", "file", 1, 503 }, { err.code, err.param, err.attempts, err.cause.status })
    _, err = client:images { file = ofox.file(path .. "/none") }
    assert.same({ "file_unreadable", "file", 0 }, { err.code, err.param, err.attempts })
    assert.equal(3, #transport.requests)
  end)
end)
