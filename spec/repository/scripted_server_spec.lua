-- The scripted server's own promises, seen through plain LuaSocket: the
-- specs of the engine can be no better than these.
local socket = require "socket"
local proc = require "support.proc"
local server = require "support.server"

describe("the scripted server", function()
  local s
  local open = {}

  local function connect()
    local sock = assert(socket.connect(s.host, s.port))
    sock:settimeout(5)
    open[#open + 1] = sock
    return sock
  end

  local function post(body, headers)
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n" .. (headers or "")
      .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
  end

  --- Sends bytes on a fresh connection; all that comes back until its end.
  local function exchange(bytes)
    local sock = connect()
    assert(sock:send(bytes))
    local all, message, partial = sock:receive("*a")
    return all or partial, message
  end

  local function read_answer(sock)
    local head, length = {}, 0
    while true do
      local line = assert(sock:receive("*l"))
      if line == "" then break end
      head[#head + 1] = line
      length = tonumber(line:match("^Content%-Length: (%d+)")) or length
    end
    return head, length > 0 and assert(sock:receive(length)) or ""
  end

  setup(function() s = server.start() end)
  teardown(function() s:stop() end)
  after_each(function()
    for _, sock in ipairs(open) do sock:close() end
    open = {}
    s:reset()
  end)

  describe("a step's bytes", function()
    local HEAD = "HTTP/1.1 200 OK\r\n"
    local rows = {
      { "nothing said: an empty JSON answer", {},
        HEAD .. "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n" },
      { "status and body", { status = 503, body = "{}" },
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" },
      { "status, reason, version of any kind", { status = 999, reason = "Odd", version = "1.0" },
        "HTTP/1.0 999 Odd\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n" },
      { "headers as a map, sorted, with several values",
        { headers = { ["x-b"] = { 1, 2 }, ["x-a"] = "v", ["content-type"] = "text/html" } },
        HEAD .. "content-type: text/html\r\nx-a: v\r\nx-b: 1\r\nx-b: 2\r\nContent-Length: 0\r\n\r\n" },
      { "headers as a list, in order", { headers = { "X-Z: 1", { "X-A", "2" }, "x-empty:" } },
        HEAD .. "X-Z: 1\r\nX-A: 2\r\nx-empty: \r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n" },
      { "no content type at all", { headers = { ["content-type"] = false } },
        HEAD .. "Content-Length: 0\r\n\r\n" },
      { "a short Content-Length", { headers = { "Content-Length: 1" }, body = "abc" },
        HEAD .. "Content-Length: 1\r\nContent-Type: application/json\r\n\r\nabc" },
      { "no framing but the end", { framing = "close", body = "abc" },
        HEAD .. "Content-Type: application/json\r\n\r\nabc" },
      { "chunks", { chunks = { "ab", { pause = 0.001 }, "cde" } },
        HEAD .. "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
          .. "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n" },
      { "chunks without the last one", { chunks = { "ab" }, last_chunk = false },
        HEAD .. "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n" },
      { "one item many times, measured", { body = nil, chunks = { { bytes = "xy", times = 3 } }, framing = "length" },
        HEAD .. "Content-Type: text/event-stream\r\nContent-Length: 6\r\n\r\nxyxyxy" },
      { "1xx first", { interim = { 103, "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" }, body = "{}" },
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 Continue\r\nX: y\r\n\r\n" .. HEAD
          .. "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" },
      { "exact bytes", { raw = "SSH-2.0-\0\255\r\n" }, "SSH-2.0-\0\255\r\n" },
      { "exact bytes in items", { raw = { "a", { pause = 0.001 }, { bytes = "b", times = 2 } } }, "abb" },
      { "a cut inside the headers", { body = "{}", cut = 12 }, "HTTP/1.1 200" },
      { "a drip", { raw = "abc", drip = 0.001 }, "abc" },
      { "a coarse drip", { raw = "abcdefg", drip = 0.001, drip_size = 3 }, "abcdefg" },
    }
    for _, row in ipairs(rows) do
      it(row[1], function()
        row[2].close = true
        s:script { row[2] }
        assert.equal(row[3], (exchange(post("{}"))))
      end)
    end

    it("come a byte at a time when dripping", function()
      s:script { { raw = "abcdefghij", drip = 0.002, close = true } }
      local started = socket.gettime()
      assert.equal("abcdefghij", (exchange(post("{}"))))
      assert.is_true(socket.gettime() - started >= 0.018)
    end)

    it("carry 20 MB without sending them over the control channel", function()
      s:script { { chunks = { { bytes = ("x"):rep(65536), times = 320 } }, framing = "close" } }
      local all = exchange(post("{}"))
      assert.equal(320 * 65536, #all:match("\r\n\r\n(.*)$"))
    end)
  end)

  describe("the script", function()
    it("is served in order over all connections", function()
      s:script { { body = "1" }, { body = "2" }, { body = "3" } }
      local a, b = connect(), connect()
      local got = {}
      for _, sock in ipairs { a, b, a } do
        sock:send(post("{}"))
        got[#got + 1] = select(2, read_answer(sock))
      end
      assert.same({ "1", "2", "3" }, got)
      assert.equal(2, s:connections())
    end)

    it("may have a step wait for later requests", function()
      s:script { { after = 3, body = "1" }, { body = "2" }, { body = "3" } }
      local a, b = connect(), connect()
      a:send(post("{}"))
      s:wait { requests = 1 }
      local got = {}
      for i = 1, 2 do
        a:settimeout(0)
        assert.equal("timeout", select(2, a:receive(1)))
        b:send(post("{}"))
        got[i] = select(2, read_answer(b))
      end
      a:settimeout(5)
      got[3] = select(2, read_answer(a))
      assert.same({ "2", "3", "1" }, got)
    end)

    it("says so when it has no step left, and repeats the last when told", function()
      s:script { { body = "1", close = true } }
      exchange(post("{}"))
      assert.matches("^HTTP/1.1 418 .*script_exhausted", (exchange(post("{}"))))
      s:script { { body = "again", close = true }, repeat_last = true }
      for _ = 1, 3 do assert.matches("again$", (exchange(post("{}")))) end
    end)

    it("refuses unknown fields and values", function()
      assert.error_matches(function() s:script { { boddy = "" } } end, "step 1: unknown field 'boddy'")
      assert.error_matches(function() s:script { {}, { close = "fin" } } end, "step 2: close = fin")
    end)
  end)

  describe("the log", function()
    it("holds what was sent, byte for byte", function()
      s:script { { body = "1" }, { body = "2" } }
      local sock = connect()
      sock:send(post("a\0b\r\n\255", "X-One: 1\r\nx-one:2\r\nAuthorization: Bearer k\r\n"))
      read_answer(sock)
      sock:send("GET /v1/models?x=%20 HTTP/1.1\r\nHost: h\r\n\r\n")
      read_answer(sock)
      local log = s:log()
      assert.equal(2, #log)
      assert.same({ "POST", "/v1/chat/completions", "HTTP/1.1", "a\0b\r\n\255", 1, 1, true },
        { log[1].method, log[1].path, log[1].version, log[1].body, log[1].conn, log[1].nth, log[1].complete })
      assert.same({ "1, 2", "Bearer k" }, { log[1].headers["x-one"], log[1].headers.authorization })
      assert.matches("^POST .*\r\nX%-One: 1\r\nx%-one:2\r\n.*\r\n\r\n$", log[1].raw_headers)
      assert.same({ "GET", "/v1/models?x=%20", "", 1, 2 },
        { log[2].method, log[2].path, log[2].body, log[2].conn, log[2].nth })
      assert.is_true(log[2].at >= log[1].at)
    end)

    it("knows bodies in chunked coding", function()
      s:script { { close = true } }
      exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")
      assert.equal("abc0123456789", s:log()[1].body)
    end)

    it("takes a body of 10 MB, keeping its size", function()
      s:script { { close = true } }
      exchange(post(("x"):rep(10 * 1024 * 1024)))
      local entry = s:log()[1]
      assert.equal(10 * 1024 * 1024, entry.body_size)
      assert.is_true(entry.complete)
    end)

    it("tells an upload that was broken off", function()
      s:script { {} }
      local sock = connect()
      sock:send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
      assert.is_true(s:wait { requests = 1 })
      sock:close()
      assert.is_true(s:wait { open = 0 })
      local entry = s:log()[1]
      assert.same({ "half", false }, { entry.body, entry.complete })
    end)
  end)

  describe("the connection", function()
    it("stays open for the next request", function()
      s:script { {}, repeat_last = true }
      local sock = connect()
      for _ = 1, 3 do
        sock:send(post("{}"))
        read_answer(sock)
      end
      assert.same({ 1, 1 }, { s:connections(), s:open() })
    end)

    it("serves pipelined requests", function()
      s:script { { body = "1" }, { body = "2" } }
      local sock = connect()
      sock:send(post("a") .. post("b"))
      assert.equal("1", (select(2, read_answer(sock))))
      assert.equal("2", (select(2, read_answer(sock))))
    end)

    it("obeys Connection: close", function()
      s:script { { body = "x" } }
      local all, message = exchange(post("{}", "Connection: close\r\n"))
      assert.matches("x$", all)
      assert.is_nil(message)
    end)

    it("answers before the upload is complete, and still reads it", function()
      s:script { { status = 413, on = "headers" }, { body = "next" } }
      local sock = connect()
      sock:send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
      assert.equal("HTTP/1.1 413 Content Too Large", read_answer(sock)[1])
      sock:send("late" .. post("{}"))
      assert.equal("next", (select(2, read_answer(sock))))
      assert.equal("late", s:log()[1].body)
    end)

    it("[C18] closes after an early answer without cutting it off", function()
      s:script { { status = 413, body = "too much", on = "headers", close = true } }
      local sock = connect()
      sock:send("POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n" .. ("x"):rep(100000))
      local all = sock:receive("*a")
      assert.matches("too much$", all)
    end)

    it("is reset after an answer", function()
      s:script { { raw = "HTTP/1.1 200 OK\r\n", close = "rst" } }
      local sock = connect()
      sock:send(post("{}"))
      local _, message = sock:receive("*a")
      assert.is_truthy(message)
      assert.is_true(s:wait { open = 0 })
    end)

    local before = { "accept", "arrival" }
    for _, on in ipairs(before) do
      it("is closed on " .. on, function()
        s:script { { raw = "", on = on, close = true } }
        local sock = connect()
        if on == "arrival" then sock:send("P") end
        local all, _, partial = sock:receive("*a")
        assert.equal("", all or partial)
        assert.equal(on == "arrival" and 1 or 0, #s:log())
      end)

      it("is reset on " .. on, function()
        s:script { { raw = "x", on = on, close = "rst" } }
        local sock, refused = socket.connect(s.host, s.port)
        if sock then
          if on == "arrival" then sock:send("P") end
          refused = select(2, sock:receive("*a"))
          sock:close()
        end
        assert.is_truthy(refused)
      end)
    end

    it("is greeted before it asks", function()
      s:script { { raw = "SSH-2.0-x\r\n", on = "accept", close = true } }
      assert.equal("SSH-2.0-x", connect():receive("*l"))
    end)

    it("is answered with silence until the client leaves", function()
      for _, step in ipairs { { stall = true }, { stall = true, on = "accept" }, { stall = true, on = "arrival" } } do
        s:reset()
        s:script { step }
        local sock = connect()
        sock:send(post("{}"))
        sock:settimeout(0.02)
        assert.equal("timeout", (select(2, sock:receive(1))))
        assert.equal(1, s:open())
        sock:close()
        assert.is_true(s:wait { open = 0 })
      end
    end)

    it("stalls in the middle of the headers, or of the body", function()
      for _, row in ipairs {
        { { raw = "HTTP/1.1 200 OK\r\nConte", stall = true }, "HTTP/1.1 200 OK\r\nConte" },
        { { status = 503, headers = { "Content-Length: 9", ["content-type"] = false }, stall = true },
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\n" },
      } do
        s:reset()
        s:script { row[1] }
        local sock = connect()
        sock:send(post("{}"))
        assert.equal(row[2], sock:receive(#row[2]))
        sock:settimeout(0.02)
        assert.equal("timeout", (select(2, sock:receive(1))))
      end
    end)

    it("[C17] gets stray bytes while idle", function()
      s:script { { body = "1", stray = { { pause = 0.005 }, "HTTP/1.1 408 Request Timeout\r\n\r\n" } }, { body = "2" } }
      local sock = connect()
      sock:send(post("{}"))
      assert.equal("1", (select(2, read_answer(sock))))
      assert.is_true(s:wait { strays = 1 })
      assert.equal("HTTP/1.1 408 Request Timeout", sock:receive("*l"))
      assert.equal("", sock:receive("*l"))
      sock:send(post("{}"))
      assert.equal("2", (select(2, read_answer(sock))))
    end)
  end)

  describe("the process", function()
    it("refuses connections while it does not listen", function()
      s:listen(false)
      assert.is_nil((socket.connect(s.host, s.port)))
      s:listen(true)
      assert.is_truthy(connect())
    end)

    it("forgets all at a reset", function()
      s:script { { stall = "deaf" } }
      local sock = connect()
      sock:send(post("{}"))
      assert.is_true(s:wait { requests = 1 })
      s:reset()
      assert.same({ 0, 0, 0 }, { #s:log(), s:connections(), s:open() })
      assert.is_nil((sock:receive(1)))
    end)

    it("says when what is waited for does not come", function()
      assert.is_false(s:wait({ requests = 1 }, 0.01))
    end)

    it("listens on a unix socket, and on several ports side by side", function()
      local directory = proc.directory()
      local other = server.start { unix = directory.path .. "/s" }
      other:script { { body = "unix" } }
      local sock = require("socket.unix").stream()
      assert(sock:connect(other.unix))
      sock:send(post("{}"))
      assert.equal("unix", (select(2, read_answer(sock))))
      assert.is_true(other.port ~= s.port)
      assert.same({ 1, 0 }, { #other:log(), #s:log() })
      other:stop()
      directory:remove()
      assert.is_nil((io.open(directory.path .. "/s")))
    end)

    it("ends with its parent, however that ends", function()
      local pipe = assert(io.popen("exec 2>/dev/null; LUA_PATH='" .. package.path .. "' lua5.4 -e " .. proc.quote([[
        local s = require("support.server").start()
        io.write(s.port, "\n") io.flush() io.read() os.execute("kill -9 $PPID")]]) .. " </dev/null"))
      local port = tonumber(pipe:read("*l"))
      pipe:close()
      local due, there = socket.gettime() + 5
      repeat there = socket.connect("127.0.0.1", port) until not there or socket.gettime() > due
      assert.is_nil(there)
    end)

    it("has a port that refuses and one that swallows", function()
      local port = tonumber(server.refused_url():match(":(%d+)/"))
      assert.is_nil((socket.connect("127.0.0.1", port)))
      local hole = server.black_hole()
      local sock = socket.tcp()
      sock:settimeout(0.02)
      local _, message = sock:connect("127.0.0.1", tonumber(hole.url:match(":(%d+)/")))
      assert.equal("timeout", message)
      sock:close()
      hole.stop()
    end)
  end)
end)
