--- The demo's colours, by what they say to a terminal, and its marks.
local look = {}

-- Shades between dark and light, which read on a black and on a white ground.
look.OF_256 = {
  bold = "1", grey = "38;5;243", red = "38;5;167", green = "38;5;29", blue = "38;5;32", orange = "38;5;166",
}

-- For terminals of eight colours, as their owner likes them.
look.OF_8 = { bold = "1", grey = "2", red = "31", green = "32", blue = "36", orange = "35" }

-- Marks, and what bars are made of.
look.UTF8 = { ok = "✓", fail = "✗", wait = "●", stop = "–", full = "━", half = "╸", empty = "─",
  spin = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" } }
look.ASCII = { ok = "+", fail = "x", wait = "~", stop = "-", full = "#", half = "#", empty = "-",
  spin = { "|", "/", "-", "\\" } }

return look
