--- Reads fields that a server sent: of any type, and nothing here raises. Knows
-- nothing of protocols.
require "ofox.base.uncompiled" ()
local json = require "ofox.json"

local fields = {}

--- Returns a member of a table; nil of anything else.
---@param value any
---@param key any
---@return any
function fields.get(value, key)
  if type(value) ~= "table" then return nil end
  return rawget(value, key)
end

local get = fields.get

--- Returns the length of a list; 0 of anything else.
---@param value any
---@return integer
function fields.length(value)
  return type(value) == "table" and #value or 0
end

--- Returns a string unless it is empty; nil for anything else.
---@param value any
---@return string|nil
function fields.string_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- Returns a string, or a number as one; nil for anything else.
---@param value any
---@return string|nil
function fields.as_text(value)
  if type(value) == "number" then return json.encode(value) end
  return type(value) == "string" and value or nil
end

local TEXT_TYPES = { text = true, output_text = true, [""] = true }

--- Returns the text of a content part: a string, a number, or a table with it in
-- 'text'. nil for any other part.
---@param part any
---@return string|nil
function fields.text_of_part(part)
  if type(part) ~= "table" then return fields.as_text(part) end
  local kind = get(part, "type")
  if kind ~= nil and not TEXT_TYPES[kind] then return nil end
  return fields.as_text(get(part, "text"))
end

--- Returns the text of a content: a single part, or the parts of a list that have
-- one.
---@param content any
---@param read? fun(part: any): string|nil  text_of_part by default
---@return string
function fields.text_of(content, read)
  read = read or fields.text_of_part
  local texts = {}
  if fields.length(content) == 0 then return read(content) or "" end
  for i = 1, #content do texts[#texts + 1] = read(content[i]) end
  return table.concat(texts)
end

--- Returns the text of a part of any type.
---@param part any
---@return string|nil
function fields.any_text(part)
  return fields.as_text(get(part, "text"))
end

return fields
