--- What the events of a stream add up to, through a client and beside it.
local assert = require "luassert"
local json = require "ofox.json"
local merge = require "ofox.answer.collect"
local mock = require "ofox.mock"
local ofox = require "ofox"

local collected = {}

local PARAMS = { model = "m", messages = { { role = "user", content = "hi" } } }

local function setup(opts)
  local transport = mock.new()
  local all = { api_key = "sk-secret-1234567890", transport = transport, errors = "return", max_retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

--- Collects events, each a table or its JSON.
function collected.collect(sse, opts)
  local client, transport = setup(opts)
  transport:reply { sse = sse }
  return assert(assert(client:stream(PARAMS)):collect())
end

--- The same of the Responses protocol.
function collected.respond(sse)
  local client, transport = setup()
  transport:reply { sse = sse }
  return assert(assert(client:responses { model = "m", input = "hi", stream = true }):collect())
end

--- Adds up events as the core hands them over: each {json, its text [, name]}.
function collected.said(dialect, list)
  local text, events = "", {}
  for i, event in ipairs(list) do
    local from = #text
    text = text .. (event[2] or "")
    events[i] = { event[1], from, #text, event[3] }
  end
  return merge.answer(dialect, text, events, json.decode_piece)
end

local function choice(delta, finish, index)
  return { choices = { { index = index or 0, delta = delta, finish_reason = finish } } }
end

--- An event with a choice.
collected.choice = choice

--- An event with a tool call.
function collected.call(index, id, name, arguments)
  return choice { tool_calls = { { index = index, id = id, ["function"] = { name = name, arguments = arguments } } } }
end

collected.STOP = choice(ofox.object {}, "stop")

--- The message that deltas of choice 1 (the second) come to.
function collected.message(deltas)
  local sse = {}
  for i, delta in ipairs(deltas) do
    sse[i] = type(delta) == "string" and '{"choices":[{"index":1,"delta":' .. delta .. "}]}" or choice(delta, nil, 1)
  end
  sse[#sse + 1] = choice(ofox.object {}, "stop", 1)
  local res = collected.collect(sse)
  return res.choices[1].message
end

return collected
