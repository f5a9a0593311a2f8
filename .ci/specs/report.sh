# What is said of the jobs: one line per file once it has run on all its Luas,
# the whole output of what failed, and the sum.
# shellcheck shell=bash

passed=0
failed=0
failures=()                               # "FILE on Lua X", in order
declare -A file_left file_passed file_bad file_time # by file

# expect_file FILE: one more job of this file will be reported.
expect_file() { file_left[$1]=$((${file_left[$1]:-0} + 1)); }

# report LUA FILE LOG STATUS MILLISECONDS
report() {
  local lua=$1 file=$2 good bad
  read -r good bad < <(counts_of "$file" "$3" "$4")
  passed=$((passed + good))
  failed=$((failed + bad))
  file_left[$file]=$((file_left[$file] - 1))
  file_passed[$file]=$((${file_passed[$file]:-0} + good))
  file_time[$file]=$((${file_time[$file]:-0} + $5))
  if [ "$bad" != 0 ]; then
    file_bad[$file]+=" $lua"
    failures+=("$file on Lua $lua: $bad failed ($(end_of "$4"))")
    echo "== $file on Lua $lua: $bad failed, the command $(end_of "$4")"
    cat "$3"
    echo "=="
  fi
  [ "${file_left[$file]}" = 0 ] && report_file "$file"
}

report_file() {
  local tenths=$(((file_time[$1] + 50) / 100))
  printf '%-48s %5d passed %4d.%d s%s\n' "$1" "${file_passed[$1]}" $((tenths / 10)) $((tenths % 10)) \
    "${file_bad[$1]:+  FAILED on Lua${file_bad[$1]}}"
}

# report_sum: fails unless all is well.
report_sum() {
  echo
  [ ${#failures[@]} = 0 ] || printf 'FAILED: %s\n' "${failures[@]}"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
