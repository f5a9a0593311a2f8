--- A stand-in for ofox.call.driver, which would send what the client made of the
-- program's words: it takes notes, and answers what the spec wants.
local driver = {}

-- Of the test that runs:
driver.sent = {} -- {request, settings} of each call, {url, settings} of each connect()
driver.outcome = {} -- what they end with: value and meta, or nil and error

local stub = {}

function stub.perform(request, settings)
  driver.sent[#driver.sent + 1] = { request = request, settings = settings }
  local value, meta = driver.outcome[1], driver.outcome[2]
  if value == nil then return nil, meta end
  local problem = request.finish and request.finish(value)
  if problem then return nil, problem end
  return value, function() return meta end
end

function stub.connect(settings, url)
  driver.sent[#driver.sent + 1] = { url = url, settings = settings }
  return driver.outcome[1], driver.outcome[2]
end

--- Takes the place of ofox.call.driver, with nothing noted.
---@param value table  what calls succeed with
function driver.install(value)
  driver.sent, driver.outcome = {}, { value, { status = 200, attempts = 1 } }
  package.loaded["ofox.call.driver"] = stub
end

--- Lets the next call load the real one.
function driver.remove()
  package.loaded["ofox.call.driver"] = nil
end

---@return table  the latest note
function driver.last()
  return driver.sent[#driver.sent]
end

return driver
