--- A transport that keeps what another one does in a file. Calls wait with the
-- other one: this one only hears when their attempts begin, and when they end.
local check = require "ofox.request.table_checks"
local describe = require "ofox.base.describe"
local engine = require "ofox.task.engine"
local recording = require "ofox.mock.recording"

---@class ofox.Recorder
local Recorder = {}
Recorder.__index = Recorder
Recorder.__name = "ofox.recorder"

local WEAK = { __mode = "k" }

--- The transport that moves the bytes.
function Recorder:carrier()
  return self._carrier or engine.get()
end

function Recorder:now() return self:carrier():now() end
function Recorder:wall() return self:carrier():wall() end
function Recorder:step(seconds) return self:carrier():step(seconds) end

--- Starts an attempt, and keeps what comes of it.
function Recorder:start(call, attempt)
  self:ended(call)
  call:record()
  self._requests[call] = recording.request(call, attempt)
  local carrier = self:carrier()
  if self._carrier then carrier:start(call, attempt) else carrier:start(call) end
end

--- The attempt of a call is over, in whatever way: it is written.
function Recorder:ended(call)
  local entry = self._requests[call]
  if not entry then return end
  self._requests[call] = nil
  local now = self:now()
  local moments, began = recording.moments(call, now)
  if not moments then return end -- it has never begun
  entry.moments, entry.wall = moments, self:wall() - (now - began)
  self:write(recording.line(entry))
end

function Recorder:write(line)
  local ok, message = self._file:write(line .. "\n")
  if not ok then error("ofox.mock.record: " .. tostring(message), 0) end
end

--- Creates a recorder.
---@param path any
---@param carrier any  another transport; nil: the engine
---@return ofox.Recorder|nil
---@return string|nil problem
return function(path, carrier)
  if type(path) ~= "string" then return nil, "path: " .. describe.expected_type("a path", path) end
  if carrier ~= nil then
    local problem = check.transport(carrier)
    if problem then return nil, "transport: " .. problem end
  else
    engine.prepare()
  end
  local file, message = io.open(path, "wb")
  if not file then return nil, "path: " .. message end
  file:setvbuf "no" -- LuaJIT compiles flush so that its failure is lost
  local self = setmetatable({ _file = file, _carrier = carrier, _requests = setmetatable({}, WEAK) }, Recorder)
  self:write(recording.FIRST_LINE)
  return self
end
