--- Collects the events of a stream into the answer that the same call would have
-- returned without streaming. Knows nothing of how events arrive.
local chat = require "ofox.answer.dialect.chat"
local partial = require "ofox.answer.partial"
local responses = require "ofox.answer.dialect.responses"

local collect = {}

-- By the dialect of a stream: answer(text, events, decode), and chunk(answer).
local DIALECTS = { chat = chat, responses = responses }

--- Returns the answer that the call would have returned without streaming.
---@param dialect "chat"|"responses"
---@param text string  the answer's text up to now
---@param events table[]  {json, from, to, name}, as call:said() gives them
---@param decode fun(json: string): any, boolean|nil  as json.decode_piece
---@return table
function collect.answer(dialect, text, events, decode)
  return DIALECTS[dialect].answer(text, events, decode)
end

--- Converts a complete answer, sent although a stream was requested, into the
-- shape of a chunk.
---@param dialect "chat"|"responses"|"any"
---@param answer any
---@return any chunk
function collect.chunk(dialect, answer)
  if type(answer) ~= "table" or not DIALECTS[dialect] then return answer end
  return DIALECTS[dialect].chunk(answer)
end

--- Returns what had arrived when a stream failed: err.partial.
---@param dialect "chat"|"responses"|"any"
---@param chunks integer  number of events received
---@param text string
---@param events table[]
---@param decode fun(json: string): any, boolean|nil
---@param clean fun(text: string): string  without secrets
---@return ofox.Partial
function collect.partial(dialect, chunks, text, events, decode, clean)
  local answer = DIALECTS[dialect] and collect.answer(dialect, text, events, decode) or {}
  return partial.of(answer, chunks, text, decode, clean)
end

return collect
