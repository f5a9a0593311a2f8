--- The ways to measure a run of a client: a sample each, or nil if the client
-- cannot do such work. A sample has a value for each unit of the work;
-- instructions, system calls, or microseconds of CPU.
local shell = require "shell"

local measure = {}

local CANNOT = 77 -- of driver.lua

local names = 0

local function command_of(peer, run, server, warm, count)
  names = names + 1
  local base = server.url .. run.path:gsub("RUN", "run" .. names)
  return ("%s %s %s %d %d %d"):format(peer.command, run.action, base, warm, count, run.side or 1)
end

-- Starts a command; a function that gives what it says on both its outputs, nil
-- if it cannot do such work.
local function start(command)
  local finish = shell.start("ulimit -n $(ulimit -Hn); timeout 1200 " .. command .. " 2>&1; echo exit $?")
  return function()
    local output, code = finish():match("^(.*)exit (%d+)\n$")
    if tonumber(code) == CANNOT then return nil end
    if code ~= "0" then error(command .. ":\n" .. output, 0) end
    return output
  end
end

-- Starts a command under a tool that counts; a function that gives the count.
local counting = {}

function counting.instructions(command)
  local finish = start("valgrind --tool=callgrind --callgrind-out-file=/dev/null " .. command)
  return function()
    local output = finish()
    return output and tonumber(output:match("Collected : (%d+)"))
  end
end

function counting.system_calls(command)
  local path = os.tmpname()
  local finish = start(("strace -f -c -o %s %s"):format(path, command))
  return function()
    local output = finish()
    local calls = output and shell.content(path):match("\n%s*100%.00%s+%S+%s+%S+%s+(%d+)[^\n]*total")
    os.remove(path)
    return tonumber(calls)
  end
end

-- What each unit adds: start and warm-up are in both commands, which run at the
-- same time, and drop out.
local function added(count, peer, run, server)
  local without = count(command_of(peer, run, server, run.warm, 0))
  local with = count(command_of(peer, run, server, run.warm, run.count))
  local least, most = without(), with()
  return least and most and { value = (most - least) / (run.count * run.units) }
end

function measure.instructions(peer, run, server)
  return peer.is_counted and added(counting.instructions, peer, run, server) or nil
end

function measure.system_calls(peer, run, server)
  return peer.is_counted and added(counting.system_calls, peer, run, server) or nil
end

--- Of the whole process.
function measure.whole_instructions(peer, run, server)
  local value = peer.is_counted and counting.instructions(command_of(peer, run, server, run.warm, run.count))()
  return value and { value = value } or nil
end

--- Of loading a module.
function measure.loading(peer)
  if not peer.module then return nil end
  local program = ("%s -e %s"):format(peer.bare, shell.quote(("require %q"):format(peer.module)))
  return { value = counting.instructions(program)() - counting.instructions(peer.bare .. " -e ''")() }
end

--- CPU time; with memory, in KB for each unit, and the time until the first
-- event.
function measure.time(peer, run, server)
  local share = run.is_whole and 1 or peer.share or 1
  local count, warm = math.max(2, math.ceil(run.count * share)), math.ceil(run.warm * share)
  if run.side then count = math.max(count, 2 * run.side) end
  local output = start(shell.on_core(1) .. command_of(peer, run, server, warm, count))()
  if not output then return nil end
  local units = count * run.units
  local cpu, memory, first = output:match("cpu=(%S+) memory=(%S+) first=(%S+)")
  return { value = cpu * 1e6 / units, memory = memory / units, first = first * 1e6 }
end

--- CPU time of the whole process with one unit of work; as many as the run
-- counts.
function measure.start(peer, run, server)
  local command = shell.on_core(1) .. command_of(peer, run, server, run.warm, 1)
  local again = ("for i in {1..%d}; do %s >/dev/null || exit; done; times"):format(run.count, command)
  local output = shell.read(("bash -c %s 2>&1"):format(shell.quote(again)))
  local user, system = output:match("\n0m([%d.]+)s 0m([%d.]+)s\n$")
  if not user then error(command .. ":\n" .. output, 0) end
  return { value = (user + system) * 1e6 / run.count }
end

local HOLDERS = { libcurl = "build/bench/held", ofox = "lua5.4 spec/bench/held.lua" }

--- How long one step holds an event loop up.
function measure.held(peer, _, server)
  local command = ("%s%s %s 100"):format(shell.on_core(1), HOLDERS[peer.id], server.tls)
  return { value = tonumber(start(command)()) }
end

local TOOLS = { instructions = "valgrind", whole_instructions = "valgrind", loading = "valgrind",
  system_calls = "strace" }
local is_missing = {}

--- The programs that count, those of them that are not here; what they count is
-- left out.
function measure.missing_tools()
  local list = {}
  for _, tool in ipairs { "strace", "valgrind" } do
    is_missing[tool] = shell.line("command -v " .. tool) == ""
    if is_missing[tool] then list[#list + 1] = tool end
  end
  return list
end

--- A run's sample.
function measure.sample(peer, run, server)
  if is_missing[TOOLS[run.by] or ""] or run.only and not run.only[peer.id] then return nil end
  return measure[run.by](peer, run, server)
end

return measure
