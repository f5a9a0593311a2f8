--- What all works ask, and whom: OFOX_BASE_URL says where.
local request = {}

request.COUNT = tonumber(arg[1])

local SYSTEM = "You are a helpful assistant."
local QUESTION = "Summarise the plot of Hamlet in two sentences, please."

request.params = {
  model = "openai/gpt-4o", temperature = 0.7, max_tokens = 256,
  messages = { { role = "system", content = SYSTEM }, { role = "user", content = QUESTION } },
}

--- A question in each protocol, by the name of its method.
request.questions = {
  chat = request.params,
  messages = {
    model = "anthropic/claude-sonnet-4.5", temperature = 0.7, max_tokens = 256, system = SYSTEM,
    messages = { { role = "user", content = QUESTION } },
  },
  generate_content = {
    model = "google/gemini-3-flash-preview", systemInstruction = { parts = { { text = SYSTEM } } },
    contents = { { role = "user", parts = { { text = QUESTION } } } },
    generationConfig = { temperature = 0.7, maxOutputTokens = 256 },
  },
}

function request.client(options)
  options = options or {}
  options.api_key, options.proxy = "sk-guard-0123456789", false
  return require "ofox".new(options)
end

--- A function that asks in the protocol that the command line names, chat if none.
---@param stream boolean|nil
---@return fun(): any
function request.asker(stream)
  local method = arg[2] or "chat"
  local client, params = request.client(), request.questions[method]
  params.stream = stream
  return function() return assert(client[method](client, params)) end
end

return request
