--- What stands in a rockspec.
local rockspecs = {}

--- The name of a Lua file of the tree, as require has it.
---@param path string
---@return string
function rockspecs.module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", ""))
end

--- The fields of a rockspec, which is a program that sets globals.
---@param path string
---@return table
function rockspecs.read(path)
  local fields = {}
  local chunk
  if rawget(_G, "setfenv") then
    chunk = assert(loadfile(path))
    rawget(_G, "setfenv")(chunk, fields)
  else
    chunk = assert(loadfile(path, "t", fields))
  end
  chunk()
  return fields
end

return rockspecs
