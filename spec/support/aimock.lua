--- @copilotkit/aimock, a server by others that speaks OpenAI's, Anthropic's and Gemini's
-- protocols, as a child process, and questions to it. .ci/peers installs it.
local assert = require "luassert"
local http = require "socket.http"
local json = require "ofox.json"
local ltn12 = require "ltn12"
local ofox = require "ofox"
local proc = require "support.proc"
local socket = require "socket"

local aimock = {}

--- The key that it takes.
aimock.KEY = "sk-of-aimock-0123456789"

local url, child, parent

--- Its own control address: a GET, or a POST of a table.
---@param path string
---@param body? table
---@return table
function aimock.control(path, body)
  local pieces, sent = {}, body and json.encode(body)
  local _, status = http.request { url = url .. "/__aimock" .. path, method = sent and "POST" or "GET",
    headers = { ["api-key"] = aimock.KEY, ["content-length"] = sent and #sent },
    source = sent and ltn12.source.string(sent), sink = ltn12.sink.table(pieces) }
  assert.equal(200, status, table.concat(pieces))
  return json.decode(table.concat(pieces))
end

--- Starts it, for the tests of a file.
function aimock.start()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  child = proc.child(("node spec/peers/aimock.mjs %d %s"):format(port, aimock.KEY))
  listener:settimeout(30)
  parent = assert(listener:accept())
  url = assert(parent:receive("*l"))
  listener:close()
end

function aimock.stop()
  parent:close()
  child:stop()
end

--- It forgets what it has received, and what it answers.
function aimock.reset()
  aimock.control("/reset", {})
end

--- A client that neither waits nor tries again, unless opts say so.
---@param opts? table
function aimock.client(opts)
  local all = { api_key = aimock.KEY, base_url = url .. "/v1", anthropic_url = url, gemini_url = url, errors = "return",
    max_retries = 0, hold = false, retry = { base = 0.01, jitter = "none" } }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all)
end

--- What it answers from now on: a response, and how it is served.
---@param response table
---@param how? table  more of a fixture
function aimock.answers(response, how)
  local fixture = { match = ofox.object {}, response = response }
  for name, value in pairs(how or {}) do fixture[name] = value end
  aimock.control("/fixtures", { fixtures = { fixture } })
end

--- The same, one after another.
---@param list table[]
function aimock.answers_in_turn(list)
  for i, response in ipairs(list) do aimock.answers(response, { match = { sequenceIndex = i - 1 } }) end
end

--- What it has received, as it understood it.
function aimock.received() return aimock.control "/journal" end

--- The last of it.
function aimock.last()
  local all = aimock.received()
  return all[#all]
end

--- What a tool takes.
aimock.SCHEMA = { type = "object", properties = { city = { type = "string" } } }
--- The same question in each protocol.
aimock.PROTOCOLS = {
  { name = "chat", path = "/v1/chat/completions", stream_path = "/v1/chat/completions", key = "authorization",
    params = {
      messages = { { role = "system", content = "Be short." }, { role = "user", content = "Grüezi 🦊" } },
      temperature = 0.5, max_tokens = 9,
      tools = { { type = "function",
        ["function"] = { name = "weather", description = "it", parameters = aimock.SCHEMA } } } } },
  { name = "responses", path = "/v1/responses", stream_path = "/v1/responses", key = "authorization",
    params = { instructions = "Be short.", input = { { role = "user", content = "Grüezi 🦊" } },
      temperature = 0.5, max_output_tokens = 9,
      tools = { { type = "function", name = "weather", description = "it", parameters = aimock.SCHEMA } } } },
  { name = "messages", path = "/v1/messages", stream_path = "/v1/messages", key = "x-api-key",
    params = { system = "Be short.",
      messages = { { role = "user", content = { { type = "text", text = "Grüezi 🦊" } } } },
      temperature = 0.5, max_tokens = 9,
      tools = { { name = "weather", description = "it", input_schema = aimock.SCHEMA } } } },
  { name = "generate_content", path = "/v1beta/models/o3/mini:generateContent", key = "x-goog-api-key",
    stream_path = "/v1beta/models/o3/mini:streamGenerateContent?alt=sse",
    params = { systemInstruction = { parts = { { text = "Be short." } } },
      contents = { { role = "user", parts = { { text = "Grüezi 🦊" } } } },
      generationConfig = { temperature = 0.5, maxOutputTokens = 9 },
      tools = { { functionDeclarations = {
        { name = "weather", description = "it", parameters = aimock.SCHEMA } } } } } },
}

--- A call in a protocol: what it gives, to its end. A stream of chat is asked for its usage.
---@param protocol table  one of PROTOCOLS
---@param stream boolean
---@param client? table
function aimock.call(protocol, stream, client)
  local params = { model = "o3/mini", stream = stream or nil }
  for name, value in pairs(protocol.params) do params[name] = value end
  if stream and protocol.name == "chat" then params.stream_options = { include_usage = true } end
  client = client or aimock.client()
  local res, err = client[protocol.name](client, params)
  if res and stream then return res:collect() end
  return res, err
end

--- Makes a test of each protocol, plain and streamed.
---@param it function  busted's
---@param title string
---@param test fun(protocol: table, stream: boolean)
function aimock.each(it, title, test)
  for _, protocol in ipairs(aimock.PROTOCOLS) do
    for _, stream in ipairs { false, true } do
      it(("%s: %s%s"):format(title, protocol.name, stream and ", streamed" or ""), function()
        test(protocol, stream)
      end)
    end
  end
end

--- A text that is easy to break.
aimock.TEXT = "Grüezi, 世界! 🦊 \"quoted\"\n\tand told in many small pieces."

return aimock
