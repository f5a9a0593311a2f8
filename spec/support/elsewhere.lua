--- Commands that run to the letter while the ports and the files of the system
-- that they name are others: a library that is loaded first puts those in.
local proc = require "support.proc"

local elsewhere = {}

-- PORTS is "8080=40001 8081=40002", PATHS is "/var/lib/nginx=/tmp/x …".
local SOURCE = [[
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* What stands behind "<key>=" in a list; NULL if it is not there. */
static const char *other(const char *list, const char *key, size_t len) {
  const char *at;
  for (at = list; at && *at; at = strchr(at, ' '), at += at ? 1 : 0)
    if (!strncmp(at, key, len) && at[len] == '=') return at + len + 1;
  return NULL;
}

static const struct sockaddr *moved(const struct sockaddr *a, socklen_t len, struct sockaddr_in *copy) {
  const char *value;
  char key[8];
  if (!a || a->sa_family != AF_INET || len < sizeof(*copy)) return a;
  memcpy(copy, a, sizeof(*copy));
  snprintf(key, sizeof(key), "%u", (unsigned)ntohs(copy->sin_port));
  if ((value = other(getenv("ELSEWHERE_PORTS"), key, strlen(key))) == NULL) return a;
  copy->sin_port = htons((unsigned short)atoi(value));
  return (const struct sockaddr *)copy;
}

int bind(int fd, const struct sockaddr *a, socklen_t len) {
  struct sockaddr_in copy;
  REAL(bind);
  return real(fd, moved(a, len, &copy), len);
}

int connect(int fd, const struct sockaddr *a, socklen_t len) {
  struct sockaddr_in copy;
  REAL(connect);
  return real(fd, moved(a, len, &copy), len);
}

/* The path itself or one of the folders that it is in, longest first. */
static const char *path_of(const char *path, char *buffer, size_t size) {
  const char *list = getenv("ELSEWHERE_PATHS"), *value;
  size_t len;
  if (!path || path[0] != '/' || !list) return path;
  for (len = strlen(path); len > 1; len--) {
    if (path[len] != '\0' && path[len] != '/') continue;
    if ((value = other(list, path, len)) == NULL) continue;
    snprintf(buffer, size, "%.*s%s", (int)strcspn(value, " "), value, path + len);
    return buffer;
  }
  return path;
}

#define MOVED(path) path_of(path, buffer, sizeof(buffer))

void *dlopen(const char *path, int flags) {
  char buffer[4096];
  REAL(dlopen);
  return real(MOVED(path), flags);
}

FILE *fopen(const char *path, const char *mode) {
  char buffer[4096];
  REAL(fopen);
  return real(MOVED(path), mode);
}

FILE *fopen64(const char *path, const char *mode) {
  char buffer[4096];
  REAL(fopen64);
  return real(MOVED(path), mode);
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    char buffer[4096]; \
    va_list list; \
    mode_t mode; \
    REAL(name); \
    va_start(list, flags); \
    mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    return real(MOVED(path), flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define WITH(name, type) \
  int name(const char *path, type more) { \
    char buffer[4096]; \
    REAL(name); \
    return real(MOVED(path), more); \
  }
WITH(mkdir, mode_t)
WITH(chmod, mode_t)
WITH(stat, struct stat *)
WITH(stat64, struct stat64 *)

int chown(const char *path, uid_t owner, gid_t group) {
  char buffer[4096];
  REAL(chown);
  return real(MOVED(path), owner, group);
}

int unlink(const char *path) {
  char buffer[4096];
  REAL(unlink);
  return real(MOVED(path));
}
]]

-- Compiled once in each directory.
local function compiled(directory)
  local path = directory .. "/elsewhere"
  if proc.read(path .. ".so") then return path .. ".so" end
  proc.write(path .. ".c", SOURCE)
  local pipe = assert(io.popen(("${CC:-cc} -O1 -shared -fPIC -o %s.so %s.c -ldl 2>&1"):format(path, path)))
  local said = pipe:read("*a")
  pipe:close()
  assert(said == "", said)
  return path .. ".so"
end

local function list(map)
  local words = {}
  for from, to in pairs(map or {}) do words[#words + 1] = from .. "=" .. to end
  return proc.quote(table.concat(words, " "))
end

--- The environment of such a command and of all that it starts.
---@param directory string  where the library may be
---@param where {ports?: table<integer, integer>, paths?: table<string, string>}  what is named -> what it is
---@return string  words of env(1)
function elsewhere.environment(directory, where)
  return ("LD_PRELOAD=%s ELSEWHERE_PORTS=%s ELSEWHERE_PATHS=%s"):format(compiled(directory), list(where.ports),
    list(where.paths))
end

return elsewhere
