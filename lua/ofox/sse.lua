--- A parser of event streams (WHATWG HTML, 9.2) for programs that fetch the bytes
-- themselves: the same parser that reads ofox's streams.
local core = require "ofox.base.native" "core"

---@class ofox.SseEvent
---@field data string
---@field event string  "message" unless the stream names another
---@field id? string  the latest id in the stream

---@class ofox.Sse
---@field feed fun(self: ofox.Sse, bytes: string): ofox.Sse  may be cut anywhere
---@field next fun(self: ofox.Sse): ofox.SseEvent|nil, string|nil  nil: feed more; nil and a reason: permanently broken
---@field finish fun(self: ofox.Sse): ofox.Sse  end of input: an event without its blank line counts

--- Creates a parser.
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
