--- What all works ask, and whom: OFOX_BASE_URL says where.
local request = {}

request.COUNT = tonumber(arg[1])

request.params = {
  model = "openai/gpt-4o", temperature = 0.7, max_tokens = 256,
  messages = {
    { role = "system", content = "You are a helpful assistant." },
    { role = "user", content = "Summarise the plot of Hamlet in two sentences, please." },
  },
}

function request.client(options)
  options = options or {}
  options.api_key, options.proxy = "sk-guard-0123456789", false
  return require "ofox".new(options)
end

return request
