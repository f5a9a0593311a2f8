--- Streams, one at a time. Each scene is as in demo.scenes.
local question = { model = "openai/gpt-4o-mini", max_tokens = 60, messages = {
  { role = "user", content = "In one sentence: what do the tides do?" } } }

-- Shows a stream's text as it comes; gives the error of one that breaks.
local function follow(stream, stage)
  local text, err = stream:read()
  while text do
    stage:hear(text)
    text, err = stream:read()
  end
  return err
end

local broken = { name = "broken_stream", title = "A stream that breaks: what has arrived is kept",
  code = "local text, err = stream:read()" }
function broken.play(client, stage)
  local stream, refused = client:stream(question)
  if not stream then error(refused, 0) end
  local err = follow(stream, stage)
  local _, words = err.partial.text:gsub("%S+", "")
  stage:say(("%s %s: it ended too early"):format(err.type, err.code), "fail")
  stage:say(("err.partial.text has the %d words that arrived"):format(words), "ok")
end

local answer = { name = "answer", title = "An answer, as it is made", code = "local text, err = stream:read()" }
function answer.play(client, stage)
  local stream, err = client:stream(question)
  if stream then err = follow(stream, stage) end
  if err then error(err, 0) end
  local meta = stream:meta()
  stage:say(("%s said this in %.1f s, the first word after %.1f s"):format(meta.model_requested, meta.elapsed,
    meta.first_byte), "ok")
end

return { broken = broken, answer = answer }
