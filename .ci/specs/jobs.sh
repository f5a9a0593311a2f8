# The jobs of a run: which file is run on which Lua, in which order.
# A job is a line "LUA FILE MARKS".
# shellcheck shell=bash

# list_jobs "LUA..." FILE...: the jobs of these files, the long ones first, and
# those of one file together. Fails where a mark is wrong.
list_jobs() {
  local luas=$1 once=${1%% *} file lua marks
  shift
  case " $luas " in *" 5.4 "*) once=5.4 ;; esac
  for file in "$@"; do
    marks=$(marks_of "$file") || return 1
    for lua in $luas; do
      case "$file$marks" in *" once "* | *.c" "*) [ "$lua" = "$once" ] || continue ;; esac
      case $marks in *" long "*) echo "0 $lua $file $marks" ;; *) echo "1 $lua $file $marks" ;; esac
    done
  done | sort -s -k 1,1 | cut -d ' ' -f 2-
}

# jobs_with MARK, jobs_without MARK: those of the jobs on standard input.
jobs_with() { grep -E " $1( |$)"; }
jobs_without() { grep -vE " $1( |$)"; }
