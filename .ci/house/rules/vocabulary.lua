--- The words that went do not come back. A name is read word by word:
-- is_served, Mock.newsReader and events2 have the words "is served",
-- "mock news reader", "events".
local words = require "words"

-- Word, also in the plural -> its row, for 'names' or 'comments'.
local function index(where)
  local rows = {}
  for _, row in ipairs(words) do
    if row[where] then
      rows[row[1]] = row
      rows[row[1] .. "s"] = row
    end
  end
  return rows
end

local IN_NAMES, IN_COMMENTS = index "names", index "comments"

local function stays(row, name)
  for _, kept in ipairs(row.but or {}) do
    if kept == name then return true end
  end
  return false
end

local function row_of_name(name)
  local apart = name:gsub("(%l)(%u)", "%1_%2"):lower()
  for word in apart:gmatch("%a+") do
    local row = IN_NAMES[word]
    if row and not stays(row, name) then return row end
  end
end

local function row_of_comment(line)
  for word in line:gmatch("%a+") do
    local row = IN_COMMENTS[word:lower()]
    if row then return row end
  end
end

return function(house)
  local breaches = {}
  local function complain(path, line, row, where)
    breaches[#breaches + 1] = ("%s:%d: '%s' %s: say %s"):format(path, line, row[1], where, row[2])
  end
  local function read(path, token)
    if token.kind == "name" then
      local row = row_of_name(token.text)
      if row then complain(path, token.line, row, "in the name " .. token.text) end
    elseif token.kind == "comment" then
      local number = token.line
      for line in (token.text .. "\n"):gmatch("([^\n]*)\n") do
        local row = row_of_comment(line)
        if row then complain(path, number, row, "in a comment") end
        number = number + 1
      end
    end
  end
  for _, file in ipairs(house.files) do
    local row = row_of_name(file.unit or "")
    if row then complain(file.path, 1, row, "in the name of a file") end
    for _, token in ipairs(file.tokens) do read(file.path, token) end
  end
  return breaches
end
