--- What one call can meet. Each scene has a title, the code that is shown, and
-- play(client, stage), where that code stands. The clients have
-- errors = "return": every failure comes as nil, err.
local question = { model = "openai/gpt-4o-mini", max_tokens = 60, messages = {
  { role = "user", content = "In one sentence: what do the tides do?" } } }

-- As assert does, which on Lua 5.1 takes no error objects.
local function expect(res, err)
  if not res then error(err, 0) end
  return res
end

local wrong_key = { name = "wrong_key", title = "An error says what to do",
  code = 'client:chat(question, { api_key = "sk-wrong-key" })' }
function wrong_key.play(client, stage)
  local res, err = client:chat(question, { api_key = "sk-wrong-key" })
  if res then return stage:say("this server takes any key", "ok") end
  if err.status ~= 401 then error(err, 0) end
  stage:say(("%d %s: %s"):format(err.status, err.type, err.message), "fail")
  stage:say("hint: " .. err:hint(), nil, "grey")
end

local rate_limit = { name = "rate_limit", title = "A rate limit: the server says when to come back",
  code = "client:chat(question)" }
function rate_limit.play(client, stage)
  local res = expect(client:chat(question))
  local retry = res:meta().retries[1]
  stage:say(("answered after %.1f s: never sooner than %s says"):format(retry.delay, retry.delay_source), "ok")
end

local storm = { name = "storm", title = "A storm of 503: the waits grow until an answer comes",
  code = "client:chat(question, { max_retries = 5 })" }
function storm.play(client, stage)
  local res = expect(client:chat(question, { max_retries = 5 }))
  local meta, waits = res:meta(), {}
  for i, retry in ipairs(meta.retries) do waits[i] = ("%.1f"):format(retry.delay) end
  stage:say(("answered on attempt %d, after waits of %s s"):format(meta.attempts, table.concat(waits, ", ")), "ok")
end

local fallback = { name = "fallback", title = "A model that is down: another one answers",
  code = 'client:chat(broken, { fallback = { "openai/gpt-4o-mini" } })' }
function fallback.play(client, stage)
  local broken = { model = "sim/bad-gateway", messages = question.messages }
  local res = expect(client:chat(broken, { fallback = { "openai/gpt-4o-mini" } }))
  local first = res:meta().retries[1]
  stage:say(("%s: %d %s"):format(first.model, first.status, first.type), "fail")
  stage:say(res.model .. " answered, at once", "ok")
end

return { wrong_key, rate_limit, storm, fallback }
