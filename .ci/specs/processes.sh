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

# processes_of FOLDER SESSION...: those that these jobs have started and that have
# not ended, a line each. FOLDER is that of all jobs, or of one.
processes_of() {
  local folder=$1 session
  shift
  for session in "$@"; do pgrep -s "$session" -r D,I,R,S,T,t; done
  case $folder in /?*) ;; *) return ;; esac
  grep -lszF "TMPDIR=${folder%/}/" /proc/[0-9]*/environ | cut -d / -f 3
}

# kill_processes FOLDER SESSION...: ends them all, and waits until they are gone,
# as long as 10 s: a process that has been killed takes a while to end on a busy
# machine.
kill_processes() {
  local pids
  for _ in {1..200}; do
    mapfile -t pids < <(processes_of "$@")
    [ ${#pids[@]} = 0 ] && return
    kill -KILL "${pids[@]}" 2>/dev/null
    sleep 0.05
  done
}
