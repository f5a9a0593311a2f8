rockspec_format = "3.0"
package = "ofox-redis"
version = "0.1.0-1"
source = {
  url = "git+https://github.com/ofoxai/lua-ofox.git",
  tag = "v0.1.0",
}
description = {
  summary = "For ofox: limits that many machines share, by Redis",
  detailed = "The optional C module ofox.redis, on hiredis. This build has no TLS; that of make REDIS=1 has.",
  homepage = "https://github.com/ofoxai/lua-ofox",
  issues_url = "https://github.com/ofoxai/lua-ofox/issues",
  license = "MIT",
  labels = { "ai", "llm", "redis" },
}
dependencies = {
  "lua >= 5.1, < 5.5",
  "ofox == 0.1.0-1",
}
external_dependencies = {
  HIREDIS = { library = "hiredis" },
}
local redis = {
  "src/base/buf.c", "src/call/ready_list.c", "src/io/clocks.c", "src/io/forks.c", "src/io/guests.c",
  "src/io/poller.c", "src/io/sigpipe.c", "src/lua/lnumber.c", "src/lua/lofox.c", "src/lua/lpin.c", "src/lua/lredis.c",
  "src/redis/command.c", "src/redis/connection.c", "src/redis/greeting.c", "src/redis/link.c", "src/redis/lookup.c",
  "src/redis/pauses.c", "src/redis/protocol.c", "src/redis/reply.c", "src/redis/scripts.c", "src/redis/sha1.c",
  "src/redis/tls.c", "src/redis/url.c",
}

build = {
  type = "builtin",
  modules = {
    ["ofox.redis"] = {
      sources = redis,
      libraries = { "hiredis", "m", "pthread" },
      defines = { "_FORTIFY_SOURCE=2" },
      incdirs = { "src", "$(HIREDIS_INCDIR)" },
      libdirs = { "$(HIREDIS_LIBDIR)" },
    },
  },
}
