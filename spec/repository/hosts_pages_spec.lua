-- The pages of the hosts are true: what they say to type is typed here, to the
-- letter, by a newcomer whose home is empty; see support/page.lua.
-- test: long: it builds what the pages build
local socket = require "socket"
local page = require "support.page"
local proc = require "support.proc"
local pty = require "support.pty"
local server = require "support.server"
local simulator = require "support.simulator"

local IS_JIT = proc.ABI == "jit"

-- What every host needs to build ofox.
local BUILD = { "git", "make", "gcc", "libc6-dev", "libcurl4-openssl-dev", "zlib1g-dev", "libbrotli-dev",
  "ca-certificates" }

for _, name in ipairs { "scripts", "neovim", "nginx", "games" } do
  local path = "doc/" .. name .. ".md"
  describe(path, function()
    local text = proc.read(path)

    it("is read in five minutes, and each of its lines is shown whole", function()
      local _, words = text:gsub("%S+", "")
      assert.is_true(words <= 1100, words .. " words")
      for line in text:gmatch("[^\n]+") do
        local _, rest = line:gsub("[\128-\191]", "")
        assert.is_true(#line - rest <= 120, line)
      end
    end)

    it("names all that is needed to build, and removes nothing for it", function()
      local commands = 0
      for line in text:gsub("\\\n", ""):gmatch("\napt%-get install ([^\n]+)") do
        commands = commands + 1
        local words = {}
        for word in line:gmatch("%S+") do words[word] = true end
        for _, option in ipairs { "-y", "--no-remove", "--no-install-recommends" } do
          assert.is_true(words[option], option .. " is not in " .. line)
        end
        for _, package in ipairs(BUILD) do assert.is_true(words[package], package .. " is not in " .. line) end
      end
      assert.is_true(commands >= 1)
    end)

    it("leads to pages and files that are there", function()
      for target in text:gmatch("%]%(([^)#]+)[^)]*%)") do
        assert.is_truthy(proc.read("doc/" .. target), target)
      end
      for file in text:gmatch("`(examples/[%w_/.]+%.%l+)`") do assert.is_truthy(proc.read(file), file) end
    end)
  end)
end

-- Waits until something is so; what it then gives.
local function becomes(get, what)
  local due = socket.gettime() + 20
  repeat
    local value = get()
    if value then return value end
    socket.select(nil, nil, 0.02)
  until socket.gettime() > due
  error("it never came: " .. tostring(type(what) == "function" and what() or what), 2)
end

-- For setup(): a page that is followed up to the block that starts the host.
local function follow(path, options, part)
  local p = page.open(path, options)
  local output, code = p:run(p:script(p:of("sh", part)[1]))
  assert(code == 0, output)
  return p
end

if proc.ABI == "5.4" then
  describe("doc/scripts.md", function()
    local sim
    setup(function() sim = simulator.start() end)
    teardown(function() sim:stop() end)

    it("installs, makes the first call and starts the examples", function()
      local p = page.open("doc/scripts.md", { url = sim.url, ports = { [8080] = proc.free_port() } })
      local output, code = p:run(p:script(), "hello there\n")
      assert.equal(0, code, output)
      for _, part in ipairs { "You said: Say hello in five languages.", "OfoxAI simulator: http://127.0.0.1:",
        "> This is the simulator. You said: hello there", "2 of 2 answered", "ok       key" } do
        assert.is_truthy(output:find(part, 1, true), output)
      end
      assert.is_truthy(proc.read(p.directory.path .. "/root/usr/local/share/lua/5.4/ofox/init.lua"))
      p:close()
    end)

    it("has programs that run as they stand", function()
      for _, name in ipairs { "scripts", "games" } do
        local p = page.open(("doc/%s.md"):format(name), { url = sim.url })
        for i, block in ipairs(p:of "lua") do
          local file = proc.write(("%s/%d.lua"):format(p.home, i), block.text)
          local ok, output = sim:run(file)
          assert.is_true(ok, output)
        end
        p:close()
      end
    end)
  end)
end

-- The rest is hosts with LuaJIT inside.
if not IS_JIT then return end

describe("doc/neovim.md", function()
  local CLONE = ".local/share/nvim/site/pack/ofox/start/lua-ofox"
  local KEY = "OFOXAI_API_KEY=" .. page.KEY

  local sim, p
  setup(function()
    sim = simulator.start()
    p = follow("doc/neovim.md", { url = sim.url }, "export")
  end)
  teardown(function()
    p:close()
    sim:stop()
  end)
  before_each(function() p.options.env = KEY end)

  -- Starts Neovim as a block says, types a command, and gives the buffer when it has a text.
  local function typed(block, command, text)
    local script = proc.write(p.home .. "/start", (block.text:gsub("sk%-…", page.KEY)))
    local terminal = pty.start((p:words():gsub("^env ", "")) .. " TERM=xterm sh " .. script, p.directory.path)
    becomes(function() return terminal:output():find("~", 1, true) end, function() return terminal:output() end)
    terminal:type(command .. "\r")
    local file = p.directory.path .. "/buffer"
    os.remove(file)
    local seen = becomes(function()
      terminal:type(":silent! write! " .. file .. "\r")
      local written = proc.read(file) or ""
      return written:find(text, 1, true) and written
    end, function() return terminal:output() end)
    terminal:close()
    return seen
  end

  it("installs without a plugin manager, and the smallest program runs", function()
    p.options.env = nil -- the block has the key
    os.execute(("mkdir -p %s/.config/nvim"):format(p.home))
    proc.write(p.home .. "/.config/nvim/init.lua", p:of("lua vim")[1].text)
    typed(p:of("sh", "export")[1], ":Haiku", "You said: A haiku about editors")
  end)

  it("starts the example plugin", function()
    typed(p:of("sh", "set rtp+=")[1], ":Ofox hello you", "You said: hello you")
  end)

  it("has :checkhealth and :help", function()
    local check = p:of("vim", ":checkhealth ofox")[1].text:match(":([^\n]*)")
    local output, code = p:run(([[
      nvim --headless -c '%s' -c 'write! health' -c 'qall!'
      nvim --headless -c 'help ofox' -c 'echo expand("%%:t")' -c 'qall!'
      cat health]]):format(check))
    assert.equal(0, code, output)
    for _, part in ipairs { "built for this Lua, which is LuaJIT", "base_url: http://127.0.0.1", "key:", "ofox.txt" } do
      assert.is_truthy(output:find(part, 1, true), output)
    end
  end)

  -- What lazy.nvim does with its line: it clones, builds in the clone, puts it
  -- into 'runtimepath' and calls config.
  it("has lines for lazy.nvim that build and load it", function()
    for i, block in ipairs(p:of "lua lazy") do
      local spec = assert(load("return " .. block.text))()
      assert.equal("ofoxai/lua-ofox", spec[1])
      local empty = page.open("doc/neovim.md", { url = sim.url, env = KEY })
      local output, code = empty:run(([[
        set -e
        git clone https://github.com/%s lazy
        cd lazy
        %s
        cat >../config.lua <<'END'
        local dir = vim.fn.getcwd()
        local spec = %s
        vim.opt.rtp:append(dir)
        if spec.config then spec.config { dir = dir } end
        local res = require "ofox".new{}:chat{ model = "m", messages = {{ role = "user", content = "hi" }} }
        io.stdout:write(res:output_text(), " ", vim.fn.exists ":Ofox", "\n")
END
        nvim --headless -c 'luafile ../config.lua' -c 'qall!']]):format(spec[1], spec.build, block.text))
      assert.equal(0, code, output)
      assert.is_truthy(output:find("You said: hi " .. (i == 1 and 0 or 2), 1, true), output)
      empty:close()
    end
  end)

  it("is found where a line puts a clone into 'runtimepath'", function()
    local empty = page.open("doc/neovim.md", { url = sim.url, env = KEY })
    local output, code = empty:run(([[
      set -e
      git clone https://github.com/ofoxai/lua-ofox ~/src/lua-ofox
      make -C ~/src/lua-ofox LUA=jit
      nvim --headless --cmd '%s' -c 'lua print(require("ofox").VERSION)' -c 'qall!']]):format(
      p:of("vim", "set rtp")[1].text:match("[^\n]+")))
    assert.equal(0, code, output)
    assert.is_truthy(output:find(require("ofox").VERSION, 1, true), output)
    empty:close()
  end)

  it("installs where Neovim looks for packages", function()
    assert.is_truthy(proc.read(p.home .. "/" .. CLONE .. "/doc/tags"))
  end)
end)

describe("doc/nginx.md", function()
  local worker = require "support.worker"
  local ports = { [8081] = proc.free_port(), [8082] = proc.free_port() }
  local s, p
  setup(function()
    s = server.start()
    p = follow("doc/nginx.md", { url = s.url }, "nginx -p")
    p.options.env = worker.environment(p.directory.path, ports)
  end)
  teardown(function()
    p:close()
    s:stop()
  end)
  before_each(function() s:reset() end)

  local child
  after_each(function()
    if child then child:stop() end
    child = nil
  end)

  local function start(block, port)
    local log
    child, log = p:daemon(block, "lua-ofox")
    assert(proc.wait_port(port, 20), proc.read(log))
    return log
  end

  it("installs, and starts the proxy, which passes a stream on", function()
    start(p:of("sh", "examples/nginx/nginx.conf")[1], ports[8081])
    s:script { { chunks = server.events { "one ", "two" } } }
    local output, code = p:run(p:of("sh", "8081")[1].text)
    assert.equal(0, code, output)
    assert.matches('^data: {"id".*"content":"one ".*"content":"two".*data: %[DONE%]\n\n$', output)
    assert.equal("Bearer " .. page.KEY, s:log()[1].headers.authorization)
  end)

  it("has a smallest program that runs", function()
    proc.write(p.home .. "/lua-ofox/hello.conf", p:of("nginx", "/hello")[1].text)
    start(p:of("sh", "hello.conf")[1], ports[8082])
    s:script { { body = server.completion "hello" } }
    assert.equal("hello\n", (p:run(p:of("sh", "8082")[1].text)))
  end)

  it("shows failures in the log", function()
    local log = start(p:of("sh", "OFOX_LOG")[1], ports[8081])
    s:script { { status = 401, body = '{"error":{"message":"who?"}}' } }
    p:run(p:of("sh", "8081")[1].text)
    becomes(function() return proc.read(log):find("ofox info: ", 1, true) end, function() return proc.read(log) end)
  end)
end)

describe("doc/games.md", function()
  local screen = require "support.screen"
  local s, directory, shown, p
  setup(function()
    directory = proc.directory()
    s, shown = server.start(), screen.start(directory.path)
    p = follow("doc/games.md", { url = s.url, env = ("DISPLAY=%s LIBGL_ALWAYS_SOFTWARE=1 SDL_AUDIODRIVER=dummy "
      .. "OFOXAI_API_KEY=%s XDG_RUNTIME_DIR=%s"):format(shown.name, page.KEY, directory.path) }, "love examples/love")
  end)
  teardown(function()
    p:close()
    shown:stop()
    s:stop()
    directory:remove()
  end)
  before_each(function() s:reset() end)

  local child
  after_each(function()
    if child then child:stop() end
    child = nil
  end)

  -- The game connects when it starts, and asks what is typed.
  local function plays(block)
    s:script { { status = 204 }, { chunks = server.events { "hello" } } }
    local log
    child, log = p:daemon(block, "lua-ofox")
    assert(s:wait({ connections = 1, answered = 1 }, 20), proc.read(log))
    shown:type("who goes there\n")
    assert(s:wait({ answered = 2 }, 20), proc.read(log))
    assert.matches('"who goes there"', s:log()[2].body)
  end

  it("installs, and starts the game", function()
    plays(p:of("sh", "love examples/love")[1])
  end)

  it("ships a game", function()
    local block = p:of("sh", "game.love")[1]
    assert.is_truthy(proc.read("examples/love/main.lua"):find(p:of("lua love")[1].text:match("=.-(/%?%.so.*)\n"), 1,
      true))
    plays(block)
    assert.is_truthy(proc.read(p.home .. "/lua-ofox/ship/game.love"))
  end)
end)
