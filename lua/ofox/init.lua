--- ofox: the client of Lua programs for the OfoxAI gateway.
-- Only the small core is loaded here; libcurl waits for the first call.
local core = require "ofox.native" "core"

---@class ofox
---@field errors table  the classes of errors, and errors.is
---@field retry table  the timing of retries, for any function
---@field null any  JSON's null
---@field array fun(t?: table): table  a table that is written as a list
---@field object fun(t?: table): table  a table that is written as an object
---@field parse_error fun(status: integer, headers?: table, body?: string): ofox.Error|nil
---@field meta fun(response: any): table|nil
---@field sleep fun(seconds: number)
---@field cancel_token fun(): ofox.CancelToken
---@field sse fun(max_event_bytes?: integer): ofox.Sse
---@field go fun(fn: function, ...: any): ofox.Task
---@field run fun(fn: function, ...: any): ...
---@field all fun(list: function[], options?: table): table[]
---@field step fun(max_wait?: number): boolean
---@field pollfd fun(): integer|nil
---@field getfd fun(): integer|nil
---@field events fun(): "r"
---@field timeout fun(): number|nil
---@field dirty fun(): boolean
---@field use_loop fun(loop: table|nil)
---@field doctor fun(client?: ofox.Client, opts?: ofox.DoctorOptions): ofox.Report
local ofox = {}

ofox.VERSION = core.VERSION
ofox._VERSION = "ofox " .. core.VERSION

--- Makes a client. Wrong options raise an error that names them.
---@param options? table
---@return ofox.Client
function ofox.new(options)
  local client, problem = require "ofox.client".new(options)
  if not client then error("ofox.new: " .. problem, 2) end
  return client
end

-- The rest is found when it is first asked for: module, and field of it.
local LATER = {
  errors = { "ofox.errors" },
  retry = { "ofox.retry" },
  null = { "ofox.json", "null" },
  array = { "ofox.json", "array" },
  object = { "ofox.json", "object" },
  meta = { "ofox.response", "meta" },
  parse_error = { "ofox.errors", "parse" },
  sleep = { "ofox.wait", "sleep" },
  cancel_token = { "ofox.cancel", "new" },
  sse = { "ofox.sse" },
  go = { "ofox.task", "go" },
  run = { "ofox.task", "run" },
  all = { "ofox.task", "all" },
  step = { "ofox.loop.protocol", "step" },
  pollfd = { "ofox.loop.protocol", "pollfd" },
  getfd = { "ofox.loop.protocol", "getfd" },
  events = { "ofox.loop.protocol", "events" },
  timeout = { "ofox.loop.protocol", "timeout" },
  dirty = { "ofox.loop.protocol", "dirty" },
  use_loop = { "ofox.loop.protocol", "use_loop" },
  doctor = { "ofox.doctor", "examine" },
}

return setmetatable(ofox, {
  __index = function(_, name)
    local where = LATER[name]
    if not where then return nil end
    local value = require(where[1])
    if where[2] then value = value[where[2]] end
    rawset(ofox, name, value)
    return value
  end,
})
