--- What a file requires can be read from its text: the graph would not be
-- whole otherwise. The loader of the C halves and the reserve are told names.
local floors = require "floors"

return function(house)
  local breaches = {}
  for _, file in ipairs(house.files) do
    local name = "ofox." .. file.unit:gsub("/", ".")
    local is_told = name == floors.loader or name == floors.reserve
    for _, token in ipairs(is_told and {} or file.unread or {}) do
      breaches[#breaches + 1] = ("%s:%d: no string of this file says which module is required here")
        :format(file.path, token.line)
    end
  end
  return breaches
end
