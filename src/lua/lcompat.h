/*
** The parts of the Lua C API that differ between 5.1, LuaJIT, 5.2, 5.3 and
** 5.4, each under one name. LuaJIT's headers declare some functions of 5.2
** that not every LuaJIT has, so only the API of 5.1 is used there.
*/
#ifndef OFOX_LCOMPAT_H
#define OFOX_LCOMPAT_H

#include <lua.h>
#include <lauxlib.h>

#if LUA_VERSION_NUM == 501
#define ofox_rawlen lua_objlen
#define ofox_setuservalue(L, i) lua_setfenv(L, i)
#define ofox_getuservalue(L, i) lua_getfenv(L, i)
#else
#define ofox_rawlen lua_rawlen
#if LUA_VERSION_NUM >= 504
#define ofox_setuservalue(L, i) lua_setiuservalue(L, i, 1)
#define ofox_getuservalue(L, i) lua_getiuservalue(L, i, 1)
#else
#define ofox_setuservalue(L, i) lua_setuservalue(L, i)
#define ofox_getuservalue(L, i) lua_getuservalue(L, i)
#endif
#endif

#if LUA_VERSION_NUM >= 504
#define ofox_newuserdata(L, n) lua_newuserdatauv(L, n, 1)
#else
#define ofox_newuserdata(L, n) lua_newuserdata(L, n)
#endif

#if LUA_VERSION_NUM >= 503
#define OFOX_INTEGERS 1
#define ofox_isinteger(L, i) lua_isinteger(L, i)
#else
#define OFOX_INTEGERS 0
#define ofox_isinteger(L, i) 0
#endif

#endif
