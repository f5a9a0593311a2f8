--- Writes SVG: a picture is a list of elements with a size.
local svg = {}

-- Both palettes bring their own ground, so that the picture can be read on
-- any page.
local STYLE = [[
  text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
  .title { font-size: 16px; font-weight: bold; }
  .floor, .count { font-weight: bold; }
  .ground { fill: #ffffff; }
  .band { fill: #f0f3f6; }
  .line { stroke: #0b5cad; stroke-width: 1.5; }
  .tip, .count { fill: #0b5cad; }
  .note { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .ground { fill: #0d1117; }
    .band { fill: #1c232c; }
    .line { stroke: #6cb2ff; }
    .tip, .count { fill: #6cb2ff; }
    .note { fill: #9aa5b1; }
  }
]]

--- How wide a text of that many characters is, in the font of the picture.
function svg.width(count)
  return count * 7.3
end

local function escaped(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

function svg.text(class, x, y, text)
  return ('<text class="%s" x="%d" y="%d">%s</text>'):format(class, x, y, escaped(text))
end

function svg.box(class, x, y, width, height)
  return ('<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>'):format(class, x, y, width, height)
end

--- An arrow straight down, with what it says to a pointer that rests on it.
function svg.arrow(x, from, to, title)
  return ('<g><title>%s</title><circle class="tip" cx="%d" cy="%d" r="2.5"/>'
    .. '<path class="line" d="M%d %dV%d"/><path class="tip" d="M%d %dl-4 -8h8z"/></g>')
    :format(escaped(title), x, from, x, from, to - 6, x, to)
end

--- The whole picture.
function svg.document(title, width, height, elements)
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img"'
    .. ' xml:space="preserve">\n<title>%s</title>\n<style>\n%s</style>\n%s\n%s\n</svg>\n')
    :format(width, height, width, height, escaped(title), STYLE, svg.box("ground", 0, 0, width, height),
      table.concat(elements, "\n"))
end

return svg
