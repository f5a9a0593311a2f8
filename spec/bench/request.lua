--- What every client of the benchmarks asks for, in any Lua.
local request = {}

request.KEY = "sk-bench-0123456789abcdef"

--- Of a call; encoded anew for each.
request.chat = {
  model = "openai/gpt-4o", temperature = 0.7, max_tokens = 256,
  messages = {
    { role = "system", content = "You are a helpful assistant." },
    { role = "user", content = "Summarise the plot of Hamlet in two sentences, please." },
  },
}

--- Of a stream.
request.stream = { stream = true }
for name, value in pairs(request.chat) do request.stream[name] = value end

--- Of embeddings.
request.embeddings = { model = "text-embedding-3-large", input = { "To be, or not to be", "that is the question" } }
request.decimals = { encoding_format = "float" }
for name, value in pairs(request.embeddings) do request.decimals[name] = value end

request.headers = { ["Content-Type"] = "application/json", Authorization = "Bearer " .. request.KEY,
  Accept = "application/json", ["User-Agent"] = "bench" }

--- Host and port of a URL.
function request.address(url)
  local host, port = url:match("^https?://([^:/]+):(%d+)")
  return host, tonumber(port)
end

--- The head of a request, written by hand.
function request.head(host, port, path, length)
  local lines = { ("POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %d"):format(path, host, port, length) }
  for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

return request
