--- What a request to the simulator can ask for, by the name of its model or
-- by request headers. A plan says what is to go wrong:
--   status             the failure, with its documented body
--   code, message      words of that body, where they differ
--   body               "html", "text", "empty" or "broken" instead of that body
--   wire               the status on the wire, where it differs
--   reset, retry_after header values: x-ratelimit-reset-requests, retry-after
--   times              only so many requests fail, then one succeeds
--   delay              seconds before anything is sent
--   cut                "rst", "fin", "stall", "error": how an answer ends too early
--   words              after so many words of a stream; 2 if not given
--   say                the answer's text
--   error              the status whose error object ends such a stream; 502 if not given
--   ending             "short", "filtered", "blocked": why the answer has only two words, or none
--   job                "failed": how the making of a video ends
--   pace               seconds between two words of a stream
--   upstream           the failure is the provider's: provider.fallback is tried

local function status(more)
  return function(n)
    local plan = { status = n }
    for key, value in pairs(more or {}) do plan[key] = value end
    return plan
  end
end

local function always(plan)
  return function() return plan end
end

-- The model's name with one <word> left open, what happens, its plan.
local LIST = {
  { "status/<n>", "status n with its documented body", status() },
  { "storm/<n>", "status n five times, then success", status { times = 5 } },
  { "quota/<n>", "status n with the code insufficient_quota",
    status { code = "insufficient_quota", message = "The quota is spent." } },
  { "html/<n>", "status n as a page of a CDN", status { body = "html" } },
  { "text/<n>", "status n as plain text", status { body = "text" } },
  { "empty/<n>", "status n without a body", status { body = "empty" } },
  { "broken/<n>", "status n with half a JSON body", status { body = "broken" } },
  { "upstream/<n>", "the provider fails with n: provider.fallback helps", status { upstream = true } },
  { "error-in-200", "a success that carries an error object", always { status = 429, wire = 200 } },
  { "broken-json", "a success with half a JSON body", always { status = 200, body = "broken" } },
  { "empty", "a success without a body", always { status = 200, body = "empty" } },
  { "slow/<seconds>", "success after a while", function(n) return { delay = n } end },
  { "reset", "the connection is reset before the answer", always { cut = "rst" } },
  { "cut", "the connection ends in the middle of the answer", always { cut = "fin" } },
  { "stall", "half of the answer, then silence", always { cut = "stall" } },
  { "stream-error", "a stream that ends in an error event", always { cut = "error" } },
  { "stream-error/<n>", "the same, with the error of status n",
    function(n) return { cut = "error", error = n } end },
  { "short", "two words, then the limit of tokens", always { ending = "short" } },
  { "filtered", "two words, then a filter of contents", always { ending = "filtered" } },
  { "blocked", "the question is refused by a filter", always { ending = "blocked" } },
  { "job/failed", "a video whose making fails", always { job = "failed" } },
  { "sim/flaky-429", "429 once, with a reset of 2s, then success",
    always { status = 429, reset = "2s", times = 1 } },
  { "sim/flaky-503", "503 twice, then success", always { status = 503, times = 2 } },
  { "sim/bad-gateway", "502 always: another model helps", always { status = 502 } },
  { "sim/storm", "503 always", always { status = 503 } },
  { "no/<name>", "404: there is no such model", always { status = 404 } },
}

local HEADERS = {
  { "x-sim-status: 503", "status", tonumber },
  { "x-sim-delay: 1.5", "delay", tonumber },
  { "x-sim-body: html|text|empty|broken", "body", tostring },
  { "x-sim-retry-after: 2", "retry_after", tostring },
  { "x-sim-times: 2", "times", tonumber },
  { "x-sim-say: any text", "say", tostring },
  { "x-sim-pace: 0.2", "pace", tonumber },
  { "x-sim-cut: rst|fin|stall|error", "cut", tostring },
  { "x-sim-words: 7", "words", tonumber },
  { "x-sim-error: 529", "error", tonumber },
}

local scenarios = {}

local function plan_of_name(model)
  for _, row in ipairs(LIST) do
    local pattern = row[1]:gsub("%-", "%%-"):gsub("<name>", ".+"):gsub("<%l+>", "([%%d.]+)")
    local word = tostring(model):match("^" .. pattern .. "$")
    if word then return row[3](tonumber(word) or word) end
  end
  return {}
end

--- The plan of a request; an empty one if all is to go well. The model's name
-- comes first, headers add what it leaves open.
function scenarios.plan(model, headers)
  local plan = {}
  for _, row in ipairs(HEADERS) do
    local value = headers[row[1]:match("^[^:]+")]
    plan[row[2]] = value and row[3](value)
  end
  for key, value in pairs(plan_of_name(model)) do plan[key] = value end
  return plan
end

local failed = {}

--- Whether this request of a plan fails. With `times`, requests are counted
-- by `key`, which is the same for all attempts of a call.
function scenarios.fails(plan, key)
  if not plan.status or not plan.times then return plan.status ~= nil end
  failed[key] = (failed[key] or 0) + 1
  if failed[key] <= plan.times then return true end
  failed[key] = nil
  return false
end

--- All of it, for people.
function scenarios.help()
  local lines = { "Models that misbehave on demand (any other name succeeds):" }
  for _, row in ipairs(LIST) do lines[#lines + 1] = ("  %-16s %s"):format(row[1], row[2]) end
  lines[#lines + 1] = "Or, with any model, request headers, for what its name leaves open:"
  for _, row in ipairs(HEADERS) do lines[#lines + 1] = "  " .. row[1] end
  lines[#lines + 1] = "A question with tools is answered by a call of the first, with response_format by JSON,"
  lines[#lines + 1] = "with thinking (messages) or includeThoughts (Gemini) by signed thoughts before the text."
  lines[#lines + 1] = "A video is pending, in progress when it is asked for, and completed when it is asked for again."
  return table.concat(lines, "\n")
end

return scenarios
