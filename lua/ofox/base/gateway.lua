--- Which addresses are the gateway's own: advice about its keys and hosts is
-- for them alone. Pure.
local gateway = {}

--- "ai" or "io" if the host is one of OfoxAI's, else nil.
---@param host string  in lower case
---@return string|nil
function gateway.top_of(host)
  local top = host:match("^ofox%.(%a+)$") or host:match("%.ofox%.(%a+)$")
  return (top == "ai" or top == "io") and top or nil
end

--- Is it an address of OfoxAI's?
---@param url string
---@return boolean
function gateway.owns(url)
  local host = url:lower():match("^%a[%w+.-]*://([^/?#]*)")
  return host ~= nil and gateway.top_of((host:match("([^@]*)$"):gsub(":%d*$", ""))) ~= nil
end

return gateway
