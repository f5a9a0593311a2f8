--- What callgrind wrote, as one number: the instructions that ofox costs its
-- program. Counted are the interpreter, the modules it loads, and the library
-- functions that these call themselves: memory, copies, zlib. Left out are
-- libcurl and what libcurl calls, which other versions change and we do not;
-- ofox's functions that libcurl calls back are ofox's. What qsort calls back
-- counts twice, which is little, and the same each time.
local profile = {}

-- Of these objects each instruction counts.
local function is_ours(object)
  local name = object:match("[^/]*$")
  return object:find("/ofox/[^/]*%.so$") or object:find("/lua/5%.%d/") or name:find("^lua[j%d]") or name:find("^liblua")
end

-- Calls into these do not.
local function is_libcurl(object) return object:find("/libcurl[^/]*$") end

-- Nor do these: the C library calls main, so all that a program does is in that
-- call; and it is libcurl, with all that it needs, whose loading takes long.
local function is_left_out(name) return name:find "^__libc_start_" or name:find "^dlopen" end

-- "(3) /usr/lib/x" names number 3; "(3)" means it again.
local function name_of(names, text)
  local number, name = text:match("^%((%d+)%) ?(.*)$")
  if name ~= "" then names[number] = name end
  return names[number]
end

--- Reads the lines of a file of callgrind's.
---@param lines fun(): string|nil  such as io.lines
---@return number instructions, number of_libcurl  the second is what was left out, with what that calls
function profile.read(lines)
  local objects, names, total, counted = {}, {}, 0, 0
  local object, callee, is_call, is_left

  local function count_call(cost)
    if is_ours(object) and not is_ours(callee) and not is_libcurl(callee) and not is_left then
      counted = counted + cost
    end
  end

  for line in lines do
    local key, value = line:match("^(%l+)=(.*)$")
    if key == "ob" then
      object = name_of(objects, value)
      callee = object
    elseif key == "cob" then
      callee = name_of(objects, value)
    elseif key == "fn" then
      name_of(names, value)
    elseif key == "cfn" then
      is_left = is_left_out(name_of(names, value))
    elseif key == "calls" then
      is_call = true
    elseif line:find "^[%d+*-]" then
      local cost = tonumber(line:match " (%d+)$") or 0
      if is_call then
        count_call(cost)
        callee, is_call = object, false
      else
        total = total + cost
        if is_ours(object) then counted = counted + cost end
      end
    end
  end
  return counted, total - counted
end

return profile
