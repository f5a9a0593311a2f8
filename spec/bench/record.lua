-- Written by .ci/guard record: instructions, and system calls, by versions.
return {
  ["Lua 5.4.4, 5.4.4-3+deb12u1, libcurl 7.88.1, glibc 2.36, cc (Debian 12.2.0-14+deb12u1) 12.2.0, x86_64"] = {
    ["among 64"] = 284330,
    ["call"] = 258503,
    ["chunks"] = 38020,
    ["embeddings"] = 2682520,
    ["errors"] = 1505177,
    ["new"] = 39327842,
    ["system calls"] = 27,
    ["text"] = 3572,
  },
}
