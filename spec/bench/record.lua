-- Written by .ci/guard record: instructions, and system calls, by versions.
return {
  ["Lua 5.4.4, 5.4.4-3+deb12u1, libcurl 7.88.1, glibc 2.36, cc (Debian 12.2.0-14+deb12u1) 12.2.0, x86_64"] = {
    ["among 64"] = 108144,
    ["call"] = 98165,
    ["chunks"] = 10191,
    ["embeddings"] = 802246,
    ["errors"] = 281135,
    ["judge"] = 4951582,
    ["new"] = 25603212,
    ["system calls"] = 7,
    ["text"] = 2663,
    ["text gemini"] = 3041,
    ["text messages"] = 2854,
  },
}
