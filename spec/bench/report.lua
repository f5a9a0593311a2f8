--- A run's results as text: for a terminal, and for the pages.
local tables = require "tables"

local report = {}

-- One table in Markdown.
local function markdown(rows)
  local lines = {}
  for i, cells in ipairs(rows) do
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if i == 1 then lines[2] = "|" .. ("---|"):rep(#cells) end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- How many characters a text in UTF-8 has.
local function length(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function padded(text, width, is_first)
  local gap = (" "):rep(width - length(text))
  return is_first and text .. gap or gap .. text
end

-- One table for a terminal.
local function aligned(rows)
  local widths, lines = {}, {}
  for _, cells in ipairs(rows) do
    for i, text in ipairs(cells) do widths[i] = math.max(widths[i] or 0, length(text)) end
  end
  for i, cells in ipairs(rows) do
    local parts = {}
    for k, text in ipairs(cells) do parts[k] = padded(text, widths[k], k == 1) end
    lines[i] = table.concat(parts, "  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Date and versions of a run, as a sentence.
function report.origin(all, lang)
  local list = {}
  for i, version in ipairs(all.versions) do list[i] = table.concat(version, " ") end
  local text = (lang == "zh" and "测量于 %s：%s。" or "Measured on %s with %s."):format(all.date,
    table.concat(list, lang == "zh" and "、" or ", "))
  if #all.left_out > 0 then
    text = text .. (lang == "zh" and "未包含：" or " Left out: ") .. table.concat(all.left_out, ", ")
      .. (lang == "zh" and "。" or ".")
  end
  return text
end

local function every_table(all, lang, draw)
  local parts = { draw(tables.main(all, lang)), draw(tables.fronts(all, lang)) }
  for _, rows in ipairs(tables.all_growth(all, lang)) do parts[#parts + 1] = draw(rows) end
  return table.concat(parts, "\n")
end

--- All of it for a terminal.
function report.text(all)
  return report.origin(all, "en") .. "\n\n" .. every_table(all, "en", aligned)
end

--- All of it in Markdown.
function report.full(all, lang)
  return report.origin(all, lang) .. "\n\n" .. every_table(all, lang, markdown)
end

--- What the READMEs show.
function report.brief(all, lang)
  return report.origin(all, lang) .. "\n\n" .. markdown(tables.main(all, lang, true))
end

return report
