# The processes of jobs. Each job is a session with a folder of its own as
# TMPDIR: by one of both all that it has started is found.
# shellcheck shell=bash

# start_process FOLDER COMMAND...: starts it in the background, as $!, with its
# output in FOLDER/log. A shell has Ctrl-C ignored in what it starts in the
# background; specs send it. The inner shell makes an exit code of a signal: wait
# -n misses a process that a signal ended before it was called.
start_process() {
  local folder=$1
  shift
  mkdir -p "$folder/tmp"
  TMPDIR=$folder/tmp setsid sh -c '"$@"; exit $?' sh \
    timeout --foreground -k 5 "$LIMIT" env --default-signal=INT,QUIT "$@" </dev/null >"$folder/log" 2>&1 &
}

# await_process PID...: waits until one of them has ended, and sets 'ended', its
# PID, and 'status'.
await_process() {
  unset ended # no local: wait -p would set another
  status=0
  wait -n -p ended "$@" 2>/dev/null || status=$?
  [ -n "${ended:-}" ] && return
  for ended in "$@"; do
    kill -0 "$ended" 2>/dev/null && continue
    status=0
    wait "$ended" 2>/dev/null || status=$?
    return
  done
}

# kill_processes FOLDER SESSION...: ends all that those jobs have started. FOLDER
# is that of all jobs, or of one.
kill_processes() {
  local folder=$1 session pid
  shift
  for session in "$@"; do pkill -KILL -s "$session"; done
  case $folder in /?*) ;; *) return ;; esac
  grep -lszF "TMPDIR=${folder%/}/" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
    kill -KILL "$pid" 2>/dev/null
  done
}
