-- Written by .ci/guard record: instructions, and system calls, by versions.
return {
  ["Lua 5.4.4, 5.4.4-3+deb12u1, libcurl 7.88.1, glibc 2.36, cc (Debian 12.2.0-14+deb12u1) 12.2.0, x86_64"] = {
    ["among 64"] = 284988,
    ["call"] = 256537,
    ["chunks"] = 37811,
    ["embeddings"] = 2680461,
    ["errors"] = 1504926,
    ["new"] = 39305395,
    ["system calls"] = 26.9,
    ["text"] = 3560,
  },
}
