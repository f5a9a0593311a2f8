--- Answers of the Responses protocol, whole and as events.
local json = require "cjson"
local model = require "simulator.model"

local responses = {}

local function encode(value)
  return (json.encode(value):gsub("\\/", "/"))
end

local made = 0

local function answer_of(params, plan)
  made = made + 1
  local answer = model(params, params.input, plan)
  answer.asked, answer.said = math.ceil(#answer.heard / 4), math.ceil(#(answer.text or answer.arguments) / 4)
  answer.id, answer.created, answer.model = ("resp_sim%06d"):format(made), os.time(), params.model
  answer.call = ("call_sim%06d"):format(made)
  return answer
end

-- Why an answer is incomplete, by how it ends.
local REASONS = { short = "max_output_tokens", filtered = "content_filter", blocked = "content_filter" }

local function response(answer, status, output)
  local reason, usage = REASONS[answer.ending], "null"
  if status == "in_progress" then
    reason = nil
  else
    usage = ('{"input_tokens":%d,"output_tokens":%d,"total_tokens":%d}'):format(answer.asked, answer.said,
      answer.asked + answer.said)
  end
  return ('{"id":"%s","object":"response","created_at":%d,"status":"%s","error":null,"incomplete_details":%s,'
    .. '"model":%s,"output":[%s],"usage":%s}'):format(answer.id, answer.created, reason and "incomplete" or status,
    reason and '{"reason":"' .. reason .. '"}' or "null", encode(answer.model), output, usage)
end

local function text_part(text)
  return '{"type":"output_text","text":' .. encode(text) .. ',"annotations":[],"logprobs":[]}'
end

--- The item of an output; a status of "in_progress" is one that has only begun.
local function item(answer, status)
  local begun = status == "in_progress"
  if answer.name then
    return ('{"type":"function_call","id":"fc_1","call_id":"%s","name":%s,"arguments":%s,"status":"%s"}')
      :format(answer.call, encode(answer.name), encode(begun and "" or answer.arguments), status)
  end
  return ('{"type":"message","id":"msg_1","role":"assistant","status":"%s","content":[%s]}'):format(status,
    begun and "" or text_part(answer.text))
end

local function item_status(answer) return REASONS[answer.ending] and "incomplete" or "completed" end

function responses.whole(params, plan)
  local answer = answer_of(params, plan)
  return response(answer, "completed", item(answer, item_status(answer)))
end

local TEXT = { kind = "output_text", at = '"item_id":"msg_1","output_index":0,"content_index":0', member = "text" }
local CALL = { kind = "function_call_arguments", at = '"item_id":"fc_1","output_index":0', member = "arguments" }

--- The events of a stream, each {name, data}.
function responses.events(params, plan)
  local answer, list = answer_of(params, plan), {}
  local about = answer.name and CALL or TEXT
  local function event(name, rest)
    name = "response." .. name
    list[#list + 1] = { name, ('{"type":"%s","sequence_number":%d,%s}'):format(name, #list, rest) }
  end
  event("created", '"response":' .. response(answer, "in_progress", ""))
  event("in_progress", '"response":' .. response(answer, "in_progress", ""))
  event("output_item.added", '"output_index":0,"item":' .. item(answer, "in_progress"))
  if about == TEXT then event("content_part.added", about.at .. ',"part":' .. text_part "") end
  list.lead = #list
  for _, piece in ipairs(answer.pieces) do
    event(about.kind .. ".delta", about.at .. ',"delta":' .. encode(piece)
      .. (about == TEXT and ',"logprobs":[]' or ""))
  end
  local done = encode(answer.text or answer.arguments)
  event(about.kind .. ".done", about.at .. (',"%s":%s'):format(about.member, done)
    .. (about == TEXT and ',"logprobs":[]' or ',"name":' .. encode(answer.name)))
  if about == TEXT then event("content_part.done", about.at .. ',"part":' .. text_part(answer.text)) end
  local whole = item(answer, item_status(answer))
  event("output_item.done", '"output_index":0,"item":' .. whole)
  event(REASONS[answer.ending] and "incomplete" or "completed", '"response":' .. response(answer, "completed", whole))
  return list
end

return responses
