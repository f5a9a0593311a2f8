--- A form in one piece, as libcurl would write it: for transports that want bytes.
local escapes = { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }

local function quoted(text)
  return '"' .. text:gsub('["\r\n]', escapes) .. '"'
end

-- One that is in no part; always the same for the same parts.
local function boundary_for(parts)
  local number, is_in, boundary = 0
  repeat
    boundary = ("------------------------ofox%012d"):format(number)
    is_in = false
    for _, part in ipairs(parts) do is_in = is_in or part.content:find(boundary, 1, true) ~= nil end
    number = number + 1
  until not is_in
  return boundary
end

---@param parts {name: string, content: string, filename?: string, type?: string}[]
---@return string body
---@return string content_type
return function(parts)
  local boundary, out = boundary_for(parts), {}
  local function put(...)
    for i = 1, select("#", ...) do out[#out + 1] = (select(i, ...)) end
  end
  for _, part in ipairs(parts) do
    put("--", boundary, "\r\nContent-Disposition: form-data; name=", quoted(part.name))
    if part.filename then put("; filename=", quoted(part.filename)) end
    if part.type then put("\r\nContent-Type: ", part.type) end
    put("\r\n\r\n", part.content, "\r\n")
  end
  put("--", boundary, "--\r\n")
  return table.concat(out), "multipart/form-data; boundary=" .. boundary
end
