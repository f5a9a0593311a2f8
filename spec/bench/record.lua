-- Written by .ci/guard record: instructions, and system calls, by versions.
return {
  ["Lua 5.4.4, 5.4.4-3+deb12u1, libcurl 7.88.1, glibc 2.36, cc (Debian 12.2.0-14+deb12u1) 12.2.0, x86_64"] = {
    ["among 64"] = 105644,
    ["call"] = 96183,
    ["chunks"] = 10314,
    ["embeddings"] = 806884,
    ["errors"] = 273729,
    ["judge"] = 4950092,
    ["new"] = 22727681,
    ["system calls"] = 7,
    ["text"] = 2655,
  },
}
