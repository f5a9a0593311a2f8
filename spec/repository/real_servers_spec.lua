-- The real servers work as the specs of the engine need them: seen through
-- the curl program.
local calls = require "support.calls"
local proc = require "support.proc"
local real = require "support.real"
local server = require "support.server"

--- What curl says: body and status, protocol and exit code at its end.
local function curl(arguments)
  local pipe = assert(io.popen("env -u http_proxy -u https_proxy -u all_proxy curl -sS -m 10 "
    .. "-w ' %{http_code} %{http_version} %{num_connects}' " .. arguments .. " 2>&1; echo \" rc=$?\""))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

describe("real servers", function()
  local keep, stop_kept = calls.keeper()
  after_each(stop_kept)

  it("nginx answers in plain HTTP/1.1 and logs what it was asked", function()
    local nginx = keep(real.nginx())
    local text = curl("-H 'Authorization: Bearer sk-x' -d '{}' " .. nginx.url .. "/chat/completions")
    assert.matches('"content":"ok".* 200 1.1 1 rc=0$', text)
    local log = nginx:wait_log(1)
    assert.equal("Bearer sk-x", log[#log].headers.authorization)
    assert.same({ "POST", "/v1/chat/completions", "HTTP/1.1", 200 },
      { log[#log].method, log[#log].path, log[#log].protocol, log[#log].status })
  end)

  it("[C14] nginx speaks HTTP/2 over TLS with a certificate that holds", function()
    local nginx = keep(real.nginx { tls = true, http2 = true })
    assert.matches(" 200 2 1 rc=0$", curl("--cacert " .. nginx.ca_file .. " " .. nginx.url))
    assert.matches(" 200 2 1 rc=0$", curl("--cacert " .. nginx.ca_file
      .. (" https://localhost:%d/v1"):format(nginx.port)))
  end)

  for name, reason in pairs { ["self-signed"] = "self%-signed", expired = "expired",
    ["wrong-host"] = "no alternative certificate subject name matches" } do
    it("[C2] nginx with a certificate that is " .. name, function()
      local nginx = keep(real.nginx { tls = name })
      local text = curl("--cacert " .. nginx.ca_file .. " " .. nginx.url)
      assert.matches(reason, text)
      assert.matches("rc=60$", text)
    end)
  end

  it("nginx demands a client's certificate when told", function()
    local nginx = keep(real.nginx { tls = true, client_cert = true })
    assert.matches(" 400 1.1 1 rc=0$", curl("--cacert " .. nginx.ca_file .. " " .. nginx.url))
    assert.matches(" 200 1.1 1 rc=0$", curl(("--cacert %s --cert %s --key %s %s")
      :format(nginx.ca_file, nginx.client_cert, nginx.client_key, nginx.url)))
  end)

  it("nginx passes on to a scripted server", function()
    local s = keep(server.start())
    s:script { { status = 503, body = "{}" } }
    local nginx = keep(real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port })
    assert.matches("{} 503 2 1 rc=0$", curl("--cacert " .. nginx.ca_file .. " -d body " .. nginx.url))
    assert.equal("body", s:log()[1].body)
  end)

  for name, start in pairs {
    nginx = function(backend) return real.nginx { tls = true, http2 = true, requests = 2, backend = backend } end,
    nghttpx = function(backend) return real.nghttpx { requests = 2, backend = backend } end,
  } do
    it("[C14] " .. name .. " sends GOAWAY when a connection has served its requests", function()
      local s = keep(server.start())
      s:script { { body = "{}" }, repeat_last = true }
      local front = keep(start(s.host .. ":" .. s.port))
      local text = curl(("-v --cacert %s %s/1 %s/2 %s/3 %s/4"):format(front.ca_file,
        front.url, front.url, front.url, front.url))
      assert.equal(4, select(2, text:gsub("HTTP/2 200", "")))
      local handshakes = select(2, text:gsub("SSL connection using", ""))
      assert.is_true(handshakes >= 2 and handshakes <= 3, text)
    end)
  end

  it("[C15] tinyproxy passes on, tunnels, and demands its password", function()
    local nginx = keep(real.nginx { tls = true })
    local plain = keep(real.nginx())
    local open = keep(real.proxy())
    local locked = keep(real.proxy { auth = "user:secret" })
    local through = "--cacert " .. nginx.ca_file .. " -x "
    assert.matches(" 200 1.[01] 1 rc=0$", curl("-x " .. open.url .. " " .. plain.url))
    assert.matches(" 200 1.1 1 rc=0$", curl(through .. open.url .. " " .. nginx.url))
    assert.matches("CONNECT 127.0.0.1:" .. nginx.port, open:log())
    assert.matches(" 407 ", curl("-x " .. locked.url .. " " .. plain.url))
    assert.matches("407.* rc=56$", curl(through .. locked.url .. " " .. nginx.url))
    assert.matches(" 200 1.1 1 rc=0$", curl(through .. locked.url .. " -U user:secret " .. nginx.url))
  end)

  it("end with their parent, and leave nothing behind", function()
    local pipe = assert(io.popen("exec 2>/dev/null; LUA_PATH='" .. package.path .. "' lua5.4 -e " .. proc.quote([[
      local s = require("support.real").nginx { tls = true }
      io.write(s.port, "\n", s.directory.path, "\n") io.flush() os.execute("kill -9 $PPID")]]) .. " </dev/null"))
    local port, path = tonumber(pipe:read("*l")), pipe:read("*l")
    pipe:close()
    local socket = require "socket"
    local due, there = socket.gettime() + 5
    repeat
      there = socket.connect("127.0.0.1", port)
      if there then there:close() end
      there = there or io.open(path .. "/conf")
      socket.select(nil, nil, 0.005)
    until not there or socket.gettime() > due
    assert.is_nil(there)
  end)
end)
