# What one job runs, and what it makes of its end.
# shellcheck shell=bash

# command_of LUA FILE: sets 'command'. FILE is a spec, with the arguments for
# busted in BUSTED_ARGS; a program in C; or "build", all modules. INTERPRETERS is
# a folder with other interpreters than the system's.
command_of() {
  local interpreter=lua$1
  [ "$1" = jit ] && interpreter=luajit
  case $2 in
    build) command=(make -s -j "$JOBS" LUA="$1" REDIS=1 all) ;;
    *.c) command=(make -s LUA="$1" "build/ctest/$(basename "$2" .c).ok") ;;
    *) command=("${INTERPRETERS:+$INTERPRETERS/}$interpreter" /usr/bin/busted
      --output=plainTerminal ${BUSTED_ARGS+"${BUSTED_ARGS[@]}"} "$2") ;;
  esac
}

# counts_of FILE LOG STATUS: "PASSED FAILED". A spec that has died has failed,
# with its summary or without.
counts_of() {
  case $1 in
    *_spec.lua) spec_counts "$2" "$3" ;;
    *) [ "$3" = 0 ] && echo "1 0" || echo "0 1" ;;
  esac
}

spec_counts() { # LOG STATUS
  local passed failures errors pending failed
  read -r passed failures errors pending < <(
    grep -oE '^[0-9]+ success(es)? / [0-9]+ failures? / [0-9]+ errors? / [0-9]+ pending' "$1" |
      tail -n 1 | tr -cs '0-9\n' ' '
  ) || {
    echo "0 1"
    return
  }
  failed=$((failures + errors + pending))
  [ "$2" != 0 ] && [ "$failed" = 0 ] && failed=1
  echo "$passed $failed"
}

# end_of STATUS: how a command ended, in words.
end_of() {
  case $1 in
    124 | 137) echo "took longer than $LIMIT s, or was killed" ;;
    *) echo "ended with $1" ;;
  esac
}
