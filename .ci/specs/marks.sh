# The marks of a spec file say how it may be run. They stand on one line of
# their own, near the file's top, with their reason:
#   -- test: MARK...: REASON        (in C: // test: MARK...: REASON)
# once   on one Lua only: what it shows is the same on each
# alone  nothing else runs meanwhile
# waits  it mostly waits for a clock: it runs beside those that fill the cores
# long   it starts before those without this mark
# shellcheck shell=bash

# marks_of FILE: its marks, each between two spaces. Fails on an unknown one.
marks_of() {
  local line mark
  line=$(grep -m 1 -E '^(--|//) test: ' "$1")
  line=${line#* test: }
  for mark in ${line%%:*}; do
    case $mark in
      once | alone | waits | long) ;;
      *)
        echo "$1: no mark of a spec: $mark" >&2
        return 1
        ;;
    esac
  done
  echo " ${line%%:*} "
}
