--- What the simulated model says: it repeats what it heard, calls the first
-- tool it is given, and keeps to a format, with values made from the schema.
local json = require "cjson"

local function encode(value)
  return (json.encode(value):gsub("\\/", "/"))
end

local PLAIN = { string = '"example"', number = "1", integer = "1", boolean = "true", null = "null" }

local function first(list)
  if type(list) == "table" then return list[1] end
end

--- What a "$ref" means, such as "#/$defs/city".
local function resolve(root, ref)
  local node = root
  for step in ref:gmatch("[^#/]+") do node = type(node) == "table" and node[step] or nil end
  return node
end

local example

local function object(schema, root, open)
  local properties = type(schema) == "table" and schema.properties
  local names, members = {}, {}
  for name in pairs(type(properties) == "table" and properties or {}) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    members[i] = encode(tostring(name)) .. ":" .. example(properties[name], root, open)
  end
  return "{" .. table.concat(members, ",") .. "}"
end

--- A value for a JSON schema, as JSON; `open` holds the references that are
-- being followed: one that comes back to itself is null.
function example(schema, root, open)
  if type(schema) ~= "table" then return PLAIN.string end
  local ref, kind = schema["$ref"], schema.type
  if type(ref) == "string" then
    if open[ref] then return PLAIN.null end
    open[ref] = true
    local text = example(resolve(root, ref), root, open)
    open[ref] = nil
    return text
  end
  if schema.const ~= nil then return encode(schema.const) end
  if first(schema.enum) ~= nil then return encode(first(schema.enum)) end
  local choice = first(schema.anyOf) or first(schema.oneOf)
  if choice then return example(choice, root, open) end
  kind = first(kind) or kind
  if kind == "object" or schema.properties then return object(schema, root, open) end
  if kind == "array" then return "[" .. example(schema.items, root, open) .. "]" end
  return PLAIN[kind] or PLAIN.string
end

--- What is called: chat has it in a "function", responses have it flat.
local function callee(tool)
  local inner = type(tool) == "table" and (tool["function"] or tool)
  return type(inner) == "table" and type(inner.name) == "string" and inner or nil
end

local function tool_of(params)
  if type(params.tools) ~= "table" or params.tool_choice == "none" then return nil end
  local wanted = callee(params.tool_choice)
  for _, tool in ipairs(params.tools) do
    local found = callee(tool)
    if found and (not wanted or wanted.name == found.name) then return found end
  end
end

--- The format asked for: its type and its schema.
local function format_of(params)
  local format = params.response_format -- of a chat
  if type(params.text) == "table" then format = params.text.format end -- of a response
  if type(format) ~= "table" then return nil end
  local inner = type(format.json_schema) == "table" and format.json_schema or format
  return format.type, inner.schema
end

local function text_of(content)
  local part = first(content)
  if type(part) == "table" then content = part.text end
  return type(content) == "string" and content or "nothing"
end

--- A text by its words, as it is streamed.
local function words_of(text)
  local list = {}
  for word in text:gmatch("%s*%S+") do list[#list + 1] = word end
  return list
end

--- The answer to a conversation.
---@param params table  of the request, checked
---@param conversation string|table  its messages or its input
---@param plan table  say: what it is told to say; ending: "short", "filtered", "blocked"
---@return table answer  heard; text, or name and arguments (JSON); pieces for a stream; ending
return function(params, conversation, plan)
  local last = type(conversation) == "table" and conversation[#conversation]
    or { role = "user", content = conversation }
  if type(last) ~= "table" then last = { role = "user", content = last } end
  local from_tool = last.role == "tool" or last.type == "function_call_output"
  local heard = text_of(last.content or last.output)
  local tool = last.role == "user" and tool_of(params)
  if tool then
    local arguments = object(tool.parameters, tool.parameters, {})
    return { heard = heard, name = tool.name, arguments = arguments, pieces = { arguments:match("^([^:]*)(.*)$") } }
  end
  local text = plan.say or ("This is the simulator. %s said: "):format(from_tool and "The tool" or "You") .. heard
  local kind, schema = format_of(params)
  if kind == "json_schema" then
    text = object(schema, schema, {})
  elseif kind == "json_object" then
    text = '{"answer":' .. encode(text) .. "}"
  end
  if plan.ending then text = plan.ending == "blocked" and "" or text:match("^%s*%S*%s*%S*") end
  return { heard = heard, text = text, pieces = words_of(text), ending = plan.ending }
end
