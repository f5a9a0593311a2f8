-- The official clients of OpenAI, Anthropic and Google against our simulator: they
-- understand it, so it says what servers say; and ofox makes the same of it.
local json = require "ofox.json"
local ofox = require "ofox"
local proc = require "support.proc"
local simulator = require "support.simulator"

local KEY = "sk-sim-sdks"

-- What differs from answer to answer, and what a client adds to one.
local OWN = {
  id = true, created = true, created_at = true, call_id = true, responseId = true, parsed = true,
  parsed_arguments = true, parsed_output = true, output_text = true, output_parsed = true, _request_id = true,
  headers = true, sdkHttpResponse = true,
}

-- Without that, and without what is null or empty.
local function bare(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for name, member in pairs(value) do
    if not OWN[name] and member ~= json.null and (type(member) ~= "table" or next(member) ~= nil) then
      out[name] = bare(member)
    end
  end
  return out
end

local function user(text) return { { role = "user", content = text } } end

local SCHEMA = { type = "object", properties = { city = { type = "string" }, days = { type = "integer" } } }
local TOOL = { name = "weather", description = "it", parameters = SCHEMA }
local MESSAGES_TOOL = { name = "weather", description = "it", input_schema = SCHEMA }
local THINKING = { type = "enabled", budget_tokens = 1024 }
local TEXT = "Grüezi, 世界! 🦊 \"quoted\"\n\tin pieces"

-- The calls of which a client gives the whole answer, also of a stream: the method, and
-- what is asked, by what it shows.
local WHOLE = {
  chat = {
    ["text"] = { messages = user(TEXT) },
    ["a call of a tool"] = { messages = user "hi", tools = { { type = "function", ["function"] = TOOL } } },
    ["the end of the tokens"] = { model = "short", messages = user "hi" },
    ["JSON"] = { messages = user "hi", response_format = { type = "json_object" } },
  },
  responses = {
    ["text"] = { input = TEXT },
    ["a call of a tool"] = { input = "hi",
      tools = { { type = "function", name = "weather", parameters = SCHEMA, strict = false } } },
    ["the end of the tokens"] = { model = "short", input = "hi" },
    ["a filter"] = { model = "filtered", input = "hi" },
  },
  messages = {
    ["text"] = { messages = user(TEXT), max_tokens = 99 },
    ["signed thoughts"] = { messages = user "hi", max_tokens = 2000, thinking = THINKING },
    ["a call of a tool after thoughts"] = { messages = user "hi", max_tokens = 2000, thinking = THINKING,
      tools = { MESSAGES_TOOL } },
    ["the end of the tokens"] = { model = "short", messages = user "hi", max_tokens = 2 },
    ["a refusal"] = { model = "filtered", messages = user "hi", max_tokens = 99 },
  },
}

-- Gemini's: what is asked of Google's client; ofox sends the same as the protocol has it.
local GEMINI = {
  ["text"] = { TEXT },
  ["signed thoughts"] = { "hi", { thinkingConfig = { includeThoughts = true } } },
  ["a call of a tool after thoughts"] = { "hi", { thinkingConfig = { includeThoughts = true },
    tools = { { functionDeclarations = { { name = "weather", description = "it",
      parametersJsonSchema = SCHEMA } } } } } },
  ["the end of the tokens"] = { "hi", nil, "short" },
  ["a filter"] = { "hi", nil, "filtered" },
  ["a prompt that is refused"] = { "hi", nil, "blocked" },
}

-- Failures: the model, the key, and what each client says: the status, and its class.
local FAILURES = {
  ["a wrong key"] = { "m", "sk-wrong-0123456789", 401, "AuthenticationError" },
  ["an unknown model"] = { "no/such", nil, 404, "NotFoundError" },
  ["too many requests"] = { "status/429", nil, 429, "RateLimitError" },
  ["a service that is down"] = { "status/503", nil, 503, "InternalServerError" },
  ["an overloaded provider"] = { "status/529", nil, 529, "InternalServerError" },
  ["a wrong request"] = { "status/400", nil, 400, "BadRequestError" },
}

local METHODS = { chat = "chat", responses = "responses", messages = "messages", gemini = "generate_content" }

-- The params of a call in a protocol where nothing depends on them.
local function plain(call, model)
  if call == "gemini" then return { model = model, contents = { { parts = { { text = "hi" } } } } } end
  if call == "responses" then return { model = model, input = "hi" } end
  return { model = model, messages = user "hi", max_tokens = call == "messages" and 99 or nil }
end

local function of_gemini(case)
  local config, contents = case[2] or {}, { { role = "user", parts = { { text = case[1] } } } }
  return { model = case[3] or "m", contents = contents, tools = config.tools,
    generationConfig = config.thinkingConfig and { thinkingConfig = config.thinkingConfig } }
end

local function with_model(params)
  local out = { model = "m" }
  for name, value in pairs(params) do out[name] = value end
  return out
end

local sim
local jobs, answers = {}, {}

-- Notes a job for the clients; returns its number.
local function job(call, params, key)
  jobs[#jobs + 1] = { call = call, params = params, key = key }
  return #jobs
end

local function client_of(key)
  return ofox.new { api_key = key or KEY, base_url = sim.url, errors = "return", max_retries = 0, hold = false }
end

local function ours(call, stream, params, key)
  params = with_model(params)
  params.stream = stream or nil
  local client = client_of(key)
  local res, err = client[METHODS[call]](client, params)
  if res and stream then return res:collect() end
  return res, err
end

-- The same as the .mjs gathers from Gemini's chunks.
local function gathered(res)
  local sum = { text = "", thoughts = "", calls = {}, signatures = {} }
  local candidate = res.candidates and res.candidates[1] or {}
  for _, part in ipairs(candidate.content and candidate.content.parts or {}) do
    if part.text then
      local name = part.thought and "thoughts" or "text"
      sum[name] = sum[name] .. part.text
    end
    sum.calls[#sum.calls + 1] = part.functionCall
    sum.signatures[#sum.signatures + 1] = part.thoughtSignature
  end
  sum.reason, sum.usage = candidate.finishReason, res.usageMetadata
  sum.blocked = res.promptFeedback and res.promptFeedback.blockReason
  return sum
end

setup(function()
  sim = simulator.start()
  local asked, said = os.tmpname(), os.tmpname()
  local lines = {}
  for i, one in ipairs(jobs) do lines[i] = json.encode(one) end
  proc.write(asked, table.concat(lines, "\n") .. "\n")
  local url = sim.url:gsub("/v1$", "")
  local pipe = io.popen(("node spec/peers/sdks.mjs %s %s %s 2>&1; echo $?"):format(url, asked, said))
  local printed = pipe:read "*a"
  pipe:close()
  assert(printed == "0\n", printed)
  for line in proc.read(said):gmatch "[^\n]+" do answers[#answers + 1] = json.decode(line) end
  os.remove(asked)
  os.remove(said)
end)
teardown(function() sim:stop() end)

-- What the client has made of a job.
local function theirs(number)
  local answer = answers[number]
  assert.is_nil(answer.error)
  return answer.value
end

-- Tests, as titles and functions: the clients do all their jobs before the first.
local same, fails, broken = {}, {}, {}

-- A test of a call, whole and as a stream.
local function each(tests, call, title, test)
  for _, stream in ipairs { false, true } do
    local number = test(nil, stream)
    tests[("%s, %s%s"):format(call, title, stream and ", streamed" or "")] = function() test(number, stream) end
  end
end

do
  for call, cases in pairs(WHOLE) do
    for title, params in pairs(cases) do
      each(same, call, title, function(number, stream)
        if not number then return job(call .. (stream and "_stream" or ""), with_model(params)) end
        local value, res = theirs(number), assert(ours(call, stream, params))
        -- OpenAI's does not notice response.incomplete in a stream, and gives what it has by then
        if value.status == "in_progress" then
          assert.equal("incomplete", res.status)
          assert.same(value.output[1].content[1].text, res:output_text())
        else
          assert.same(bare(value), bare(res))
        end
        assert.is_truthy(res:finish_reason())
      end)
    end
  end

  for title, case in pairs(GEMINI) do
    each(same, "gemini", title, function(number, stream)
      if not number then
        return job("gemini" .. (stream and "_stream" or ""),
          { model = case[3] or "m", contents = case[1], config = case[2] })
      end
      local value, res = theirs(number), assert(ours("gemini", stream, of_gemini(case)))
      assert.same(bare(value), bare(gathered(res)))
      assert.is_truthy(res:finish_reason())
    end)
  end

  for title, failure in pairs(FAILURES) do
    for call in pairs(METHODS) do
      each(fails, call, title, function(number, stream)
        local model, key, status, class = failure[1], failure[2], failure[3], failure[4]
        if not number then
          local params = call == "gemini" and { model = model, contents = "hi" } or plain(call, model)
          return job(call .. (stream and "_stream" or ""), params, key)
        end
        local err = answers[number].error
        assert.same({ status, call == "gemini" and "ApiError" or class }, { err.status, err.name })
        local res, own = ours(call, stream, plain(call, model), key)
        assert.is_nil(res)
        assert.equal(status, own.status)
      end)
    end
  end

  for _, call in ipairs { "chat", "responses", "messages", "gemini" } do
    for model, class in pairs { ["stream-error/503"] = "service_unavailable", ["stream-error/429"] = "rate_limit_error",
      cut = "stream_error" } do
      local params = call == "gemini" and { model = model, contents = "hi" } or plain(call, model)
      local number = job(call .. "_stream", params)
      broken[call .. ", " .. model] = function()
        assert.is_truthy(answers[number].error or model == "cut", json.encode(answers[number]))
        local res, err = ours(call, true, plain(call, model))
        assert.is_nil(res)
        assert.equal(class, err.type)
        assert.is_truthy(err.partial.text:find("This is", 1, true), err.partial.text)
      end
    end
  end
end

for group, tests in pairs {
  ["gets from the simulator what ofox gets:"] = same, ["is refused where ofox is:"] = fails,
  ["fails where ofox fails, in the middle of a stream:"] = broken,
} do
  describe("[2.10] an official client " .. group, function()
    for title, test in pairs(tests) do it(title, test) end
  end)
end

local PARAMS = {
  embeddings = { model = "m", input = { "one", "two" } }, models = {}, videos = { model = "m", prompt = "a fox" },
  edit_images = { model = "m", prompt = "a hat" }, transcribe = { model = "m" },
}
local numbers = {}
for name, params in pairs(PARAMS) do numbers[name] = job(name, params) end

describe("[2.11] an official client gets from the simulator what ofox gets, beside the protocols:", function()
  local audio = ofox.file { bytes = "RIFF", name = "a.wav", type = "application/octet-stream" }

  it("vectors", function()
    local res = assert(client_of():embeddings(PARAMS.embeddings))
    local value = theirs(numbers.embeddings)
    for i = 1, 2 do assert.same(value.data[i].embedding, res.data[i].embedding) end
    assert.same(bare(value.usage), bare(res.usage))
  end)

  it("the models", function()
    assert.same(bare(theirs(numbers.models)), bare(assert(client_of():models()).data))
  end)

  it("a picture that is changed, and a transcript", function()
    local image = ofox.file { bytes = "RIFF", name = "a.png" }
    local res = assert(client_of():edit_images { model = "m", prompt = "a hat", image = image })
    assert.same(bare(theirs(numbers.edit_images)), bare(res))
    res = assert(client_of():transcribe { model = "m", file = audio })
    assert.same(bare(theirs(numbers.transcribe)), bare(res))
  end)

  it("a video, step by step, its film and its end", function()
    local client, steps = client_of(), {}
    local video = assert(client:videos(PARAMS.videos))
    repeat
      steps[#steps + 1] = { video.status, video.progress }
      if video.status ~= "completed" then video = assert(client:video(video.id)) end
    until #steps == 3
    local film = assert(client:request { path = "/videos/" .. video.id .. "/content", raw = true })
    local gone = assert(client:delete_video(video.id)).deleted
    assert.same(theirs(numbers.videos), { steps = steps, film = #film.value, gone = gone })
  end)
end)
