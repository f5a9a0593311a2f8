--- Real Neovims: without a screen, and in a terminal of tmux. They find ofox by
-- 'runtimepath' alone, and nothing of the user's.
local socket = require "socket"
local assert = require "luassert"
local proc = require "support.proc"

local neovim = {}

--- The clone.
neovim.ROOT = io.popen("pwd"):read("*l")

-- What every program begins with.
local PREAMBLE = [[
local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }
local uv = vim.uv or vim.loop
local notified = {}
vim.notify = function(message, level) notified[#notified + 1] = { message = message, level = level } end
local echoed = {}
vim.api.nvim_echo = function(chunks) echoed[#echoed + 1] = chunks[1][1] end
local function say(...)
  local words = {}
  for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
  io.stdout:write(table.concat(words, " "), "\n")
  io.stdout:flush()
end
local function done() vim.cmd "qa!" end
local function wait_until(fn, ms)
  if not vim.wait(ms or 5000, fn, 2) then error("waited in vain", 2) end
end
local function lines(buffer) return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), "|") end
local function main()
]]

local ENDING = [[

end
local ok, message = xpcall(main, debug.traceback)
if not ok then
  say("FAILED", message)
  vim.cmd "cquit 9"
end
]]

local programs = 0

-- What starts one, in words of the shell.
local program = "nvim"

local function says(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- What runs: "0.7", say.
---@return string version
function neovim.version()
  return (assert(says(program .. " --version"):match("NVIM v(%d+%.%d+)")))
end

-- From 0.8 to 0.10 what matters to a plugin has got new names, so specs run in
-- one of each kind: the system's, and that of another release of Debian.
local OTHER = { ["0.7"] = "trixie" }

--- From now on all run in the other Neovim.
---@return boolean  false: there can be none, for want of Debian's apt-get
function neovim.use_other()
  if says "command -v apt-get" == "" then return false end
  local release = OTHER[neovim.version()] or "bookworm"
  local problem = says(".ci/neovim " .. release)
  if problem ~= "" then error(problem, 0) end
  local tree = ("%s/build/neovim-%s/usr"):format(neovim.ROOT, release)
  program = ("env VIMRUNTIME=%s/share/nvim/runtime %s/bin/nvim"):format(tree, tree)
  return true
end

--- From now on all run in the system's again.
function neovim.use_system()
  program = "nvim"
end

--- For setup().
---@param url string  of the server that ofox is to call
function neovim.open(url)
  neovim.directory, neovim.url = proc.directory(), url
end

--- For teardown().
function neovim.close()
  neovim.directory:remove()
end

-- A new path in the directory.
local function new_path()
  programs = programs + 1
  return ("%s/nvim%d"):format(neovim.directory.path, programs)
end

local function words(path, options)
  local list = { "env" }
  for _, name in ipairs { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
    "LUA_PATH", "LUA_CPATH", "LUA_INIT", "OFOXAI_API_KEY", "OFOXAI_BASE_URL", "OFOX_LOG", "VIMINIT", "NVIM" } do
    list[#list + 1] = "-u " .. name
  end
  list[#list + 1] = ("HOME=%s TMPDIR=%s"):format(neovim.directory.path, neovim.directory.path)
  for _, name in ipairs { "CONFIG", "DATA", "STATE", "CACHE" } do
    list[#list + 1] = ("XDG_%s_HOME=%s"):format(name, neovim.directory.path)
  end
  list[#list + 1] = "LC_ALL=C.UTF-8 OFOX_BASE_URL=" .. (options.url or neovim.url) .. " OFOX_API_KEY=k-0123456789"
  list[#list + 1] = "timeout -s KILL 25 " .. program .. " -n -i NONE"
  for _, part in ipairs(options.rtp or { neovim.ROOT }) do
    list[#list + 1] = "--cmd " .. proc.quote("set rtp+=" .. part)
  end
  -- a file of nothing, not NONE: plugins are loaded as they are for a user
  list[#list + 1] = "-u " .. (options.plugins and proc.write(path .. ".vim", "") or "NONE")
  return list
end

--- Starts a Neovim without a screen that runs Lua code, which has to end it, or
-- fail: then its exit code is 9. It finds PARAMS, uv, say(...), which prints a
-- line, wait_until(fn), lines([buffer]), done(), and lists of what was notified
-- and echoed.
---@param code string
---@param options table|nil  url; rtp: list, instead of the clone; plugins: they are loaded
---@return table program  pipe (its output), err (path of its standard error)
function neovim.start(code, options)
  local path = new_path()
  proc.write(path .. ".lua", PREAMBLE .. code .. ENDING)
  local list = words(path, options or {})
  list[#list + 1] = ("--headless -c 'luafile %s.lua' 2>%s.err </dev/null"):format(path, path)
  return { pipe = assert(io.popen(table.concat(list, " ") .. "; echo rc=$?")), err = path .. ".err" }
end

--- What the program says until its end, its exit code, its standard error.
---@param running table
---@return string, integer, string
function neovim.finish(running)
  local text = running.pipe:read("*a")
  running.pipe:close()
  local out, rc = text:match("^(.-)rc=(%d+)\n$")
  return out, tonumber(rc), proc.read(running.err)
end

--- Runs code that must end well, without a word on standard error.
---@param code string  done() follows it
---@param options table|nil  as for start; stays: the code calls done()
---@return string  what it said
function neovim.succeed(code, options)
  local stays = options and options.stays
  local out, rc, err = neovim.finish(neovim.start(code .. (stays and "" or "\ndone()"), options))
  assert.equal("", err, out)
  assert.equal(0, rc, out)
  return out
end

-- A terminal

local terminal = {}
terminal.__index = terminal

function terminal:tmux(command)
  local pipe = assert(io.popen(("timeout 10 tmux -S %s.tmux %s 2>&1"):format(self.path, command)))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- What is on the screen.
function terminal:screen()
  return self:tmux("capture-pane -p")
end

-- Waits until a text is on the screen, or is not.
local function await(self, text, seconds, wanted)
  local due = socket.gettime() + seconds
  local screen
  repeat
    screen = self:screen()
    if (screen:find(text, 1, true) ~= nil) == wanted then return screen end
    socket.select(nil, nil, 0.02)
  until socket.gettime() > due
  error(("%q is %s on\n%s"):format(text, wanted and "not seen" or "still", screen), 3)
end

--- Waits until the screen shows a text.
---@param text string
---@param seconds number|nil  5
---@return string screen
function terminal:see(text, seconds)
  return (await(self, text, seconds or 5, true))
end

--- Types keys, in tmux's words: C-c, Enter, or text.
function terminal:keys(...)
  for _, key in ipairs { ... } do self:tmux("send-keys " .. proc.quote(key)) end
end

--- Leaves insert mode. What is typed right after Escape would be taken for a
-- key with Alt.
function terminal:escape()
  await(self, "-- INSERT --", 5, true)
  self:keys "Escape"
  await(self, "-- INSERT --", 5, false)
end

function terminal:close()
  self.keeper:stop()
end

--- Starts a Neovim in a terminal of 100 columns and 20 lines.
---@param options table|nil  as for start; plugins are loaded
---@return table terminal  with keys(), see(), screen(), close()
function neovim.terminal(options)
  options = options or {}
  options.plugins = true
  local path = new_path()
  local self = setmetatable({ path = path }, terminal)
  local list = words(path, options)
  self.keeper = proc.child("sh -c " .. proc.quote(
    ("trap '' INT; read line; exec tmux -S %s.tmux kill-server >/dev/null 2>&1"):format(path)))
  local text = self:tmux("-f /dev/null new-session -d -x 100 -y 20 " .. proc.quote(table.concat(list, " ")))
  assert.equal("", text)
  self:see "[No Name]"
  return self
end

return neovim
