--- The pages for readers: where they are, their links and their lengths, and
-- their programs run against the simulator.
local markdown = require "support.markdown"
local proc = require "support.proc"

local pages = {}

--- The README and what stands beside it, the pages of doc/ and of the examples,
-- as paths.
---@return string[]
function pages.list()
  local list = {}
  local pipe = assert(io.popen("ls *.md doc/*.md examples/*.md 2>/dev/null"))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

-- Punctuation beyond ASCII that a heading may have.
local MARKS = { "，", "、", "。", "：", "；", "？", "！", "（", "）", "“", "”", "…", "—", "–", "·", "’" }

--- The name that a heading has in a link, as GitHub makes it.
---@param title string
---@return string
function pages.anchor(title)
  local name = title:lower():gsub("%]%([^)]*%)", "]"):gsub("[%z\1-\127]", function(c)
    return c == " " and "-" or c:find("[%w_-]") and c or ""
  end)
  for _, mark in ipairs(MARKS) do name = name:gsub(mark, "") end
  return name
end

-- All text of a file but its code.
local function prose(sections)
  local list = {}
  for _, section in ipairs(sections) do
    list[#list + 1] = section.title
    list[#list + 1] = section.prose
    for _, grid in ipairs(section.tables) do
      for _, row in ipairs(grid) do list[#list + 1] = table.concat(row, " ") end
    end
  end
  return table.concat(list, "\n")
end
pages.prose = prose

--- What a file links to, pictures included.
---@param sections spec.Section[]
---@return string[]
function pages.links(sections)
  local list = {}
  local text = prose(sections)
  for _, pattern in ipairs { "%]%(([^)%s]+)%)", 'src="([^"]+)"', 'srcset="([^"]+)"', 'href="([^"]+)"' } do
    for target in text:gmatch(pattern) do list[#list + 1] = target end
  end
  return list
end

local function without_dots(path)
  local count
  path = path:gsub("^%./", "")
  repeat path, count = path:gsub("[^/]+/%.%./", "", 1) until count == 0
  return path
end

--- The file and the heading that a link leads to; nothing for an address of
-- another machine.
---@param from string  path of the file that has the link
---@param target string
---@return string|nil path, string|nil anchor
function pages.follow(from, target)
  if target:find("^%a+:") then return nil end
  local path, anchor = target:match("^([^#]*)#?(.*)$")
  path = path == "" and from or without_dots((from:match("^.*/") or "") .. path)
  return path, anchor ~= "" and anchor or nil
end

--- Why a link leads nowhere, or nil.
---@param from string
---@param target string
---@return string|nil
function pages.problem(from, target)
  local path, anchor = pages.follow(from, target)
  if not path then return nil end
  local file = io.open(path, "rb") -- a folder opens, too, but has no text
  if not file then return ("%s: there is no %s"):format(from, path) end
  local text = file:read("*a") or ""
  file:close()
  if not anchor then return nil end
  for _, section in ipairs(markdown.parse(text)) do
    if pages.anchor(section.title) == anchor then return nil end
  end
  return ("%s: %s has no heading for #%s"):format(from, path, anchor)
end

--- How many words there are to read, those of programs and tables included.
---@param text string
---@return integer
function pages.words(text)
  local count = 0
  for word in text:gmatch("%S+") do
    if word:find("[%w\128-\255]") then count = count + 1 end
  end
  return count
end

--- Runs programs beside each other with the simulator as their gateway.
---@param sim table  of support.simulator
---@param programs string[]
---@return {ok: boolean, output: string}[]
function pages.run(sim, programs)
  local files, script = {}, {}
  for i, program in ipairs(programs) do
    files[i] = proc.write(os.tmpname(), program)
    script[i] = ("(%s >%s.out 2>&1; echo $? >%s.code) &"):format(sim:command(files[i]), files[i], files[i])
  end
  os.execute(table.concat(script, "\n") .. "\nwait")
  local results = {}
  for i, file in ipairs(files) do
    results[i] = { ok = proc.read(file .. ".code") == "0\n", output = proc.read(file .. ".out") }
    for _, rest in ipairs { "", ".out", ".code" } do os.remove(file .. rest) end
  end
  return results
end

return pages
