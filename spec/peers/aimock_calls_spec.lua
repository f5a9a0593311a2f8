-- ofox against a server by others: conversations with tools, the endpoints beside the
-- protocols, and a recording of its answers.
local aimock = require "support.aimock"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"
local proc = require "support.proc"

local KEY, SCHEMA, PROTOCOLS, TEXT = aimock.KEY, aimock.SCHEMA, aimock.PROTOCOLS, aimock.TEXT
local control, received, last, call = aimock.control, aimock.received, aimock.last, aimock.call
local answers, answers_in_turn, client_of = aimock.answers, aimock.answers_in_turn, aimock.client

setup(aimock.start)
teardown(aimock.stop)
before_each(aimock.reset)

-- The tools of a conversation, and what they were asked.
local function tools_of(asked)
  local function noted(name, answer)
    return { description = name, parameters = SCHEMA, run = function(arguments)
      asked[#asked + 1] = name .. " " .. tostring(arguments.city)
      return answer(arguments)
    end }
  end
  return {
    weather = noted("weather", function(arguments) return { sky = "clear over " .. arguments.city } end),
    clock = noted("clock", function() return "noon" end),
    broken = noted("broken", function() error("no such thing", 0) end),
  }
end

describe("[2.11] run_tools with aimock", function()
  for name, params in pairs {
    chat = { messages = { { role = "user", content = "Where is it warm?" } } },
    responses = { input = "Where is it warm?" },
    messages = { max_tokens = 99, messages = { { role = "user", content = "Where is it warm?" } } },
  } do
    for _, stream in ipairs { false, true } do
      it(("goes on for several rounds: %s%s"):format(name, stream and ", streamed" or ""), function()
        answers_in_turn {
          { content = "First, ", reasoning = "two cities", reasoningSignature = "c2ln", toolCalls = {
            { id = "call_a", name = "weather", arguments = { city = "Bern" } },
            { id = "call_b", name = "weather", arguments = { city = "Genf" } } } },
          { reasoning = "what now", reasoningSignature = "c2ln", toolCalls = {
            { id = "call_c", name = "broken", arguments = { city = "Basel" } },
            { id = "call_d", name = "clock", arguments = ofox.object {} } } },
          { content = "then Bern." },
        }
        local asked, heard = {}, {}
        -- with thinking, aimock refuses a conversation that has lost a thought or its signature
        params.model, params.thinking = "claude-sonnet-4.5", name == "messages" and { type = "enabled" } or nil
        local client = client_of { headers = { ["X-AIMock-Strict"] = "true" } }
        local res, messages = client:run_tools(params, tools_of(asked), { protocol = name,
          on_text = stream and function(text) heard[#heard + 1] = text end or nil })
        assert(res, messages)
        assert.same({ "then Bern.", "stop" }, { res:output_text(), res:finish_reason() })
        if stream then assert.equal("First, then Bern.", table.concat(heard)) end
        table.sort(asked)
        assert.same({ "broken Basel", "clock nil", "weather Bern", "weather Genf" }, asked)
        local all, results, calls = received(), {}, {}
        assert.equal(3, #all)
        for _, entry in ipairs(all) do assert.equal(3, #entry.body.tools) end
        for _, message in ipairs(all[3].body.messages) do
          if message.role == "tool" then results[message.tool_call_id] = message.content end
          for _, made in ipairs(message.tool_calls or {}) do
            calls[#calls + 1] = made.id .. " " .. made["function"].name
          end
        end
        assert.same({ call_a = '{"sky":"clear over Bern"}', call_b = '{"sky":"clear over Genf"}',
          call_c = "error: no such thing", call_d = "noon" }, results)
        assert.same({ "call_a weather", "call_b weather", "call_c broken", "call_d clock" }, calls)
      end)
    end
  end
end)

describe("[2.10] other endpoints of aimock", function()
  it("embed, as numbers also where bytes were asked for", function()
    answers({ embedding = { 0.5, -1, 2 } }, { match = { inputText = "fox" } })
    local res = assert(client_of():embeddings { model = "e", input = { "a fox", "a wolf" } })
    assert.same({ { 0.5, -1, 2 }, { 0.5, -1, 2 } }, { res.data[1].embedding, res.data[2].embedding })
    assert.same({ "POST", "/v1/embeddings", "e" }, { last().method, last().path, last().body.model })
    local other = assert(client_of():embeddings { model = "e", input = "bear", dimensions = 8 })
    assert.equal(8, #other.data[1].embedding)
  end)

  it("paint, and paint over", function()
    answers({ image = { b64Json = "UE5H", revisedPrompt = "a red fox" } }, { match = { endpoint = "image" } })
    local client = client_of()
    assert.same({ b64_json = "UE5H", revised_prompt = "a red fox" }, assert(client:images { prompt = "a fox" }).data[1])
    local res = assert(client:edit_images { model = "gpt-image-1", prompt = "Hüte 🦊 drauf",
      image = { ofox.file { bytes = "\137PNG\r\n\26\n\0", name = "a.png" },
        ofox.file { bytes = "", name = "b.png" } } })
    assert.equal("UE5H", res.data[1].b64_json)
    assert.same({ "/v1/images/edits", "gpt-image-1", "Hüte 🦊 drauf" },
      { last().path, last().body.model, last().body.messages[1].content })
    assert.truthy(last().headers["content-type"]:find("^multipart/form%-data; boundary="))
  end)

  it("write down speech", function()
    answers({ transcription = { text = TEXT, usage = { type = "tokens", input_tokens = 3, output_tokens = 4,
      total_tokens = 7 } } }, { match = { endpoint = "transcription" } })
    local params = { model = "gpt-4o-transcribe", file = ofox.file { bytes = "ID3\0\255", name = "talk.mp3" } }
    local res = assert(client_of():transcribe(params))
    assert.same({ TEXT, 7, "gpt-4o-transcribe" }, { res:output_text(), res:usage().total, last().body.model })
    params.stream = true
    local stream = assert(client_of():request { path = "/audio/transcriptions", body = params, stream = true })
    local text = {}
    for chunk in stream:chunks() do text[#text + 1] = chunk.delta end
    assert.equal(TEXT, table.concat(text))
    params.stream, params.response_format = nil, "verbose_json"
    assert.same({ TEXT, "english" }, { client_of():transcribe(params).text, client_of():transcribe(params).language })
  end)

  -- Not the end of a wait: aimock never lets such a job go on, and it has no DELETE.
  it("film", function()
    for status, seen in pairs { completed = "https://fox.example/a.mp4", processing = false, failed = false } do
      control("/reset", {})
      answers({ video = { id = "vid_" .. status, status = status, url = seen or nil } },
        { match = { endpoint = "video" } })
      local client, progress = client_of(), {}
      local job = assert(client:videos { model = "sora-2", prompt = "a fox runs" })
      assert.same({ "vid_" .. status, status }, { job.id, job.status })
      assert.equal(status, assert(client:video(job.id)).status)
      local video, err = client:wait_video(job.id, { timeout = 0.3,
        on_progress = function(now) progress[#progress + 1] = now.status end })
      assert.same({ status, seen or nil }, { progress[1], video and video.url })
      if status == "failed" then assert.same({ "upstream_error", "failed" }, { err.type, err.code }) end
      if status == "processing" then assert.same({ "timeout_error", "deadline" }, { err.type, err.code }) end
      assert.same({ "GET", "/v1/videos/vid_" .. status }, { last().method, last().path })
    end
    local _, err = client_of():video "vid_none"
    assert.same({ "not_found_error", "Video vid_none not found" }, { err.type, err.message })
  end)

  it("list models, and keep files byte by byte", function()
    answers({ content = "ok" }, { match = { model = "fox-1" } })
    local client, bytes = client_of(), {}
    local ids = {}
    for _, model in ipairs(assert(client:models()).data) do ids[model.id] = true end
    assert.is_true(ids["fox-1"])
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i, 13, 10, 45, 45) end
    bytes = table.concat(bytes)
    local file = assert(client:request { path = "/files",
      body = { purpose = "user_data", file = ofox.file { bytes = bytes, name = "f\195\188chse.bin" } } })
    assert.same({ #bytes, "f\195\188chse.bin" }, { file.bytes, file.filename })
    local same = assert(client:request { path = "/files/" .. file.id .. "/content", raw = true })
    assert.equal(bytes, same.value)
    assert.is_true(assert(client:request { path = "/files/" .. file.id, method = "DELETE" }).deleted)
  end)
end)

describe("[2.10] a recording of aimock", function()
  it("plays back the same", function()
    local path = os.tmpname()
    answers_in_turn { { status = 503, error = { message = "later" } }, { reasoning = "hm", content = TEXT, toolCalls = {
      { id = "call_a", name = "weather", arguments = { city = "Bern" } } } } }
    answers({ content = TEXT }, { truncateAfterChunks = 9, latency = 2 })
    local function all(transport)
      local client, list = client_of { transport = transport, max_retries = 1 }, {}
      for _, protocol in ipairs(PROTOCOLS) do
        for _, stream in ipairs { false, true } do
          local res, err = call(protocol, stream, client)
          list[#list + 1] = { res and json.encode(res), res and res:output_text(), res and #res:meta().retries,
            err and err.type, err and err.code, err and err.message, err and err.partial and err.partial.text }
        end
      end
      return list
    end
    local seen = all(mock.record(path))
    local recorded = proc.read(path)
    assert.is_nil(recorded:find(KEY, 1, true))
    assert.truthy(recorded:find("Bern", 1, true))
    assert.equal(TEXT, seen[1][2])
    assert.truthy(#seen[4][7] > 0)
    local before = #received()
    local replay = mock.replay(path)
    assert.same(seen, all(replay))
    assert.same({ 0, before }, { replay:unused(), #received() })
    os.remove(path)
  end)
end)
