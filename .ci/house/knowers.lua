--- What only some files may know. 'who' are units ("io/poller") and whole
-- floors ("lua/"); a row without any is for all. 'includes' are patterns of
-- names in <>, 'calls' functions of C, 'globals' globals of Lua.
return {
  { what = "libcurl", includes = { "^curl/" },
    who = { "io/connecting", "io/connections", "io/curl_options", "io/engine", "io/handles",
      "io/header_lines", "io/mime", "io/socks_codes", "io/transfer" } },
  { what = "zlib and brotli", includes = { "^zlib%.h$", "^brotli/" }, who = { "io/content_coding" } },
  { what = "epoll and kqueue", includes = { "^sys/epoll%.h$", "^sys/event%.h$", "^sys/timerfd%.h$" },
    who = { "io/poller" } },
  { what = "hiredis", includes = { "^hiredis/" }, who = { "redis/" } },
  { what = "the Lua API", includes = { "^lua%.h$", "^lauxlib%.h$", "^lualib%.h$", "^luajit%.h$" }, who = { "lua/" } },
  { what = "clock, chance and environment",
    calls = { "time", "clock", "clock_gettime", "gettimeofday", "rand", "random", "getrandom", "getentropy", "getenv" },
    who = { "lua/", "io/clocks", "io/poller" } },
  { what = "what cannot be bounded or depends on the locale",
    calls = { "strcpy", "strcat", "sprintf", "vsprintf", "sscanf", "atoi", "atof", "strtol", "gets" },
    who = {} },
  { what = "how the C library reads numbers", calls = { "strtod", "strtof", "strtold" },
    who = { "base/decimal" } }, -- which gives it no decimal point
  { what = "the host", globals = { "ngx", "vim", "love" },
    who = { "loop/", "init", "health", "json" } }, -- json: the null of Neovim
}
