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

-- Anthropic's

--- A message as the model knows them: the result of a tool has a role of its own.
local function heard(message)
  local part = list(list(message).content)[1]
  if type(part) == "table" and part.type == "tool_result" then return { role = "tool", content = part.content } end
  return message
end

local function message_of(params, say)
  local conversation, tools = {}, {}
  for i, message in ipairs(params.messages) do conversation[i] = heard(message) end
  for i, tool in ipairs(list(params.tools)) do tools[i] = { name = tool.name, parameters = tool.input_schema } end
  local answer = model({ tools = tools[1] and tools, tool_choice = params.tool_choice }, conversation, say)
  answer.asked, answer.said = count(answer.heard), count(answer.text or answer.arguments)
  answer.block = answer.name
    and ('{"type":"tool_use","id":%s,"name":%s,"input":%%s}'):format(encode(new_id "toolu"), encode(answer.name))
    or '{"type":"text","text":%s}'
  return answer, ('{"id":%s,"type":"message","role":"assistant","model":%s,"content":[%%s],"stop_reason":%%s,'
    .. '"stop_sequence":null,"usage":{"input_tokens":%d,"output_tokens":%%d}}'):format(encode(new_id "msg"),
    encode(params.model), answer.asked)
end

local function reason(answer) return answer.name and '"tool_use"' or '"end_turn"' end

local function put(template, ...)
  local values, i = { ... }, 0
  return (template:gsub("%%[sd]", function()
    i = i + 1
    return tostring(values[i])
  end))
end

function protocols.message(params, say)
  local answer, shell = message_of(params, say)
  local block = put(answer.block, answer.name and answer.arguments or encode(answer.text))
  return put(shell, block, reason(answer), answer.said)
end

--- The events of a streamed message, each {name, data}.
function protocols.message_events(params, say)
  local answer, shell = message_of(params, say)
  local events = {}
  local function event(name, rest)
    events[#events + 1] = { name, '{"type":"' .. name .. '"' .. (rest and "," .. rest or "") .. "}" }
  end
  event("message_start", '"message":' .. put(shell, "", "null", 1))
  event("content_block_start", '"index":0,"content_block":' .. put(answer.block, answer.name and "{}" or '""'))
  event("ping")
  for _, piece in ipairs(answer.pieces) do
    event("content_block_delta", '"index":0,"delta":' .. (answer.name
      and '{"type":"input_json_delta","partial_json":' or '{"type":"text_delta","text":') .. encode(piece) .. "}")
  end
  event("content_block_stop", '"index":0')
  event("message_delta", ('"delta":{"stop_reason":%s,"stop_sequence":null},"usage":{"output_tokens":%d}')
    :format(reason(answer), answer.said))
  event "message_stop"
  return events
end

-- Gemini's

local function content_heard(content)
  local part = list(list(list(content).parts)[1])
  if part.functionResponse then return { role = "tool", content = encode(part.functionResponse) } end
  return { role = "user", content = part.text }
end

local function answer_of(params, say)
  local conversation, tools = {}, {}
  for i, content in ipairs(params.contents) do conversation[i] = content_heard(content) end
  for _, tool in ipairs(list(params.tools)) do
    for _, declared in ipairs(list(tool.functionDeclarations)) do tools[#tools + 1] = declared end
  end
  local answer = model({ tools = tools[1] and tools }, conversation, say)
  answer.asked, answer.said = count(answer.heard), count(answer.text or answer.arguments)
  return answer
end

local function gemini(params, answer, part, last)
  return ('{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],"usageMetadata":{'
    .. '"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d},"modelVersion":%s,"responseId":"sim"}')
    :format(part, last and ',"finishReason":"STOP"' or "", answer.asked, answer.said, answer.asked + answer.said,
    encode(params.model))
end

local function call(answer)
  return ('{"functionCall":{"name":%s,"args":%s}}'):format(encode(answer.name), answer.arguments)
end

function protocols.gemini(params, say)
  local answer = answer_of(params, say)
  return gemini(params, answer, answer.name and call(answer) or '{"text":' .. encode(answer.text) .. "}", true)
end

function protocols.gemini_events(params, say)
  local answer = answer_of(params, say)
  if answer.name then return { gemini(params, answer, call(answer), true) } end
  local events = {}
  for i, piece in ipairs(answer.pieces) do
    events[i] = gemini(params, answer, '{"text":' .. encode(piece) .. "}", i == #answer.pieces)
  end
  return events
end

return protocols
