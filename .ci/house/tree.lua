--- A tree of files: which there are, and what stands in them.
local Tree = {}
Tree.__index = Tree

-- What the house is made of, what builds and what checks it. The rockspec of a
-- release is made of the other one.
local FIND = "cd %s && find src lua examples spec/c .ci Makefile *-scm-*.rockspec -type f 2>/dev/null"

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

--- Opens the tree whose root is 'root'.
function Tree.open(root)
  local self = setmetatable({ root = root, paths = {}, texts = {} }, Tree)
  local found = assert(io.popen(FIND:format(quoted(root))))
  for path in found:lines() do self.paths[#self.paths + 1] = path end
  found:close()
  table.sort(self.paths)
  return self
end

--- The paths that match one of the patterns, in order.
function Tree:list(...)
  local list = {}
  for _, path in ipairs(self.paths) do
    for i = 1, select("#", ...) do
      if path:find((select(i, ...))) then
        list[#list + 1] = path
        break
      end
    end
  end
  return list
end

--- The text of a file.
function Tree:text(path)
  if not self.texts[path] then
    local file = assert(io.open(self.root .. "/" .. path, "rb"))
    self.texts[path] = file:read("*a")
    file:close()
  end
  return self.texts[path]
end

--- Iterates over the lines of a file: number, line.
function Tree:lines(path)
  local text = self:text(path)
  local next_line = (text:find("\n$") and text or text .. "\n"):gmatch("([^\n]*)\n")
  local number = 0
  return function()
    local line = next_line()
    number = number + 1
    if line then return number, line end
  end
end

--- How many lines a file has.
function Tree:count(path)
  return select(2, self:text(path):gsub("\n", ""))
end

return Tree
