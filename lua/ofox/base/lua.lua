--- Differences between Lua versions, each under a name that describes it. Functions
-- that only some versions have are tested for where they are used.
-- Requires nothing, and knows nothing of ofox.
local jit = rawget(_G, "jit")
local IS_51 = _VERSION == "Lua 5.1" and not jit -- and not LuaJIT

return {
  --- The ABI that the C modules are built for, as in make LUA=.
  ABI = jit and "jit" or _VERSION:match("%d+%.%d+"),

  --- Its name: "LuaJIT" or "Lua 5.4".
  NAME = jit and "LuaJIT" or _VERSION,

  --- The same, with the version of LuaJIT.
  RELEASE = jit and jit.version or _VERSION,

  --- A coroutine cannot yield across pcall, xpcall or dofile.
  PCALL_HOLDS = IS_51,

  --- Nor across a metamethod or a loop's iterator, which instructions other than a
  -- call invoke.
  HIDDEN_CALLS_HOLD = IS_51,

  --- coroutine.create accepts only functions written in Lua.
  THREADS_RUN_LUA_ONLY = IS_51,

  --- The interpreter prints the error that ends a program only if it is a string.
  SHOWS_STRINGS_ONLY = IS_51,

  --- Tables may have a __gc metamethod.
  TABLES_HAVE_GC = _VERSION ~= "Lua 5.1",

  unpack = rawget(table, "unpack") or rawget(_G, "unpack"),
}
