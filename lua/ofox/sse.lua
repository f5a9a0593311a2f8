--- A parser of event streams (WHATWG HTML, 9.2) for programs that fetch their
-- bytes themselves: the one that ofox reads its streams with.
local core = require "ofox.base.native" "core"

---@class ofox.SseEvent
---@field data string
---@field event string  "message" where the stream names no other
---@field id? string  the latest that the stream gave

---@class ofox.Sse
---@field feed fun(self: ofox.Sse, bytes: string): ofox.Sse  cut anywhere
---@field next fun(self: ofox.Sse): ofox.SseEvent|nil, string|nil  nil: feed more; nil and why: it is broken, for good
---@field finish fun(self: ofox.Sse): ofox.Sse  the bytes are over: an event without its blank line counts

--- Makes a parser.
---@param max_event_bytes? integer  the largest event; 16 MiB if absent
---@return ofox.Sse
return function(max_event_bytes)
  if max_event_bytes ~= nil then
    local check = require "ofox.request.checks"
    local problem = check.bytes(max_event_bytes)
    if problem then error("ofox.sse: max_event_bytes: " .. problem, 2) end
  end
  return core.sse(max_event_bytes)
end
