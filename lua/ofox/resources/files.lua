--- What takes files, and the jobs that make videos: verbs, paths, shapes.
local files = {}

files.edit_images = {
  name = "edit_images",
  method = "POST",
  path = "/images/edits",
  expect = "data",
  timeout = 180,
  form = true,
  files = { "image", "mask" }, -- in params: files, or lists of them; the first is required
}

--- With JSON as its answer.
files.transcribe = {
  name = "transcribe",
  method = "POST",
  path = "/audio/transcriptions",
  expect = "any",
  timeout = 180,
  form = true,
  files = { "file" },
}

--- The same with plain text.
files.transcribe_text = setmetatable({ expect = "raw" }, { __index = files.transcribe })

--- Formats in which a transcript is no JSON.
files.TEXT_FORMATS = { text = true, srt = true, vtt = true }

--- Creates a job, at most once.
files.videos = { name = "videos", method = "POST", path = "/videos", expect = "job", once = true }

---@param id string  ready for a path
function files.video(id)
  return { name = "video", method = "GET", path = "/videos/" .. id, expect = "job" }
end

---@param id string  ready for a path
function files.delete_video(id)
  return { name = "delete_video", method = "DELETE", path = "/videos/" .. id, expect = "any" }
end

return files
