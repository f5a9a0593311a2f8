-- Pictures, transcripts and videos: what is sent, what becomes of the answers, and
-- that a video is never ordered twice.
local calls = require "support.calls"
local mock = require "ofox.mock"
local ofox = require "ofox"
local server = require "support.server"

local KEY = "sk-of-jobs-0123456789"
local PICTURE = ofox.file { bytes = "PNG", name = "a.png" }
local SPEECH = ofox.file { bytes = "ID3", name = "a.mp3" }

local transport, client

before_each(function()
  transport = mock.new()
  client = ofox.new { api_key = KEY, transport = transport, errors = "return", retry = { jitter = "none" } }
end)

local function last() return transport.requests[#transport.requests] end

-- The message of what is misuse at this line.
local function misuse(name, ...)
  local values = { ... }
  local ok, message = pcall(function()
    local _ = client[name](client, values[1], values[2])
  end)
  assert.is_false(ok)
  return message:match "^.-files_spec.lua:%d+: (.*)"
end

describe("edit_images", function()
  it("sends a form, and has 180 seconds", function()
    transport:always { body = { data = { { b64_json = "eA==" } } } }
    local res = client:edit_images { model = "m", prompt = "p", image = { PICTURE, PICTURE }, mask = PICTURE }
    assert.equal("eA==", res.data[1].b64_json)
    assert.same({ "POST", "/v1/images/edits", 5 }, { last().method, last().path, #last().parts })
    assert.is_truthy(last().headers["idempotency-key"])
    transport:reset()
    transport:always { delay = 170, body = { data = {} } }
    assert(client:edit_images { image = PICTURE, mask = ofox.null })
    transport:always { delay = 190, body = { data = {} } }
    assert.equal("timeout", select(2, client:edit_images({ image = PICTURE }, { max_retries = 0 })).code)
  end)

  it("wants files, parameters in a table, and no stream", function()
    assert.equal("client:edit_images: params.image: expected a file, ofox.file(path), got a string",
      misuse("edit_images", { image = "a.png" }))
    for _, given in ipairs { {}, { image = ofox.null }, { mask = PICTURE } } do
      assert.equal("client:edit_images: params.image: expected a file, ofox.file(path), got nil",
        misuse("edit_images", given))
    end
    for message, image in pairs {
      ["[1]: expected a file, ofox.file(path), got a string"] = { "a.png", PICTURE },
      ["[2]: expected a file, ofox.file(path), got a string"] = { PICTURE, "a.png" },
      ["[3]: expected a file, ofox.file(path), got an empty list"] = { PICTURE, ofox.null, {} },
      [": expected a file, ofox.file(path), got an empty list"] = {},
      [": expected a file, ofox.file(path), got a table"] = { url = "https://a.example/a.png" },
    } do
      assert.equal("client:edit_images: params.image" .. message, misuse("edit_images", { image = image }))
    end
    assert.equal("client:edit_images: params.mask[1]: expected a file, ofox.file(path), got a string",
      misuse("edit_images", { image = PICTURE, mask = { "a.png" } }))
    assert.equal("client:edit_images: params: expected a table, got a string", misuse("edit_images", "a.png"))
    assert.is_truthy(misuse("edit_images", { stream = true }):find("this call cannot be streamed", 1, true))
    assert.is_truthy(misuse("edit_images", { image = PICTURE }, { timeot = 1 }):find("did you mean timeout?", 1, true))
    assert.equal(0, #transport.requests)
  end)
end)

describe("transcribe", function()
  it("gives the answer, its text and its tokens", function()
    local usage = { input_tokens = 5, output_tokens = 2, total_tokens = 7 }
    transport:reply { body = { text = "hello there", usage = usage } }
    local res = client:transcribe { model = "openai/gpt-transcribe", file = SPEECH }
    assert.same({ "hello there", "hello there" }, { res.text, res:output_text() })
    assert.same({ input = 5, output = 2, total = 7 }, res:usage())
    assert.same({ "POST", "/v1/audio/transcriptions", "audio/mpeg" },
      { last().method, last().path, last().parts[2].type })
  end)

  for _, format in ipairs { "text", "srt", "vtt" } do
    it("gives the text of a format that is no JSON: " .. format, function()
      transport:reply { headers = { ["content-type"] = "text/plain" }, body = "1\n00:00 --> 00:01\nhello\n" }
      local res = client:transcribe { model = "m", file = SPEECH, response_format = format }
      assert.same({ "1\n00:00 --> 00:01\nhello\n", 200 }, { res.text, res:meta().status })
      assert.same({ res.text, nil }, { res:output_text(), res.value })
    end)
  end

  it("knows an error, and a list of fields", function()
    transport:reply { status = 400, body = { error = { message = "bad audio", code = "invalid_file" } } }
    local _, err = client:transcribe { model = "m", file = SPEECH, timestamp_granularities = { "word", "segment" } }
    assert.same({ "invalid_request_error", "invalid_file" }, { err.type, err.code })
    assert.equal("timestamp_granularities[]", last().parts[2].name)
    assert.equal("client:transcribe: params.file: expected a file, ofox.file(path), got a string",
      misuse("transcribe", { file = "a.mp3" }))
    for _, given in ipairs { { model = "m" }, { file = ofox.null }, { response_format = "text" } } do
      assert.equal("client:transcribe: params.file: expected a file, ofox.file(path), got nil",
        misuse("transcribe", given))
    end
    assert.equal(1, #transport.requests)
  end)
end)

describe("a video", function()
  it("is ordered, asked for and deleted", function()
    transport:reply { status = 202, body = { id = "vid_1/x", status = "pending", polling_url = "u" } }
      :reply { body = { id = "vid_1/x", status = "in_progress" } }:reply { status = 204 }
      :reply { status = 202, body = { id = "vid_2", status = "pending" } }
    local res = client:videos { model = "m", prompt = "p" }
    assert.same({ "vid_1/x", "POST", "/v1/videos", "application/json" },
      { res.id, last().method, last().path, last().headers["content-type"] })
    assert.same({ "in_progress", "GET", "/v1/videos/vid_1/x" },
      { client:video(res.id).status, last().method, last().path })
    assert(client:delete_video(res.id))
    assert.same({ "DELETE", "/v1/videos/vid_1/x" }, { last().method, last().path })
    client:videos { model = "m", input_reference = PICTURE }
    assert.equal("PNG", last().parts[2].content)
    for _, name in ipairs { "video", "delete_video", "wait_video" } do
      assert.equal("client:" .. name .. ": id: expected the id of a video, got an empty string", misuse(name, ""))
      assert.equal("client:" .. name .. ": id: expected the id of a video, got nil", misuse(name))
    end
  end)

  it("that has failed is an answer to who asks for it", function()
    transport:reply { body = { id = "v", status = "failed", error = { code = "internal_error", message = "m" } } }
    local res = client:video "v"
    assert.same({ "failed", "m", 1 }, { res.status, res.error.message, #transport.requests })
    transport:reply { body = { error = { code = "not_found", message = "m" } } }
    local _, err = client:video "v"
    assert.same({ "not_found_error", "m" }, { err.type, err.message })
  end)
end)

describe("wait_video", function()
  it("asks as often as a call would be retried, tells of progress, and gives the video", function()
    for i = 1, 4 do transport:reply { body = { id = "v", status = "in_progress", progress = i } } end
    transport:reply { headers = { ["retry-after"] = "5" }, body = { id = "v", status = "queued", progress = 5 } }
    transport:reply { status = 429, headers = { ["retry-after"] = "3" }, body = "{}" }
    transport:reply { body = { id = "v", status = "completed", mirror_urls = { "u" } } }
    local seen = {}
    local function on_progress(answer) seen[#seen + 1] = answer.progress or "done" end
    local video = client:wait_video("v", { on_progress = on_progress })
    assert.same({ "u" }, video.mirror_urls)
    assert.same({ 1, 2, 3, 4, 5, "done" }, seen)
    local at = {}
    for i, request in ipairs(transport.requests) do at[i] = request.at end
    assert.same({ 0, 1, 3, 7, 15 }, { at[1], at[2], at[3], at[4], at[5] })
    assert.is_true(at[6] >= 20 and at[6] <= 21 and at[7] >= at[6] + 3 and at[7] <= at[6] + 4)
    assert.equal(7, #at)
    assert.equal(2, video:meta().attempts)
  end)

  it("gives up when its time is over, having asked shortly before", function()
    transport:always { body = { id = "v", status = "in_progress", progress = 7 } }
    local _, err = client:wait_video("v", { timeout = 10 })
    assert.same({ "timeout_error", "deadline", "deadline", true }, { err.type, err.code, err.reason, err.retryable })
    assert.equal(7, err.video.progress)
    assert.is_truthy(err.message:find("after 10s: v", 1, true))
    assert.is_true(transport:now() <= 10)
    local before = transport.requests[#transport.requests].at
    assert.is_true(before > 9)
    local ok, raised = pcall(client.wait_video, client, "v", { timeout = 5, errors = "split" })
    assert.same({ false, "deadline" }, { ok, raised.code })
  end)

  it("does not oversleep in a call either", function()
    transport:reply { body = { id = "v", status = "pending" } }
    transport:always { status = 503, body = "{}" }
    local _, err = client:wait_video("v", { timeout = 20, max_retries = 100 })
    assert.same({ "service_unavailable", "deadline" }, { err.type, err.reason })
    assert.is_true(transport:now() <= 20)
    transport:reset()
    transport:always { delay = 100, body = {} }
    err = select(2, client:wait_video("v", { timeout = 20 }))
    assert.same({ "timeout_error", "deadline" }, { err.type, err.code })
  end)

  for status, wanted in pairs {
    failed = { { code = "input_moderation_failed", message = "no", type = "invalid_request_error" },
      "invalid_request_error", "input_moderation_failed", "no" },
    cancelled = { nil, "upstream_error", "cancelled", "the video is cancelled: v" },
    expired = { nil, "upstream_error", "expired", "the video is expired: v" },
  } do
    it("has an error for a job that is " .. status, function()
      transport:reply { body = { id = "v", status = "pending" } }
        :reply { body = { id = "v", status = status, error = wanted[1] }, headers = { ["x-request-id"] = "req_1" } }
      local _, err = client:wait_video("v", { errors = "split" })
      assert.is_true(ofox.errors.is(err))
      assert.same({ wanted[2], wanted[3], wanted[4] }, { err.type, err.code, err.message })
      assert.same({ false, "not_retryable", status, "req_1", 200 },
        { err.retryable, err.reason, err.video.status, err.request_id, err.status })
    end)
  end

  it("passes on what a call ends in, and what the program raises", function()
    transport:reply { status = 404, body = { error = { message = "no such video" } } }
    assert.equal("not_found_error", select(2, client:wait_video "v").type)
    transport:reply { body = { id = "v", status = "pending" } }
    local ok, message = pcall(client.wait_video, client, "v", { on_progress = function() error("stop", 0) end })
    assert.same({ false, "stop" }, { ok, message })
    assert.equal("client:wait_video: opts.timeout: expected a number of seconds > 0, got -1",
      misuse("wait_video", "v", { timeout = -1 }))
    assert.equal("client:wait_video: opts.on_progress: expected a function, got 5",
      misuse("wait_video", "v", { on_progress = 5 }))
    assert.is_truthy(misuse("wait_video", "v", { deadline = "x" }):find("opts.deadline: expected", 1, true))
    assert.is_truthy(misuse("wait_video", "v", { nope = 1 }):find("unknown option", 1, true))
  end)

  it("waits in a task as any sleep does", function()
    local uninstall = transport:install()
    transport:reply { body = { id = "v", status = "pending" } }:reply { body = { id = "v", status = "completed" } }
    local status = ofox.run(function()
      local task = ofox.go(function() return client:wait_video("v").status end)
      return select(2, task:wait())
    end)
    uninstall()
    assert.same({ "completed", 2, 1 }, { status, #transport.requests, transport.requests[2].at })
  end)

  it("counts one call for each question", function()
    transport:reply { body = { id = "v", status = "pending" } }:reply { body = { id = "v", status = "completed" } }
    client:wait_video "v"
    local stats = client:stats()
    assert.same({ 2, 2 }, { stats.calls, stats.succeeded })
  end)
end)

describe("an order of a video", function()
  local s
  setup(function() s = server.start() end)
  teardown(function() s:stop() end)
  after_each(function() s:reset() end)
  local wired = calls.against(function() return s end, KEY)
  local JOB = '{"id":"v","status":"pending"}'

  for name, step in pairs {
    ["no answer"] = { raw = "", close = "rst" },
    ["half an answer"] = { raw = "HTTP/1.1 200 OK\r\nContent-Le", close = true },
    ["504"] = { status = 504, body = "{}" },
    ["408"] = { status = 408, body = "{}" },
    ["504 that says to retry"] = { status = 504, headers = { "x-should-retry: true" }, body = "{}" },
  } do
    it("that may have arrived is never repeated: " .. name, function()
      s:script { step, { body = JOB }, repeat_last = true }
      local res, err = wired { retry = calls.with(calls.FAST, { statuses = { 504 } }) }:videos { model = "m" }
      assert.is_nil(res)
      assert.same({ true, false, "not_retryable", 1, 1 },
        { err.ambiguous, err.retryable, err.reason, err.attempts, #s:log() })
    end)
  end

  it("that has not been read is repeated", function()
    s:script { { status = 503, body = "{}" }, { status = 429, body = "{}" }, { status = 202, body = JOB } }
    local res = assert(wired():videos { model = "m" })
    assert.same({ "v", 3 }, { res.id, res:meta().attempts })
  end)

  it("never goes to a kept connection, which may be dead", function()
    s:script { { body = "{}" }, { status = 202, body = JOB }, { body = JOB } }
    local c = wired()
    assert(c:request { path = "/x" })
    assert.equal(1, assert(c:videos { model = "m" }):meta().attempts)
    assert(c:video "v")
    local log = s:log()
    assert.same({ 2, 1, 2 }, { s:connections(), log[1].conn, log[2].conn })
  end)
end)
