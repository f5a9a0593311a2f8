-- Hooks and logging: what a call goes through, told as it happens.
-- lua5.4 examples/retry_log.lua [model]; on the simulator sim/flaky-503 and sim/storm have the most to tell.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"

local function note(...)
  io.stderr:write(os.date "%H:%M:%S ", string.format(...), "\n")
end

local client = ofox.new {
  max_retries = 4,
  deadline = 30,

  -- Before each wait. Return false to give up, a number to wait longer.
  on_retry = function(err, delay, attempt, source)
    note("attempt %d: %s %s; again in %.1f s (%s)", attempt, err.type, err.status or err.code, delay, source)
  end,

  -- A call has failed for good; what pcall or the caller gets comes after it.
  on_error = function(err)
    note("failed after %d attempts in %.1f s: %s", err.attempts, err.elapsed, err.reason)
  end,

  on_response = function(meta)
    note("request %s: status %d, %d attempts, %.1f s", meta.request_id or "?", meta.status, meta.attempts, meta.elapsed)
  end,

  -- Every line that ofox would log: levels debug, info, warn, error; never a key.
  logger = function(level, message, fields)
    if level ~= "debug" then note("[%s] %s %s", level, message, fields.request_id or "") end
  end,
}

local ok, res, err = pcall(client.chat, client, {
  model = arg[1] or "openai/gpt-4o-mini",
  messages = { { role = "user", content = "One word, please." } },
})
if ok and res then
  print(res:output_text())
else
  err = err or res -- returned: the request must change; raised: it may work later
  print(err)
  os.exit(1)
end
