--- A page of doc/ and its commands, run to the letter: as a newcomer would type
-- them, but in a folder of their own, with other ports, and with stand-ins for
-- apt-get and for git, whose clone is a copy of this one, with what is built.
local assert = require "luassert"
local elsewhere = require "support.elsewhere"
local proc = require "support.proc"

local page = {}
page.__index = page

local ROOT = io.popen("pwd"):read("*l")

-- The key that a reader puts in the place of the page's.
page.KEY = "sk-page-0123456789"

local GIT = [[
#!/bin/sh
# git clone URL [directory]
[ "$1" = clone ] && [ "$2" = https://github.com/ofoxai/lua-ofox ] || exit 1
to=${3:-lua-ofox}
mkdir -p "$to/build" && to=$(cd "$to" && pwd) && cd "$ROOT" || exit 1
for name in $(ls -A); do
  case $name in build | .git) ;; *) cp -a "$name" "$to" ;; esac
done
cp -a build/%s "$to/build"
]]

local APT = [[
#!/bin/sh
echo "$@" >>"$HOME/apt-get"
]]

local function executable(path, text)
  os.execute("chmod +x " .. proc.quote(proc.write(path, text)))
end

--- The fenced blocks of a page.
---@param path string
---@return {language: string, text: string, before: string}[]  'before': the line above it that is not empty
local function parse(path)
  local blocks, block, before = {}, nil, ""
  for line in assert(proc.read(path)):gmatch("([^\n]*)\n") do
    local fence = line:match("^```(.*)$")
    if fence and not block then
      block = { language = fence, text = "", before = before }
      blocks[#blocks + 1] = block
    elseif fence then
      block = nil
    elseif block then
      block.text = block.text .. line .. "\n"
    elseif line ~= "" then
      before = line
    end
  end
  return blocks
end

--- Opens a page, for a reader whose home is empty.
---@param path string
---@param options {url: string, ports?: table<integer, integer>, env?: string}  'url': of the gateway; 'ports':
--   port on the page -> port that is free; 'env': more words of env(1)
---@return table page  home, blocks; of(), run(), script(), daemon(), words(), close()
function page.open(path, options)
  local directory = proc.directory()
  local self = setmetatable({ directory = directory, home = directory.path .. "/home", blocks = parse(path),
    options = options }, page)
  os.execute(("mkdir -p %s %s/bin"):format(self.home, directory.path))
  executable(directory.path .. "/bin/git", GIT:format(proc.ABI))
  executable(directory.path .. "/bin/apt-get", APT)
  return self
end

function page:close()
  self.directory:remove()
end

--- The blocks of a language with a text in them; there has to be one.
---@param language string
---@param part? string
---@return {language: string, text: string, before: string}[]
function page:of(language, part)
  local list = {}
  for _, block in ipairs(self.blocks) do
    if block.language == language and block.text:find(part or "", 1, true) then list[#list + 1] = block end
  end
  assert(#list > 0, ("no block of %s has %q"):format(language, part or ""))
  return list
end

--- The words of env(1) that a command of the page runs with.
---@return string
function page:words()
  local path = self.directory.path
  return table.concat({ "env",
    "-u LUA_INIT -u OFOX_LOG -u OFOXAI_API_KEY -u OFOX_API_KEY -u OFOX_BASE_URL -u http_proxy -u all_proxy",
    "-u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_STATE_HOME -u XDG_CACHE_HOME -u VIMINIT -u NVIM",
    "-u MAKEFLAGS -u WAYLAND_DISPLAY",
    "CFLAGS='-O0 -g0'", -- what is built is not measured
    "HOME=" .. self.home, "ROOT=" .. ROOT, "DESTDIR=" .. path .. "/root", "LC_ALL=C.UTF-8",
    ("PATH=%s/bin:$PATH:/usr/sbin"):format(path),
    ("LUA_PATH='%s/root/usr/local/share/lua/5.4/?.lua;%s/root/usr/local/share/lua/5.4/?/init.lua;;'"):format(path,
      path), ("LUA_CPATH='%s/root/usr/local/lib/lua/5.4/?.so;;'"):format(path),
    "OFOXAI_BASE_URL=" .. self.options.url, elsewhere.environment(path, { ports = self.options.ports }),
    self.options.env or "" }, " ")
end

local function with_key(text)
  return (text:gsub("sk%-…", page.KEY))
end

--- All that a reader types in one terminal, block after block: commands, and the
-- files that are to be saved, whose names are in the line above them.
---@param last? table  the block that is not run any more
---@return string script  of the shell
function page:script(last)
  local lines = { "set -e", "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT", "cd" }
  for _, block in ipairs(self.blocks) do
    if block == last then break end
    local name = block.before:match("^Save this.* as `([^`]+)`")
    if block.language == "sh" then
      lines[#lines + 1] = block.text
    elseif name then
      lines[#lines + 1] = ("cat >%s <<'END OF FILE'\n%sEND OF FILE"):format(name, block.text)
    end
  end
  return with_key(table.concat(lines, "\n"))
end

--- Runs a script to its end.
---@param script string
---@param input? string  what is typed
---@return string output, integer code
function page:run(script, input)
  local path = self.directory.path
  proc.write(path .. "/script", with_key(script))
  proc.write(path .. "/input", input or "")
  local pipe = io.popen(("cd %s && %s timeout -s KILL 50 bash %s/script <%s/input 2>&1; echo rc=$?"):format(self.home,
    self:words(), path, path))
  local output, code = pipe:read("*a"):match("^(.*)rc=(%d+)\n$")
  pipe:close()
  return output, tonumber(code)
end

--- Starts the last command of a block, which runs until it is stopped.
---@param block table
---@param folder string  below the reader's home
---@return table child  with stop()
---@return string log  path of its output
function page:daemon(block, folder)
  local before, last = with_key(block.text):match("^(.-)([^\n]+)\n$")
  local log = self.directory.path .. "/log"
  local command = ("cd %s/%s\n%sexec env %s"):format(self.home, folder, before, last)
  return proc.daemon(("%s sh -c %s"):format(self:words(), proc.quote(command)), log), log
end

return page
