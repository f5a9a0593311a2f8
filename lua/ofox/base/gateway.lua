--- Which addresses belong to the gateway: hints about its keys and hosts apply only
-- to them. Pure.
local gateway = {}

--- Returns "ai" or "io" if the host is one of OfoxAI's, else nil.
---@param host string  in lower case
---@return string|nil
function gateway.top_of(host)
  local top = host:match("^ofox%.(%a+)$") or host:match("%.ofox%.(%a+)$")
  return (top == "ai" or top == "io") and top or nil
end

--- Is it an OfoxAI address?
---@param url string
---@return boolean
function gateway.owns(url)
  local host = url:lower():match("^%a[%w+.-]*://([^/?#]*)")
  return host ~= nil and gateway.top_of((host:match("([^@]*)$"):gsub(":%d*$", ""))) ~= nil
end

return gateway
