--- Reads a form (multipart/form-data) into a table, as JSON would have given it.
-- A file becomes {filename, type, size}; one of a list that ends with [] is kept.

local NUMBERS = { n = true, temperature = true }

local function value_of(name, head, content)
  local filename = head:match 'filename="([^"]*)"'
  if filename then return { filename = filename, type = head:match "[Tt]ype: *([^\r\n]+)", size = #content } end
  if name == "stream" then return content == "true" end
  return NUMBERS[name] and tonumber(content) or content
end

---@param kind string  the content type
---@param body string
---@return table|nil params  nil: it is no form
return function(kind, body)
  local boundary = kind:match '^multipart/form%-data;.*boundary="?([^";]+)'
  if not boundary then return nil end
  local params, mark = {}, "--" .. boundary
  local _, at = body:find(mark .. "\r\n", 1, true)
  while at do
    local head, from = body:match("^(.-)\r\n\r\n()", at + 1)
    local to, last = body:find("\r\n" .. mark, from or at, true)
    if not head or not to then return nil end
    local name = (head:match '; name="([^"]*)"' or ""):gsub("%[%]$", "")
    params[name] = value_of(name, head, body:sub(from, to - 1))
    at = body:sub(last + 1, last + 2) == "\r\n" and last + 2 or nil
  end
  return params
end
