--- Tokens that cancel calls.
-- Knows nothing of calls: each registers a listener with its token.
require "ofox.base.uncompiled" ()
local cancel = {}

---@class ofox.CancelToken
local Token = {}
Token.__index = Token
Token.__name = "ofox.cancel_token"

local WEAK = { __mode = "k" }

--- Creates a token; it may be given to any number of calls, concurrently or in sequence.
---@return ofox.CancelToken
function cancel.new()
  return setmetatable({ _listeners = {}, _last = 0, _count = 0, _held = setmetatable({}, WEAK), _cancelled = false },
    Token)
end

--- Is the value a token?
---@param value any
---@return boolean
function cancel.is(value)
  return type(value) == "table" and getmetatable(value) == Token
end

--- Cancels every call that has the token, now and later. Only the first time has an
-- effect.
---@param reason? any  what cancelled() returns after true
---@return boolean first
function Token:cancel(reason)
  if not cancel.is(self) then error("token.cancel: expected a token; call it with a colon, token:cancel()", 2) end
  if self._cancelled then return false end
  self._cancelled, self._reason = true, reason
  local listeners, last = self._listeners, self._last
  self._listeners, self._last, self._count = {}, 0, 0
  local failed, failure = false, nil
  local function tell(listener)
    local ok, message = pcall(listener, reason)
    if not ok and not failed then failed, failure = true, message end
  end
  for i = 1, last do
    if listeners[i] then tell(listeners[i]) end
  end
  for listener in pairs(self._held) do tell(listener) end
  if failed then error(failure, 0) end
  return true
end

---@return boolean cancelled
---@return any reason
function Token:cancelled()
  return self._cancelled, self._reason
end

--- Calls a function when the token is cancelled; immediately if it already is.
---@param listener fun(reason: any)
---@return fun() forget  removes the listener; idempotent
function Token:on_cancel(listener)
  if self._cancelled then
    listener(self._reason)
    return function() end
  end
  local listeners, at = self._listeners, self._last + 1
  -- created first: if memory is short, nothing must be left to remove
  local function forget()
    if listeners[at] == nil then return end
    listeners[at] = nil
    if self._listeners == listeners then
      self._count = self._count - 1
      if self._count == 0 then self._last, self._listeners = 0, {} end
    end
  end
  listeners[at] = listener
  self._last, self._count = at, self._count + 1
  return forget
end

--- The same for a function that the token does not keep alive: when it is collected, it
-- is removed.
---@param listener fun(reason: any)
---@return fun() forget
function Token:on_cancel_if_held(listener)
  if self._cancelled then
    listener(self._reason)
    return function() end
  end
  local held = self._held
  local function forget() held[listener] = nil end
  held[listener] = true
  return forget
end

function Token:__tostring()
  return self._cancelled and "ofox.cancel_token: cancelled" or "ofox.cancel_token: open"
end

return cancel
