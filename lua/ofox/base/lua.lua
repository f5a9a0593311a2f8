--- What differs between Luas, each fact under a name that says it. A function
-- that only some of them have is asked for where it is used.
-- Requires nothing, and knows nothing of ofox.
local jit = rawget(_G, "jit")
local IS_51 = _VERSION == "Lua 5.1" and not jit -- and not LuaJIT

return {
  --- What the C halves are built for, as in make LUA=.
  ABI = jit and "jit" or _VERSION:match("%d+%.%d+"),

  --- Its name: "LuaJIT" or "Lua 5.4".
  NAME = jit and "LuaJIT" or _VERSION,

  --- The same, and which LuaJIT.
  RELEASE = jit and jit.version or _VERSION,

  --- A coroutine cannot yield across pcall, xpcall or dofile.
  PCALL_HOLDS = IS_51,

  --- Nor from what an instruction calls that is no call: a metamethod, or the
  -- iterator of a loop.
  HIDDEN_CALLS_HOLD = IS_51,

  --- coroutine.create takes functions that are written in Lua, and no others.
  THREADS_RUN_LUA_ONLY = IS_51,

  --- The interpreter shows an error that ends the program only if it is a string.
  SHOWS_STRINGS_ONLY = IS_51,

  --- A table that is collected has its __gc called.
  TABLES_HAVE_GC = _VERSION ~= "Lua 5.1",

  unpack = rawget(table, "unpack") or rawget(_G, "unpack"),
}
