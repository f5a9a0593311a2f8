--- What all clients in Lua have in common: the work they are told to do, and
-- what they print about it. A client is a table of functions:
--
--   open(base)                     a session; its requests go below that URL
--   chat(session, params)          the decoded reply
--   errors(session, params)        the same, tried until it is no 503
--   embeddings(session, params)    the decoded reply, with tables of numbers
--   stream(session, params, on)    calls on(event) with each decoded event
--   text(session, params, on)      calls on(text) with each piece of text
--   flight(session, count, side, params, on)   that many calls, so many at once; on(reply)
--   streams(session, count, params, on)        that many streams at once
--
-- What a client cannot do is not there. It is run as
--
--   CLIENT load
--   CLIENT ACTION BASE WARM COUNT [SIDE]
--
-- does its work WARM times, then COUNT times, and prints the CPU seconds of
-- these, by how many KB memory rose from the start on, and for 'first' the
-- seconds until a stream's first event.
local request = require "request"

local driver = {}

--- The exit code of a client that cannot do such work.
driver.CANNOT = 77

--- Gives a client the actions that are one request for one reply.
---@param client table
---@param ask fun(session: any, path: string, params: table): table, string|integer  decoded reply, status
function driver.add_replies(client, ask)
  function client.chat(session, params) return (ask(session, "/chat/completions", params)) end

  function client.errors(session, params)
    local reply, status
    repeat reply, status = ask(session, "/chat/completions", params) until tonumber(status) == 200
    return reply
  end

  function client.embeddings(session, params)
    if not params.encoding_format then os.exit(driver.CANNOT) end
    return (ask(session, "/embeddings", params))
  end
end

local function check_reply(reply)
  if #reply.choices[1].message.content < 50 then error "a reply without its text" end
end

local function check_vectors(reply)
  if #reply.data ~= 2 or #reply.data[2].embedding ~= 4096 then error "embeddings without their numbers" end
end

-- A function that takes events, and one that tells how many came since.
local function counter()
  local events = 0
  local function take(event)
    events = events + 1
    if not event.choices[1].delta then error "an event without its delta" end
  end
  return take, function()
    local came = events
    events = 0
    return came
  end
end

local function expect(came, expected)
  if expected and came ~= expected then error(("%d came instead of %d"):format(came, expected)) end
end

-- Work that is done one after the other: a function that does it once.
local in_turn = {}

function in_turn.chat(client, session)
  return function() check_reply(client.chat(session, request.chat)) end
end

function in_turn.errors(client, session)
  return function() check_reply(client.errors(session, request.chat)) end
end

function in_turn.embeddings(client, session)
  return function() check_vectors(client.embeddings(session, request.embeddings)) end
end

function in_turn.decimals(client, session)
  return function() check_vectors(client.embeddings(session, request.decimals)) end
end

function in_turn.stream(client, session, expected)
  local take, came = counter()
  return function()
    client.stream(session, request.stream, take)
    expect(came(), expected)
  end
end

-- The first event has no text, nor has the last.
function in_turn.text(client, session, expected)
  local pieces = 0
  local function take() pieces = pieces + 1 end
  return function()
    pieces = 0
    client.text(session, request.stream, take)
    expect(pieces, expected and expected - 2)
  end
end

-- The times until the first event, in the order they were taken.
function in_turn.first(client, session)
  local now, times = require "socket".gettime, {}
  local began, is_first
  local function take()
    if is_first then times[#times + 1] = now() - began end
    is_first = false
  end
  return function()
    began, is_first = now(), true
    client.stream(session, request.stream, take)
  end, times
end

-- Work that is done side by side: a function that does it so many times.
local at_once = {}

function at_once.flight(client, session, _, side)
  return function(count) client.flight(session, count, side, request.chat, check_reply) end
end

function at_once.streams(client, session, expected)
  local take, came = counter()
  return function(count)
    client.streams(session, count, request.stream, take)
    expect(came(), count * expected)
  end
end

-- What a client has to have for an action, if not a function of that name.
local NEEDS = { decimals = "embeddings", first = "stream" }

-- Kilobytes: "VmRSS" is the memory of now, "VmHWM" the most there was.
local function memory(what)
  for line in io.lines "/proc/self/status" do
    local size = line:match("^" .. what .. ":%s*(%d+)")
    if size then return tonumber(size) end
  end
end

-- CPU seconds of this process, and of children that have ended: those are fields
-- 16 and 17 of its line, counted from the parenthesis behind field 2, in ticks.
local function cpu_time()
  local file = io.open "/proc/self/stat"
  local rest = file:read("*a"):match("^.*%) (.*)$")
  file:close()
  local fields = {}
  for field in rest:gmatch("%S+") do fields[#fields + 1] = field end
  return os.clock() + (fields[14] + fields[15]) / 100
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

-- A function that does the work so many times, and the times it takes.
local function work_of(client, action, base, side)
  local expected = tonumber(base:match("/(%d+)/v1$"))
  local session = client.open(base)
  if at_once[action] then return at_once[action](client, session, expected, side) end
  local once, times = in_turn[action](client, session, expected)
  return function(count) for _ = 1, count do once() end end, times
end

local function measure(work, times, warm, count)
  collectgarbage()
  local before = memory "VmRSS"
  work(warm)
  for i = #(times or {}), 1, -1 do times[i] = nil end
  collectgarbage()
  local began = cpu_time()
  work(count)
  local cpu = cpu_time() - began
  local rise = math.max(0, memory "VmHWM" - before)
  print(("cpu=%.6f memory=%d first=%.9f"):format(cpu, rise, times and median(times) or 0))
end

--- Does what the command line says.
function driver.main(client)
  local action, base, warm, count, side = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])
  if action == "load" then return end
  if not client[NEEDS[action] or action] then os.exit(driver.CANNOT) end
  local work, times = work_of(client, action, base, side)
  measure(work, times, warm, count)
end

--- A function that takes the bytes of a stream as they come, and calls
-- on(event) with each; decode makes the event.
function driver.event_reader(decode, on)
  local rest = ""
  return function(bytes)
    local text, from = rest .. bytes, 1
    local stop = text:find("\n", from, true)
    while stop do
      local data = text:sub(from, from + 5) == "data: " and text:sub(from + 6, stop - 1)
      if data and data ~= "[DONE]" then on(decode(data)) end
      from = stop + 1
      stop = text:find("\n", from, true)
    end
    rest = text:sub(from)
  end
end

return driver
