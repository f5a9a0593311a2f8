-- luacheck: globals ngx
--- What the server of the benchmarks answers; runs inside nginx. The base URL
-- says what: /stream/1000/v1 is a gateway whose streams have 1,000 events.
local ffi = require "ffi"

local gateway = {}

-- Of its 18 headers nginx itself writes five: Server, Date, Content-Type,
-- Content-Length (or Transfer-Encoding) and Connection.
local HEADERS = {
  ["openai-organization"] = "org-bench",
  ["openai-processing-ms"] = "287",
  ["openai-version"] = "2020-10-01",
  ["x-ratelimit-limit-requests"] = "5000",
  ["x-ratelimit-limit-tokens"] = "800000",
  ["x-ratelimit-remaining-requests"] = "4999",
  ["x-ratelimit-remaining-tokens"] = "799942",
  ["x-ratelimit-reset-requests"] = "12ms",
  ["x-ratelimit-reset-tokens"] = "4ms",
  ["x-request-id"] = "req_5f1c2b7ad9384e06a1b2c3d4e5f60718",
  ["strict-transport-security"] = "max-age=15552000; includeSubDomains; preload",
  ["x-content-type-options"] = "nosniff",
  ["cf-ray"] = "8f3a1b5c9d7e2046-FRA",
}

local COMPLETION = '{"id":"chatcmpl-B7k2mQx9Lw4TzR1vYc8N","object":"chat.completion","created":1764288000,'
  .. '"model":"openai/gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null,'
  .. '"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":31,"completion_tokens":22,'
  .. '"total_tokens":53,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":'
  .. '{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},'
  .. '"service_tier":"default","system_fingerprint":"fp_a24b4d720c"}'
local SENTENCE = "A prince feigns madness to avenge his father.\\nNearly all of the court, he too, is dead at the end."
local REPLY = COMPLETION:format(SENTENCE)

-- About 264 bytes of JSON.
local EVENT = 'data: {"id":"chatcmpl-B7k2mQx9Lw4TzR1vYc8N","object":"chat.completion.chunk","created":1764288000,'
  .. '"model":"openai/gpt-4o","service_tier":"default","system_fingerprint":"fp_a24b4d720c",'
  .. '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}\n\n'
local FIRST_EVENT = EVENT:format('{"role":"assistant","content":"","refusal":null}', "null")
local LAST_EVENT = EVENT:format("{}", '"stop"')
local DONE = "data: [DONE]\n\n"
local WORDS = { " prince", " of", " Denmark", ",", " ghost", "\\n\\n", " “", "revenge", "”", " — 王子", " and", " déjà" }
local EVENTS = {}
for i, word in ipairs(WORDS) do EVENTS[i] = EVENT:format('{"content":"' .. word .. '"}', "null") end

local OVERLOADED = '{"error":{"message":"The engine is currently overloaded, please try again later",'
  .. '"type":"server_error","param":null,"code":null}}'

-- Two embeddings of 4,096 numbers, as decimals and as base64 of 32-bit floats.
local DECIMALS, BASE64
do
  local function whole(first, second)
    local one = '{"object":"embedding","index":%d,"embedding":%s}'
    return '{"object":"list","data":[' .. one:format(0, first) .. "," .. one:format(1, second)
      .. '],"model":"text-embedding-3-large","usage":{"prompt_tokens":14,"total_tokens":14}}'
  end
  local words, floats = {}, ffi.new("float[4096]")
  for i = 1, 4096 do
    words[i] = ("%.8f"):format(math.sin(i * i) / 16)
    floats[i - 1] = tonumber(words[i])
  end
  local list = "[" .. table.concat(words, ",") .. "]"
  local text = '"' .. ngx.encode_base64(ffi.string(floats, ffi.sizeof(floats))) .. '"'
  DECIMALS, BASE64 = whole(list, list), whole(text, text)
end

local function begin(content_type, status)
  ngx.req.read_body()
  ngx.status = status or 200
  for name, value in pairs(HEADERS) do ngx.header[name] = value end
  ngx.header["Content-Type"] = content_type
end

local function answer(body, status)
  begin("application/json", status)
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

-- The i-th of 'count' events.
local function event(i, count)
  if i == 1 then return FIRST_EVENT end
  if i == count then return LAST_EVENT end
  return EVENTS[i % #EVENTS + 1]
end

-- Sends events, each in an HTTP chunk of its own; false if the client left.
local function send_events(count, after_each)
  begin "text/event-stream"
  for i = 1, count do
    ngx.print(event(i, count))
    if not after_each(i) then return false end
  end
  ngx.print(DONE)
  return true
end

--- One completion.
function gateway.chat() answer(REPLY) end

--- Embeddings as the request wants them.
function gateway.embeddings()
  ngx.req.read_body()
  local is_base64 = (ngx.req.get_body_data() or ""):find('"encoding_format":"base64"', 1, true)
  answer(is_base64 and BASE64 or DECIMALS)
end

--- As many events as asked for, as fast as the client takes them.
function gateway.stream(count)
  send_events(tonumber(count), function(i) return i % 64 ~= 0 or ngx.flush(true) end)
end

--- One event every so many milliseconds.
function gateway.paced(milliseconds, count)
  local pause = tonumber(milliseconds) / 1000
  send_events(tonumber(count), function()
    if not ngx.flush(true) then return false end
    ngx.sleep(pause)
    return true
  end)
end

--- The role and a word at once, the rest two milliseconds later.
function gateway.first()
  send_events(4, function(i)
    if i == 2 then
      ngx.flush(true)
      ngx.sleep(0.002)
    end
    return true
  end)
end

local asked = {} -- name of a run -> how often it has asked

--- To each run three times 503, and on its fourth request a completion.
function gateway.errors(run)
  asked[run] = (asked[run] or 0) + 1
  if asked[run] % 4 == 0 then return answer(REPLY) end
  ngx.header["retry-after-ms"] = "0"
  answer(OVERLOADED, 503)
end

local whole_body = {} -- of one size: the last one asked for

--- A completion of about as many bytes as asked for.
function gateway.body(size)
  if whole_body.size ~= size then
    local text = SENTENCE:rep(math.ceil(size / #SENTENCE)):sub(1, math.max(1, size - #COMPLETION))
    whole_body = { size = size, text = COMPLETION:format((text:gsub("\\n?$", ""))) }
  end
  answer(whole_body.text)
end

return gateway
