--- A module for programs of specs that fork.
local host = require "support.host"

local forking = {}

local CODE = [[
#include <lua.h>
#include <lauxlib.h>
#include <sys/wait.h>
#include <unistd.h>
static int l_fork(lua_State *L) { lua_pushinteger(L, fork()); return 1; }
static int l_exit(lua_State *L) { _exit((int)lua_tointeger(L, 1)); }
static int l_wait(lua_State *L) {
  int status = -1;
  waitpid((pid_t)lua_tointeger(L, 1), &status, 0);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
  return 1;
}
int luaopen_specfork(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, l_fork); lua_setfield(L, -2, "fork");
  lua_pushcfunction(L, l_exit); lua_setfield(L, -2, "_exit");
  lua_pushcfunction(L, l_wait); lua_setfield(L, -2, "wait");
  return 1;
}
]]

--- Compiles the module specfork for the programs that the host starts. It has
-- fork() -> pid, 0 in the child; wait(pid) -> exit code, or signal + 1000; and
-- _exit(code), which frees nothing: a child may have parts of its parent's connections.
function forking.compile()
  host.compile("specfork.so", CODE, "-shared -fPIC")
end

return forking
