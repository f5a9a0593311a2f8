--- Jobs that make videos: each question finds one a step further, until it is done.
local json = require "cjson"

local videos = {}

-- What a job says of itself, question by question; the last stays.
local STEPS = {
  { status = "pending", progress = 0 },
  { status = "in_progress", progress = 50 },
  { status = "completed", progress = 100 },
}
local FAILED = {
  status = "failed", progress = 50,
  error = { code = "input_moderation_failed", message = "The prompt was refused." },
}

local jobs, made = {}, 0

local function describe(job)
  local step = STEPS[job.step]
  if job.fails and step.status == "completed" then step = FAILED end
  local is_done = step.status == "completed"
  return (json.encode {
    id = job.id, object = "video", model = job.model, prompt = job.prompt, created_at = job.created,
    seconds = job.seconds, size = job.size, status = step.status, progress = step.progress, error = step.error,
    polling_url = "/v1/videos/" .. job.id,
    mirror_urls = is_done and { "https://mirror.invalid/" .. job.id .. ".mp4" } or nil,
    usage = is_done and { video_seconds = tonumber(job.seconds) or 4, video_cost = "0.40" } or nil,
  }:gsub("\\/", "/"))
end

local function text(value, usual) return value ~= nil and value ~= json.null and tostring(value) or usual end

--- Orders one; the answer is its body.
function videos.create(params, plan)
  made = made + 1
  local job = {
    id = ("video_sim%06d"):format(made), step = 1, fails = plan.job == "failed", created = os.time(),
    model = params.model, prompt = params.prompt,
    seconds = text(params.seconds, "4"), size = text(params.size, "720x1280"),
  }
  jobs[job.id] = job
  return describe(job), "application/json", 202
end

--- How far one is; nil: there is no such job.
function videos.get(id)
  local job = jobs[id]
  if not job then return nil end
  job.step = math.min(job.step + 1, #STEPS)
  return describe(job)
end

--- The film itself; nil: there is none, or not yet.
function videos.content(id)
  local job = jobs[id]
  if not job or job.fails or job.step < #STEPS then return nil end
  return "\0\0\0\24ftypmp42\0\0\0\0mp42isom", "video/mp4"
end

--- Deletes one; nil: there is no such job.
function videos.delete(id)
  if not jobs[id] then return nil end
  jobs[id] = nil
  return '{"id":"' .. id .. '","object":"video.deleted","deleted":true}'
end

return videos
