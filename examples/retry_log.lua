-- Hooks and the logger: what happens during a call, printed as it happens.
-- lua5.4 examples/retry_log.lua [model]; with the simulator try the models sim/flaky-503 and sim/storm.
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local function note(...)
  io.stderr:write(os.date "%H:%M:%S ", string.format(...), "\n")
end

local client = ofox.new {
  max_retries = 4,
  deadline = 30,

  -- Before each wait. Returning false gives up, a number waits longer.
  on_retry = function(err, delay, attempt, source)
    note("attempt %d: %s %s; again in %.1f s (%s)", attempt, err.type, err.status or err.code, delay, source)
  end,

  -- After the last attempt, before the caller gets the error.
  on_error = function(err)
    note("failed after %d attempts in %.1f s: %s", err.attempts, err.elapsed, err.reason)
  end,

  on_response = function(meta)
    note("request %s: status %d, %d attempts, %.1f s", meta.request_id or "?", meta.status, meta.attempts, meta.elapsed)
  end,

  -- Each line that ofox logs, at level debug, info, warn or error. The key is in none.
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
  err = err or res -- returned: the request must change; raised: the same request may work later
  print(err)
  os.exit(1)
end
