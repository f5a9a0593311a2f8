--- Collects the events of a stream into the answer that the same call would have
-- returned without streaming. Knows nothing of how events arrive.
local partial = require "ofox.answer.partial"
local reading = require "ofox.answer.accessors"

local collect = {}

--- Returns the answer that the call would have returned without streaming.
---@param dialect string  see wire/dialects/list.h
---@param text string  the answer's text up to now
---@param events table[]  {json, from, to, name}, as call:said() gives them
---@param decode fun(json: string): any, boolean|nil  as json.decode_piece
---@return table
function collect.answer(dialect, text, events, decode)
  return reading.dialect(dialect).answer(text, events, decode)
end

--- Converts a complete answer, sent although a stream was requested, into the
-- shape of a chunk.
---@param dialect string
---@param answer any
---@return any chunk
function collect.chunk(dialect, answer)
  local rules = reading.dialect(dialect)
  if type(answer) ~= "table" or not rules then return answer end
  return rules.chunk(answer)
end

--- Returns a chunk that has the type that its event was named by, in dialects whose
-- events have types.
---@param dialect string
---@param chunk table
---@param name string  "": the event had none
---@return table chunk
function collect.named(dialect, chunk, name)
  local rules = reading.dialect(dialect)
  local lacks = type(chunk) == "table" and (type(chunk.type) ~= "string" or chunk.type == "")
  if rules and rules.typed and name ~= "" and lacks then chunk.type = name end
  return chunk
end

--- Returns what had arrived when a stream failed: err.partial.
---@param dialect string
---@param chunks integer  number of events received
---@param text string
---@param events table[]
---@param decode fun(json: string): any, boolean|nil
---@param clean fun(text: string): string  without secrets
---@return ofox.Partial
function collect.partial(dialect, chunks, text, events, decode, clean)
  local answer = dialect ~= "any" and collect.answer(dialect, text, events, decode) or {}
  return partial.of(answer, chunks, text, decode, clean)
end

return collect
