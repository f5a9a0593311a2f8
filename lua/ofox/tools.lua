--- Conversations with tools: the model calls functions of the program and gets their
-- results, until it has an answer.
-- Knows nothing of protocols (ofox.tools.dialects), nor of how a request is made.
require "ofox.base.uncompiled" ()
local check = require "ofox.request.checks"
local copy = require "ofox.base.copy"
local core = require "ofox.base.native" "core"
local describe = require "ofox.base.describe"
local dialects = require "ofox.tools.dialects"
local json = require "ofox.json"
local memory = require "ofox.base.memory"
local options = require "ofox.request.options"
local parallel = require "ofox.task.parallel"
local reserve = require "ofox.base.reserve"
local response = require "ofox.answer.response"
local try = require "ofox.base.try"
local wait = require "ofox.task.wait"

local clean = core.parts.utf8_clean
local unpack = require "ofox.base.lua".unpack

local tools = {}

-- Checks

local function names_of(list)
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local FROM_1 = check.integer(1, 2 ^ 53, "an integer from 1 on")

local NO_GEMINI = "Gemini's protocol has no run_tools; client:generate_content and res:tool_calls() do it by hand"

local is_protocol = check.one_of(unpack(names_of(dialects)))

local function check_protocol(value)
  if value == "gemini" or value == "generate_content" then return NO_GEMINI end
  return is_protocol(value)
end

local OWN = {
  limit = FROM_1, max_rounds = FROM_1, on_text = check.hook, on_tool = check.hook, raise = check.boolean,
  protocol = check_protocol,
}

local OWN_NAMES = names_of(OWN)

-- Separates the options of run_tools from those of its requests, both checked.
local function read_options(given)
  local own, rest = {}, {}
  if given == nil then return own, rest, {} end
  if type(given) ~= "table" then return nil, "opts: " .. describe.expected_type("a table of options", given) end
  for name, value in next, given do
    local problem
    if OWN[name] then
      problem, own[name] = OWN[name](value, "call")
    elseif type(name) == "string" and not options.is(name) and describe.nearest(name, OWN_NAMES) then
      return nil, "opts" .. describe.unknown(name, OWN_NAMES, "option")
    else
      rest[name] = value
    end
    if problem then return nil, describe.place("opts." .. name, problem) end
  end
  local kept, problem = options.check(rest, "call")
  if not kept then return nil, describe.place("opts", problem) end
  if kept.idempotency_key then
    return nil, "opts.idempotency_key: expected false, got a string (every round is a request of its own)"
  end
  return own, rest, kept
end

local FIELDS = { "description", "parameters", "run" }

local function tool_problem(tool)
  if type(tool) ~= "table" then
    return ": " .. describe.expected_type("a table {description, parameters, run}", tool)
  end
  for name in next, tool do
    if name == "input_schema" then return ".input_schema: unknown field; did you mean parameters?" end
    local is_known = name == "description" or name == "parameters" or name == "run"
    if type(name) ~= "string" or not is_known and describe.nearest(name, FIELDS) then
      return describe.place("", describe.unknown(name, FIELDS, "field"))
    end
  end
  if not check.callable(rawget(tool, "run")) then
    return ".run: " .. describe.expected_type("a function", rawget(tool, "run"))
  end
  local description, parameters = rawget(tool, "description"), rawget(tool, "parameters")
  if description ~= nil and type(description) ~= "string" then
    return ".description: " .. describe.expected_type("a string", description)
  elseif parameters ~= nil and type(parameters) ~= "table" then
    return ".parameters: " .. describe.expected_type("a table, a JSON Schema", parameters)
  end
  return nil
end

local function problem_of_tools(given)
  if type(given) ~= "table" then return "tools: " .. describe.expected_type("a table of names and tools", given) end
  for name, tool in next, given do
    if type(name) ~= "string" then return "tools: expected names and tools, as in { weather = {…} }, got a list" end
    local problem = tool_problem(tool)
    if problem then return "tools." .. name .. problem end
  end
  return nil
end

-- The protocol of a conversation; nil and what is wrong.
local function dialect_of(params, protocol)
  local has_input, has_messages = rawget(params, "input") ~= nil, rawget(params, "messages") ~= nil
  if has_input and has_messages and not protocol then
    return nil, 'params: has both input and messages: name the protocol, opts.protocol = "chat", "messages" or '
      .. '"responses"'
  end
  local dialect = dialects[protocol or has_input and "responses" or "chat"]
  if rawget(params, "contents") ~= nil and rawget(params, dialect.list) == nil then
    return nil, "params.contents: " .. NO_GEMINI
  end
  return dialect
end

-- The conversation so far, in a new list.
local function copy_list(dialect, given)
  local list = {}
  if type(given) == "string" and dialect.words then
    list[1] = { role = dialect.words, content = given }
  elseif type(given) == "table" then
    for i = 1, #given do list[i] = given[i] end
  else
    local what = dialect.words and "a string or a list" or "a list of messages"
    return nil, ("params.%s: %s"):format(dialect.list, describe.expected_type(what, given))
  end
  return list
end

-- The tools of the params, followed by those that run here, in the order of their names.
local function described(dialect, params, given)
  local list = {}
  if type(params.tools) == "table" then
    for i = 1, #params.tools do list[i] = params.tools[i] end
  end
  for _, name in ipairs(names_of(given)) do
    local fields = {}
    for key, value in next, given[name] do
      if key ~= "run" then fields[key] = value end
    end
    list[#list + 1] = dialect.described(name, fields)
  end
  return list[1] and list or nil
end

-- Does it make the model call a tool? It would never stop.
local function is_forced(choice)
  if type(choice) == "table" then
    local allowed = choice.allowed_tools
    choice = choice.mode or type(allowed) == "table" and allowed.mode or choice.type
  end
  return choice ~= nil and choice ~= "auto" and choice ~= "none"
end

-- The conversation

--- A conversation with tools.
---@class ofox.ToolTalk
---@field dialect ofox.ToolDialect
---@field opts table  options of each request
---@field errors string|nil  how the program wants failures, if it has said so
---@field params table  of each request, without the conversation
---@field messages table[]  the conversation
---@field tools table  by name
---@field own table  limit, max_rounds, on_text, on_tool, protocol, raise
---@field cancel table|nil  the token
---@field pending table|nil  {answer, calls, results, returned}: a turn whose results are not in 'messages' yet
---@field problem string|nil  misuse that was found when a request was made
local Talk = {}
Talk.__index = Talk

--- Checks what the program has given to run_tools.
---@param params any
---@param given any  the tools
---@param opts any
---@return ofox.ToolTalk|nil
---@return string|nil problem
function tools.new(params, given, opts)
  if type(params) ~= "table" then return nil, "params: " .. describe.expected_type("a table", params) end
  local problem = problem_of_tools(given)
  if problem then return nil, problem end
  local own, rest, kept = read_options(opts)
  if not own then return nil, rest end
  local dialect, messages
  dialect, problem = dialect_of(params, own.protocol)
  if not dialect then return nil, problem end
  messages, problem = copy_list(dialect, rawget(params, dialect.list))
  if problem then return nil, problem end
  if own.on_text and rawget(params, "stream") == false then
    return nil, "params.stream: expected true or nothing, got false (on_text is for streams)"
  end
  params = copy(params, own.on_text and { stream = true } or {})
  params.tools = described(dialect, params, given)
  local errors = kept.errors
  rest.errors = "return"
  return setmetatable({
    dialect = dialect, opts = rest, errors = errors, params = params, messages = messages, tools = given, own = own,
    cancel = kept.cancel,
  }, Talk)
end

-- The text that tells the model of a failure: without the place in the program.
local function words_of(err)
  local text
  if type(err) == "string" then
    text = err:gsub("^%[string \".-\"%]:%d+: ", ""):gsub("^[^:\n]*:%d+: ", "")
  elseif type(err) == "table" then
    local meta = getmetatable(err)
    local ok, said
    if type(meta) == "table" and meta.__tostring then ok, said = try(tostring, err) end
    text = ok and said or rawget(err, "message")
  end
  return "error: " .. clean(type(text) == "string" and text ~= "" and text or "the tool failed")
end

-- The text of what a tool has returned, as task:wait gives it; and its failure.
local function text_of(ok, value, err)
  if not ok then return words_of(value), value, true end
  if value == nil and err ~= nil then return words_of(err), err, true end
  if type(value) == "string" then return clean(value) end
  if value == nil then value = json.null end
  local text, problem = json.encode(value)
  if text then return text end
  problem = "the result cannot be written as JSON: " .. problem
  return "error: " .. clean(problem), problem, true
end

-- Why a call cannot be made, for the model; nil if it can.
function Talk:refusal(call)
  local tool = call.name ~= nil and rawget(self.tools, call.name)
  if not tool then
    local names = table.concat(names_of(self.tools), ", ")
    return ("there is no tool %s; there are: %s"):format(describe.value(call.name), names == "" and "none" or names)
  elseif call.arguments == nil then
    local _, problem = json.decode(call.arguments_json)
    return "the arguments are not JSON: " .. tostring(problem or "null")
  end
  return nil
end

-- The result of a call is known.
function Talk:tell(i, text, err, failed)
  local pending = self.pending
  local call = pending.calls[i]
  pending.results[i] = { call = call, text = text, failed = failed == true }
  if self.own.on_tool then self.own.on_tool(call, text, err) end
end

-- The turn of the model and the results of its calls become part of the conversation,
-- which can go on even if some calls were not finished.
function Talk:settle()
  local pending, messages = self.pending, self.messages
  if not pending then return end
  self.pending = nil
  local results = pending.results
  for i, call in ipairs(pending.calls) do
    local returned = pending.returned[pending.place[i]]
    if not results[i] then
      local text, _, failed = "error: the call was cancelled", nil, true
      if returned then text, _, failed = text_of(returned[1], returned[2], returned[3]) end
      results[i] = { call = call, text = text, failed = failed == true }
    end
  end
  for _, item in ipairs(self.dialect.turn(pending.answer)) do messages[#messages + 1] = item end
  if not results[1] then return end
  for _, item in ipairs(self.dialect.results(pending.answer, results)) do messages[#messages + 1] = item end
end

-- Makes the calls of a turn, side by side.
function Talk:serve(calls)
  local pending, able = self.pending, {}
  for i, call in ipairs(calls) do
    local why = self:refusal(call)
    if why then
      self:tell(i, "error: " .. clean(why), why, true)
    else
      able[#able + 1] = i
      pending.place[i] = #able
    end
  end
  if not able[1] then return end
  local own = self.own
  parallel.into(pending.returned, #able, {
    limit = own.limit, stop_on_error = own.raise, cancel = self.cancel,
    on_result = function(i, ok, value, err)
      if not ok and memory.is_short(value) then error(value, 0) end -- no fault of the tool
      local text, failure, failed = text_of(ok, value, err)
      self:tell(able[i], text, failure, failed)
    end,
  }, function(i)
    local call = calls[able[i]]
    return self.tools[call.name].run, call.arguments, call
  end)
end

local function read(stream, on_text)
  local text, err
  if on_text then
    text, err = stream:read()
    while text do
      on_text(text)
      text, err = stream:read()
    end
  end
  if err then return nil, err end
  return stream:collect()
end

local function close(stream) stream:close() end

-- Requests the next turn of the model.
function Talk:request(round)
  local params = copy(self.params, {})
  params[self.dialect.list] = self.messages
  if round > 1 and is_forced(params.tool_choice) then params.tool_choice = nil end
  local value, err, problem = self.ask(params)
  if value == nil then
    self.problem = problem
    return nil, err
  end
  if params.stream ~= true then return value end
  return wait.protect(read, close, value, self.own.on_text)
end

function Talk:converse()
  local most, round = self.own.max_rounds or 10, 0
  while true do
    round = round + 1
    local answer, err = self:request(round)
    if answer == nil then return nil, err end
    local calls = response.tool_calls(answer)
    self.pending = { answer = answer, calls = calls, results = {}, returned = {}, place = {} }
    self:serve(calls)
    self:settle()
    if not calls[1] then return answer end
    -- a token that was cancelled meanwhile ends the next request before it is sent
    if round >= most and not (self.cancel and self.cancel:cancelled()) then return answer end
  end
end

-- What was raised tells how far the conversation has come. 'err': nil at the end of a task.
local function stamp(self, err)
  self:settle()
  if reserve.require "ofox.errors".is(err) then err.messages = self.messages end
end

--- Runs a conversation until the model has an answer, or the rounds are used up.
---@param self ofox.ToolTalk
---@param ask fun(params: table): table|nil, table|nil, string|nil  makes a request; returns the answer, which is a
--   stream if the params say so; or nil and the error; or nil, nil and the misuse
---@return table|nil answer  the last one
---@return table|nil messages_or_error
function tools.run(self, ask)
  self.ask = ask
  local answer, err = wait.protect(self.converse, stamp, self)
  if answer ~= nil then return answer, self.messages end
  if err then err.messages = self.messages end
  return nil, err
end

return tools
