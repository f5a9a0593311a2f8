# The processes of jobs. Each job is a session with a folder of its own as
# TMPDIR: by one of both all that it has started is found.
# shellcheck shell=bash

# start_process FOLDER COMMAND...: starts it in the background, as $!, with its
# output in FOLDER/log. Ctrl-C is about the specs' children, so it is not
# ignored as the shell has it for what it starts in the background.
start_process() {
  local folder=$1
  shift
  mkdir -p "$folder/tmp"
  TMPDIR=$folder/tmp setsid timeout --foreground -k 5 "$LIMIT" \
    env --default-signal=INT,QUIT "$@" </dev/null >"$folder/log" 2>&1 &
}

# kill_processes FOLDER SESSION...: ends all that those jobs have started.
kill_processes() {
  local folder=$1 session pid
  shift
  for session in "$@"; do pkill -KILL -s "$session"; done
  grep -lsz "^TMPDIR=$folder" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
    kill -KILL "$pid" 2>/dev/null
  done
}
