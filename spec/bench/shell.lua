--- Commands of the shell, for the benchmarks.
local shell = {}

--- One word of the shell.
function shell.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- Starts a command; a function that waits for its end, and gives what it wrote
-- to its standard output, and whether it succeeded.
function shell.start(command)
  local pipe = assert(io.popen(command))
  return function()
    local text = pipe:read "*a"
    local ok = pipe:close()
    return text, ok == true
  end
end

--- The same of a command that is waited for at once.
function shell.read(command)
  return shell.start(command)()
end

--- The first line that a command writes; "" if there is none.
function shell.line(command)
  return (shell.read(command):match "^[^\n]*")
end

--- Fails with what a command says, unless it succeeds.
function shell.must(command)
  local text, ok = shell.read("{ " .. command .. "; } 2>&1")
  if not ok then error(command .. ":\n" .. text, 0) end
end

function shell.write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
  return path
end

function shell.content(path)
  local file = assert(io.open(path, "r"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Words that run a command on one of two cores: the server's, 0, or the
-- clients', 1.
function shell.on_core(number)
  shell.cores = shell.cores or tonumber(shell.line "nproc") or 1
  return shell.cores > 1 and ("taskset -c %d "):format(number) or ""
end

return shell
