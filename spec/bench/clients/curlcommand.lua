--- The curl command, one process a call, its output decoded with lua-cjson: what
-- plugins of editors do.
local cjson = require "cjson"
local driver = require "driver"
local request = require "request"

local client = {}

assert(os.execute "command -v curl >/dev/null", "no curl command")

function client.open(base) return base end

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function start(base, path, params)
  local words = { "exec curl -sSN" }
  for name, value in pairs(request.headers) do words[#words + 1] = "-H " .. quote(name .. ": " .. value) end
  words[#words + 1] = "-d " .. quote(cjson.encode(params)) .. " " .. base .. path
  return assert(io.popen(table.concat(words, " ")))
end

local function finish(pipe)
  local text = pipe:read "*a"
  pipe:close()
  return cjson.decode(text)
end

function client.chat(base, params) return finish(start(base, "/chat/completions", params)) end

function client.errors(base, params)
  local reply
  repeat reply = client.chat(base, params) until reply.choices
  return reply
end

function client.embeddings(base, params)
  if not params.encoding_format then os.exit(driver.CANNOT) end
  return finish(start(base, "/embeddings", params))
end

function client.stream(base, params, on)
  local read = driver.event_reader(cjson.decode, on)
  local pipe = start(base, "/chat/completions", params)
  for line in pipe:lines() do read(line .. "\n") end
  pipe:close()
end

function client.flight(base, count, side, params, on)
  local pipes = {}
  for i = 1, count do
    if i > side then on(finish(pipes[i - side])) end
    pipes[i] = start(base, "/chat/completions", params)
  end
  for i = math.max(1, count - side + 1), count do on(finish(pipes[i])) end
end

driver.main(client)
