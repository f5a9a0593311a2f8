--- A stand-in for what ofox.call.driver does with a call, which would send what
-- the client made of the program's words: it takes notes, and answers what the
-- spec wants.
local real = require "ofox.call.driver"

local driver = {}

-- Of the test that runs:
driver.sent = {} -- {request, settings, keyed} of each call
driver.outcome = {} -- what they end with: value and meta, or nil and error

local kept = {}

-- Its headers without those of keys, and the program's idempotency key: nil for
-- a new one, false for none.
local function headers_of(attempt)
  local headers, idempotency_key = {}, false
  for _, line in ipairs(attempt.lines) do
    local name, value = line:match("^([^:;]+)[:;]%s*(.*)$")
    if name == "Idempotency-Key" then
      idempotency_key = not value:find("^ofox%-") and value or nil
    elseif name ~= "Authorization" then
      headers[#headers + 1] = { name, value }
    end
  end
  return headers, idempotency_key
end

local stub = {}

function stub.new(template, params, bodies, models)
  local run, problem = kept.new(template, params, bodies, models)
  if not run then return nil, problem end
  run.call:prepare()
  local attempt = run.call:attempt()
  local headers, idempotency_key = headers_of(attempt)
  run.request = {
    method = template.method, url = template.url, expect = template.expect, headers = headers,
    idempotency_key = idempotency_key, models = type(models) == "table" and models or { models },
    bodies = bodies or attempt.body and { attempt.body },
  }
  return run
end

function stub.perform(run)
  driver.sent[#driver.sent + 1] = { request = run.request, settings = run.template.settings, keyed = run.template.key }
  local value, meta = driver.outcome[1], driver.outcome[2]
  if value == nil then return nil, meta end
  local problem = run.finish and run.finish(value)
  if problem then return nil, problem end
  return value, function() return meta end
end

--- Takes the driver's place, with nothing noted.
---@param value table  what calls succeed with
function driver.install(value)
  driver.remove()
  driver.sent, driver.outcome = {}, { value, { status = 200, attempts = 1 } }
  for name, fn in pairs(stub) do kept[name], real[name] = real[name], fn end
end

--- Gives it back.
function driver.remove()
  for name, fn in pairs(kept) do real[name] = fn end
  kept = {}
end

---@return table  the latest note
function driver.last()
  return driver.sent[#driver.sent]
end

return driver
