--- The methods of a client that take files, and those of the jobs that make videos.
-- Level 3 of an error is the caller of the client's method, which calls these.
require "ofox.base.uncompiled" ()
local check = require "ofox.request.checks"
local copy = require "ofox.base.copy"
local core = require "ofox.base.native" "core"
local deliver = require "ofox.call.deliver"
local describe = require "ofox.base.describe"
local errors = require "ofox.errors"
local json = require "ofox.json"
local resources = require "ofox.resources.files"
local scheduler = require "ofox.task.scheduler"
local url = require "ofox.request.url"
local wait = require "ofox.task.wait"

local WAIT = 1800 -- seconds
local LAST = 1 -- the last question is asked so long before the time is over
local OVER = { completed = true, failed = true, cancelled = true, expired = true }

---@class ofox.WaitOptions  and the options of its calls
---@field timeout? number  seconds until it gives up; 1800
---@field on_progress? fun(video: ofox.Response)  called with each answer

-- Waits; with a transport of its own time, by that.
local function pause(transport, seconds)
  if not transport or not scheduler.is_idle() then return wait.sleep(seconds) end
  local till = transport:now() + seconds
  while till - transport:now() > 1e-9 do transport:step(till - transport:now()) end
end

-- Why a job that has ended has no result.
local function failure_of(video, id)
  local said = rawget(video, "error")
  local err = said ~= nil and said ~= json.null and errors.parse(200, nil, json.encode { error = said })
  err = err or errors.new {
    type = "upstream_error", code = video.status,
    message = ("the video %s: %s"):format(video.status == "failed" and "has failed" or "is " .. video.status, id),
  }
  local meta = video:meta()
  for _, name in ipairs { "status", "headers", "request_id", "attempts", "elapsed" } do err[name] = meta[name] end
  err.retryable, err.reason, err.ambiguous, err.video = false, "not_retryable", false, video
  return err
end

local function out_of_time(seconds, id, asked, video)
  return errors.new {
    type = "timeout_error", code = "deadline", message = ("the video is not ready after %gs: %s"):format(seconds, id),
    retryable = true, reason = "deadline", ambiguous = false, attempts = asked, video = video,
  }
end

-- When to ask again: as after a failure, or when the answer says.
local function delay_after(video, asked, settings)
  local hint = errors.parse(503, video:meta().headers)
  return core.retry_delay(settings.retry, asked, { hint = hint and hint.retry_after })
end

-- Splits the options of wait_video from those of its calls. Or returns nil and what
-- is wrong.
local function wait_options(opts)
  if opts ~= nil and type(opts) ~= "table" then return nil, nil, "opts: " .. describe.expected_type("a table", opts) end
  local rest = copy(opts or {}, {})
  local own = { timeout = rest.timeout or WAIT, on_progress = rest.on_progress }
  rest.timeout, rest.on_progress = nil, nil
  local problem = check.seconds(own.timeout)
  if problem then return nil, nil, "opts.timeout: " .. problem end
  if own.on_progress ~= nil and not check.callable(own.on_progress) then
    return nil, nil, "opts.on_progress: " .. describe.expected("a function", own.on_progress)
  end
  return own, rest
end

---@class ofox.Client
local Client = {}

local with -- the part of the client that all methods use

-- A call of a job, or the misuse.
local function prepare_video(self, who, resource_of, id, opts)
  if not with.state_of(self) then return nil, with.colon(who) end
  local escaped, wrong = url.escape_id(id)
  if wrong then return nil, who .. ": id: " .. wrong:gsub("a model id", "the id of a video") end
  return with.prepare_bare(self, who, resource_of(escaped), opts)
end

--- Edits images: POST /images/edits, with ofox.file as params.image, or a list of
-- them. 'timeout' is 180 unless given.
---@param params table  model, prompt, image, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:edit_images(params, opts)
  local run, problem = with.prepare(self, "client:edit_images", resources.edit_images, params, opts)
  if problem then error(problem, 3) end
  return with.perform(run)
end

--- Writes down speech: POST /audio/transcriptions, with ofox.file as params.file.
-- What is no JSON (params.response_format text, srt or vtt) is returned as {text =
-- …}. 'timeout' is 180 unless given.
---@param params table  model, file, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:transcribe(params, opts)
  local format = type(params) == "table" and rawget(params, "response_format")
  local is_text = resources.TEXT_FORMATS[format]
  local resource = is_text and resources.transcribe_text or resources.transcribe
  local run, problem = with.prepare(self, "client:transcribe", resource, params, opts)
  if problem then error(problem, 3) end
  local res, err = with.perform(run)
  if res and is_text then res.text, res.value = res.value, nil end
  return res, err
end

--- Starts making a video: POST /videos. The answer has the id of the job. A request
-- that may have arrived is never repeated: then err.ambiguous is true.
---@param params table  model, prompt, …
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:videos(params, opts)
  local run, problem = with.prepare(self, "client:videos", resources.videos, params, opts)
  if problem then error(problem, 3) end
  return with.perform(run)
end

--- Returns a video as far as it is: GET /videos/{id}. A job that has failed is an
-- answer like any other.
---@param id string
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:video(id, opts)
  local run, problem = prepare_video(self, "client:video", resources.video, id, opts)
  if problem then error(problem, 3) end
  return with.perform(run)
end

--- Deletes a video, or cancels its making: DELETE /videos/{id}.
---@param id string
---@param opts? table  options of this call
---@return ofox.Response|nil response
---@return ofox.Error|nil err
function Client:delete_video(id, opts)
  local run, problem = prepare_video(self, "client:delete_video", resources.delete_video, id, opts)
  if problem then error(problem, 3) end
  return with.perform(run)
end

--- Asks for a video until it is completed, as often as a call would be retried. A
-- job that has ended otherwise is an error, with the job in err.video.
---@param id string
---@param opts? ofox.WaitOptions|table  timeout, on_progress; and options of the calls
---@return ofox.Response|nil video
---@return ofox.Error|nil err
function Client:wait_video(id, opts)
  local own, rest, problem = wait_options(opts)
  if problem then error("client:wait_video: " .. problem, 3) end
  local longest, asked = rest.deadline or math.huge, 0
  rest.deadline = type(longest) == "number" and math.min(longest, own.timeout) or longest
  local run, wrong = prepare_video(self, "client:wait_video", resources.video, id, rest)
  if wrong then error(wrong, 3) end
  local settings = run.template.settings
  local transport = settings.transport
  local function now() return transport and transport:now() or core.now() end
  local till = now() + own.timeout
  while true do
    local video, err = with.perform(run)
    if not video then return video, err end
    if own.on_progress then own.on_progress(video) end
    if video.status == "completed" then return video end
    if OVER[video.status] then return deliver(settings, failure_of(video, id)) end
    local delay, left = delay_after(video, asked, settings), till - now()
    asked = asked + 1
    if left < 0.01 then return deliver(settings, out_of_time(own.timeout, id, asked, video)) end
    pause(transport, delay < left and delay or left - math.min(LAST, left / 2))
    rest.deadline = math.min(longest, till - now())
    run = prepare_video(self, "client:wait_video", resources.video, id, rest)
  end
end

---@param given table  of the client: prepare, prepare_bare, perform, colon, state_of
---@return table methods
return function(given)
  with = given
  return Client
end
