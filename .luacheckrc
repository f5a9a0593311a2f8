std = "min"
codes = true
max_line_length = 120
files["spec"] = { std = "min+busted" }
files["examples"] = { ignore = { "212" } }
exclude_files = { "build" }
