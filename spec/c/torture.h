/*
** Memory that can be made to run out, and a server that lives in the process.
** Three heaps are counted: that of the core and engine (linked with
** -Wl,--wrap), Lua's and libcurl's.
*/
#ifndef OFOX_TORTURE_H
#define OFOX_TORTURE_H

#include <stddef.h>

#include <lua.h>

/* Whose requests fail; or'ed together. */
enum { HEAP_C = 1, HEAP_LUA = 2, HEAP_CURL = 4, HEAPS = 3 };

/* What a request that is due to fail does to those after it. PAIR is for
** Lua 5.2 and later, which collect garbage and ask once more. */
enum fault { FAULT_ONCE, FAULT_PAIR, FAULT_REST };

void heap_init(void); /* before anything of libcurl is called */
/* Requests for more memory count from now on; number 'n' fails. */
void heap_arm(int heaps, enum fault fault, long n);
/* 1 if a request has failed since. */
int heap_disarm(void);
/* Bytes in use of the heap number 'i', from 0; its name. */
size_t heap_used(int i);
const char *heap_name(int i);

void *heap_lua(void *user, void *p, size_t was, size_t n); /* a lua_Alloc */

/* Adds serve() and closed_port() to the table on top. */
void serve_open(lua_State *L);

#endif
