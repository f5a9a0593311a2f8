--- What a file requires can be read from its text: the graph would not be
-- whole otherwise. The loader of the C halves alone is told a name.
local floors = require "floors"

return function(house)
  local breaches = {}
  for _, file in ipairs(house.files) do
    local is_loader = floors.loader == "ofox." .. file.unit:gsub("/", ".")
    for _, token in ipairs(is_loader and {} or file.unread or {}) do
      breaches[#breaches + 1] = ("%s:%d: no string of this file says which module is required here")
        :format(file.path, token.line)
    end
  end
  return breaches
end
