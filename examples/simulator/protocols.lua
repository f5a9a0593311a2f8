--- Anthropic's and Gemini's protocols: what the model says in their words, whole
-- and as events.
local json = require "cjson"
local model = require "simulator.model"

local protocols = {}

local function encode(value)
  return (json.encode(value):gsub("\\/", "/"))
end

local function list(value)
  return type(value) == "table" and value or {}
end

local function count(text) return math.ceil(#text / 4) end

local made = 0

local function new_id(prefix)
  made = made + 1
  return ("%s_sim%06d"):format(prefix, made)
end

-- The model's thoughts where they are asked for, and what signs them.
local THOUGHTS, SIGNATURE = { "I was asked", " and shall answer." }, "c2ltdWxhdGVkIHNpZ25hdHVyZQ=="

local function counted(answer, thinks)
  answer.asked, answer.said = count(answer.heard), count(answer.text or answer.arguments)
  answer.thoughts = thinks and THOUGHTS or nil
  answer.thought = thinks and count(table.concat(THOUGHTS)) or 0
  return answer
end

-- Anthropic's

--- A message as the model knows them: the result of a tool has a role of its own.
local function heard(message)
  local part = list(list(message).content)[1]
  if type(part) == "table" and part.type == "tool_result" then return { role = "tool", content = part.content } end
  return message
end

local STOP_REASONS = { short = "max_tokens", filtered = "refusal", blocked = "refusal" }

--- The answer, and its message with the blocks, the reason and the count of tokens.
local function message_of(params, plan)
  local conversation, tools = {}, {}
  for i, message in ipairs(params.messages) do conversation[i] = heard(message) end
  for i, tool in ipairs(list(params.tools)) do tools[i] = { name = tool.name, parameters = tool.input_schema } end
  local thinks = list(params.thinking).type
  local answer = counted(model({ tools = tools[1] and tools, tool_choice = params.tool_choice }, conversation, plan),
    thinks == "enabled" or thinks == "adaptive")
  answer.id, answer.call = new_id "msg", new_id "toolu"
  answer.reason = STOP_REASONS[answer.ending] or answer.name and "tool_use" or "end_turn"
  return answer, function(blocks, reason, said)
    return ('{"id":"%s","type":"message","role":"assistant","model":%s,"content":[%s],"stop_reason":%s,'
      .. '"stop_sequence":null,"usage":{"input_tokens":%d,"cache_creation_input_tokens":0,'
      .. '"cache_read_input_tokens":0,"output_tokens":%d}}'):format(answer.id, encode(params.model), blocks, reason,
      answer.asked, said)
  end
end

local function thinking(text, signature)
  return ('{"type":"thinking","thinking":%s,"signature":%s}'):format(encode(text), encode(signature))
end

--- The block of what the model says or calls; value is JSON.
local function block(answer, value)
  if not answer.name then return '{"type":"text","text":' .. value .. "}" end
  return ('{"type":"tool_use","id":"%s","name":%s,"input":%s}'):format(answer.call, encode(answer.name), value)
end

function protocols.message(params, plan)
  local answer, message = message_of(params, plan)
  local blocks = block(answer, answer.arguments or encode(answer.text))
  if answer.thoughts then blocks = thinking(table.concat(answer.thoughts), SIGNATURE) .. "," .. blocks end
  return message(blocks, '"' .. answer.reason .. '"', answer.said + answer.thought)
end

--- The events of a streamed message, each {name, data}.
function protocols.message_events(params, plan)
  local answer, message = message_of(params, plan)
  local events, index = {}, 0
  local function event(name, rest)
    events[#events + 1] = { name, '{"type":"' .. name .. '"' .. (rest and "," .. rest or "") .. "}" }
  end
  local function start(opened)
    event("content_block_start", ('"index":%d,"content_block":%s'):format(index, opened))
  end
  local function delta(kind, member, piece)
    event("content_block_delta",
      ('"index":%d,"delta":{"type":"%s","%s":%s}'):format(index, kind, member, encode(piece)))
  end
  local function stop()
    event("content_block_stop", '"index":' .. index)
    index = index + 1
  end
  event("message_start", '"message":' .. message("", "null", 1))
  if answer.thoughts then
    start(thinking("", ""))
    for _, piece in ipairs(answer.thoughts) do delta("thinking_delta", "thinking", piece) end
    delta("signature_delta", "signature", SIGNATURE)
    stop()
  end
  start(block(answer, answer.name and "{}" or '""'))
  event "ping"
  events.lead = #events
  for _, piece in ipairs(answer.pieces) do
    if answer.name then delta("input_json_delta", "partial_json", piece) else delta("text_delta", "text", piece) end
  end
  stop()
  event("message_delta", ('"delta":{"stop_reason":"%s","stop_sequence":null},"usage":{"output_tokens":%d}')
    :format(answer.reason, answer.said + answer.thought))
  event "message_stop"
  return events
end

-- Gemini's

local function content_heard(content)
  local part = list(list(list(content).parts)[1])
  if part.functionResponse then return { role = "tool", content = encode(part.functionResponse) } end
  return { role = "user", content = part.text }
end

--- A declared function as the model knows tools. Types are in capitals in Gemini's schemas.
local function declared(tool)
  local schema = tool.parametersJsonSchema or tool.parameters
  if schema == nil then return tool end
  local text = encode(schema):gsub('"type":"(%u+)"', function(kind) return '"type":"' .. kind:lower() .. '"' end)
  return { name = tool.name, parameters = json.decode(text) }
end

local function answer_of(params, plan)
  local conversation, tools = {}, {}
  for i, content in ipairs(params.contents) do conversation[i] = content_heard(content) end
  for _, tool in ipairs(list(params.tools)) do
    for _, one in ipairs(list(tool.functionDeclarations)) do tools[#tools + 1] = declared(one) end
  end
  local thinks = list(list(params.generationConfig).thinkingConfig).includeThoughts
  return counted(model({ tools = tools[1] and tools }, conversation, plan), thinks == true)
end

local FINISH_REASONS = { short = "MAX_TOKENS", filtered = "SAFETY" }

local function gemini(params, answer, part, last)
  local reason = ',"finishReason":"' .. (FINISH_REASONS[answer.ending] or "STOP") .. '"'
  local candidates = ('"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}]'):format(part,
    last and reason or "")
  local usage = ('"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d'):format(answer.asked,
    answer.said, answer.asked + answer.said + answer.thought)
  if answer.ending == "blocked" then
    candidates = '"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}'
    usage = ('"promptTokenCount":%d,"totalTokenCount":%d'):format(answer.asked, answer.asked)
  elseif answer.thoughts then
    usage = usage .. ',"thoughtsTokenCount":' .. answer.thought
  end
  return ('{%s,"usageMetadata":{%s},"modelVersion":%s,"responseId":"sim"}'):format(candidates, usage,
    encode(params.model))
end

local function thought(text) return '{"text":' .. encode(text) .. ',"thought":true}' end

--- A part that speaks or calls; the first after thoughts carries their signature.
local function part_of(answer, piece, is_first)
  local part = '"text":' .. encode(piece)
  if answer.name then part = ('"functionCall":{"name":%s,"args":%s}'):format(encode(answer.name), answer.arguments) end
  if answer.thoughts and is_first then part = part .. ',"thoughtSignature":"' .. SIGNATURE .. '"' end
  return "{" .. part .. "}"
end

function protocols.gemini(params, plan)
  local answer = answer_of(params, plan)
  local parts = part_of(answer, answer.text, true)
  if answer.thoughts then parts = thought(table.concat(answer.thoughts)) .. "," .. parts end
  return gemini(params, answer, parts, true)
end

function protocols.gemini_events(params, plan)
  local answer = answer_of(params, plan)
  local events, pieces = {}, answer.name and { "" } or answer.pieces
  if answer.ending == "blocked" then return { gemini(params, answer), lead = 0 } end
  for i, piece in ipairs(answer.thoughts or {}) do events[i] = gemini(params, answer, thought(piece)) end
  events.lead = #events
  for i, piece in ipairs(pieces) do
    events[#events + 1] = gemini(params, answer, part_of(answer, piece, i == 1), i == #pieces)
  end
  return events
end

return protocols
