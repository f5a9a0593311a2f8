--- The pages that show recorded results, between two marks; and the picture.
local plot = require "plot"
local report = require "report"
local shell = require "shell"

local pages = {}

local FROM, TO = "<!-- make bench RECORD=1 writes from here -->\n", "<!-- to here -->\n"

--- Where the picture is.
pages.PICTURE = "doc/performance.svg"

--- The pages: path, language and what of a report is in them.
pages.list = {
  { path = "README.md", lang = "en", part = report.brief },
  { path = "doc/README.zh-CN.md", lang = "zh", part = report.brief },
  { path = "doc/performance.md", lang = "en", part = report.full },
}

--- What a page should be: its text, with the results between the marks.
function pages.text(page, all)
  local text = shell.content(page.path)
  local _, from = text:find(FROM, 1, true)
  local to = from and text:find(TO, from, true)
  if not to then error(page.path .. " has no place for results") end
  return text:sub(1, from) .. page.part(all, page.lang) .. text:sub(to)
end

--- Writes the results into all of them.
function pages.write(all)
  for _, page in ipairs(pages.list) do shell.write(page.path, pages.text(page, all)) end
  shell.write(pages.PICTURE, plot.draw(all))
end

return pages
