--- What had arrived when a stream failed: err.partial. An error can always be
-- encoded, whatever the stream contained.
require "ofox.base.uncompiled" ()
local core = require("ofox.base.native")("core")
local json = require "ofox.json"
local reading = require "ofox.answer.accessors"
local response = require "ofox.answer.response"

local partial = {}

local DEPTH = 100 -- of what is kept; encoders have a limit, too

local function is_finite(value)
  return value == value and value ~= math.huge and value ~= -math.huge
end

---@class ofox.Partial
---@field text string
---@field tool_calls table[]  as response:tool_calls() gives them
---@field reasoning? string
---@field finish_reason? string
---@field usage? table
---@field chunks integer  number of events received

-- The metatable of a table, if it controls how the table is encoded.
local function mark_of(value)
  local own = getmetatable(value)
  return type(own) == "table" and core.json_marks[own] and own or nil
end

-- Returns a function that copies the encodable part of a value. A secret may have
-- arrived in pieces and show only in the joined string: that is what is redacted.
local function cleaner(clean)
  local open, copy = {}, nil

  local function copy_list(value, depth)
    local list = setmetatable({}, mark_of(value))
    for i = 1, #value do
      local member = copy(value[i], depth + 1)
      if member == nil then member = json.null end
      list[i] = member
    end
    return list
  end

  local function copy_object(value, depth)
    local object = setmetatable({}, mark_of(value))
    for key, member in pairs(value) do
      if type(key) == "string" then object[copy(key)] = copy(member, depth + 1) end
    end
    return object
  end

  function copy(value, depth)
    local kind = type(value)
    if kind == "string" then return clean(json.join(value)) end
    if kind == "number" then return is_finite(value) and value or nil end
    if kind == "boolean" or value == json.null then return value end
    if kind ~= "table" or depth > DEPTH or open[value] then return nil end
    open[value] = true
    local made = (value[1] ~= nil and copy_list or copy_object)(value, depth)
    open[value] = nil
    return made
  end

  return function(value) return copy(value, 1) end
end

--- Builds err.partial from an incomplete answer.
---@param answer table
---@param chunks integer
---@param text string
---@param decode fun(json: string): any
---@param clean fun(text: string): string
---@return ofox.Partial
function partial.of(answer, chunks, text, decode, clean)
  local cleaned = cleaner(clean)
  local calls = json.array()
  for i, call in ipairs(response.tool_calls(answer)) do
    local arguments, json_text = call.arguments, call.arguments_json
    if json_text then
      json_text = cleaned(json_text)
      if json_text ~= call.arguments_json then arguments = decode(json_text) end
    end
    calls[i] = { id = cleaned(call.id), name = cleaned(call.name), arguments_json = json_text,
      arguments = cleaned(arguments) }
  end
  local finish, usage = reading.reason(answer), reading.raw_usage(answer)
  local reasoning = response.reasoning(answer)
  return {
    text = cleaned(text), tool_calls = calls, chunks = chunks,
    reasoning = reasoning ~= "" and cleaned(reasoning) or nil,
    finish_reason = finish and cleaned(finish),
    usage = type(usage) == "table" and cleaned(usage) or nil,
  }
end

return partial
