--- The gateway's success bodies, as it documents them: text with $names in
-- it, each replaced by its value as JSON.
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

local FINISH_REASONS = { short = "length", filtered = "content_filter", blocked = "content_filter" }

local made = 0

--- What the templates name, for the answer to a conversation.
local function values_of(params, conversation, prefix, plan)
  made = made + 1
  local answer = model(params, conversation, plan)
  local asked, said = math.ceil(#answer.heard / 4), math.ceil(#(answer.text or answer.arguments) / 4)
  return {
    id = ("%ssim%06d"):format(prefix, made), created = os.time(), model = params.model,
    text = answer.text, finish = FINISH_REASONS[answer.ending] or answer.name and "tool_calls" or "stop",
    call = ("call_sim%06d"):format(made), name = answer.name, arguments = answer.arguments,
    pieces = answer.pieces, asked = asked, said = said, total = asked + said,
  }
end

local bodies = {}

function bodies.chat(params, plan)
  local values = values_of(params, params.messages, "chatcmpl-", plan)
  return fill(with(CHAT, values.name and CALLS or ""), values)
end

--- The events of a streamed completion; with usage where it is asked for.
function bodies.chat_events(params, plan)
  local values = values_of(params, params.messages, "chatcmpl-", plan)
  local list = { fill(DELTA, values) }
  if values.name then list[2] = fill(CALL, values) end
  list.lead = #list
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

local SPEECH_USAGE = '"usage":{"type":"tokens","input_tokens":14,"output_tokens":9,"total_tokens":23}'

local function speech(params)
  return ("This is %s, %d bytes of %s."):format(params.file.filename, params.file.size, params.file.type)
end

-- The formats that are no JSON.
local FORMATS = {
  text = "%s\n",
  srt = "1\n00:00:00,000 --> 00:00:01,000\n%s\n",
  vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n%s\n",
}

--- What a recording says: its name, and how long it is.
function bodies.transcript(params)
  local format = FORMATS[params.response_format]
  if format then return format:format(speech(params)), "text/plain; charset=utf-8" end
  return '{"text":' .. encode(speech(params)) .. "," .. SPEECH_USAGE .. "}"
end

--- The events of a streamed transcript.
function bodies.transcript_events(params)
  local list = { lead = 0 }
  for piece in speech(params):gmatch("%s*%S+") do
    list[#list + 1] = '{"type":"transcript.text.delta","delta":' .. encode(piece) .. "}"
  end
  list[#list + 1] = '{"type":"transcript.text.done","text":' .. encode(speech(params)) .. "," .. SPEECH_USAGE .. "}"
  return list
end

return bodies
