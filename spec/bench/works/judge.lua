-- An answer with many members is judged: is it an error, and which one? No
-- server is asked.
local core = require("ofox.base.native")("core")

local template = core.template({ expect = "chat" }, {})
local body = '{"error":{' .. ('"e":1,'):rep(2000) .. '"f":1}}'
for _ = 1, tonumber(arg[1]) do
  local call = core.call(template, 0)
  call:begin(0)
  for _, line in ipairs { "HTTP/1.1 200", "content-type: application/json", "" } do call:head(line, 0) end
  call:body(body, 0)
  call:finish("ANSWERED", false, 0, 0)
  assert(call:failed())
end
