--- An include of ours says the floor, and what it names is there.
return function(house)
  local breaches = {}
  for _, file in ipairs(house.files) do
    for _, include in ipairs(file.includes or {}) do
      if include.is_ours and not house.files["src/" .. include.name] then
        breaches[#breaches + 1] = ('%s:%d: "%s" is no file of src/ with its floor, as in "wire/sse.h"')
          :format(file.path, include.line, include.name)
      end
    end
  end
  return breaches
end
