std = "min"
codes = true
-- what only some Luas have is asked for before it is used
read_globals = { math = { fields = { "type" } }, "vim" }
max_line_length = 120
files["spec"] = { std = "min+busted" }
files["examples"] = { ignore = { "212" } }
files["examples/nginx"] = { globals = { "ngx" } }
files["examples/love"] = { globals = { "love" } }
exclude_files = { "build" }
