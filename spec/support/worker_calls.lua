-- luacheck: globals ngx
-- What specs of tools, files and other new calls run inside nginx's workers; see
-- support/worker.lua.
local host_cases = require "support.host_cases"
local ofox = require "ofox"

local client = ofox.new(host_cases.options {})
local cases = {}

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local function say(line)
  ngx.say(line)
  ngx.flush(true)
end

function cases.calls()
  host_cases.run(ofox, client, ngx.var.arg_path, say)
end

function cases.calls_in_tasks()
  assert(ofox.go(cases.calls):wait())
end

-- What is said is noted, since nobody hears it.
function cases.calls_in_timer()
  local path = ngx.var.arg_path
  ngx.timer.at(0, function()
    local lines = {}
    local ok, err = pcall(host_cases.run, ofox, client, path, function(line) lines[#lines + 1] = line .. "\n" end)
    ngx.shared.notes:set("calls", table.concat(lines) .. (ok and "" or tostring(err)))
  end)
end

function cases.said() ngx.print(ngx.shared.notes:get "calls") end

-- A conversation whose tools wait, until the client leaves.
function cases.tools_left()
  client:run_tools(PARAMS, { f = { run = function(_, call)
    if call.id == "a" then return client:chat(PARAMS) end
    for text in client:stream(PARAMS):text() do say(text) end
  end } })
end

local function peak()
  for line in io.lines "/proc/self/status" do
    local size = line:match "^VmHWM:%s*(%d+)"
    if size then return tonumber(size) end
  end
end

--- Sends a file, and says by how many KiB the most that this worker needed has grown.
function cases.upload()
  local before = peak()
  ngx.say("here")
  ngx.flush(true)
  local res = client:edit_images({ image = ofox.file(ngx.var.arg_path) }, { timeout = 300 })
  ngx.say(res.data[1].b64_json, " ", peak() - before)
end

-- The files of the path's directory that this worker has open.
function cases.open_files()
  local pipe = io.popen("ls -l /proc/" .. ngx.worker.pid() .. "/fd")
  local _, n = pipe:read("*a"):gsub(ngx.var.arg_path:gsub("%p", "%%%0"), "")
  pipe:close()
  ngx.say(n)
end

return cases
