--- Each file of src/ and lua/ofox/ is in a folder, or has a name, that
-- floors.lua knows.
local floors = require "floors"

return function(house)
  local breaches = {}
  for _, file in ipairs(house.files) do
    local known = floors.rank[file.half][file.floor] or (file.half == "lua" and floors.outside[file.floor])
    if not known then
      local place = file.floor and ("'%s' is no floor"):format(file.floor) or "it is in no folder"
      breaches[#breaches + 1] = ("%s:1: %s of .ci/house/floors.lua"):format(file.path, place)
    end
  end
  return breaches
end
