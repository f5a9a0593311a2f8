--- Keeps the functions of a file out of LuaJIT's compiler, where that compiler is
-- buggy. Each file of ofox with a loop of pairs or next calls this first.
--
-- LuaJIT from 2021-09 to 2022-04-05 (Debian 12's, and so that of its LÖVE and
-- Neovim) may lose the upper half of a pointer on x86-64 when it compiles such
-- a loop: a swap of two registers after lj_vm_next lacks its REX prefix.
-- Upstream's commit 5e3c45c4 fixed it. All releases of that time call
-- themselves 2.1.0-beta3, and no later one of upstream's does.
local jit = rawget(_G, "jit")
local is_affected = jit and jit.arch == "x64" and jit.version:find("2.1.0-beta3", 1, true) ~= nil

if not is_affected then return function() end end

return function()
  jit.off(debug.getinfo(2, "f").func, true)
end
