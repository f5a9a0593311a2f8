--- The gateway's success bodies, as it documents them: text with $names in
-- it, each replaced by its value as JSON. 'say' is a text that the model is
-- told to say.
local json = require "cjson"
local model = require "simulator.model"
local vector = require "simulator.vector"

local CHAT = [[{"id":$id,"object":"chat.completion","created":$created,"model":$model,]]
  .. [["choices":[{"index":0,"message":{"role":"assistant","content":$text%s},"finish_reason":$finish}],]]
  .. [["usage":{"prompt_tokens":$asked,"completion_tokens":$said,"total_tokens":$total}}]]
local CALLS = ',"tool_calls":[{"id":$call,"type":"function","function":{"name":$name,"arguments":$arguments}}]'
local DELTA = [[{"id":$id,"object":"chat.completion.chunk","created":$created,"model":$model,]]
  .. [["choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}]]
local function delta(other) return (DELTA:gsub('{"role":"assistant"}', other)) end
local CONTENT = delta '{"content":$piece}'
local CALL = delta('{"tool_calls":[{"index":0,"id":$call,"type":"function",'
  .. '"function":{"name":$name,"arguments":""}}]}')
local ARGUMENTS = delta '{"tool_calls":[{"index":0,"function":{"arguments":$piece}}]}'
local FINISH = delta("{}"):gsub('_reason":null', '_reason":$finish')
local USAGE = [[{"id":$id,"object":"chat.completion.chunk","created":$created,"model":$model,"choices":[],]]
  .. [["usage":{"prompt_tokens":$asked,"completion_tokens":$said,"total_tokens":$total}}]]
local EMBEDDINGS = [[{"object":"list","data":[%s],"model":$model,]]
  .. [["usage":{"prompt_tokens":$asked,"total_tokens":$asked}}]]
local MODEL = [[{"id":$id,"object":"model","created":1759104000,"owned_by":$owner,"name":$id,]]
  .. [["context_length":200000,"architecture":{"modality":"text->text","input_modalities":["text"],]]
  .. [["output_modalities":["text"],"instruct_type":null},"per_request_limits":null,]]
  .. [["pricing":{"prompt":"0.000003","completion":"0.000015"},]]
  .. [["supported_endpoints":["/v1/chat/completions","/v1/responses"],"is_deprecated":false}]]
local IMAGE = [[{"created":$created,"data":[%s],"usage":{"input_tokens":9,"output_tokens":1,"total_tokens":10}}]]
local RESPONSE = [[{"id":$id,"object":"response","created_at":$created,"status":$status,"model":$model,]]
  .. [["output":[%s],"usage":{"input_tokens":$asked,"output_tokens":$said,"total_tokens":$total}}]]
local OUTPUT = [[{"type":"message","id":"msg_1","role":"assistant","status":"completed",]]
  .. [["content":[{"type":"output_text","text":$text,"annotations":[]}]}]]
local OUTPUT_CALL = [[{"type":"function_call","id":"fc_1","call_id":$call,"name":$name,]]
  .. [["arguments":$arguments,"status":"completed"}]]

-- One pixel.
local PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

local IDS = {
  "openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5",
  "google/gemini-3-flash-preview", "bailian/qwen-plus", "openai/text-embedding-3-small",
}

local function encode(value)
  return (json.encode(value):gsub("\\/", "/"))
end

local function fill(template, values)
  return (template:gsub("%$(%l+)", function(name) return encode(values[name]) end))
end

--- The template with rows where it says %s.
local function with(template, rows)
  local before, after = template:match("^(.*)%%s(.*)$")
  return before .. rows .. after
end

local made = 0

--- What the templates name, for the answer to a conversation.
local function values_of(params, conversation, prefix, say)
  made = made + 1
  local answer = model(params, conversation, say)
  local asked, said = math.ceil(#answer.heard / 4), math.ceil(#(answer.text or answer.arguments) / 4)
  return {
    id = ("%ssim%06d"):format(prefix, made), created = os.time(), model = params.model,
    text = answer.text, finish = answer.name and "tool_calls" or "stop",
    call = ("call_sim%06d"):format(made), name = answer.name, arguments = answer.arguments,
    pieces = answer.pieces, asked = asked, said = said, total = asked + said,
  }
end

local bodies = {}

function bodies.chat(params, say)
  local values = values_of(params, params.messages, "chatcmpl-", say)
  return fill(with(CHAT, values.name and CALLS or ""), values)
end

--- The events of a streamed completion; with usage where it is asked for.
function bodies.chat_events(params, say)
  local values = values_of(params, params.messages, "chatcmpl-", say)
  local list = { fill(DELTA, values) }
  if values.name then list[2] = fill(CALL, values) end
  for _, piece in ipairs(values.pieces) do
    values.piece = piece
    list[#list + 1] = fill(values.name and ARGUMENTS or CONTENT, values)
  end
  list[#list + 1] = fill(FINISH, values)
  local options = params.stream_options
  if type(options) == "table" and options.include_usage then list[#list + 1] = fill(USAGE, values) end
  list[#list + 1] = "[DONE]"
  return list
end

function bodies.embeddings(params)
  local inputs = type(params.input) == "table" and params.input or { params.input }
  local rows = {}
  for i, text in ipairs(inputs) do
    rows[i] = ('{"object":"embedding","index":%d,"embedding":%s}'):format(i - 1,
      vector(tostring(text), params))
  end
  local asked = math.ceil(#json.encode(inputs) / 4)
  return fill(with(EMBEDDINGS, table.concat(rows, ",")), { model = params.model, asked = asked })
end

--- One model of the catalogue, or nil.
function bodies.model(id)
  for _, known in ipairs(IDS) do
    if id == known then return fill(MODEL, { id = id, owner = id:match("^[^/]*") }) end
  end
end

function bodies.models()
  local rows = {}
  for i, id in ipairs(IDS) do rows[i] = bodies.model(id) end
  return '{"object":"list","data":[' .. table.concat(rows, ",") .. "]}"
end

function bodies.images(params)
  local rows = ('{"b64_json":"' .. PNG .. '"},'):rep(tonumber(params.n) or 1):sub(1, -2)
  return fill(with(IMAGE, rows), { created = os.time() })
end

--- What a recording says: its name, and how long it is.
function bodies.transcript(params)
  local said = ("This is %s, %d bytes of %s."):format(params.file.filename, params.file.size, params.file.type)
  local usage = '{"type":"tokens","input_tokens":14,"output_tokens":9,"total_tokens":23}'
  return '{"text":' .. encode(said) .. ',"usage":' .. usage .. "}"
end

local function response(values, status)
  values.status = status
  local output = values.name and OUTPUT_CALL or OUTPUT
  return fill(with(RESPONSE, status == "completed" and output or ""), values)
end

function bodies.responses(params, say)
  return response(values_of(params, params.input, "resp_", say), "completed")
end

--- The events of a streamed response, each {name, data}.
function bodies.response_events(params, say)
  local values = values_of(params, params.input, "resp_", say)
  local kind, item = "response.output_text.delta", '"item_id":"msg_1","output_index":0,"content_index":0'
  if values.name then kind, item = "response.function_call_arguments.delta", '"item_id":"fc_1","output_index":0' end
  local function event(name, rest) return { name, '{"type":"' .. name .. '",' .. rest .. "}" } end
  local list = { event("response.created", '"response":' .. response(values, "in_progress")) }
  for _, piece in ipairs(values.pieces) do
    list[#list + 1] = event(kind, item .. ',"delta":' .. encode(piece))
  end
  list[#list + 1] = event("response.completed", '"response":' .. response(values, "completed"))
  return list
end

return bodies
