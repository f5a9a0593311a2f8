--- ofox: the OfoxAI client for Lua programs.
-- Only the small core is loaded here; the rest, including libcurl, with the first client.
local core = require "ofox.base.native" "core"

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
---@field file fun(source: string|ofox.FileBytes, more?: ofox.FileOptions): ofox.File
---@field sse fun(max_event_bytes?: integer): ofox.Sse
---@field go fun(fn: function, ...: any): ofox.Task
---@field run fun(fn: function, ...: any): ...
---@field all fun(list: function[], options?: table): table[]
---@field map fun(list: any[], fn: function, options?: table): table[]
---@field any fun(list: function[], options?: table): ...
---@field step fun(max_wait?: number): boolean
---@field pollfd fun(): integer|nil
---@field getfd fun(): integer|nil
---@field events fun(): "r"
---@field timeout fun(): number|nil
---@field dirty fun(): boolean
---@field use_loop fun(loop: table|nil)
---@field store ofox.Stores
---@field prometheus fun(client: ofox.Client, ...: ofox.Client): string
---@field doctor fun(client?: ofox.Client, opts?: ofox.DoctorOptions): ofox.Report
local ofox = {}

ofox.VERSION = core.VERSION
ofox._VERSION = "ofox " .. core.VERSION

-- The event loop of the host that runs this Lua state: nginx's, Neovim's, or none.
local is_settled = false
local function settle()
  if is_settled then return end
  is_settled = true
  local home = rawget(_G, "ngx") and "ngx" or rawget(_G, "vim") and "uv"
  if home then require("ofox.task.scheduler").use_loop(require("ofox.loop." .. home)) end
end

--- Creates a client. Invalid options raise an error that names them.
---@param options? table
---@return ofox.Client
function ofox.new(options)
  settle()
  local client, problem = require "ofox.client".new(options)
  if not client then error("ofox.new: " .. problem, 2) end
  return client
end

-- nginx workers may not be allowed to read files that the master can.
local ngx = rawget(_G, "ngx")
if ngx and ngx.get_phase() == "init" then
  settle()
  require "ofox.preload"
end

return setmetatable(ofox, {
  __index = function(_, name)
    local value = require "ofox.base.reserve".require "ofox.later"(name, settle)
    if value ~= nil then rawset(ofox, name, value) end
    return value
  end,
})
