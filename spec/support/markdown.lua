--- A Markdown file in parts: its sections with their prose, tables and code.
local markdown = {}

local function cells(line)
  local list = {}
  for cell in line:gmatch("|%s*([^|]-)%s*%f[|]") do list[#list + 1] = cell end
  return list
end

---@class spec.Section
---@field level integer  of its heading; 0 before the first one
---@field title string
---@field prose string  the rest, on one line
---@field tables string[][][]  rows of cells, the headings first
---@field code {language: string, text: string}[]  language "" is indented

---@param text string
---@return spec.Section[]
function markdown.parse(text)
  local sections = { { level = 0, title = "", prose = "", tables = {}, code = {} } }
  local block, grid                        -- the code or the table that is open
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local section = sections[#sections]
    local marks, title = line:match("^(#+) (.+)$")
    local indented = line:match("^    (.*)$")
    local fence = line:match("^```(.*)$")
    if grid and line:sub(1, 1) ~= "|" then grid = nil end
    if block and block.language == "" and not indented then block = nil end
    if fence and not block then
      block = { language = fence, text = "" }
      section.code[#section.code + 1] = block
    elseif fence then
      block = nil
    elseif block then
      block.text = block.text .. (block.language == "" and indented or line) .. "\n"
    elseif marks then
      sections[#sections + 1] = { level = #marks, title = title, prose = "", tables = {}, code = {} }
    elseif indented then
      block = { language = "", text = indented .. "\n" }
      section.code[#section.code + 1] = block
    elseif line:find("^|[-|]+$") then
      assert(grid, "a table without headings")
    elseif line:sub(1, 1) == "|" then
      if not grid then
        grid = {}
        section.tables[#section.tables + 1] = grid
      end
      grid[#grid + 1] = cells(line)
    else
      section.prose = section.prose .. line .. " "
    end
  end
  return sections
end

--- The programs of a file.
---@param sections spec.Section[]
---@param language string
---@return string[]
function markdown.blocks(sections, language)
  local list = {}
  for _, section in ipairs(sections) do
    for _, block in ipairs(section.code) do
      if block.language == language then list[#list + 1] = block.text end
    end
  end
  return list
end

--- The rows below a table's headings.
---@param sections spec.Section[]
---@param heading string  of its first column
---@return string[][]
function markdown.rows(sections, heading)
  for _, section in ipairs(sections) do
    for _, grid in ipairs(section.tables) do
      if grid[1][1] == heading then
        local list = {}
        for i = 2, #grid do list[#list + 1] = grid[i] end
        return list
      end
    end
  end
  error("no table begins with " .. heading)
end

return markdown
