--- A gateway on virtual time that lets through so many requests a minute, for
-- the specs of calls that know of each other.
local mock = require "ofox.mock"

local limited = {}

limited.OK = '{"id":"x","object":"chat.completion","choices":[{"index":0,'
  .. '"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}'
limited.SLOW_DOWN = '{"error":{"message":"Slow down.","type":"rate_limit_error","code":"rate_limit_exceeded"}}'

local function headers(limit, left, reset)
  return {
    ["content-type"] = "application/json", ["x-ratelimit-limit-requests"] = tostring(limit),
    ["x-ratelimit-remaining-requests"] = tostring(left), ["x-ratelimit-reset-requests"] = ("%.3fs"):format(reset),
  }
end

--- A transport whose server counts requests in minutes that begin with a request.
---@param limit integer
---@return table transport, number[] at  when requests came
function limited.server(limit)
  local transport, at, began, count = mock.new(), {}, nil, 0
  transport:always(function(request)
    at[#at + 1] = request.at
    if not began or request.at >= began + 60 then began, count = request.at, 0 end
    count = count + 1
    local reset = began + 60 - request.at
    if count > limit then
      return { status = 429, delay = 0.2, headers = headers(limit, 0, reset), body = limited.SLOW_DOWN }
    end
    return { status = 200, delay = 0.5, headers = headers(limit, limit - count, reset), body = limited.OK }
  end)
  return transport, at
end

--- The most moments of a sorted list within any so many seconds.
---@param at number[]
---@param seconds number
function limited.most(at, seconds)
  local most, first = 0, 1
  for i, moment in ipairs(at) do
    while at[first] <= moment - seconds do first = first + 1 end
    most = math.max(most, i - first + 1)
  end
  return most
end

return limited
