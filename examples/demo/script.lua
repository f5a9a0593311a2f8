--- What the simulator is told to do in each scene, by headers (see
-- lua5.4 examples/simulator.lua --help), and what its model says.

-- The planets, what is said of them, and the seconds between two words.
local PLANETS = {
  { "Mercury", "Its year lasts 88 days, and its day lasts two years.", 0.30 },
  { "Venus", "The hottest planet: lead would melt on its ground.", 0.38 },
  { "Earth", "The only place known to have lakes, lichen and Lua.", 0.34 },
  { "Mars", "Its tallest volcano rises 22 km above the plain.", 0.28 },
  { "Jupiter", "Heavier than all the other planets taken together.", 0.42 },
  { "Saturn", "Wide rings of ice, in most places ten metres thick.", 0.26 },
  { "Uranus", "It rolls around the Sun on its side.", 0.45 },
  { "Neptune", "Found in 1846 by calculation, then by telescope.", 0.32 },
  { "Pluto", "A planet until 2006, when astronomers voted.", 0.60 },
}

--- Scenes by name: headers, or a list of {name, headers}.
---@param speed number  of the show; 1 takes about 25 seconds
return function(speed)
  local function seconds(n) return ("%g"):format(n / speed) end
  local script = {
    wrong_key = { ["x-sim-delay"] = seconds(0.8) },
    rate_limit = { ["x-sim-delay"] = seconds(0.4), ["x-sim-status"] = "429", ["x-sim-times"] = "1",
      ["x-sim-retry-after"] = seconds(3) },
    storm = { ["x-sim-delay"] = seconds(0.25), ["x-sim-status"] = "503", ["x-sim-times"] = "5" },
    fallback = { ["x-sim-delay"] = seconds(0.8) },
    broken_stream = { ["x-sim-delay"] = seconds(0.4), ["x-sim-pace"] = seconds(0.2), ["x-sim-cut"] = "fin",
      ["x-sim-words"] = "9", ["x-sim-say"] = "The tide went out as usual, but this time it took the harbour along." },
    planets = {},
  }
  for i, row in ipairs(PLANETS) do
    script.planets[i] = { name = row[1], headers = { ["x-sim-say"] = row[2], ["x-sim-pace"] = seconds(row[3]),
      ["x-sim-delay"] = seconds(0.2) } }
  end
  -- One is refused at first, and one falls silent after three words.
  local mars, pluto = script.planets[4].headers, script.planets[9].headers
  pluto["x-sim-cut"], pluto["x-sim-words"] = "stall", "3"
  mars["x-sim-status"], mars["x-sim-times"], mars["x-sim-retry-after"] = "503", "1", seconds(2)
  return script
end
