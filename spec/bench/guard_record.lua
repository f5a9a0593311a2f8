--- The record of the guard, spec/bench/record.lua: for each machine, by the
-- versions of all that counts depend on, what each work cost.
local record = {}

local function first_line(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local line = pipe:read "l"
  pipe:close()
  return line and line ~= "" and line or nil
end

--- This machine's key.
function record.key()
  local compiler = os.getenv "CC" or "cc"
  return table.concat({
    first_line "lua5.4 -v | cut -d ' ' -f 1,2",
    first_line "dpkg-query -W -f '${Version}' lua5.4" or "no package",
    first_line "curl-config --version",
    first_line "getconf GNU_LIBC_VERSION" or "another libc",
    first_line(compiler .. " --version"),
    first_line "uname -m",
  }, ", ")
end

--- The records of all machines, by their keys.
function record.read(path)
  local chunk = loadfile(path)
  return chunk and chunk() or {}
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- As a file of Lua: the same records make the same text.
function record.text(records)
  local lines = { "-- Written by .ci/guard record: instructions, and system calls, by versions.", "return {" }
  for _, key in ipairs(sorted(records)) do
    lines[#lines + 1] = ("  [%q] = {"):format(key)
    for _, name in ipairs(sorted(records[key])) do
      lines[#lines + 1] = ("    [%q] = %s,"):format(name, ("%.14g"):format(records[key][name]))
    end
    lines[#lines + 1] = "  },"
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

return record
