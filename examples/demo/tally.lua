--- Counts what the calls of a program took, by hooks for ofox.
local tally = {}
tally.__index = tally

function tally.new()
  return setmetatable({ calls = 0, failed = 0, attempts = 0, waited = 0 }, tally)
end

-- A call has ended; of a failed one the error has the same fields.
local function add(self, meta)
  self.calls, self.attempts = self.calls + 1, self.attempts + meta.attempts
  for _, retry in ipairs(meta.retries or {}) do self.waited = self.waited + retry.delay end
end

--- Adds the hooks to the options of a client.
function tally:hook(options)
  options.on_response = function(meta) add(self, meta) end
  options.on_error = function(err)
    self.failed = self.failed + 1
    add(self, err)
  end
  return options
end

function tally:__tostring()
  return ("%d calls: %d answered, %d failed on purpose; %d attempts, %.1f s of waits."):format(
    self.calls, self.calls - self.failed, self.failed, self.attempts, self.waited)
end

return tally
